import { and, asc, desc, eq, gt, inArray, isNull, lt, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { PRESENCE_LOCKS } from '../presence.ts'
import {
  deliveries,
  groups,
  identities,
  outgoingMessages,
  persons,
  resultPages,
  TURN,
} from '../schema/index.ts'
import type { OutgoingRow } from './notices.ts'

/** What may use the places that are kept in reserve, and passes by what has been put off. */
export const urgentPurposes = ['reply', 'escalation', 'welcome', 'danger']

/** A message that has been under way for longer no longer holds up those behind it: its process may be dead. */
const UNDER_WAY_MS = 60_000

export type Platform = 'wecom' | 'official-account' | 'aibot'
export const platforms: readonly Platform[] = ['wecom', 'official-account', 'aibot']

/** A message whose turn it is, and the platform that it will most likely go to. */
export interface DueMessage {
  id: number
  kind: string
  channel: Platform
  /** May use the places that are kept in reserve. */
  isUrgent: boolean
}

/** Taken for each one that is asked for: they go to several platforms. */
const LOOKED_AT = 3

/**
 * The messages whose turn it is, at most `limit` for each platform: first what tells of somebody in danger, then who waits
 * at the other end (welcomes, answers), then what somebody's work waits for, then the rest. Among the rest urgent notices come first; then units take turns, and
 * their notices with them, so that a notice to half a million groups does not hold up a small one.
 *
 * What tells of danger waits for nothing but what tells of danger, whatever else is on its way to the same person.
 *
 * What goes to one person (or into one group) keeps its order: a message waits while an earlier one is due, under way, or
 * put off until there is a place for it. What is urgent passes by what is not, once some of that has been put off. Nothing
 * waits for a message that failed and is tried again. The messages of notices only wait for what is under way: who gets
 * two notices may get the second one first.
 *
 * It reads as much of the indexes as it answers with, however many messages are open.
 * @param called the platforms that are called at present
 */
export async function inTurn(
  db: Db,
  now: Date,
  limit: number,
  called: readonly Platform[] = platforms,
): Promise<DueMessage[]> {
  const at = now.toISOString()
  const underWaySince = new Date(now.getTime() - UNDER_WAY_MS).toISOString()
  const urgentOf = (table: 'm' | 'e' | 'placed') =>
    sql`${sql.raw(table)}.purpose in ${urgentPurposes.map(purpose => sql`${purpose}`)}`
  const isOpen = sql`status in ('pending', 'retrying')`
  const isDue = sql`${isOpen} and next_attempt_at <= ${at}`
  const turn = sql.raw(TURN)
  // the index of lanes knows one number of each, so that the rest is compared
  const sameLane = sql`coalesce(e.person_id, e.identity_id, e.group_id) = coalesce(m.person_id, m.identity_id, m.group_id)
    and e.kind = m.kind and e.person_id is not distinct from m.person_id
    and e.identity_id is not distinct from m.identity_id and e.group_id is not distinct from m.group_id`
  const earlier = (what: SQL) => sql`exists (select from outgoing_messages e
    where e.status in ('pending', 'sending') and e.id < m.id and ${sameLane} and ${what})`
  const channel = sql`case when m.kind = 'response' then 'aibot' when m.kind <> 'person' then 'wecom'
    else coalesce(
      (select channel from identities where id = m.identity_id and channel in ('wecom', 'official-account')),
      (select channel from identities where person_id = m.person_id and channel = 'wecom' and is_reachable limit 1),
      'official-account') end`
  const isCalled =
    called.length === platforms.length ? sql`true` : sql`(${channel}) = any(${sql.param(called)}::text[])`
  const rows = await db.execute<{ id: string; kind: string; channel: Platform; is_urgent: boolean }>(sql`
    with recursive under_way as materialized (
      select kind, person_id, identity_id, group_id
      from outgoing_messages where status = 'sending' and claimed_at > ${underWaySince}
    ), open_notice as (
      (select notice_id as id from outgoing_messages where ${isOpen} and notice_id is not null order by notice_id limit 1)
      union all
      select (select notice_id from outgoing_messages where ${isOpen} and notice_id > o.id order by notice_id limit 1)
      from open_notice o where o.id is not null
    ), of_notice as (
      select m.*, n.unit_id, n.importance = 'urgent' as is_first
      from open_notice o join notices n on n.id = o.id
      cross join lateral (
        select m.id, m.kind, m.purpose, m.next_attempt_at, ${channel} as channel
        from outgoing_messages m
        where ${isDue} and m.notice_id = n.id and ${isCalled} and not exists (
          select from under_way e where ${sameLane})
        order by m.next_attempt_at, m.id limit ${limit}
      ) as m
    ), other as (
      select m.id, m.kind, m.purpose, m.next_attempt_at, ${turn} as turn, ${channel} as channel
      from outgoing_messages m
      where ${isDue} and notice_id is null and ${isCalled}
        and (m.purpose = 'danger' and not ${earlier(sql`e.status = 'pending' and e.purpose = 'danger'`)}
          or not ${earlier(sql`(e.status = 'sending' and e.claimed_at > ${underWaySince} or e.status = 'pending' and ${urgentOf('e')})`)}
        and (not ${earlier(sql`e.status = 'pending'`)}
          or ${urgentOf('m')} and ${earlier(sql`e.status = 'pending' and e.next_attempt_at > ${at}`)}))
      order by (${turn}), next_attempt_at, id limit ${limit * LOOKED_AT}
    ), streams as (
      select id, kind, purpose, next_attempt_at, turn, channel, false as is_first, 0::bigint as stream from other
      union all
      select id, kind, purpose, next_attempt_at, 2, channel, is_first, unit_id from of_notice
    ), ordered as (
      select *, row_number() over (partition by turn, not is_first, stream order by next_attempt_at, id) as nth
      from streams
    ), placed as (
      select *, row_number() over (partition by channel order by turn, not is_first, nth, id) as place from ordered
    )
    select id, kind, channel, ${urgentOf('placed')} as is_urgent from placed
    where place <= ${limit} order by turn, not is_first, nth, id`)
  return [...rows].map(row => ({
    id: Number(row.id),
    kind: row.kind,
    channel: row.channel,
    isUrgent: row.is_urgent,
  }))
}

/**
 * Takes these messages for one worker, as far as they are still due; other workers pass over them.
 * @param by the process that has them from now on; null: nobody will know when it has died
 */
export async function claim(
  db: Db,
  ids: number[],
  now: Date,
  by: number | null = null,
): Promise<OutgoingRow[]> {
  if (ids.length === 0) return []
  const due = db
    .select({ id: outgoingMessages.id })
    .from(outgoingMessages)
    .where(
      and(
        sql`${outgoingMessages.id} = any(${sql.param(ids)}::bigint[])`,
        inArray(outgoingMessages.status, ['pending', 'retrying']),
        lte(outgoingMessages.nextAttemptAt, now),
      ),
    )
    .orderBy(asc(outgoingMessages.id))
    .for('update', { skipLocked: true })
  return db
    .update(outgoingMessages)
    .set({
      status: 'sending',
      claimedAt: now,
      claimedBy: by,
      callingSince: null,
      attempts: sql`${outgoingMessages.attempts} + 1`,
    })
    .where(inArray(outgoingMessages.id, due))
    .returning()
}

/** Notes that the calls for these messages begin. @returns those that are still this process's */
export async function noteCalling(db: Db, ids: number[], by: number | null, now: Date): Promise<Set<number>> {
  const rows = await db.execute<{ id: string }>(sql`
    update outgoing_messages set calling_since = ${now.toISOString()}::timestamptz
    where id = any(${sql.param(ids)}::bigint[]) and status = 'sending'
      and claimed_by is not distinct from ${by}::int
    returning id`)
  return new Set([...rows].map(row => Number(row.id)))
}

/** Notes that steps of messages have been taken, so that a retry goes on behind them. */
export async function noteSteps(
  db: Db,
  steps: { id: number; sentCount: number; platformId: string; recallIds: string[] | null }[],
): Promise<void> {
  await db.execute(sql`
    update outgoing_messages m set sent_count = s.sent_count, platform_id = s.platform_id,
      recall_ids = s.recall_ids::jsonb, calling_since = null
    from unnest(${sql.param(steps.map(step => step.id))}::bigint[],
      ${sql.param(steps.map(step => step.sentCount))}::int[],
      ${sql.param(steps.map(step => step.platformId))}::text[],
      ${sql.param(steps.map(step => (step.recallIds ? JSON.stringify(step.recallIds) : null)))}::text[]
    ) as s (id, sent_count, platform_id, recall_ids)
    where m.id = s.id`)
}

/** No process has this number. */
const NOBODY = 0

/** Leaves it to `recoverInFlight` to ask the platform what became of a call that had no answer. */
export async function giveUpClaim(db: Db, id: number, why: string): Promise<void> {
  await db.update(outgoingMessages).set({ claimedBy: NOBODY, error: why }).where(eq(outgoingMessages.id, id))
}

/** A claim whose process has gone. */
export interface LostClaim {
  id: number
  personId: number | null
  /** The process; null: who notes no calls. */
  claimedBy: number | null
}

/** A message that was taken over from a process that has gone. */
export interface LostMessage extends OutgoingRow {
  /** Who it was with; null: who notes no calls. */
  lostBy: number | null
}

/**
 * Messages whose process has gone with them in hand: it shows no more that it lives (`db/presence.ts`), or has said
 * nothing for very long.
 * @param since.unseen claims before this count when their process is not seen: it may just be making its connection again
 * @param since.silent claims before this count in any case
 */
export async function lostOutgoing(db: Db, since: { unseen: Date; silent: Date }): Promise<LostClaim[]> {
  return db
    .select({
      id: outgoingMessages.id,
      personId: outgoingMessages.personId,
      claimedBy: outgoingMessages.claimedBy,
    })
    .from(outgoingMessages)
    .where(
      and(
        eq(outgoingMessages.status, 'sending'),
        or(
          lt(outgoingMessages.claimedAt, since.silent),
          and(
            lt(outgoingMessages.claimedAt, since.unseen),
            sql`${outgoingMessages.claimedBy} not in (select objid::bigint from pg_locks
              where locktype = 'advisory' and classid = ${PRESENCE_LOCKS} and objsubid = 2 and granted
                and database = (select oid from pg_database where datname = current_database()))`,
          ),
        ),
      ),
    )
    .orderBy(asc(outgoingMessages.id))
}

/**
 * Takes lost messages over, as far as no other process has been quicker. One process has each of them until it puts it
 * back, lets it go, or is gone itself.
 * @param by null: nobody will know when it has gone, so that another may take them over at any time
 */
export async function takeOverLost(db: Db, lost: LostClaim[], by: number | null): Promise<LostMessage[]> {
  const lostBy = new Map(lost.map(row => [row.id, row.claimedBy]))
  const rows = await db
    .update(outgoingMessages)
    .set({ claimedBy: by ?? NOBODY })
    .where(
      and(
        eq(outgoingMessages.status, 'sending'),
        sql`(${outgoingMessages.id}, coalesce(${outgoingMessages.claimedBy}, -1)) in (select * from unnest(
          ${sql.param([...lostBy.keys()])}::bigint[], ${sql.param([...lostBy.values()].map(who => who ?? -1))}::int[]))`,
      ),
    )
    .returning()
  return rows
    .map(row => ({ ...row, lostBy: lostBy.get(row.id) ?? null }))
    .sort((one, other) => one.id - other.id)
}

/** Lets go of messages that were taken over and of which nothing could be found out yet. */
export async function letGo(db: Db, ids: number[], by: number | null): Promise<void> {
  await db.update(outgoingMessages).set({ claimedBy: NOBODY }).where(stillWith(ids, by))
}

/**
 * Has messages that were taken over tried again. Asking the platform takes its time: what another process has taken from
 * this one meanwhile is left alone.
 */
export async function retryLost(db: Db, ids: number[], by: number | null, now: Date): Promise<void> {
  await db
    .update(outgoingMessages)
    .set({ status: 'retrying', nextAttemptAt: now, claimedAt: null })
    .where(stillWith(ids, by))
}

/** Puts messages back that were taken over and never tried. */
export async function putBackLost(
  db: Db,
  ids: number[],
  by: number | null,
  now: Date,
  why: string,
): Promise<void> {
  await db
    .update(outgoingMessages)
    .set({
      status: 'pending',
      attempts: sql`${outgoingMessages.attempts} - 1`,
      nextAttemptAt: now,
      claimedAt: null,
      error: why,
    })
    .where(stillWith(ids, by))
}

const stillWith = (ids: number[], by: number | null) =>
  and(
    sql`${outgoingMessages.id} = any(${sql.param(ids)}::bigint[])`,
    eq(outgoingMessages.status, 'sending'),
    eq(outgoingMessages.claimedBy, by ?? NOBODY),
  )

/** Of these persons, those who have another mass task under way than these. */
export async function withOtherMassTask(db: Db, personIds: number[], ids: number[]): Promise<Set<number>> {
  const rows = await db
    .select({ personId: outgoingMessages.personId })
    .from(outgoingMessages)
    .where(
      and(
        eq(outgoingMessages.kind, 'mass'),
        eq(outgoingMessages.status, 'sending'),
        sql`${outgoingMessages.personId} = any(${sql.param(personIds)}::bigint[])`,
        sql`${outgoingMessages.id} <> all(${sql.param(ids)}::bigint[])`,
      ),
    )
  return new Set(rows.map(row => row.personId as number))
}

/** Which of these mass tasks are known to be some message's. */
export async function knownMassTasks(db: Db, taskIds: string[]): Promise<Set<string>> {
  const rows = await db
    .select({ platformId: outgoingMessages.platformId })
    .from(outgoingMessages)
    .where(
      and(
        eq(outgoingMessages.kind, 'mass'),
        eq(outgoingMessages.status, 'sent'),
        sql`${outgoingMessages.platformId} = any(${sql.param(taskIds)}::text[])`,
      ),
    )
  return new Set(rows.map(row => row.platformId as string))
}

/** Has all messages that are tried again later tried now. @returns how many */
export async function retryNow(db: Db, now: Date): Promise<number> {
  const rows = await db
    .update(outgoingMessages)
    .set({ nextAttemptAt: now })
    .where(eq(outgoingMessages.status, 'retrying'))
    .returning({ id: outgoingMessages.id })
  return rows.length
}

/**
 * Puts messages to persons back that were made after `since`, have failed and would still be worth sending.
 * @returns how many
 */
export async function retryFailed(db: Db, since: Date, now: Date): Promise<number> {
  const rows = await db
    .update(outgoingMessages)
    .set({ status: 'pending', attempts: 0, nextAttemptAt: now, claimedAt: null, error: null })
    .where(
      and(
        eq(outgoingMessages.status, 'failed'),
        inArray(outgoingMessages.kind, ['person', 'join_pass']),
        gt(outgoingMessages.createdAt, since),
        or(isNull(outgoingMessages.expiresAt), gt(outgoingMessages.expiresAt, now)),
      ),
    )
    .returning({ id: outgoingMessages.id })
  const ids = rows.map(row => row.id)
  await db
    .update(deliveries)
    .set({ status: 'pending', updatedAt: now })
    .where(
      and(eq(deliveries.status, 'failed'), sql`${deliveries.outgoingId} = any(${sql.param(ids)}::bigint[])`),
    )
  return ids.length
}

/** Puts a message back that there is no place for yet. It has not been tried. */
export async function putOff(db: Db, id: number, until: Date, why: string): Promise<void> {
  await db
    .update(outgoingMessages)
    .set({
      status: 'pending',
      attempts: sql`${outgoingMessages.attempts} - 1`,
      nextAttemptAt: until,
      claimedAt: null,
      error: why,
    })
    .where(and(eq(outgoingMessages.id, id), eq(outgoingMessages.status, 'sending')))
}

/** Puts off all that is due of a notice before a moment. */
export async function putOffNotice(db: Db, noticeId: number, until: Date, why: string): Promise<void> {
  await db
    .update(outgoingMessages)
    .set({ nextAttemptAt: until, error: why })
    .where(
      and(
        eq(outgoingMessages.noticeId, noticeId),
        inArray(outgoingMessages.status, ['pending', 'retrying']),
        lt(outgoingMessages.nextAttemptAt, until),
      ),
    )
}

/** Whether this person was called after `since` and has not written: one call is enough for all that waits. */
export async function wasSummoned(
  db: Db,
  { personId, identityId }: Pick<OutgoingRow, 'personId' | 'identityId'>,
  since: Date,
): Promise<boolean> {
  const theirs = [
    ...(personId === null ? [] : [eq(outgoingMessages.personId, personId)]),
    ...(identityId === null ? [] : [eq(outgoingMessages.identityId, identityId)]),
  ]
  const rows = await db
    .select({ id: outgoingMessages.id })
    .from(outgoingMessages)
    .where(
      and(
        eq(outgoingMessages.status, 'waiting'),
        or(...theirs),
        gt(outgoingMessages.sentAt, since),
        // what only joined those that wait has no number of a template message
        ne(outgoingMessages.platformId, ''),
      ),
    )
    .limit(1)
  return rows.length > 0
}

/**
 * Takes groups out of a mass task that does not reach them: their deliveries belong to a message of their own from now on,
 * which has failed.
 * @returns its id
 */
export async function splitOff(
  db: Db,
  message: OutgoingRow,
  chatIds: string[],
  why: string,
): Promise<number> {
  const { kind, personId, noticeId, purpose, textsSealed, createdAt, nextAttemptAt } = message
  const [rest] = await db
    .insert(outgoingMessages)
    .values({
      kind,
      personId,
      noticeId,
      purpose,
      textsSealed,
      createdAt,
      nextAttemptAt,
      chatIds,
      status: 'failed',
      error: why,
    })
    .returning({ id: outgoingMessages.id })
  const id = rest?.id as number
  const theirs = db.select({ id: groups.id }).from(groups).where(inArray(groups.chatId, chatIds))
  await db
    .update(deliveries)
    .set({ outgoingId: id })
    .where(and(eq(deliveries.outgoingId, message.id), inArray(deliveries.groupId, theirs)))
  await db
    .update(outgoingMessages)
    .set({ chatIds: (message.chatIds ?? []).filter(chatId => !chatIds.includes(chatId)) })
    .where(eq(outgoingMessages.id, message.id))
  return id
}

/** A kept file or page that has not expired. */
export async function resultPageById(db: Db, id: number, now: Date) {
  const [row] = await db
    .select()
    .from(resultPages)
    .where(and(eq(resultPages.id, id), gt(resultPages.expiresAt, now)))
  return row ?? null
}

/** A message as an administrator sees it: what it is and what became of it, never what it says. */
export interface OutgoingInView {
  id: number
  kind: string
  purpose: string
  status: string
  attempts: number
  /** Parts that are out already. */
  sentCount: number
  nextAttemptAt: Date
  createdAt: Date
  sentAt: Date | null
  expiresAt: Date | null
  error: string | null
  personId: number | null
  groupId: number | null
  /** The one account that it goes to; null where any account of the person will do. */
  channel: string | null
  /** For `mass`: in how many groups. */
  groupCount: number | null
  /** false: the text has been deleted, or was never kept. */
  hasContent: boolean
}

const inView = {
  id: outgoingMessages.id,
  kind: outgoingMessages.kind,
  purpose: outgoingMessages.purpose,
  status: outgoingMessages.status,
  attempts: outgoingMessages.attempts,
  sentCount: outgoingMessages.sentCount,
  nextAttemptAt: outgoingMessages.nextAttemptAt,
  createdAt: outgoingMessages.createdAt,
  sentAt: outgoingMessages.sentAt,
  expiresAt: outgoingMessages.expiresAt,
  error: outgoingMessages.error,
  personId: sql<number | null>`coalesce(${outgoingMessages.personId}, ${identities.personId})::float8`,
  groupId: outgoingMessages.groupId,
  channel: identities.channel,
  groupCount: sql<number | null>`jsonb_array_length(${outgoingMessages.chatIds})`,
  hasContent: sql<boolean>`(${outgoingMessages.textsSealed} <> '' or ${outgoingMessages.noticeId} is not null
    or ${outgoingMessages.chases} is not null)`,
}

/** Messages, the newest first. */
export function listOutgoing(
  db: Db,
  filter: { status?: string | undefined; purpose?: string | undefined },
  offset: number,
  limit: number,
): Promise<OutgoingInView[]> {
  return db
    .select(inView)
    .from(outgoingMessages)
    .leftJoin(identities, eq(identities.id, outgoingMessages.identityId))
    .where(
      and(
        ...(filter.status ? [eq(outgoingMessages.status, filter.status)] : []),
        ...(filter.purpose ? [eq(outgoingMessages.purpose, filter.purpose)] : []),
      ),
    )
    .orderBy(desc(outgoingMessages.id))
    .offset(offset)
    .limit(limit)
}

/** The sealed texts of a message; null: there are none. */
export async function outgoingTexts(db: Db, id: number): Promise<string | null> {
  const [row] = await db
    .select({ textsSealed: outgoingMessages.textsSealed })
    .from(outgoingMessages)
    .where(eq(outgoingMessages.id, id))
  return row?.textsSealed || null
}

/** One message, with the names of whom it is for. */
export async function outgoingById(
  db: Db,
  id: number,
): Promise<(OutgoingInView & { personName: string | null; groupName: string | null }) | null> {
  const [row] = await db
    .select({ ...inView, personName: persons.name, groupName: groups.name })
    .from(outgoingMessages)
    .leftJoin(identities, eq(identities.id, outgoingMessages.identityId))
    .leftJoin(persons, sql`${persons.id} = coalesce(${outgoingMessages.personId}, ${identities.personId})`)
    .leftJoin(groups, eq(groups.id, outgoingMessages.groupId))
    .where(eq(outgoingMessages.id, id))
  return row ?? null
}

/** Changes a message that still stands as it was seen. @returns false: it does not any more */
export async function settleOutgoing(
  db: Db,
  id: number,
  was: string,
  set: Partial<typeof outgoingMessages.$inferInsert>,
): Promise<boolean> {
  const rows = await db
    .update(outgoingMessages)
    .set(set)
    .where(and(eq(outgoingMessages.id, id), eq(outgoingMessages.status, was)))
    .returning({ id: outgoingMessages.id })
  return rows.length === 1
}

/** Sets all deliveries of a message that are not in their groups yet. */
export async function restoreDeliveries(
  db: Db,
  outgoingId: number,
  status: string,
  now: Date,
): Promise<void> {
  await db
    .update(deliveries)
    .set({ status, updatedAt: now })
    .where(and(eq(deliveries.outgoingId, outgoingId), ne(deliveries.status, 'posted')))
}
