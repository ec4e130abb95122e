import type { GroupKind, Programme } from '../../templates.ts'
import { type Composition, compositionOf, rolesMeant, type Scope } from './entitlement.ts'
import { followersWanted, type GroupFacts, groupDuties, requiredAccounts, type UnitFacts } from './facts.ts'
import { type Finding, type FindingDetails, type FindingKind, READING_MAX_AGE_DAYS } from './findings.ts'

/**
 * Holds a unit and its groups against the composition rules of its programme: plain facts in, findings out, no clock and
 * no database. The rules are those of `templates/programmes/`; each finding carries the source of the rule that it broke.
 */
export function checkUnit(programme: Programme, facts: UnitFacts, now: Date): Finding[] {
  const findings = [...checkUnitItself(programme, facts)]
  for (const kind of programme.groupKinds.filter(each => each.unitKinds.includes(facts.unit.kind)))
    findings.push(...checkKind(programme, kind, facts, now))
  return findings
}

/** All groups of one kind that a unit has; where it has several (a full group and the next) they hold the members together. */
function checkKind(programme: Programme, kind: GroupKind, facts: UnitFacts, now: Date): Finding[] {
  const groups = facts.groups.filter(group => group.row.kind === kind.id)
  const composition = compositionOf(
    programme,
    kind,
    facts.scope,
    kindsMergedInto(
      programme,
      kind,
      facts.groups.map(group => group.row),
    ),
  )
  const findings: Finding[] = []
  if (groups.length === 0) {
    if (isWanting(programme, kind, facts, composition))
      findings.push(
        found('group_missing', kind.source, {
          unitId: facts.unit.id,
          about: kind.id,
          details: { called: kind.name },
        }),
      )
    return findings
  }
  for (const group of groups) {
    findings.push(...checkOwner(programme, kind, facts, group), ...checkName(kind, group))
    if (kind.admission === 'audited') findings.push(...checkExtra(kind, facts, group, composition))
    if (kind.admission === 'audited' && !composition.isUnitDecided)
      findings.push(...checkReading(kind, group, now))
  }
  const missing = kind.admission === 'audited' ? findMissing(groups, composition) : []
  findings.push(
    ...missing,
    ...checkQuotas(groups, composition),
    ...checkCapacity(kind, groups, composition, missing),
  )
  return findings
}

/** The kinds that may live in a group of this kind, where the unit has no group of theirs (`mayMergeWith`). */
export function kindsMergedInto(
  programme: Programme,
  kind: GroupKind,
  groups: readonly { kind: string }[],
): GroupKind[] {
  return programme.groupKinds.filter(
    other => other.mayMergeWith === kind.id && !groups.some(group => group.kind === other.id),
  )
}

/** Whether a unit without a group of this kind should have one: it is required, and somebody belongs in it. */
function isWanting(
  programme: Programme,
  kind: GroupKind,
  { unit, groups }: UnitFacts,
  composition: Composition,
): boolean {
  if (kind.obligation !== 'required') return false
  if (groups.some(group => group.row.kind === kind.mayMergeWith)) return false
  // how many there are to be is a duty of its own
  if (isCountedByDuty(programme, kind.id, unit.kind)) return false
  if (kind.admission === 'self-registration') return true
  const special = kind.members.find(rule => rule.categories)
  const belongs = [...composition.entitled.values()].filter(each => !each.isOptional)
  // a county without 研究生支教团 members needs no group for them
  return special?.role === undefined
    ? belongs.length > 0
    : belongs.some(each => rolesMeant(programme, special.role as string).has(each.role))
}

function isCountedByDuty(programme: Programme, kindId: string, unitKind: string): boolean {
  return programme.duties.some(
    duty => groupDuties[duty.id] === kindId && (duty.unitKinds ?? []).includes(unitKind),
  )
}

function checkOwner(programme: Programme, kind: GroupKind, facts: UnitFacts, group: GroupFacts): Finding[] {
  const { id: groupId, ownerId } = group.row
  const { owner } = kind
  if (ownerId === null) return [found('owner_missing', owner.source, { groupId })]
  const roleIds = rolesMeant(programme, owner.role)
  if (facts.scope.holdersIn(facts.unit.id).some(each => each.personId === ownerId && roleIds.has(each.role)))
    return []
  if (!group.isOwnerStanding) return [found('owner_left', owner.source, { groupId, personId: ownerId })]
  // where no notice says who the owner is, the 专人 of the unit may be
  if (owner.source === 'project assumption' && facts.unit.managerId === ownerId) return []
  return [found('owner_wrong', owner.source, { groupId, personId: ownerId, details: { role: owner.role } })]
}

