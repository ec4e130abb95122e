import {
  type BelowRow,
  type CheckedGroup,
  contactsOfBranches,
  countGroupsUnder,
  followersAmong,
  groupsOfUnits,
  groupsWithStandingOwner,
  hasFollowers,
  holdersInService,
  officersWithBranch,
  personsInGroups,
  strangersInGroups,
  unitsBelow,
  unitsByIds,
  unitsOfKinds,
  unitsWithStandingManager,
  universitiesOf,
} from '../../../db/queries/composition.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Programme, ProgrammeAccount } from '../../templates.ts'
import { categoryNames, type Holder, rolesMeant, type Scope, type ScopeUnit } from './entitlement.ts'

export interface GroupFacts {
  row: CheckedGroup
  /** Persons who are known to be in it. */
  persons: readonly number[]
  /** Members whom nobody could be named for. */
  strangers: readonly { address: string | null; nickname: string | null }[]
  isOwnerStanding: boolean
}

/** All that the composition rules ask about one unit, as plain data. */
export interface UnitFacts {
  unit: UnitRow
  scope: Scope
  groups: readonly GroupFacts[]
  isManagerStanding: boolean
  /** Groups in the whole subtree, by kind; only of kinds that a duty counts. */
  groupsUnder: ReadonlyMap<string, number>
  /** Whether an officer of this office keeps in touch with a branch (1+100). */
  hasBranch(personId: number): boolean
  /** Whether somebody follows the Official Account; null where that cannot be known. */
  follows: ((personId: number) => boolean) | null
}

/** What a run over many batches need not ask again. */
export interface FactsCache {
  universities: Map<string, ReadonlyMap<string, ScopeUnit>>
  hasFollowers?: boolean
}

export const emptyCache = (): FactsCache => ({ universities: new Map() })

/** Duties that want so many groups of a kind in a unit's subtree (榆林团市委 2014 四.(一)). */
export const groupDuties: Readonly<Record<string, string>> = { 'youth-groups-a-township': 'youth' }

/**
 * Loads what the rules ask about these units and their groups: a handful of statements however many units there are.
 */
export async function loadFacts(
  rt: DomainRuntime,
  units: readonly UnitRow[],
  cache: FactsCache = emptyCache(),
): Promise<UnitFacts[]> {
  const today = dayOf(rt.clock.now())
  const ids = units.map(unit => unit.id)
  const [scopes, rows, standingManagers, groupCounts] = await Promise.all([
    loadScopes(rt, units, cache),
    groupsOfUnits(rt.db, ids),
    unitsWithStandingManager(
      rt.db,
      units.filter(unit => unit.managerId !== null).map(unit => unit.id),
    ),
    loadGroupCounts(rt, units),
  ])
  const groupIds = rows.map(row => row.id)
  const [persons, strangers, standingOwners, officers, follows] = await Promise.all([
    personsInGroups(rt.db, groupIds),
    strangersInGroups(rt.db, groupIds),
    groupsWithStandingOwner(
      rt.db,
      rows.filter(row => row.ownerId !== null).map(row => row.id),
      today,
    ),
    officersWithBranch(
      rt.db,
      units.filter(unit => isOfficeWithContacts(rt, unit)).map(unit => unit.id),
    ),
    loadFollowers(rt, units, scopes, cache),
  ])
  const strangersOf = groupBy(strangers, each => each.groupId)
  const groupsOf = groupBy(rows, row => row.unitId)
  return units.map(unit => ({
    unit,
    scope: scopes.get(unit.id) as Scope,
    groups: (groupsOf.get(unit.id) ?? []).map(row => ({
      row,
      persons: persons.get(row.id) ?? [],
      strangers: strangersOf.get(row.id) ?? [],
      isOwnerStanding: standingOwners.has(row.id),
    })),
    isManagerStanding: standingManagers.has(unit.id),
    groupsUnder: groupCounts.get(unit.id) ?? new Map(),
    hasBranch: personId => officers.has(`${unit.id} ${personId}`),
    follows: follows && (personId => follows.has(personId)),
  }))
}

