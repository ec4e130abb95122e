import { personsInGroups } from '../../../db/queries/composition.ts'
import { type GroupWithUnit, groupsOfUnit, membersOf } from '../../../db/queries/groups.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { nameKey } from '../names/name-key.ts'
import { applyList } from './apply-list.ts'
import { isReadByPlatform } from './check-composition.ts'
import { compositionOfGroup, type EntitledPerson, entitledPersons, nameEntitled } from './composition.ts'

/** 成员核对: who should be in a group, against who is. */
export interface Reconciliation {
  /** Entitled, and in none of the unit's groups of this kind. */
  missing: EntitledPerson[]
  /** Entitled, and in another group of the unit of the same kind: several hold the members together. */
  elsewhere: (EntitledPerson & { groupName: string })[]
  /** In the group, not entitled; `personId` is null for an account that nobody could be named for. */
  extra: { personId: number | null; name: string }[]
  /** Entitled and in the group. */
  present: number
  /** Where what is known of the members comes from; `known`: nobody has read them, only who was let in is known. */
  basis: 'platform' | 'pasted' | 'roll_call' | 'known'
}

/** Compares the members that are known with those entitled. The owner is in their group, whether or not they are seen. */
export async function reconcileGroup(rt: DomainRuntime, group: GroupWithUnit): Promise<Reconciliation> {
  const [{ entitled, isUnitDecided }, members, unit, others] = await Promise.all([
    compositionOfGroup(rt, group),
    membersOf(rt.db, group.id),
    unitById(rt.db, group.unitId),
    inOtherGroups(rt, group),
  ])
  const persons = await nameEntitled(rt, group.programme, [...entitled.values()])
  const inGroup = new Set([group.ownerId, ...members.map(member => member.personId)])
  const mayBe = (personId: number) =>
    isUnitDecided || entitled.has(personId) || personId === group.ownerId || personId === unit?.managerId
  return {
    ...absent(
      persons.filter(person => !person.isOptional && !inGroup.has(person.personId)),
      others,
    ),
    extra: members
      .filter(member => member.personId === null || !mayBe(member.personId))
      .map(member => ({ personId: member.personId, name: member.name ?? member.nickname ?? '（未知账号）' })),
    present: persons.filter(person => inGroup.has(person.personId)).length,
    basis: basisOf(group),
  }
}

/** Who is in the other groups of this kind that the unit has, and in which; as the nightly check counts them. */
async function inOtherGroups(rt: DomainRuntime, group: GroupWithUnit): Promise<Map<number, string>> {
  const others = (await groupsOfUnit(rt.db, group.unitId)).filter(
    other => other.kind === group.kind && other.id !== group.id,
  )
  const persons = await personsInGroups(
    rt.db,
    others.map(other => other.id),
  )
  return new Map(
    others.flatMap(other =>
      [...(persons.get(other.id) ?? []), ...(other.ownerId === null ? [] : [other.ownerId])].map(
        personId => [personId, other.name] as const,
      ),
    ),
  )
}

function absent(
  persons: readonly EntitledPerson[],
  others: ReadonlyMap<number, string>,
): Pick<Reconciliation, 'missing' | 'elsewhere'> {
  return {
    missing: persons.filter(person => !others.has(person.personId)),
    elsewhere: persons.flatMap(person => {
      const groupName = others.get(person.personId)
      return groupName === undefined ? [] : { ...person, groupName }
    }),
  }
}

function basisOf(group: GroupWithUnit): Reconciliation['basis'] {
  if (isReadByPlatform(group)) return 'platform'
  return group.membersReadBy === 'pasted' || group.membersReadBy === 'roll_call'
    ? group.membersReadBy
    : 'known'
}

/**
 * Takes a list that the owner pasted (接龙) as the reading of a group that no program can read, and compares it. A group
 * whose members the platform tells is only compared.
 * @throws DomainError `group.list` when no name is in it
 */
