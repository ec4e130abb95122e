import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { id, moment, ref } from './columns.ts'
import { groups } from './groups.ts'
import { identities, persons } from './persons.ts'
import { units } from './units.ts'

/** Something a unit sends down to all groups below it (通知). */
export const notices = pgTable(
  'notices',
  {
    id: id(),
    programme: text().notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    authorId: ref()
      .references(() => persons.id)
      .notNull(),
    body: text().notNull(),
    category: text().notNull(),
    /** 紧要程度: `normal`, `same-day` or `urgent` (`templates/policies/notices.json`). */
    importance: text().notNull().default('normal'),
    /** Who is asked when (催办), worked out once: what is stored is what happens, whatever the policy says later. */
    steps: jsonb().$type<{ at: string; to: string }[]>().notNull().default([]),
    /** Which groups below the unit it is for. */
    audience: jsonb().$type<NoticeAudience>().notNull().default({}),
    /** `at-once`: to all levels together; `by-level`: each level begins when the one above has relayed, or its time is over. */
    mode: text().notNull().default('at-once'),
    /** An address that stands below the text. */
    link: text(),
    /** What is asked back; null: only that it is relayed. */
    ask: jsonb().$type<NoticeAsk>(),
    /** `notice`, or what follows another (`about`): `correction` (更正) or `withdrawal` (撤回). */
    kind: text().notNull().default('notice'),
    aboutId: ref().references((): AnyPgColumn => notices.id),
    /** Taken back: what was not sent stays unsent. */
    withdrawnAt: moment(),
    /** The second person, where one was needed. */
    approvedBy: ref().references(() => persons.id),
    issuedAt: moment().notNull(),
    deadlineAt: moment().notNull(),
  },
  table => [
    index('notices_unit').on(table.unitId),
    index('notices_about').on(table.aboutId).where(sql`about_id is not null`),
    index('notices_author').on(table.authorId, table.issuedAt),
    index('notices_unanswered_of')
      .on(sql`((audience ->> 'unansweredOf')::bigint)`)
      .where(sql`audience ? 'unansweredOf'`),
  ],
)

/*
 * How far each notice has come, kept by the database itself (triggers of the migration that makes these tables): a list of
 * notices to half a million groups each must not count them. What has just changed lies in `notice_count_changes` until it
 * is folded in; both together are exact at any moment.
 */

/** Groups that a notice is meant for, and those that have it; a group that was dissolved counts only when it has it. */
export const noticeCounts = pgTable('notice_counts', {
  noticeId: ref().primaryKey(),
  groups: integer().notNull(),
  posted: integer().notNull(),
})

/** Differences to `notice_counts` that are not folded in yet: nobody who sends waits for another. */
export const noticeCountChanges = pgTable(
  'notice_count_changes',
  {
    noticeId: ref().notNull(),
    groups: integer().notNull(),
    posted: integer().notNull(),
  },
  table => [index('notice_count_changes_notice').on(table.noticeId)],
)

/** Groups of the sending unit and below; a part that is left out does not narrow it. */
export interface NoticeAudience {
  /** Levels of the programme's template, such as `county`. */
  levels?: string[]
  /** Group kinds of the template. */
  groupKinds?: string[]
  /** Only these units and all below them. */
  unitIds?: number[]
  /** Only units that have not answered this notice. */
  unansweredOf?: number
  /** Only the groups that got this notice: for what follows it. */
  gotNotice?: number
}

/** What the units are asked to answer. */
export interface NoticeAsk {
  kind: 'text' | 'number' | 'choice' | 'file'
  question: string
  /** For `choice`. */
  choices?: string[]
  /** For `number`, such as 人. */
  measure?: string
}

/** All that a writer decides about a notice. */
export interface NoticeContent {
  body: string
  category: string
  importance: string
  audience: NoticeAudience
  mode: string
  link: string | null
  ask: NoticeAsk | null
}

/** Somebody was asked, or reminded, to look at a draft (请人审核). */
export interface ApprovalCall {
  at: string
  personIds: number[]
  /** Of the office that they were asked as. */
  unitName: string
  isReminder: boolean
  /** The messages that ask one by one: what has not left when the draft is decided does not leave any more. */
  messageIds: number[]
}