function checkName({ naming }: GroupKind, { row }: GroupFacts): Finding[] {
  if (!naming || new RegExp(naming.pattern, 'u').test(row.name)) return []
  return [
    found('name_rule', naming.source, {
      groupId: row.id,
      details: { called: row.name, wanted: naming.example },
    }),
  ]
}

/** Who is there and does not belong: by the rules, nor as the owner, nor as the unit's 专人. */
function checkExtra(
  kind: GroupKind,
  facts: UnitFacts,
  group: GroupFacts,
  composition: Composition,
): Finding[] {
  const { id: groupId, ownerId } = group.row
  const strangers = group.strangers.map(({ address, nickname }) =>
    found('identify_member', kind.source, {
      groupId,
      address,
      about: address === null ? (nickname ?? '') : '',
      details: { called: nickname ?? '' },
    }),
  )
  if (composition.isUnitDecided) return strangers
  const extra = group.persons
    .filter(personId => !composition.entitled.has(personId))
    .filter(personId => personId !== ownerId && personId !== facts.unit.managerId)
  return [...strangers, ...extra.map(personId => found('remove_member', kind.source, { groupId, personId }))]
}

/** Whether a platform tells who is in the group; elsewhere somebody must paste a list or hold a roll call. */
export function isReadByPlatform(group: { platform: string; chatId: string | null }): boolean {
  return group.platform === 'customer' && group.chatId !== null
}

function checkReading(kind: GroupKind, { row }: GroupFacts, now: Date): Finding[] {
  if (isReadByPlatform(row)) return []
  const days = row.membersReadAt ? Math.floor((now.getTime() - row.membersReadAt.getTime()) / 86_400_000) : 0
  if (row.membersReadAt && days <= READING_MAX_AGE_DAYS) return []
  return [found('members_unread', kind.source, { groupId: row.id, details: { found: days } })]
}

/**
 * Who belongs in the groups of a kind and is in none of them. Said only where every member list has been read at least
 * once: what nobody has read cannot be missing.
 */
function findMissing(groups: readonly GroupFacts[], composition: Composition): Finding[] {
  const roomiest = [...groups].sort((a, b) => roomOf(b) - roomOf(a) || a.row.id - b.row.id)[0]
  if (!roomiest || groups.some(group => group.row.membersReadAt === null)) return []
  const present = presentIn(groups)
  return [...composition.entitled.values()]
    .filter(each => !each.isOptional && !each.isOneOfMany && !present.has(each.personId))
    .map(each =>
      found(each.isContact ? 'contact_absent' : 'invite_member', each.source, {
        groupId: roomiest.row.id,
        personId: each.personId,
        details: { unitId: each.unitId, role: each.role },
      }),
    )
}

function roomOf({ row }: GroupFacts): number {
  return row.capacity - row.size
}

function presentIn(groups: readonly GroupFacts[]): Set<number> {
  // the owner is in their group, whether or not their account is known
  return new Set(
    groups.flatMap(group => [...group.persons, ...(group.row.ownerId === null ? [] : [group.row.ownerId])]),
  )
}

/** Units that have more persons of a counted role than may come: so many of them must be there, and no more. */
function checkQuotas(groups: readonly GroupFacts[], { quotas }: Composition): Finding[] {
  const [first] = groups
  if (!first || quotas.length === 0 || groups.some(group => group.row.membersReadAt === null)) return []
  const present = presentIn(groups)
  return quotas.flatMap(({ unitId, role, min, max, persons, source }) => {
    const inGroup = persons.filter(personId => present.has(personId)).length
    if (inGroup >= min && inGroup <= max) return []
    return found(inGroup > max ? 'too_many_in_group' : 'too_few_in_group', source, {
      groupId: first.row.id,
      unitId,
      about: role,
      details: { found: inGroup, wanted: countWords(min, max), role },
    })
  })
}