export async function readPasted(
  rt: DomainRuntime,
  actor: KnownActor,
  group: GroupWithUnit,
  pasted: string,
): Promise<Reconciliation> {
  const [entitled, members, others] = await Promise.all([
    entitledPersons(rt, group),
    membersOf(rt.db, group.id),
    inOtherGroups(rt, group),
  ])
  const match = matchPasted(pasted, entitled, members, group)
  if (match.persons.length + match.strangers.length === 0)
    throw new DomainError(
      'group.list',
      '没有认出名字。一行写一个人，像“1. 单位-姓名”，群里的接龙整段粘贴即可。',
    )
  if (!isReadByPlatform(group))
    await applyList(
      rt,
      group.id,
      {
        by: 'pasted',
        persons: match.persons.map(personId => ({ personId, knownBy: 'nickname' })),
        strangers: match.strangers,
        unheard: new Set(),
      },
      actor.person.id,
    )
  const present = new Set(match.persons)
  const allowed = new Set(entitled.map(person => person.personId))
  return {
    ...absent(
      entitled.filter(person => !person.isOptional && !present.has(person.personId)),
      others,
    ),
    extra: [
      ...members
        .filter(({ personId }) => personId !== null && present.has(personId))
        .filter(({ personId }) => !allowed.has(personId as number) && personId !== group.ownerId)
        .map(member => ({ personId: member.personId, name: member.name ?? '' })),
      ...match.strangers.map(name => ({ personId: null, name })),
    ],
    present: entitled.filter(person => present.has(person.personId)).length,
    basis: 'pasted',
  }
}

/** Whom the names of a pasted list fit, and the names that fit nobody. */
export interface PastedMatch {
  persons: number[]
  strangers: string[]
}

/**
 * Fits the names of a list to those entitled, then to others who are known to be in the group. Of two people of one name
 * both are taken as present when the name stands twice; when it stands once, the one who is known to be there is. The owner
 * is in the group, whoever may be entitled.
 */
export function matchPasted(
  pasted: string,
  entitled: readonly { personId: number; name: string }[],
  members: readonly { personId: number | null; name: string | null }[],
  owner: { ownerId: number | null; ownerName: string | null },
): PastedMatch {
  const entries = pastedEntries(pasted).map(words => ({
    words,
    keys: words.map(nameKey),
    isTaken: false,
  }))
  const take = (name: string): boolean => {
    const key = nameKey(name)
    const free = entries.filter(each => !each.isTaken)
    const match =
      free.find(each => each.keys.includes(key)) ??
      free.find(each => each.keys.some(own => own.endsWith(key)))
    if (match) match.isTaken = true
    return match !== undefined
  }
  const known = new Set(members.map(member => member.personId))
  const candidates = new Map<number, string>()
  for (const person of [
    ...entitled.filter(each => known.has(each.personId)),
    ...entitled,
    ...members.flatMap(({ personId, name }) =>
      personId === null || name === null ? [] : [{ personId, name }],
    ),
    ...(owner.ownerId === null || owner.ownerName === null
      ? []
      : [{ personId: owner.ownerId, name: owner.ownerName }]),
  ])
    if (!candidates.has(person.personId)) candidates.set(person.personId, person.name)
  const persons = [...candidates].filter(([, name]) => take(name)).map(([personId]) => personId)
  if (owner.ownerId !== null && entries.length > 0 && !persons.includes(owner.ownerId))
    persons.push(owner.ownerId)
  return { persons, strangers: entries.filter(each => !each.isTaken).map(each => shortest(each.words)) }
}

/** Of 榆阳区第一团支部-张思雨 the part that is likely the name. */
function shortest(words: string[]): string {
  return words.toSorted((a, b) => a.length - b.length)[0] as string
}

/**
 * The lines of a 接龙 as the words that may be a name: with or without a number in front, the unit before the name as
 * the group nicknames have it (单位-姓名), and remarks behind. Where lines are numbered the others are its heading.
 */
export function pastedEntries(pasted: string): string[][] {
  const lines = pasted.split(/\n/).map(line => line.trim())
  const isNumbered = (line: string) => /^[(（]?\d+\s*[)）.、．\s]/.test(line)
  const used = lines.some(isNumbered) ? lines.filter(isNumbered) : lines
  return used
    .filter(line => !/^[#＃]?\s*接龙/.test(line))
    .map(line => line.replace(/^[(（]?\d+\s*[)）.、．\s]+/, ''))
    .flatMap(line => line.split(/[、,，;；]/))
    .map(entry =>
      entry
        .replace(/[(（][^)）]*[)）]?/g, ' ')
        .split(/[\s+＋\-—－_|/：:]+/)
        .filter(word => /^[\p{Script=Han}·•・.\u4dae]{2,15}$/u.test(word)),
    )
    .filter(words => words.length > 0)
}
