import { and, asc, eq, gt, inArray, lte, ne, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { deliveries, groups, outgoingMessages, resultPages } from '../schema/index.ts'
import type { OutgoingRow } from './notices.ts'

/** What goes before everything else when little may be sent. */
export const urgentPurposes = ['reply', 'relay', 'escalation', 'welcome']

/** A message that has been under way for longer no longer holds up those behind it: its process may be dead. */
const UNDER_WAY_MS = 60_000

/**
 * The messages whose turn it is, at most `limit`, the longest due first.
 *
 * What goes to one person (or into one group) keeps its order: a message waits while an earlier one is due, under way, or
 * put off until there is a place for it. What is urgent passes by what is not, once some of that has been put off. Nothing
 * waits for a message that failed and is tried again.
 *
 * One pass over all that is open, so it is asked for many at a time; `claim` then takes them in small batches.
 */
export async function inTurn(db: Db, now: Date, limit: number): Promise<number[]> {
  const at = now.toISOString()
  const underWaySince = new Date(now.getTime() - UNDER_WAY_MS).toISOString()
  const urgent = sql`purpose in ${urgentPurposes.map(purpose => sql`${purpose}`)}`
  const isDue = sql`status in ('pending', 'retrying') and next_attempt_at <= ${at}`
  const rows = await db.execute<{ id: string }>(sql`
    select id from (
      select id, status, next_attempt_at, ${urgent} as is_urgent,
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
    order by next_attempt_at, id limit ${limit}`)
  return [...rows].map(row => Number(row.id))
}

/** Takes up to `limit` of these messages for one worker, as far as they are still due; other workers pass over them. */
export async function claim(db: Db, ids: number[], now: Date, limit: number): Promise<OutgoingRow[]> {
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
    .orderBy(asc(outgoingMessages.nextAttemptAt), asc(outgoingMessages.id))
    .limit(limit)
    .for('update', { skipLocked: true })
  return db
    .update(outgoingMessages)
    .set({ status: 'sending', claimedAt: now, attempts: sql`${outgoingMessages.attempts} + 1` })
    .where(inArray(outgoingMessages.id, due))
    .returning()
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
  const { kind, personId, purpose, textsSealed, createdAt, nextAttemptAt } = message
  const [rest] = await db
    .insert(outgoingMessages)
    .values({
      kind,
      personId,
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
