import { groupsOfUnits, namesOfPersons, titlesOf, unitsByIds } from '../../../db/queries/composition.ts'
import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { unitById } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { kindsMergedInto } from './check-composition.ts'
import { type Composition, compositionOf, type Entitled } from './entitlement.ts'
import { loadScopes } from './facts.ts'

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
  const { entitled } = await compositionOfGroup(rt, group)
  return nameEntitled(rt, group.programme, [...entitled.values()])
}

/** The composition of one group, from the very facts by which the nightly reconcile checks all of them. */
export async function compositionOfGroup(
  rt: DomainRuntime,
  group: Pick<GroupWithUnit, 'unitId' | 'programme' | 'kind'>,
): Promise<Composition> {
  const unit = await unitById(rt.db, group.unitId)
  const programme = rt.templates.programme(group.programme)
  const kind = rt.templates.groupKind(group.programme, group.kind)
  if (!unit) return { entitled: new Map(), quotas: [], isUnitDecided: false }
  const [scopes, rows] = await Promise.all([loadScopes(rt, [unit]), groupsOfUnits(rt.db, [unit.id])])
  const scope = scopes.get(unit.id)
  if (!scope) return { entitled: new Map(), quotas: [], isUnitDecided: false }
  return compositionOf(programme, kind, scope, kindsMergedInto(programme, kind, rows))
}

/** Adds what people are called, and as what they belong. */
export async function nameEntitled(
  rt: DomainRuntime,
  programmeId: string,
  entitled: readonly Entitled[],
): Promise<EntitledPerson[]> {
  const [names, titles, units] = await Promise.all([
    namesOfPersons(
      rt.db,
      entitled.map(each => each.personId),
    ),
    titlesOf(rt.db, [...entitled]),
    unitsByIds(rt.db, [...new Set(entitled.map(each => each.unitId))]),
  ])
  const unitNames = new Map(units.map(unit => [unit.id, unit.name]))
  return entitled.map(each => {
    const title =
      titles.get(`${each.unitId} ${each.personId} ${each.role}`) ??
      rt.templates.role(programmeId, each.role).name
    return {
      personId: each.personId,
      name: names.get(each.personId) ?? '',
      as: `${unitNames.get(each.unitId) ?? ''}${title}`,
      isOptional: each.isOptional || each.isOneOfMany,
    }
  })
}
