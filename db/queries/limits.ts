import { and, eq, inArray, lt, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { dailyCounts, pacing } from '../schema/index.ts'

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

class NotAllFree extends Error {
  readonly noSlot: NoSlot
  constructor(noSlot: NoSlot) {
    super('not all free')
    this.noSlot = noSlot
  }
}

/**
 * Takes all of these places or none, whatever other processes do at the same time. Within any span of length W no more
 * than `aheadMs / interval + W / interval` are given out for one key.
 * @param now the caller's clock: all processes must agree about the time within the slack of `server/limits.ts`
 * @returns null when they are taken
 */
export async function takeSlots(
  db: Db,
  paces: PaceSlot[],
  quotas: QuotaSlot[],
  now: Date,
): Promise<NoSlot | null> {
  try {
    await db.transaction(async tx => {
      const refused = [...(await takePaces(tx, paces, now)), ...(await takeQuotas(tx, quotas))]
      const last = refused.sort((a, b) => a.freeAt.getTime() - b.freeAt.getTime()).at(-1)
      // undoes those that were free
      if (last) throw new NotAllFree(last)
    })
    return null
  } catch (error) {
    if (error instanceof NotAllFree) return error.noSlot
    throw error
  }
}

/** Takes what is free. Always in the order of the keys, so that two processes never wait for each other. */
async function takePaces(db: Db, slots: PaceSlot[], now: Date): Promise<NoSlot[]> {
  if (slots.length === 0) return []
  const keys = sql.param(slots.map(slot => slot.key))
  const at = sql`${now.toISOString()}::timestamptz`
  const taken = await db.execute<{ key: string }>(sql`
    insert into pacing as p (key, spent_until)
    select t.key, ${at} + t.cost * interval '1 ms'
    from unnest(${keys}::text[], ${sql.param(slots.map(slot => slot.costMs))}::int[],
      ${sql.param(slots.map(slot => slot.aheadMs))}::int[]) as t (key, cost, ahead)
    where t.cost <= t.ahead order by t.key
    on conflict (key) do update
      set spent_until = greatest(p.spent_until, ${at}) + (excluded.spent_until - ${at})
      where greatest(p.spent_until, ${at}) + (excluded.spent_until - ${at}) <= ${at}
        + (${sql.param(slots.map(slot => slot.aheadMs))}::int[])[array_position(${keys}::text[], excluded.key)] * interval '1 ms'
    returning key`)
  const free = new Set([...taken].map(row => row.key))
  const missed = slots.filter(slot => !free.has(slot.key))
  if (missed.length === 0) return []
  const rows = await db
    .select()
    .from(pacing)
    .where(
      inArray(
        pacing.key,
        missed.map(slot => slot.key),
      ),
    )
  const spentUntil = new Map(rows.map(row => [row.key, row.spentUntil.getTime()]))
  return missed.map(({ key, costMs, aheadMs }) => {
    if (costMs > aheadMs) throw new RangeError(`${key}: more at once than the limit ever allows`)
    const freeAt = (spentUntil.get(key) ?? now.getTime()) + costMs - aheadMs
    return { key, freeAt: new Date(Math.max(freeAt, now.getTime() + 1)), isQuota: false }
  })
}

async function takeQuotas(db: Db, slots: QuotaSlot[]): Promise<NoSlot[]> {
  const taken = await countUp(db, slots)
  return slots
    .filter(slot => !taken.has(slot.key))
    .map(({ key, renewsAt }) => ({ key, freeAt: renewsAt, isQuota: true }))
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

/** Deletes what limits nothing any more: places that came free before `before`, periods that began before `day`. */
export async function deleteOldSlots(db: Db, before: Date, day: string): Promise<void> {
  await db.delete(pacing).where(lt(pacing.spentUntil, before))
  await db.delete(dailyCounts).where(lt(dailyCounts.day, day))
}
