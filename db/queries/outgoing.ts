import { and, asc, desc, eq, gt, inArray, isNull, lte, ne, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { deliveries, groups, identities, outgoingMessages, persons, resultPages } from '../schema/index.ts'
import type { OutgoingRow } from './notices.ts'

/** What may use the places that are kept in reserve, and passes by what has been put off. */
export const urgentPurposes = ['reply', 'escalation', 'welcome']
/** What goes behind the urgent and before the rest: somebody's work waits for it. */
const workPurposes = ['review', 'decision', 'pass', 'task']

/** A message that has been under way for longer no longer holds up those behind it: its process may be dead. */
const UNDER_WAY_MS = 60_000

/** A message whose turn it is, and the platform that it will most likely go to. */
export interface DueMessage {
  id: number
  channel: 'wecom' | 'official-account' | 'aibot'
}

/**
 * The messages whose turn it is, at most `limit` for each platform: first who waits at the other end (welcomes, answers),
 * then what somebody's work waits for, then the rest; among these the longest due first.
 *
 * What goes to one person (or into one group) keeps its order: a message waits while an earlier one is due, under way, or
 * put off until there is a place for it. What is urgent passes by what is not, once some of that has been put off. Nothing
 * waits for a message that failed and is tried again.
 *
 * One pass over all that is open, so it is asked for many at a time; `claim` then takes them as they can go out.
 */
export async function inTurn(db: Db, now: Date, limit: number): Promise<DueMessage[]> {
  const at = now.toISOString()
  const underWaySince = new Date(now.getTime() - UNDER_WAY_MS).toISOString()
  const isOneOf = (purposes: string[]) => sql`purpose in ${purposes.map(purpose => sql`${purpose}`)}`
  const urgent = isOneOf(urgentPurposes)
  const isDue = sql`status in ('pending', 'retrying') and next_attempt_at <= ${at}`
  const rows = await db.execute<{ id: string; channel: DueMessage['channel'] }>(sql`
    with due as (
      select * from (
        select id, kind, purpose, person_id, identity_id, status, next_attempt_at, ${urgent} as is_urgent,
          coalesce(person_id, identity_id, group_id) is null as is_alone,
          coalesce(bool_or(status = 'sending' and claimed_at > ${underWaySince}
            or status = 'pending' and ${urgent}) over earlier, false) as must_wait,
          coalesce(bool_or(status = 'pending') over earlier, false) as has_earlier,
          coalesce(bool_or(status = 'pending' and next_attempt_at > ${at}) over earlier, false) as may_pass
        from outgoing_messages
        where status in ('pending', 'retrying', 'sending') and exists (select from outgoing_messages where ${isDue})
        window earlier as (partition by kind, person_id, identity_id, group_id order by id
          rows between unbounded preceding and 1 preceding)
      ) as open
      where ${isDue} and (is_alone or not must_wait and (not has_earlier or is_urgent and may_pass))
    ), ranked as (
      select due.id, due.next_attempt_at,
        case when kind in ('welcome', 'response') or purpose in ('welcome', 'reply') then 0
          when purpose = 'escalation' or ${isOneOf(workPurposes)} then 1 else 2 end as class,
        case when kind = 'response' then 'aibot' when kind <> 'person' then 'wecom'
          when asked.channel in ('wecom', 'official-account') then asked.channel
          when members.person_id is not null then 'wecom' else 'official-account' end as channel
      from due
      left join identities asked on asked.id = due.identity_id
      left join (select distinct person_id from identities where channel = 'wecom' and is_reachable) as members
        on members.person_id = due.person_id
    )
    select id, channel from (
      select *, row_number() over (partition by channel order by class, next_attempt_at, id) as place from ranked
    ) as placed
    where place <= ${limit} order by class, next_attempt_at, id`)
  return [...rows].map(row => ({ id: Number(row.id), channel: row.channel }))
}

/** Takes these messages for one worker, as far as they are still due; other workers pass over them. */
export async function claim(db: Db, ids: number[], now: Date): Promise<OutgoingRow[]> {
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
    .set({ status: 'sending', claimedAt: now, attempts: sql`${outgoingMessages.attempts} + 1` })
    .where(inArray(outgoingMessages.id, due))
    .returning()
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
    .where(eq(outgoingMessages.id, id))
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
  hasContent: sql<boolean>`(${outgoingMessages.textsSealed} <> '' or ${outgoingMessages.noticeId} is not null)`,
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
