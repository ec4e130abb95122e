import { and, asc, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { alarms } from '../schema/index.ts'

export type AlarmRow = typeof alarms.$inferSelect

/** How often something happened, and when. */
export interface Occurrences {
  times: number
  firstAt: Date
  lastAt: Date
}

const open = sql`closed_at is null`

/**
 * Tells operators of something that they must see to: counts the open alarm up, or opens one.
 * @param cause the same for what is mended in the same way, such as `platform:wecom:60020`
 * @param words what to do, in Chinese; neither secrets nor personal data
 * @returns true: it was opened
 */
export async function raiseAlarm(db: Db, cause: string, words: string, now: Date): Promise<boolean> {
  const [row] = await db
    .insert(alarms)
    .values({ cause, words, times: 1, firstAt: now, lastAt: now })
    .onConflictDoUpdate({
      target: alarms.cause,
      targetWhere: open,
      set: { words, times: sql`${alarms.times} + 1`, lastAt: now },
    })
    .returning({ times: alarms.times })
  return row?.times === 1
}

/**
 * The same for what can be counted at any time in the tables themselves: `times` is all of it since the last closing, so
 * counting again changes nothing.
 * @returns true: it was opened
 */
export async function noteAlarm(
  db: Db,
  cause: string,
  words: string,
  { times, firstAt, lastAt }: Occurrences,
): Promise<boolean> {
  const [row] = await db
    .insert(alarms)
    .values({ cause, words, times, firstAt, lastAt })
    .onConflictDoUpdate({
      target: alarms.cause,
      targetWhere: open,
      set: {
        words,
        times: sql`greatest(${alarms.times}, excluded.times)`,
        lastAt: sql`greatest(${alarms.lastAt}, excluded.last_at)`,
      },
    })
    .returning({ isNew: sql<boolean>`xmax = 0` })
  return row?.isNew ?? false
}

/** An operator has seen to it. Should it happen again, it is a new alarm. @returns false: there is no such open alarm */
export async function closeAlarm(db: Db, id: number, now: Date): Promise<boolean> {
  const rows = await db
    .update(alarms)
    .set({ closedAt: now })
    .where(and(eq(alarms.id, id), isNull(alarms.closedAt)))
    .returning({ id: alarms.id })
  return rows.length === 1
}

/** What waits for an operator, the oldest first. */
export function openAlarms(db: Db): Promise<AlarmRow[]> {
  return db.select().from(alarms).where(isNull(alarms.closedAt)).orderBy(asc(alarms.firstAt), asc(alarms.id))
}

/** One alarm, open or closed. */
export async function alarmById(db: Db, id: number): Promise<AlarmRow | null> {
  const [row] = await db.select().from(alarms).where(eq(alarms.id, id))
  return row ?? null
}

/** When alarms of each cause were last closed. */
export async function lastClosings(db: Db): Promise<Map<string, Date>> {
  const rows = await db
    .select({ cause: alarms.cause, at: sql<string>`max(${alarms.closedAt})` })
    .from(alarms)
    .where(sql`${alarms.closedAt} is not null`)
    .groupBy(alarms.cause)
  return new Map(rows.map(row => [row.cause, new Date(row.at)]))
}

export async function deleteClosedAlarms(db: Db, before: Date): Promise<void> {
  await db.delete(alarms).where(lt(alarms.closedAt, before))
}
