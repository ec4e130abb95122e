import { and, asc, desc, eq, gt, inArray, lt, ne, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { type AlertAsk, alertVerdicts, persons, units } from '../schema/index.ts'

export type { AlertAsk }
export type AlertVerdict = Omit<typeof alertVerdicts.$inferSelect, 'asks'> & {
  asks: AlertAsk[]
  claimedByName: string | null
  markedByName: string | null
  unitName: string | null
}

const markers = alias(persons, 'marker')

function selectVerdicts(db: Db) {
  return db
    .select({
      verdict: alertVerdicts,
      claimedByName: persons.name,
      markedByName: markers.name,
      unitName: units.name,
    })
    .from(alertVerdicts)
    .leftJoin(persons, eq(persons.id, alertVerdicts.claimedBy))
    .leftJoin(markers, eq(markers.id, alertVerdicts.markedBy))
    .leftJoin(units, eq(units.id, alertVerdicts.unitId))
}

const flat = ({ verdict, ...names }: Awaited<ReturnType<typeof selectVerdicts>>[number]): AlertVerdict => ({
  ...verdict,
  ...names,
  asks: asksOf(verdict),
})

/** What was asked of one office before offices were told apart is of the unit that stands in the row. */
function asksOf({ asks, unitId, claimedBy, source }: typeof alertVerdicts.$inferSelect): AlertAsk[] {
  const askedIds = asks.filter(each => typeof each === 'number')
  const whole = asks.filter(each => typeof each !== 'number')
  if (askedIds.length === 0 || unitId === null) return whole
  const claimants = claimedBy === null ? [] : [{ personId: claimedBy, source }]
  return [{ unitId, askedIds, claimants }, ...whole]
}

/** Which of these texts were found to raise an alert in error, each as `alert hash`. */
export async function falseAlarmHashes(db: Db, hashes: string[]): Promise<Set<string>> {
  if (hashes.length === 0) return new Set()
  const rows = await db
    .select({ alert: alertVerdicts.alert, textHash: alertVerdicts.textHash })
    .from(alertVerdicts)
    .where(and(inArray(alertVerdicts.textHash, hashes), eq(alertVerdicts.verdict, 'false')))
  return new Set(rows.map(row => `${row.alert} ${row.textHash}`))
}

/** @returns its number; null: there is one of this alert in this text */
export async function insertAlertVerdict(
  db: Db,
  row: typeof alertVerdicts.$inferInsert,
): Promise<number | null> {
  const [inserted] = await db
    .insert(alertVerdicts)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: alertVerdicts.id })
  return inserted?.id ?? null
}

export async function updateAlertVerdict(
  db: Db,
  id: number,
  change: Partial<typeof alertVerdicts.$inferInsert>,
): Promise<void> {
  await db.update(alertVerdicts).set(change).where(eq(alertVerdicts.id, id))
}

export async function alertVerdictById(db: Db, id: number): Promise<AlertVerdict | null> {
  const [row] = await selectVerdicts(db).where(eq(alertVerdicts.id, id))
  return row ? flat(row) : null
}

/** The same, and nobody else changes it until the transaction ends. */
export async function lockAlertVerdict(db: Db, id: number): Promise<AlertVerdict | null> {
  await db.execute(sql`select from alert_verdicts where id = ${id} for update`)
  return alertVerdictById(db, id)
}

/** What was said of an alert in a text; null: nothing. */
export async function alertVerdictOf(db: Db, alert: string, textHash: string): Promise<AlertVerdict | null> {
  const [row] = await selectVerdicts(db).where(
    and(eq(alertVerdicts.alert, alert), eq(alertVerdicts.textHash, textHash)),
  )
  return row ? flat(row) : null
}

/** Claims that a person was asked to decide for one of these units and nobody has; the oldest first. @param unitIds those that they run */
export async function openClaimsFor(
  db: Db,
  personId: number,
  unitIds: number[],
  limit: number,
): Promise<AlertVerdict[]> {
  if (unitIds.length === 0) return []
  const rows = await selectVerdicts(db)
    .where(
      and(
        eq(alertVerdicts.verdict, 'asked'),
        sql`(${alertVerdicts.unitId} = any(${sql.param(unitIds)}::bigint[])
            and ${alertVerdicts.asks} @> ${JSON.stringify([personId])}::jsonb
          or exists (select from jsonb_array_elements(${alertVerdicts.asks}) as ask
            where jsonb_typeof(ask) = 'object' and (ask->>'unitId')::bigint = any(${sql.param(unitIds)}::bigint[])
              and ask->'askedIds' @> ${JSON.stringify([personId])}::jsonb))`,
      ),
    )
    .orderBy(asc(alertVerdicts.id))
    .limit(limit)
  return rows.map(flat)
}

/** What was decided in these subtrees, the newest first. @param paths null: everywhere */
export async function listAlertVerdicts(
  db: Db,
  paths: string[] | null,
  place: { limit: number; offset: number },
): Promise<AlertVerdict[]> {
  const inPaths: SQL | undefined =
    paths === null
      ? undefined
      : sql`exists (select from unnest(${sql.param(paths)}::text[]) as top (path) where starts_with(${units.path}, top.path))`
  const rows = await selectVerdicts(db)
    .where(and(ne(alertVerdicts.verdict, 'asked'), inPaths))
    .orderBy(desc(alertVerdicts.markedAt), desc(alertVerdicts.id))
    .limit(place.limit)
    .offset(place.offset)
  return rows.map(flat)
}

/** What was decided and has its text, in the order of the numbers, for training. @param after the last number that was read */
export async function alertVerdictsAfter(
  db: Db,
  after: number,
  limit: number,
): Promise<{ id: number; alert: string; textSealed: string; verdict: string }[]> {
  return db
    .select({
      id: alertVerdicts.id,
      alert: alertVerdicts.alert,
      textSealed: alertVerdicts.textSealed,
      verdict: alertVerdicts.verdict,
    })
    .from(alertVerdicts)
    .where(
      and(gt(alertVerdicts.id, after), ne(alertVerdicts.verdict, 'asked'), ne(alertVerdicts.textSealed, '')),
    )
    .orderBy(asc(alertVerdicts.id))
    .limit(limit)
}

/** Forgets claims that nobody has decided. */
export async function deleteOldClaims(db: Db, before: Date): Promise<void> {
  await db
    .delete(alertVerdicts)
    .where(and(eq(alertVerdicts.verdict, 'asked'), lt(alertVerdicts.claimedAt, before)))
}
