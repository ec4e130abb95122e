import { describeError } from '../../../db/errors.ts'
import { deliveryIdsOfOutgoing, setDeliveriesStatus, updateOutgoing } from '../../../db/queries/notices.ts'
import { putOff, splitOff } from '../../../db/queries/outgoing.ts'
import { ChannelError } from '../../channels/errors.ts'
import { chineseMoment } from '../../clock.ts'
import { relayInstead } from '../../domain/notices/fall-back.ts'
import { notePosted } from '../../domain/notices/settle.ts'
import { unrepeatable } from '../../domain/outgoing/kinds.ts'
import type { MustWait } from '../../limits.ts'
import { inTransaction, type Runtime } from '../../runtime.ts'
import type { Message, Sent } from './message.ts'

const BACKOFF_SECONDS = [5, 20, 60, 300, 900, 1800, 3600]
/** While an operator sees to what is missing. */
const REPAIR_SECONDS = [600, 3600]
/** After so many attempts owners relay a group post; what has no other way is tried for a day in any case. */
const MIN_ATTEMPTS = 8
const PATIENCE_MS = 24 * 3600_000

export function recordSent(rt: Runtime, message: Message, sent: Sent): Promise<void> {
  const { platformId, isSummons, unreached = [] } = sent
  return inTransaction(rt, async tx => {
    const now = rt.clock.now()
    const status = isSummons ? 'waiting' : 'sent'
    await updateOutgoing(tx.db, message.id, { status, sentAt: now, platformId, error: null })
    if (unreached.length > 0)
      await relayInstead(
        tx,
        await splitOff(tx.db, message, unreached, '本月的群发次数已用完，或群收不到群发'),
      )
    if (message.kind === 'robot' || message.kind === 'appchat')
      await notePosted(tx, await deliveryIdsOfOutgoing(tx.db, message.id), {
        kind: 'posted',
        personId: null,
        details: { channel: message.kind, platformId },
        at: now,
      })
    else await setDeliveriesStatus(tx.db, message.id, 'sent', now)
  })
}

/** There was no place for the call: the message goes back and is tried when there is one. */
export function putBack(rt: Runtime, message: Message, { until, isQuota }: MustWait): Promise<void> {
  const { expiresAt } = message
  const why = isQuota ? `今天的额度已用完，${chineseMoment(until)}后接着发` : '发得太密，排队等候'
  // who waits beyond the end is told so at the end, not later
  return putOff(rt.db, message.id, expiresAt !== null && expiresAt < until ? expiresAt : until, why)
}

export async function settleFailure(rt: Runtime, message: Message, error: unknown): Promise<void> {
  const failure = error instanceof ChannelError ? error : null
  if (!failure)
    rt.log.error({ outgoingId: message.id, ...describeError(error) }, 'a message could not be sent')
  const why = (failure?.message ?? 'internal error').slice(0, 300)
  const now = rt.clock.now()
  const mayBeThere = message.isCalling && (failure === null || failure.isUncertain)
  if (mayBeThere && unrepeatable.has(message.kind)) return markUnknown(rt, message, why)
  const seconds = secondsToRetry(message, failure, now)
  if (seconds !== null) {
    await updateOutgoing(rt.db, message.id, {
      status: 'retrying',
      nextAttemptAt: new Date(now.getTime() + seconds * 1000),
      claimedAt: null,
      error: why,
    })
    return
  }
  await inTransaction(rt, async tx => {
    await updateOutgoing(tx.db, message.id, { status: 'failed', error: why })
    await setDeliveriesStatus(tx.db, message.id, 'failed', now)
    if (unrepeatable.has(message.kind)) await relayInstead(tx, message.id)
  })
}

/** How long to wait before it is tried again; null: it is given up. */
function secondsToRetry(message: Message, failure: ChannelError | null, now: Date): number | null {
  const { kind, attempts, createdAt, expiresAt } = message
  const canBeRelayed = unrepeatable.has(kind)
  const isHeld = failure?.mayBeRepaired && !canBeRelayed
  if (failure && !failure.retryable && !isHeld) return null
  // members bind their accounts in their own time: an app's group is tried until it can be made
  const isPatient = kind === 'create_appchat' && failure?.reason === 'throttled'
  // what waited for its turn for days has its attempts nevertheless
  const isYoung = !canBeRelayed && now.getTime() - createdAt.getTime() < PATIENCE_MS
  if (!isPatient && !isYoung && attempts >= MIN_ATTEMPTS) return null
  const steps = isHeld ? REPAIR_SECONDS : BACKOFF_SECONDS
  const seconds = steps[Math.min(attempts, steps.length) - 1] ?? 5
  return expiresAt !== null && now.getTime() + seconds * 1000 >= expiresAt.getTime() ? null : seconds
}

/** Whether it went out cannot be told: a person has a look. */
export function markUnknown(rt: Runtime, message: Message, why: string): Promise<void> {
  return inTransaction(rt, async tx => {
    await updateOutgoing(tx.db, message.id, { status: 'unknown', error: why })
    await setDeliveriesStatus(tx.db, message.id, 'unknown', rt.clock.now())
  })
}