function checkCapacity(
  kind: GroupKind,
  groups: readonly GroupFacts[],
  { entitled }: Composition,
  missing: readonly Finding[],
): Finding[] {
  const findings = groups.flatMap(({ row, persons, strangers }) => {
    const size = Math.max(row.size, persons.length + strangers.length)
    if (size > row.capacity)
      return [overCapacity(kind, row.id, { found: size, wanted: String(row.capacity) })]
    const waiting = missing.filter(each => each.groupId === row.id).length
    return size === row.capacity && waiting > 0
      ? [overCapacity(kind, row.id, { found: waiting, wanted: String(row.capacity), isFull: true })]
      : []
  })
  const [first] = groups
  const wanted = [...entitled.values()].filter(each => !each.isOptional && !each.isOneOfMany).length
  const capacity = groups.reduce((sum, group) => sum + group.row.capacity, 0)
  if (first && findings.length === 0 && wanted > capacity)
    findings.push(overCapacity(kind, first.row.id, { found: wanted, wanted: String(capacity) }))
  return findings
}

function overCapacity(kind: GroupKind, groupId: number, details: FindingDetails): Finding {
  return found('over_capacity', kind.source, { groupId, details })
}

// the unit itself

function* checkUnitItself(programme: Programme, facts: UnitFacts): Generator<Finding> {
  const { unit, scope } = facts
  const duty = (id: string) =>
    programme.duties.find(each => each.id === id && (each.unitKinds ?? []).includes(unit.kind))
  const own = scope.holdersIn(unit.id)

  const manager = duty('matrix-managers')
  if (manager && !facts.isManagerStanding && !own.some(each => each.role === 'matrix-manager'))
    yield found('manager_missing', manager.source, { unitId: unit.id })

  const size = duty('branch-size')
  const members = new Set(
    own
      .filter(each =>
        programme.roles.some(role => role.id === each.role && role.unitKinds.includes(unit.kind)),
      )
      .map(each => each.personId),
  ).size
  if (size && members > Number(size.value))
    yield found('branch_too_big', size.source, {
      unitId: unit.id,
      details: { found: members, wanted: String(size.value) },
    })

  const contact = duty('contact-branches')
  if (contact) {
    const contactRoles = new Set(
      programme.groupKinds
        .flatMap(kind => kind.members)
        .flatMap(rule =>
          rule.from === 'contacts' && rule.role ? [...rolesMeant(programme, rule.role)] : [],
        ),
    )
    const officers = new Set(own.filter(each => contactRoles.has(each.role)).map(each => each.personId))
    for (const personId of officers)
      if (!facts.hasBranch(personId))
        yield found('contact_missing', contact.source, { unitId: unit.id, personId })
  }

  yield* checkHolders(programme, unit, scope)
  yield* checkGroupCounts(programme, facts)
  yield* checkFollowers(programme, facts)
}

interface HoldersRule {
  unitKinds: readonly string[]
  role: string
  min: number
  words: string
  note: string
  source: string
  /** The unit must have one of these below it, for the rule to mean it. */
  above: readonly string[] | null
}

const holdersRules = new WeakMap<Programme, HoldersRule[]>()

/**
 * How many of a role each unit must have on the roster, from the composition rules of the required groups: the one who is
 * missing there is missing on the roster already, and is asked for once, however many groups want them.
 */
function holdersRulesOf(programme: Programme): HoldersRule[] {
  const known = holdersRules.get(programme)
  if (known) return known
  const rules = programme.groupKinds
    .filter(kind => kind.obligation === 'required')
    .flatMap(kind =>
      kind.members.flatMap((rule): HoldersRule[] => {
        const min = rule.count?.min ?? rule.atLeast
        if (min === undefined || !rule.role) return []
        const { role } = rule
        const named = programme.roles.find(each => each.id === role)
        const held = (kinds: readonly string[]) =>
          kinds.filter(id => (rule.unitKinds ?? kinds).includes(id) && named?.unitKinds.includes(id))
        const below = programme.unitKinds
          .filter(unitKind => unitKind.parents.some(parent => kind.unitKinds.includes(parent)))
          .map(unitKind => unitKind.id)
        const above = programme.unitKinds
          .filter(unitKind => kind.unitKinds.includes(unitKind.id))
          .flatMap(unitKind => unitKind.parents)
        const unitKinds =
          rule.from === 'own-unit'
            ? held(kind.unitKinds)
            : rule.from === 'child-units'
              ? held(below)
              : rule.from === 'parent-unit'
                ? held(above)
                : rule.from === 'sending-units'
                  ? held(rule.unitKinds ?? [])
                  : []
        const words = rule.count ? `应有${countWords(rule.count.min, rule.count.max)}` : `至少应有${min}人`
        return [
          {
            unitKinds,
            role,
            min,
            words,
            note: rule.note ?? '',
            source: rule.source,
            above: rule.from === 'parent-unit' ? kind.unitKinds : null,
          },
        ]
      }),
    )
  holdersRules.set(programme, rules)
  return rules
}

