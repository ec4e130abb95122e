import { deliveriesToRelay, rerouteDeliveries } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { insertRelayRequest } from './relay-request.ts'

/**
 * A robot was removed, an app chat is gone, a mass task was refused: the owner relays by hand instead.
 * Groups without an owner stay failed and show in the progress.
 */
export async function relayInstead(rt: DomainRuntime, outgoingId: number): Promise<void> {
  const rows = await deliveriesToRelay(rt.db, outgoingId)
  const byOwner = new Map<number, typeof rows>()
  for (const row of rows)
    if (row.ownerId !== null) byOwner.set(row.ownerId, [...(byOwner.get(row.ownerId) ?? []), row])
  for (const [ownerId, groups] of byOwner) {
    const relayId = await insertRelayRequest(rt, groups[0]?.noticeId as number, ownerId)
    await rerouteDeliveries(
      rt.db,
      groups.map(group => group.deliveryId),
      relayId,
      rt.clock.now(),
    )
  }
}
