import { and, asc, eq, gt, gte, inArray, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  type NoticeContent,
  noticeDrafts,
  persons,
  units,
  workScheduleReminders,
  workScheduleSteps,
  workSchedules,
} from '../schema/index.ts'

/** A unit's schedule of a year, with the unit. */
export interface WorkSchedule {
  id: number
  unitId: number
  unitName: string
  unitPath: string
  unitLevel: string
  programme: string
  schedule: string
  year: number
  /** `proposed`, `waiting` (for a second person), `returned` or `adopted`. */
  status: string
  personId: number
  personName: string
}

/** A step with its draft and its schedule. */
export interface ScheduledStep {
  id: number
  key: string
  title: string
  text: string
  source: string
  /** `YYYY-MM-DD` */
  fromOn: string
  toOn: string
  levels: string[]
  draftId: number
  content: NoticeContent
  /** Of the draft. */
  status: string
  sendAt: Date | null
  noticeId: number | null
  authorId: number
  updatedAt: Date
  /** Why it was not sent, or was sent back. */
  reason: string | null
  schedule: WorkSchedule
}

export interface PlannedReminder {
  id: number
  stepId: number
  daysBefore: number
  dueAt: Date
  status: string
  noticeId: number | null
}

const scheduleFields = {
  id: workSchedules.id,
  unitId: workSchedules.unitId,
  unitName: units.name,
  unitPath: units.path,
  unitLevel: units.level,
  programme: units.programme,
  schedule: workSchedules.schedule,
  year: workSchedules.year,
  status: workSchedules.status,
  personId: workSchedules.personId,
  personName: persons.name,
}

function schedules(db: Db, where: SQL | undefined) {
  return db
    .select(scheduleFields)
    .from(workSchedules)
    .innerJoin(units, eq(units.id, workSchedules.unitId))
    .innerJoin(persons, eq(persons.id, workSchedules.personId))
    .where(where)
}

/** Lets one schedule of a unit be worked at by one after the other, until the transaction ends. */
export async function lockWorkSchedule(
  db: Db,
  unitId: number,
  schedule: string,
  year: number,
): Promise<void> {
  await db.execute(
    sql`select pg_advisory_xact_lock(hashtext(${`work-schedule:${unitId}:${schedule}:${year}`}))`,
  )
}

export async function workScheduleOf(
  db: Db,
  unitId: number,
  schedule: string,
  year: number,
): Promise<WorkSchedule | null> {
  const [row] = await schedules(
    db,
    and(eq(workSchedules.unitId, unitId), eq(workSchedules.schedule, schedule), eq(workSchedules.year, year)),
  )
  return row ?? null
}

export async function workScheduleById(db: Db, id: number): Promise<WorkSchedule | null> {
  const [row] = await schedules(db, eq(workSchedules.id, id))
  return row ?? null
}

/** The schedules that these very units run in a year or later, those that are only proposed left out; the highest first. */
export async function workSchedulesOf(db: Db, unitIds: number[], sinceYear: number): Promise<WorkSchedule[]> {
  if (unitIds.length === 0) return []
  return schedules(
    db,
    and(
      inArray(workSchedules.unitId, unitIds),
      gte(workSchedules.year, sinceYear),
      inArray(workSchedules.status, ['waiting', 'adopted']),
    ),
  ).orderBy(asc(sql`length(${units.path})`), asc(workSchedules.id))
}

/** The units below one that run the same schedule for themselves. */
export async function unitsRunningBelow(
  db: Db,
  path: string,
  schedule: string,
  year: number,
  limit: number,
): Promise<string[]> {
  const rows = await schedules(
    db,
    and(
      eq(workSchedules.schedule, schedule),
      eq(workSchedules.year, year),
      inArray(workSchedules.status, ['waiting', 'adopted']),
      sql`starts_with(${units.path}, ${path}) and ${units.path} <> ${path}`,
    ),
  )
    .orderBy(asc(units.path))
    .limit(limit)
  return rows.map(row => row.unitName)
}

