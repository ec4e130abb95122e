import { and, asc, desc, eq, inArray, isNull, like, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  closedMonths,
  groupMonths,
  lateChanges,
  monthStarts,
  persons,
  unitMonths,
  units,
} from '../schema/index.ts'

export type LateChangeRow = typeof lateChanges.$inferSelect
export type UnitMonthRow = typeof unitMonths.$inferSelect
export type GroupMonthRow = typeof groupMonths.$inferSelect

export async function insertLateChange(db: Db, row: typeof lateChanges.$inferInsert): Promise<void> {
  await db.insert(lateChanges).values(row)
}

export type ListedLateChange = LateChangeRow & { unitName: string; changedByName: string }

/** What was put right in a closed month below a unit: how many, and the newest of them. @param path the unit's path */
export async function lateChangesOf(
  db: Db,
  path: string,
  month: string,
  limit: number,
  offset = 0,
): Promise<{ total: number; newest: ListedLateChange[] }> {
  const rows = await db
    .select({
      change: lateChanges,
      unitName: units.name,
      changedByName: persons.name,
      total: sql<number>`(count(*) over ())::int`,
    })
    .from(lateChanges)
    .innerJoin(units, eq(units.id, lateChanges.unitId))
    .innerJoin(persons, eq(persons.id, lateChanges.changedBy))
    .where(and(eq(lateChanges.month, month), like(units.path, `${path}%`)))
    .orderBy(desc(lateChanges.id))
    .limit(limit)
    .offset(offset)
  return {
    total: rows[0]?.total ?? 0,
    newest: rows.map(({ change, unitName, changedByName }) => ({ ...change, unitName, changedByName })),
  }
}

export async function isClosedMonth(db: Db, programme: string, month: string): Promise<boolean> {
  const rows = await db
    .select({ month: closedMonths.month })
    .from(closedMonths)
    .where(and(eq(closedMonths.programme, programme), eq(closedMonths.month, month)))
  return rows.length > 0
}

/** @returns false: it was closed before */
export async function closeMonth(db: Db, programme: string, month: string, closedAt: Date): Promise<boolean> {
  const rows = await db
    .insert(closedMonths)
    .values({ programme, month, closedAt })
    .onConflictDoNothing()
    .returning({ month: closedMonths.month })
  return rows.length > 0
}

/**
 * Notes that a programme's month is begun. One that was asked for before such starts were noted began with the first asking.
 * @returns when it was begun the first time
 */
export async function beginMonth(db: Db, programme: string, month: string, now: Date): Promise<Date> {
  const before = await monthStartOf(db, programme, month)
  if (before) return before
  await db.execute(sql`
    insert into month_starts (programme, month, begun_at)
    select ${programme}, ${month}, least(${now.toISOString()}::timestamptz, min(m.asked_at))
    from unit_months m join units u on u.id = m.unit_id where m.month = ${month} and u.programme = ${programme}
    on conflict do nothing`)
  return (await monthStartOf(db, programme, month)) ?? now
}

export async function monthStartOf(db: Db, programme: string, month: string): Promise<Date | null> {
  const [row] = await db
    .select({ begunAt: monthStarts.begunAt })
    .from(monthStarts)
    .where(and(eq(monthStarts.programme, programme), eq(monthStarts.month, month)))
  return row?.begunAt ?? null
}

/** When a programme's months were closed, of some. */
export async function closingsOf(db: Db, programme: string, months: string[]): Promise<Map<string, Date>> {
  const rows = await db
    .select({ month: closedMonths.month, closedAt: closedMonths.closedAt })
    .from(closedMonths)
    .where(and(eq(closedMonths.programme, programme), inArray(closedMonths.month, months)))
  return new Map(rows.map(row => [row.month, row.closedAt]))
}

/*
 * What owners are asked.
 */

/** The groups that stood at some time in a month. */
const stoodIn = (start: Date, end: Date) =>
  sql`g.created_at < ${end.toISOString()} and (g.dissolved_at is null or g.dissolved_at >= ${start.toISOString()})`

export interface AskedGroup {
  groupId: number
  ownerId: number
  name: string
}

/** Not laid before who owns it, and no owner has said anything of it: whoever has taken it over meanwhile is asked. */
const isToShow = (month: string) => sql`not exists (select from group_months m
  where m.group_id = g.id and m.month = ${month} and (m.answered_at is not null or m.owner_id = g.owner_id))`

