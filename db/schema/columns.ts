import { bigint, timestamp } from 'drizzle-orm/pg-core'

/** Numbers given out by the database, small enough for JavaScript numbers. */
export const id = () => bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()
/** A reference to such a number. */
export const ref = () => bigint({ mode: 'number' })
/** A moment (`…At`), stored with its time zone. */
export const moment = () => timestamp({ withTimezone: true, precision: 3 })
