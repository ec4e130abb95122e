import { and, eq, inArray, lt, sql } from 'drizzle-orm'
import { batchedOn } from '../batch.ts'
import type { Db } from '../client.ts'
import { compiledSql } from '../compiled.ts'
import { callBlocks, dailyCounts, pacing } from '../schema/index.ts'

/** A place in a sliding window, by the generic cell rate algorithm. Milliseconds are whole numbers. */
export interface PaceSlot {
  key: string
  /** How far one use moves `spent_until` on: its amount times the interval between two uses. */
  costMs: number
  /** How far `spent_until` may lie ahead of now: the burst times the interval. */
  aheadMs: number
}

/** Some of what may be used in a period. */
export interface QuotaSlot {
  key: string
  /** First day of the period, `YYYY-MM-DD` in Asia/Shanghai. */
  day: string
  amount: number
  /** What the whole period allows. */
  count: number
  /** When the next period begins. */
  renewsAt: Date
}

/** Why there was no place, and when to ask again. */
export interface NoSlot {
  key: string
  freeAt: Date
  /** The period's quota is used up; otherwise only the pace is too fast. */
  isQuota: boolean
}

/** A row that came to be between our look and our insert had no room left, or two of us waited for each other. */
const LOST_RACES = new Set(['22012', '40P01'])

/**
 * Takes all of these places or none, whatever other processes do at the same time. Within any span of length W no more
 * than `aheadMs / interval + W / interval` are given out for one key.
 *
 * One statement: what all callers share is locked for as short as can be. Who asks while one is under way is asked for
 * together with the others who do. It does not wait for the disk, either; a database that crashes may forget the places
 * of its last half second, and is not back for longer than that.
 * @param now the caller's clock: all processes must agree about the time within the slack of `server/limits.ts`
 * @returns null when they are taken
 */
export async function takeSlots(
  db: Db,
  paces: PaceSlot[],
  quotas: QuotaSlot[],
  now: Date,
): Promise<NoSlot | null> {
  const greedy = paces.find(slot => slot.costMs > slot.aheadMs)
  if (greedy) throw new RangeError(`${greedy.key}: more at once than the limit ever allows`)
  return takeTogether(db, { paces, quotas, now })
}

interface Wanted {
  paces: PaceSlot[]
  quotas: QuotaSlot[]
  now: Date
}

/** More of them lock their rows for longer, and are less likely to find places for all. */
const MOST_TOGETHER = 40

const takeTogether = batchedOn(takeForAll, { maxBatch: MOST_TOGETHER })

/**
 * Takes what all of these want at once where there are places for all of them. Otherwise those who want something that
 * the others leave no room for are asked for one by one.
 */
async function takeForAll(db: Db, all: Wanted[]): Promise<(NoSlot | null)[]> {
  const sum = all.length > 1 ? sumOf(all) : null
  if (sum === null) return oneByOne(db, all)
  const full = new Set((await takeAllOrNone(db, sum)).filter(state => !state.fits).map(state => state.key))
  if (full.size === 0) return all.map(() => null)
  const isShort = ({ paces, quotas }: Wanted) => [...paces, ...quotas].some(slot => full.has(slot.key))
  const others = all.filter(wanted => !isShort(wanted))
  const taken = new Map(others.length > 0 ? zip(others, await takeForAll(db, others)) : [])
  const short = all.filter(isShort)
  for (const [wanted, noSlot] of zip(short, await oneByOne(db, short))) taken.set(wanted, noSlot)
  return all.map(wanted => taken.get(wanted) ?? null)
}

async function oneByOne(db: Db, all: Wanted[]): Promise<(NoSlot | null)[]> {
  const answers: (NoSlot | null)[] = []
  for (const wanted of all) answers.push(lastOf(await takeAllOrNone(db, wanted), wanted))
  return answers
}

const zip = <A, B>(left: A[], right: B[]) => left.map((each, index): [A, B] => [each, right[index] as B])

/** What they want together. @returns null when it cannot be one question: they know different limits by one name */
function sumOf(all: Wanted[]): Wanted | null {
  const paces = new Map<string, PaceSlot>()
  const quotas = new Map<string, QuotaSlot>()
  for (const wanted of all) {
    for (const slot of wanted.paces) {
      const had = paces.get(slot.key)
      if (had && had.aheadMs !== slot.aheadMs) return null
      const costMs = slot.costMs + (had?.costMs ?? 0)
      if (costMs > slot.aheadMs) return null
      paces.set(slot.key, { ...slot, costMs })
    }
    for (const slot of wanted.quotas) {
      const had = quotas.get(slot.key)
      if (had && (had.day !== slot.day || had.count !== slot.count)) return null
      quotas.set(slot.key, { ...slot, amount: slot.amount + (had?.amount ?? 0) })
    }
  }
  const now = new Date(Math.max(...all.map(wanted => wanted.now.getTime())))
  return { paces: [...paces.values()], quotas: [...quotas.values()], now }
}