/** The groups of the next owners (by number, after `after`) that they have not been shown for a month. */
export async function groupsToShow(
  db: Db,
  programme: string,
  month: string,
  span: { start: Date; end: Date },
  after: number,
  owners: number,
): Promise<AskedGroup[]> {
  const rows = await db.execute<{ id: string; owner_id: string; name: string }>(sql`
    with next as (
      select distinct g.owner_id from groups g
      where g.owner_id > ${after} and g.programme = ${programme} and ${stoodIn(span.start, span.end)}
        and ${isToShow(month)}
      order by g.owner_id limit ${owners}
    )
    select g.id, g.owner_id, g.name from next join groups g on g.owner_id = next.owner_id
    where g.programme = ${programme} and ${stoodIn(span.start, span.end)}
      and ${isToShow(month)}
    order by g.owner_id, g.id`)
  return [...rows].map(row => ({ groupId: Number(row.id), ownerId: Number(row.owner_id), name: row.name }))
}

/** What was laid before a former owner, who said nothing, is laid before the new one. @returns the groups that are shown anew */
export async function insertGroupMonths(
  db: Db,
  rows: (typeof groupMonths.$inferInsert)[],
): Promise<Set<number>> {
  if (rows.length === 0) return new Set()
  const inserted = await db
    .insert(groupMonths)
    .values(rows)
    .onConflictDoUpdate({
      target: [groupMonths.groupId, groupMonths.month],
      set: {
        ownerId: sql`excluded.owner_id`,
        figures: sql`excluded.figures`,
        askedAt: sql`excluded.asked_at`,
        remindedAt: null,
      },
      setWhere: sql`${groupMonths.answeredAt} is null and ${groupMonths.ownerId} <> excluded.owner_id`,
    })
    .returning({ groupId: groupMonths.groupId })
  return new Set(inserted.map(row => row.groupId))
}

/**
 * Takes the next owners who have said nothing of groups that they still have, and notes that they are reminded.
 * @param askedBefore they were asked before this moment
 */
export async function takeOwnersToRemind(
  db: Db,
  programme: string,
  month: string,
  askedBefore: Date,
  owners: number,
  now: Date,
): Promise<{ ownerId: number; groups: number }[]> {
  const rows = await db.execute<{ owner_id: string; count: number }>(sql`
    with due as (
      select m.group_id, m.owner_id from group_months m join groups g on g.id = m.group_id
      where m.month = ${month} and m.answered_at is null and m.reminded_at is null and g.owner_id = m.owner_id
        and g.programme = ${programme} and m.asked_at < ${askedBefore.toISOString()}
    ), next as (
      select owner_id from due group by owner_id order by owner_id limit ${owners}
    ), noted as (
      update group_months m set reminded_at = ${now.toISOString()}
      from due join next on next.owner_id = due.owner_id
      where m.group_id = due.group_id and m.month = ${month} and m.reminded_at is null returning m.owner_id
    )
    select owner_id, count(*)::int as count from noted group by owner_id`)
  return [...rows].map(row => ({ ownerId: Number(row.owner_id), groups: row.count }))
}

export interface OwnGroupMonth {
  groupId: number
  name: string
  unitId: number
  /** What the owner was shown; null: nothing yet. */
  shown: Record<string, number> | null
  answeredAt: Date | null
}

/** The groups that somebody owns of those that stood in a month, with what they have said of it. */
export async function ownGroupMonths(
  db: Db,
  ownerId: number,
  programmes: string[],
  month: string,
  span: { start: Date; end: Date },
): Promise<OwnGroupMonth[]> {
  const rows = await db.execute<{
    id: string
    name: string
    unit_id: string
    figures: Record<string, number> | null
    answered_at: string | null
  }>(sql`
    select g.id, g.name, g.unit_id, m.figures, m.answered_at from groups g
    left join group_months m on m.group_id = g.id and m.month = ${month}
    where g.owner_id = ${ownerId} and g.programme = any(${sql.param(programmes)}::text[])
      and ${stoodIn(span.start, span.end)} order by g.id`)
  return [...rows].map(row => ({
    groupId: Number(row.id),
    name: row.name,
    unitId: Number(row.unit_id),
    shown: row.figures,
    answeredAt: row.answered_at === null ? null : new Date(row.answered_at),
  }))
}

