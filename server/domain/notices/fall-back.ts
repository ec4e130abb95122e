import { deliveriesToRelay, noticeById, rerouteDeliveries } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { requestRelay } from './relay-request.ts'

/** A delivery that goes to its group's owner. */
interface ToRelay {
  deliveryId: number
  noticeId: number
  ownerId: number | null
}

/**
 * A robot was removed, an app chat is gone, a mass task was refused: the owner relays by hand instead.
 * Groups without an owner stay failed and show in the progress.
 */
export async function relayInstead(rt: DomainRuntime, outgoingId: number): Promise<void> {
  await handToOwners(rt, await deliveriesToRelay(rt.db, outgoingId))
}

/**
 * Hands deliveries to the owners of their groups, each of whom gets one request for all of a notice. An owner who has had
 * enough messages about it gets no more; their groups are theirs to relay nevertheless. What was withdrawn stays as it is.
 * @returns the deliveries of which an owner is told
 */
export async function handToOwners(rt: DomainRuntime, deliveries: readonly ToRelay[]): Promise<Set<number>> {
  const told = new Set<number>()
  for (const [noticeId, ofNotice] of Map.groupBy(deliveries, each => each.noticeId)) {
    const notice = await noticeById(rt.db, noticeId)
    if (!notice || notice.withdrawnAt !== null) continue
    for (const [ownerId, theirs] of Map.groupBy(ofNotice, each => each.ownerId)) {
      if (ownerId === null) continue
      const relayId = await requestRelay(rt, notice, ownerId)
      const ids = theirs.map(each => each.deliveryId)
      await rerouteDeliveries(rt.db, ids, relayId, rt.clock.now())
      if (relayId !== null) for (const id of ids) told.add(id)
    }
  }
  return told
}