/** What surrounds each unit, with everybody who holds a role there today. */
export async function loadScopes(
  rt: DomainRuntime,
  units: readonly UnitRow[],
  cache: FactsCache = emptyCache(),
): Promise<Map<number, Scope>> {
  const today = dayOf(rt.clock.now())
  const deep = units.filter(unit => rulesOf(rt, unit).some(rule => rule.from === 'descendant-units'))
  const touched = units.filter(unit => rulesOf(rt, unit).some(rule => rule.from === 'contacts'))
  const parentIds = [...new Set(units.flatMap(unit => unit.parentId ?? []))]
  const [children, descendants, parents, contacts] = await Promise.all([
    unitsBelow(
      rt.db,
      units.map(unit => unit.id),
      'children',
    ),
    unitsBelow(
      rt.db,
      deep.map(unit => unit.id),
      'descendants',
    ),
    unitsByIds(rt.db, parentIds),
    contactsOfBranches(
      rt.db,
      touched.map(unit => unit.id),
      today,
    ),
  ])
  const childrenOf = groupBy(children, row => row.rootId)
  const descendantsOf = groupBy(descendants, row => row.rootId)
  const sending = await loadSending(rt, deep, descendantsOf, today, cache)
  const whole = new Set<number>([
    ...units.map(unit => unit.id),
    ...parentIds,
    ...[...sending.values()].flat().map(each => each.unit.id),
  ])
  const asksChildren = new Set(units.filter(unit => areChildrenAsked(rt, unit)).map(unit => unit.id))
  for (const child of children) if (asksChildren.has(child.rootId)) whole.add(child.id)
  const below = [...new Set(descendants.map(row => row.id))].filter(id => !whole.has(id))
  const holders = await loadHolders(rt, units, { whole: [...whole], below }, today)
  const parentOf = new Map(parents.map(parent => [parent.id, parent]))
  const contactsOf = groupBy(contacts, row => row.unitId)
  return new Map(
    units.map(unit => [
      unit.id,
      {
        own: unit,
        parent: unit.parentId === null ? null : (parentOf.get(unit.parentId) ?? null),
        children: childrenOf.get(unit.id) ?? [],
        descendants: descendantsOf.get(unit.id) ?? [],
        sendingUnits: categories =>
          distinctUnits(
            (sending.get(unit.id) ?? [])
              .filter(each => categories.includes(each.category))
              .map(each => each.unit),
          ),
        contacts: (contactsOf.get(unit.id) ?? []).map(row => ({
          personId: row.personId,
          unitId: row.officeId,
          role: row.role,
          categories: [],
        })),
        holdersIn: unitId => holders.get(unitId) ?? [],
      } satisfies Scope,
    ]),
  )
}

/** @param where `whole`: everybody of these units; `below`: of these only the categories that a rule names from afar */
async function loadHolders(
  rt: DomainRuntime,
  units: readonly UnitRow[],
  where: { whole: number[]; below: number[] },
  today: string,
): Promise<Map<number, Holder[]>> {
  const programmes = programmesOf(rt, units)
  const roleIds = [...new Set(programmes.flatMap(programme => [...askedRoles(programme)]))]
  const distant = programmes.map(programme => distantCategories(programme))
  const categories = distant.some(each => each === null) ? null : distant.flatMap(each => each ?? [])
  const holders = new Map<number, Holder[]>()
  for (const { unitId, role, persons } of [
    ...(await holdersInService(rt.db, where.whole, roleIds, today)),
    ...(await holdersInService(rt.db, where.below, roleIds, today, categories)),
  ]) {
    const list = holders.get(unitId) ?? []
    holders.set(unitId, list)
    for (const { personId, categories } of persons) list.push({ personId, unitId, role, categories })
  }
  return holders
}

/** The categories, by name, that rules name anywhere below a unit; null: some rule names everybody there. */
function distantCategories(programme: Programme): string[] | null {
  const rules = programme.groupKinds
    .flatMap(kind => kind.members)
    .filter(rule => rule.from === 'descendant-units')
  if (rules.some(rule => !rule.categories)) return null
  return [
    ...categoryNames(
      programme,
      rules.flatMap(rule => rule.categories ?? []),
    ),
  ]
}

/** Whether anything is asked about who serves in the units just below. */
function areChildrenAsked(rt: DomainRuntime, unit: UnitRow): boolean {
  return (
    rulesOf(rt, unit).some(rule => rule.from === 'child-units') ||
    requiredAccounts(rt.templates.programme(unit.programme)).length > 0
  )
}

const asked = new WeakMap<Programme, Set<string>>()

/** The roles that any rule of the programme asks about. */
function askedRoles(programme: Programme): Set<string> {
  const known = asked.get(programme)
  if (known) return known
  const named = [
    ...programme.groupKinds.flatMap(kind => [
      kind.owner.role,
      ...kind.members.flatMap(rule => rule.role ?? []),
    ]),
    ...programme.accounts.flatMap(account => account.followers.map(follower => follower.role)),
    'matrix-manager',
  ]
  const roles = new Set(named.flatMap(roleId => [...rolesMeant(programme, roleId)]))
  // whoever registers by themselves is asked about by no rule, and there are very many of them
  roles.delete('youth')
  asked.set(programme, roles)
  return roles
}

/** The universities that have sent volunteers to each unit's subtree, as units of the programme. */
async function loadSending(
  rt: DomainRuntime,
  units: readonly UnitRow[],
  descendantsOf: ReadonlyMap<number, BelowRow[]>,
  today: string,
  cache: FactsCache,
): Promise<Map<number, { unit: ScopeUnit; category: string }[]>> {
  const found = new Map<number, { unit: ScopeUnit; category: string }[]>()
  const senders = units.filter(unit => rulesOf(rt, unit).some(rule => rule.from === 'sending-units'))
  const rootOf = new Map<number, UnitRow>()
  for (const root of senders) for (const below of descendantsOf.get(root.id) ?? []) rootOf.set(below.id, root)
  for (const row of await universitiesOf(rt.db, [...rootOf.keys()], today)) {
    const root = rootOf.get(row.unitId) as UnitRow
    const university = (await universitiesIn(rt, root.programme, cache)).get(universityKey(row.university))
    if (!university) continue
    const list = found.get(root.id) ?? []
    list.push({ unit: university, category: row.category })
    found.set(root.id, list)
  }
  return found
}