/** A notice before it is sent (草稿): being written, waiting for a second person, or for its time. */
export const noticeDrafts = pgTable(
  'notice_drafts',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    authorId: ref()
      .references(() => persons.id)
      .notNull(),
    content: jsonb().$type<NoticeContent>().notNull(),
    /** `draft`, `waiting` (for a second person), `ready` (goes out at its time), `sent`, `dropped`, `failed` (see `reason`). */
    status: text().notNull(),
    /** When it is to go out; null: as soon as it is ready. */
    sendAt: moment(),
    /** The step of a work schedule that it is for, such as `xibu-2020:2026:interview`. */
    scheduleStep: text(),
    /** Who let it pass or sent it back, with their words. */
    decidedBy: ref().references(() => persons.id),
    decidedAt: moment(),
    reason: text(),
    noticeId: ref().references(() => notices.id),
    /** Who was asked to look at it since it was submitted, and when: it shows where it lies. */
    calls: jsonb().$type<ApprovalCall[]>().notNull().default([]),
    /** While it waits: when they are reminded, or the next office is asked; null: everybody has been. */
    callAgainAt: moment(),
    createdAt: moment().notNull(),
    updatedAt: moment().notNull(),
  },
  table => [
    index('notice_drafts_call')
      .on(table.callAgainAt)
      .where(sql`status = 'waiting' and call_again_at is not null`),
    index('notice_drafts_author').on(table.authorId, table.status),
    index('notice_drafts_unit').on(table.unitId).where(sql`status in ('waiting', 'ready')`),
    index('notice_drafts_due').on(table.sendAt).where(sql`status = 'ready'`),
    uniqueIndex('notice_drafts_step')
      .on(table.unitId, table.scheduleStep)
      .where(sql`schedule_step is not null`),
  ],
)

/** A picture or a file of a notice, or one that answers it. */
export const noticeFiles = pgTable(
  'notice_files',
  {
    id: id(),
    draftId: ref().references(() => noticeDrafts.id),
    noticeId: ref().references(() => notices.id),
    /** `picture` or `file` of a notice; `answer`: a unit has answered with it. */
    kind: text().notNull(),
    name: text().notNull(),
    mime: text().notNull(),
    size: integer().notNull(),
    /** SHA-256, hex. */
    hash: text().notNull(),
    /** Sealed, base64 inside: an answer may hold personal data. */
    bytesSealed: text().notNull(),
    uploadedBy: ref()
      .references(() => persons.id)
      .notNull(),
    createdAt: moment().notNull(),
  },
  table => [
    index('notice_files_draft').on(table.draftId).where(sql`draft_id is not null`),
    index('notice_files_notice').on(table.noticeId).where(sql`notice_id is not null`),
  ],
)

