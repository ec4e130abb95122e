import {
  groupById,
  insertMembers,
  type MemberRow,
  membersOf,
  type NewMember,
  updateGroup,
  updateMember,
} from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { compositionOfGroup } from './composition.ts'
import { isWeak, type KnownBy } from './identify.ts'
import { reconcileUnit } from './reconcile-units.ts'

/** The members of a group that no program can read, as somebody gave them. */
export interface MemberList {
  by: 'pasted' | 'roll_call'
  persons: readonly { personId: number; knownBy: KnownBy }[]
  /** Names in the group that fit nobody; a roll call has none. */
  strangers: readonly string[]
  /** Persons of whom the list says nothing, because they could not get on it: they stay as they are. */
  unheard: ReadonlySet<number>
}

/**
 * Takes a list as the reading of a group that no program can read (群主粘贴的接龙, 签到): whoever is on it is in the group,
 * whoever is not is in it no more, and what the reconcile found is opened and closed by it.
 * @param actorId who gave the list; null: its time was over
 * @returns how many findings it opened and closed
 */
export async function applyList(
  rt: DomainRuntime,
  groupId: number,
  list: MemberList,
  actorId: number | null,
): Promise<{ opened: number; closed: number }> {
  const group = await groupById(rt.db, groupId)
  if (!group || group.dissolvedAt) return { opened: 0, closed: 0 }
  const now = rt.clock.now()
  const listed = new Map(list.persons.map(each => [each.personId, each.knownBy]))
  const names = new Set(list.strangers)
  const [known, { entitled }] = await Promise.all([membersOf(rt.db, groupId), compositionOfGroup(rt, group)])
  for (const row of known) {
    const seenBy = row.personId === null ? undefined : listed.get(row.personId)
    if (row.personId !== null && seenBy !== undefined) {
      // an approved person has signed in; what was known better stays, and a name that anybody can write is no better
      if (row.knownBy === 'join_request' && !isWeak(seenBy))
        await updateMember(rt.db, row.id, { knownBy: seenBy })
      listed.delete(row.personId)
    } else if (row.personId === null && row.address === null && names.delete(row.nickname ?? '')) continue
    else if (list.by === 'pasted' || wasMissed(row, list, entitled))
      await updateMember(rt.db, row.id, { leftAt: now })
  }
  const fresh: NewMember[] = [
    ...[...listed].map(([personId, knownBy]) => ({ personId, knownBy, nickname: null })),
    ...[...names].map(nickname => ({ personId: null, knownBy: null, nickname })),
  ].map(each => ({ groupId, address: null, joinedAt: now, ...each }))
  await insertMembers(rt.db, fresh)
  const size = list.persons.length + list.strangers.length
  await updateGroup(rt.db, groupId, {
    membersReadAt: now,
    membersReadBy: list.by,
    ...(list.by === 'pasted' && size > 0 ? { size } : {}),
  })
  await appendAudit(rt.db, {
    at: now,
    actorId,
    action: 'group.members_listed',
    subjectKind: 'group',
    subjectId: groupId,
    details: { by: list.by, persons: list.persons.length, strangers: list.strangers.length },
  })
  return reconcileUnit(rt, group.unitId)
}

/**
 * Whether a roll call without them says that somebody has gone. Who does not belong there will not answer it, whoever could
 * not answer has not been asked, and what a platform has seen is not undone by a link that nobody tapped.
 */
function wasMissed(
  { personId, address, knownBy }: MemberRow,
  { unheard }: MemberList,
  entitled: ReadonlyMap<number, unknown>,
): boolean {
  if (personId === null || !entitled.has(personId) || unheard.has(personId)) return false
  return address === null && knownBy !== 'join_pass' && knownBy !== 'unionid'
}
