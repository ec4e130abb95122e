import { sql } from 'drizzle-orm'
import { index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { moment, ref } from './columns.ts'
import { notices, outgoingMessages } from './notices.ts'

/**
 * A message of a notice that was out, or on its way, when the notice was corrected or withdrawn: what became of it.
 * Messages that had not left have no row; they are `cancelled`, or carry the corrected text.
 */
export const takeBacks = pgTable(
  'take_backs',
  {
    outgoingId: ref()
      .references(() => outgoingMessages.id)
      .notNull(),
    /** The correction or withdrawal on whose account. */
    noticeId: ref()
      .references(() => notices.id)
      .notNull(),
    /**
     * null: still to be done. `recalled` (the app's message is gone), `cancelled` (it never went out, or its mass task was
     * stopped), `corrected` (it went out after all with the corrected text), `confirmed` (the owner had sent the mass message), `too_late`, `not_possible`.
     */
    outcome: text(),
    /** Tries that came to nothing. */
    attempts: integer().notNull().default(0),
    nextAttemptAt: moment().notNull(),
    /** The platform's words where it did not go well. */
    reason: text(),
    /** Nothing is left to do: what could not be taken back has had the correction or withdrawal as well. */
    settledAt: moment(),
  },
  table => [
    primaryKey({ columns: [table.noticeId, table.outgoingId] }),
    index('take_backs_message').on(table.outgoingId),
    index('take_backs_open').on(table.nextAttemptAt).where(sql`settled_at is null`),
  ],
)
