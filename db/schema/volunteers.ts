import { sql } from 'drizzle-orm'
import { date, index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/*
 * The volunteer database of a sending university over all years (山科大党发〔2021〕52号 三.(四)). Who serves where and when is
 * the roster's; here is what the roster does not know.
 */

/** Somebody whom a university knows as a volunteer, or may send as one. One for each person and university. */
export const volunteerFiles = pgTable(
  'volunteer_files',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** 院系项目办; null: not said. */
    collegeId: ref().references(() => units.id),
    /** The year in which they graduate or graduated. */
    year: integer(),
    createdBy: ref().references(() => persons.id),
    createdAt: moment().notNull(),
  },
  table => [
    uniqueIndex('volunteer_files_once').on(table.unitId, table.personId),
    index('volunteer_files_college').on(table.collegeId).where(sql`college_id is not null`),
  ],
)

/** A step of somebody's way that no roster says: `candidate`, `applied`, `selected`, `trained`, `dropped`. */
export const volunteerSteps = pgTable(
  'volunteer_steps',
  {
    id: id(),
    fileId: ref()
      .references(() => volunteerFiles.id)
      .notNull(),
    step: text().notNull(),
    on: date().notNull(),
    writtenBy: ref()
      .references(() => persons.id)
      .notNull(),
    writtenAt: moment().notNull(),
  },
  table => [uniqueIndex('volunteer_steps_once').on(table.fileId, table.step)],
)

/** Who is the mentor (导师) of somebody in service. */
export const volunteerMentors = pgTable(
  'volunteer_mentors',
  {
    id: id(),
    fileId: ref()
      .references(() => volunteerFiles.id)
      .notNull(),
    mentorId: ref()
      .references(() => persons.id)
      .notNull(),
    sinceOn: date().notNull(),
    untilOn: date(),
    assignedBy: ref()
      .references(() => persons.id)
      .notNull(),
  },
  table => [
    uniqueIndex('volunteer_mentors_current').on(table.fileId).where(sql`until_on is null`),
    index('volunteer_mentors_file').on(table.fileId),
    index('volunteer_mentors_of').on(table.mentorId).where(sql`until_on is null`),
  ],
)

/** That mentor and volunteer, or the office, were in touch (跟踪服务): one line is enough. */
export const volunteerTouches = pgTable(
  'volunteer_touches',
  {
    id: id(),
    fileId: ref()
      .references(() => volunteerFiles.id)
      .notNull(),
    on: date().notNull(),
    /** Who noted it: the mentor, the volunteer, or an officer. */
    notedBy: ref()
      .references(() => persons.id)
      .notNull(),
    notedAt: moment().notNull(),
    updateId: ref(),
    noteSealed: text(),
  },
  table => [
    index('volunteer_touches_file').on(table.fileId, table.on),
    uniqueIndex('volunteer_touches_update').on(table.updateId).where(sql`update_id is not null`),
  ],
)

/** That somebody was reminded because nobody had been in touch for long: once a day at most. */
export const volunteerReminders = pgTable(
  'volunteer_reminders',
  {
    id: id(),
    fileId: ref()
      .references(() => volunteerFiles.id)
      .notNull(),
    /** `touch`, or `keep:` and the number of what is kept. */
    about: text().notNull(),
    on: date().notNull(),
    at: moment().notNull(),
  },
  table => [uniqueIndex('volunteer_reminders_once').on(table.fileId, table.about, table.on)],
)

/** What the university keeps for somebody, and until when (四.(一).2–3): 户口, 档案, 入学资格. */
export const volunteerKeeps = pgTable(
  'volunteer_keeps',
  {
    id: id(),
    fileId: ref()
      .references(() => volunteerFiles.id)
      .notNull(),
    /** `household` (户口), `records` (档案) or `place` (入学资格). */
    what: text().notNull(),
    sinceOn: date().notNull(),
    /** null: no end is set. */
    untilOn: date(),
    /** Handed over or taken up before its time. */
    endedOn: date(),
    writtenBy: ref()
      .references(() => persons.id)
      .notNull(),
    writtenAt: moment().notNull(),
  },
  table => [
    uniqueIndex('volunteer_keeps_current').on(table.fileId, table.what).where(sql`ended_on is null`),
    index('volunteer_keeps_file').on(table.fileId),
    index('volunteer_keeps_due').on(table.untilOn).where(sql`ended_on is null and until_on is not null`),
  ],
)