/** Writes or renews a unit's schedule of a year. */
export async function putWorkSchedule(db: Db, row: typeof workSchedules.$inferInsert): Promise<number> {
  const { status, personId, adoptedAt } = row
  const [put] = await db
    .insert(workSchedules)
    .values(row)
    .onConflictDoUpdate({
      target: [workSchedules.unitId, workSchedules.schedule, workSchedules.year],
      set: { status, personId, adoptedAt: adoptedAt ?? null },
    })
    .returning({ id: workSchedules.id })
  return put?.id as number
}

/** Notes that next year's was proposed; false: it was before, or it is adopted. */
export async function noteProposal(
  db: Db,
  row: { unitId: number; schedule: string; year: number; personId: number; createdAt: Date },
): Promise<boolean> {
  const rows = await db
    .insert(workSchedules)
    .values({ ...row, status: 'proposed' })
    .onConflictDoNothing()
    .returning({ id: workSchedules.id })
  return rows.length === 1
}

/** Schedules of a year that are adopted, while nobody was told of the next year's yet, those behind one of them. */
export async function schedulesToRenew(
  db: Db,
  year: number,
  place: { after: number; limit: number },
): Promise<WorkSchedule[]> {
  return schedules(
    db,
    and(
      eq(workSchedules.year, year),
      eq(workSchedules.status, 'adopted'),
      gt(workSchedules.id, place.after),
      sql`not exists (select from work_schedules next where next.unit_id = ${workSchedules.unitId}
        and next.schedule = ${workSchedules.schedule} and next.year = ${workSchedules.year} + 1)`,
    ),
  )
    .orderBy(asc(workSchedules.id))
    .limit(place.limit)
}

interface ManagingRole {
  programme: string
  role: string
}

/** Whether the author of a draft `d` does not run the unit of this path or one above any more. */
function authorIsGone(managing: ManagingRole[], path: SQL): SQL {
  return sql`not exists (
    select from roles r join units own on own.id = r.unit_id
    join unnest(${sql.param(managing.map(each => each.programme))}::text[],
      ${sql.param(managing.map(each => each.role))}::text[]) as m (programme, role)
      on m.programme = own.programme and m.role = r.role
    where r.person_id = d.author_id and r.ended_at is null and starts_with(${path}, own.path))`
}

/** Adopted schedules with notices to come whose author does not run the unit or one above any more. */
export async function schedulesWithoutAuthor(
  db: Db,
  managing: ManagingRole[],
  place: { after: number; limit: number },
): Promise<WorkSchedule[]> {
  return schedules(
    db,
    and(
      eq(workSchedules.status, 'adopted'),
      gt(workSchedules.id, place.after),
      sql`exists (select from work_schedule_steps s join notice_drafts d on d.id = s.draft_id
        where s.work_schedule_id = ${workSchedules.id} and d.status in ('waiting', 'ready')
          and ${authorIsGone(managing, sql`${units.path}`)})`,
    ),
  )
    .orderBy(asc(workSchedules.id))
    .limit(place.limit)
}

/**
 * Gives a schedule to somebody else, with its notices to come whose author has left the office. One that waits for a second
 * person, or that they themselves let pass, becomes a draft again: nobody approves their own.
 * @param to.managing the roles by which somebody runs a unit
 * @returns the drafts that have to be submitted anew
 */
