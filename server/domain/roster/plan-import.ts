import { type PersonRow, personsBeyond } from '../../../db/queries/persons.ts'
import { entriesOfUnits, type RosterEntryRow } from '../../../db/queries/roster.ts'
import { type UnitRow, unitsOfProgramme } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskPersonalData } from '../messages/mask.ts'
import type { UnitInput } from '../units/import-units.ts'
import { maskIdNumber } from './id-number.ts'
import { maskPhone } from './phone.ts'
import { type ChangedPerson, type PlacedPersons, placePersons } from './place-persons.ts'
import { branchKind, roleOf, unitFinder } from './resolve-unit.ts'
import type { RosterProblem, RosterRow } from './roster-row.ts'
import { type RosterScope, scopeOf } from './scope.ts'
import { maskName } from './text.ts'

/** An entry as a file has it. Persons and units that are not there yet have numbers below 0. */
export type NewEntry = Omit<RosterEntryRow, 'id' | 'importId' | 'goneImportId'> & { row: RosterRow }

/** What an import would do, worked out by reading only. */
export interface RosterPlan {
  programme: string
  /** Sound rows of the file. */
  rows: number
  /** Branches that the file names for the first time; the first has the id -1, and so on. */
  newUnits: UnitInput[]
  persons: PlacedPersons
  fresh: NewEntry[]
  changed: { before: RosterEntryRow; after: NewEntry }[]
  unchanged: RosterEntryRow[]
  gone: RosterEntryRow[]
  problems: RosterProblem[]
  /** For words: the units by id, and the persons who stand in those that the file is about. */
  units: Map<number, UnitRow>
  present: Map<number, PersonRow>
}

export interface PlanOptions {
  programme: string
  /** @see ImportOptions */
  wholeOf?: string
  within?: string
}

interface PlacedRow {
  row: RosterRow
  unit: UnitRow
  role: string
}

/** @throws DomainError `unit.unknown` */
export async function planImport(
  rt: DomainRuntime,
  options: PlanOptions,
  entries: readonly RosterRow[],
  found: readonly RosterProblem[],
): Promise<RosterPlan> {
  const { programme } = options
  const problems = [...found]
  const units = await unitsOfProgramme(rt.db, programme)
  const scope = options.within === undefined ? null : scopeOf(rt.templates, programme, units, options.within)
  const { placed, newUnits, allUnits } = placeRows(rt, programme, units, entries, scope, problems)
  const covered = new Set(placed.map(each => each.unit.id))
  if (options.wholeOf !== undefined)
    for (const unit of wholeUnits(units, options.wholeOf, scope)) covered.add(unit.id)
  const persons = await placePersons(
    rt,
    placed.map(each => each.row),
  )
  if (scope) await checkPersons(rt, scope, persons, problems)

  const plan: RosterPlan = {
    programme,
    rows: entries.length,
    newUnits,
    persons,
    fresh: [],
    changed: [],
    unchanged: [],
    gone: [],
    problems,
    units: new Map(allUnits.map(unit => [unit.id, unit])),
    present: new Map(),
  }
  const standing = new Map<string, RosterEntryRow>()
  for (const { entry, person } of await entriesOfUnits(
    rt.db,
    [...covered].filter(id => id > 0),
  )) {
    standing.set(entryKey(entry), entry)
    plan.present.set(person.id, person)
  }
  for (const [index, { row, unit, role }] of placed.entries()) {
    const after = entryOf(programme, persons.ids[index] as number, unit, role, row)
    const key = entryKey(after)
    const before = standing.get(key)
    standing.delete(key)
    if (before && isSame(before, after)) plan.unchanged.push(before)
    else {
      if (scope?.isOwnOffice(after)) problems.push(ownOfficeProblem(rt, programme, scope, after))
      else if (before) plan.changed.push({ before, after })
      else plan.fresh.push(after)
    }
  }
  plan.gone = [...standing.values()].filter(entry => !scope?.isOwnOffice(entry))
  return plan
}

/** Finds unit and role of each row; rows that fit none are added to `problems`. */
function placeRows(
  rt: DomainRuntime,
  programmeId: string,
  units: UnitRow[],
  entries: readonly RosterRow[],
  scope: RosterScope | null,
  problems: RosterProblem[],
): { placed: PlacedRow[]; newUnits: UnitInput[]; allUnits: UnitRow[] } {
  const programme = rt.templates.programme(programmeId)
  const report = (row: RosterRow, column: string, value: string, reason: string) =>
    problems.push({ line: row.line, column, value, reason, severity: 'error' })
  const finder = unitFinder(units, scope?.unit.path)
  const kind = branchKind(programme)
  const branches = new Map<string, UnitRow>()
  const newUnits: UnitInput[] = []
  const placed: PlacedRow[] = []

  /** The branch as it will be, under a number of its own until it is made. */
  function branchOf(name: string, county: UnitRow, branchKind: string): UnitRow {
    const code = `${county.code}-${name}`
    const known = branches.get(code)
    if (known) return known
    const id = -newUnits.push({ code, name, kind: branchKind, parentCode: county.code })
    const branch: UnitRow = {
      id,
      programme: programmeId,
      code,
      name,
      kind: branchKind,
      level: rt.templates.unitKind(programmeId, branchKind).level,
      parentId: county.id,
      path: `${county.path}${id}/`,
      managerId: null,
      createdAt: rt.clock.now(),
    }
    branches.set(code, branch)
    return branch
  }

  for (const row of entries) {
    const found = finder.find(row)
    if ('reason' in found) {
      report(row, '单位', '', found.reason)
      continue
    }
    const place = 'unit' in found ? found.unit : found.newBranch.county
    if (scope && !scope.holds(place)) {
      const name = 'unit' in found ? place.name : found.newBranch.name
      report(row, '单位', name, `不在${scope.unit.name}的范围内，请删去这一行，由那里或其上级导入。`)
      continue
    }
    if ('newBranch' in found && !kind) {
      report(row, '单位', '', `没有找到团支部“${row.branch}”`)
      continue
    }
    const unit = 'unit' in found ? place : branchOf(found.newBranch.name, place, kind as string)
    const role = roleOf(programme, unit.kind, row)
    if (role === null)
      report(
        row,
        '职务',
        '',
        `${unit.name}没有这种角色，请在“角色”或“职务”列写明（如 ${exampleRole(programme, unit.kind)}）`,
      )
    else placed.push({ row, unit, role })
  }
  return { placed, newUnits, allUnits: [...units, ...branches.values()] }
}

