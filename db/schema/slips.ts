import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  boolean,
  date,
  index,
  integer,
  pgTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { groups } from './groups.ts'
import { persons } from './persons.ts'
import { units } from './units.ts'

/** What somebody sends up (上报): it is read by the offices that its reporter was shown, and by nobody else. */
export const slips = pgTable(
  'slips',
  {
    id: id(),
    programme: text().notNull(),
    /** A kind of `templates/policies/slips.json`. */
    kind: text().notNull(),
    /** Where it comes from: the reporter's unit. */
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** The group that may be told the answer. */
    groupId: ref().references(() => groups.id),
    reporterId: ref()
      .references(() => persons.id)
      .notNull(),
    /** The name is shown to the office whose turn it is, and to no other. */
    isAnonymous: boolean().notNull(),
    /** The reporter agreed that their group is told the answer. */
    groupMayKnow: boolean().notNull().default(false),
    /** A practice that is spread bears the reporter's name, because they asked for it. */
    isSigned: boolean().notNull().default(false),
    bodySealed: text().notNull(),
    /** The office whose turn it is to answer. */
    officeId: ref()
      .references(() => units.id)
      .notNull(),
    /** A complaint about this office: it never sees it, nor does one below it. */
    aboutId: ref().references(() => units.id),
    /** 1+100: who keeps contact with the reporter's branch and was addressed as well; reads and does not answer. */
    copyToId: ref().references(() => persons.id),
    /** `open`, `answered`, `closed`, or `merged` into another, whose answers it gets. */
    status: text().notNull(),
    mergedInto: ref().references((): AnyPgColumn => slips.id),
    /** When it goes a level up by itself; null: answered, ended, or there is no level above. */
    dueAt: moment(),
    createdAt: moment().notNull(),
    firstAnsweredAt: moment(),
    endedAt: moment(),
  },
  table => [
    index('slips_reporter').on(table.reporterId),
    index('slips_copy').on(table.copyToId).where(sql`copy_to_id is not null`),
    index('slips_office').on(table.officeId, table.status),
    index('slips_due').on(table.dueAt).where(sql`due_at is not null`),
    index('slips_merged').on(table.mergedInto).where(sql`merged_into is not null`),
  ],
)

/** What became of a slip, step by step. Written once. */
export const slipSteps = pgTable(
  'slip_steps',
  {
    id: id(),
    slipId: ref()
      .references(() => slips.id)
      .notNull(),
    /** `sent`, `added` (the reporter's further words), `answered`, `raised`, `merged`, `leads` (the one that it
     * was merged into has left), `closed`, `late` (asked again where there is nobody above), `told_group`, `group_failed`
     * (what should have told it did not arrive), `group_relayed` (then the owner was asked), `spread` (a practice became a notice). */
    kind: text().notNull(),
    /** null: time did it. */
    actorId: ref().references(() => persons.id),
    /** The office that has it from then on. */
    officeId: ref()
      .references(() => units.id)
      .notNull(),
    textSealed: text(),
    /** For `told_group`: the message that tells the group; should it fail, somebody else is asked to. */
    outgoingId: ref(),
    at: moment().notNull(),
  },
  table => [
    index('slip_steps_outgoing').on(table.outgoingId).where(sql`outgoing_id is not null`),
    index('slip_steps_slip').on(table.slipId),
    index('slip_steps_office').on(table.officeId),
    uniqueIndex('slip_steps_spread').on(table.slipId).where(sql`kind = 'spread'`),
  ],
)

/** A week whose waiting slips were told to the levels above. */
export const slipRounds = pgTable('slip_rounds', {
  /** The day of that week on which it is done. */
  day: date().primaryKey(),
  at: moment().notNull(),
})

/** A picture or a file that belongs to a slip. */
export const slipFiles = pgTable(
  'slip_files',
  {
    id: id(),
    slipId: ref()
      .references(() => slips.id)
      .notNull(),
    name: text().notNull(),
    mime: text().notNull(),
    size: integer().notNull(),
    bytesSealed: text().notNull(),
    createdAt: moment().notNull(),
  },
  table => [index('slip_files_slip').on(table.slipId)],
)
