import { and, asc, eq, inArray, isNull, like, or, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { dailyCounts, groups, persons, tasks, units } from '../schema/index.ts'
import type { Reach } from './groups.ts'

const bigints = (ids: readonly number[]) => sql`${sql.param([...ids])}::bigint[]`

export type FindingRow = typeof tasks.$inferSelect

/** What is open about these groups, and about these units as such. */
export function openFindings(
  db: Db,
  about: { groupIds: number[]; unitIds: number[] },
  kinds: string[],
): Promise<FindingRow[]> {
  return db
    .select()
    .from(tasks)
    .where(and(isNull(tasks.closedAt), inArray(tasks.kind, kinds), aboutAny(about)))
}

/** What somebody said they had seen to, of kinds that no program can check, since `since`. */
export function saidDone(
  db: Db,
  about: { groupIds: number[]; unitIds: number[] },
  kinds: string[],
  since: Date,
): Promise<FindingRow[]> {
  return db
    .select()
    .from(tasks)
    .where(
      and(
        eq(tasks.closedBy, 'word'),
        sql`${tasks.closedAt} > ${since.toISOString()}`,
        inArray(tasks.kind, kinds),
        aboutAny(about),
      ),
    )
}

function aboutAny({ groupIds, unitIds }: { groupIds: number[]; unitIds: number[] }): SQL | undefined {
  return or(
    sql`${tasks.groupId} = any(${bigints(groupIds)})`,
    and(isNull(tasks.groupId), sql`${tasks.unitId} = any(${bigints(unitIds)})`),
  )
}

/**
 * Of these removals those that a reading has proved: the whole list was read since and the account is not on it, or nobody
 * goes by the person's name unless by proof, which an account of their own is. A roll call proves nobody gone.
 */
export async function removalsProved(db: Db, taskIds: number[]): Promise<Set<number>> {
  if (taskIds.length === 0) return new Set()
  const rows = await db.execute<{ id: string }>(sql`
    select t.id from tasks t join groups g on g.id = t.group_id
    where t.id = any(${bigints(taskIds)}) and g.members_read_by in ('platform', 'pasted')
      and case when t.address is null then g.members_read_at > t.created_at else g.members_read_at >= t.created_at end
      and not exists (select from group_members m
        where m.group_id = t.group_id and m.left_at is null and case when t.address is null
          then m.person_id = t.person_id and m.known_by not in ('join_pass', 'binding', 'unionid')
          else m.address = t.address end)`)
  return new Set(rows.map(row => Number(row.id)))
}

export type NewFinding = typeof tasks.$inferInsert

/** Opens findings that are not open yet. Returns how many were new. */
export async function insertFindings(db: Db, rows: readonly NewFinding[]): Promise<number> {
  let count = 0
  for (let from = 0; from < rows.length; from += 5000) {
    const part = rows.slice(from, from + 5000)
    const column = <Value>(read: (row: NewFinding) => Value) => sql.param(part.map(read))
    const inserted = await db.execute(sql`
      insert into tasks (kind, group_id, unit_id, person_id, address, about, why, source, due_on, asked_id, told_at, created_at)
      select kind, group_id, unit_id, person_id, address, about, why, source, due_on::date, asked_id, told_at::timestamptz,
        created_at::timestamptz
      from unnest(
        ${column(row => row.kind)}::text[], ${column(row => row.groupId ?? null)}::bigint[],
        ${column(row => row.unitId ?? null)}::bigint[], ${column(row => row.personId ?? null)}::bigint[],
        ${column(row => row.address ?? null)}::text[], ${column(row => row.about ?? '')}::text[],
        ${column(row => row.why)}::text[], ${column(row => row.source ?? null)}::text[],
        ${column(row => row.dueOn)}::text[], ${column(row => row.askedId ?? null)}::bigint[],
        ${column(row => row.toldAt?.toISOString() ?? null)}::text[],
        ${column(row => row.createdAt.toISOString())}::text[])
        as n (kind, group_id, unit_id, person_id, address, about, why, source, due_on, asked_id, told_at, created_at)
      on conflict do nothing returning 1`)
    count += inserted.length
  }
  return count
}

export async function closeFindings(db: Db, ids: number[], closedBy: string, now: Date): Promise<void> {
  if (ids.length === 0) return
  await db.execute(sql`
    update tasks set closed_at = ${now.toISOString()}::timestamptz, closed_by = ${closedBy}
    where id = any(${bigints(ids)}) and closed_at is null`)
}

/** Says anew what is still so and who is asked; who is asked for the first time has not been told. */
export async function refreshFindings(
  db: Db,
  rows: readonly { id: number; why: string; askedId: number | null }[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += 5000) {
    const part = rows.slice(from, from + 5000)
    await db.execute(sql`
      update tasks t set why = n.why, asked_id = n.asked_id,
        told_at = case when t.asked_id is distinct from n.asked_id then null else t.told_at end
      from unnest(${bigints(part.map(row => row.id))}, ${sql.param(part.map(row => row.why))}::text[],
        ${sql.param(part.map(row => row.askedId))}::bigint[]) as n (id, why, asked_id)
      where t.id = n.id`)
  }
}

/** Findings about dissolved groups are asked for no more. */
export async function voidOfDissolved(db: Db, now: Date): Promise<void> {
  await db.execute(sql`
    update tasks t set closed_at = ${now.toISOString()}::timestamptz, closed_by = 'void'
    from groups g where g.id = t.group_id and g.dissolved_at is not null and t.closed_at is null`)
}

const CURSOR = 'reconcile:units'

/** The unit up to which the reconcile of a day (`YYYY-MM-DD`) has come; null before it began. */
export async function reconciledUpTo(db: Db, day: string): Promise<number | null> {
  const [row] = await db
    .select({ count: dailyCounts.count })
    .from(dailyCounts)
    .where(and(eq(dailyCounts.key, CURSOR), eq(dailyCounts.day, day)))
  return row?.count ?? null
}

export async function noteReconciledUpTo(db: Db, day: string, unitId: number): Promise<void> {
  await db
    .insert(dailyCounts)
    .values({ key: CURSOR, day, count: unitId })
    .onConflictDoUpdate({ target: [dailyCounts.key, dailyCounts.day], set: { count: unitId } })
}

// telling

/** Persons who have not been told of something, or were told long ago of something that is overdue. */
export async function personsToTell(
  db: Db,
  when: { today: string; toldBefore: Date },
  limit: number,
): Promise<number[]> {
  const rows = await db.execute<{ asked_id: string }>(sql`
    select distinct asked_id from tasks
    where closed_at is null and asked_id is not null and source is not null and (told_at is null
      or (due_on < ${when.today}::date and told_at < ${when.toldBefore.toISOString()}::timestamptz))
    order by asked_id limit ${limit}`)
  return rows.map(row => Number(row.asked_id))
}

export interface ToldFinding {
  askedId: number
  id: number
  groupId: number | null
  groupName: string | null
  why: string
  source: string | null
  dueOn: string
  isNew: boolean
}

/** What is open for each of these persons: those they have not been told of first, then the most overdue. */
export async function openOfAsked(db: Db, personIds: number[]): Promise<ToldFinding[]> {
  const rows = await db.execute<{
    asked_id: string
    id: string
    group_id: string | null
    group_name: string | null
    why: string
    source: string | null
    due_on: string
    is_new: boolean
  }>(sql`
    select t.asked_id, t.id, t.group_id, g.name as group_name, t.why, t.source, t.due_on::text, t.told_at is null as is_new
    from tasks t left join groups g on g.id = t.group_id
    where t.closed_at is null and t.asked_id = any(${bigints(personIds)}) and t.source is not null
    order by t.asked_id, t.told_at is not null, t.due_on, t.id`)
  return rows.map(row => ({
    askedId: Number(row.asked_id),
    id: Number(row.id),
    groupId: row.group_id === null ? null : Number(row.group_id),
    groupName: row.group_name,
    why: row.why,
    source: row.source,
    dueOn: row.due_on,
    isNew: row.is_new,
  }))
}

/** How many of each person's were closed since they were last told of anything. */
export async function closedSinceTold(db: Db, personIds: number[]): Promise<Map<number, number>> {
  const rows = await db.execute<{ asked_id: string; count: number }>(sql`
    with last as (
      select asked_id, max(told_at) as at from tasks where asked_id = any(${bigints(personIds)}) group by 1
    )
    select t.asked_id, count(*)::int as count from tasks t join last on last.asked_id = t.asked_id
    where t.closed_at > last.at and t.closed_by <> 'void' group by 1`)
  return new Map(rows.map(row => [Number(row.asked_id), row.count]))
}

export async function noteTold(db: Db, personIds: number[], now: Date): Promise<void> {
  await db.execute(sql`
    update tasks set told_at = ${now.toISOString()}::timestamptz
    where closed_at is null and asked_id = any(${bigints(personIds)}) and source is not null`)
}

// lists

export interface FindingFilter {
  reach: Reach
  /** The unit of this path and all below. */
  unitPath?: string | undefined
  kind?: string | undefined
  groupId?: number | undefined
  isOverdue?: boolean | undefined
  /** `YYYY-MM-DD` */
  today: string
}

export type ListedFinding = FindingRow & {
  groupName: string | null
  unitName: string
  placeId: number
  askedName: string | null
}

const place = alias(units, 'place')
const asked = alias(persons, 'asked')

function findingWhere({ reach, unitPath, kind, groupId, isOverdue, today }: FindingFilter): SQL | undefined {
  const inLine = reach.rolePaths.flatMap(path => [
    like(place.path, `${path}%`),
    sql`${path}::text like ${place.path} || '%'`,
  ])
  return and(
    isNull(tasks.closedAt),
    sql`${groups.dissolvedAt} is null`,
    or(
      ...reach.topPaths.map(path => like(place.path, `${path}%`)),
      inLine.length > 0 ? and(eq(groups.ownerId, reach.personId), or(...inLine)) : sql`false`,
    ),
    unitPath === undefined ? undefined : like(place.path, `${unitPath}%`),
    kind === undefined ? undefined : eq(tasks.kind, kind),
    groupId === undefined ? undefined : eq(tasks.groupId, groupId),
    isOverdue ? sql`${tasks.dueOn} < ${today}` : undefined,
  )
}

function selectFindings(db: Db) {
  return db
    .select({
      row: tasks,
      groupName: groups.name,
      unitName: place.name,
      placeId: place.id,
      askedName: asked.name,
    })
    .from(tasks)
    .leftJoin(groups, eq(groups.id, tasks.groupId))
    .innerJoin(place, sql`${place.id} = coalesce(${groups.unitId}, ${tasks.unitId})`)
    .leftJoin(asked, eq(asked.id, tasks.askedId))
}

/** A page of what is open within reach, the most urgent first. Ask for one more than is shown. */
export async function listFindings(
  db: Db,
  filter: FindingFilter,
  limit: number,
  offset: number,
): Promise<ListedFinding[]> {
  const rows = await selectFindings(db)
    .where(findingWhere(filter))
    .orderBy(asc(tasks.dueOn), asc(tasks.id))
    .limit(limit)
    .offset(offset)
  return rows.map(({ row, ...rest }) => ({ ...row, ...rest }))
}

/** How many are open within reach, by kind, and how many of them are overdue. */
export async function countFindings(
  db: Db,
  filter: FindingFilter,
): Promise<{ kind: string; open: number; overdue: number }[]> {
  return db
    .select({
      kind: tasks.kind,
      open: sql<number>`count(*)::int`,
      overdue: sql<number>`(count(*) filter (where ${tasks.dueOn} < ${filter.today}))::int`,
    })
    .from(tasks)
    .leftJoin(groups, eq(groups.id, tasks.groupId))
    .innerJoin(place, sql`${place.id} = coalesce(${groups.unitId}, ${tasks.unitId})`)
    .where(findingWhere(filter))
    .groupBy(tasks.kind)
}

/** What is open for one person about units as such: what is about groups is listed with the groups. */
export async function unitFindingsOf(db: Db, personId: number, limit: number): Promise<FindingRow[]> {
  return db
    .select()
    .from(tasks)
    .where(and(isNull(tasks.closedAt), isNull(tasks.groupId), eq(tasks.askedId, personId)))
    .orderBy(asc(tasks.dueOn), asc(tasks.id))
    .limit(limit)
}
