import { sql } from 'drizzle-orm'
import { date, index, jsonb, pgTable, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { noticeDrafts } from './notices.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** The work schedule (工作日程) of a unit for a year, from `templates/schedules/`. */
export const workSchedules = pgTable(
  'work_schedules',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** The template, such as `xibu-2020`. */
    schedule: text().notNull(),
    year: smallint().notNull(),
    /** `proposed` (somebody was told that it is time to adopt it), `waiting` (for a second person), `returned` by them, or `adopted`. */
    status: text().notNull(),
    /** Who adopted it, or was told. */
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
    adoptedAt: moment(),
  },
  table => [uniqueIndex('work_schedules_once').on(table.unitId, table.schedule, table.year)],
)

/** A step of an adopted schedule. Its notice is the draft; the step knows the days that the draft does not. */
export const workScheduleSteps = pgTable(
  'work_schedule_steps',
  {
    id: id(),
    workScheduleId: ref()
      .references(() => workSchedules.id)
      .notNull(),
    /** The draft's `scheduleStep`, such as `xibu-2020:2026:medical-check`. */
    key: text().notNull(),
    title: text().notNull(),
    /** As it was adopted, with the places for days still open, so that a step that is moved says its new day. */
    text: text().notNull(),
    source: text().notNull(),
    /** Days in Asia/Shanghai: of a stretch its first and last, else the same day twice. */
    fromOn: date().notNull(),
    toOn: date().notNull(),
    draftId: ref()
      .references(() => noticeDrafts.id)
      .notNull(),
    /** The levels concerned, for those who look at what is coming; empty: all of them. */
    levels: jsonb().$type<string[]>().notNull(),
  },
  table => [
    uniqueIndex('work_schedule_steps_once').on(table.workScheduleId, table.key),
    index('work_schedule_steps_draft').on(table.draftId),
  ],
)

/** A reminder before the day of a step. Whom it goes to is worked out when it is due: those who have not answered by then. */
export const workScheduleReminders = pgTable(
  'work_schedule_reminders',
  {
    id: id(),
    stepId: ref()
      .references(() => workScheduleSteps.id)
      .notNull(),
    /** Days before the step's day. */
    daysBefore: smallint().notNull(),
    dueAt: moment().notNull(),
    /** `planned`, `sent`, `unneeded` (all have answered, or the step was not sent), `dropped` or `failed` (see `reason`). */
    status: text().notNull(),
    draftId: ref().references(() => noticeDrafts.id),
    reason: text(),
  },
  table => [
    uniqueIndex('work_schedule_reminders_once').on(table.stepId, table.daysBefore),
    index('work_schedule_reminders_due').on(table.dueAt).where(sql`status = 'planned'`),
  ],
)
