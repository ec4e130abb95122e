import { and, asc, eq, isNull, like, lt, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { unitAccounts, units } from '../schema/index.ts'

export type UnitAccountRow = typeof unitAccounts.$inferSelect

/** Of a written text a later one is another row, so that a sheet of last year says what was so then. */
export async function insertAccount(db: Db, row: typeof unitAccounts.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(unitAccounts).values(row).returning({ id: unitAccounts.id })
  return inserted?.id as number
}

/** Ends an account's row; false when it has ended before. */
export async function endAccount(db: Db, id: number, at: Date): Promise<boolean> {
  const rows = await db
    .update(unitAccounts)
    .set({ endedAt: at })
    .where(and(eq(unitAccounts.id, id), isNull(unitAccounts.endedAt)))
    .returning({ id: unitAccounts.id })
  return rows.length > 0
}

/** An account that is run, with its unit. */
export async function accountById(
  db: Db,
  id: number,
): Promise<(UnitAccountRow & { unitPath: string; unitName: string }) | null> {
  const [row] = await db
    .select({ account: unitAccounts, unitPath: units.path, unitName: units.name })
    .from(unitAccounts)
    .innerJoin(units, eq(units.id, unitAccounts.unitId))
    .where(and(eq(unitAccounts.id, id), isNull(unitAccounts.endedAt)))
  return row ? { ...row.account, unitPath: row.unitPath, unitName: row.unitName } : null
}

/**
 * The units of a level at or below one, each with the accounts that it ran at a moment: a row without an account for a
 * unit that ran none.
 */
export function accountsUnder(
  db: Db,
  unit: { path: string; level: string },
  at: Date,
): Promise<{ unitId: number; unitName: string; account: UnitAccountRow | null }[]> {
  return db
    .select({ unitId: units.id, unitName: units.name, account: unitAccounts })
    .from(units)
    .leftJoin(
      unitAccounts,
      and(
        eq(unitAccounts.unitId, units.id),
        lt(unitAccounts.writtenAt, at),
        or(isNull(unitAccounts.endedAt), sql`${unitAccounts.endedAt} >= ${at.toISOString()}`),
      ),
    )
    .where(and(like(units.path, `${unit.path}%`), eq(units.level, unit.level)))
    .orderBy(asc(units.code), asc(units.id), asc(unitAccounts.id))
}
