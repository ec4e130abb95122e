import { and, desc, eq, gt, inArray, sql } from 'drizzle-orm'
import { batched, IN_FLIGHT, PACE_MS } from '../batch.ts'
import type { Db } from '../client.ts'
import { compiled, compiledSql } from '../compiled.ts'
import { updates } from '../schema/index.ts'
import { type AccountKey, senderNow } from './senders.ts'

export interface NewUpdate {
  channel: string
  dedupeKey: string
  kind: string
  payloadSealed: string
  receivedAt: Date
  /** Set for one that needed no handling beyond its answer: it is stored as handled, with the answer. */
  outright: { replySealed: string | null; expects: Expectation | null } | null
}

/** What an answer rests on: if the sender is another by now, the update is stored as received, and must be handled. */
export interface Expectation {
  sender: AccountKey
  digest: string
}

/** How far an update has come. */
export interface UpdateState {
  id: number
  status: string
  /** How often it has failed. */
  attempts: number
  /** Of an update that has been answered before. */
  replySealed: string | null
}

export interface RecordedUpdate extends UpdateState {
  isNew: boolean
}

/**
 * Stores updates once, many callers' in one statement, and resolves when they are on disk.
 * A repeated update is found by its key and comes back with what was answered the first time.
 */
export function updateRecorder(db: Db): (update: NewUpdate) => Promise<RecordedUpdate> {
  return batched(
    async inputs => {
      const inserted = await insertUpdates(db, inputs)
      const fresh = new Map(inserted.map(row => [`${row.channel} ${row.dedupeKey}`, row]))
      const repeated = inputs.filter(input => !fresh.has(`${input.channel} ${input.dedupeKey}`))
      const present = await findByKeys(db, repeated)
      const known = new Map(
        present.map(({ channel, dedupeKey, ...row }): [string, UpdateState] => [
          `${channel} ${dedupeKey}`,
          row,
        ]),
      )
      return inputs.map(input => {
        const key = `${input.channel} ${input.dedupeKey}`
        const stored = fresh.get(key)
        if (stored !== undefined) {
          // the same update twice in one batch: only the first is new
          fresh.delete(key)
          const { id, status } = stored
          const replySealed = status === 'handled' ? (input.outright?.replySealed ?? null) : null
          const row = { id, status, attempts: 0, replySealed }
          known.set(key, row)
          return { ...row, isNew: true }
        }
        const row = known.get(key)
        if (!row) throw new Error('an update was neither stored nor found')
        return { ...row, isNew: false }
      })
    },
    { paceMs: PACE_MS, inFlight: IN_FLIGHT },
  )
}

/**
 * One parameter for all rows, whatever their number: the statement's text and plan stay the same, and the driver has one
 * text to write rather than thousands to escape. Answers are few texts for many rows: each goes over once, by its place.
 */
const insertRows = compiledSql<{ id: string; channel: string; dedupe_key: string; status: string }>(sql`
  insert into updates (channel, dedupe_key, kind, payload_sealed, received_at, status, reply_sealed, handled_at)
  select channel, dedupe_key, kind, payload, at,
    case when stands then 'handled' else 'received' end, case when stands then reply end,
    case when stands then at end
  from (
    select t.*, (${sql.placeholder('replies')}::text[])[t.reply_at] as reply,
      t.is_handled and (t.expected is null or t.expected is not distinct from sender.digest) as stands
    from json_to_recordset(${sql.placeholder('rows')}::text::json) as t (
      channel text, dedupe_key text, kind text, payload text, at timestamptz, is_handled boolean, reply_at integer,
      space text, addressed text, expected text
    )
    left join lateral ${senderNow(sql`t.at`)} on t.expected is not null
  ) as heard
  -- two that hold the same keys wait for each other in one order, and never in a circle
  order by channel, dedupe_key
  on conflict (channel, dedupe_key) do nothing
  returning id, channel, dedupe_key, status`)

async function insertUpdates(db: Db, inputs: NewUpdate[]) {
  const replies: string[] = []
  const rows = inputs.map(({ channel, dedupeKey, kind, payloadSealed, receivedAt, outright }) => {
    const { sender, digest } = outright?.expects ?? {}
    return {
      channel,
      dedupe_key: dedupeKey,
      kind,
      payload: payloadSealed,
      at: receivedAt.toISOString(),
      is_handled: outright !== null,
      reply_at: outright?.replySealed ? placeIn(replies, outright.replySealed) : null,
      space: sender?.channel,
      addressed: sender?.address,
      expected: digest,
    }
  })
  const inserted = await insertRows(db, { rows: JSON.stringify(rows), replies })
  return inserted.map(row => ({
    id: Number(row.id),
    channel: row.channel,
    dedupeKey: row.dedupe_key,
    status: row.status,
  }))
}

/** The place of a text in a list of few, counted from 1; added where it is not there. */
function placeIn(texts: string[], text: string): number {
  const at = texts.indexOf(text)
  return at < 0 ? texts.push(text) : at + 1
}

async function findByKeys(db: Db, keys: { channel: string; dedupeKey: string }[]) {
  if (keys.length === 0) return []
  return db
    .select({
      id: updates.id,
      channel: updates.channel,
      dedupeKey: updates.dedupeKey,
      status: updates.status,
      attempts: updates.attempts,
      replySealed: updates.replySealed,
    })
    .from(updates)
    .where(
      and(
        inArray(
          updates.dedupeKey,
          keys.map(key => key.dedupeKey),
        ),
        inArray(updates.channel, [...new Set(keys.map(key => key.channel))]),
      ),
    )
}

