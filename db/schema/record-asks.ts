import { sql } from 'drizzle-orm'
import { date, index, pgTable, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'
import { activities } from './records.ts'
import { slips } from './slips.ts'

/** How often an owner wants to be asked what was posted, where they have said so; `records.json` says it for all others. */
export const postQuestions = pgTable('post_questions', {
  personId: ref()
    .references(() => persons.id)
    .primaryKey(),
  /** `daily`, `weekly` or `never`. */
  how: text().notNull(),
  setAt: moment().notNull(),
})

/** That an owner was asked what was posted up to a day, or said it by themself: one answer a day counts. */
export const postAsks = pgTable(
  'post_asks',
  {
    id: id(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    day: date().notNull(),
    /** null: nobody asked, they said it by themself. */
    askedAt: moment(),
    answeredAt: moment(),
    /** A category, or `none`. */
    answer: text(),
  },
  table => [uniqueIndex('post_asks_once').on(table.personId, table.day)],
)

/** A picture that somebody has sent and the platform still keeps: fetched, it becomes a row of `record_files`. */
export const awaitedPictures = pgTable(
  'awaited_pictures',
  {
    id: id(),
    /** `proof` or `photo`, as in `record_files`; `slip`. */
    kind: text().notNull(),
    activityId: ref().references(() => activities.id),
    /** The update with which the messages were counted. */
    updateId: ref(),
    /** For `slip`: fetched, it becomes a row of `slip_files`. */
    slipId: ref().references(() => slips.id),
    /** The update that brought the picture: the same one is fetched once. */
    sentBy: ref().notNull(),
    /** The platform account that it came to. */
    channel: text().notNull(),
    /** Media id or address, sealed: it opens the picture. */
    placeSealed: text().notNull(),
    uploadedBy: ref()
      .references(() => persons.id)
      .notNull(),
    attempts: smallint().notNull().default(0),
    nextAttemptAt: moment().notNull(),
    createdAt: moment().notNull(),
  },
  table => [
    uniqueIndex('awaited_pictures_once').on(table.sentBy),
    index('awaited_pictures_due').on(table.nextAttemptAt),
    index('awaited_pictures_person').on(table.uploadedBy),
    index('awaited_pictures_update').on(table.updateId).where(sql`update_id is not null`),
    index('awaited_pictures_slip').on(table.slipId).where(sql`slip_id is not null`),
    index('awaited_pictures_activity').on(table.activityId).where(sql`activity_id is not null`),
  ],
)
