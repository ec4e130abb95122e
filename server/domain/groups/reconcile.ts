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
 * when the name stands twice.
 */
export async function reconcilePasted(
  rt: DomainRuntime,
  group: GroupWithUnit,
  pasted: string,
): Promise<Reconciliation> {
  const entitled = await entitledPersons(rt, group)
  const names = pastedNames(pasted)
  const unused = names.map(name => ({ name, key: nameKey(name), taken: false }))
  const missing: EntitledPerson[] = []
  for (const person of entitled) {
    const key = nameKey(person.name)
    const match = unused.find(each => !each.taken && (each.key === key || each.key.endsWith(key)))
    if (match) match.taken = true
    else if (!person.isOptional) missing.push(person)
  }
  return {
    missing,
    extra: unused.filter(each => !each.taken).map(each => ({ personId: null, name: each.name })),
    present: entitled.length - missing.length,
    basis: 'pasted',
  }
}

/** The names of a 接龙: one a line, with or without a number in front and remarks behind. */
export function pastedNames(pasted: string): string[] {
  return pasted
    .split(/[\n、,，;；]/)
    .map(line =>
      line
        .replace(/^\s*[#＃]?接龙.*$/, '')
        .replace(/^\s*[(（]?\d+[)）.、．\s]*/, '')
        .trim(),
    )
    .map(line => line.split(/[\s(（+＋\-—－|]/)[0] ?? '')
    .filter(name => /^[\p{Script=Han}·•・.\u4dae]{2,15}$/u.test(name))
}
