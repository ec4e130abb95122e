import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { entriesOfUnits } from '../../../db/queries/roster.ts'
import { childUnits, roleHolders, type UnitRow, unitById, unitsUnder } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { GroupKind } from '../../templates.ts'

export interface EntitledPerson {
  personId: number
  name: string
  /** As what, in Chinese, such as 延安市项目办负责同志. */
  as: string
  /** May be in the group, but is not missed when they are not. */
  isOptional: boolean
}

/**
 * Who belongs in a group by the composition rules of its kind (such as 全国项目办发〔2018〕1号 二.4), read from the roles
 * that stand today. Groups that are open to anyone have no such list.
 */
export async function entitledPersons(rt: DomainRuntime, group: GroupWithUnit): Promise<EntitledPerson[]> {
  const kind = rt.templates.groupKind(group.programme, group.kind)
  const programme = rt.templates.programme(group.programme)
  const own = await unitById(rt.db, group.unitId)
  if (!own) return []
  const today = dayOf(rt.clock.now())
  const entitled = new Map<number, EntitledPerson>()
  for (const rule of kind.members) {
    if (!rule.role) continue
    const units = (await unitsOfRule(rt, rule.from, own)).filter(
      unit => !rule.unitKinds || rule.unitKinds.includes(unit.kind),
    )
    const roleIds = programme.roles
      .filter(role => role.id === rule.role || role.countsAs.includes(rule.role ?? ''))
      .map(role => role.id)
    const inService = await personsInService(rt, units, today)
    const names = new Map(units.map(unit => [unit.id, unit.name]))
    const categories = rule.categories && namesOf(programme.categories, rule.categories)
    for (const holder of await roleHolders(
      rt.db,
      units.map(unit => unit.id),
      roleIds,
    )) {
      if (inService.ended.has(holder.personId) && !inService.active.has(holder.personId)) continue
      if (categories && !categories.has(inService.active.get(holder.personId) ?? '')) continue
      if (entitled.has(holder.personId)) continue
      const title = holder.title ?? rt.templates.role(group.programme, holder.role).name
      entitled.set(holder.personId, {
        personId: holder.personId,
        name: holder.name,
        as: `${names.get(holder.unitId) ?? ''}${title}`,
        isOptional: rule.optional ?? false,
      })
    }
  }
  return [...entitled.values()]
}

/** The names by which the roster knows the categories of a rule (人员类别). */
function namesOf(categories: readonly { id: string; name: string }[], ids: readonly string[]): Set<string> {
  return new Set(categories.filter(each => ids.includes(each.id)).map(each => each.name))
}

async function unitsOfRule(
  rt: DomainRuntime,
  from: GroupKind['members'][number]['from'],
  own: UnitRow,
): Promise<UnitRow[]> {
  switch (from) {
    case 'own-unit':
      return [own]
    case 'parent-unit': {
      const parent = own.parentId === null ? null : await unitById(rt.db, own.parentId)
      return parent ? [parent] : []
    }
    case 'child-units':
      return childUnits(rt.db, own.id)
    case 'descendant-units':
      return (await unitsUnder(rt.db, own.path)).filter(unit => unit.id !== own.id)
    // who they are stands in no roster of these units
    case 'sending-units':
    case 'contacts':
    case 'anyone':
    case 'unit-decides':
      return []
  }
}

/** Whose terms in these units run today, as what (人员类别), and whose have all ended or not begun. */
async function personsInService(rt: DomainRuntime, units: UnitRow[], today: string) {
  const active = new Map<number, string>()
  const ended = new Set<number>()
  for (const { entry } of await entriesOfUnits(
    rt.db,
    units.map(unit => unit.id),
  )) {
    const runs =
      entry.status === '在岗' && (entry.startsOn ?? today) <= today && today <= (entry.endsOn ?? today)
    if (runs) active.set(entry.personId, entry.category ?? '')
    else ended.add(entry.personId)
  }
  return { active, ended }
}
