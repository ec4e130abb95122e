import { type GroupWithUnit, membersOf } from '../../../db/queries/groups.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { nameKey } from '../names/name-key.ts'
import { type EntitledPerson, entitledPersons } from './composition.ts'

/** 成员核对: who should be in a group, against who is. */
export interface Reconciliation {
  /** Entitled, not in the group. */
  missing: EntitledPerson[]
  /** In the group, not entitled; `personId` is null for an account that nobody could be named for. */
  extra: { personId: number | null; name: string }[]
  /** Entitled and in the group. */
  present: number
  /** Where what is known of the members comes from. */
  basis: 'platform' | 'pasted' | 'known'
}

/** Compares the members that are known with those entitled. */
export async function reconcileGroup(rt: DomainRuntime, group: GroupWithUnit): Promise<Reconciliation> {
  const entitled = await entitledPersons(rt, group)
  const members = await membersOf(rt.db, group.id)
  const inGroup = new Set(members.map(member => member.personId))
  const allowed = new Set(entitled.map(person => person.personId))
  return {
    missing: entitled.filter(person => !person.isOptional && !inGroup.has(person.personId)),
    extra: members
      .filter(member => member.personId === null || !allowed.has(member.personId))
      .filter(member => member.personId === null || member.personId !== group.ownerId)
      .map(member => ({ personId: member.personId, name: member.name ?? member.nickname ?? '（未知账号）' })),
    present: entitled.filter(person => inGroup.has(person.personId)).length,
    basis: group.platform === 'customer' ? 'platform' : 'known',
  }
}

/**
 * Compares names that the owner pasted (接龙) with those entitled. Of two people of one name both are taken as present
 * when the name stands twice. The owner is in the group, whoever may be entitled.
 */
export async function reconcilePasted(
  rt: DomainRuntime,
  group: GroupWithUnit,
  pasted: string,
): Promise<Reconciliation> {
  const entitled = await entitledPersons(rt, group)
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
  const missing: EntitledPerson[] = []
  let present = 0
  for (const person of entitled) {
    if (take(person.name)) present++
    else if (!person.isOptional) missing.push(person)
  }
  if (group.ownerName && !entitled.some(person => person.personId === group.ownerId)) take(group.ownerName)
  return {
    missing,
    extra: entries
      .filter(each => !each.isTaken)
      .map(each => ({ personId: null, name: shortest(each.words) })),
    present,
    basis: 'pasted',
  }
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
