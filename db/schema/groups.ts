import { sql } from 'drizzle-orm'
import { date, index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { identities, persons } from './persons.ts'
import { units } from './units.ts'

/** One chat group (群). Dissolved groups stay, for the months in which they counted. */
export const groups = pgTable(
  'groups',
  {
    id: id(),
    programme: text().notNull(),
    /** A group kind of the programme's template. */
    kind: text().notNull(),
    /** The leading unit. */
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    name: text().notNull(),
    /** `wechat` ordinary group, `customer` 客户群, `internal` WeCom group with a robot, `appchat` made by the app. */
    platform: text().notNull(),
    ownerId: ref().references(() => persons.id),
    /** The platform's id of the group, where there is one. */
    chatId: text(),
    /** The robot's webhook address, sealed: whoever has it can post. */
    webhookSealed: text(),
    /** What an approved person is given to get in: a link or a word. */
    joinCode: text(),
    capacity: integer().notNull(),
    /** How many members the owner or the platform last said. */
    size: integer().notNull(),
    /** The platform's version of the member list (客户群 `member_version`), to notice lost events. */
    memberVersion: text(),
    createdAt: moment().notNull(),
    dissolvedAt: moment(),
  },
  table => [
    uniqueIndex('groups_chat').on(table.chatId).where(sql`chat_id is not null`),
    index('groups_unit').on(table.unitId),
    index('groups_owner').on(table.ownerId),
  ],
)

/** Chats whose member list is to be read from the platform: an event said that something changed. */
export const chatReadings = pgTable(
  'chat_readings',
  {
    chatId: text().primaryKey(),
    dueAt: moment().notNull(),
    attempts: integer().notNull().default(0),
  },
  table => [index('chat_readings_due').on(table.dueAt)],
)

/** A customer group that the platform told us of and no owner has registered yet. */
export const unclaimedChats = pgTable('unclaimed_chats', {
  id: id(),
  chatId: text().notNull().unique(),
  name: text().notNull(),
  ownerAddress: text().notNull(),
  size: integer().notNull(),
  seenAt: moment().notNull(),
})

/** Who is or was in a group, as far as it can be known. */
export const groupMembers = pgTable(
  'group_members',
  {
    id: id(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    personId: ref().references(() => persons.id),
    /** The platform's id of the member; null where only the person is known. */
    address: text(),
    nickname: text(),
    /** How we know who it is: `join_pass`, `binding`, `registration`; null while unknown. */
    knownBy: text(),
    joinedAt: moment().notNull(),
    leftAt: moment(),
  },
  table => [
    uniqueIndex('group_members_address')
      .on(table.groupId, table.address)
      .where(sql`left_at is null and address is not null`),
    uniqueIndex('group_members_person')
      .on(table.groupId, table.personId)
      .where(sql`left_at is null and person_id is not null`),
    index('group_members_of_person').on(table.personId),
  ],
)

/** One person's own way into a group (join code with a `state` of its own). */
export const joinPasses = pgTable(
  'join_passes',
  {
    id: id(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** ≤ 30 characters; comes back with the join event. */
    state: text().notNull(),
    configId: text(),
    createdAt: moment().notNull(),
    usedAt: moment(),
  },
  table => [uniqueIndex('join_passes_state').on(table.state)],
)

/** Somebody asks to be let in (入群申请). The text is sealed; the decision keeps its evidence. */
export const joinRequests = pgTable(
  'join_requests',
  {
    id: id(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    identityId: ref()
      .references(() => identities.id)
      .notNull(),
    textSealed: text().notNull(),
    /** `approved`, `rejected` or `referred` (waits for a person). */
    decision: text().notNull(),
    /** A reason class of `templates/policies/join-requests.json`. */
    reason: text().notNull(),
    /** One Chinese sentence for the reviewer, without full numbers. */
    explanation: text().notNull(),
    /** Roster persons that may be meant, the best first. */
    candidateIds: jsonb().$type<number[]>().notNull(),
    /** The person who was let in. */
    personId: ref().references(() => persons.id),
    /** null: the policy decided. */
    decidedBy: ref().references(() => persons.id),
    createdAt: moment().notNull(),
    decidedAt: moment(),
  },
  table => [
    index('join_requests_waiting').on(table.groupId).where(sql`decision = 'referred'`),
    index('join_requests_identity').on(table.identityId),
  ],
)

/** Something a group's owner is asked to do by hand, because no interface can. */
export const tasks = pgTable(
  'tasks',
  {
    id: id(),
    /** `remove_member`, `identify_member` or `invite_member`. */
    kind: text().notNull(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    personId: ref().references(() => persons.id),
    address: text(),
    /** Why, in Chinese: every chase says it. */
    why: text().notNull(),
    dueOn: date().notNull(),
    createdAt: moment().notNull(),
    closedAt: moment(),
    /** `event` or `reading` (proved), `word` (the owner said so), `void` (no longer asked). */
    closedBy: text(),
  },
  table => [
    uniqueIndex('tasks_open')
      .on(table.kind, table.groupId, sql`coalesce(person_id, 0)`, sql`coalesce(address, '')`)
      .where(sql`closed_at is null`),
    index('tasks_group').on(table.groupId),
  ],
)