async function universitiesIn(
  rt: DomainRuntime,
  programme: string,
  cache: FactsCache,
): Promise<ReadonlyMap<string, ScopeUnit>> {
  const known = cache.universities.get(programme)
  if (known) return known
  const kinds = rt.templates
    .programme(programme)
    .groupKinds.flatMap(kind => kind.members)
    .flatMap(rule => (rule.from === 'sending-units' ? (rule.unitKinds ?? []) : []))
  const rows = await unitsOfKinds(rt.db, programme, kinds)
  const universities = new Map(rows.map(row => [universityKey(row.name), row]))
  cache.universities.set(programme, universities)
  return universities
}

/** A university as both the roster and the tree of units may write it: 中国地质大学(武汉), 中国地质大学（武汉）校项目办. */
export function universityKey(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/\s+/g, '')
    .replace(/(?:西部计划)?(?:校项目办(?:公室)?|项目办(?:公室)?|校?团委)$/, '')
}

async function loadGroupCounts(
  rt: DomainRuntime,
  units: readonly UnitRow[],
): Promise<Map<number, Map<string, number>>> {
  const counts = new Map<number, Map<string, number>>()
  for (const programme of programmesOf(rt, units))
    for (const duty of programme.duties) {
      const kind = groupDuties[duty.id]
      if (!kind) continue
      const bound = units.filter(
        unit => unit.programme === programme.id && (duty.unitKinds ?? []).includes(unit.kind),
      )
      const found = await countGroupsUnder(
        rt.db,
        bound.map(unit => unit.id),
        kind,
      )
      for (const unit of bound) counts.set(unit.id, new Map([[kind, found.get(unit.id) ?? 0]]))
    }
  return counts
}

/** Of those who are to follow an account that is required, the ones who do; null where there is no such account. */
async function loadFollowers(
  rt: DomainRuntime,
  units: readonly UnitRow[],
  scopes: ReadonlyMap<number, Scope>,
  cache: FactsCache,
): Promise<Set<number> | null> {
  const persons = new Set<number>()
  for (const unit of units)
    for (const account of requiredAccounts(rt.templates.programme(unit.programme)))
      for (const { holder } of followersWanted(
        rt.templates.programme(unit.programme),
        account,
        scopes.get(unit.id) as Scope,
      ))
        persons.add(holder.personId)
  if (persons.size === 0) return null
  cache.hasFollowers ??= await hasFollowers(rt.db)
  return cache.hasFollowers ? followersAmong(rt.db, [...persons]) : null
}

/** The accounts that everybody named is to follow (中少办发〔2017〕4号 二). */
export function requiredAccounts(programme: Programme): ProgrammeAccount[] {
  return programme.accounts.filter(account => account.use === 'follow' && account.obligation === 'required')
}

/**
 * Who of a unit is to follow an account, rule by rule and unit by unit. A unit that nobody runs, such as a school, is
 * answered for by the one above it.
 */
export function followersWanted(
  programme: Programme,
  account: ProgrammeAccount,
  scope: Scope,
): { holder: Holder; max: number | null; min: number }[] {
  const isRun = (unit: ScopeUnit) =>
    programme.roles.some(role => role.manages && role.unitKinds.includes(unit.kind))
  if (!isRun(scope.own)) return []
  const units = [scope.own, ...scope.children.filter(unit => !isRun(unit))]
  return account.followers.flatMap(follower => {
    const roleIds = rolesMeant(programme, follower.role)
    return units.flatMap(unit =>
      scope
        .holdersIn(unit.id)
        .filter(holder => roleIds.has(holder.role))
        .map(holder => ({ holder, max: follower.count?.max ?? null, min: follower.count?.min ?? 1 })),
    )
  })
}

function rulesOf(rt: DomainRuntime, unit: UnitRow) {
  return rt.templates
    .programme(unit.programme)
    .groupKinds.filter(kind => kind.unitKinds.includes(unit.kind))
    .flatMap(kind => kind.members)
}

function isOfficeWithContacts(rt: DomainRuntime, unit: UnitRow): boolean {
  return rt.templates
    .programme(unit.programme)
    .duties.some(duty => duty.id === 'contact-branches' && (duty.unitKinds ?? []).includes(unit.kind))
}

function programmesOf(rt: DomainRuntime, units: readonly UnitRow[]): Programme[] {
  return [...new Set(units.map(unit => unit.programme))].map(id => rt.templates.programme(id))
}

function distinctUnits(units: readonly ScopeUnit[]): ScopeUnit[] {
  return [...new Map(units.map(unit => [unit.id, unit])).values()]
}

function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => number): Map<number, Row[]> {
  const grouped = new Map<number, Row[]>()
  for (const row of rows) {
    const list = grouped.get(keyOf(row))
    if (list) list.push(row)
    else grouped.set(keyOf(row), [row])
  }
  return grouped
}
