import { describeError } from '../../../db/errors.ts'
import { deliveryIdsOfOutgoing, setDeliveriesStatus, updateOutgoing } from '../../../db/queries/notices.ts'
import { putOff, splitOff } from '../../../db/queries/outgoing.ts'
import { ChannelError } from '../../channels/errors.ts'
import { chineseMoment } from '../../clock.ts'
import { relayInstead } from '../../domain/notices/fall-back.ts'
import { notePosted } from '../../domain/notices/settle.ts'
import type { MustWait } from '../../limits.ts'
import { inTransaction, type Runtime } from '../../runtime.ts'
import type { Message, Sent } from './message.ts'

const MAX_ATTEMPTS = 8
const BACKOFF_SECONDS = [5, 20, 60, 300, 900, 1800, 3600]

/** Kinds whose call can neither be repeated without harm nor asked about afterwards. */
export const unrepeatable: ReadonlySet<string> = new Set(['robot', 'appchat', 'mass'])

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
  if ((failure === null || failure.isUncertain) && unrepeatable.has(message.kind))
    return markUnknown(rt, message, why)
  // members bind their accounts in their own time: an app's group is tried until it can be made
  const isPatient = message.kind === 'create_appchat' && failure?.reason === 'throttled'
  if ((failure === null || failure.retryable) && (isPatient || message.attempts < MAX_ATTEMPTS)) {
    const seconds = BACKOFF_SECONDS[Math.min(message.attempts, BACKOFF_SECONDS.length) - 1] ?? 5
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

/** Whether it went out cannot be told: a person has a look. */
export function markUnknown(rt: Runtime, message: Message, why: string): Promise<void> {
  return inTransaction(rt, async tx => {
    await updateOutgoing(tx.db, message.id, { status: 'unknown', error: why })
    await setDeliveriesStatus(tx.db, message.id, 'unknown', rt.clock.now())
  })
}
