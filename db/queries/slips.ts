import { and, asc, desc, eq, inArray, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { persons, slipFiles, slipSteps, slips, units } from '../schema/index.ts'

export type SlipRow = typeof slips.$inferSelect & {
  reporterName: string
  unitName: string
  unitPath: string
  officeName: string
  officePath: string
}
export type SlipStepRow = typeof slipSteps.$inferSelect & { actorName: string | null; officeName: string }

const offices = alias(units, 'office')

function selectSlips(db: Db) {
  return db
    .select({
      slip: slips,
      reporterName: persons.name,
      unitName: units.name,
      unitPath: units.path,
      officeName: offices.name,
      officePath: offices.path,
    })
    .from(slips)
    .innerJoin(persons, eq(persons.id, slips.reporterId))
    .innerJoin(units, eq(units.id, slips.unitId))
    .innerJoin(offices, eq(offices.id, slips.officeId))
}

const flat = ({ slip, ...names }: Awaited<ReturnType<typeof selectSlips>>[number]): SlipRow => ({
  ...slip,
  ...names,
})

export async function insertSlip(db: Db, row: typeof slips.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(slips).values(row).returning({ id: slips.id })
  return inserted?.id as number
}

export async function insertSlipStep(db: Db, row: typeof slipSteps.$inferInsert): Promise<void> {
  await db.insert(slipSteps).values(row)
}

export async function updateSlip(
  db: Db,
  id: number,
  change: Partial<typeof slips.$inferInsert>,
): Promise<void> {
  await db.update(slips).set(change).where(eq(slips.id, id))
}

export async function slipById(db: Db, id: number): Promise<SlipRow | null> {
  const [row] = await selectSlips(db).where(eq(slips.id, id))
  return row ? flat(row) : null
}

/** The same, and nobody else changes it until the transaction ends. */
export async function lockSlip(db: Db, id: number): Promise<SlipRow | null> {
  await db.execute(sql`select from slips where id = ${id} for update`)
  return slipById(db, id)
}

export async function stepsOfSlip(db: Db, id: number): Promise<SlipStepRow[]> {
  const rows = await db
    .select({ step: slipSteps, actorName: persons.name, officeName: units.name })
    .from(slipSteps)
    .leftJoin(persons, eq(persons.id, slipSteps.actorId))
    .innerJoin(units, eq(units.id, slipSteps.officeId))
    .where(eq(slipSteps.slipId, id))
    .orderBy(asc(slipSteps.id))
  return rows.map(({ step, ...names }) => ({ ...step, ...names }))
}

/** The offices that have had a slip, or a slip that was merged into it; the reporter was shown each of them. */
export async function lineOfSlip(db: Db, id: number): Promise<number[]> {
  const rows = await db
    .selectDistinct({ officeId: slipSteps.officeId })
    .from(slipSteps)
    .where(eq(slipSteps.slipId, id))
  return rows.map(row => row.officeId)
}

/** Slips that were merged into one, directly or by way of another. */
export async function mergedInto(db: Db, id: number): Promise<SlipRow[]> {
  return (await selectSlips(db).where(eq(slips.mergedInto, id)).orderBy(asc(slips.id))).map(flat)
}

/** What a person has sent up, the newest first. */
export async function slipsOfReporter(
  db: Db,
  personId: number,
  place: { limit: number; offset: number },
): Promise<SlipRow[]> {
  const rows = await selectSlips(db)
    .where(eq(slips.reporterId, personId))
    .orderBy(desc(slips.id))
    .limit(place.limit)
    .offset(place.offset)
  return rows.map(flat)
}

/** What was addressed to a person as the contact of a branch, the newest first. */
export async function slipsCopiedTo(db: Db, personId: number, limit: number): Promise<SlipRow[]> {
  return (await selectSlips(db).where(eq(slips.copyToId, personId)).orderBy(desc(slips.id)).limit(limit)).map(
    flat,
  )
}

export type SlipListState = 'open' | 'answered' | 'ended'
const inState: Record<SlipListState, SQL> = {
  open: sql`${slips.status} = 'open'`,
  answered: sql`${slips.status} = 'answered'`,
  ended: sql`${slips.status} in ('closed', 'merged')`,
}

/** Slips that one of these offices has or has had; what waits longest first, ended ones the newest first. */
export async function slipsOfOffices(
  db: Db,
  officeIds: number[],
  state: SlipListState,
  place: { limit: number; offset: number },
): Promise<(SlipRow & { likeCount: number })[]> {
  if (officeIds.length === 0) return []
  const rows = await selectSlips(db)
    .where(
      and(
        inState[state],
        or(
          inArray(slips.officeId, officeIds),
          sql`exists (select from slip_steps s where s.slip_id = ${slips.id}
            and s.office_id = any(${sql.param(officeIds)}::bigint[]))`,
        ),
      ),
    )
    .orderBy(state === 'ended' ? desc(slips.id) : asc(slips.id))
    .limit(place.limit)
    .offset(place.offset)
  const likes = await likesOf(
    db,
    rows.map(row => row.slip.id),
  )
  return rows.map(row => ({ ...flat(row), likeCount: likes.get(row.slip.id) ?? 0 }))
}

async function likesOf(db: Db, ids: number[]): Promise<Map<number, number>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .select({ into: slips.mergedInto, count: sql<number>`count(*)::int` })
    .from(slips)
    .where(inArray(slips.mergedInto, ids))
    .groupBy(slips.mergedInto)
  return new Map(rows.map(row => [row.into as number, row.count]))
}