type SlotState = {
  key: string
  fits: boolean
  /** null: a quota, or a key that is used for the first time. */
  spentUntil: string | null
}

/**
 * Locks the rows that are there, always in the order of their keys, then looks, then writes. Rows that are not there cannot
 * be locked: when another caller makes one in between and leaves no room in it, the division by zero undoes everything.
 */
async function takeAllOrNone(db: Db, { paces, quotas, now }: Wanted): Promise<SlotState[]> {
  for (;;) {
    try {
      return await takePlaces(db, {
        now: now.toISOString(),
        paceKeys: paces.map(slot => slot.key),
        costs: paces.map(slot => slot.costMs),
        aheads: paces.map(slot => slot.aheadMs),
        quotaKeys: quotas.map(slot => slot.key),
        days: quotas.map(slot => slot.day),
        amounts: quotas.map(slot => slot.amount),
        counts: quotas.map(slot => slot.count),
      })
    } catch (error) {
      if (!LOST_RACES.has(stateOf(error))) throw error
    }
  }
}

const at = sql`${sql.placeholder('now')}::timestamptz`
/** Asked for every call that goes out: its text is put together once. */
const takePlaces = compiledSql<SlotState & { check: number }>(sql`
    with locked_paces as (
      select key, spent_until from pacing where key = any(${sql.placeholder('paceKeys')}::text[]) order by key for update
    ), locked_counts as (
      select c.key, c.count from daily_counts c
      join unnest(${sql.placeholder('quotaKeys')}::text[], ${sql.placeholder('days')}::text[]) as w (key, day)
        on c.key = w.key and c.day = w.day::date
      order by c.key for update of c
    ), paces as (
      select key, cost, ahead, spent_until, greatest(coalesce(spent_until, ${at}), ${at}) + cost <= ${at} + ahead as fits
      from (
        select w.key, w.cost * interval '1 ms' as cost, w.ahead * interval '1 ms' as ahead, l.spent_until
        from unnest(${sql.placeholder('paceKeys')}::text[], ${sql.placeholder('costs')}::int[],
          ${sql.placeholder('aheads')}::int[]) as w (key, cost, ahead)
        left join locked_paces l on l.key = w.key
      ) as wanted
    ), quotas as (
      select w.key, w.day::date as day, w.amount, w.most, coalesce(l.count, 0) + w.amount <= w.most as fits
      from unnest(${sql.placeholder('quotaKeys')}::text[], ${sql.placeholder('days')}::text[],
        ${sql.placeholder('amounts')}::int[], ${sql.placeholder('counts')}::int[]) as w (key, day, amount, most)
      left join locked_counts l on l.key = w.key
    ), slots as (
      select key, fits, spent_until from paces union all select key, fits, null from quotas
    ), verdict as (
      select bool_and(fits) as fits, count(*) as wanted from slots
    ), taken_paces as (
      insert into pacing as p (key, spent_until)
      select key, greatest(coalesce(spent_until, ${at}), ${at}) + cost from paces
      where (select fits from verdict) order by key
      on conflict (key) do update
        set spent_until = greatest(p.spent_until, ${at}) + (select cost from paces where key = excluded.key)
        where greatest(p.spent_until, ${at}) + (select cost from paces where key = excluded.key)
          <= ${at} + (select ahead from paces where key = excluded.key)
      returning 1
    ), taken_counts as (
      insert into daily_counts as c (key, day, count)
      select key, day, amount from quotas where (select fits from verdict) order by key
      on conflict (key, day) do update set count = c.count + excluded.count
        where c.count + excluded.count <= (select most from quotas where key = excluded.key)
      returning 1
    ), taken as (
      select (select count(*) from taken_paces) + (select count(*) from taken_counts) as count
    ), unhurried as (
      select set_config('synchronous_commit', 'off', true) as mode
    )
    select key, fits, spent_until as "spentUntil",
      1 / case when (select v.fits and t.count < v.wanted from verdict v, taken t) then 0 else 1 end as check
    from slots, unhurried where mode = 'off'`)

/** Of the places that are not free the one that is free last. */
function lastOf(states: SlotState[], { paces, quotas, now }: Wanted): NoSlot | null {
  const refused = states
    .filter(state => !state.fits)
    .map(({ key, spentUntil }): NoSlot => {
      const quota = quotas.find(slot => slot.key === key)
      if (quota) return { key, freeAt: quota.renewsAt, isQuota: true }
      const { costMs, aheadMs } = paces.find(slot => slot.key === key) as PaceSlot
      const freeAt = Date.parse(spentUntil as string) + costMs - aheadMs
      return { key, freeAt: new Date(Math.max(freeAt, now.getTime() + 1)), isQuota: false }
    })
  return refused.sort((a, b) => a.freeAt.getTime() - b.freeAt.getTime()).at(-1) ?? null
}

