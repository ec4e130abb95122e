import { cancelSettled } from '../../../db/queries/cascade.ts'
import { settleOriginals } from '../../../db/queries/notice-changes.ts'
import {
  deliveryDetails,
  deliveryIdsOfOutgoing,
  insertNoticeRecords,
  insertReceipt,
  insertReceipts,
  noticeById,
  type OpenDelivery,
  openDeliveriesOf,
  settlePosted,
} from '../../../db/queries/notices.ts'
import { dayOf, monthOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesGroup } from '../actor.ts'
import { beginNextLevels } from './by-level.ts'
import { isWithdrawn } from './changing.ts'

/** What proves that a notice is in a group. */
export interface Proof {
  kind: 'posted' | 'relayed'
  personId: number | null
  details: Record<string, unknown>
  at: Date
}

/**
 * Notes that deliveries are in their groups: the receipt, and the message record with the notice's category.
 * Said twice it counts once.
 * @returns how many were new
 */
export async function notePosted(rt: DomainRuntime, deliveryIds: number[], proof: Proof): Promise<number> {
  const records = []
  const posted = []
  const receipts = []
  const details = await deliveryDetails(rt.db, deliveryIds)
  const fresh = await settlePosted(rt.db, deliveryIds, rt.clock.now())
  for (const delivery of details) {
    if (!fresh.has(delivery.id)) continue
    receipts.push({
      deliveryId: delivery.id,
      kind: proof.kind,
      personId: proof.personId,
      proof: proof.details,
      at: proof.at,
    })
    posted.push(delivery)
    records.push({
      groupId: delivery.groupId,
      unitId: delivery.unitId,
      month: monthOf(proof.at),
      recordedOn: dayOf(proof.at),
      category: delivery.category,
      count: 1,
      source: 'notice',
      decidedBy: 'person',
      excerpt: [...delivery.body].slice(0, 40).join(''),
      deliveryId: delivery.id,
      createdAt: rt.clock.now(),
    })
  }
  await insertReceipts(rt.db, receipts)
  await insertNoticeRecords(rt.db, records)
  await beginNextLevels(rt, posted)
  // somebody was quicker than the robot
  if (proof.kind === 'relayed') await cancelSettled(rt.db, deliveryIds)
  // a correction holds the whole text: where it is, nobody has to bring the original any more
  await settleOriginals(
    rt.db,
    records.map(record => record.deliveryId),
    proof.personId,
    { at: proof.at, now: rt.clock.now() },
  )
  return records.length
}

/** Notes what the platform says of a mass task: the groups in which its owner has confirmed it. */
export async function noteMassConfirmed(
  rt: DomainRuntime,
  outgoing: { id: number; personId: number | null; platformId: string | null },
  confirmed: { chatId: string; sentAt: Date }[],
): Promise<number> {
  const details = await deliveryDetails(rt.db, await deliveryIdsOfOutgoing(rt.db, outgoing.id))
  let count = 0
  for (const { chatId, sentAt } of confirmed) {
    const ids = details
      .filter(delivery => delivery.chatId === chatId && delivery.status !== 'posted')
      .map(delivery => delivery.id)
    count += await notePosted(rt, ids, {
      kind: 'relayed',
      personId: outgoing.personId,
      details: { massTask: outgoing.platformId },
      at: sentAt,
    })
  }
  return count
}

export interface Settled {
  noticeId: number
  groupNames: string[]
  /** What this owner still has to relay, of any notice. */
  left: number
}

/**
 * Somebody says that they have relayed (转) a notice: to all of their own groups, to some, or to a group that they were
 * asked to see to.
 * @param input.noticeId may be left out when only one notice is open
 * @throws DomainError `notice.nothing_open`, `notice.which`, `notice.which_group`
 */
export async function relayDone(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { noticeId: number | null; groupIds: number[] },
): Promise<Settled> {
  const { noticeId, mine, all } = await choose(rt, actor, input, chosenOf)
  const now = rt.clock.now()
  await notePosted(
    rt,
    mine.map(delivery => delivery.id),
    {
      kind: 'relayed',
      personId: actor.person.id,
      details: { word: '转' },
      at: now,
    },
  )
  return { noticeId, groupNames: mine.map(delivery => delivery.groupName), left: all.length - mine.length }
}

/** An owner says that they have seen (收) a notice; it still has to be relayed. @throws as `relayDone` */
export async function acknowledge(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { noticeId: number | null; groupIds: number[] },
): Promise<Settled> {
  // who has seen it vouches for nothing: one word is for all
  const { noticeId, mine, all } = await choose(rt, actor, input, (open, _notice, groupIds) =>
    open.filter(delivery => groupIds.length === 0 || groupIds.includes(delivery.groupId)),
  )
  for (const delivery of mine)
    await insertReceipt(rt.db, {
      deliveryId: delivery.id,
      kind: 'received',
      personId: actor.person.id,
      proof: { word: '收' },
      at: rt.clock.now(),
    })
  return { noticeId, groupNames: mine.map(delivery => delivery.groupName), left: all.length }
}

async function choose(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { noticeId: number | null; groupIds: number[] },
  pick: typeof chosenOf,
): Promise<{ noticeId: number; mine: OpenDelivery[]; all: OpenDelivery[] }> {
  // an owner who has gone from the roster has no say any more, nor counts their word as proof
  const open = (await openDeliveriesOf(rt.db, actor.person.id)).filter(delivery =>
    managesGroup(rt.templates, actor, { ownerId: actor.person.id, unitPath: delivery.unitPath }),
  )
  // of a notice that was corrected the correction is to be relayed; whoever relayed the original before may say so
  const all = open.filter(delivery => !delivery.isReplaced || delivery.noticeId === input.noticeId)
  const notices = [...new Set(all.map(delivery => delivery.noticeId))]
  const noticeId = input.noticeId ?? notices[0]
  if (noticeId === undefined) throw new DomainError('notice.nothing_open', '您没有等待转发的通知，都办好了。')
  if (input.noticeId === null && notices.length > 1)
    throw new DomainError(
      'notice.which',
      `您有 ${notices.length} 个通知待转（${notices.join('、')}），请写上编号，如：转 ${notices[0]}`,
    )
  const ofNotice = all.filter(delivery => delivery.noticeId === noticeId)
  const mine = pick(ofNotice, noticeId, input.groupIds)
  const withdrawnAt = mine.length > 0 ? null : ((await noticeById(rt.db, noticeId))?.withdrawnAt ?? null)
  if (withdrawnAt !== null) throw isWithdrawn(noticeId, withdrawnAt)
  if (mine.length === 0)
    throw new DomainError(
      'notice.nothing_open',
      `通知 ${noticeId} 没有等您转发的群：可能已经登记过了，或编号不对。`,
    )
  return { noticeId, mine, all }
}

/**
 * The groups that a word is about. Without numbers it is about one's own groups; of another's groups only a single one
 * goes without its number, because nobody vouches for ten groups of others with one character.
 */
function chosenOf(open: OpenDelivery[], noticeId: number, groupIds: number[]): OpenDelivery[] {
  if (groupIds.length > 0) return open.filter(delivery => groupIds.includes(delivery.groupId))
  const own = open.filter(delivery => delivery.isOwn)
  if (own.length > 0 || open.length <= 1) return own.length > 0 ? own : open
  const names = open.slice(0, 5).map(delivery => `${delivery.groupName}（${delivery.groupId}）`)
  throw new DomainError(
    'notice.which_group',
    `请您协助的群有 ${open.length} 个：${names.join('、')}。转好一个登记一个，请写上群号，如：转 ${noticeId} ${open[0]?.groupId}`,
  )
}