/** What a unit has answered to a notice; the last word of a unit counts, earlier ones stay. */
export const noticeAnswers = pgTable(
  'notice_answers',
  {
    id: id(),
    noticeId: ref()
      .references(() => notices.id)
      .notNull(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** As it is read by people; a number in plain digits. Sealed: people write names and phones. */
    answerSealed: text().notNull(),
    /** For `number`: to be added up; for `choice`: its place among the choices, from 1. */
    amount: numeric({ mode: 'number' }),
    fileId: ref().references(() => noticeFiles.id),
    /** As whom they answered: `manager` (runs the unit) or `owner` (of one of its groups), who does not overrule a manager. */
    standing: text().notNull().default('owner'),
    answeredAt: moment().notNull(),
    /** A later answer of the unit has taken its place. */
    replacedAt: moment(),
  },
  table => [
    uniqueIndex('notice_answers_current').on(table.noticeId, table.unitId).where(sql`replaced_at is null`),
    index('notice_answers_notice').on(table.noticeId),
  ],
)

/** A trial run of a unit's matrix against the simulator (演练). */
export const rehearsals = pgTable(
  'rehearsals',
  {
    id: id(),
    unitId: ref()
      .references(() => units.id)
      .notNull(),
    askedBy: ref()
      .references(() => persons.id)
      .notNull(),
    /** `waiting`, `running`, `done` or `failed`. */
    status: text().notNull(),
    settings: jsonb().$type<Record<string, unknown>>().notNull(),
    /** null until it is done. */
    result: jsonb().$type<Record<string, unknown>>(),
    reason: text(),
    createdAt: moment().notNull(),
    endedAt: moment(),
  },
  table => [
    index('rehearsals_unit').on(table.unitId),
    index('rehearsals_open').on(table.id).where(sql`status in ('waiting', 'running')`),
  ],
)

/** One notice to one group through one channel (投递). */
export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    noticeId: ref()
      .references(() => notices.id)
      .notNull(),
    groupId: ref()
      .references(() => groups.id)
      .notNull(),
    /** `robot`, `appchat`, `mass` (the owner confirms) or `relay` (the owner forwards by hand). */
    route: text().notNull(),
    /** Who must act, for `mass` and `relay`; null when the group has no owner. */
    ownerId: ref().references(() => persons.id),
    outgoingId: ref().references(() => outgoingMessages.id),
    /** `pending` → `sent` (handed over) → `posted` (in the group, with a receipt); `failed`, `unknown`; `withdrawn` before it went. */
    status: text().notNull(),
    /** The next of the notice's `steps`. */
    step: smallint().notNull().default(0),
    /** When that step is due; null: posted, or all steps are behind. */
    dueAt: moment(),
    updatedAt: moment().notNull(),
  },
  table => [
    uniqueIndex('deliveries_once').on(table.noticeId, table.groupId),
    index('deliveries_open_of_owner').on(table.ownerId).where(sql`status <> 'posted'`),
    index('deliveries_outgoing').on(table.outgoingId),
    index('deliveries_due').on(table.dueAt, table.ownerId).where(sql`due_at is not null`),
  ],
)

