import { chatsOfMembers, groupsOfOwners, requestReading } from '../../../db/queries/groups.ts'
import { releaseUnvouched } from '../../../db/queries/identities.ts'
import { endRoles, type RoleKey, startRoles } from '../../../db/queries/persons.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { managersFor, standingOwner } from '../groups/managers.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'

/** Roles that follow from what a roster says now. */
export interface RoleMoves {
  held: RoleKey[]
  lost: RoleKey[]
  /** Persons who have come into an office. */
  officers: number[]
}

export function roleKeyOf(entry: { personId: number; unitId: number; role: string }): string {
  return `${entry.personId} ${entry.unitId} ${entry.role}`
}

/**
 * Rights follow the roster at once (三.3 人员变动及时更新): roles end and begin, groups that have lost their owner ask for
 * another, and the groups that somebody is in are read again, which makes a task of who does not belong there now.
 */
export async function followRoster(rt: DomainRuntime, { held, lost, officers }: RoleMoves): Promise<void> {
  const now = rt.clock.now()
  await endRoles(rt.db, lost, now)
  await startRoles(rt.db, held, now)
  const left = [...new Set(lost.map(each => each.personId))]
  await askForNewOwners(rt, left)
  for (const chatId of await chatsOfMembers(rt.db, left)) await requestReading(rt.db, chatId, now)
  // an office needs an account that is bound by a code; one that a join request was believed for lets go
  await releaseUnvouched(rt.db, officers)
}

/** Those who run a unit are told which of its groups have lost their owner: nobody else would relay a notice there. */
async function askForNewOwners(rt: DomainRuntime, left: number[]): Promise<void> {
  for (const group of await groupsOfOwners(rt.db, left)) {
    if ((await standingOwner(rt, group)) !== null) continue
    for (const manager of await managersFor(rt, group))
      await sendToPerson(
        rt,
        manager,
        'task',
        `【群主离岗】“${group.name}”（群号 ${group.id}）的群主${group.ownerName ?? ''}已不在名册上，请定一位新群主并回复：换群主 ${group.id} 姓名`,
      )
  }
}
