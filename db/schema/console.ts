import { sql } from 'drizzle-orm'
import { boolean, date, index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { notices } from './notices.ts'
import { identities, persons } from './persons.ts'
import { rosterImports } from './roster.ts'
import { units } from './units.ts'

/** Somebody signed in to the pages, on one browser. Only a keyed index of the cookie is stored. */
export const sessions = pgTable(
  'sessions',
  {
    id: id(),
    tokenIndex: text().notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** The account they came with; null for an administrator made by the script. */
    identityId: ref().references(() => identities.id),
    /** `wecom`, `scan`, `official-account`, `link` or `demo`. */
    signedInBy: text().notNull(),
    /** What the browser calls itself, shortened: to tell one's own sessions apart. */
    device: text().notNull(),
    createdAt: moment().notNull(),
    lastSeenAt: moment().notNull(),
    expiresAt: moment().notNull(),
    endedAt: moment(),
  },
  table => [
    uniqueIndex('sessions_token').on(table.tokenIndex),
    index('sessions_person').on(table.personId).where(sql`ended_at is null`),
  ],
)

/** A link that signs one person in once, handed out by the bot or by a script. */
export const signInLinks = pgTable(
  'sign_in_links',
  {
    id: id(),
    tokenIndex: text().notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    identityId: ref().references(() => identities.id),
    /** Where they are led, a path of ours. */
    path: text().notNull(),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
    usedAt: moment(),
  },
  table => [uniqueIndex('sign_in_links_token').on(table.tokenIndex)],
)

/** Who looks after the server itself: settings, self-check, what the platforms answered. Made by a script only. */
export const administrators = pgTable(
  'administrators',
  {
    id: id(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
    endedAt: moment(),
  },
  table => [uniqueIndex('administrators_current').on(table.personId).where(sql`ended_at is null`)],
)

/** A key for an office's own systems: what one unit and all below it may be read (and told) by program. */
export const apiTokens = pgTable(
  'api_tokens',
  {
    id: id(),
    tokenIndex: text().notNull(),
    /** What it is for, in the office's words. */
    name: text().notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    /** Such as `units:read` (`server/api/scopes.ts`). */
    scopes: jsonb().$type<string[]>().notNull(),
    createdBy: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
    lastUsedAt: moment(),
    endedAt: moment(),
  },
  table => [uniqueIndex('api_tokens_token').on(table.tokenIndex), index('api_tokens_unit').on(table.unitId)],
)

/** That a person has opened a notice on its page, and said so (我已阅读). */
export const noticeReadings = pgTable(
  'notice_readings',
  {
    id: id(),
    noticeId: ref()
      .references(() => notices.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    openedAt: moment().notNull(),
    acknowledgedAt: moment(),
  },
  table => [
    uniqueIndex('notice_readings_once').on(table.noticeId, table.personId),
    index('notice_readings_person').on(table.personId),
  ],
)

/** That a person has agreed to something being asked or kept, and when they took it back. */
export const consents = pgTable(
  'consents',
  {
    id: id(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** `id-number`. */
    purpose: text().notNull(),
    /** The text that they saw, by its day. */
    textOf: date().notNull(),
    agreedAt: moment().notNull(),
    withdrawnAt: moment(),
  },
  table => [index('consents_person').on(table.personId)],
)

/** A roster file that somebody has uploaded and not applied yet. Kept sealed, and deleted when it is done with. */
export const rosterDrafts = pgTable(
  'roster_drafts',
  {
    id: id(),
    programme: text().notNull(),
    /** The top of what the file may touch: the unit of the office that uploaded it. */
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    fileName: text().notNull(),
    fileHash: text().notNull(),
    /** The file in base64, sealed; null once it has been applied or given up. */
    fileSealed: text(),
    /** Which column of the file is which of ours, where the office has said so; by header. */
    mapping: jsonb().$type<Record<string, string>>().notNull(),
    /** Whether the file is the whole roster of the unit: whoever is not in it has gone. */
    isWhole: boolean().notNull(),
    /** `uploaded`, `checking`, `applying`, `applied`, `failed` or `given_up`. */
    status: text().notNull(),
    /** Rows done and rows in all, while it is applied. */
    doneCount: integer().notNull().default(0),
    totalCount: integer().notNull().default(0),
    error: text(),
    importId: ref().references(() => rosterImports.id),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
  },
  table => [index('roster_drafts_person').on(table.personId)],
)

/**
 * A roster file whose rows are read in: they lie in tables of their own in the schema `roster_staging`, named with this
 * number, which are not logged (a crash empties them) and not backed up. Gone with them.
 */
export const rosterStagings = pgTable(
  'roster_stagings',
  {
    id: id(),
    /** null: an import that is made at once, of the command line or a program. */
    draftId: ref(),
    /** What the rows were read with: the heading and the mapping. null until all of them are in. */
    facts: jsonb().$type<StagingFacts>(),
    /** The difference that was last worked out, in counts, and what it was worked out against. */
    difference: jsonb().$type<StagedDifference>(),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
  },
  table => [index('roster_stagings_draft').on(table.draftId)],
)

export interface StagingFacts {
  /** The file's columns in their order, each with what it is taken for; null: only kept. */
  columns: { label: string; is: string | null }[]
  /** What is wrong with the heading; then no row was read. */
  fault: string | null
  mapping: Record<string, string>
  rows: number
  /** Problems that were found; of very many only the first are kept. */
  errors: number
  warnings: number
  /** Lines that have an error. */
  wrong: number
  /** The number of the last erasure before the file began to be read. */
  lastErasure: number
}

export interface StagedDifference {
  /** Sound rows. */
  rows: number
  new: number
  changed: number
  unchanged: number
  moved: number
  gone: number
  newPersons: number
  changedPersons: number
  newUnits: number
  /** As in the facts, with what was found by comparing. */
  errors: number
  warnings: number
  wrong: number
  /** What the roster of the programme was then. @see rosterVersion */
  version: string
  /** A checksum of what becomes of which line, entry and person: equal counts may hide another change. */
  content: string
  /** Rows of persons who are others' were wrong; which rows is not told. */
  hasOthers: boolean
}

/** What a person's own row was before an import changed it, so that the import can be undone. */
export const rosterPersonChanges = pgTable(
  'roster_person_changes',
  {
    id: id(),
    importId: ref()
      .references(() => rosterImports.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** The changed columns of `persons` as they were; sealed ones stay sealed. */
    before: jsonb().$type<Record<string, string | null>>().notNull(),
    createdAt: moment().notNull(),
  },
  table => [
    index('roster_person_changes_import').on(table.importId),
    index('roster_person_changes_person').on(table.personId),
  ],
)
