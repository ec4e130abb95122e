import { and, asc, count, desc, eq, gt, gte, inArray, lte, ne, sql } from 'drizzle-orm'
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

export type CallRow = typeof channelLog.$inferSelect

/** Calls to the platforms, the newest first. */
export function listCalls(
  db: Db,
  filter: { channel?: string | undefined; isFailed: boolean },
  offset: number,
  limit: number,
): Promise<CallRow[]> {
  return db
    .select()
    .from(channelLog)
    .where(
      and(
        ...(filter.channel ? [eq(channelLog.channel, filter.channel)] : []),
        ...(filter.isFailed ? [sql`${channelLog.errcode} is distinct from 0`] : []),
      ),
    )
    .orderBy(desc(channelLog.at), desc(channelLog.id))
    .offset(offset)
    .limit(limit)
}

/** The calls that were made for one message, the newest first. @param from since when it is there; there is an index by time */
export function callsFor(
  db: Db,
  message: { id: number; from: Date; until: Date },
  limit: number,
): Promise<CallRow[]> {
  return db
    .select()
    .from(channelLog)
    .where(
      and(
        gte(channelLog.at, message.from),
        lte(channelLog.at, message.until),
        eq(channelLog.outgoingId, message.id),
      ),
    )
    .orderBy(desc(channelLog.at), desc(channelLog.id))
    .limit(limit)
}

/** Owners of groups that are not dissolved, with their account at WeCom where they have bound one. */
export async function groupOwnersInWecom(
  db: Db,
): Promise<{ owners: number; accounts: { name: string; address: string }[] }> {
  const rows = await db.execute<{ name: string; address: string | null }>(sql`
    select p.name, i.address
    from persons p
    left join identities i on i.person_id = p.id and i.channel = 'wecom' and i.address !~ '^w[mo]'
    where exists (select from groups g where g.owner_id = p.id and g.dissolved_at is null)
    order by p.id`)
  return {
    owners: rows.length,
    accounts: [...rows].flatMap(({ name, address }) => (address === null ? [] : [{ name, address }])),
  }
}

/** The settings of the database that decide whether what we have acknowledged outlives a power cut. */
export async function safetySettings(db: Db): Promise<{ name: string; setting: string }[]> {
  const rows = await db.execute<{ name: string; setting: string }>(
    sql`select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`,
  )
  return [...rows]
}

/** Something that was sealed with the key of this database; null: nothing has been yet. */
export async function anySealed(db: Db): Promise<string | null> {
  const [row] = await db.execute<{ sealed: string | null }>(sql`
    select coalesce(
      (select phone_sealed from persons where phone_sealed is not null order by id limit 1),
      (select payload_sealed from updates where payload_sealed <> '' order by id limit 1)
    ) as sealed`)
  return row?.sealed ?? null
}
