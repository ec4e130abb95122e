import { sql } from 'drizzle-orm'
import {
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { identities, persons } from './persons.ts'

/** One inbound thing, stored once before it is acknowledged (更新). */
export const updates = pgTable(
  'updates',
  {
    id: id(),
    channel: text().notNull(),
    /** The platform's message id, or a hash of the decrypted body where there is none. */
    dedupeKey: text().notNull(),
    kind: text().notNull(),
    /** The update as JSON, sealed: people write ID numbers to the bot. */
    payloadSealed: text().notNull(),
    receivedAt: moment().notNull(),
    /** `received`, `handled`, or `set_aside` after too many failures (shown to operators). */
    status: text().notNull(),
    attempts: smallint().notNull().default(0),
    /** The passive reply, sealed: a repeated callback gets the same answer. */
    replySealed: text(),
    handledAt: moment(),
    error: text(),
  },
  table => [
    uniqueIndex('updates_once').on(table.channel, table.dedupeKey),
    index('updates_trouble').on(table.receivedAt).where(sql`status = 'set_aside' or kind = 'unknown'`),
    index('updates_unhandled').on(table.receivedAt).where(sql`status = 'received'`),
  ],
)

/** Where somebody is in a dialogue of several steps: at most one for each account. */
export const conversations = pgTable('conversations', {
  identityId: ref()
    .references(() => identities.id)
    .primaryKey(),
  name: text().notNull(),
  /** Raised when the steps change; a stored row of another version is discarded, not misread. */
  version: integer().notNull(),
  step: text().notNull(),
  answers: jsonb().$type<Record<string, string>>().notNull(),
  expiresAt: moment().notNull(),
})

/** A long result or a file that the bot answered with a link. The link is the only key to it, and it expires. */
export const resultPages = pgTable(
  'result_pages',
  {
    id: id(),
    tokenIndex: text().notNull(),
    personId: ref().references(() => persons.id),
    title: text().notNull(),
    /** Sealed: the text of a page, or a file in base64. */
    textSealed: text().notNull(),
    /** Set for a file. */
    fileName: text(),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
  },
  table => [uniqueIndex('result_pages_token').on(table.tokenIndex)],
)

/** What we asked a platform and what it answered; secrets and personal data left out. */
export const channelLog = pgTable(
  'channel_log',
  {
    id: id(),
    at: moment().notNull(),
    channel: text().notNull(),
    /** The path of the call, without its query. */
    call: text().notNull(),
    /** The platform's code; 0 is success, null when no answer came. */
    errcode: integer(),
    message: text(),
    tookMs: integer().notNull(),
    outgoingId: ref(),
  },
  table => [index('channel_log_at').on(table.at)],
)

/** The access token of each platform account, sealed and shared by all server processes. */
export const accessTokens = pgTable('access_tokens', {
  channel: text().primaryKey(),
  tokenSealed: text().notNull(),
  expiresAt: moment().notNull(),
})

/** When the next call of a kind may be made, so that platforms' limits are kept across processes (`db/queries/limits.ts`). */
export const pacing = pgTable('pacing', {
  /** Such as `wecom:member:zhangsan:minute`. */
  key: text().primaryKey(),
  /** The moment up to which calls have been given out, by the generic cell rate algorithm. */
  spentUntil: moment().notNull(),
})

/**
 * Calls to an interface for which places were taken together, as long as they count against its frequency. A window that
 * slides over them allows the whole limit at once and as much again when it has passed, which an even rate does not.
 */
export const callBlocks = pgTable(
  'call_blocks',
  {
    id: id(),
    /** The interface's path. */
    key: text().notNull(),
    at: moment().notNull(),
    amount: integer().notNull(),
  },
  table => [index('call_blocks_recent').on(table.key, table.at)],
)

/** How often something was done on a day (Asia/Shanghai), against the platforms' daily quotas. */
export const dailyCounts = pgTable(
  'daily_counts',
  { key: text().notNull(), day: date().notNull(), count: integer().notNull() },
  table => [primaryKey({ columns: [table.key, table.day] })],
)

/** Something an operator must see to (运维告警), one row for each cause until it is closed. */
export const alarms = pgTable(
  'alarms',
  {
    id: id(),
    /** What it is about; the same cause again raises `times`. */
    cause: text().notNull(),
    /** What to do, in Chinese. Holds neither secrets nor personal data. */
    words: text().notNull(),
    times: integer().notNull(),
    firstAt: moment().notNull(),
    lastAt: moment().notNull(),
    closedAt: moment(),
  },
  table => [uniqueIndex('alarms_open').on(table.cause).where(sql`closed_at is null`)],
)

/** Who did what (操作留痕). Append-only: a trigger refuses changes. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: id(),
    at: moment().notNull(),
    /** null: the system by itself. */
    actorId: ref(),
    action: text().notNull(),
    subjectKind: text().notNull(),
    subjectId: ref(),
    details: jsonb().$type<Record<string, unknown>>().notNull(),
  },
  table => [
    index('audit_log_subject').on(table.subjectKind, table.subjectId),
    index('audit_log_actor').on(table.actorId),
    index('audit_log_action').on(table.action, table.id),
  ],
)
