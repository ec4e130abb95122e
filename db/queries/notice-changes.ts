import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/** How long after it was sent the app can take a message back. @see https://developer.work.weixin.qq.com/document/path/94867 */
export const RECALL_WITHIN_MS = 24 * 3600_000

const at = (moment: Date): SQL => sql`${moment.toISOString()}::timestamptz`
const ids = (list: number[]): SQL => sql`${sql.param(list)}::bigint[]`
const unsent = sql`('pending', 'retrying', 'waiting')`

/** Lets one notice be corrected or withdrawn by one at a time, until the transaction ends. */
export async function lockNotice(db: Db, noticeId: number): Promise<void> {
  await db.execute(sql`select from notices where id = ${noticeId} for update`)
}

/** A correction or the withdrawal of a notice. */
export interface Following {
  id: number
  kind: 'correction' | 'withdrawal'
  body: string
  link: string | null
  authorId: number
  authorName: string
  issuedAt: Date
}

/** What has followed a notice, the oldest first. */
export async function followingOf(db: Db, noticeId: number): Promise<Following[]> {
  const rows = await db.execute<{
    id: string
    kind: Following['kind']
    body: string
    link: string | null
    author_id: string
    author_name: string
    issued_at: string
  }>(sql`
    select n.id, n.kind, n.body, n.link, n.author_id, p.name as author_name, n.issued_at
    from notices n join persons p on p.id = n.author_id where n.about_id = ${noticeId} order by n.id`)
  return [...rows].map(row => ({
    id: Number(row.id),
    kind: row.kind,
    body: row.body,
    link: row.link,
    authorId: Number(row.author_id),
    authorName: row.author_name,
    issuedAt: new Date(row.issued_at),
  }))
}

/** What a correction or withdrawal would find: groups, and messages of the app. */
export interface ChangeOutlook {
  /** In which it is, or may be. */
  posted: number
  /** Whose owners were asked to relay it and have not said that they did. */
  asked: number
  /** Whose owners have a mass message to confirm. */
  unconfirmed: number
  /** To which it has not gone out. */
  unsent: number
  /** Messages of the app that can still be taken back. */
  recallable: number
}

export async function changeOutlook(db: Db, noticeId: number, now: Date): Promise<ChangeOutlook> {
  const since = at(new Date(now.getTime() - RECALL_WITHIN_MS))
  const [row] = await db.execute<{ [Count in keyof ChangeOutlook]: number }>(sql`
    select (count(*) filter (where d.status in ('posted', 'unknown')))::int as posted,
      (count(*) filter (where d.status = 'sent' and d.route <> 'mass'))::int as asked,
      (count(*) filter (where d.status = 'sent' and d.route = 'mass'))::int as unconfirmed,
      (count(*) filter (where d.status in ('pending', 'failed')))::int as unsent,
      (count(distinct o.id) filter (
        where o.recall_ids is not null and coalesce(o.sent_at, o.claimed_at) > ${since}))::int as recallable
    from deliveries d left join outgoing_messages o on o.id = d.outgoing_id
    join groups g on g.id = d.group_id
    where d.notice_id = ${noticeId} and (g.dissolved_at is null or d.status = 'posted')`)
  return row ?? { posted: 0, asked: 0, unconfirmed: 0, unsent: 0, recallable: 0 }
}

/**
 * Holds the messages of a notice that have not gone out until the transaction ends: none of them leaves with the old text
 * while the correction is being written.
 */
export async function holdUnsent(db: Db, noticeId: number): Promise<void> {
  await db.execute(sql`
    select count(*) from (
      select id from outgoing_messages
      where id in (select outgoing_id from deliveries where notice_id = ${noticeId}) and status in ${unsent}
      order by id for update
    ) as held`)
}

/**
 * Takes back what has not gone out of these notices. Of a post into a group that is out in part nobody knows how it looks
 * there: it counts as `unknown`, and an owner who has a part of it that cannot be taken back as asked.
 */
export async function cancelUnsent(db: Db, noticeIds: number[], why: string, now: Date): Promise<void> {
  await db.execute(sql`
    with cancelled as (
      update outgoing_messages set status = 'cancelled', error = ${why}
      where id in (select outgoing_id from deliveries where notice_id = any(${ids(noticeIds)})) and status in ${unsent}
      returning id, kind, sent_count, recall_ids
    )
    update deliveries d set due_at = null, updated_at = ${at(now)},
      status = case when c.sent_count > 0 and c.kind in ('robot', 'appchat') then 'unknown'
        when c.sent_count > 0 and c.recall_ids is null then 'sent' else 'withdrawn' end
    from cancelled c where d.outgoing_id = c.id and d.status <> 'posted'`)
}

