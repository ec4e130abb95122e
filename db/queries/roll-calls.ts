import { and, desc, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { attempts, persons, rollCallAnswers, rollCalls } from '../schema/index.ts'

export type RollCallRow = typeof rollCalls.$inferSelect

/** Opens a roll call; null when one is open in the group already. */
export async function insertRollCall(
  db: Db,
  row: typeof rollCalls.$inferInsert,
): Promise<RollCallRow | null> {
  const [inserted] = await db.insert(rollCalls).values(row).onConflictDoNothing().returning()
  return inserted ?? null
}

export async function openRollCallOf(db: Db, groupId: number): Promise<RollCallRow | null> {
  const [row] = await db
    .select()
    .from(rollCalls)
    .where(and(eq(rollCalls.groupId, groupId), isNull(rollCalls.closedAt)))
  return row ?? null
}

export async function rollCallByToken(db: Db, tokenIndexes: string[]): Promise<RollCallRow | null> {
  const [row] = await db.select().from(rollCalls).where(inArray(rollCalls.tokenIndex, tokenIndexes))
  return row ?? null
}

/** Closes a roll call. Returns false when it was closed before. */
export async function closeRollCallRow(db: Db, id: number, now: Date): Promise<boolean> {
  const rows = await db
    .update(rollCalls)
    .set({ closedAt: now })
    .where(and(eq(rollCalls.id, id), isNull(rollCalls.closedAt)))
    .returning({ id: rollCalls.id })
  return rows.length === 1
}

/** Roll calls whose time is over, the oldest first. */
export function dueRollCalls(db: Db, now: Date, limit: number): Promise<RollCallRow[]> {
  return db
    .select()
    .from(rollCalls)
    .where(and(isNull(rollCalls.closedAt), lte(rollCalls.closesAt, now)))
    .orderBy(rollCalls.closesAt)
    .limit(limit)
}

/** Puts somebody down as present; the stronger proof stays. */
export async function insertAnswer(db: Db, row: typeof rollCallAnswers.$inferInsert): Promise<void> {
  await db
    .insert(rollCallAnswers)
    .values(row)
    .onConflictDoUpdate({
      target: [rollCallAnswers.rollCallId, rollCallAnswers.personId],
      set: {
        knownBy: sql`case when ${rollCallAnswers.knownBy} = 'binding' then 'binding' else excluded.known_by end`,
      },
    })
}

export function answersOf(
  db: Db,
  rollCallId: number,
): Promise<{ personId: number; knownBy: string; name: string }[]> {
  return db
    .select({ personId: rollCallAnswers.personId, knownBy: rollCallAnswers.knownBy, name: persons.name })
    .from(rollCallAnswers)
    .innerJoin(persons, eq(persons.id, rollCallAnswers.personId))
    .where(eq(rollCallAnswers.rollCallId, rollCallId))
    .orderBy(desc(rollCallAnswers.answeredAt))
}

/** Sealed phones of persons. */
export async function phonesOf(
  db: Db,
  personIds: number[],
): Promise<{ id: number; nameKey: string; phoneSealed: string | null }[]> {
  if (personIds.length === 0) return []
  return db
    .select({ id: persons.id, nameKey: persons.nameKey, phoneSealed: persons.phoneSealed })
    .from(persons)
    .where(sql`${persons.id} = any(${sql.param(personIds)}::bigint[])`)
}

/** Of these persons who could answer a roll call: by an account that is bound to them, or by the phone on the roster. */
export async function answerableOf(
  db: Db,
  personIds: number[],
): Promise<{ id: number; nameKey: string; canAnswer: boolean }[]> {
  if (personIds.length === 0) return []
  return db
    .select({
      id: persons.id,
      nameKey: persons.nameKey,
      canAnswer: sql<boolean>`(${persons.phoneSealed} is not null
        or exists (select from identities i where i.person_id = ${persons.id}))`,
    })
    .from(persons)
    .where(sql`${persons.id} = any(${sql.param(personIds)}::bigint[])`)
}

/** Of these keys those under which something was counted in a window that runs. */
export async function countedAmong(db: Db, keys: string[], now: Date): Promise<Set<string>> {
  if (keys.length === 0) return new Set()
  const rows = await db
    .select({ key: attempts.key })
    .from(attempts)
    .where(and(sql`${attempts.key} = any(${sql.param(keys)}::text[])`, gt(attempts.windowEndsAt, now)))
  return new Set(rows.map(row => row.key))
}
