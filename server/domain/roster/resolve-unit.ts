import type { Programme } from '../../templates.ts'
import type { RosterRow } from './roster-row.ts'

/** What of a unit is needed to find it. */
export interface KnownUnit {
  id: number
  code: string
  name: string
  kind: string
  parentId: number | null
  path: string
}

/** Finds the unit that a roster row means, by its code or by the names of the places above it. */
export interface UnitFinder {
  /** A Chinese reason when no unit, or more than one, fits. */
  find(row: RosterRow): { unit: KnownUnit } | { newBranch: NewBranch } | { reason: string }
}

/** A 团支部 that the roster names for the first time; branches are made by the roster, all other units are not. */
export interface NewBranch {
  name: string
  county: KnownUnit
}

const VOLUNTEER_BRANCH = 'volunteer-branch'

/** @param within a unit's path: where several units have the name, those below it are meant */
export function unitFinder(units: readonly KnownUnit[], within = ''): UnitFinder {
  const byId = new Map(units.map(unit => [unit.id, unit]))
  const byCode = new Map(units.map(unit => [unit.code, unit]))
  const byName = new Map<string, KnownUnit[]>()
  for (const unit of units) {
    const namesakes = byName.get(unit.name)
    if (namesakes) namesakes.push(unit)
    else byName.set(unit.name, [unit])
  }
  // what lies below a unit stands together: of a nation's thousands of 第一团支部 only those of a county are looked at
  for (const namesakes of byName.values())
    if (namesakes.length > 1) namesakes.sort((a, b) => (a.path < b.path ? -1 : 1))

  const isBelow = (unit: KnownUnit, name: string): boolean => {
    for (let at = unit.parentId; at !== null; ) {
      const above = byId.get(at)
      if (!above) return false
      if (above.name === name) return true
      at = above.parentId
    }
    return false
  }
  const named = (name: string, above: string[]) => {
    const namesakes = byName.get(name) ?? []
    const nearest = above.at(-1)
    const near =
      nearest === undefined
        ? namesakes
        : [...new Set((byName.get(nearest) ?? []).flatMap(top => belowPath(namesakes, top.path)))]
    const found = near.filter(unit => above.every(place => isBelow(unit, place)))
    const own = found.filter(unit => unit.path.startsWith(within))
    return own.length > 0 ? own : found
  }

  const findAnew: UnitFinder['find'] = row => {
    if (row.unitCode !== '') {
      const unit = byCode.get(row.unitCode)
      return unit ? { unit } : { reason: `没有编码是 ${row.unitCode} 的单位` }
    }
    const places = [row.province, row.city, row.county, row.township, row.branch || row.unit].filter(
      name => name !== '',
    )
    const name = places.at(-1)
    if (name === undefined) return { reason: '没有写明单位' }
    // a branch stands under its county, whatever township the row names beside
    const above = places.slice(0, -1).filter(place => row.branch === '' || place !== row.township)
    const found = named(name, above)
    const [unit] = found
    if (unit && found.length === 1) return { unit }
    if (found.length > 1) return { reason: `有 ${found.length} 个单位叫“${name}”，请写明上级或单位编码` }
    if (row.branch !== '' && row.county !== '') {
      const counties = named(
        row.county,
        [row.province, row.city].filter(place => place !== ''),
      )
      const [county] = counties
      if (county && counties.length === 1) return { newBranch: { name: row.branch, county } }
    }
    return { reason: `没有找到单位“${places.join(' ')}”` }
  }

  // people of one unit stand together in a file
  let lastKey: string | null = null
  let last: ReturnType<UnitFinder['find']> = { reason: '' }
  return {
    find(row) {
      const { unitCode, province, city, county, township, branch, unit } = row
      const key = [unitCode, province, city, county, township, branch, unit].join('\n')
      if (key !== lastKey) last = findAnew(row)
      lastKey = key
      return last
    },
  }
}

/** @param units in the order of their paths */
function belowPath(units: readonly KnownUnit[], path: string): KnownUnit[] {
  let low = 0
  for (let high = units.length; low < high; ) {
    const middle = (low + high) >> 1
    if ((units[middle] as KnownUnit).path < path) low = middle + 1
    else high = middle
  }
  let end = low
  while (units[end]?.path.startsWith(path)) end += 1
  return units.slice(low, end)
}

/** Whether the programme has branches that a roster may make. */
export function branchKind(programme: Programme): string | null {
  return programme.unitKinds.some(kind => kind.id === VOLUNTEER_BRANCH) ? VOLUNTEER_BRANCH : null
}

/**
 * The role a row means: the one named in 角色 or 职务, the longest first (团支部副书记 before 书记), or its short form.
 * Members of a branch without a title are volunteers. null when nothing fits the kind of unit.
 */
export function roleOf(programme: Programme, unitKind: string, row: RosterRow): string | null {
  const fitting = programme.roles.filter(role => role.unitKinds.includes(unitKind))
  for (const written of [row.role, row.title]) {
    if (written === '') continue
    const exact = fitting.find(role => role.name === written || role.id === written)
    const within = fitting
      .filter(role => written.includes(role.name))
      .sort((a, b) => b.name.length - a.name.length)
    // a short form such as 书记: the role that ends so, the shortest first, and never a deputy's
    const shortened = fitting
      .filter(role => role.name.endsWith(written) && !role.name.includes(`副${written}`))
      .sort((a, b) => a.name.length - b.name.length)
    const role = exact ?? within[0] ?? shortened[0]
    if (role) return role.id
  }
  if (unitKind === VOLUNTEER_BRANCH) return fitting.find(role => role.id === 'volunteer')?.id ?? null
  return null
}
