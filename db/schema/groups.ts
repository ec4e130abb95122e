import { sql } from 'drizzle-orm'
import { date, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
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
    /** When the whole member list was last known, and by what: `platform`, `pasted` (接龙) or `roll_call` (签到). */
    membersReadAt: moment(),
    membersReadBy: text(),
    createdAt: moment().notNull(),
    dissolvedAt: moment(),
  },
  table => [
    uniqueIndex('groups_chat').on(table.chatId).where(sql`chat_id is not null`),
    // with the moments between which a group stands: counted from the index alone
    index('groups_unit').on(table.unitId, table.createdAt, table.dissolvedAt),
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
    /**
     * How we know who it is, the strongest first: `join_pass`, `unionid`, `binding`, `roll_call`, `join_request`, `remark`,
     * `nickname`, `registration`; null while unknown.
     */
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
    index('group_members_unknown').on(table.groupId).where(sql`left_at is null and person_id is null`),
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
    /** Whom it was given to; null for passes of before. */
    identityId: ref().references(() => identities.id),
    /** ≤ 30 characters; comes back with the join event. */
    state: text().notNull(),
    /** The platform's id of the join way; null before it is made, and once it is deleted there. */
    configId: text(),
    createdAt: moment().notNull(),
    usedAt: moment(),
    /** The account that came in by it: another one that shows the same state had it passed on. */
    usedBy: text(),
    /** The last moment of its use; null: not limited (passes of before). */
    expiresAt: moment(),
    /** It lets nobody in any more, used or not: its join way is to be deleted. */
    endedAt: moment(),
    /** `used`, `expired`, `undone` (the approval was taken back), `left` (the person left the roster), `replaced`. */
    endedWhy: text(),
  },
  table => [
    uniqueIndex('join_passes_state').on(table.state),
    index('join_passes_person').on(table.personId),
    index('join_passes_group').on(table.groupId).where(sql`used_at is null and ended_at is null`),
    index('join_passes_expiry').on(table.expiresAt).where(sql`used_at is null and ended_at is null`),
    index('join_passes_to_delete')
      .on(table.id)
      .where(sql`config_id is not null and (used_at is not null or ended_at is not null)`),
  ],
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
    /** The unit that it waits for; null while it waits for the owner. Both may decide, whoever is first. */
    reviewUnitId: ref().references(() => units.id),
    /** When it goes on to the unit above; null: decided, or there is nobody above. */
    escalateAt: moment(),
    /** Approved, and every group that it is for is full: admitted when there is room. */
    awaitsRoomSince: moment(),
    /** The group that the person was let into: the one asked for, or the next of its kind. */
    admittedTo: ref().references(() => groups.id),
    createdAt: moment().notNull(),
    decidedAt: moment(),
  },
  table => [
    index('join_requests_waiting').on(table.groupId).where(sql`decision = 'referred'`),
    index('join_requests_identity').on(table.identityId),
    index('join_requests_escalation').on(table.escalateAt).where(sql`escalate_at is not null`),
    index('join_requests_room').on(table.id).where(sql`awaits_room_since is not null`),
    // who else has asked in somebody's name
    index('join_requests_candidates').using('gin', table.candidateIds.op('jsonb_path_ops')),
  ],
)

/**
 * Something that an owner, or whoever answers for a unit, is asked to see to by hand, because no interface can. What the
 * reconcile finds are tasks too (成员核对的发现): one open row for each fact, which keeps its age until the fact is gone.
 */
export const tasks = pgTable(
  'tasks',
  {
    id: id(),
    /** `remove_member`, `identify_member`, `invite_member`, or a finding's (`server/domain/groups/findings.ts`). */
    kind: text().notNull(),
    /** null where it is about a unit as such. */
    groupId: ref().references(() => groups.id),
    /** The unit that it is about, where it is not the group alone. */
    unitId: ref().references(() => units.id),
    personId: ref().references(() => persons.id),
    address: text(),
    /** What of the unit or group, by an id of the template or a name: it tells facts of one kind apart. */
    about: text().notNull().default(''),
    /** Why, in Chinese: every chase says it. */
    why: text().notNull(),
    /** The rule that asks for it, such as `全国项目办发〔2018〕1号 二.4`; null where a person asked. */
    source: text(),
    dueOn: date().notNull(),
    /** Who is asked: the group's owner, else who answers for the unit; null while there is nobody. */
    askedId: ref().references(() => persons.id),
    /** When they were told. */
    toldAt: moment(),
    createdAt: moment().notNull(),
    closedAt: moment(),
    /** `event`, `reading` (proved), `word` (the owner said so), `void` (no longer asked). */
    closedBy: text(),
  },
  table => [
    uniqueIndex('tasks_open')
      .on(
        table.kind,
        sql`coalesce(group_id, 0)`,
        sql`coalesce(unit_id, 0)`,
        sql`coalesce(person_id, 0)`,
        sql`coalesce(address, '')`,
        table.about,
      )
      .where(sql`closed_at is null`),
    index('tasks_group').on(table.groupId),
    index('tasks_of_unit').on(table.unitId).where(sql`group_id is null`),
    index('tasks_asked').on(table.askedId).where(sql`closed_at is null`),
    // what changed since somebody was last told
    index('tasks_closed').on(table.askedId, table.closedAt).where(sql`closed_at is not null`),
  ],
)

/** 签到: a link posted in a group whose members no program can read; whoever opens it says that they are there. */
export const rollCalls = pgTable(
  'roll_calls',
  {
    id: id(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    /** Keyed index of the link's token; the token itself is sealed, so that the owner can be shown it again. */
    tokenIndex: text().notNull(),
    tokenSealed: text().notNull(),
    openedBy: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
    closesAt: moment().notNull(),
    closedAt: moment(),
  },
  table => [
    uniqueIndex('roll_calls_token').on(table.tokenIndex),
    uniqueIndex('roll_calls_open').on(table.groupId).where(sql`closed_at is null`),
    index('roll_calls_due').on(table.closesAt).where(sql`closed_at is null`),
  ],
)

/** Somebody signed in on a roll call, once. */
export const rollCallAnswers = pgTable(
  'roll_call_answers',
  {
    rollCallId: ref()
      .references(() => rollCalls.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** `binding` (their account) or `phone` (name and the end of the phone number). */
    knownBy: text().notNull(),
    answeredAt: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.rollCallId, table.personId] })],
)
