import { and, desc, eq, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  activities,
  groups,
  messageRecords,
  registrations,
  sentReports,
  unitFacts,
  units,
} from '../schema/index.ts'

export async function insertRecord(db: Db, row: typeof messageRecords.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(messageRecords).values(row).returning({ id: messageRecords.id })
  return inserted?.id as number
}

/** What a person reported last, to be put right: all records of that one message of theirs. */
export async function lastReportOf(db: Db, personId: number) {
  const [last] = await db
    .select()
    .from(messageRecords)
    .where(eq(messageRecords.reportedBy, personId))
    .orderBy(desc(messageRecords.id))
    .limit(1)
  return last ?? null
}

/** Changes what one update of a person reported of one category, in every group. */
export async function recategorise(
  db: Db,
  updateId: number,
  personId: number,
  from: string,
  to: { category: string; count: number },
): Promise<number> {
  const rows = await db
    .update(messageRecords)
    .set({ ...to, decidedBy: 'person' })
    .where(
      and(
        eq(messageRecords.updateId, updateId),
        eq(messageRecords.reportedBy, personId),
        eq(messageRecords.category, from),
      ),
    )
    .returning({ id: messageRecords.id })
  return rows.length
}

export async function insertActivity(db: Db, row: typeof activities.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(activities).values(row).returning({ id: activities.id })
  return inserted?.id as number
}

/** Notes that a unit's report of a month goes out; false when it has before. */
export async function noteReportSent(db: Db, unitId: number, month: string, now: Date): Promise<boolean> {
  const rows = await db
    .insert(sentReports)
    .values({ unitId, month, sentAt: now })
    .onConflictDoNothing()
    .returning({ unitId: sentReports.unitId })
  return rows.length === 1
}

export async function upsertFacts(db: Db, row: typeof unitFacts.$inferInsert): Promise<void> {
  const { unitId: _unit, month: _month, ...set } = row
  await db
    .insert(unitFacts)
    .values(row)
    .onConflictDoUpdate({ target: [unitFacts.unitId, unitFacts.month], set })
}

/*
 * Figures. Each query answers for the children of one unit, keyed by the child in whose subtree the rows lie; `self`
 * stands for the unit itself. `path` is the unit's path.
 */

/** The child of the unit with `path` in whose subtree `units` lies; the unit itself for its own rows. */
const child = (path: string) =>
  sql<number>`coalesce(nullif(split_part(substr(${units.path}, ${path.length + 1}), '/', 1), '')::bigint, ${units.id})::int`

export function messageFigures(db: Db, path: string, month: string) {
  return db
    .select({
      unitId: child(path),
      category: messageRecords.category,
      count: sql<number>`sum(${messageRecords.count})::int`,
      byMachine: sql<number>`coalesce(sum(${messageRecords.count}) filter (where ${messageRecords.decidedBy} = 'machine'), 0)::int`,
    })
    .from(messageRecords)
    .innerJoin(units, eq(units.id, messageRecords.unitId))
    .where(and(sql`${units.path} like ${`${path}%`}`, eq(messageRecords.month, month)))
    .groupBy(sql`1`, messageRecords.category)
}

export function activityFigures(db: Db, path: string, month: string) {
  return db
    .select({ unitId: child(path), kind: activities.kind, count: sql<number>`count(*)::int` })
    .from(activities)
    .innerJoin(units, eq(units.id, activities.unitId))
    .where(and(sql`${units.path} like ${`${path}%`}`, eq(activities.month, month)))
    .groupBy(sql`1`, activities.kind)
}

/** Groups that stood at `end`. */
export function groupFigures(db: Db, path: string, end: Date) {
  return db
    .select({ unitId: child(path), count: sql<number>`count(*)::int` })
    .from(groups)
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(
      and(
        sql`${units.path} like ${`${path}%`}`,
        sql`${groups.createdAt} < ${end.toISOString()}`,
        sql`(${groups.dissolvedAt} is null or ${groups.dissolvedAt} >= ${end.toISOString()})`,
      ),
    )
    .groupBy(sql`1`)
}

/** Registered members by where they live and what they do, as of `end`; a person is counted once. */
export function memberFigures(db: Db, path: string, end: Date) {
  return db
    .select({
      unitId: child(path),
      residence: registrations.residence,
      occupation: registrations.occupation,
      count: sql<number>`count(*)::int`,
    })
    .from(registrations)
    .innerJoin(units, eq(units.id, registrations.unitId))
    .where(
      and(sql`${units.path} like ${`${path}%`}`, sql`${registrations.registeredAt} < ${end.toISOString()}`),
    )
    .groupBy(sql`1`, registrations.residence, registrations.occupation)
}

/** What each unit last said of itself up to and including `month`. */
export async function factFigures(db: Db, path: string, month: string) {
  return db
    .selectDistinctOn([unitFacts.unitId], {
      unitId: unitFacts.unitId,
      month: unitFacts.month,
      branches: unitFacts.branches,
      cadres: unitFacts.cadres,
      youth: unitFacts.youth,
    })
    .from(unitFacts)
    .innerJoin(units, eq(units.id, unitFacts.unitId))
    .where(and(sql`${units.path} like ${`${path}%`}`, sql`${unitFacts.month} <= ${month}`))
    .orderBy(unitFacts.unitId, desc(unitFacts.month))
}

/** Messages of one group or one owner's groups by category, for a month. */
export function messageFiguresOfGroups(db: Db, groupIds: number[], month: string) {
  if (groupIds.length === 0) return Promise.resolve([])
  return db
    .select({
      groupId: messageRecords.groupId,
      category: messageRecords.category,
      count: sql<number>`sum(${messageRecords.count})::int`,
    })
    .from(messageRecords)
    .where(
      and(
        sql`${messageRecords.groupId} = any(${sql.param(groupIds)}::bigint[])`,
        eq(messageRecords.month, month),
      ),
    )
    .groupBy(messageRecords.groupId, messageRecords.category)
}
