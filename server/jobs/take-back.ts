import { describeError } from '../../db/errors.ts'
import { identitiesOf } from '../../db/queries/identities.ts'
import {
  cancelMessage,
  chatsWithout,
  countAsOut,
  dueTakeBacks,
  noteTakeBack,
  noteTaskStopped,
  type OpenTakeBack,
  putOffTakeBack,
  type TakeBackOutcome,
  withdrawDeliveriesOf,
} from '../../db/queries/notice-changes.ts'
import { ChannelError } from '../channels/errors.ts'
import { followTakeBacks, tellRecalled } from '../domain/notices/follow-take-backs.ts'
import { takeBackStep } from '../domain/notices/recall.ts'
import { noteMassConfirmed } from '../domain/notices/settle.ts'
import { MustWait, returnMassPlaces, takePlace } from '../limits.ts'
import { type DomainRuntime, inTransaction, type Runtime } from '../runtime.ts'

/** Messages that are looked up at once, and taken back side by side. */
const PORTION = 200
const AT_ONCE = 8
/** How soon a message is looked at again that a worker has in its hands. */
const LOOK_AGAIN_MS = 3000
/** After a failure that may pass. */
const BACKOFF_SECONDS = [5, 20, 60, 300, 900, 3600]
/** Then nothing more is tried: whom it has reached is told. */
const MAX_ATTEMPTS = 8

const RECALL = '/cgi-bin/message/recall'
const CANCEL = '/cgi-bin/externalcontact/cancel_groupmsg_send'
const SEND_RESULT = '/cgi-bin/externalcontact/get_groupmsg_send_result'
/** The task is cancelled already. @see https://developer.work.weixin.qq.com/document/path/97611 */
const CANCELLED_BEFORE = 41093

/**
 * Takes back what is out of notices that were withdrawn, stops mass tasks that a correction replaces, and has those told
 * for whom it came too late. Each message is settled in a transaction of its own: what was not is done again, and every
 * call may be made twice.
 * @returns how many messages were looked at and groups told late; 0 when nothing is due
 */
export async function takeBackDue(rt: Runtime, signal?: AbortSignal): Promise<number> {
  let count = 0
  while (!signal?.aborted) {
    const due = await dueTakeBacks(rt.db, rt.clock.now(), PORTION)
    if (due.length === 0) break
    count += due.length
    if (!(await takeBackAll(rt, due, signal))) break
  }
  return count + (await followTakeBacks(rt))
}