/** Puts down what an owner says of their groups. */
export async function putAnswers(db: Db, rows: (typeof groupMonths.$inferInsert)[]): Promise<void> {
  if (rows.length === 0) return
  await db
    .insert(groupMonths)
    .values(rows)
    .onConflictDoUpdate({
      target: [groupMonths.groupId, groupMonths.month],
      set: {
        ownerId: sql`excluded.owner_id`,
        figures: sql`excluded.figures`,
        answeredAt: sql`excluded.answered_at`,
        isCorrected: sql`${groupMonths.isCorrected} or excluded.is_corrected`,
      },
    })
}

export interface GroupAnswers {
  groups: number
  answered: number
  corrected: number
  /** Groups that had messages or stood in the month and have nobody to ask. */
  ownerless: number
}

/** How far the owners below some units have said that their groups' month is right, by unit. */
export async function groupAnswers(
  db: Db,
  path: string,
  month: string,
  span: { start: Date; end: Date },
): Promise<Map<number, GroupAnswers>> {
  const rows = await db.execute<{
    child: string
    groups: number
    answered: number
    corrected: number
    ownerless: number
  }>(sql`
    with under as materialized (
      select u.id,
        coalesce(nullif(split_part(substr(u.path, ${path.length + 1}::int), '/', 1), '')::bigint, u.id) as child
      from units u where u.path like ${`${path}%`}
    )
    select under.child, count(*)::int as groups, count(m.answered_at)::int as answered,
      (count(*) filter (where m.answered_at is not null and m.is_corrected))::int as corrected,
      (count(*) filter (where g.owner_id is null))::int as ownerless
    from groups g join under on under.id = g.unit_id
    left join group_months m on m.group_id = g.id and m.month = ${month}
    where ${stoodIn(span.start, span.end)} group by 1`)
  return new Map([...rows].map(({ child, ...row }) => [Number(child), row]))
}

/*
 * What units sign.
 */

export interface UnitToAsk {
  id: number
  name: string
  path: string
  parentId: number | null
}

/**
 * The units of a level that are to be asked for a month: there before it ended, not asked yet, and all below them have
 * signed or are too late. Those of the next parents by number, after `after`; a unit without one is its own.
 * @param below the levels that sign below this one
 */
export async function unitsToAsk(
  db: Db,
  asked: {
    programme: string
    month: string
    level: string
    below: readonly string[]
    /** Those below had their time. */
    isDue: boolean
    end: Date
    after: number
    parents: number
  },
): Promise<UnitToAsk[]> {
  const { programme, month, level, below, isDue, end, after, parents } = asked
  const isAsked = sql`not exists (select from unit_months m where m.unit_id = u.id and m.month = ${month})`
  const isReady = isDue
    ? sql`true`
    : sql`not exists (
        select from units c where c.parent_id = u.id and c.level = any(${sql.param([...below])}::text[])
          and c.created_at < ${end.toISOString()}
          and not exists (select from unit_months s where s.unit_id = c.id and s.month = ${month} and s.signed_at is not null)
      )`
  const which = sql`u.programme = ${programme} and u.level = ${level} and u.created_at < ${end.toISOString()}
    and ${isAsked} and ${isReady}`
  const rows = await db.execute<{ id: string; name: string; path: string; parent_id: string | null }>(sql`
    with next as (
      select distinct coalesce(u.parent_id, u.id) as parent_id from units u
      where ${which} and coalesce(u.parent_id, u.id) > ${after} order by 1 limit ${parents}
    )
    select u.id, u.name, u.path, u.parent_id from units u join next on next.parent_id = coalesce(u.parent_id, u.id)
    where ${which} order by coalesce(u.parent_id, u.id), u.code`)
  return [...rows].map(row => ({
    id: Number(row.id),
    name: row.name,
    path: row.path,
    parentId: row.parent_id === null ? null : Number(row.parent_id),
  }))
}

/** @returns the units that had not been asked before */
export async function insertUnitMonths(
  db: Db,
  rows: (typeof unitMonths.$inferInsert)[],
): Promise<Set<number>> {
  if (rows.length === 0) return new Set()
  const inserted = await db
    .insert(unitMonths)
    .values(rows)
    .onConflictDoNothing()
    .returning({ unitId: unitMonths.unitId })
  return new Set(inserted.map(row => row.unitId))
}

