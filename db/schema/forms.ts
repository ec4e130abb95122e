import { date, index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
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
  table => [index('form_returns_of').on(table.form, table.period, table.unitId)],
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
  table => [index('unit_plans_unit').on(table.unitId, table.year)],
)

/** What an office says of an alert that was raised (误报): learnt from, and the same words raise it no more. */
export const alertVerdicts = pgTable(
  'alert_verdicts',
  {
    id: id(),
    /** `secret`, `privacy` or `safety`. */
    alert: text().notNull(),
    /** SHA-256 (hex) of the masked text with its spaces and signs left out. */
    textHash: text().notNull(),
    /** The text, personal data masked. */
    textSealed: text().notNull(),
    /** `false`: it should not have been raised; `right`. */
    verdict: text().notNull(),
    markedBy: ref()
      .references(() => persons.id)
      .notNull(),
    markedAt: moment().notNull(),
  },
  table => [uniqueIndex('alert_verdicts_once').on(table.alert, table.textHash)],
)
