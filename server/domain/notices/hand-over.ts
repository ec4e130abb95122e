import { moveDeliveries, noticeById } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { handToOwners } from './fall-back.ts'

/** A notice whose deadline is longer past is not sent to a new owner again. Source: project assumption. */
const STALE_MS = 7 * 86_400_000

/**
 * A group has a new owner: what its old one has not relayed is asked of the new one, with the text. Nobody is chased for
 * a group that they have given away.
 */
export async function handOverDeliveries(
  rt: DomainRuntime,
  group: { id: number; name: string },
  ownerId: number,
): Promise<void> {
  const now = rt.clock.now()
  for (const { id, noticeId } of await moveDeliveries(rt.db, group.id, ownerId)) {
    const notice = await noticeById(rt.db, noticeId)
    if (!notice || notice.deadlineAt.getTime() + STALE_MS < now.getTime()) continue
    await handToOwners(rt, [{ deliveryId: id, noticeId, ownerId }])
  }
}
