import type { GroupKind, Programme } from '../../templates.ts'

/** A unit as the composition rules see it. */
export interface ScopeUnit {
  id: number
  kind: string
}

/** Somebody whose role in a unit stands today, with the 人员类别 of the terms that run there. */
export interface Holder {
  personId: number
  unitId: number
  role: string
  categories: readonly string[]
}

/** What surrounds one unit: all that the rules of its groups can name. */
export interface Scope {
  own: ScopeUnit
  parent: ScopeUnit | null
  children: readonly ScopeUnit[]
  descendants: readonly ScopeUnit[]
  /** The universities whose volunteers of these categories (by name) serve below. */
  sendingUnits(categories: readonly string[]): readonly ScopeUnit[]
  /** Those who keep long-term contact with the unit (1+100), each as one of the office that they are of. */
  contacts: readonly Holder[]
  holdersIn(unitId: number): readonly Holder[]
}

export interface Entitled {
  personId: number
  /** Where and as what they belong; the first rule that fits. */
  unitId: number
  role: string
  isOptional: boolean
  isContact: boolean
  source: string
  /** The rule bounds how many of this unit and role may come: where the unit has more, none of them is missed alone. */
  isOneOfMany: boolean
}

/** What each unit of a counted rule has and may have, in one group. */
export interface Quota {
  unitId: number
  role: string
  min: number
  max: number
  persons: readonly number[]
  source: string
}

export interface Composition {
  entitled: ReadonlyMap<number, Entitled>
  quotas: readonly Quota[]
  /** The unit says one by one who belongs: everybody whom we know may be there. */
  isUnitDecided: boolean
}

/**
 * Who belongs in a group of a kind, by its rules (such as 全国项目办发〔2018〕1号 二.4) and of the kinds that may be merged
 * into it (中少办发〔2017〕4号 一.2) where the unit has no group of their own: those may be there, and are not missed.
 */
export function compositionOf(
  programme: Programme,
  kind: GroupKind,
  scope: Scope,
  mergedKinds: readonly GroupKind[] = [],
): Composition {
  const entitled = new Map<number, Entitled>()
  const quotas: Quota[] = []
  const rules = [
    ...kind.members.map(rule => ({ rule, isOptional: rule.optional ?? false })),
    ...mergedKinds.flatMap(merged => merged.members.map(rule => ({ rule, isOptional: true }))),
  ]
  // whoever is missed by one rule is missed, though another would only let them in
  for (const { rule, isOptional } of rules.toSorted((a, b) => Number(a.isOptional) - Number(b.isOptional))) {
    if (!rule.role) continue
    const roleIds = rolesMeant(programme, rule.role)
    const categories = rule.categories && categoryNames(programme, rule.categories)
    const take = (holder: Holder, isOneOfMany: boolean) => {
      if (!entitled.has(holder.personId))
        entitled.set(holder.personId, {
          personId: holder.personId,
          unitId: holder.unitId,
          role: holder.role,
          isOptional,
          isContact: rule.from === 'contacts',
          source: rule.source,
          isOneOfMany,
        })
    }
    if (rule.from === 'contacts') {
      for (const holder of scope.contacts) if (roleIds.has(holder.role)) take(holder, false)
      continue
    }
    for (const unit of unitsOf(rule, kind, programme, scope)) {
      const holders = distinct(
        scope
          .holdersIn(unit.id)
          .filter(holder => roleIds.has(holder.role))
          .filter(holder => !categories || holder.categories.some(each => categories.has(each))),
      )
      const { count } = rule
      const isTooMany = count !== undefined && holders.length > count.max
      for (const holder of holders) take(holder, isTooMany)
      if (count && isTooMany)
        quotas.push({
          unitId: unit.id,
          role: rule.role,
          ...count,
          persons: holders.map(holder => holder.personId),
          source: rule.source,
        })
    }
  }
  return {
    entitled,
    quotas,
    isUnitDecided: kind.members.some(rule => rule.from === 'unit-decides'),
  }
}

/** The roles that a rule means by naming one: a person in charge is one of the staff (`countsAs`). */
export function rolesMeant(programme: Programme, roleId: string): Set<string> {
  return new Set(
    programme.roles.filter(role => role.id === roleId || role.countsAs.includes(roleId)).map(role => role.id),
  )
}

/** The names by which the roster knows categories (人员类别). */
export function categoryNames(programme: Programme, ids: readonly string[]): Set<string> {
  return new Set(programme.categories.filter(each => ids.includes(each.id)).map(each => each.name))
}

function unitsOf(
  rule: GroupKind['members'][number],
  kind: GroupKind,
  programme: Programme,
  scope: Scope,
): readonly ScopeUnit[] {
  const units = ((): readonly ScopeUnit[] => {
    switch (rule.from) {
      case 'own-unit':
        return [scope.own]
      case 'parent-unit':
        return scope.parent ? [scope.parent] : []
      case 'child-units':
        return scope.children
      case 'descendant-units':
        return scope.descendants
      case 'sending-units':
        return scope.sendingUnits(sentCategories(kind, programme))
      case 'contacts':
      case 'anyone':
      case 'unit-decides':
        return []
    }
  })()
  return units.filter(unit => !rule.unitKinds || rule.unitKinds.includes(unit.kind))
}

/** The categories, by name, of the volunteers whose universities belong in a group of this kind. */
export function sentCategories(kind: GroupKind, programme: Programme): string[] {
  return [
    ...categoryNames(
      programme,
      kind.members.flatMap(rule => rule.categories ?? []),
    ),
  ]
}

/** A person who holds two of the roles counts once. */
function distinct(holders: readonly Holder[]): Holder[] {
  return [...new Map(holders.toReversed().map(holder => [holder.personId, holder])).values()].toReversed()
}