function* checkHolders(programme: Programme, unit: UnitFacts['unit'], scope: Scope): Generator<Finding> {
  const asked = new Set<string>()
  for (const rule of holdersRulesOf(programme)) {
    if (!rule.unitKinds.includes(unit.kind) || asked.has(rule.role)) continue
    const { above } = rule
    if (above && !scope.children.some(child => above.includes(child.kind))) continue
    const roleIds = rolesMeant(programme, rule.role)
    const held = new Set(
      scope
        .holdersIn(unit.id)
        .filter(each => roleIds.has(each.role))
        .map(each => each.personId),
    ).size
    if (held >= rule.min) continue
    asked.add(rule.role)
    yield found('too_few_holders', rule.source, {
      unitId: unit.id,
      about: rule.role,
      details: { found: held, wanted: rule.words, note: rule.note, role: rule.role },
    })
  }
}

function* checkGroupCounts(programme: Programme, { unit, groupsUnder }: UnitFacts): Generator<Finding> {
  for (const duty of programme.duties) {
    const kindId = groupDuties[duty.id]
    const count = kindId === undefined ? undefined : groupsUnder.get(kindId)
    if (kindId === undefined || count === undefined || !(duty.unitKinds ?? []).includes(unit.kind)) continue
    if (count < Number(duty.value))
      yield found('too_few_groups', duty.source, {
        unitId: unit.id,
        about: kindId,
        details: {
          found: count,
          wanted: String(duty.value),
          called: programme.groupKinds.find(kind => kind.id === kindId)?.name ?? '',
        },
      })
  }
}

function* checkFollowers(programme: Programme, { unit, scope, follows }: UnitFacts): Generator<Finding> {
  if (!follows) return
  for (const account of requiredAccounts(programme)) {
    const { wanted, following } = coverageOf(programme, account, scope, follows)
    if (following < wanted)
      yield found('followers_missing', account.source, {
        unitId: unit.id,
        about: account.id,
        details: { found: following, wanted: String(wanted), called: account.name },
      })
  }
}

/** Of those who are to follow an account, how many do; of a counted role as many as a school must have. */
export function coverageOf(
  programme: Programme,
  account: Programme['accounts'][number],
  scope: Scope,
  follows: (personId: number) => boolean,
): { wanted: number; following: number } {
  const counted = new Map<string, { persons: Set<number>; max: number; min: number }>()
  const single = new Set<number>()
  for (const { holder, max, min } of followersWanted(programme, account, scope)) {
    if (max === null) single.add(holder.personId)
    else {
      const key = `${holder.unitId} ${holder.role}`
      const entry = counted.get(key) ?? { persons: new Set<number>(), max, min }
      entry.persons.add(holder.personId)
      counted.set(key, entry)
    }
  }
  let wanted = single.size
  let following = [...single].filter(follows).length
  for (const { persons, max, min } of counted.values()) {
    const others = [...persons].filter(personId => !single.has(personId))
    const needed = others.length > max ? min : others.length
    wanted += needed
    following += Math.min(needed, others.filter(follows).length)
  }
  return { wanted, following }
}

function countWords(min: number, max: number): string {
  return min === max ? `${min}人` : `${min}—${max}人`
}

function found(kind: FindingKind, source: string, rest: Partial<Omit<Finding, 'kind' | 'source'>>): Finding {
  return {
    kind,
    groupId: null,
    unitId: null,
    personId: null,
    address: null,
    about: '',
    details: {},
    ...rest,
    source,
  }
}
