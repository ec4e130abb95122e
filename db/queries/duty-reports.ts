import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { dutyReportRounds, dutyReports } from '../schema/index.ts'

export type DutyReportRow = typeof dutyReports.$inferSelect

/** Puts a unit's report in the place of the one before. */
export async function putDutyReport(db: Db, row: typeof dutyReports.$inferInsert): Promise<boolean> {
  const before = await db
    .update(dutyReports)
    .set({ replacedAt: row.reportedAt })
    .where(
      and(
        eq(dutyReports.unitId, row.unitId),
        eq(dutyReports.period, row.period),
        isNull(dutyReports.replacedAt),
      ),
    )
    .returning({ id: dutyReports.id })
  await db.insert(dutyReports).values(row)
  return before.length > 0
}

export async function dutyReportOf(db: Db, unitId: number, period: string): Promise<DutyReportRow | null> {
  const [row] = await db
    .select()
    .from(dutyReports)
    .where(
      and(eq(dutyReports.unitId, unitId), eq(dutyReports.period, period), isNull(dutyReports.replacedAt)),
    )
  return row ?? null
}

/** What a unit reported last before a period. */
export async function lastDutyReport(db: Db, unitId: number, before: string): Promise<DutyReportRow | null> {
  const [row] = await db
    .select()
    .from(dutyReports)
    .where(
      and(eq(dutyReports.unitId, unitId), lt(dutyReports.period, before), isNull(dutyReports.replacedAt)),
    )
    .orderBy(desc(dutyReports.period))
    .limit(1)
  return row ?? null
}

/** What the roster says of a unit's branches: who serves on a day, and who has left since another. */
export async function rosterFigures(
  db: Db,
  unit: { path: string; branchKind: string },
  since: string,
  until: string,
): Promise<{ onDuty: number; left: number }> {
  const [row] = await db.execute<{ on_duty: number; left_count: number }>(sql`
    select count(distinct e.person_id) filter (where e.gone_import_id is null and e.status = '在岗'
        and coalesce(e.starts_on, '0001-01-01') <= ${until}::date
        and coalesce(e.ends_on, '9999-12-31') >= ${until}::date)::int as on_duty,
      count(distinct e.person_id) filter (where
        (e.gone_import_id is null and (e.ends_on >= ${since}::date and e.ends_on < ${until}::date))
        or exists (select from roster_imports i where i.id = e.gone_import_id
          and i.applied_at >= ${since}::date and i.applied_at < ${until}::date + 1
          and not exists (select from roster_entries other where other.person_id = e.person_id
            and other.gone_import_id is null)))::int as left_count
    from units u join roster_entries e on e.unit_id = u.id
    where starts_with(u.path, ${unit.path}) and u.kind = ${unit.branchKind}`)
  return { onDuty: row?.on_duty ?? 0, left: row?.left_count ?? 0 }
}

export interface DutySum {
  unitId: number
  unitName: string
  unitPath: string
  /** Counties below, and how many of them have reported. */
  counties: number
  reported: number
  onDuty: number
  left: number
  onLeave: number
  incidents: number
}

/** The reports of a period added up for each unit just below one; for a county itself its own line. */
export async function dutySums(
  db: Db,
  top: { id: number; path: string; level: string },
  period: string,
  level: string,
): Promise<DutySum[]> {
  const rows = await db.execute<{
    unit_id: string
    name: string
    path: string
    counties: number
    reported: number
    on_duty: number
    left_count: number
    on_leave: number
    incidents: number
  }>(sql`
    select part.id as unit_id, part.name, part.path, count(*)::int as counties, count(r.id)::int as reported,
      coalesce(sum(r.on_duty), 0)::int as on_duty, coalesce(sum(r.left_count), 0)::int as left_count,
      coalesce(sum(r.on_leave), 0)::int as on_leave, coalesce(sum(r.incidents), 0)::int as incidents
    from units county
    join units part on starts_with(county.path, part.path)
      and (part.parent_id = ${top.id} or (part.id = ${top.id} and part.level = ${level}))
    left join duty_reports r on r.unit_id = county.id and r.period = ${period} and r.replaced_at is null
    where starts_with(county.path, ${top.path}) and county.level = ${level}
    group by part.id order by part.code`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    unitName: row.name,
    unitPath: row.path,
    counties: row.counties,
    reported: row.reported,
    onDuty: row.on_duty,
    left: row.left_count,
    onLeave: row.on_leave,
    incidents: row.incidents,
  }))
}

export interface CountyReport {
  unitId: number
  unitName: string
  parentId: number | null
  parentName: string | null
  report: { onDuty: number; left: number; onLeave: number; incidents: number; at: Date } | null
}

/** Every county of a subtree with its report; those without one first. */
export async function countyReports(
  db: Db,
  path: string,
  period: string,
  level: string,
  programme: string,
  place: { limit: number; offset: number; isLateOnly?: boolean },
): Promise<CountyReport[]> {
  const rows = await db.execute<{
    unit_id: string
    name: string
    parent_id: string | null
    parent_name: string | null
    on_duty: number | null
    left_count: number | null
    on_leave: number | null
    incidents: number | null
    reported_at: string | null
  }>(sql`
    select u.id as unit_id, u.name, u.parent_id, above.name as parent_name, r.on_duty, r.left_count, r.on_leave, r.incidents,
      r.reported_at
    from units u left join units above on above.id = u.parent_id
    left join duty_reports r on r.unit_id = u.id and r.period = ${period} and r.replaced_at is null
    where starts_with(u.path, ${path}) and u.level = ${level} and u.programme = ${programme}
      and (${place.isLateOnly !== true} or r.id is null)
    order by r.id is not null, u.path limit ${place.limit} offset ${place.offset}`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    unitName: row.name,
    parentId: row.parent_id === null ? null : Number(row.parent_id),
    parentName: row.parent_name,
    report:
      row.reported_at === null
        ? null
        : {
            onDuty: row.on_duty ?? 0,
            left: row.left_count ?? 0,
            onLeave: row.on_leave ?? 0,
            incidents: row.incidents ?? 0,
            at: new Date(row.reported_at),
          },
  }))
}

/** Notes that a step of a period is done; false when it was. */
export async function noteRound(db: Db, period: string, step: string, now: Date): Promise<boolean> {
  const rows = await db
    .insert(dutyReportRounds)
    .values({ period, step, at: now })
    .onConflictDoNothing()
    .returning({ period: dutyReportRounds.period })
  return rows.length > 0
}