/** Messages of these notices that a worker has in its hands. */
export async function messagesInFlight(db: Db, noticeIds: number[]): Promise<number[]> {
  const rows = await db.execute<{ id: string }>(sql`
    select id from outgoing_messages
    where id in (select outgoing_id from deliveries where notice_id = any(${ids(noticeIds)})) and status = 'sending'`)
  return [...rows].map(row => Number(row.id))
}

/**
 * Withdraws the deliveries of these notices that are in no group: what failed, what is on its way, what an owner has still
 * to confirm, and what an owner was asked for by a message of the app that can be taken back. Nobody is chased any more.
 * What comes out otherwise is put right when its message is (`db/schema/take-backs.ts`).
 */
export async function withdrawOpen(db: Db, noticeIds: number[], now: Date): Promise<void> {
  const since = at(new Date(now.getTime() - RECALL_WITHIN_MS))
  await db.execute(sql`
    update deliveries d set due_at = null, updated_at = ${at(now)},
      status = case when d.status in ('pending', 'failed') or d.status = 'sent' and exists (
        select from outgoing_messages o where o.id = d.outgoing_id and (o.kind = 'mass'
          or o.recall_ids is not null and coalesce(o.sent_at, o.claimed_at) > ${since}))
        then 'withdrawn' else d.status end
    where notice_id = any(${ids(noticeIds)}) and status not in ('posted', 'withdrawn')`)
}

/** Marks these notices withdrawn. */
export async function markWithdrawn(db: Db, noticeIds: number[], now: Date): Promise<void> {
  await db.execute(
    sql`update notices set withdrawn_at = ${at(now)} where id = any(${ids(noticeIds)}) and withdrawn_at is null`,
  )
}

/** Nobody is asked any more for these notices about groups that another has deliveries for. */
export async function stopChasing(db: Db, noticeIds: number[], forNoticeId: number): Promise<void> {
  await db.execute(sql`
    update deliveries d set due_at = null
    where d.notice_id = any(${ids(noticeIds)}) and d.due_at is not null and exists (
      select from deliveries f where f.notice_id = ${forNoticeId} and f.group_id = d.group_id)`)
}

/**
 * Lists the messages of these notices that are to be taken back on account of a withdrawal: requests to owners and mass
 * tasks that are out, and what is in flight. What cannot be taken back anyhow is settled at once.
 * @param inFlight as `messagesInFlight` had them before the withdrawal was written
 */
export async function listTakeBacks(
  db: Db,
  noticeIds: number[],
  withdrawalId: number,
  inFlight: number[],
  now: Date,
): Promise<void> {
  const since = at(new Date(now.getTime() - RECALL_WITHIN_MS))
  await db.execute(sql`
    insert into take_backs (outgoing_id, notice_id, outcome, next_attempt_at, settled_at)
    select id, ${withdrawalId}::bigint, outcome, ${at(now)}, case when outcome is not null then ${at(now)} end
    from (
      select o.id, case when o.id = any(${ids(inFlight)}) or o.status = 'sending' or o.kind = 'mass' then null
        when o.recall_ids is null then 'not_possible'
        when coalesce(o.sent_at, o.claimed_at) <= ${since} then 'too_late' end as outcome
      from outgoing_messages o
      where o.id in (select outgoing_id from deliveries where notice_id = any(${ids(noticeIds)}))
        and (o.id = any(${ids(inFlight)}) or o.status = 'sending'
          or o.kind = 'person' and (o.status = 'sent' or o.recall_ids is not null)
          or o.kind = 'mass' and o.status = 'sent' and exists (
            select from deliveries d where d.outgoing_id = o.id and d.status <> 'posted'))
    ) as message
    on conflict do nothing`)
}

/** Lists mass tasks of a notice that no owner has confirmed: the correction brings another in their place. */
export async function listMassTasks(
  db: Db,
  noticeIds: number[],
  correctionId: number,
  now: Date,
): Promise<void> {
  await db.execute(sql`
    insert into take_backs (outgoing_id, notice_id, next_attempt_at)
    select o.id, ${correctionId}::bigint, ${at(now)} from outgoing_messages o
    where o.id in (select outgoing_id from deliveries where notice_id = any(${ids(noticeIds)}) and status = 'sent')
      and o.kind = 'mass' and o.status = 'sent'
    on conflict do nothing`)
}

/** A message that is to be taken back, and how it stands. */
export interface OpenTakeBack {
  outgoingId: number
  /** The correction or withdrawal on whose account. */
  noticeId: number
  /** The notice that it is about. */
  aboutId: number
  followKind: 'correction' | 'withdrawal'
  /** Of what follows. */
  importance: string
  attempts: number
  kind: string
  status: string
  personId: number | null
  platformId: string | null
  recallIds: string[] | null
  /** When it went out, as far as is known. */
  outAt: Date | null
}

