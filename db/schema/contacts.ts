import { sql } from 'drizzle-orm'
import { date, index, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** 1+100: somebody of an office keeps long-term contact with a branch (全国项目办发〔2018〕1号 三.4). Ends, is never deleted. */
export const contacts = pgTable(
  'contacts',
  {
    id: id(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** The office that they are of: national, province or city. */
    officeId: ref()
      .references(() => units.id)
      .notNull(),
    /** The branch. */
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** Days in Asia/Shanghai, inclusive; null while it lasts. */
    sinceOn: date().notNull(),
    untilOn: date(),
    /** Themself, or who runs the office. */
    assignedBy: ref()
      .references(() => persons.id)
      .notNull(),
    /** `word` (somebody ended it), `left` (the roster no longer has them there) or `handed_over`; null while it lasts. */
    endedBy: text(),
  },
  table => [
    uniqueIndex('contacts_current').on(table.personId, table.unitId).where(sql`until_on is null`),
    index('contacts_unit').on(table.unitId),
    index('contacts_office').on(table.officeId).where(sql`until_on is null`),
  ],
)

/** 走访调研: that a contact has been at their branch. One a day. */
export const contactVisits = pgTable(
  'contact_visits',
  {
    id: id(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    visitedOn: date().notNull(),
    place: text(),
    note: text(),
    enteredBy: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
  },
  table => [
    uniqueIndex('contact_visits_once').on(table.personId, table.unitId, table.visitedOn),
    index('contact_visits_unit').on(table.unitId),
  ],
)

/** That somebody was asked for a branch or a visit, so that they are asked once a time and no more. */
export const contactAsks = pgTable(
  'contact_asks',
  {
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    officeId: ref()
      .references(() => units.id)
      .notNull(),
    /** The day from which it was asked (`templates/policies/contacts.json`), such as `2026-09-01`. */
    askOf: date().notNull(),
    askedAt: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.personId, table.officeId, table.askOf] })],
)
