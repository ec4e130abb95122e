import { and, asc, desc, eq, gte, inArray, like, lte, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  activities,
  groups,
  messageRecords,
  persons,
  registrations,
  sentReports,
  unitFacts,
  units,
} from '../schema/index.ts'
import { type Reach, withinReach } from './groups.ts'

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
    .where(
      and(sql`${units.path} like ${`${path}%`}`, eq(activities.month, month), eq(activities.status, 'held')),
    )
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

/*
 * What the figures are made of, for those who look after the groups.
 */

export type RecordRow = typeof messageRecords.$inferSelect

export async function recordById(db: Db, id: number): Promise<RecordRow | null> {
  const [row] = await db.select().from(messageRecords).where(eq(messageRecords.id, id))
  return row ?? null
}

/** Gives a record another category, by hand; false when it has not the one that it was thought to have. */
export async function setCategory(db: Db, id: number, from: string, to: string): Promise<boolean> {
  const rows = await db
    .update(messageRecords)
    .set({ category: to, decidedBy: 'person' })
    .where(and(eq(messageRecords.id, id), eq(messageRecords.category, from)))
    .returning({ id: messageRecords.id })
  return rows.length === 1
}

export interface RecordFilter {
  reach: Reach
  /** `YYYY-MM` */
  month: string
  /** The unit of this path and all below. */
  unitPath?: string | undefined
  groupId?: number | undefined
  category?: string | undefined
  source?: string | undefined
  /** One record, to show it anew. */
  id?: number | undefined
}

function recordsThat(filter: RecordFilter): SQL | undefined {
  return and(
    eq(messageRecords.month, filter.month),
    withinReach(filter.reach),
    filter.unitPath === undefined ? undefined : like(units.path, `${filter.unitPath}%`),
    filter.groupId === undefined ? undefined : eq(messageRecords.groupId, filter.groupId),
    filter.category === undefined ? undefined : eq(messageRecords.category, filter.category),
    filter.source === undefined ? undefined : eq(messageRecords.source, filter.source),
    filter.id === undefined ? undefined : eq(messageRecords.id, filter.id),
  )
}

export type ListedRecord = RecordRow & {
  groupName: string
  unitName: string
  reporterName: string | null
}

/** A page of message records, the newest first. */
export async function listRecords(
  db: Db,
  filter: RecordFilter,
  limit: number,
  offset: number,
): Promise<ListedRecord[]> {
  const rows = await db
    .select({
      record: messageRecords,
      groupName: groups.name,
      unitName: units.name,
      reporterName: persons.name,
    })
    .from(messageRecords)
    .innerJoin(groups, eq(groups.id, messageRecords.groupId))
    .innerJoin(units, eq(units.id, messageRecords.unitId))
    .leftJoin(persons, eq(persons.id, messageRecords.reportedBy))
    .where(recordsThat(filter))
    .orderBy(desc(messageRecords.recordedOn), desc(messageRecords.id))
    .limit(limit)
    .offset(offset)
  return rows.map(({ record, ...rest }) => ({ ...record, ...rest }))
}

/** Messages by category of what a filter leaves, and how many of them the machine sorted. */
export function recordTotals(db: Db, filter: RecordFilter) {
  return db
    .select({
      category: messageRecords.category,
      count: sql<number>`sum(${messageRecords.count})::int`,
      byMachine: sql<number>`coalesce(sum(${messageRecords.count}) filter (where ${messageRecords.decidedBy} = 'machine'), 0)::int`,
    })
    .from(messageRecords)
    .innerJoin(groups, eq(groups.id, messageRecords.groupId))
    .innerJoin(units, eq(units.id, messageRecords.unitId))
    .where(recordsThat(filter))
    .groupBy(messageRecords.category)
}

/** A page of activities, the newest first. @param filter `kind` is a figure of the sheet; category and source say nothing here */
export function listActivities(
  db: Db,
  filter: Omit<RecordFilter, 'category' | 'source' | 'id'> & { kind?: string | undefined },
  limit: number,
  offset: number,
) {
  return db
    .select({
      id: activities.id,
      kind: activities.kind,
      heldOn: activities.heldOn,
      place: activities.place,
      heads: activities.heads,
      groupId: activities.groupId,
      groupName: groups.name,
      unitName: units.name,
      reporterName: persons.name,
      total: sql<number>`(count(*) over ())::int`,
    })
    .from(activities)
    .innerJoin(units, eq(units.id, activities.unitId))
    .leftJoin(groups, eq(groups.id, activities.groupId))
    .leftJoin(persons, eq(persons.id, activities.reportedBy))
    .where(
      and(
        eq(activities.month, filter.month),
        withinReach(filter.reach),
        filter.unitPath === undefined ? undefined : like(units.path, `${filter.unitPath}%`),
        filter.groupId === undefined ? undefined : eq(activities.groupId, filter.groupId),
        filter.kind === undefined ? undefined : eq(activities.kind, filter.kind),
      ),
    )
    .orderBy(desc(activities.heldOn), desc(activities.id))
    .limit(limit)
    .offset(offset)
}

export interface MonthFigure {
  month: string
  category: string
  count: number
}

const monthFigure = {
  month: messageRecords.month,
  category: messageRecords.category,
  count: sql<number>`sum(${messageRecords.count})::int`,
}

/** Messages of a unit and all below it, by month and category. @param to included */
export function messagesByMonth(db: Db, path: string, from: string, to: string): Promise<MonthFigure[]> {
  return db
    .select(monthFigure)
    .from(messageRecords)
    .innerJoin(units, eq(units.id, messageRecords.unitId))
    .where(and(like(units.path, `${path}%`), gte(messageRecords.month, from), lte(messageRecords.month, to)))
    .groupBy(messageRecords.month, messageRecords.category)
}

/** The same of one group. */
export function messagesOfGroupByMonth(
  db: Db,
  groupId: number,
  from: string,
  to: string,
): Promise<MonthFigure[]> {
  return db
    .select(monthFigure)
    .from(messageRecords)
    .where(
      and(
        eq(messageRecords.groupId, groupId),
        gte(messageRecords.month, from),
        lte(messageRecords.month, to),
      ),
    )
    .groupBy(messageRecords.month, messageRecords.category)
}

/** A page of the counties of some programmes below the units of `paths`. */
export function listCounties(db: Db, programmes: string[], paths: string[], limit: number, offset: number) {
  if (programmes.length === 0 || paths.length === 0) return Promise.resolve([])
  return db
    .select()
    .from(units)
    .where(
      and(
        inArray(units.programme, programmes),
        eq(units.level, 'county'),
        or(...paths.map(path => like(units.path, `${path}%`))),
      ),
    )
    .orderBy(asc(units.code))
    .limit(limit)
    .offset(offset)
}

/**
 * How many messages each of the units has in a month, with those below it, and how many units sent some. The month is
 * summed by unit first and a unit's path then says whose it is: comparing paths with each other costs many times more.
 */
export async function monthOfUnits(db: Db, unitIds: number[], month: string) {
  if (unitIds.length === 0) return []
  const rows = await db.execute<{ id: string; messages: number; units: number }>(sql`
    select above.id, sum(m.messages)::int as messages, count(*)::int as units
    from (
      select unit_id, sum(count) as messages from message_records where month = ${month} group by unit_id
    ) m
    join units u on u.id = m.unit_id
    cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')::bigint[]) as above (id)
    where above.id = any(${sql.param(unitIds)}::bigint[])
    group by above.id`)
  return [...rows].map(row => ({ id: Number(row.id), messages: row.messages, units: row.units }))
}
