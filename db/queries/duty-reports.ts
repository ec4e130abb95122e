import { and, desc, eq, inArray, isNull, lt, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { dutyReportRounds, dutyReports, units } from '../schema/index.ts'

export type DutyReportRow = typeof dutyReports.$inferSelect

/** Makes those who report for one unit at the same time wait for each other, until the transaction ends. */
export async function lockForReport(db: Db, unitId: number): Promise<void> {
  await db.select({ id: units.id }).from(units).where(eq(units.id, unitId)).for('no key update')
}

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

/**
 * What the roster says of the persons in a unit's branches, each counted once: who is on duty on the last day of a period,
 * and who has left in it. Null where the roster has no branches, so that it can say nothing.
 *
 * Somebody is on duty on the days of their term while an entry says so, to the day before the import that took it away or
 * changed it: of a correction that came later nobody knew. The last day of a term is served. So whoever was on duty on the
 * day before the period or in it, and is not on its last day, has left in it: everybody who leaves is in one period, and in
 * no other. Another branch of the unit is not leaving, another unit is.
 * @param since the first day of the period, `until` the last (`YYYY-MM-DD`)
 */
export async function rosterFigures(
  db: Db,
  unit: { path: string; branchKind: string },
  since: string,
  until: string,
): Promise<{ onDuty: number; left: number } | null> {
  const [row] = await db.execute<{ branches: number; on_duty: number; left_count: number }>(sql`
    with branches as (
      select id from units where starts_with(path, ${unit.path}) and kind = ${unit.branchKind}
    ), spans as (
      select e.person_id, coalesce(e.starts_on, '-infinity') as first_day,
        least(coalesce(e.ends_on, 'infinity'),
          coalesce((gone.applied_at at time zone 'Asia/Shanghai')::date - 1, 'infinity')) as last_day
      from branches b join roster_entries e on e.unit_id = b.id
      left join roster_imports gone on gone.id = e.gone_import_id
      -- what an import brought and its undoing took away has never stood
      where e.status = '在岗' and e.gone_import_id is distinct from e.import_id
    ), served as (
      select person_id, bool_or(last_day >= ${until}::date) as stands
      from spans where first_day <= ${until}::date and last_day >= ${since}::date - 1 and first_day <= last_day
      group by person_id
    )
    select (select count(*)::int from branches) as branches, count(*) filter (where stands)::int as on_duty,
      count(*) filter (where not stands)::int as left_count
    from served`)
  return row && row.branches > 0 ? { onDuty: row.on_duty, left: row.left_count } : null
}

/** Which of some units have reported for a period. */
export async function reportedUnits(db: Db, unitIds: number[], period: string): Promise<Set<number>> {
  const rows = await db
    .select({ unitId: dutyReports.unitId })
    .from(dutyReports)
    .where(
      and(
        inArray(dutyReports.unitId, unitIds),
        eq(dutyReports.period, period),
        isNull(dutyReports.replacedAt),
      ),
    )
  return new Set(rows.map(row => row.unitId))
}

export interface Incident {
  unitId: number
  unitName: string
  parentName: string | null
  incidents: number
  noteSealed: string | null
  at: Date
}

/** The serious incidents that the counties of a subtree have reported for a period, the newest report first. */
export async function incidentsOf(db: Db, path: string, period: string, limit: number): Promise<Incident[]> {
  const rows = await db.execute<{
    unit_id: string
    name: string
    parent_name: string | null
    incidents: number
    note_sealed: string | null
    reported_at: string
  }>(sql`
    select r.unit_id, u.name, above.name as parent_name, r.incidents, r.note_sealed, r.reported_at
    from duty_reports r join units u on u.id = r.unit_id left join units above on above.id = u.parent_id
    where r.period = ${period} and r.replaced_at is null and r.incidents > 0 and starts_with(u.path, ${path})
    order by r.reported_at desc, r.id desc limit ${limit}`)
  return [...rows].map(row => ({
    unitId: Number(row.unit_id),
    unitName: row.name,
    parentName: row.parent_name,
    incidents: row.incidents,
    noteSealed: row.note_sealed,
    at: new Date(row.reported_at),
  }))
}

export interface NamedUnit {
  id: number
  name: string
  code: string
  path: string
  level: string
  parentName: string | null
}

/** Units below some paths that are called so, by code or by a part of the name; those called exactly so first. */
export async function unitsCalled(
  db: Db,
  paths: string[],
  name: string,
  above: string,
  levels: string[],
): Promise<NamedUnit[]> {
  const rows = await db.execute<{
    id: string
    name: string
    code: string
    path: string
    level: string
    parent_name: string | null
  }>(sql`
    select u.id, u.name, u.code, u.path, u.level, above.name as parent_name
    from unnest(${sql.param(paths)}::text[]) as top (path)
    join units u on starts_with(u.path, top.path) left join units above on above.id = u.parent_id
    where u.level = any(${sql.param(levels)}::text[]) and (u.code = ${name} or position(${name} in u.name) > 0)
      and (${above} = '' or exists (select from units over
        where starts_with(u.path, over.path) and over.id <> u.id and position(${above} in over.name) > 0))
    order by u.code = ${name} desc, u.name = ${name} desc, length(u.name), u.path limit 20`)
  return [...rows].map(({ id, parent_name, ...row }) => ({
    ...row,
    id: Number(id),
    parentName: parent_name,
  }))
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
  report: {
    onDuty: number
    left: number
    onLeave: number
    incidents: number
    noteSealed: string | null
    at: Date
  } | null
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
    note_sealed: string | null
    reported_at: string | null
  }>(sql`
    select u.id as unit_id, u.name, u.parent_id, above.name as parent_name, r.on_duty, r.left_count, r.on_leave, r.incidents,
      r.note_sealed, r.reported_at
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
            noteSealed: row.note_sealed,
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