/** Messages that are to be taken back now, the longest waiting first. */
export async function dueTakeBacks(db: Db, now: Date, limit: number): Promise<OpenTakeBack[]> {
  const rows = await db.execute<{
    outgoing_id: string
    notice_id: string
    about_id: string
    follow_kind: OpenTakeBack['followKind']
    importance: string
    attempts: number
    kind: string
    status: string
    person_id: string | null
    platform_id: string | null
    recall_ids: string[] | null
    out_at: string | null
  }>(sql`
    select t.outgoing_id, t.notice_id, n.about_id, n.kind as follow_kind, n.importance, t.attempts, o.kind, o.status, o.person_id,
      o.platform_id, o.recall_ids, coalesce(o.sent_at, o.claimed_at) as out_at
    from take_backs t join notices n on n.id = t.notice_id join outgoing_messages o on o.id = t.outgoing_id
    where t.settled_at is null and t.outcome is null and t.next_attempt_at <= ${at(now)}
    order by t.next_attempt_at, t.outgoing_id limit ${limit}`)
  return [...rows].map(row => ({
    outgoingId: Number(row.outgoing_id),
    noticeId: Number(row.notice_id),
    aboutId: Number(row.about_id),
    followKind: row.follow_kind,
    importance: row.importance,
    attempts: row.attempts,
    kind: row.kind,
    status: row.status,
    personId: row.person_id === null ? null : Number(row.person_id),
    platformId: row.platform_id,
    recallIds: row.recall_ids,
    outAt: row.out_at === null ? null : new Date(row.out_at),
  }))
}

/** Tries it again later. */
export async function putOffTakeBack(
  db: Db,
  { outgoingId, noticeId }: Pick<OpenTakeBack, 'outgoingId' | 'noticeId'>,
  set: { until: Date; isTry: boolean; reason: string | null },
): Promise<void> {
  await db.execute(sql`
    update take_backs set next_attempt_at = ${at(set.until)}, attempts = attempts + ${set.isTry ? 1 : 0},
      reason = coalesce(${set.reason}, reason)
    where notice_id = ${noticeId} and outgoing_id = ${outgoingId} and outcome is null`)
}

/** What became of a message that was to be taken back. */
export type TakeBackOutcome =
  | 'recalled'
  | 'cancelled'
  | 'corrected'
  | 'confirmed'
  | 'too_late'
  | 'not_possible'

/**
 * Writes down what became of a message.
 * @param settledAt null: those whom it has reached have still to get what follows it
 * @returns false when it is written down already
 */
export async function noteTakeBack(
  db: Db,
  { outgoingId, noticeId }: Pick<OpenTakeBack, 'outgoingId' | 'noticeId'>,
  set: { outcome: TakeBackOutcome; reason: string | null; settledAt: Date | null },
): Promise<boolean> {
  const rows = await db.execute(sql`
    update take_backs set outcome = ${set.outcome}, reason = ${set.reason},
      settled_at = ${set.settledAt === null ? sql`null` : at(set.settledAt)}
    where notice_id = ${noticeId} and outgoing_id = ${outgoingId} and outcome is null returning 1`)
  return rows.length === 1
}

/** Cancels a message that has come back unsent. false: it has left again meanwhile */
export async function cancelMessage(db: Db, outgoingId: number, why: string): Promise<boolean> {
  const rows = await db.execute(sql`
    update outgoing_messages set status = 'cancelled', error = ${why}
    where id = ${outgoingId} and status in ${unsent} returning 1`)
  return rows.length === 1
}

/** A mass task is stopped: it is asked about no more. */
export async function noteTaskStopped(db: Db, outgoingId: number, why: string): Promise<void> {
  await db.execute(
    sql`update outgoing_messages set status = 'cancelled', error = ${why} where id = ${outgoingId} and status = 'sent'`,
  )
}

/** The deliveries of a message that are in no group are withdrawn. @returns how many of them there are */
export async function withdrawDeliveriesOf(db: Db, outgoingId: number, now: Date): Promise<number> {
  const rows = await db.execute<{ count: number }>(sql`
    with moved as (
      update deliveries set status = 'withdrawn', due_at = null, updated_at = ${at(now)}
      where outgoing_id = ${outgoingId} and status in ('pending', 'sent', 'failed')
    )
    select count(*)::int as count from deliveries where outgoing_id = ${outgoingId} and status <> 'posted'`)
  return rows[0]?.count ?? 0
}

/** A message is out and cannot be taken back: what it carried counts as gone out again. */
export async function countAsOut(
  db: Db,
  outgoingId: number,
  status: 'sent' | 'unknown',
  now: Date,
): Promise<void> {
  await db.execute(sql`
    update deliveries set status = ${status}, due_at = null, updated_at = ${at(now)}
    where outgoing_id = ${outgoingId} and status in ('withdrawn', 'pending')`)
}

