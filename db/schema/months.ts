import { sql } from 'drizzle-orm'
import {
  boolean,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { groups } from './groups.ts'
import { identities, persons } from './persons.ts'
import { activities } from './records.ts'
import { units } from './units.ts'

/*
 * The month as it runs by itself: figures are laid before owners, units sign them level by level, the month closes, and
 * what is put right after that is shown as such.
 */

/** What an owner was shown of a group's month, and whether they said that it is so. */
export const groupMonths = pgTable(
  'group_months',
  {
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    month: text().notNull(),
    ownerId: ref()
      .references(() => persons.id)
      .notNull(),
    /** Messages by category, as the owner was shown them and, once they answered, as they stood then. */
    figures: jsonb().$type<Record<string, number>>().notNull(),
    askedAt: moment().notNull(),
    remindedAt: moment(),
    /** null: no word yet. The figures count all the same. */
    answeredAt: moment(),
    /** Whether they changed something before they said so. */
    isCorrected: boolean().notNull().default(false),
  },
  table => [
    primaryKey({ columns: [table.groupId, table.month] }),
    index('group_months_owner').on(table.ownerId, table.month),
    index('group_months_unanswered').on(table.month, table.ownerId).where(sql`answered_at is null`),
  ],
)

/** A unit's part of a month: asked for, signed by who runs it, counted as in time or late (五率). */
export const unitMonths = pgTable(
  'unit_months',
  {
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    month: text().notNull(),
    askedAt: moment().notNull(),
    /** Signed at or before this moment is in time. */
    dueAt: moment().notNull(),
    remindedAt: moment(),
    signedAt: moment(),
    signedBy: ref().references(() => persons.id),
    /** The figures that were signed, by figure of the tracking sheet, with all below the unit. */
    figures: jsonb().$type<Record<string, number>>(),
  },
  table => [
    primaryKey({ columns: [table.unitId, table.month] }),
    index('unit_months_month').on(table.month, table.unitId),
  ],
)

/** When owners and units of a programme were first asked for a month: a month that is begun late ends later. */
export const monthStarts = pgTable(
  'month_starts',
  { programme: text().notNull(), month: text().notNull(), begunAt: moment().notNull() },
  table => [primaryKey({ columns: [table.programme, table.month] })],
)

/** A month that is over for a programme: owners change nothing in it any more. */
export const closedMonths = pgTable(
  'closed_months',
  { programme: text().notNull(), month: text().notNull(), closedAt: moment().notNull() },
  table => [primaryKey({ columns: [table.programme, table.month] })],
)

/** What was put right in a month after it was closed, and why. Written once. */
export const lateChanges = pgTable(
  'late_changes',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    month: text().notNull(),
    /** `record`, `activity` or `facts`. */
    subjectKind: text().notNull(),
    subjectId: ref(),
    /** What it did to the figures of the sheet: figure to difference, such as `messages.income` to -3. */
    effect: jsonb().$type<Record<string, number>>().notNull(),
    reason: text().notNull(),
    changedBy: ref()
      .references(() => persons.id)
      .notNull(),
    at: moment().notNull(),
  },
  table => [index('late_changes_month').on(table.month, table.unitId)],
)

/*
 * Figures that are kept by the database itself (triggers of migration 0018): how many messages each unit has. What has
 * just been recorded lies in `record_count_changes` until it is folded in; both together are exact at any moment.
 */

/** Messages of a unit in a month by category, source and who decided the category. */
export const recordCounts = pgTable(
  'record_counts',
  {
    unitId: ref().notNull(),
    month: text().notNull(),
    category: text().notNull(),
    source: text().notNull(),
    decidedBy: text().notNull(),
    messages: integer().notNull(),
  },
  table => [
    primaryKey({ columns: [table.month, table.unitId, table.category, table.source, table.decidedBy] }),
  ],
)

/**
 * The same of a unit with all below it, written by the same fold: the nation's month is a few rows and not a sum over all
 * townships. A unit that is given another place in the tree must take its sums along.
 */
export const subtreeRecordCounts = pgTable(
  'subtree_record_counts',
  {
    unitId: ref().notNull(),
    month: text().notNull(),
    category: text().notNull(),
    source: text().notNull(),
    decidedBy: text().notNull(),
    messages: integer().notNull(),
  },
  table => [
    primaryKey({
      name: 'subtree_record_counts_key',
      columns: [table.unitId, table.month, table.category, table.source, table.decidedBy],
    }),
  ],
)

