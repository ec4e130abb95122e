import { sql } from 'drizzle-orm'
import { index, pgTable, text } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { identities, persons } from './persons.ts'
import { units } from './units.ts'

/** Somebody has told the bot of a person who is hurt or in danger. */
export const dangerCalls = pgTable(
  'danger_calls',
  {
    id: id(),
    identityId: ref()
      .references(() => identities.id)
      .notNull(),
    /** null: an account that nobody is known by. */
    personId: ref().references(() => persons.id),
    /** Where they belong; null: nobody knows, and nobody but they themself could be told. */
    unitId: ref().references(() => units.id),
    /** `asked` (who called is asked first whether anybody is in danger), `open`, `answered` (somebody sees to it), `confirmed`, or ended: `false_alarm`, `closed`. */
    status: text().notNull(),
    /** How far up it was told, by the names of `templates/policies/danger.json`: owners and county, city, all above. */
    stage: text().$type<'first' | 'unanswered' | 'confirmed'>().notNull(),
    /** When the next levels are told, or an open question is over; null: ended, or all are told. */
    dueAt: moment(),
    /** When what was said since the last passing on is passed on; null: nothing waits. */
    passOnAt: moment(),
    createdAt: moment().notNull(),
    endedAt: moment(),
  },
  table => [
    index('danger_calls_identity').on(table.identityId),
    index('danger_calls_person').on(table.personId),
    index('danger_calls_due').on(table.dueAt).where(sql`due_at is not null`),
    index('danger_calls_pass_on').on(table.passOnAt).where(sql`pass_on_at is not null`),
  ],
)

/** What was said and done about a call, step by step. Written once. */
export const dangerSteps = pgTable(
  'danger_steps',
  {
    id: id(),
    callId: ref()
      .references(() => dangerCalls.id)
      .notNull(),
    /**
     * `said` (by who called), `told` (to `personId`), `passed` (all that was said before, to all who were told),
     * `asked` (who called, whether anybody is in danger), `affirmed` (they said so), `silent` (they gave no answer),
     * `answered`, `confirmed`, `false_alarm`, `closed`; `safe`: who called says so of a call that is confirmed, which ends
     * nothing.
     */
    kind: text().notNull(),
    personId: ref().references(() => persons.id),
    /**
     * The words as they were said, numbers and all: levels that are told later must be able to ring up whoever is named in
     * them. They lie sealed, and go when a person is erased and when requests to join do.
     */
    textSealed: text(),
    at: moment().notNull(),
  },
  table => [index('danger_steps_call').on(table.callId), index('danger_steps_person').on(table.personId)],
)