function exampleRole(
  programme: ReturnType<DomainRuntime['templates']['programme']>,
  unitKind: string,
): string {
  return programme.roles.find(role => role.unitKinds.includes(unitKind))?.name ?? '工作人员'
}

/** @throws DomainError `unit.unknown` */
function wholeUnits(units: readonly UnitRow[], code: string, scope: RosterScope | null): UnitRow[] {
  const top = units.find(unit => unit.code === code)
  if (!top || (scope && !scope.holds(top)))
    throw new DomainError('unit.unknown', `没有编码是 ${code} 的单位。`)
  return units.filter(unit => unit.path.startsWith(top.path))
}

/** So many people of other units may differ and be named. */
const MAX_BEYOND = 20

/** Reports rows that would change somebody whom others rely on too. @see RosterScope, rule 3 */
async function checkPersons(
  rt: DomainRuntime,
  scope: RosterScope,
  persons: PlacedPersons,
  problems: RosterProblem[],
): Promise<void> {
  const beyond = await personsBeyond(rt.db, [...persons.changed.keys()], scope.unit, scope.officeRoles)
  if (beyond.size > MAX_BEYOND) {
    // line by line such a file would tell which of many numbers are registered somewhere
    for (const id of beyond) persons.changed.delete(id)
    problems.push({
      line: 0,
      column: '手机号、身份证号',
      value: '',
      reason: `有 ${MAX_BEYOND} 个以上的人还在${scope.unit.name}以外的单位登记，而文件里的信息与登记的不同。请核对文件，或联系上级。`,
      severity: 'error',
    })
    return
  }
  for (const id of beyond) {
    const { row, set } = persons.changed.get(id) as ChangedPerson
    // nor does the office learn from its preview what is known
    persons.changed.delete(id)
    const [column, value] = set.phoneIndex
      ? ['手机号', maskPhone(row.phone)]
      : set.idNumberIndex
        ? ['身份证号', maskIdNumber(row.idNumber)]
        : set.name
          ? ['姓名', maskName(row.name)]
          : ['微信号', '']
    problems.push({
      line: row.line,
      column,
      value,
      reason: `与系统里登记的不同。这个人还在${scope.unit.name}以外的单位登记，或负责${scope.unit.name}的工作，个人信息只能由上级更正；请改成与登记一致，或联系上级。`,
      severity: 'error',
    })
  }
}

function ownOfficeProblem(
  rt: DomainRuntime,
  programme: string,
  { unit }: RosterScope,
  { row, role }: NewEntry,
): RosterProblem {
  const name = rt.templates.role(programme, role).name
  return {
    line: row.line,
    column: '角色',
    value: name,
    reason: `${unit.name}自己的“${name}”由上级登记，不能由本单位增加或改动。请删去这一行，或保持与登记一致；人员有变动请联系上级导入。`,
    severity: 'error',
  }
}

function entryOf(programme: string, personId: number, unit: UnitRow, role: string, row: RosterRow): NewEntry {
  return {
    programme,
    unitId: unit.id,
    personId,
    role,
    title: row.title || null,
    category: row.category || null,
    post: row.post || null,
    university: row.university || null,
    startsOn: row.startsOn,
    endsOn: row.endsOn,
    status: row.status ?? '在岗',
    // a column that is only kept may hold a second phone; numbers lie nowhere in the clear
    extra: Object.fromEntries(
      Object.entries(row.extra).map(([header, value]) => [header, maskPersonalData(value)]),
    ),
    row,
  }
}

function entryKey(entry: {
  unitId: number
  personId: number
  role: string
  startsOn: string | null
}): string {
  return `${entry.unitId} ${entry.personId} ${entry.role} ${entry.startsOn ?? ''}`
}

function isSame(before: RosterEntryRow, after: NewEntry): boolean {
  return (
    before.title === after.title &&
    before.category === after.category &&
    before.post === after.post &&
    before.university === after.university &&
    before.endsOn === after.endsOn &&
    before.status === after.status &&
    JSON.stringify(Object.entries(before.extra).sort()) === JSON.stringify(Object.entries(after.extra).sort())
  )
}