/** Differences to `record_counts` that are not folded in yet: never locked by who records, read and deleted by the fold. */
export const recordCountChanges = pgTable('record_count_changes', {
  unitId: ref().notNull(),
  month: text().notNull(),
  category: text().notNull(),
  source: text().notNull(),
  decidedBy: text().notNull(),
  messages: integer().notNull(),
})

/** A picture that proves a number, or was taken at an activity. */
export const recordFiles = pgTable(
  'record_files',
  {
    id: id(),
    /** `proof` of counted messages, `photo` of an activity. */
    kind: text().notNull(),
    activityId: ref().references(() => activities.id),
    /** The update with which the messages were counted. */
    updateId: ref(),
    name: text().notNull(),
    mime: text().notNull(),
    size: integer().notNull(),
    /** SHA-256, hex: the same picture twice proves nothing anew. */
    hash: text().notNull(),
    /** Sealed, base64 inside: a picture of a chat shows people. */
    bytesSealed: text().notNull(),
    uploadedBy: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
  },
  table => [
    index('record_files_activity').on(table.activityId).where(sql`activity_id is not null`),
    index('record_files_update').on(table.updateId).where(sql`update_id is not null`),
    index('record_files_person').on(table.uploadedBy),
    uniqueIndex('record_files_proof_once').on(table.hash, table.updateId).where(sql`update_id is not null`),
    uniqueIndex('record_files_photo_once')
      .on(table.hash, table.activityId)
      .where(sql`activity_id is not null`),
  ],
)

/** Who signed up for an announced activity, and who came. */
export const activityPeople = pgTable(
  'activity_people',
  {
    id: id(),
    activityId: ref()
      .references(() => activities.id)
      .notNull(),
    identityId: ref()
      .references(() => identities.id)
      .notNull(),
    personId: ref().references(() => persons.id),
    signedUpAt: moment(),
    /** Taken back before the day. */
    withdrawnAt: moment(),
    checkedInAt: moment(),
  },
  table => [
    uniqueIndex('activity_people_once').on(table.activityId, table.identityId),
    index('activity_people_identity').on(table.identityId),
    index('activity_people_person').on(table.personId).where(sql`person_id is not null`),
  ],
)

/** What WeCom says of an owner's customer groups on a day (群聊数据统计): activity beside the counts, never a count of posts. */
export const ownerChatDays = pgTable(
  'owner_chat_days',
  {
    channel: text().notNull(),
    /** The owner's userid in WeCom. */
    ownerUserId: text().notNull(),
    day: date().notNull(),
    chats: integer().notNull(),
    newChats: integer().notNull(),
    members: integer().notNull(),
    newMembers: integer().notNull(),
    activeMembers: integer().notNull(),
    messages: integer().notNull(),
  },
  table => [
    primaryKey({ columns: [table.channel, table.ownerUserId, table.day] }),
    index('owner_chat_days_day').on(table.channel, table.day),
  ],
)

/** A text that a level above offers to the groups below, to be passed on with one tap (每类三条备选). */
export const readyPosts = pgTable(
  'ready_posts',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    category: text().notNull(),
    body: text().notNull(),
    link: text(),
    writtenBy: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
    /** From this moment on it is offered to nobody. */
    endsAt: moment().notNull(),
  },
  table => [index('ready_posts_unit').on(table.unitId, table.category)],
)

/** That a ready post was passed on in a group: each group once. */
export const readyPostUses = pgTable(
  'ready_post_uses',
  {
    postId: ref()
      .references(() => readyPosts.id)
      .notNull(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    usedBy: ref()
      .references(() => persons.id)
      .notNull(),
    at: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.postId, table.groupId] })],
)

/** What the coach has said to a group's owner, and whether they want to hear it: help, which nobody else sees. */
export const coachedOwners = pgTable('coached_owners', {
  personId: ref()
    .references(() => persons.id)
    .primaryKey(),
  /** When it last said something by itself: not more than once a week. */
  toldAt: moment(),
  /** Switched off by the owner. */
  offAt: moment(),
})
