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

/** The step by which a message was to tell a group; null: it is no message of a slip's. */
export async function slipStepOfMessage(
  db: Db,
  outgoingId: number,
): Promise<{ slipId: number; officeId: number; actorId: number | null; outgoingKind: string } | null> {
  const [row] = await db.execute<{
    slip_id: string
    office_id: string
    actor_id: string | null
    kind: string
  }>(sql`
    select s.slip_id, s.office_id, coalesce(s.actor_id, (
        select told.actor_id from slip_steps told
        where told.slip_id = s.slip_id and told.kind = 'told_group' order by told.id desc limit 1)) as actor_id, o.kind
    from slip_steps s join outgoing_messages o on o.id = s.outgoing_id where s.outgoing_id = ${outgoingId} limit 1`)
  if (!row) return null
  return {
    slipId: Number(row.slip_id),
    officeId: Number(row.office_id),
    actorId: row.actor_id === null ? null : Number(row.actor_id),
    outgoingKind: row.kind,
  }
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
  /** Ended while this office had them. */
  ended: number
  /** How many went a level up because this office had not answered in time. */
  lapsed: number
  /** Hours from taking to the first answer, or to losing it by time; the middle of all, null: none. */
  toAnswer: number | null
  /** Hours from taking to the end, of those that ended here. */
  toEnd: number | null
}

/**
 * The times for which offices had slips, as a list of CTEs that ends with `tenure`: an office has a slip from the step that
 * brings it (`sent`, `raised`, `leads`) to the next one, or until it is merged into another, with which it counts from then
 * on. The steps of the other move it along and bring it to nobody.
 * @param which a query of the ids of slips
 */
const tenures = (which: SQL) => sql`
    chosen as (${which}),
    step as (
      select st.id, st.slip_id, st.office_id, st.kind, st.at, st.actor_id,
        max(st.id) filter (where st.kind = 'merged') over before as merged_at,
        max(st.id) filter (where st.kind in ('sent', 'leads') or st.kind = 'raised' and st.actor_id = s.reporter_id)
          over before as own_at
      from slip_steps st join chosen c on c.id = st.slip_id join slips s on s.id = st.slip_id
      window before as (partition by st.slip_id order by st.id)
    ), turn as (
      -- what moves a slip, or takes it from its office
      select *, kind <> 'merged' as brings from step
      where kind in ('sent', 'leads', 'merged') or kind = 'raised' and coalesce(own_at > merged_at, true)
    ), bounded as (
      select slip_id, office_id, id, at, brings, lead(id) over next as lost_id, lead(at) over next as lost_at,
        lead(kind) over next as lost_by, lead(actor_id) over next as lost_through
      from turn window next as (partition by slip_id order by id)
    ), tenure as (
      select b.slip_id, b.office_id, b.at as taken_at, b.lost_at,
        b.lost_by = 'raised' and b.lost_through is null as by_time, dealt.answered_at, dealt.ended_at
      from bounded b left join lateral (
        select min(a.at) filter (where a.kind = 'answered') as answered_at, max(a.at) filter (where a.kind = 'closed') as ended_at
        from slip_steps a where a.slip_id = b.slip_id and a.kind in ('answered', 'closed') and a.id > b.id
          and (b.lost_id is null or a.id < b.lost_id)
      ) dealt on true
      where b.brings
    )`

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
    ${tenures(sql`
      select s.id from slips s join units u on u.id = s.unit_id
      where s.created_at >= ${since.toISOString()}::timestamptz
        and exists (select from top where starts_with(u.path, top.path) or starts_with(top.path, u.path))`)},
    figures as (
      select t.office_id,
        (count(*) filter (where t.lost_at is null and t.ended_at is null and s.status in ('open', 'answered')))::int as unsolved,
        (count(*) filter (where t.lost_at is null and t.ended_at is null and s.status in ('open', 'answered')
          and s.created_at < ${over.toISOString()}::timestamptz))::int as overdue,
        min(s.created_at) filter (where t.lost_at is null and t.ended_at is null and s.status in ('open', 'answered')) as oldest_at,
        (count(t.ended_at))::int as ended,
        (count(*) filter (where t.by_time and t.answered_at is null))::int as lapsed,
        (percentile_cont(0.5) within group (order by extract(epoch from
          coalesce(t.answered_at, case when t.by_time then t.lost_at end) - t.taken_at)) / 3600)::float8 as to_answer,
        (percentile_cont(0.5) within group (order by extract(epoch from t.ended_at - t.taken_at)) / 3600)::float8 as to_end
      from tenure t join slips s on s.id = t.slip_id group by t.office_id
    )
    select o.id as office_id, o.name, f.unsolved, f.overdue, f.oldest_at, f.ended, f.lapsed, f.to_answer, f.to_end
    from figures f join units o on o.id = f.office_id
    where exists (select from top where starts_with(o.path, top.path))
    order by f.overdue desc, f.lapsed desc, o.path limit 500`)
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

/**
 * Offices that had unsolved slips for too long at a moment, with the unit above each, for the weekly word: as it stood
 * then, whoever has them now and whatever has been answered since.
 * @param over what was sent up before this counts
 */
export async function overdueOffices(
  db: Db,
  { at, over }: { at: Date; over: Date },
): Promise<{ aboveId: number; officeName: string; count: number; oldestAt: Date }[]> {
  const then = sql`${at.toISOString()}::timestamptz`
  const rows = await db.execute<{ above_id: string; name: string; count: number; oldest_at: string }>(sql`
    with ${tenures(sql`
      select id from slips where created_at < ${over.toISOString()}::timestamptz
        and (ended_at is null or ended_at >= ${then})`)}
    select u.parent_id as above_id, u.name, count(*)::int as count, min(s.created_at) as oldest_at
    from tenure t join slips s on s.id = t.slip_id join units u on u.id = t.office_id
    where t.taken_at < ${then} and (t.lost_at is null or t.lost_at >= ${then}) and (t.ended_at is null or t.ended_at >= ${then})
      and u.parent_id is not null
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
