import { batched } from '../../../db/batch.ts'
import { describeError } from '../../../db/errors.ts'
import {
  deliveriesOfMessages,
  deliveryIdsOfOutgoing,
  recordOut,
  setDeliveriesStatus,
  updateOutgoing,
  withdrawDeliveries,
} from '../../../db/queries/notices.ts'
import { giveUpClaim, putOff, putOffNotice, splitOff } from '../../../db/queries/outgoing.ts'
import { ChannelError } from '../../channels/errors.ts'
import { chineseMoment } from '../../clock.ts'
import { followFailedPost } from '../../domain/coach/not-out.ts'
import { relayInstead } from '../../domain/notices/fall-back.ts'
import { notePosted } from '../../domain/notices/settle.ts'
import { unrepeatable } from '../../domain/outgoing/kinds.ts'
import { followFailedTelling } from '../../domain/slips/group-failed.ts'
import type { MustWait } from '../../limits.ts'
import { type DomainRuntime, inTransaction, type Runtime } from '../../runtime.ts'
import { type Message, NotYet, type Sent, TakenBack } from './message.ts'

const BACKOFF_SECONDS = [5, 20, 60, 300, 900, 1800, 3600]
/** While an operator sees to what is missing. */
const REPAIR_SECONDS = [600, 3600]
/** After so many attempts owners relay a group post; what has no other way is tried for a day in any case. */
const MIN_ATTEMPTS = 8
const PATIENCE_MS = 24 * 3600_000

/** Writes down that a message is out: with others that have just gone out, where nothing more is to be done about it. */
export async function recordSent(rt: Runtime, message: Message, sent: Sent): Promise<void> {
  if (sent.isSummons || (sent.unreached ?? []).length > 0) return recordOne(rt, message, sent)
  try {
    await recorderOf(rt)({ message, platformId: sent.platformId })
  } catch {
    // whatever is wrong with one of them, the others are not to suffer
    await recordOne(rt, message, sent)
  }
}

interface GoneOut {
  message: Message
  platformId: string
}

const recorders = new WeakMap<Runtime['channels'], (gone: GoneOut) => Promise<null>>()

/** The one of this process: what goes out at the same time is written down in one transaction. */
function recorderOf(rt: Runtime): (gone: GoneOut) => Promise<null> {
  const recorder =
    recorders.get(rt.channels) ??
    batched(async (all: GoneOut[]) => {
      // what is no more than one statement needs no transaction
      if (all.some(({ message }) => isPost(message))) await inTransaction(rt, tx => recordTogether(tx, all))
      else await recordTogether(rt, all)
      return all.map(() => null)
    })
  recorders.set(rt.channels, recorder)
  return recorder
}

const isPost = ({ kind }: Message) => kind === 'robot' || kind === 'appchat'

async function recordTogether(rt: DomainRuntime, all: GoneOut[]): Promise<void> {
  const now = rt.clock.now()
  await recordOut(
    rt.db,
    all.map(({ message, platformId }) => ({
      id: message.id,
      platformId,
      recallIds: message.recallIds ?? null,
      isPost: isPost(message),
    })),
    now,
  )
  const posts = all.filter(({ message }) => isPost(message))
  if (posts.length === 0) return
  const deliveries = await deliveriesOfMessages(
    rt.db,
    posts.map(({ message }) => message.id),
  )
  // robots give no number, so theirs are noted together
  const alike = Map.groupBy(posts, ({ message, platformId }) => `${message.kind} ${platformId}`)
  for (const same of alike.values()) {
    const [{ message, platformId }] = same as [GoneOut]
    await notePosted(
      rt,
      same.flatMap(each => deliveries.get(each.message.id) ?? []),
      { kind: 'posted', personId: null, details: { channel: message.kind, platformId }, at: now },
    )
  }
}

function recordOne(rt: Runtime, message: Message, sent: Sent): Promise<void> {
  const { platformId, isSummons, unreached = [] } = sent
  return inTransaction(rt, async tx => {
    const now = rt.clock.now()
    const status = isSummons ? 'waiting' : 'sent'
    const { recallIds } = message
    await updateOutgoing(tx.db, message.id, { status, sentAt: now, platformId, recallIds, error: null })
    if (unreached.length > 0)
      await relayInstead(
        tx,
        await splitOff(tx.db, message, unreached, '本月的群发次数已用完，或群收不到群发'),
      )
    if (isPost(message))
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
  if (error instanceof TakenBack) return takeBack(rt, message, error)
  if (error instanceof NotYet) return putOffTillMorning(rt, message, error)
  const failure = error instanceof ChannelError ? error : null
  if (!failure)
    rt.log.error({ outgoingId: message.id, ...describeError(error) }, 'a message could not be sent')
  const why = (failure?.message ?? 'internal error').slice(0, 300)
  const now = rt.clock.now()
  const mayBeThere = message.isCalling && (failure === null || failure.isUncertain)
  if (mayBeThere && message.kind === 'mass') return giveUpClaim(rt.db, message.id, why)
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
    await followFailedTelling(tx, message.id)
    await followFailedPost(tx, message.id)
  })
}

/** Nothing of it goes out any more; nobody is asked after a group of a notice that was withdrawn. */
function takeBack(rt: Runtime, message: Message, { why }: TakenBack): Promise<void> {
  const words = why === 'withdrawn' ? '通知已撤回' : '要传达的群都已经有了'
  return inTransaction(rt, async tx => {
    await updateOutgoing(tx.db, message.id, { status: 'cancelled', claimedAt: null, error: words })
    if (why === 'withdrawn') await withdrawDeliveries(tx.db, message.id, rt.clock.now())
  })
}

/** In the quiet hours a notice that keeps them does not go out, and what else is due of it waits too. */
async function putOffTillMorning(rt: Runtime, message: Message, { until }: NotYet): Promise<void> {
  const why = `安静时间，${chineseMoment(until)}后发`
  await putOff(rt.db, message.id, until, why)
  if (message.noticeId !== null) await putOffNotice(rt.db, message.noticeId, until, why)
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
    await followFailedTelling(tx, message.id)
    await followFailedPost(tx, message.id)
  })
}
