import { sql } from 'drizzle-orm'
import {
  boolean,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** That a unit sent a form up: what it said, and whether that was in time (五率). The last word counts, earlier ones stay. */
export const formReturns = pgTable(
  'form_returns',
  {
    id: id(),
    /** An id of `templates/forms`. */
    form: text().notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** `YYYY`, `YYYY-MM`, as the form's period is. */
    period: text().notNull(),
    dueOn: date(),
    sentAt: moment().notNull(),
    sentBy: ref()
      .references(() => persons.id)
      .notNull(),
    /** SHA-256 (hex) of the XLSX that was sent, so that a file can be told to be that one. */
    hash: text().notNull(),
    replacedAt: moment(),
  },
  table => [
    index('form_returns_of').on(table.form, table.period, table.unitId),
    uniqueIndex('form_returns_current')
      .on(table.form, table.period, table.unitId)
      .where(sql`replaced_at is null`),
  ],
)

/** That those who have not sent a form of a period were reminded so many days before its day: once. */
export const formReminders = pgTable(
  'form_reminders',
  {
    form: text().notNull(),
    period: text().notNull(),
    daysBefore: integer().notNull(),
    at: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.form, table.period, table.daysBefore] })],
)

/** A county's 公共号 and who keeps it (榆林团市委 2014 附件2). */
export const unitAccounts = pgTable(
  'unit_accounts',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    name: text().notNull(),
    /** `subscription` (订阅号) or `service` (服务号). */
    kind: text().notNull(),
    managerName: text().notNull(),
    phoneSealed: text(),
    /** 管理员微信号 */
    wechatSealed: text(),
    /** 管理员QQ号 */
    qqSealed: text(),
    writtenBy: ref()
      .references(() => persons.id)
      .notNull(),
    writtenAt: moment().notNull(),
    /** No longer run. */
    endedAt: moment(),
  },
  table => [index('unit_accounts_unit').on(table.unitId)],
)

/** What a county means to build in a year (榆林团市委 2014 附件1); the last word counts, earlier ones stay. */
export const unitPlans = pgTable(
  'unit_plans',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    year: integer().notNull(),
    /** The numbers of the plan sheet by field, and the name of the account; absent: not said. */
    fields: jsonb().$type<Record<string, number | string>>().notNull(),
    /** 管理员姓名及联系方式, as written. */
    contactSealed: text(),
    writtenBy: ref()
      .references(() => persons.id)
      .notNull(),
    writtenAt: moment().notNull(),
    replacedAt: moment(),
  },
  table => [
    index('unit_plans_unit').on(table.unitId, table.year),
    uniqueIndex('unit_plans_current').on(table.unitId, table.year).where(sql`replaced_at is null`),
  ],
)

/**
 * What an office says of an alert that was raised (误报): learnt from, and the same words raise it no more in what goes out.
 * Until an office has had a word in it, it is what somebody who was stopped says.
 */
/** Persons who said that a text was stopped in error, and whom of which office that was laid before. */
export interface AlertAsk {
  unitId: number
  askedIds: number[]
  /** With where each was stopped (`source`). */
  claimants: { personId: number; source: string }[]
}

export const alertVerdicts = pgTable(
  'alert_verdicts',
  {
    id: id(),
    /** `secret`, `privacy` or `safety`. */
    alert: text().notNull(),
    /** Where it was raised: `notice`, `slip`, `answer` (to a notice), `danger`. */
    source: text().notNull(),
    /** SHA-256 (hex) of the masked text with its spaces and signs left out. */
    textHash: text().notNull(),
    /**
     * The text, personal data masked. Empty once it is found right, and for what people send up as wishes, hardships and
     * complaints: of those the hash is kept alone.
     */
    textSealed: text().notNull(),
    /** Whether the text stays when it is found to be a false alarm. */
    keepsText: boolean().notNull().default(true),
    /** `asked`: nobody has decided yet; `false`: it should not have been raised; `right`. */
    verdict: text().notNull(),
    /** The unit whose office decides. */
    unitId: ref().references(() => units.id),
    /** Who was stopped, or called. */
    claimedBy: ref().references(() => persons.id),
    claimedAt: moment(),
    /** Who said so, and who was asked to decide it, office by office; of old rows the numbers of those asked alone. */
    asks: jsonb('asked_ids').$type<(AlertAsk | number)[]>().notNull().default([]),
    markedBy: ref().references(() => persons.id),
    markedAt: moment(),
  },
  table => [
    uniqueIndex('alert_verdicts_once').on(table.alert, table.textHash),
    index('alert_verdicts_claimed').on(table.claimedBy).where(sql`claimed_by is not null`),
    index('alert_verdicts_unit').on(table.unitId),
    index('alert_verdicts_asked').on(table.claimedAt).where(sql`verdict = 'asked'`),
  ],
)
