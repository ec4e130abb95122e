import { index, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { persons } from './persons.ts'

/** That what was known of a person was erased: when, why, by whom and which kinds. Holds no data. */
export const erasures = pgTable(
  'erasures',
  {
    id: id(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    at: moment().notNull(),
    /** `request` (their own), `office` (for somebody who has left), `retention` (its time was over) or `consent` (withdrawn). */
    why: text().notNull(),
    /** null: the system, at the end of the retention time. */
    byId: ref().references(() => persons.id),
    /** Kinds of `templates/policies/privacy.json`, such as `phone`. */
    kinds: jsonb().$type<string[]>().notNull(),
  },
  table => [index('erasures_person').on(table.personId)],
)

/** A change of the data key (docs/operations.md): when the rows began to be sealed anew, and when all of them were. */
export const keyRotations = pgTable('key_rotations', {
  id: id(),
  /** The name of the new key (`server/vault.ts`). */
  keyName: text().notNull(),
  beganAt: moment().notNull(),
  doneAt: moment(),
})