export async function giveSchedule(
  db: Db,
  id: number,
  to: { personId: number; managing: ManagingRole[]; now: Date },
): Promise<number[]> {
  const { personId } = to
  await db.update(workSchedules).set({ personId }).where(eq(workSchedules.id, id))
  const rows = await db.execute<{ id: string; is_undone: boolean }>(sql`
    with gone as (
      select d.id, d.status = 'waiting' or (d.status = 'ready' and d.decided_by = ${personId}) is true as is_undone
      from work_schedule_steps s join notice_drafts d on d.id = s.draft_id join units u on u.id = d.unit_id
      where s.work_schedule_id = ${id} and d.status in ('draft', 'waiting', 'ready')
        and ${authorIsGone(to.managing, sql`u.path`)}
      order by d.id for update of d)
    update notice_drafts d set author_id = ${personId},
      status = case when gone.is_undone then 'draft' else d.status end,
      decided_by = case when gone.is_undone then null else d.decided_by end,
      decided_at = case when gone.is_undone then null else d.decided_at end,
      updated_at = case when gone.is_undone then ${to.now.toISOString()}::timestamptz else d.updated_at end
    from gone where gone.id = d.id
    returning d.id, gone.is_undone`)
  return [...rows].filter(row => row.is_undone).map(row => Number(row.id))
}

// steps

function steps(db: Db, where: SQL | undefined) {
  return db
    .select({
      id: workScheduleSteps.id,
      key: workScheduleSteps.key,
      title: workScheduleSteps.title,
      text: workScheduleSteps.text,
      source: workScheduleSteps.source,
      fromOn: workScheduleSteps.fromOn,
      toOn: workScheduleSteps.toOn,
      levels: workScheduleSteps.levels,
      draftId: noticeDrafts.id,
      content: noticeDrafts.content,
      status: noticeDrafts.status,
      sendAt: noticeDrafts.sendAt,
      noticeId: noticeDrafts.noticeId,
      authorId: noticeDrafts.authorId,
      updatedAt: noticeDrafts.updatedAt,
      reason: noticeDrafts.reason,
      schedule: scheduleFields,
    })
    .from(workScheduleSteps)
    .innerJoin(noticeDrafts, eq(noticeDrafts.id, workScheduleSteps.draftId))
    .innerJoin(workSchedules, eq(workSchedules.id, workScheduleSteps.workScheduleId))
    .innerJoin(units, eq(units.id, workSchedules.unitId))
    .innerJoin(persons, eq(persons.id, workSchedules.personId))
    .where(where)
}

/** All steps of these schedules, in the order of their days. */
export async function stepsOfSchedules(db: Db, scheduleIds: number[]): Promise<ScheduledStep[]> {
  if (scheduleIds.length === 0) return []
  return steps(db, inArray(workScheduleSteps.workScheduleId, scheduleIds)).orderBy(
    asc(workScheduleSteps.fromOn),
    asc(workScheduleSteps.toOn),
    asc(workScheduleSteps.id),
  )
}

export async function stepById(db: Db, id: number): Promise<ScheduledStep | null> {
  const [row] = await steps(db, eq(workScheduleSteps.id, id))
  return row ?? null
}

/** The same, held until the end of the transaction. */
export async function lockStep(db: Db, id: number): Promise<ScheduledStep | null> {
  await db
    .select({ id: workScheduleSteps.id })
    .from(workScheduleSteps)
    .where(eq(workScheduleSteps.id, id))
    .for('update')
  return stepById(db, id)
}

/** Steps of adopted schedules of these very units that are not over, the next first. */
export async function stepsAhead(
  db: Db,
  unitIds: number[],
  today: string,
  limit: number,
): Promise<ScheduledStep[]> {
  if (unitIds.length === 0) return []
  return steps(
    db,
    and(
      inArray(workSchedules.unitId, unitIds),
      eq(workSchedules.status, 'adopted'),
      gte(workScheduleSteps.toOn, today),
      inArray(noticeDrafts.status, ['ready', 'waiting', 'sent']),
    ),
  )
    .orderBy(asc(workScheduleSteps.toOn), asc(workScheduleSteps.id))
    .limit(limit)
}

/** Writes a step, or gives the one of that key another draft and other days. */
export async function putStep(db: Db, row: typeof workScheduleSteps.$inferInsert): Promise<number> {
  const { title, text, source, fromOn, toOn, draftId, levels } = row
  const [put] = await db
    .insert(workScheduleSteps)
    .values(row)
    .onConflictDoUpdate({
      target: [workScheduleSteps.workScheduleId, workScheduleSteps.key],
      set: { title, text, source, fromOn, toOn, draftId, levels },
    })
    .returning({ id: workScheduleSteps.id })
  return put?.id as number
}

