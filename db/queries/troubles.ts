import { and, asc, count, desc, eq, gt, inArray, ne, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { channelLog, outgoingMessages, updates } from '../schema/index.ts'
import type { Occurrences } from './alarms.ts'

/** Set aside, and not so long ago that what they said has been deleted. */
const givenUp = and(eq(updates.status, 'set_aside'), ne(updates.payloadSealed, ''))

const occurrences = (at: unknown) => ({
  times: sql<number>`count(*)::int`,
  firstAt: sql<string>`min(${at})`,
  lastAt: sql<string>`max(${at})`,
})

function readOccurrences(row: { times: number; firstAt: string; lastAt: string }): Occurrences {
  return { times: row.times, firstAt: new Date(row.firstAt), lastAt: new Date(row.lastAt) }
}

/** Updates that arrived after `since` and were given up; null: none. */
export async function setAsideSince(db: Db, since: Date): Promise<Occurrences | null> {
  const [row] = await db
    .select(occurrences(updates.receivedAt))
    .from(updates)
    .where(and(eq(updates.status, 'set_aside'), gt(updates.receivedAt, since)))
  return row && row.times > 0 ? readOccurrences(row) : null
}

/** Messages made after `since` that could not be sent (`failed`) or may or may not have been (`unknown`); null: none. */
export async function unsentSince(
  db: Db,
  status: 'failed' | 'unknown',
  since: Date,
): Promise<Occurrences | null> {
  const [row] = await db
    .select(occurrences(outgoingMessages.createdAt))
    .from(outgoingMessages)
    .where(and(eq(outgoingMessages.status, status), gt(outgoingMessages.createdAt, since)))
  return row && row.times > 0 ? readOccurrences(row) : null
}

/** Updates of kinds that we do not know, the newest first. Their names are in what is sealed. */
export function unknownUpdatesSince(db: Db, since: Date, limit: number) {
  return db
    .select({
      receivedAt: updates.receivedAt,
      channel: updates.channel,
      payloadSealed: updates.payloadSealed,
    })
    .from(updates)
    .where(and(eq(updates.kind, 'unknown'), gt(updates.receivedAt, since)))
    .orderBy(desc(updates.receivedAt))
    .limit(limit)
}

export interface RefusedCalls extends Occurrences {
  channel: string
  call: string
  /** null: no answer. */
  errcode: number | null
}

/** Calls after `since` that a platform did not answer with success, by call and code, the most frequent first. */
export async function refusedCallsSince(db: Db, since: Date): Promise<RefusedCalls[]> {
  const rows = await db
    .select({
      channel: channelLog.channel,
      call: channelLog.call,
      errcode: channelLog.errcode,
      ...occurrences(channelLog.at),
    })
    .from(channelLog)
    .where(and(gt(channelLog.at, since), sql`${channelLog.errcode} is distinct from 0`))
    .groupBy(channelLog.channel, channelLog.call, channelLog.errcode)
    .orderBy(sql`count(*) desc`, asc(channelLog.call))
  return rows.map(row => ({ ...row, ...readOccurrences(row) }))
}

/** The calls after `since` that a platform answered with one code; null: none. @param of.call only this one, when given */
export async function refusalsSince(
  db: Db,
  of: { channel: string; errcode: number; call?: string | undefined },
  since: Date,
): Promise<Occurrences | null> {
  const [row] = await db
    .select(occurrences(channelLog.at))
    .from(channelLog)
    .where(
      and(
        gt(channelLog.at, since),
        eq(channelLog.channel, of.channel),
        eq(channelLog.errcode, of.errcode),
        ...(of.call ? [eq(channelLog.call, of.call)] : []),
      ),
    )
  return row && row.times > 0 ? readOccurrences(row) : null
}

/** What a person must look at, of messages those made after `since`: it will not get better by itself. */
export async function troubles(
  db: Db,
  since: Date,
): Promise<{ updatesSetAside: number; messagesUnknown: number; messagesFailed: number; alarmsOpen: number }> {
  const rows = await db
    .select({ status: outgoingMessages.status, count: count() })
    .from(outgoingMessages)
    .where(
      and(inArray(outgoingMessages.status, ['unknown', 'failed']), gt(outgoingMessages.createdAt, since)),
    )
    .groupBy(outgoingMessages.status)
  const of = (status: string) => rows.find(row => row.status === status)?.count ?? 0
  const [rest] = await db.execute<{ aside: number; alarms: number }>(sql`
    select (select count(*) from updates where status = 'set_aside')::int as aside,
      (select count(*) from alarms where closed_at is null)::int as alarms`)
  return {
    updatesSetAside: rest?.aside ?? 0,
    messagesUnknown: of('unknown'),
    messagesFailed: of('failed'),
    alarmsOpen: rest?.alarms ?? 0,
  }
}

/** Updates that were given up, the oldest first. `error` is what `describeError` leaves of an error. */
export function setAsideUpdates(db: Db, limit: number) {
  return db
    .select({
      id: updates.id,
      channel: updates.channel,
      kind: updates.kind,
      receivedAt: updates.receivedAt,
      error: updates.error,
    })
    .from(updates)
    .where(eq(updates.status, 'set_aside'))
    .orderBy(asc(updates.id))
    .limit(limit)
}

/** Has an update that was given up handled again. @returns false: there is none such */
export async function retrySetAside(db: Db, id: number): Promise<boolean> {
  const rows = await db
    .update(updates)
    .set({ status: 'received', attempts: 0, error: null })
    .where(and(eq(updates.id, id), givenUp))
    .returning({ id: updates.id })
  return rows.length === 1
}

/** The same for all that were given up. @returns how many */
export async function retryAllSetAside(db: Db): Promise<number> {
  const rows = await db
    .update(updates)
    .set({ status: 'received', attempts: 0, error: null })
    .where(givenUp)
    .returning({ id: updates.id })
  return rows.length
}

/** How many messages are on their way or stuck, by what they are. Of those that failed only the ones made after `since`. */
export function unfinishedMessages(db: Db, since: Date) {
  return db
    .select({
      status: outgoingMessages.status,
      kind: outgoingMessages.kind,
      purpose: outgoingMessages.purpose,
      count: count(),
      nextAt: sql<string>`min(${outgoingMessages.nextAttemptAt})`,
    })
    .from(outgoingMessages)
    .where(
      sql`${outgoingMessages.status} in ('pending', 'retrying', 'sending', 'waiting')
        or (${outgoingMessages.status} in ('failed', 'unknown') and ${outgoingMessages.createdAt} > ${since.toISOString()})`,
    )
    .groupBy(outgoingMessages.status, outgoingMessages.kind, outgoingMessages.purpose)
    .orderBy(asc(outgoingMessages.status), desc(count()))
}