/** Slips whose time for an answer is over, taken by one process at a time. */
export async function takeDueSlips(db: Db, now: Date, limit: number): Promise<number[]> {
  const rows = await db
    .select({ id: slips.id })
    .from(slips)
    .where(lte(slips.dueAt, now))
    .orderBy(asc(slips.dueAt))
    .limit(limit)
    .for('update', { skipLocked: true })
  return rows.map(row => row.id)
}

/** The offices from a unit upward, the nearest first, with those who run each. */
export async function officesAbove(
  db: Db,
  unitId: number,
  managing: { programme: string; role: string }[],
): Promise<
  { id: number; name: string; level: string; path: string; readers: { id: number; name: string }[] }[]
> {
  const rows = await db.execute<{
    id: string
    name: string
    level: string
    path: string
    readers: { id: number; name: string }[]
  }>(sql`
    with line as (
      select above.id::bigint as id, above.depth from units u
      cross join lateral unnest(string_to_array(trim('/' from u.path), '/')) with ordinality as above (id, depth)
      where u.id = ${unitId}
    ), managing as (
      select * from unnest(${sql.param(managing.map(each => each.programme))}::text[],
        ${sql.param(managing.map(each => each.role))}::text[]) as m (programme, role)
    )
    select u.id, u.name, u.level, u.path, coalesce((
      select json_agg(json_build_object('id', who.id, 'name', who.name) order by who.since)
      from (
        select p.id, p.name, min(r.id) as since from roles r join persons p on p.id = r.person_id
        where r.unit_id = u.id and r.ended_at is null
          and (u.manager_id = r.person_id or (u.programme, r.role) in (select programme, role from managing))
        group by p.id, p.name
      ) who), '[]') as readers
    from line join units u on u.id = line.id order by line.depth desc`)
  return [...rows].map(row => ({ ...row, id: Number(row.id) }))
}

/** Where a person belongs: the units of their roles, of their registration and of the groups that they are in. */
export async function placesOf(
  db: Db,
  personId: number,
): Promise<{ unitId: number; name: string; programme: string; groupId: number | null }[]> {
  const rows = await db.execute<{
    unit_id: string
    name: string
    programme: string
    group_id: string | null
  }>(sql`
    select distinct on (u.id) u.id as unit_id, u.name, u.programme, place.group_id from (
      select unit_id, null::bigint as group_id, 1 as grade from roles
      where person_id = ${personId} and ended_at is null
      union all select unit_id, group_id, 2 from registrations where person_id = ${personId}
      union all select g.unit_id, g.id, 3 from groups g
        where g.owner_id = ${personId} and g.dissolved_at is null
      union all select g.unit_id, g.id, 4 from group_members m join groups g on g.id = m.group_id
        where m.person_id = ${personId} and m.left_at is null and g.dissolved_at is null
    ) place join units u on u.id = place.unit_id
    order by u.id, place.group_id is null, place.grade`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    name: row.name,
    programme: row.programme,
    groupId: row.group_id === null ? null : Number(row.group_id),
  }))
}