/** Somebody beside the owner was asked to see that a delivery gets into its group; their word settles it as well. */
export const deliveryAsks = pgTable(
  'delivery_asks',
  {
    deliveryId: ref()
      .references(() => deliveries.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    /** `unit` or `unit-above`. */
    step: text().notNull(),
    askedAt: moment().notNull(),
  },
  table => [
    primaryKey({ columns: [table.deliveryId, table.personId] }),
    index('delivery_asks_person').on(table.personId),
  ],
)

/** How many messages a person has had about a notice, the first request to relay it not counted. */
export const noticeChases = pgTable(
  'notice_chases',
  {
    noticeId: ref()
      .references(() => notices.id)
      .notNull(),
    personId: ref()
      .references(() => persons.id)
      .notNull(),
    count: smallint().notNull(),
    lastAt: moment().notNull(),
  },
  table => [primaryKey({ columns: [table.noticeId, table.personId] })],
)

/** Proof that a delivery was posted, relayed or read (回执). Written once. */
export const receipts = pgTable(
  'receipts',
  {
    id: id(),
    deliveryId: ref()
      .references(() => deliveries.id)
      .notNull(),
    /** `posted` (platform's word), `relayed` (owner's word or confirmed mass message), `received` (owner saw it). */
    kind: text().notNull(),
    personId: ref().references(() => persons.id),
    proof: jsonb().$type<Record<string, unknown>>().notNull(),
    at: moment().notNull(),
  },
  table => [uniqueIndex('receipts_once').on(table.deliveryId, table.kind)],
)

/**
 * Whose turn comes first, as SQL: somebody is in danger (-1), who waits at the other end (0), what somebody's work waits for
 * (1), the rest (2). The index of what is due is in this order, so that nobody who asks for the first few reads the rest.
 */
export const TURN = `case when purpose = 'danger' then -1
  when kind in ('welcome', 'response') or purpose in ('welcome', 'reply') then 0
  when purpose in ('escalation', 'review', 'decision', 'pass', 'task') then 1 else 2 end`

/** One message on its way out to a platform. Sending happens only from these rows (`server/jobs/deliver.ts`). */
export const outgoingMessages = pgTable(
  'outgoing_messages',
  {
    id: id(),
    /** What is called: `person`, `robot`, `appchat`, `mass`, `join_pass`, `create_appchat`,
     * `add_to_appchat`, `card_update`, `welcome` or `response`. */
    kind: text().notNull(),
    /** Person to be reached by whatever account they have; for `mass` the owner who confirms. */
    personId: ref().references(() => persons.id),
    /** Sends to this account only (a late answer goes where the question came from). */
    identityId: ref().references(() => identities.id),
    groupId: ref().references(() => groups.id),
    /** `reply`, `relay`, `reminder`, `escalation`, `task`, `review`, `decision`, `notice`, `pass`, `report`, `welcome`, `danger`. */
    purpose: text().notNull(),
    /** The notice that it carries: what it says is written from the notice when it goes out, and `textsSealed` is empty. */
    noticeId: ref().references(() => notices.id),
    /** The deliveries that it chases (催办): what it says is written when it goes out, of those that are open then. */
    chases: jsonb().$type<number[]>(),
    /** The texts to send one after the other, a sealed JSON array: answers may hold personal data. */
    textsSealed: text().notNull(),
    /** Files that go behind the texts, a sealed JSON array of `{ pageId, name, link }`; null: none. */
    filesSealed: text(),
    /** A card that a WeCom member gets instead of the texts (`server/domain/outgoing/card.ts`), sealed JSON; null: none. */
    cardSealed: text(),
    /** Not worth sending after this moment: a welcome has 20 seconds. */
    expiresAt: moment(),
    /** How many of them are out already, so that a retry goes on behind them. */
    sentCount: integer().notNull().default(0),
    /** For `mass`: the chat ids of one task (≤ 2000). */
    chatIds: jsonb().$type<string[]>(),
    /** `pending`, `sending`, `sent`, `retrying`, `failed`, `unknown` (in flight at a crash, no way to ask), `waiting`
     * (the person was called and gets it when they write), `cancelled` (taken back before it went). */
    status: text().notNull(),
    attempts: integer().notNull().default(0),
    nextAttemptAt: moment().notNull(),
    /** On a copy that is relayed by hand: its number within the notice, as in 〔川-0731〕, so that it tells where it came from. */
    mark: integer(),
    /** Set while a worker has it. */
    claimedAt: moment(),
    /** The process that has it (`db/presence.ts`); null: one that nobody can tell apart. */
    claimedBy: integer(),
    /** For a post into a group: since when its call is out. What is claimed and not out yet can go back after a crash. */
    callingSince: moment(),
    platformId: text(),
    /** For a notice: what the app's messages of it can be recalled by, as far as they are out; null: none went through the app. */
    recallIds: jsonb().$type<string[]>(),
    error: text(),
    createdAt: moment().notNull(),
    sentAt: moment(),
  },
  table => [
    index('outgoing_due')
      .on(sql.raw(`(${TURN})`), table.nextAttemptAt, table.id)
      .where(sql`status in ('pending', 'retrying') and notice_id is null`),
    index('outgoing_due_of_notice')
      .on(table.noticeId, table.nextAttemptAt, table.id)
      .where(sql`status in ('pending', 'retrying') and notice_id is not null`),
    index('outgoing_lane')
      .on(sql.raw('(coalesce(person_id, identity_id, group_id))'), table.id)
      .where(sql`status in ('pending', 'sending')`),
    index('outgoing_waiting').on(table.personId, table.identityId).where(sql`status = 'waiting'`),
    index('outgoing_waiting_account').on(table.identityId).where(sql`status = 'waiting'`),
    index('outgoing_trouble').on(table.createdAt).where(sql`status in ('unknown', 'failed')`),
    index('outgoing_in_flight').on(table.claimedAt).where(sql`status = 'sending'`),
    index('outgoing_platform_id').on(table.platformId).where(sql`kind in ('person', 'join_pass')`),
    uniqueIndex('outgoing_mark').on(table.noticeId, table.mark).where(sql`mark is not null`),
    index('outgoing_mass').on(table.id).where(sql`kind = 'mass' and status = 'sent'`),
  ],
)