/** How far the update with this key has come; null when there is none. */
export async function updateByKey(db: Db, channel: string, dedupeKey: string): Promise<UpdateState | null> {
  const [row] = await findByKeys(db, [{ channel, dedupeKey }])
  return row ?? null
}

/** How far an update has come by now. */
export async function updateState(db: Db, id: number): Promise<UpdateState | null> {
  const [row] = await db
    .select({
      id: updates.id,
      status: updates.status,
      attempts: updates.attempts,
      replySealed: updates.replySealed,
    })
    .from(updates)
    .where(eq(updates.id, id))
  return row ?? null
}

const setHandled = compiled<{ id: number }[]>(db =>
  db
    .update(updates)
    .set({
      status: 'handled',
      replySealed: sql`${sql.placeholder('replySealed')}`,
      handledAt: sql`${sql.placeholder('now')}`,
    })
    .where(and(eq(updates.id, sql.placeholder('id')), eq(updates.status, 'received')))
    .returning({ id: updates.id }),
)

/** Takes an update for the transaction of `db`. false: another transaction has it. */
export async function takeUpdate(db: Db, id: number): Promise<boolean> {
  const [row] = await db.execute<{ taken: boolean }>(
    sql`select pg_try_advisory_xact_lock(${UPDATE_LOCKS}, ${id % 2 ** 31}) as taken`,
  )
  return row?.taken ?? false
}

/** The first half of the advisory locks that updates are taken by. */
const UPDATE_LOCKS = 7801

/** Marks an update as handled. false: it had been handled before, and the caller must undo what it did. */
export async function markHandled(
  db: Db,
  id: number,
  replySealed: string | null,
  now: Date,
): Promise<boolean> {
  const rows = await setHandled(db, { id, replySealed, now: now.toISOString() })
  return rows.length === 1
}

/** Counts a failure; after `maxAttempts` the update is set aside for an operator to see. */
export async function recordFailure(db: Db, id: number, error: string, maxAttempts: number): Promise<void> {
  await db
    .update(updates)
    .set({
      attempts: sql`${updates.attempts} + 1`,
      error: error.slice(0, 500),
      status: sql`case when ${updates.attempts} + 1 >= ${maxAttempts} then 'set_aside' else ${updates.status} end`,
    })
    .where(and(eq(updates.id, id), eq(updates.status, 'received')))
}

/**
 * Updates that were stored and have not been handled: their process died, or failed. After each failure they are left
 * four times as long, so that an hour's trouble of ours sets nothing aside.
 * @param leaveMs how long one that has not failed is left to its process
 * @param after only those with a larger number
 */
export function unhandledUpdates(
  db: Db,
  now: Date,
  { leaveMs, after, limit }: { leaveMs: number; after: number; limit: number },
) {
  return db
    .select({ id: updates.id, payloadSealed: updates.payloadSealed })
    .from(updates)
    .where(
      and(
        eq(updates.status, 'received'),
        gt(updates.id, after),
        sql`${updates.receivedAt} <= ${now.toISOString()}::timestamptz
          - ${leaveMs} * power(4, ${updates.attempts}) * interval '1 millisecond'`,
      ),
    )
    .orderBy(updates.id)
    .limit(limit)
}

/** An update as an administrator sees it; what it says stays sealed. `error` is what `describeError` leaves of one. */
const inView = {
  id: updates.id,
  channel: updates.channel,
  kind: updates.kind,
  status: updates.status,
  attempts: updates.attempts,
  receivedAt: updates.receivedAt,
  handledAt: updates.handledAt,
  error: updates.error,
}

/** Updates, the newest first. */
export function listUpdates(
  db: Db,
  filter: { status?: string | undefined; kind?: string | undefined },
  offset: number,
  limit: number,
) {
  return db
    .select(inView)
    .from(updates)
    .where(
      and(
        ...(filter.status ? [eq(updates.status, filter.status)] : []),
        ...(filter.kind ? [eq(updates.kind, filter.kind)] : []),
      ),
    )
    .orderBy(desc(updates.id))
    .offset(offset)
    .limit(limit)
}

export type UpdateInView = Awaited<ReturnType<typeof listUpdates>>[number]

/** One update with what it says, sealed; empty once that has been deleted. */
export async function updateById(
  db: Db,
  id: number,
): Promise<(UpdateInView & { payloadSealed: string; hasReply: boolean }) | null> {
  const [row] = await db
    .select({
      ...inView,
      payloadSealed: updates.payloadSealed,
      hasReply: sql<boolean>`${updates.replySealed} is not null`,
    })
    .from(updates)
    .where(eq(updates.id, id))
  return row ?? null
}

/** When the last update came in by a door; null: none that we still have. */
export async function lastUpdateOf(db: Db, channel: string): Promise<Date | null> {
  const [row] = await db
    .select({ at: updates.receivedAt })
    .from(updates)
    .where(eq(updates.channel, channel))
    .orderBy(desc(updates.id))
    .limit(1)
  return row?.at ?? null
}
