import {
  asksOf,
  chasesHad,
  countChases,
  type DueDelivery,
  insertAsks,
  pairKey,
  reachablePersons,
  takeDueDeliveries,
} from '../../../db/queries/cascade.ts'
import { noticeById } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { type ChasedNotice, chaseText } from './chase-words.ts'
import { noticeRules } from './rules.ts'
import { type Ask, bundle, whomToAsk } from './whom-to-ask.ts'

/** Deliveries in one transaction. */
const LIMIT = 1000
/** What the same owner would be asked about within this time is asked with it. */
const TOGETHER_MS = 30 * 60_000

/**
 * Does the steps that are due: reminds owners who have not relayed, then asks those who answer for the unit and those of
 * the unit above (催办). The step and the messages that come of it are one transaction, so a step that is taken twice asks
 * once. One batch at a time.
 * @returns counts; `deliveries` is 0 when nothing is due
 */
export async function escalateDue(
  rt: DomainRuntime,
): Promise<{ deliveries: number; reminders: number; escalations: number }> {
  const now = rt.clock.now()
  const due = await takeDueDeliveries(rt.db, now, new Date(now.getTime() + TOGETHER_MS), LIMIT)
  const notices = await noticesOf(rt, due)
  const asks = await asksFor(rt, due, notices)
  const pairs = asks.map(({ personId, delivery }) => ({ noticeId: delivery.noticeId, personId }))
  const chases = await chasesHad(rt.db, pairs)
  // everybody may have had the request to relay
  const had = new Map(pairs.map(pair => [pairKey(pair), 1 + (chases.get(pairKey(pair)) ?? 0)]))
  const bundles = bundle(asks, had, noticeRules.maxMessages.value)
  const counts = { deliveries: due.length, reminders: 0, escalations: 0 }
  for (const { personId, asks: theirs } of bundles) {
    const isOwn = theirs.every(ask => ask.as === 'owner')
    if (isOwn) counts.reminders++
    else counts.escalations++
    await sendToPerson(rt, personId, isOwn ? 'reminder' : 'escalation', chaseText(theirs, notices))
  }
  const told = bundles.flatMap(each => each.asks)
  await insertAsks(
    rt.db,
    told
      .filter(ask => ask.as !== 'owner')
      .map(ask => ({ deliveryId: ask.delivery.id, personId: ask.personId, step: ask.as })),
    now,
  )
  const counted = new Map(
    told.map(({ personId, delivery }) => {
      const pair = { noticeId: delivery.noticeId, personId }
      return [pairKey(pair), pair]
    }),
  )
  await countChases(rt.db, [...counted.values()], now)
  return counts
}

async function noticesOf(rt: DomainRuntime, due: DueDelivery[]): Promise<Map<number, ChasedNotice>> {
  const notices = new Map<number, ChasedNotice>()
  for (const id of new Set(due.map(delivery => delivery.noticeId))) {
    const notice = await noticeById(rt.db, id)
    if (notice) notices.set(id, notice)
  }
  return notices
}

async function asksFor(
  rt: DomainRuntime,
  due: DueDelivery[],
  notices: Map<number, ChasedNotice>,
): Promise<Ask[]> {
  const asked = await asksOf(
    rt.db,
    due.map(delivery => delivery.id),
  )
  const answerers = await answerersFor(rt, [
    ...new Set(
      due.flatMap(({ unitId, parentUnitId }) => [unitId, ...(parentUnitId === null ? [] : [parentUnitId])]),
    ),
  ])
  const concerned = [
    ...due.flatMap(delivery => delivery.ownerId ?? []),
    ...[...answerers.values()].flat(),
    ...[...notices.values()].map(notice => notice.authorId),
  ]
  const reachable = await reachablePersons(rt.db, [...new Set(concerned)])
  return due.flatMap(delivery => {
    const notice = notices.get(delivery.noticeId)
    if (!notice) return []
    return whomToAsk(delivery, {
      answerersOf: unitId => answerers.get(unitId) ?? [],
      noticeUnitPath: notice.unitPath,
      authorId: notice.authorId,
      canReach: personId => reachable.has(personId),
      wasAsked: personId => asked.has(`${delivery.id} ${personId}`),
    })
  })
}
