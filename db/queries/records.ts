import { and, desc, eq, gt, gte, inArray, isNotNull, like, lte, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  activities,
  groups,
  messageRecords,
  persons,
  sentReports,
  unitFacts,
  units,
} from '../schema/index.ts'
import { type Reach, withinReach } from './groups.ts'
import { countMessages, countMessagesByChild, countMessagesByMonth } from './record-counts.ts'

export async function insertRecord(db: Db, row: typeof messageRecords.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(messageRecords).values(row).returning({ id: messageRecords.id })
  return inserted?.id as number
}

/** Those of some groups in which a message that begins like this was counted on a day. */
export async function groupsWithSame(
  db: Db,
  groupIds: number[],
  day: string,
  excerpt: string,
): Promise<number[]> {
  const rows = await db
    .selectDistinct({ groupId: messageRecords.groupId })
    .from(messageRecords)
    .where(
      and(
        sql`${messageRecords.groupId} = any(${sql.param(groupIds)}::bigint[])`,
        eq(messageRecords.month, day.slice(0, 7)),
        eq(messageRecords.recordedOn, day),
        eq(messageRecords.excerpt, excerpt),
        gt(messageRecords.count, 0),
      ),
    )
  return rows.map(row => row.groupId)
}

/** The categories that one update of a person reported. */
export async function reportsOf(db: Db, updateId: number, personId: number): Promise<string[]> {
  const rows = await db
    .selectDistinct({ category: messageRecords.category })
    .from(messageRecords)
    .where(
      and(
        eq(messageRecords.updateId, updateId),
        eq(messageRecords.reportedBy, personId),
        gt(messageRecords.count, 0),
      ),
    )
  return rows.map(row => row.category)
}

