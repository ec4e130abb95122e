import { groupByChat, requestReading, updateGroup } from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'

/** A group's details follow its events by about two seconds, so it is read a little later. */
const LAG_MS = 2000

/**
 * Notes that something changed in a customer group. Events may come late, twice, in the wrong order or never, so they are
 * only the occasion to read the group; a dissolved group is closed at once, for it can no longer be read.
 */
export async function noteGroupEvent(
  rt: DomainRuntime,
  event: { chatId: string; change: string },
): Promise<void> {
  const now = rt.clock.now()
  if (event.change !== 'dismissed')
    return requestReading(rt.db, event.chatId, new Date(now.getTime() + LAG_MS))
  const group = await groupByChat(rt.db, event.chatId)
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