/** Takes the units of a level that have not signed, and notes that they are reminded. */
export async function takeUnitsToRemind(
  db: Db,
  asked: { programme: string; month: string; level: string; askedBefore: Date; limit: number; now: Date },
): Promise<{ id: number; name: string; parentName: string | null }[]> {
  const { programme, month, level, askedBefore, limit, now } = asked
  const rows = await db.execute<{ id: string; name: string; parent_name: string | null }>(sql`
    with due as (
      select m.unit_id from unit_months m join units u on u.id = m.unit_id
      where m.month = ${month} and m.signed_at is null and m.reminded_at is null
        and m.asked_at < ${askedBefore.toISOString()} and u.programme = ${programme} and u.level = ${level}
      order by u.path limit ${limit}
    ), noted as (
      update unit_months m set reminded_at = ${now.toISOString()} from due
      where m.unit_id = due.unit_id and m.month = ${month} and m.reminded_at is null returning m.unit_id
    )
    select u.id, u.name, above.name as parent_name from noted join units u on u.id = noted.unit_id
    left join units above on above.id = u.parent_id order by u.path`)
  return [...rows].map(row => ({ id: Number(row.id), name: row.name, parentName: row.parent_name }))
}

/** Makes those who sign for one unit at the same time wait for each other, until the transaction ends. */
export async function lockForSigning(db: Db, unitId: number): Promise<void> {
  await db.select({ id: units.id }).from(units).where(eq(units.id, unitId)).for('no key update')
}

export async function unitMonthOf(db: Db, unitId: number, month: string): Promise<UnitMonthRow | null> {
  const [row] = await db
    .select()
    .from(unitMonths)
    .where(and(eq(unitMonths.unitId, unitId), eq(unitMonths.month, month)))
  return row ?? null
}

/** Puts down that a unit signed: the first time counts for whether it was in time, the last figures stand. */
export async function putSignature(db: Db, row: typeof unitMonths.$inferInsert): Promise<void> {
  await db
    .insert(unitMonths)
    .values(row)
    .onConflictDoUpdate({
      target: [unitMonths.unitId, unitMonths.month],
      set: {
        signedAt: sql`coalesce(${unitMonths.signedAt}, excluded.signed_at)`,
        signedBy: sql`excluded.signed_by`,
        figures: sql`excluded.figures`,
      },
    })
}

export type SignedMonth = UnitMonthRow & { signedByName: string | null }

/** What units have signed of a month. */
export async function unitMonthsOf(
  db: Db,
  unitIds: number[],
  month: string,
): Promise<Map<number, SignedMonth>> {
  if (unitIds.length === 0) return new Map()
  const rows = await db
    .select({ row: unitMonths, name: persons.name })
    .from(unitMonths)
    .leftJoin(persons, eq(persons.id, unitMonths.signedBy))
    .where(and(inArray(unitMonths.unitId, unitIds), eq(unitMonths.month, month)))
  return new Map(rows.map(({ row, name }) => [row.unitId, { ...row, signedByName: name }]))
}

/** The five counts of a month by level below a unit, itself included. @param end of the month */
export async function signingCounts(
  db: Db,
  path: string,
  month: string,
  levels: readonly string[],
  end: Date,
): Promise<{ level: string; expected: number; received: number; onTime: number }[]> {
  const rows = await db.execute<{ level: string; expected: number; received: number; on_time: number }>(sql`
    select u.level, count(*)::int as expected, count(m.signed_at)::int as received,
      (count(*) filter (where m.signed_at <= m.due_at))::int as on_time
    from units u left join unit_months m on m.unit_id = u.id and m.month = ${month}
    where u.path like ${`${path}%`} and u.level = any(${sql.param([...levels])}::text[])
      and u.created_at < ${end.toISOString()}
    group by u.level`)
  return [...rows].map(({ on_time, ...row }) => ({ ...row, onTime: on_time }))
}

export interface UnsignedUnit {
  id: number
  name: string
  level: string
  path: string
  parentName: string | null
  askedAt: Date | null
  dueAt: Date | null
}

/** A page of the units below a unit, itself included, that have not signed a month: the lowest levels first. */
export async function unsignedUnits(
  db: Db,
  path: string,
  month: string,
  { levels, end, limit, offset }: { levels: readonly string[]; end: Date; limit: number; offset: number },
): Promise<UnsignedUnit[]> {
  const rows = await db.execute<{
    id: string
    name: string
    level: string
    path: string
    parent_name: string | null
    asked_at: string | null
    due_at: string | null
  }>(sql`
    select u.id, u.name, u.level, u.path, above.name as parent_name, m.asked_at, m.due_at
    from units u left join unit_months m on m.unit_id = u.id and m.month = ${month}
    left join units above on above.id = u.parent_id
    where u.path like ${`${path}%`} and u.level = any(${sql.param([...levels])}::text[]) and m.signed_at is null
      and u.created_at < ${end.toISOString()}
    order by array_position(${sql.param([...levels])}::text[], u.level), u.path limit ${limit} offset ${offset}`)
  return [...rows].map(row => ({
    id: Number(row.id),
    name: row.name,
    level: row.level,
    path: row.path,
    parentName: row.parent_name,
    askedAt: row.asked_at === null ? null : new Date(row.asked_at),
    dueAt: row.due_at === null ? null : new Date(row.due_at),
  }))
}

