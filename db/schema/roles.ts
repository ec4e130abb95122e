import { sql } from 'drizzle-orm'
import { index, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** What a person is in a unit. Rights follow from it; a row ends (`endedAt`) and is never deleted. */
export const roles = pgTable(
  'roles',
  {
    id: id(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** A role of the programme's template, such as `in-charge`. */
    role: text().notNull(),
    /** 职务 as the roster has it, for people to read. */
    title: text(),
    startedAt: moment().notNull(),
    endedAt: moment(),
  },
  table => [
    uniqueIndex('roles_current').on(table.personId, table.unitId, table.role).where(sql`ended_at is null`),
    index('roles_unit').on(table.unitId),
    // what somebody ever was, for the log of who did what
    index('roles_person').on(table.personId),
  ],
)
