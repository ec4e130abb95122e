import { and, asc, desc, eq, gte, inArray, isNull, lte, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import { persons, slipFiles, slipRounds, slipSteps, slips, units } from '../schema/index.ts'

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

/** The same, and nobody else changes it or those merged with it until the transaction ends. */
export async function lockSlip(db: Db, id: number): Promise<SlipRow | null> {
  await lockSlips(db, [id])
  return slipById(db, id)
}

/** Locks slips with all that are merged with them, in the order of their numbers: two merges cannot wait for each other. */
export async function lockSlips(db: Db, ids: number[]): Promise<void> {
  let locked: number[] = []
  for (;;) {
    const rows = await db.execute<{ id: string }>(sql`
      with main as (
        select coalesce(merged_into, id) as id from slips where id = any(${sql.param(ids)}::bigint[])
      ) select id from main union select s.id from slips s join main on s.merged_into = main.id
      union select unnest(${sql.param(ids)}::bigint[])`)
    const family = [...rows].map(row => Number(row.id))
    if (family.every(each => locked.includes(each))) return
    // one that was merged while we waited
    locked = [...new Set([...locked, ...family])]
    await db.execute(
      sql`select from slips where id = any(${sql.param(locked)}::bigint[]) order by id for update`,
    )
  }
}

/** What one person sends up is sent one after the other. */
export async function lockReporter(db: Db, personId: number): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`slip-reporter:${personId}`}))`)
}

/** What a person has sent up since a moment, sealed; the newest first. */
export async function slipsSentSince(db: Db, personId: number, since: Date) {
  return db
    .select({
      id: slips.id,
      kind: slips.kind,
      unitId: slips.unitId,
      officeId: slips.officeId,
      bodySealed: slips.bodySealed,
      createdAt: slips.createdAt,
    })
    .from(slips)
    .where(and(eq(slips.reporterId, personId), gte(slips.createdAt, since)))
    .orderBy(desc(slips.id))
    .limit(100)
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

/**
 * Slips that wait as part of another one, the oldest first. One that its reporter has ended or taken further is none of
 * them any more.
 */
export async function mergedInto(db: Db, id: number): Promise<SlipRow[]> {
  const rows = await selectSlips(db)
    .where(and(eq(slips.mergedInto, id), eq(slips.status, 'merged')))
    .orderBy(asc(slips.id))
  return rows.map(flat)
}

/** Whether an office that has had one of these slips is, or lies below, one that another of them complains about. */
export async function complainsAboutLine(db: Db, ids: number[]): Promise<boolean> {
  const [row] = await db.execute<{ found: boolean }>(sql`
    select exists (
      select from slips s join units about on about.id = s.about_id
      join slip_steps step on step.slip_id = any(${sql.param(ids)}::bigint[])
      join units u on u.id = step.office_id
      where s.id = any(${sql.param(ids)}::bigint[]) and starts_with(u.path, about.path)
    ) as found`)
  return row?.found ?? false
}

/** What the reporters of the slips that are merged into one have added there. */
export async function additionsBelow(
  db: Db,
  id: number,
): Promise<{ slipId: number; aboutId: number | null; textSealed: string | null; at: Date }[]> {
  return db
    .select({
      slipId: slips.id,
      aboutId: slips.aboutId,
      textSealed: slipSteps.textSealed,
      at: slipSteps.at,
    })
    .from(slips)
    .innerJoin(slipSteps, and(eq(slipSteps.slipId, slips.id), eq(slipSteps.kind, 'added')))
    .where(and(eq(slips.mergedInto, id), eq(slips.status, 'merged')))
    .orderBy(asc(slipSteps.id))
    .limit(200)
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

/** What was addressed to a person as the contact of a branch, while they are it; the newest first. */
export async function slipsCopiedTo(db: Db, personId: number, limit: number): Promise<SlipRow[]> {
  const rows = await selectSlips(db)
    .where(
      and(
        eq(slips.copyToId, personId),
        sql`exists (select from contacts c where c.unit_id = ${slips.unitId} and c.person_id = ${personId}
          and c.until_on is null)`,
      ),
    )
    .orderBy(desc(slips.id))
    .limit(limit)
  return rows.map(flat)
}

export type SlipListState = 'open' | 'answered' | 'ended'
const inState: Record<SlipListState, SQL> = {
  open: sql`${slips.status} = 'open'`,
  answered: sql`${slips.status} = 'answered'`,
  ended: sql`${slips.status} in ('closed', 'merged')`,
}

/**
 * Slips that one of these offices has or has had; what waits longest first, ended ones the newest first. Those that are
 * about one of them are not among them.
 */
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
        sql`${slips.id} in (
          select id from slips where office_id = any(${sql.param(officeIds)}::bigint[])
          union select slip_id from slip_steps where office_id = any(${sql.param(officeIds)}::bigint[]))`,
        sql`(${slips.aboutId} is null or ${slips.aboutId} <> all(${sql.param(officeIds)}::bigint[]))`,
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

/** Slips whose time for an answer is over. @param passedOver not these */
export async function dueSlips(db: Db, now: Date, passedOver: number[], limit: number): Promise<number[]> {
  const rows = await db
    .select({ id: slips.id })
    .from(slips)
    .where(and(lte(slips.dueAt, now), sql`${slips.id} <> all(${sql.param(passedOver)}::bigint[])`))
    .orderBy(asc(slips.dueAt))
    .limit(limit)
  return rows.map(row => row.id)
}

/** Begins the weekly word of a day; false: it has been done. */
export async function beginSlipRound(db: Db, day: string, at: Date): Promise<boolean> {
  const begun = await db.insert(slipRounds).values({ day, at }).onConflictDoNothing().returning()
  return begun.length > 0
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
  /** Not answered yet, or answered and not ended. */
  unsolved: number
  /** Unsolved for longer than the limit. */
  overdue: number
  oldestAt: Date | null
  ended: number
  /** How many went a level up because this office had not answered in time. */
  lapsed: number
  /** Hours from taking to the first answer, or to losing it by time; the middle of all, null: none. */
  toAnswer: number | null
  /** Hours from sending to the end. */
  toEnd: number | null
}

/**
 * How the offices of a subtree deal with what is sent up to them: offices are measured, not those who write, and each by
 * the time for which it had a slip. Merged ones count with the one that they are part of.
 * @param over what is older counts as overdue
 * @param since what was sent up earlier is not counted
 */
export async function officeFigures(
  db: Db,
  paths: string[],
  { over, since }: { over: Date; since: Date },
): Promise<OfficeFigures[]> {
  if (paths.length === 0) return []
  const rows = await db.execute<{
    office_id: string
    name: string
    unsolved: number
    overdue: number
    oldest_at: string | null
    ended: number
    lapsed: number
    to_answer: number | null
    to_end: number | null
  }>(sql`
    with top as (select path from unnest(${sql.param(paths)}::text[]) as top (path)),
    office as (select u.id, u.name, u.path from units u where exists (select from top where starts_with(u.path, top.path))),
    recent as (
      select * from slips where created_at >= ${since.toISOString()}::timestamptz and merged_into is null
    ), taken as (
      select step.slip_id, step.office_id, step.id, step.at,
        lead(step.id) over after as lost_id, lead(step.at) over after as lost_at,
        lead(step.actor_id is null) over after as by_time
      from slip_steps step join recent on recent.id = step.slip_id
      where step.kind in ('sent', 'raised') window after as (partition by step.slip_id order by step.id)
    ), dealt as (
      select t.office_id, coalesce(t.by_time, false) and answered.at is null as lapsed,
        coalesce(answered.at, case when t.by_time then t.lost_at end) - t.at as took
      from taken t left join lateral (
        select min(a.at) as at from slip_steps a
        where a.slip_id = t.slip_id and a.kind = 'answered' and a.id > t.id and (t.lost_id is null or a.id < t.lost_id)
      ) answered on true
    ), held as (
      select office_id, (count(*) filter (where status in ('open', 'answered')))::int as unsolved,
        (count(*) filter (where status in ('open', 'answered')
          and created_at < ${over.toISOString()}::timestamptz))::int as overdue,
        min(created_at) filter (where status in ('open', 'answered')) as oldest_at,
        (count(*) filter (where status = 'closed'))::int as ended,
        (percentile_cont(0.5) within group (order by extract(epoch from ended_at - created_at)
          ) filter (where status = 'closed') / 3600)::float8 as to_end
      from recent group by office_id
    ), done as (
      select office_id, (count(*) filter (where lapsed))::int as lapsed,
        (percentile_cont(0.5) within group (order by extract(epoch from took)) / 3600)::float8 as to_answer
      from dealt group by office_id
    )
    select o.id as office_id, o.name, coalesce(h.unsolved, 0) as unsolved, coalesce(h.overdue, 0) as overdue,
      h.oldest_at, coalesce(h.ended, 0) as ended, coalesce(d.lapsed, 0) as lapsed, d.to_answer, h.to_end
    from office o left join held h on h.office_id = o.id left join done d on d.office_id = o.id
    where h.office_id is not null or d.office_id is not null
    order by overdue desc, lapsed desc, o.path limit 500`)
  return [...rows].map(row => ({
    officeId: Number(row.office_id),
    officeName: row.name,
    unsolved: row.unsolved,
    overdue: row.overdue,
    oldestAt: row.oldest_at === null ? null : new Date(row.oldest_at),
    ended: row.ended,
    lapsed: row.lapsed,
    toAnswer: row.to_answer,
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
    .select({
      id: slipFiles.id,
      name: slipFiles.name,
      mime: slipFiles.mime,
      size: slipFiles.size,
      createdAt: slipFiles.createdAt,
    })
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
