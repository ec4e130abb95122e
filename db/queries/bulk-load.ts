import { sql } from 'drizzle-orm'
import type { Db } from '../client.ts'

/** Fewer rows are not worth a lock that keeps readers away. */
const WORTH_ROWS = 50_000
/** The table must hold so many times less than what comes: building its indexes anew must be cheaper than adding to them. */
const TIMES_MORE = 10

/**
 * Writes very many rows into tables that hold next to nothing: the first roster of a nation. Indexes and foreign keys are
 * taken away before and put back behind it, in the caller's transaction: sorting a million keys once takes a fraction of
 * finding the place of each, and so does checking references with one join. Unique indexes stay, for they may be asked
 * while it is written.
 *
 * Nobody reads the tables meanwhile, which is why it is done for a first load only; otherwise `work` runs as it is.
 * @param rows how many are to come into each of the tables
 */
export async function loadInBulk(
  db: Db,
  tables: readonly string[],
  rows: number,
  work: () => Promise<void>,
): Promise<void> {
  if (rows < WORTH_ROWS || !(await areNearlyEmpty(db, tables, Math.floor(rows / TIMES_MORE)))) return work()
  await db.execute(sql`set local maintenance_work_mem = '128MB'`)
  const aside = [...(await foreignKeysOf(db, tables)), ...(await plainIndexesOf(db, tables))]
  for (const { take } of aside) await db.execute(sql.raw(take))
  await work()
  for (const { put } of aside.toReversed()) await db.execute(sql.raw(put))
}

async function areNearlyEmpty(db: Db, tables: readonly string[], most: number): Promise<boolean> {
  for (const table of tables) {
    const rows = await db.execute(sql`select 1 from ${sql.identifier(table)} offset ${most} limit 1`)
    if (rows.length > 0) return false
  }
  return true
}

interface Aside {
  take: string
  put: string
}

async function plainIndexesOf(db: Db, tables: readonly string[]): Promise<Aside[]> {
  const rows = await db.execute<{ take: string; put: string }>(sql`
    select format('drop index %s', indexrelid::regclass) as take, pg_get_indexdef(indexrelid) as put
    from pg_index where indrelid = any(${sql.param(tables)}::text[]::regclass[]) and not indisunique
    order by indexrelid`)
  return [...rows]
}

async function foreignKeysOf(db: Db, tables: readonly string[]): Promise<Aside[]> {
  const rows = await db.execute<{ take: string; put: string }>(sql`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as take,
      format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as put
    from pg_constraint where conrelid = any(${sql.param(tables)}::text[]::regclass[]) and contype = 'f' order by oid`)
  return [...rows]
}
