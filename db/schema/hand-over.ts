import { sql } from 'drizzle-orm'
import { boolean, date, index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { groups } from './groups.ts'
import { persons } from './persons.ts'
import { rosterImports } from './roster.ts'
import { units } from './units.ts'

/** 交接: what somebody has charge of in a unit and below it goes to somebody else, with a checklist. */
export const handOvers = pgTable(
  'hand_overs',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    fromId: ref()
      .references(() => persons.id)
      .notNull(),
    /** null while it is only proposed. */
    toId: ref().references(() => persons.id),
    /** `proposed` (the roster says that they have gone), `open`, `closed` or `dropped`. */
    status: text().notNull(),
    /** The import by which it was proposed. */
    importId: ref().references(() => rosterImports.id),
    startedBy: ref().references(() => persons.id),
    /** By when every item is to be done; for a proposal, by when somebody is to be named. */
    dueOn: date().notNull(),
    /** When it was last asked for. */
    askedAt: moment(),
    createdAt: moment().notNull(),
    startedAt: moment(),
    closedAt: moment(),
  },
  table => [
    uniqueIndex('hand_overs_open').on(table.unitId, table.fromId).where(sql`status in ('proposed', 'open')`),
    index('hand_overs_to').on(table.toId),
    index('hand_overs_due').on(table.dueOn).where(sql`status in ('proposed', 'open')`),
  ],
)

/** One line of a hand-over's checklist: what the system has moved, or what people must do by hand. */
export const handOverItems = pgTable(
  'hand_over_items',
  {
    id: id(),
    handOverId: ref()
      .references(() => handOvers.id)
      .notNull(),
    /** Moved: `groups`, `tasks`, `requests`, `relays`, `manager`, `contacts`. By hand: of `templates/policies/hand-over.json`. */
    kind: text().notNull(),
    isByHand: boolean().notNull(),
    groupId: ref().references(() => groups.id),
    /** How many were moved. */
    count: integer().notNull(),
    doneAt: moment(),
    doneBy: ref().references(() => persons.id),
  },
  table => [uniqueIndex('hand_over_items_once').on(table.handOverId, table.kind, sql`coalesce(group_id, 0)`)],
)
