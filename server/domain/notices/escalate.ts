import {
  asksOf,
  chasesHad,
  countChases,
  type DueDelivery,
  insertAsks,
  pairKey,
  reachablePersons,
  stopUnsent,
  takeDueDeliveries,
} from '../../../db/queries/cascade.ts'
import { insertOutgoing, noticeById, rerouteDeliveries } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import type { Purpose } from '../outgoing/enqueue.ts'
import { handToOwners } from './fall-back.ts'
import { importanceRule, noticeRules } from './rules.ts'
import { nextWakingMoment } from './timing.ts'
import { type Ask, type Bundle, bundle, unitsAbove, whomToAsk } from './whom-to-ask.ts'

/** Deliveries in one transaction. */
const LIMIT = 1000
/** What the same owner would be asked about within this time is asked with it. */
const TOGETHER_MS = 30 * 60_000

/**
 * Does the steps that are due: has owners relay what no robot, app chat or mass task has brought into their groups, reminds owners who have not relayed, then asks those who answer for the unit and those of
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
  const asks = await asksFor(rt, await handLate(rt, due), notices)
  const pairs = asks.map(({ personId, delivery }) => ({ noticeId: delivery.noticeId, personId }))
  const chases = await chasesHad(rt.db, pairs)
  // everybody may have had the request to relay
  const had = new Map(pairs.map(pair => [pairKey(pair), 1 + (chases.get(pairKey(pair)) ?? 0)]))
  const bundles = bundle(asks, had, noticeRules.maxMessages.value)
  const reminders = bundles.filter(isReminder)
  await tell(rt, reminders, 'reminder', notices)
  await tell(
    rt,
    bundles.filter(each => !isReminder(each)),
    'escalation',
    notices,
  )
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
  return {
    deliveries: due.length,
    reminders: reminders.length,
    escalations: bundles.length - reminders.length,
  }
}

const isReminder = ({ asks }: Bundle): boolean => asks.every(ask => ask.as === 'owner')

type ChasedNotice = NonNullable<Awaited<ReturnType<typeof noticeById>>>

/**
 * Puts the messages on their way, without words: these are written when they go out (`chase-words.ts`), of what is open
 * then. A step that is late, because the server was down, wakes nobody either, unless it is about an urgent notice.
 */
async function tell(
  rt: DomainRuntime,
  bundles: Bundle[],
  purpose: Extract<Purpose, 'reminder' | 'escalation'>,
  notices: ReadonlyMap<number, ChasedNotice>,
): Promise<void> {
  const now = rt.clock.now()
  const leavesAt = ({ asks }: Bundle) =>
    Math.min(
      ...asks.map(({ delivery }) => {
        const rule = importanceRule(notices.get(delivery.noticeId)?.importance ?? 'normal')
        return nextWakingMoment(noticeRules, rule, now).getTime()
      }),
    )
  await insertOutgoing(
    rt.db,
    bundles.map(each => ({
      kind: 'person',
      personId: each.personId,
      purpose,
      chases: each.asks.map(ask => ask.delivery.id),
      textsSealed: '',
      status: 'pending',
      nextAttemptAt: new Date(leavesAt(each)),
      createdAt: now,
    })),
  )
}

/** A robot or an app chat that has not posted by now, or a mass task that could not be made, is not waited for any longer. */
const LATE = '到催办时还没有发出，改由群主转发'

/**
 * Stops what has not gone out into groups and hands it to their owners.
 * @returns what is to be asked about: those whose owner has just got the text are not, the first time
 */
async function handLate(rt: DomainRuntime, due: DueDelivery[]): Promise<DueDelivery[]> {
  const late = due.filter(({ route, status }) => route !== 'relay' && status === 'pending')
  const stopped = await stopUnsent(
    rt.db,
    late.map(delivery => delivery.id),
    LATE,
  )
  if (stopped.length === 0) return due
  const owners = stopped.flatMap(({ ownerId }) => ownerId ?? [])
  const reachable = await reachablePersons(rt.db, [...new Set(owners)])
  const canReach = (ownerId: number | null) => ownerId !== null && reachable.has(ownerId)
  const told = await handToOwners(
    rt,
    stopped.filter(each => canReach(each.ownerId)),
  )
  const untold = stopped.filter(each => !told.has(each.deliveryId)).map(each => each.deliveryId)
  await rerouteDeliveries(rt.db, untold, null, rt.clock.now())
  const handed = new Set(stopped.map(each => each.deliveryId))
  return due.flatMap(delivery => {
    if (!handed.has(delivery.id)) return [delivery]
    if (told.has(delivery.id) && delivery.to === 'owner') return []
    return [{ ...delivery, route: 'relay' as const, status: told.has(delivery.id) ? 'pending' : 'failed' }]
  })
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
      due.flatMap(({ noticeId, unitId, unitPath }) => [
        unitId,
        ...unitsAbove(unitPath, notices.get(noticeId)?.unitPath ?? unitPath),
      ]),
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
