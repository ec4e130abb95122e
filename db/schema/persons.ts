import { sql } from 'drizzle-orm'
import { boolean, index, integer, pgTable, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'

/** One human being known to the system. Personal data is sealed (`server/vault.ts`); the index columns find it. */
export const persons = pgTable(
  'persons',
  {
    id: id(),
    name: text().notNull(),
    /** The name as the matcher compares it (`server/domain/names/`). */
    nameKey: text().notNull(),
    /** How the name sounds, for finding near matches. */
    soundKey: text().notNull(),
    phoneSealed: text(),
    phoneIndex: text(),
    idNumberSealed: text(),
    idNumberIndex: text(),
    /** Index of the last six characters of the ID number. */
    idTailIndex: text(),
    wechatSealed: text(),
    wechatIndex: text(),
    createdAt: moment().notNull(),
  },
  table => [
    index('persons_name').on(table.nameKey),
    index('persons_sound').on(table.soundKey),
    index('persons_phone').on(table.phoneIndex),
    index('persons_id_number').on(table.idNumberIndex),
    index('persons_id_tail').on(table.idTailIndex),
    index('persons_wechat').on(table.wechatIndex).where(sql`wechat_index is not null`),
  ],
)

/** Which platform account is which person. A row appears at an account's first contact, before it is bound. */
export const identities = pgTable(
  'identities',
  {
    id: id(),
    /** Whose id the address is: `wecom`, `official-account`, or `aibot` where the robot's users are hidden. */
    channel: text().notNull(),
    /** The platform's id: WeCom userid or external_userid, Official Account openid. */
    address: text().notNull(),
    personId: ref().references(() => persons.id),
    boundAt: moment(),
    /** How we know: `code`, `join_request`, `registration`. */
    boundBy: text(),
    unionId: text(),
    /** false once an Official Account follower has left. */
    isReachable: boolean().notNull().default(true),
    /** When this account last wrote to the bot; decides what the Official Account may still send. */
    lastSeenAt: moment(),
    /** Official Account: until when, and how many more, customer-service messages may be sent. null: never opened. */
    windowEndsAt: moment(),
    windowLeft: smallint(),
    createdAt: moment().notNull(),
  },
  table => [
    uniqueIndex('identities_address').on(table.channel, table.address),
    uniqueIndex('identities_person').on(table.channel, table.personId).where(sql`person_id is not null`),
    index('identities_union').on(table.unionId).where(sql`union_id is not null`),
  ],
)

/** A one-time code that binds an account to a person, made by the unit above. Only its keyed index is stored. */
export const bindingCodes = pgTable(
  'binding_codes',
  {
    id: id(),
    codeIndex: text().notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** null: an operator on the command line, for the first officer of all. */
    issuedBy: ref().references(() => persons.id),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
    usedAt: moment(),
    usedByIdentity: ref().references(() => identities.id),
  },
  table => [uniqueIndex('binding_codes_code').on(table.codeIndex)],
)

/** How often something was tried within a window, to slow down guessing. */
export const attempts = pgTable('attempts', {
  /** `bind:`, `join:`, `back:` or `missing:`, and the identity. */
  key: text().primaryKey(),
  count: integer().notNull(),
  windowEndsAt: moment().notNull(),
})