/** Units of some that have not signed a month and sign it, in the order of the tree. */
export async function unsignedOf(
  db: Db,
  unitIds: number[],
  month: string,
  levels: readonly string[],
  end: Date,
): Promise<{ id: number; name: string; level: string; path: string; programme: string }[]> {
  if (unitIds.length === 0) return []
  return db
    .select({
      id: units.id,
      name: units.name,
      level: units.level,
      path: units.path,
      programme: units.programme,
    })
    .from(units)
    .leftJoin(unitMonths, and(eq(unitMonths.unitId, units.id), eq(unitMonths.month, month)))
    .where(
      and(
        inArray(units.id, unitIds),
        inArray(units.level, [...levels]),
        isNull(unitMonths.signedAt),
        sql`${units.createdAt} < ${end.toISOString()}`,
      ),
    )
    .orderBy(asc(units.path))
}

/** The names from the topmost unit down to each of some, itself included. */
export async function linesOfUnits(db: Db, unitIds: number[]): Promise<Map<number, string[]>> {
  if (unitIds.length === 0) return new Map()
  const rows = await db.execute<{ id: string; names: string[] }>(sql`
    select u.id, ${namesDownTo} as names from units u where u.id = any(${sql.param(unitIds)}::bigint[])`)
  return new Map([...rows].map(row => [Number(row.id), row.names]))
}

const namesDownTo = sql`(select array_agg(a.name order by line.depth)
  from unnest(string_to_array(trim('/' from u.path), '/')::bigint[]) with ordinality as line (id, depth)
  join units a on a.id = line.id)`

/** Units of a subtree that somebody names whole, with as much of what stands above them as they write: 镇川镇, 榆阳区镇川镇. */
export async function unitsCalled(
  db: Db,
  path: string,
  words: string,
): Promise<{ id: number; name: string; level: string; names: string[] }[]> {
  const rows = await db.execute<{ id: string; name: string; level: string; names: string[] }>(sql`
    select u.id, u.name, u.level, line.names from units u cross join lateral (select ${namesDownTo} as names) as line
    where u.path like ${`${path}%`} and right(${words}, length(u.name)) = u.name
      and right(array_to_string(line.names, ''), length(${words})) = ${words}
    order by u.path limit 20`)
  return [...rows].map(row => ({ ...row, id: Number(row.id) }))
}

/** Whether units just below one were asked for a month and have not signed it. */
export async function isAnyUnsignedBelow(db: Db, parentId: number, month: string): Promise<boolean> {
  const [row] = await db.execute<{ found: boolean }>(sql`
    select exists (select from units u join unit_months m on m.unit_id = u.id and m.month = ${month}
      where u.parent_id = ${parentId} and m.signed_at is null) as found`)
  return row?.found ?? false
}

/** Units of a level that get a closed month's papers and have not, those after `after` by number. */
export async function unitsToTell(
  db: Db,
  {
    programme,
    month,
    levels,
    managing,
    end,
    after,
    limit,
  }: {
    programme: string
    month: string
    levels: readonly string[]
    /** Roles of those who get them; a unit that nobody runs is looked at when somebody does. */
    managing: readonly string[]
    end: Date
    after: number
    limit: number
  },
): Promise<number[]> {
  const rows = await db.execute<{ id: string }>(sql`
    select u.id from units u
    where u.programme = ${programme} and u.level = any(${sql.param([...levels])}::text[]) and u.id > ${after}
      and u.created_at < ${end.toISOString()}
      and not exists (select from sent_reports s where s.unit_id = u.id and s.month = ${month})
      and exists (select from roles r where r.unit_id = u.id and r.ended_at is null
        and r.role = any(${sql.param([...managing])}::text[]))
    order by u.id limit ${limit}`)
  return [...rows].map(row => Number(row.id))
}