/** @returns false when there is no place for more calls now */
async function takeBackAll(rt: Runtime, due: OpenTakeBack[], signal?: AbortSignal): Promise<boolean> {
  const waiting = [...due]
  let hasPlace = true
  const work = async () => {
    for (let next = waiting.shift(); next && hasPlace && !signal?.aborted; next = waiting.shift())
      try {
        await takeBack(rt, next)
      } catch (error) {
        if (!(error instanceof MustWait)) throw error
        hasPlace = false
      }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return hasPlace
}

async function takeBack(rt: Runtime, message: OpenTakeBack): Promise<void> {
  const now = rt.clock.now()
  const step = takeBackStep(message, now)
  try {
    switch (step.do) {
      case 'wait':
        return await putOffTakeBack(rt.db, message, {
          until: new Date(now.getTime() + LOOK_AGAIN_MS),
          isTry: false,
          reason: null,
        })
      case 'cancel':
        return await cancel(rt, message)
      case 'recall':
        return await recall(rt, message, step.messageIds)
      case 'stop_task':
        return await stopTask(rt, message, step.taskId)
      case 'note':
        return await note(rt, message, step.outcome, step.isOut, null)
    }
  } catch (error) {
    if (error instanceof MustWait) throw error
    await settleFailure(rt, message, error)
  }
}

/** A message has come back unsent. Should it leave again this very moment, the next look finds it. */
async function cancel(rt: Runtime, message: OpenTakeBack): Promise<void> {
  await inTransaction(rt, async tx => {
    if (!(await cancelMessage(tx.db, message.outgoingId, '通知已撤回'))) return
    await noteIn(tx, message, 'cancelled', false, null)
  })
}

async function recall(rt: Runtime, message: OpenTakeBack, messageIds: string[]): Promise<void> {
  const wecom = requireWecom(rt)
  for (const messageId of messageIds) {
    await takePlace(rt, { to: 'wecom-api', path: RECALL }, true)
    await wecom.messages.recall(messageId)
  }
  await note(rt, message, 'recalled', false, null)
}

/** Stops a mass task first and reads then who has confirmed it: nobody can any more, so the answer holds. */
async function stopTask(rt: Runtime, message: OpenTakeBack, taskId: string): Promise<void> {
  const wecom = requireWecom(rt)
  await takePlace(rt, { to: 'wecom-api', path: CANCEL }, true)
  try {
    await wecom.mass.cancel(taskId)
  } catch (error) {
    if (!(error instanceof ChannelError && error.platformCode === CANCELLED_BEFORE)) throw error
  }
  const sender = (await identitiesOf(rt.db, message.personId as number)).find(
    account => account.channel === 'wecom',
  )
  await takePlace(rt, { to: 'wecom-api', path: SEND_RESULT }, true)
  const confirmed = sender ? await wecom.readMassTask(taskId, sender.address) : []
  await inTransaction(rt, async tx => {
    const { outgoingId, personId, platformId } = message
    if (confirmed.length > 0) await noteMassConfirmed(tx, { id: outgoingId, personId, platformId }, confirmed)
    const without = await chatsWithout(tx.db, outgoingId)
    const why = message.followKind === 'withdrawal' ? '通知已撤回' : '通知已更正'
    if (without.length > 0) await noteTaskStopped(tx.db, outgoingId, why)
    const isNoted = await noteIn(
      tx,
      message,
      confirmed.length > 0 ? 'confirmed' : 'cancelled',
      confirmed.length > 0,
      null,
    )
    // the groups have not got it, so this month has room for one more
    if (isNoted && without.length > 0) await returnMassPlaces({ ...rt, db: tx.db }, without)
  })
}

/** What may pass is tried again; else whom the message has reached is told. */
async function settleFailure(rt: Runtime, message: OpenTakeBack, error: unknown): Promise<void> {
  const failure = error instanceof ChannelError ? error : null
  if (!failure)
    rt.log.error({ outgoingId: message.outgoingId, ...describeError(error) }, 'a message was not taken back')
  const reason = (failure?.message ?? 'internal error').slice(0, 300)
  const mayPass = failure === null || failure.retryable || failure.mayBeRepaired
  if (!mayPass || message.attempts + 1 >= MAX_ATTEMPTS) return note(rt, message, 'not_possible', true, reason)
  const seconds = BACKOFF_SECONDS[Math.min(message.attempts, BACKOFF_SECONDS.length - 1)] as number
  await putOffTakeBack(rt.db, message, {
    until: new Date(rt.clock.now().getTime() + seconds * 1000),
    isTry: true,
    reason,
  })
}

async function note(
  rt: Runtime,
  message: OpenTakeBack,
  outcome: TakeBackOutcome,
  isOut: boolean,
  reason: string | null,
): Promise<void> {
  await inTransaction(rt, tx => noteIn(tx, message, outcome, isOut, reason))
}

/**
 * Writes down what became of a message and what that means for its deliveries.
 * @param isOut it has reached somebody, who is to get what follows (`followTakeBacks`)
 * @returns false when it was written down before
 */
async function noteIn(
  tx: DomainRuntime,
  message: OpenTakeBack,
  outcome: TakeBackOutcome,
  isOut: boolean,
  reason: string | null,
): Promise<boolean> {
  const now = tx.clock.now()
  const { outgoingId, followKind, status } = message
  if (!(await noteTakeBack(tx.db, message, { outcome, reason, settledAt: isOut ? null : now }))) return false
  if (followKind === 'correction') return true
  // of a task that was stopped those are out who had confirmed it, and they are posted
  if (isOut && outcome !== 'confirmed')
    await countAsOut(tx.db, outgoingId, status === 'unknown' ? 'unknown' : 'sent', now)
  else {
    const open = await withdrawDeliveriesOf(tx.db, outgoingId, now)
    if (outcome === 'recalled' && open > 0) await tellRecalled(tx, message)
  }
  return true
}

function requireWecom(rt: Runtime) {
  if (!rt.channels.wecom) throw new ChannelError('rejected', '没有配置企业微信')
  return rt.channels.wecom
}
