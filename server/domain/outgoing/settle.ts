import { deliveryDetails, deliveryIdsOfOutgoing } from '../../../db/queries/notices.ts'
import {
  type OutgoingInView,
  restoreDeliveries,
  retryFailed,
  retryNow,
  settleOutgoing,
} from '../../../db/queries/outgoing.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { relayInstead } from '../notices/fall-back.ts'
import { notePosted } from '../notices/settle.ts'
import { unrepeatable } from './kinds.ts'

/** How old a message that failed may be to be worth sending. */
const FAILED_WITHIN_MS = 3 * 86_400_000

/** What an administrator can decide about a message. */
export type OutgoingDeed = 'send_again' | 'mark_sent' | 'give_up'

type Standing = Pick<OutgoingInView, 'id' | 'kind' | 'status' | 'createdAt' | 'expiresAt' | 'hasContent'>

/**
 * What can be decided about a message without harm. A group post that failed is with its owner already, who relays it; one
 * of unknown fate is only sent again when somebody has looked into the group.
 */
export function deedsFor(message: Standing, now: Date): OutgoingDeed[] {
  const { kind, status, createdAt, expiresAt, hasContent } = message
  const isWorthIt = hasContent && (expiresAt === null || expiresAt > now)
  const sendAgain: OutgoingDeed[] = isWorthIt ? ['send_again'] : []
  switch (status) {
    case 'retrying':
      return [...sendAgain, 'give_up']
    case 'pending':
    case 'waiting':
      return ['give_up']
    case 'unknown':
      return [...sendAgain, 'mark_sent', 'give_up']
    case 'failed': {
      const isYoung = now.getTime() - createdAt.getTime() < FAILED_WITHIN_MS
      return isYoung && (kind === 'person' || kind === 'join_pass') ? sendAgain : []
    }
    default:
      return []
  }
}

/**
 * Sends a message again, now.
 * @param input.hasNotArrived somebody has looked into the group; without it a post of unknown fate is not sent again
 * @throws DomainError `outgoing.settled`, `outgoing.look_first`, `outgoing.posted`
 */
export function sendAgain(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { message: Standing; hasNotArrived: boolean },
): Promise<void> {
  return decide(rt, actor, 'send_again', input.message, async (tx, now) => {
    const { id, status } = input.message
    if (status === 'unknown') {
      if (!input.hasNotArrived)
        throw new DomainError('outgoing.look_first', '请先到群里看一眼，确认没有收到，再勾选“确认没有收到”。')
      const details = await deliveryDetails(tx.db, await deliveryIdsOfOutgoing(tx.db, id))
      if (details.length > 0 && details.every(delivery => delivery.status === 'posted'))
        throw new DomainError('outgoing.posted', '群主已经登记过这条通知发到了群里，不用再发。')
    }
    const again = { status: 'pending', attempts: 0, nextAttemptAt: now, claimedAt: null, error: null }
    const set = status === 'retrying' ? { nextAttemptAt: now } : again
    if (!(await settleOutgoing(tx.db, id, status, set))) return false
    await restoreDeliveries(tx.db, id, 'pending', now)
    return true
  })
}

/** Somebody has seen that a post of unknown fate is in its group. @throws DomainError `outgoing.settled` */
export function markSent(rt: DomainRuntime, actor: KnownActor, message: Standing): Promise<void> {
  return decide(rt, actor, 'mark_sent', message, async (tx, now) => {
    const { id, kind, status } = message
    if (!(await settleOutgoing(tx.db, id, status, { status: 'sent', sentAt: now, error: null }))) return false
    // a mass task is in its groups once the owner has confirmed it
    if (kind === 'mass') await restoreDeliveries(tx.db, id, 'sent', now)
    else
      await notePosted(tx, await deliveryIdsOfOutgoing(tx.db, id), {
        kind: 'posted',
        personId: actor.person.id,
        details: { channel: kind, saidBy: 'administrator' },
        at: now,
      })
    return true
  })
}

/** It is not sent any more; posts into groups go to their owners for relaying. @throws DomainError `outgoing.settled` */
export function giveUp(rt: DomainRuntime, actor: KnownActor, message: Standing): Promise<void> {
  return decide(rt, actor, 'give_up', message, async (tx, now) => {
    const { id, kind, status } = message
    if (!(await settleOutgoing(tx.db, id, status, { status: 'failed', error: '系统管理员决定不再发送' })))
      return false
    await restoreDeliveries(tx.db, id, 'failed', now)
    if (unrepeatable.has(kind)) await relayInstead(tx, id)
    return true
  })
}

const actions: Record<OutgoingDeed, string> = {
  send_again: 'message.retried',
  mark_sent: 'message.marked_sent',
  give_up: 'message.given_up',
}

function decide(
  rt: DomainRuntime,
  actor: KnownActor,
  deed: OutgoingDeed,
  message: Standing,
  work: (tx: DomainRuntime, now: Date) => Promise<boolean>,
): Promise<void> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    // what the page showed may be over: another has decided, or it has gone out meanwhile
    if (!deedsFor(message, now).includes(deed) || !(await work(tx, now)))
      throw new DomainError('outgoing.settled', '这条消息的状态已经变了，请刷新后再看。')
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: actions[deed],
      subjectKind: 'outgoing_message',
      subjectId: message.id,
      details: { was: message.status },
    })
  })
}

/**
 * After a platform's settings have been mended: what is tried again later is tried now, and what has failed and can be sent
 * to persons without harm is put back.
 * @param actor null: whoever may run command lines on the server
 */
export function retryMessages(
  rt: DomainRuntime,
  actor: KnownActor | null,
): Promise<{ hastened: number; putBack: number }> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const hastened = await retryNow(tx.db, now)
    const putBack = await retryFailed(tx.db, new Date(now.getTime() - FAILED_WITHIN_MS), now)
    await appendAudit(tx.db, {
      at: now,
      actorId: actor?.person.id ?? null,
      action: 'messages.retried',
      subjectKind: 'outgoing_message',
      subjectId: null,
      details: { hastened, putBack },
    })
    return { hastened, putBack }
  })
}
