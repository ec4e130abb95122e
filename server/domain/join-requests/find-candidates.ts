import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { candidatePersons, entriesOfPersons, membershipsOf } from '../../../db/queries/roster.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { entitledPersons } from '../groups/composition.ts'
import { lookupKeys } from './roster-index.ts'
import type { Candidate, Claims } from './types.ts'

/**
 * The roster rows that a request may mean. Every look-up is by equality on an index, so it costs the same against a
 * hundred people and against a million; phones and ID numbers are looked up by their keyed indexes and decrypted only
 * for the rows that came back.
 *
 * In scope is who lives in the group's unit or below, and whoever the composition rules name for the group.
 */
export async function findCandidates(
  rt: DomainRuntime,
  actor: Actor,
  group: GroupWithUnit,
  claims: Claims,
): Promise<Candidate[]> {
  const { index } = rt.vault
  const keys = lookupKeys(claims)
  const entitled = (await entitledPersons(rt, group)).map(person => person.personId)
  const personIds = await candidatePersons(
    rt.db,
    group.programme,
    {
      nameKeys: keys.nameKeys,
      soundKeys: keys.soundKeys,
      phoneIndexes: keys.phones.map(phone => index('phone', phone)),
      idNumberIndexes: keys.idNumbers.map(number => index('id-number', number)),
      idTailIndexes: keys.idTails.map(tail => index('id-tail', tail)),
    },
    { path: group.unitPath, personIds: entitled },
  )
  const rows = await entriesOfPersons(rt.db, group.programme, personIds)
  const memberships = new Map(
    (await membershipsOf(rt.db, group.id, personIds)).map(row => [row.personId, row.address]),
  )
  const open = (sealed: string | null) => (sealed === null ? null : rt.vault.open(sealed))
  return rows.map(({ entry, person, unitPath }) => {
    const address = memberships.get(person.id)
    return {
      id: entry.id,
      personKey: String(person.id),
      name: person.name,
      phone: open(person.phoneSealed),
      idNumber: open(person.idNumberSealed),
      wechat: open(person.wechatSealed),
      category: entry.category ?? '',
      status: entry.status,
      startsOn: entry.startsOn,
      endsOn: entry.endsOn,
      inScope: unitPath.startsWith(group.unitPath) || entitled.includes(person.id),
      membership: !memberships.has(person.id)
        ? 'none'
        : // the group knows a member's WeCom account, the request may come from the same person's Official Account
          address === null || address === actor.address || actor.person?.id === person.id
          ? 'this_account'
          : 'other_account',
    }
  })
}