/** What a person reported last, to be put right: all records of that one message of theirs. */
export async function lastReportOf(db: Db, personId: number) {
  const [last] = await db
    .select()
    .from(messageRecords)
    .where(and(eq(messageRecords.reportedBy, personId), isNotNull(messageRecords.updateId)))
    .orderBy(desc(messageRecords.updateId), desc(messageRecords.id))
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

/**
 * The child of the unit of `path` to which `u` counts. Rows are added up by unit before this is asked: the rows are many
 * times as many, and the sums by unit can be made by several workers.
 */
const childOf = (path: string) =>
  sql`coalesce(nullif(split_part(substr(u.path, ${path.length + 1}::int), '/', 1), '')::bigint, u.id)`

/**
 * Leaves the rows of units below a path. Below the top of a programme that is next to all, and adding them up in the order
 * of their index is faster than looking for the unit of each (measured: 2 to 4 times, a million rows).
 */
function onlyBelow(path: string, unitId: SQL): SQL {
  const isTop = path.split('/').filter(Boolean).length === 1
  return isTop ? sql`` : sql`join units b on b.id = ${unitId} and b.path like ${`${path}%`}`
}

/** Messages of a month by child and category. */
export function messageFigures(db: Db, path: string, month: string) {
  return countMessagesByChild(db, path, month)
}

export async function activityFigures(db: Db, path: string, month: string) {
  const rows = await db.execute<{ child: string; kind: string; count: number }>(sql`
    select ${childOf(path)} as child, s.kind, sum(s.count)::int as count from (
      select a.unit_id, a.kind, count(*) as count from activities a join units u on u.id = a.unit_id
      where a.month = ${month} and a.status = 'held' and u.path like ${`${path}%`} group by 1, 2
    ) s join units u on u.id = s.unit_id group by 1, 2`)
  return [...rows].map(({ child, ...row }) => ({ ...row, unitId: Number(child) }))
}

/** Groups that stood at `end`. */
export async function groupFigures(db: Db, path: string, end: Date) {
  const at = end.toISOString()
  const rows = await db.execute<{ child: string; count: number }>(sql`
    select ${childOf(path)} as child, sum(s.count)::int as count from (
      select g.unit_id, count(*) as count from groups g ${onlyBelow(path, sql`g.unit_id`)}
      where g.created_at < ${at} and (g.dissolved_at is null or g.dissolved_at >= ${at}) group by 1
    ) s join units u on u.id = s.unit_id where u.path like ${`${path}%`} group by 1`)
  return [...rows].map(row => ({ unitId: Number(row.child), count: row.count }))
}

/** What each unit of a level, at or below a path, said of itself last, up to and including a month. */
const lastSaid = (where: SQL, level: string, month: string) => sql`said as materialized (
      select u.id, u.path, f.* from units u cross join lateral (
        select branches, cadres, youth, other_groups, members from unit_facts
        where unit_id = u.id and month <= ${month} order by month desc limit 1
      ) f where u.level = ${level} and ${where}
    )`

/**
 * What no record holds, by figure of the sheet. What the units of a level said of themselves last; `groups` are those that
 * the product does not know. Members are those who have registered by `end`, a person counted once; where a unit of the
 * level has said how many members there are, its word stands, and those who registered below it are not counted.
 * @param month up to and including which
 */
export async function saidFigures(db: Db, path: string, month: string, end: Date, level: string) {
  const above = path.split('/').filter(Boolean).map(Number)
  const isHere = sql`u.path like ${`${path}%`}`
  const rows = await db.execute<{ child: string; figure: string; count: number }>(sql`
    with ${lastSaid(sql`(${isHere} or u.id = any(${sql.param(above)}::bigint[]))`, level, month)}, silent as materialized (
      select distinct u.id from units u
      cross join lateral unnest(string_to_array(trim(both '/' from u.path), '/')::bigint[]) as over (id)
      join said on said.id = over.id where ${isHere} and said.members is not null
    )
    select ${childOf(path)} as child, each.figure, sum(each.count)::int as count
    from said u cross join lateral (values ('branches', branches), ('cadres', cadres), ('youth', youth), ('groups', other_groups))
      as each (figure, count)
    where each.count is not null and ${isHere} group by 1, 2
    union all
    select ${childOf(path)}, each.figure, sum(each.count::int)::int
    from said u cross join lateral jsonb_each_text(u.members) as each (figure, count)
    where u.members is not null and ${isHere} group by 1, 2
    union all
    select ${childOf(path)}, s.occupation, sum(s.count)::int from (
      select r.unit_id, r.occupation, count(*) as count from registrations r ${onlyBelow(path, sql`r.unit_id`)}
      where r.registered_at < ${end.toISOString()} group by 1, 2
    ) s join units u on u.id = s.unit_id
    where ${isHere} and s.unit_id not in (select id from silent) group by 1, 2`)
  return [...rows].map(({ child, ...row }) => ({ ...row, unitId: Number(child) }))
}

/** What a unit said of itself last, up to and including a month. */
export async function lastFactsOf(db: Db, unitId: number, month: string) {
  const [last] = await lastFactsOfUnits(db, [unitId], month)
  return last
}

/** The same of several units, those that never said anything left out. */
export async function lastFactsOfUnits(db: Db, unitIds: number[], month: string) {
  if (unitIds.length === 0) return []
  return db
    .selectDistinctOn([unitFacts.unitId])
    .from(unitFacts)
    .where(and(inArray(unitFacts.unitId, unitIds), lte(unitFacts.month, month)))
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
  unitPath: string
  programme: string
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
      unitPath: units.path,
      programme: units.programme,
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
  const paths = pathsOfWhole(filter)
  if (paths !== null) return countMessages(db, paths, filter)
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

/** The units that a filter leaves whole, so that they need not be counted; null where it leaves parts of them. */
function pathsOfWhole({ reach, unitPath, groupId, id }: RecordFilter): string[] | null {
  if (groupId !== undefined || id !== undefined) return null
  if (unitPath !== undefined) return reach.topPaths.some(top => unitPath.startsWith(top)) ? [unitPath] : null
  // whoever has a role elsewhere may own groups there
  if (reach.rolePaths.some(role => !reach.topPaths.some(top => role.startsWith(top)))) return null
  return reach.topPaths.filter(path => !reach.topPaths.some(top => top !== path && path.startsWith(top)))
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
      title: activities.title,
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
        eq(activities.status, 'held'),
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
  return countMessagesByMonth(db, path, from, to)
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