export async function changeStep(
  db: Db,
  id: number,
  set: { fromOn: string; toOn: string; text: string },
): Promise<void> {
  await db.update(workScheduleSteps).set(set).where(eq(workScheduleSteps.id, id))
}

/** A dropped draft gives up its step, so that another may stand for it. */
export async function releaseStep(db: Db, unitId: number, key: string): Promise<void> {
  await db
    .update(noticeDrafts)
    .set({ scheduleStep: null })
    .where(
      and(
        eq(noticeDrafts.unitId, unitId),
        eq(noticeDrafts.scheduleStep, key),
        eq(noticeDrafts.status, 'dropped'),
      ),
    )
}

/** Which of these notices each of these units has answered, as `notice unit`. */
export async function answeredBy(db: Db, noticeIds: number[], unitIds: number[]): Promise<Set<string>> {
  if (noticeIds.length === 0 || unitIds.length === 0) return new Set()
  const rows = await db.execute<{ notice_id: string; unit_id: string }>(sql`
    select notice_id, unit_id from notice_answers
    where notice_id = any(${sql.param(noticeIds)}::bigint[]) and unit_id = any(${sql.param(unitIds)}::bigint[])
      and replaced_at is null`)
  return new Set([...rows].map(row => `${row.notice_id} ${row.unit_id}`))
}

// reminders

/** Writes the reminders of a step anew; those that have happened stay. */
export async function putReminders(
  db: Db,
  stepId: number,
  reminders: { daysBefore: number; dueAt: Date }[],
): Promise<void> {
  await db
    .delete(workScheduleReminders)
    .where(
      and(
        eq(workScheduleReminders.stepId, stepId),
        inArray(workScheduleReminders.status, ['planned', 'dropped', 'unneeded']),
      ),
    )
  if (reminders.length > 0)
    await db
      .insert(workScheduleReminders)
      .values(reminders.map(reminder => ({ ...reminder, stepId, status: 'planned' })))
      .onConflictDoNothing()
}

export async function remindersOf(db: Db, stepIds: number[]): Promise<PlannedReminder[]> {
  if (stepIds.length === 0) return []
  return db
    .select({
      id: workScheduleReminders.id,
      stepId: workScheduleReminders.stepId,
      daysBefore: workScheduleReminders.daysBefore,
      dueAt: workScheduleReminders.dueAt,
      status: workScheduleReminders.status,
      noticeId: noticeDrafts.noticeId,
    })
    .from(workScheduleReminders)
    .leftJoin(noticeDrafts, eq(noticeDrafts.id, workScheduleReminders.draftId))
    .where(inArray(workScheduleReminders.stepId, stepIds))
    .orderBy(asc(workScheduleReminders.dueAt))
}

/**
 * Takes one reminder that is due, held until the end of the transaction; what another process holds is passed over.
 * @param except reminders that could not be settled in this run
 */
export async function takeDueReminder(
  db: Db,
  now: Date,
  except: number[],
): Promise<{ id: number; stepId: number; daysBefore: number } | null> {
  const rows = await db.execute<{ id: string; step_id: string; days_before: number }>(sql`
    select id, step_id, days_before from work_schedule_reminders
    where status = 'planned' and due_at <= ${now.toISOString()}::timestamptz
      and id <> all(${sql.param(except)}::bigint[])
    order by due_at, id limit 1 for update skip locked`)
  const [row] = rows
  return row ? { id: Number(row.id), stepId: Number(row.step_id), daysBefore: row.days_before } : null
}

export async function settleReminder(
  db: Db,
  id: number,
  set: { status: 'sent' | 'unneeded' | 'dropped' | 'failed'; draftId?: number; reason?: string },
): Promise<void> {
  await db.update(workScheduleReminders).set(set).where(eq(workScheduleReminders.id, id))
}
