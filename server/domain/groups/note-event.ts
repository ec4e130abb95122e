import { cancelReading, isReadingDue } from '../../../db/queries/events.ts'
import {
  deleteUnclaimedChat,
  type GroupWithUnit,
  groupByChat,
  requestReading,
  updateGroup,
} from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { GroupEvent } from '../events/types.ts'

/** A group's details follow its events by about two seconds; the event's own time is cut to a whole second. */
const LAG_MS = 3000

/**
 * Notes that something changed in a customer group. Events may come late, twice, in the wrong order or never, so they are
 * only the occasion to read the group, when its details have followed; a dissolved group is closed at once, for it can no
 * longer be read.
 *
 * Where the event names versions of the member list, they are held against the one that was read last: the same version
 * is old news, and one that follows on another than ours means that an event was lost. Either way the reading decides.
 * @see https://developer.work.weixin.qq.com/document/path/92130
 */
export async function noteGroupEvent(rt: DomainRuntime, event: GroupEvent): Promise<void> {
  const now = rt.clock.now()
  const group = await groupByChat(rt.db, event.chatId)
  if (event.change === 'dismissed') return closeGroup(rt, event.chatId, group, now)
  if (group?.dissolvedAt && group.dissolvedAt >= event.at) return
  if (group && isOldNews(group, event)) return
  if (group && (await hasMissed(rt, group, event)))
    rt.log.info({ chatId: event.chatId }, 'an event of a group was lost: the group is read again')
  // an event that comes late need not wait for the details again
  const happenedAt = Math.min(event.at.getTime(), now.getTime())
  await requestReading(rt.db, event.chatId, new Date(Math.max(now.getTime(), happenedAt + LAG_MS)))
}

/** Only comings and goings change the version: a new owner or name leaves it as it is, and must be read all the same. */
function isOldNews(group: GroupWithUnit, event: GroupEvent): boolean {
  const isOfMembers = event.change === 'joined' || event.change === 'left'
  return isOfMembers && event.version !== '' && event.version === group.memberVersion
}

/** While a reading is due the stored version is known to be behind: then a gap means nothing. */
async function hasMissed(rt: DomainRuntime, group: GroupWithUnit, event: GroupEvent): Promise<boolean> {
  if (event.lastVersion === '' || group.memberVersion === null) return false
  if (event.lastVersion === group.memberVersion) return false
  return !(await isReadingDue(rt.db, event.chatId))
}

async function closeGroup(
  rt: DomainRuntime,
  chatId: string,
  group: GroupWithUnit | null,
  now: Date,
): Promise<void> {
  await cancelReading(rt.db, chatId)
  // nobody is asked to claim a group that is no more
  await deleteUnclaimedChat(rt.db, chatId)
  if (!group || group.dissolvedAt) return
  await updateGroup(rt.db, group.id, { dissolvedAt: now })
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'group.dissolved',
    subjectKind: 'group',
    subjectId: group.id,
    details: { by: 'platform' },
  })
}
