import { sql } from 'drizzle-orm'
import {
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { groups } from './groups.ts'
import { deliveries } from './notices.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** Messages in one group of one category (消息记录): one message, or several that an owner counted. */
export const messageRecords = pgTable(
  'message_records',
  {
    id: id(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** `YYYY-MM` in Asia/Shanghai. */
    month: text().notNull(),
    recordedOn: date().notNull(),
    category: text().notNull(),
    count: integer().notNull(),
    /** `notice`, `posted` (the owner's own), `forwarded` (from elsewhere, shown to the bot) or `counted` (the owner's number). */
    source: text().notNull(),
    /** `machine` or `person`. */
    decidedBy: text().notNull(),
    /** 0..1, of the machine. */
    confidence: real(),
    /** The first words, with personal data masked; null for counted ones. */
    excerpt: text(),
    deliveryId: ref().references(() => deliveries.id),
    updateId: ref(),
    reportedBy: ref().references(() => persons.id),
    createdAt: moment().notNull(),
  },
  table => [
    uniqueIndex('message_records_delivery').on(table.deliveryId).where(sql`delivery_id is not null`),
    index('message_records_month').on(table.unitId, table.month),
    index('message_records_group').on(table.groupId, table.month),
    // what somebody reported last, and what one report of theirs was
    index('message_records_reporter')
      .on(table.reportedBy, table.updateId)
      .where(sql`reported_by is not null`),
    // the newest of a month first, as lists show them
    index('message_records_newest').on(table.month, table.recordedOn.desc(), table.id.desc()),
  ],
)

/** One offline activity (线下活动). */
export const activities = pgTable(
  'activities',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    groupId: ref().references(() => groups.id),
    /** A column of the tracking sheet, such as `training`. */
    kind: text().notNull(),
    heldOn: date().notNull(),
    month: text().notNull(),
    place: text(),
    heads: integer(),
    /** `announced` (people sign up), `held`, or `cancelled`; only what was held is counted. */
    status: text().notNull().default('held'),
    /** What it is about, of an announced one. */
    title: text(),
    /** When it begins, of an announced one. */
    startsAt: moment(),
    /** What those who are there type or scan. */
    checkInCode: text(),
    /** When those who signed up were reminded of an announced one, and when its announcer was asked whether it was held. */
    remindedAt: moment(),
    outcomeAskedAt: moment(),
    /** When an announced one was said to have been held. */
    confirmedAt: moment(),
    reportedBy: ref().references(() => persons.id),
    updateId: ref(),
    createdAt: moment().notNull(),
  },
  table => [
    index('activities_month').on(table.unitId, table.month),
    index('activities_of_month').on(table.month),
    uniqueIndex('activities_check_in').on(table.checkInCode).where(sql`check_in_code is not null`),
    index('activities_announced').on(table.startsAt).where(sql`status = 'announced'`),
    index('activities_reporter').on(table.reportedBy, table.id).where(sql`reported_by is not null`),
  ],
)

/** What a unit says about itself for a month: branches, cadres, youth, and what is not known from elsewhere. */
export const unitFacts = pgTable(
  'unit_facts',
  {
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    month: text().notNull(),
    branches: integer().notNull(),
    cadres: integer().notNull(),
    youth: integer().notNull(),
    /** Groups that the unit has and the product does not know; null: not asked. */
    otherGroups: integer(),
    /** Members by figure of the sheet (`membersHome.farming`), where people do not register themselves; null: not asked. */
    members: jsonb().$type<Record<string, number>>(),
    reportedBy: ref().references(() => persons.id),
    createdAt: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.unitId, table.month] })],
)

/** A monthly report that has been sent to those who run a unit: written with it, so that nobody gets it twice. */
export const sentReports = pgTable(
  'sent_reports',
  {
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    month: text().notNull(),
    sentAt: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.unitId, table.month] })],
)
