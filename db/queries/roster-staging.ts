import { and, eq, lte, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { copyInto } from '../copy.ts'
import { rosterStagings, type StagedDifference, type StagingFacts, units } from '../schema/index.ts'
import { STAGED_COLUMNS } from './staged-row.ts'

export type { StagedDifference, StagingFacts } from '../schema/index.ts'

export type Staging = typeof rosterStagings.$inferSelect

/** The tables of a staging: what was read, and what the last comparison has come to. */
const TABLES = ['rows', 'problems', 'moves', 'persons', 'gone', 'effects'] as const
type StagingTable = (typeof TABLES)[number]

/** The name of a table, to be put into a statement as it is. */
export function stagingTable(id: number, table: StagingTable) {
  return sql.raw(nameOf(id, table))
}

function nameOf(id: number, table: StagingTable): string {
  return `roster_staging.${table}_${Number(id)}`
}

/** A problem as it is kept. Line 0: of the file as a whole. */
export interface StagedProblem {
  line: number
  column: string
  value: string
  reason: string
  severity: 'error' | 'warning'
}

/** Registers a staging and makes its tables, empty. */
export async function openStaging(
  db: Db,
  row: Pick<Staging, 'draftId' | 'createdAt' | 'expiresAt'>,
): Promise<number> {
  const [inserted] = await db.insert(rosterStagings).values(row).returning({ id: rosterStagings.id })
  const id = inserted?.id as number
  await db.transaction(async tx => {
    // two at once would collide over the schema
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext('roster_staging'))`)
    await tx.execute(sql`create schema if not exists roster_staging`)
    await tx.execute(
      sql`create unlogged table ${stagingTable(id, 'rows')} (${sql.raw(STAGED_COLUMNS.join(', '))}) with (autovacuum_enabled = off)`,
    )
    await tx.execute(sql`create unlogged table ${stagingTable(id, 'problems')}
      (line int not null, "column" text not null, value text not null, reason text not null, severity text not null,
       is_by_comparing boolean not null)`)
  })
  return id
}

export async function copyStagedRows(db: Db, id: number, parts: AsyncIterable<Uint8Array>): Promise<void> {
  const columns = STAGED_COLUMNS.map(each => each.split(' ', 1)[0] as string)
  await copyInto(db, nameOf(id, 'rows'), columns, parts)
}

/** @param isByComparing found by comparing with what stands; those are found anew each time. */
export async function insertProblems(
  db: Db,
  id: number,
  problems: readonly StagedProblem[],
  isByComparing: boolean,
): Promise<void> {
  if (isByComparing) await db.execute(sql`delete from ${stagingTable(id, 'problems')} where is_by_comparing`)
  const list = (column: keyof StagedProblem) => sql`${sql.param(problems.map(each => each[column]))}::text[]`
  if (problems.length === 0) return
  await db.execute(sql`insert into ${stagingTable(id, 'problems')}
    select *, ${isByComparing}::boolean from unnest(${sql.param(problems.map(each => each.line))}::int[], ${list('column')}, ${list('value')},
      ${list('reason')}, ${list('severity')})`)
}

/** The latest staging of a draft; null when there is none, or a crash of the database has emptied it. */
export async function stagingOfDraft(db: Db, draftId: number): Promise<Staging | null> {
  const [row] = await db
    .select()
    .from(rosterStagings)
    .where(eq(rosterStagings.draftId, draftId))
    .orderBy(sql`${rosterStagings.id} desc`)
    .limit(1)
  if (!row?.facts) return null
  if (row.facts.rows === 0) return row
  const [there] = await db.execute<{ is_there: boolean }>(
    sql`select to_regclass(${nameOf(row.id, 'rows')}) is not null as is_there`,
  )
  if (!there?.is_there) return null
  const [filled] = await db.execute(sql`select 1 from ${stagingTable(row.id, 'rows')} limit 1`)
  return filled ? row : null
}

export async function noteFacts(db: Db, id: number, facts: StagingFacts): Promise<void> {
  await db.update(rosterStagings).set({ facts, difference: null }).where(eq(rosterStagings.id, id))
}

export async function noteDifference(db: Db, id: number, difference: StagedDifference): Promise<void> {
  await db.update(rosterStagings).set({ difference }).where(eq(rosterStagings.id, id))
}

/** Deletes a staging with all that was read. */
export async function dropStaging(db: Db, id: number): Promise<void> {
  await dropDifference(db, id)
  for (const table of ['rows', 'problems'] as const)
    await db.execute(sql`drop table if exists ${stagingTable(id, table)}`)
  await db.delete(rosterStagings).where(eq(rosterStagings.id, id))
}

export async function dropDifference(db: Db, id: number): Promise<void> {
  for (const table of TABLES.slice(2)) await db.execute(sql`drop table if exists ${stagingTable(id, table)}`)
}

/** Deletes the stagings of a draft. */
export async function dropStagingsOf(db: Db, draftId: number): Promise<void> {
  const rows = await db
    .select({ id: rosterStagings.id })
    .from(rosterStagings)
    .where(eq(rosterStagings.draftId, draftId))
  for (const { id } of rows) await dropStaging(db, id)
}

/** Deletes stagings whose time is over: their draft has ended, or the process that read them has died. */
export async function dropOldStagings(db: Db, now: Date): Promise<void> {
  const rows = await db
    .select({ id: rosterStagings.id })
    .from(rosterStagings)
    .where(and(lte(rosterStagings.expiresAt, now)))
  for (const { id } of rows) await dropStaging(db, id)
}

/** Makes the rows fit to be compared: their statistics, and an index by line. */
export async function indexStagedRows(db: Db, id: number): Promise<void> {
  await db.execute(sql`create index on ${stagingTable(id, 'rows')} (line)`)
  await db.execute(sql`analyze ${stagingTable(id, 'rows')}`)
}

/** The branches that a file names for the first time, in the order of the file. */
export async function newBranches(
  db: Db,
  id: number,
): Promise<{ name: string; countyCode: string; code: string }[]> {
  const rows = await db.execute<{ branch_name: string; code: string }>(sql`
    select b.branch_name, u.code from (
      select branch_name, county_id, min(line) as line from ${stagingTable(id, 'rows')}
      where branch_name is not null and not is_faulty group by 1, 2
    ) b join ${units} u on u.id = b.county_id order by b.line`)
  return rows.map(row => ({
    name: row.branch_name,
    countyCode: row.code,
    code: `${row.code}-${row.branch_name}`,
  }))
}

/** Of a number that stands in very many rows only the first are compared with the others: the file is wrong anyway. */
const MOST_COMPARED = 50

export interface Duplicate {
  line: number
  /** The row before it. */
  earlier: number
  kind: 'same-person' | 'other-name' | 'shared-phone'
  name: string
  phoneSealed: string | null
  idNumberSealed: string | null
}

/**
 * Finds people who stand in a file twice: the same ID number, or the same name and phone, in the same unit with
 * overlapping dates. Rows that one person may rightly have (a term and its extension, an old county and a new one)
 * pass; a missing date counts as open on that side. The gravest finding of each row.
 */
export async function duplicatesIn(db: Db, id: number): Promise<Duplicate[]> {
  const rows = stagingTable(id, 'rows')
  const several = (column: 'id_number_index' | 'phone_index') => sql`
    select r.*, row_number() over (partition by r.${sql.raw(column)} order by r.line) as place,
      r.${sql.raw(column)} as shared, ${sql.raw(`'${column}'`)} as by
    from ${rows} r join (
      select ${sql.raw(column)} from ${rows} where ${sql.raw(column)} is not null group by 1 having count(*) > 1
    ) t using (${sql.raw(column)})`
  const found = await db.execute<{
    line: number
    earlier: number
    grade: number
    name: string
    phone_sealed: string | null
    id_number_sealed: string | null
  }>(sql`
    with keyed as materialized (${several('id_number_index')} union all ${several('phone_index')}),
    pairs as (
      select r.line, e.line as earlier, r.by, r.name_key <> e.name_key as is_renamed,
        r.name_key = e.name_key and r.id_number_index is not distinct from e.id_number_index
          or r.name_key = e.name_key and (r.id_number_index is null or e.id_number_index is null) as is_same,
        coalesce(r.unit_id::text, r.county_id || ' ' || r.branch_name) = coalesce(e.unit_id::text, e.county_id || ' ' || e.branch_name)
          and coalesce(r.starts_on, '0001-01-01') <= coalesce(e.ends_on, '9999-12-31')
          and coalesce(e.starts_on, '0001-01-01') <= coalesce(r.ends_on, '9999-12-31') as is_together
      from keyed r join keyed e on e.by = r.by and e.shared = r.shared and e.line < r.line and e.place <= ${MOST_COMPARED}
    ),
    graded as (
      select line, earlier, case
        when is_same and is_together then 1
        when by = 'id_number_index' and is_renamed then 2
        when by = 'phone_index' and not is_same then 3 end as grade
      from pairs
    )
    select distinct on (g.line) g.line, g.earlier, g.grade, r.name, r.phone_sealed, r.id_number_sealed
    from graded g join ${rows} r on r.line = g.line where g.grade is not null
    order by g.line, g.grade, g.earlier`)
  const kinds = ['same-person', 'other-name', 'shared-phone'] as const
  return found.map(row => ({
    line: row.line,
    earlier: row.earlier,
    kind: kinds[row.grade - 1] as Duplicate['kind'],
    name: row.name,
    phoneSealed: row.phone_sealed,
    idNumberSealed: row.id_number_sealed,
  }))
}

/** Leaves rows out of what is compared. */
export async function markFaulty(db: Db, id: number, lines: readonly number[]): Promise<void> {
  if (lines.length === 0) return
  await db.execute(sql`update ${stagingTable(id, 'rows')} set is_faulty = true
    where line = any(${sql.param(lines)}::int[])`)
}

/** How many rows were read, and how many of them are left out. */
export async function stagedCounts(db: Db, id: number): Promise<{ rows: number; faulty: number }> {
  const [row] = await db.execute<{ rows: number; faulty: number }>(sql`
    select count(*)::int as rows, count(*) filter (where is_faulty)::int as faulty from ${stagingTable(id, 'rows')}`)
  return row ?? { rows: 0, faulty: 0 }
}

/** The problems of a staging, by line. */
export async function problemsOf(
  db: Db,
  id: number,
  severity: StagedProblem['severity'] | null,
  limit: number,
  offset: number,
): Promise<StagedProblem[]> {
  const rows = await db.execute<StagedProblem & Record<string, unknown>>(sql`
    select line, "column", value, reason, severity from ${stagingTable(id, 'problems')}
    where ${severity}::text is null or severity = ${severity} order by line, severity, "column" limit ${limit} offset ${offset}`)
  return [...rows]
}