export interface OfficeFigures {
  officeId: number
  officeName: string
  parentId: number | null
  /** Not answered yet, or answered and not ended. */
  unsolved: number
  /** Unsolved for longer than the limit. */
  overdue: number
  oldestAt: Date | null
  ended: number
  /** Hours, the middle of all; null: none. */
  toFirstAnswer: number | null
  toEnd: number | null
}

/**
 * How the offices of a subtree deal with what is sent up to them: offices are measured, not those who write.
 * @param over what is older counts as overdue
 */
export async function officeFigures(db: Db, paths: string[], over: Date): Promise<OfficeFigures[]> {
  if (paths.length === 0) return []
  const rows = await db.execute<{
    office_id: string
    name: string
    parent_id: string | null
    unsolved: number
    overdue: number
    oldest_at: string | null
    ended: number
    to_first: number | null
    to_end: number | null
  }>(sql`
    select u.id as office_id, u.name, u.parent_id,
      (count(*) filter (where s.status in ('open', 'answered')))::int as unsolved,
      (count(*) filter (where s.status in ('open', 'answered') and s.created_at < ${over.toISOString()}::timestamptz))::int as overdue,
      min(s.created_at) filter (where s.status in ('open', 'answered')) as oldest_at,
      (count(*) filter (where s.status = 'closed'))::int as ended,
      (percentile_cont(0.5) within group (order by extract(epoch from s.first_answered_at - s.created_at)
        ) filter (where s.first_answered_at is not null) / 3600)::float8 as to_first,
      (percentile_cont(0.5) within group (order by extract(epoch from s.ended_at - s.created_at)
        ) filter (where s.status = 'closed') / 3600)::float8 as to_end
    from slips s join units u on u.id = s.office_id
    where exists (select from unnest(${sql.param(paths)}::text[]) as top (path) where starts_with(u.path, top.path))
    group by u.id order by 5 desc, u.path`)
  return [...rows].map(row => ({
    officeId: Number(row.office_id),
    officeName: row.name,
    parentId: row.parent_id === null ? null : Number(row.parent_id),
    unsolved: row.unsolved,
    overdue: row.overdue,
    oldestAt: row.oldest_at === null ? null : new Date(row.oldest_at),
    ended: row.ended,
    toFirstAnswer: row.to_first,
    toEnd: row.to_end,
  }))
}

/** Offices with overdue slips, with the unit above each, for the weekly word. */
export async function overdueOffices(
  db: Db,
  over: Date,
): Promise<{ aboveId: number; officeName: string; count: number; oldestAt: Date }[]> {
  const rows = await db.execute<{ above_id: string; name: string; count: number; oldest_at: string }>(sql`
    select u.parent_id as above_id, u.name, count(*)::int as count, min(s.created_at) as oldest_at
    from slips s join units u on u.id = s.office_id
    where s.status in ('open', 'answered') and s.created_at < ${over.toISOString()}::timestamptz and u.parent_id is not null
    group by u.id order by u.parent_id, min(s.created_at)`)
  return [...rows].map(row => ({
    aboveId: Number(row.above_id),
    officeName: row.name,
    count: row.count,
    oldestAt: new Date(row.oldest_at),
  }))
}

export async function insertSlipFile(db: Db, row: typeof slipFiles.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(slipFiles).values(row).returning({ id: slipFiles.id })
  return inserted?.id as number
}

export async function filesOfSlip(db: Db, slipId: number) {
  return db
    .select({ id: slipFiles.id, name: slipFiles.name, mime: slipFiles.mime, size: slipFiles.size })
    .from(slipFiles)
    .where(eq(slipFiles.slipId, slipId))
    .orderBy(asc(slipFiles.id))
}

export async function slipFile(db: Db, slipId: number, id: number) {
  const [row] = await db
    .select()
    .from(slipFiles)
    .where(and(eq(slipFiles.slipId, slipId), eq(slipFiles.id, id)))
  return row ?? null
}

/** Open slips of one office that can be merged: unsolved, and whole themselves. */
export async function mergeable(db: Db, officeId: number, ids: number[]): Promise<number[]> {
  const rows = await db
    .select({ id: slips.id })
    .from(slips)
    .where(
      and(
        eq(slips.officeId, officeId),
        inArray(slips.id, ids),
        inArray(slips.status, ['open', 'answered']),
        isNull(slips.mergedInto),
      ),
    )
  return rows.map(row => row.id)
}