/** The database's code of an error; drizzle wraps it. */
function stateOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string') return at.code
  return ''
}

/** At most `count` calls within any span of `lengthMs`. */
export interface WindowSlot {
  key: string
  lengthMs: number
  count: number
}

/**
 * Takes places for `amount` calls to an interface, for all processes together: as long as every window over what was taken
 * has room for them. As `takeSlots`, it does not wait for the disk.
 * @param path the interface
 * @returns null when they are taken; otherwise of the windows the one that has room last
 */
export async function takeCalls(
  db: Db,
  path: string,
  amount: number,
  windows: WindowSlot[],
  now: Date,
): Promise<NoSlot | null> {
  return db.transaction(async tx => {
    await tx.execute(
      sql`select pg_advisory_xact_lock(hashtext(${`calls:${path}`})), set_config('synchronous_commit', 'off', true)`,
    )
    const at = sql`${now.toISOString()}::timestamptz`
    const [key, length, count] = [
      sql.param(windows.map(window => window.key)),
      sql.param(windows.map(window => window.lengthMs)),
      sql.param(windows.map(window => window.count)),
    ]
    // a block leaves room when it has left the window; the newest that must leave says when
    const rows = await tx.execute<{ key: string; free_at: string | null }>(sql`
      select w.key, (
        select max(at) + w.length * interval '1 ms' from (
          select at, sum(amount) over (order by at desc, id desc) as since from call_blocks
          where key = ${path} and at > ${at} - w.length * interval '1 ms'
        ) as block where since + ${amount}::int > w.count
      ) as free_at
      from unnest(${key}::text[], ${length}::int[], ${count}::int[]) as w (key, length, count)`)
    const full = [...rows]
      .flatMap(row =>
        row.free_at === null ? [] : [{ key: row.key, freeAt: new Date(row.free_at), isQuota: false }],
      )
      .sort((a, b) => a.freeAt.getTime() - b.freeAt.getTime())
      .at(-1)
    if (full) return { ...full, freeAt: new Date(Math.max(full.freeAt.getTime(), now.getTime() + 1)) }
    await tx.insert(callBlocks).values({ key: path, at: now, amount })
    return null
  })
}

/** Counts up each of these that its quota still allows, independently of the others. Keys are there once. */
export async function countUp(db: Db, slots: Omit<QuotaSlot, 'renewsAt'>[]): Promise<Set<string>> {
  if (slots.length === 0) return new Set()
  const keys = sql.param(slots.map(slot => slot.key))
  const counts = sql.param(slots.map(slot => slot.count))
  const taken = await db.execute<{ key: string }>(sql`
    insert into daily_counts as c (key, day, count)
    select t.key, t.day::date, t.amount
    from unnest(${keys}::text[], ${sql.param(slots.map(slot => slot.day))}::text[],
      ${sql.param(slots.map(slot => slot.amount))}::int[], ${counts}::int[]) as t (key, day, amount, count)
    where t.amount <= t.count order by t.key
    on conflict (key, day) do update set count = c.count + excluded.count
      where c.count + excluded.count <= (${counts}::int[])[array_position(${keys}::text[], excluded.key)]
    returning key`)
  return new Set([...taken].map(row => row.key))
}

/** Takes back what was counted for something that did not happen. */
export async function countDown(db: Db, keys: string[], day: string): Promise<void> {
  await db
    .update(dailyCounts)
    .set({ count: sql`greatest(${dailyCounts.count} - 1, 0)` })
    .where(and(inArray(dailyCounts.key, keys), eq(dailyCounts.day, day)))
}

/** What has been counted in the periods that began on these days, the most used first. */
export function countsOf(db: Db, days: string[]): Promise<(typeof dailyCounts.$inferSelect)[]> {
  return db
    .select()
    .from(dailyCounts)
    .where(inArray(dailyCounts.day, days))
    .orderBy(sql`${dailyCounts.count} desc`, dailyCounts.key)
}

/** Blocks of calls count for no longer. */
const LONGEST_WINDOW_MS = 2 * 3600_000

/** Deletes what limits nothing any more: places that came free before `before`, periods that began before `day`. */
export async function deleteOldSlots(db: Db, before: Date, day: string): Promise<void> {
  await db.delete(pacing).where(lt(pacing.spentUntil, before))
  await db.delete(callBlocks).where(lt(callBlocks.at, new Date(before.getTime() - LONGEST_WINDOW_MS)))
  await db.delete(dailyCounts).where(lt(dailyCounts.day, day))
}