/** Chat ids of the groups of a mass task that have not got it. */
export async function chatsWithout(db: Db, outgoingId: number): Promise<string[]> {
  const rows = await db.execute<{ chat_id: string }>(sql`
    select g.chat_id from deliveries d join groups g on g.id = d.group_id
    where d.outgoing_id = ${outgoingId} and d.status <> 'posted' and g.chat_id is not null`)
  return [...rows].map(row => row.chat_id)
}

/** A correction or withdrawal that some whom the original has reached have still to get. */
export interface Unfollowed {
  noticeId: number
  aboutId: number
  unitPath: string
  importance: string
  firstStepAt: Date | null
  /** On account of these messages. */
  outgoingIds: number[]
}

export async function unfollowed(db: Db): Promise<Unfollowed[]> {
  const rows = await db.execute<{
    notice_id: string
    about_id: string
    unit_path: string
    importance: string
    first_step_at: string | null
    outgoing_ids: string[]
  }>(sql`
    select t.notice_id, n.about_id, u.path as unit_path, n.importance, n.steps -> 0 ->> 'at' as first_step_at,
      array_agg(t.outgoing_id) as outgoing_ids
    from take_backs t join notices n on n.id = t.notice_id join units u on u.id = n.unit_id
    where t.settled_at is null and t.outcome is not null
    group by t.notice_id, n.id, u.path order by t.notice_id`)
  return [...rows].map(row => ({
    noticeId: Number(row.notice_id),
    aboutId: Number(row.about_id),
    unitPath: row.unit_path,
    importance: row.importance,
    firstStepAt: row.first_step_at === null ? null : new Date(row.first_step_at),
    outgoingIds: row.outgoing_ids.map(Number),
  }))
}

/** Those whom these messages have reached have what follows. */
export async function settleFollowed(
  db: Db,
  noticeId: number,
  outgoingIds: number[],
  now: Date,
): Promise<void> {
  await db.execute(sql`
    update take_backs set settled_at = ${at(now)}
    where notice_id = ${noticeId} and outgoing_id = any(${ids(outgoingIds)}) and settled_at is null`)
}

/** What became of the messages that were to be taken back on account of a withdrawal; null: still open. */
export async function takeBackFigures(
  db: Db,
  noticeId: number,
): Promise<{ kind: string; outcome: TakeBackOutcome | null; count: number }[]> {
  const rows = await db.execute<{ kind: string; outcome: TakeBackOutcome | null; count: number }>(sql`
    select o.kind, t.outcome, count(*)::int as count
    from take_backs t join outgoing_messages o on o.id = t.outgoing_id
    where t.notice_id = ${noticeId} group by o.kind, t.outcome order by o.kind, t.outcome nulls last`)
  return [...rows]
}

/** How many groups of these notices were spared because nothing had gone out to them, or all was taken back. */
export async function countWithdrawn(db: Db, noticeId: number): Promise<number> {
  const rows = await db.execute<{ count: number }>(
    sql`select count(*)::int as count from deliveries where notice_id = ${noticeId} and status = 'withdrawn'`,
  )
  return rows[0]?.count ?? 0
}

/**
 * Persons who were asked to see to others' groups for these notices that are still without it. Who has groups of their own
 * to bring it into is told for those.
 */
export async function openAskedPersons(db: Db, noticeIds: number[]): Promise<number[]> {
  const rows = await db.execute<{ person_id: string }>(sql`
    select distinct a.person_id from delivery_asks a join deliveries d on d.id = a.delivery_id
    where d.notice_id = any(${ids(noticeIds)}) and d.status not in ('posted')
      and not exists (select from deliveries own where own.notice_id = d.notice_id
        and own.owner_id = a.person_id and own.route in ('relay', 'mass'))
    order by a.person_id`)
  return [...rows].map(row => Number(row.person_id))
}

/**
 * A correction holds the whole text: what has just brought it into groups has brought the original there as well.
 * @param deliveryIds of the correction
 */
export async function settleOriginals(
  db: Db,
  deliveryIds: number[],
  personId: number | null,
  times: { at: Date; now: Date },
): Promise<void> {
  if (deliveryIds.length === 0) return
  await db.execute(sql`
    with settled as (
      update deliveries d set status = 'posted', due_at = null, updated_at = ${at(times.now)}
      from deliveries c join notices n on n.id = c.notice_id
      where c.id = any(${ids(deliveryIds)}) and n.kind = 'correction' and d.group_id = c.group_id
        and d.status <> 'posted' and d.id <> c.id
        and d.notice_id in (select id from notices where id = n.about_id or about_id = n.about_id and kind = 'correction' and id < n.id)
      returning d.id, n.id as correction_id
    )
    insert into receipts (delivery_id, kind, person_id, proof, at)
    select id, 'relayed', ${personId}::bigint, jsonb_build_object('correction', correction_id), ${at(times.at)}
    from settled on conflict do nothing`)
}
