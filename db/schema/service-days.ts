import { date, pgTable } from 'drizzle-orm/pg-core'
import { moment } from './columns.ts'

/** Days (Asia/Shanghai) whose beginning and ending services have been followed in the groups, each once. */
export const followedDays = pgTable('followed_days', {
  day: date().primaryKey(),
  followedAt: moment().notNull(),
})
