import { index, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { joinRequests } from './groups.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** How a candidate agreed with what was written when a step was taken; no name and no number. */
export interface SeenCandidate {
  personId: number
  name: string
  phone: string
  idNumber: string
  idTail: string
}

/** What a step did besides deciding, so that it can be taken back. */
export interface StepEffects {
  /** The account was bound to the person by this step. */
  hasBound?: boolean
  /** The group let into. */
  groupId?: number
  /** The membership that it noted, and how the member was known before (null: it is new). */
  member?: { id: number; was: string | null }
  /** For who waits for room: the person's rows of the roster as they stood, to see whether they have changed. */
  terms?: string
}

/** Every step in the life of a join request (申请的每一步) with what whoever took it saw. Written once, never changed. */
export const joinDecisions = pgTable(
  'join_decisions',
  {
    id: id(),
    requestId: ref()
      .references(() => joinRequests.id)
      .notNull(),
    /** `approved`, `rejected`, `referred`, `escalated`, `awaits_room`, `admitted`, `superseded` or `undone`. */
    step: text().notNull(),
    at: moment().notNull(),
    /** null: the policy, or the hour. */
    actorId: ref().references(() => persons.id),
    /** Whom the request was taken to be from. */
    personId: ref().references(() => persons.id),
    /** The unit that it went on to. */
    unitId: ref().references(() => units.id),
    /** A reason class of `templates/policies/join-requests.json` or `admission.json`. */
    reason: text().notNull(),
    /** What was said for it, sealed: people write names. */
    noteSealed: text(),
    seen: jsonb().$type<SeenCandidate[]>().notNull(),
    effects: jsonb().$type<StepEffects>().notNull(),
  },
  table => [index('join_decisions_request').on(table.requestId)],
)

/** A card with buttons that was sent to a WeCom member, so that it can show what became of the matter. */
export const sentCards = pgTable(
  'sent_cards',
  {
    id: id(),
    /** Comes back with a tap. */
    taskId: text().notNull(),
    /** `join_request`, `task` or `notice_draft`, and its number. */
    aboutKind: text().notNull(),
    aboutId: ref().notNull(),
    /** The member's userid. */
    address: text().notNull(),
    /** Lets one change through within 72 hours of sending or tapping. */
    responseCode: text(),
    sentAt: moment().notNull(),
    closedAt: moment(),
  },
  table => [
    uniqueIndex('sent_cards_task').on(table.taskId),
    index('sent_cards_about').on(table.aboutKind, table.aboutId),
  ],
)
