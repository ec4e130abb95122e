import { sql } from 'drizzle-orm'
import { index, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** What a county has reported for two months (双月报告, 全国项目办发〔2020〕3号 三.7); the last word counts, earlier ones stay. */
export const dutyReports = pgTable(
  'duty_reports',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** The later of the two months, `YYYY-MM`. */
    period: text().notNull(),
    onDuty: integer().notNull(),
    /** Who left during the two months. */
    leftCount: integer().notNull(),
    onLeave: integer().notNull(),
    /** 重大安全事故 */
    incidents: integer().notNull(),
    /** What happened; null: nothing to say. */
    noteSealed: text(),
    reportedBy: ref()
      .references(() => persons.id)
      .notNull(),
    reportedAt: moment().notNull(),
    replacedAt: moment(),
  },
  table => [
    uniqueIndex('duty_reports_current').on(table.unitId, table.period).where(sql`replaced_at is null`),
    index('duty_reports_period').on(table.period),
  ],
)

/** That everybody was asked, reminded or named late for a period: once. */
export const dutyReportRounds = pgTable(
  'duty_report_rounds',
  {
    period: text().notNull(),
    /** `ask`, `remind` or `late`. */
    step: text().notNull(),
    at: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.period, table.step] })],
)
