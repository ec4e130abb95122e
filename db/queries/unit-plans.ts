import { and, desc, eq, isNull, like, lt, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { unitPlans, units } from '../schema/index.ts'

export type UnitPlanRow = typeof unitPlans.$inferSelect

/** What a unit plans for a year; null: nothing yet. */
export async function planOf(db: Db, unitId: number, year: number): Promise<UnitPlanRow | null> {
  const [row] = await db
    .select()
    .from(unitPlans)
    .where(and(eq(unitPlans.unitId, unitId), eq(unitPlans.year, year), isNull(unitPlans.replacedAt)))
  return row ?? null
}

/** What a unit planned last before a year. */
export async function lastPlanOf(db: Db, unitId: number, before: number): Promise<UnitPlanRow | null> {
  const [row] = await db
    .select()
    .from(unitPlans)
    .where(and(eq(unitPlans.unitId, unitId), lt(unitPlans.year, before), isNull(unitPlans.replacedAt)))
    .orderBy(desc(unitPlans.year))
    .limit(1)
  return row ?? null
}

/** Puts a plan in the place of the one before it, which stays. */
export async function putPlan(db: Db, row: typeof unitPlans.$inferInsert): Promise<void> {
  await db
    .update(unitPlans)
    .set({ replacedAt: row.writtenAt })
    .where(and(eq(unitPlans.unitId, row.unitId), eq(unitPlans.year, row.year), isNull(unitPlans.replacedAt)))
  await db.insert(unitPlans).values(row)
}

/** How many units of a level lie below one. */
export async function unitsOfLevelBelow(db: Db, path: string, level: string): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(units)
    .where(and(like(units.path, `${path}_%`), eq(units.level, level)))
  return row?.count ?? 0
}
