import { and, asc, desc, eq, gt, inArray, isNull, ne, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { compiledSql } from '../compiled.ts'
import {
  deliveries,
  groups,
  messageRecords,
  type NoticeAsk,
  type NoticeAudience,
  notices,
  outgoingMessages,
  persons,
  receipts,
  units,
} from '../schema/index.ts'

export type { ApprovalCall, NoticeAsk, NoticeAudience, NoticeContent } from '../schema/index.ts'
export type NoticeRow = typeof notices.$inferSelect

export async function insertNotice(db: Db, row: typeof notices.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(notices).values(row).returning({ id: notices.id })
  return inserted?.id as number
}

export async function noticeById(db: Db, id: number) {
  const [row] = await db
    .select({ notice: notices, unitName: units.name, unitPath: units.path, authorName: persons.name })
    .from(notices)
    .innerJoin(units, eq(units.id, notices.unitId))
    .innerJoin(persons, eq(persons.id, notices.authorId))
    .where(eq(notices.id, id))
  return row
    ? { ...row.notice, unitName: row.unitName, unitPath: row.unitPath, authorName: row.authorName }
    : null
}

/** By what a notice from above may have come to somebody. */
export interface Reached {
  /** Subtrees that they run. */
  managingPaths: string[]
  /** A person with their own groups and those they are in, and the very units where they have a role. */
  own?: { personId: number; unitIds: number[] }
}

/** Whether a notice went to a group of theirs: those below its unit whom it was not meant for know nothing of it. */
export function cameTo(noticeId: SQL, { managingPaths, own }: Reached): SQL {
  const theirs = own
    ? sql`union all select g.id from groups g where g.owner_id = ${own.personId}
      union all select g.id from groups g where g.unit_id = any(${sql.param(own.unitIds)}::bigint[])
      union all select m.group_id from group_members m where m.person_id = ${own.personId} and m.left_at is null`
    : sql``
  // paths are of digits and slashes: `~` stands behind all of them, and the index on them serves
  return sql`exists (select from deliveries came where came.notice_id = ${noticeId} and came.group_id = any(array(
    select g.id from unnest(${sql.param(managingPaths)}::text[]) as top (path)
    join units below on below.path ~>=~ top.path and below.path ~<~ (top.path || '~')
    join groups g on g.unit_id = below.id ${theirs})))`
}

/** Whether one notice went to a group of theirs. */
export async function hasCome(db: Db, noticeId: number, to: Reached): Promise<boolean> {
  const [row] = await db.execute<{ has: boolean }>(sql`select ${cameTo(sql`${noticeId}`, to)} as has`)
  return row?.has ?? false
}

/** The newest notices that a subtree has sent or got. */
export function latestNotices(db: Db, unitPath: string, limit: number) {
  return db
    .select({ id: notices.id, body: notices.body, issuedAt: notices.issuedAt, unitName: units.name })
    .from(notices)
    .innerJoin(units, eq(units.id, notices.unitId))
    .where(
      sql`(starts_with(${units.path}, ${unitPath}) or starts_with(${unitPath}, ${units.path})
        and ${cameTo(sql`${notices.id}`, { managingPaths: [unitPath] })})`,
    )
    .orderBy(sql`${notices.id} desc`)
    .limit(limit)
}

export interface ListedNotice {
  id: number
  body: string
  category: string
  kind: string
  aboutId: number | null
  ask: NoticeAsk | null
  withdrawnAt: Date | null
  issuedAt: Date
  deadlineAt: Date
  unitName: string
  unitPath: string
  authorName: string
}

/** Notices that one of these subtrees has sent, or got from above; the newest first. */
export async function noticesInLine(
  db: Db,
  unitPaths: string[],
  place: { limit: number; offset: number },
): Promise<ListedNotice[]> {
  if (unitPaths.length === 0) return []
  return db
    .select({
      id: notices.id,
      body: notices.body,
      category: notices.category,
      kind: notices.kind,
      aboutId: notices.aboutId,
      ask: notices.ask,
      withdrawnAt: notices.withdrawnAt,
      issuedAt: notices.issuedAt,
      deadlineAt: notices.deadlineAt,
      unitName: units.name,
      unitPath: units.path,
      authorName: persons.name,
    })
    .from(notices)
    .innerJoin(units, eq(units.id, notices.unitId))
    .innerJoin(persons, eq(persons.id, notices.authorId))
    .where(
      sql`(exists (select from unnest(${sql.param(unitPaths)}::text[]) as top (path)
          where starts_with(${units.path}, top.path))
        or exists (select from unnest(${sql.param(unitPaths)}::text[]) as top (path)
          where starts_with(top.path, ${units.path}))
        and ${cameTo(sql`${notices.id}`, { managingPaths: unitPaths })})`,
    )
    .orderBy(desc(notices.id))
    .limit(place.limit)
    .offset(place.offset)
}

/** The notice that somebody has just sent with these very words from this unit to these groups; null when there is none. */
export async function sameNoticeSince(
  db: Db,
  same: { authorId: number; unitId: number; body: string; audience: NoticeAudience },
  since: Date,
): Promise<number | null> {
  const [row] = await db
    .select({ id: notices.id })
    .from(notices)
    .where(
      and(
        eq(notices.unitId, same.unitId),
        eq(notices.authorId, same.authorId),
        eq(notices.body, same.body),
        sql`${notices.audience} = ${JSON.stringify(same.audience)}::text::jsonb`,
        gt(notices.issuedAt, since),
      ),
    )
    .orderBy(desc(notices.id))
    .limit(1)
  return row?.id ?? null
}

/** What somebody has sent since a moment that no second person has looked at, with the units in whose names. */
export async function unapprovedNoticesOf(
  db: Db,
  authorId: number,
  since: Date,
): Promise<{ id: number; body: string; unitPath: string }[]> {
  return db
    .select({ id: notices.id, body: notices.body, unitPath: units.path })
    .from(notices)
    .innerJoin(units, eq(units.id, notices.unitId))
    .where(
      and(
        eq(notices.authorId, authorId),
        gt(notices.issuedAt, since),
        eq(notices.kind, 'notice'),
        isNull(notices.approvedBy),
        isNull(notices.withdrawnAt),
      ),
    )
    .orderBy(desc(notices.id))
    .limit(100)
}

/** Lets one person's notices be written one after the other, until the transaction ends. */
export async function lockAuthor(db: Db, authorId: number): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`notice-author:${authorId}`}))`)
}

export interface OpenDelivery {
  id: number
  noticeId: number
  groupId: number
  groupName: string
  unitPath: string
  status: string
  /** false: somebody else's group, which this person was asked to see to. */
  isOwn: boolean
  /** The notice has been corrected since, and the correction is on its way to this group: it is what is to be relayed. */
  isReplaced: boolean
}

/** What a person has not settled yet, of their own groups and of those they were asked about; the oldest notice first. */
export function openDeliveriesOf(db: Db, personId: number): Promise<OpenDelivery[]> {
  return db
    .select({
      id: deliveries.id,
      noticeId: deliveries.noticeId,
      groupId: deliveries.groupId,
      groupName: groups.name,
      unitPath: units.path,
      status: deliveries.status,
      isOwn: sql<boolean>`coalesce(${deliveries.ownerId} = ${personId}, false)`,
      isReplaced: sql<boolean>`exists (select from notices n join deliveries c on c.notice_id = n.id
        where n.about_id = coalesce(${notices.aboutId}, ${notices.id}) and n.kind = 'correction' and n.id > ${notices.id}
          and c.group_id = ${deliveries.groupId})`,
    })
    .from(deliveries)
    .innerJoin(notices, eq(notices.id, deliveries.noticeId))
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(
      and(
        // what may or may not have been posted is settled by the owner's look into the group
        sql`(${deliveries.ownerId} = ${personId} and (${deliveries.route} = 'relay' or ${deliveries.status} = 'unknown')
          or ${deliveries.id} in (select delivery_id from delivery_asks where person_id = ${personId}))`,
        // as the partial index has it, and then without what was taken back
        sql`${deliveries.status} <> 'posted' and ${deliveries.status} <> 'withdrawn'`,
        isNull(notices.withdrawnAt),
        isNull(groups.dissolvedAt),
      ),
    )
    .orderBy(asc(deliveries.noticeId), asc(deliveries.groupId))
}

/** Makes a new owner the one who must relay what a group waits for. Returns what is theirs now. */
export function moveDeliveries(
  db: Db,
  groupId: number,
  ownerId: number,
): Promise<{ id: number; noticeId: number }[]> {
  return db
    .update(deliveries)
    .set({ ownerId, route: 'relay' })
    .where(
      and(
        eq(deliveries.groupId, groupId),
        inArray(deliveries.route, ['relay', 'mass']),
        sql`${deliveries.status} not in ('posted', 'withdrawn')`,
      ),
    )
    .returning({ id: deliveries.id, noticeId: deliveries.noticeId })
}

/** Whether somebody was asked to bring a notice into a group, of theirs or of another's. */
export async function wasAskedToRelay(db: Db, noticeId: number, personId: number): Promise<boolean> {
  const rows = await db
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.noticeId, noticeId),
        sql`(${deliveries.ownerId} = ${personId}
          or ${deliveries.id} in (select delivery_id from delivery_asks where person_id = ${personId}))`,
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** Notes that deliveries are in their groups. @returns those that were not there before */
export async function settlePosted(db: Db, ids: number[], now: Date): Promise<Set<number>> {
  const rows = await db
    .update(deliveries)
    .set({ status: 'posted', updatedAt: now, dueAt: null })
    .where(and(sql`${deliveries.id} = any(${sql.param(ids)}::bigint[])`, ne(deliveries.status, 'posted')))
    .returning({ id: deliveries.id })
  return new Set(rows.map(row => row.id))
}

/** Those that are there already stay as they were first. */
export async function insertReceipts(db: Db, rows: (typeof receipts.$inferInsert)[]): Promise<void> {
  if (rows.length > 0) await db.insert(receipts).values(rows).onConflictDoNothing()
}

export async function insertReceipt(db: Db, row: typeof receipts.$inferInsert): Promise<boolean> {
  const rows = await db.insert(receipts).values(row).onConflictDoNothing().returning({ id: receipts.id })
  return rows.length === 1
}

/** What must be known of a delivery to record its posting. */
export async function deliveryDetails(db: Db, ids: number[]) {
  if (ids.length === 0) return []
  return db
    .select({
      id: deliveries.id,
      noticeId: deliveries.noticeId,
      groupId: deliveries.groupId,
      route: deliveries.route,
      status: deliveries.status,
      chatId: groups.chatId,
      unitId: groups.unitId,
      category: notices.category,
      body: notices.body,
      mode: notices.mode,
      importance: notices.importance,
    })
    .from(deliveries)
    .innerJoin(notices, eq(notices.id, deliveries.noticeId))
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .where(inArray(deliveries.id, ids))
}

export async function deliveryIdsOfOutgoing(db: Db, outgoingId: number): Promise<number[]> {
  const rows = await db
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(eq(deliveries.outgoingId, outgoingId))
  return rows.map(row => row.id)
}

/** The deliveries of several messages, by message. */
export async function deliveriesOfMessages(db: Db, outgoingIds: number[]): Promise<Map<number, number[]>> {
  const rows = await db
    .select({ id: deliveries.id, outgoingId: deliveries.outgoingId })
    .from(deliveries)
    .where(sql`${deliveries.outgoingId} = any(${sql.param(outgoingIds)}::bigint[])`)
  const grouped = Map.groupBy(rows, row => row.outgoingId as number)
  return new Map([...grouped].map(([outgoingId, all]) => [outgoingId, all.map(row => row.id)]))
}

/** Notes that messages are out, and that the deliveries of those that are not posts are handed over. */
export async function recordOut(
  db: Db,
  sent: { id: number; platformId: string; recallIds: string[] | null; isPost: boolean }[],
  now: Date,
): Promise<void> {
  await updateOut(db, {
    at: now.toISOString(),
    ids: sent.map(each => each.id),
    platformIds: sent.map(each => each.platformId),
    recallIds: sent.map(each => (each.recallIds ? JSON.stringify(each.recallIds) : null)),
    handedOver: sent.filter(each => !each.isPost).map(each => each.id),
  })
}

/** One statement, which needs no transaction. As everywhere the messages are locked before their deliveries. */
const updateOut = compiledSql(sql`
  with m as (
    update outgoing_messages m set status = 'sent', sent_at = ${sql.placeholder('at')}::timestamptz,
      platform_id = s.platform_id, recall_ids = s.recall_ids::jsonb, error = null
    from unnest(${sql.placeholder('ids')}::bigint[], ${sql.placeholder('platformIds')}::text[],
      ${sql.placeholder('recallIds')}::text[]) as s (id, platform_id, recall_ids)
    where m.id = s.id returning 1
  )
  update deliveries set status = 'sent', updated_at = ${sql.placeholder('at')}::timestamptz
  where outgoing_id = any(${sql.placeholder('handedOver')}::bigint[]) and status in ('pending', 'sent')
    and (select count(*) from m) > 0`)

/** The notice that a message carries; null for one that carries none. */
export async function noticeOfOutgoing(db: Db, outgoingId: number) {
  const [row] = await db
    .select({ id: notices.id, deadlineAt: notices.deadlineAt })
    .from(deliveries)
    .innerJoin(notices, eq(notices.id, deliveries.noticeId))
    .where(eq(deliveries.outgoingId, outgoingId))
    .limit(1)
  return row ?? null
}

export async function setDeliveriesStatus(
  db: Db,
  outgoingId: number,
  status: string,
  now: Date,
): Promise<void> {
  await db
    .update(deliveries)
    .set({ status, updatedAt: now })
    .where(and(eq(deliveries.outgoingId, outgoingId), inArray(deliveries.status, ['pending', 'sent'])))
}

/** Takes back what a message has not brought into its groups, since its notice was withdrawn. */
export async function withdrawDeliveries(db: Db, outgoingId: number, now: Date): Promise<void> {
  await db
    .update(deliveries)
    .set({ status: 'withdrawn', dueAt: null, updatedAt: now })
    .where(
      and(eq(deliveries.outgoingId, outgoingId), inArray(deliveries.status, ['pending', 'sent', 'failed'])),
    )
}

/** The groups of a message that could not be sent and that have not got the notice. */
export function deliveriesToRelay(db: Db, outgoingId: number) {
  return db
    .select({
      deliveryId: deliveries.id,
      noticeId: deliveries.noticeId,
      ownerId: deliveries.ownerId,
      id: groups.id,
      name: groups.name,
    })
    .from(deliveries)
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .where(
      and(eq(deliveries.outgoingId, outgoingId), sql`${deliveries.status} not in ('posted', 'withdrawn')`),
    )
}

/** Hands deliveries to their owners for relaying. @param outgoingId the request; null: they get none, for they had enough */
export async function rerouteDeliveries(
  db: Db,
  ids: number[],
  outgoingId: number | null,
  now: Date,
): Promise<void> {
  await db
    .update(deliveries)
    .set({ route: 'relay', outgoingId, status: outgoingId === null ? 'failed' : 'pending', updatedAt: now })
    .where(and(inArray(deliveries.id, ids), sql`${deliveries.status} not in ('posted', 'withdrawn')`))
}

export type OutgoingRow = typeof outgoingMessages.$inferSelect

export async function insertOutgoing(
  db: Db,
  rows: (typeof outgoingMessages.$inferInsert)[],
): Promise<number[]> {
  const ids: number[] = []
  for (let from = 0; from < rows.length; from += 1000)
    ids.push(
      ...(
        await db
          .insert(outgoingMessages)
          .values(rows.slice(from, from + 1000))
          .returning({ id: outgoingMessages.id })
      ).map(row => row.id),
    )
  return ids
}

export async function updateOutgoing(
  db: Db,
  id: number,
  set: Partial<typeof outgoingMessages.$inferInsert>,
): Promise<void> {
  await db.update(outgoingMessages).set(set).where(eq(outgoingMessages.id, id))
}

/** Texts that waited for the person to write go out now. Returns how many. */
export async function requeueWaiting(
  db: Db,
  who: { identityId: number; personId: number | null },
  now: Date,
): Promise<number> {
  const theirs = [
    eq(outgoingMessages.identityId, who.identityId),
    ...(who.personId === null ? [] : [eq(outgoingMessages.personId, who.personId)]),
  ]
  const rows = await db
    .update(outgoingMessages)
    .set({ status: 'pending', nextAttemptAt: now, attempts: 0 })
    .where(and(eq(outgoingMessages.status, 'waiting'), or(...theirs)))
    .returning({ id: outgoingMessages.id })
  return rows.length
}

/** Mass tasks that may still be confirmed: sent, with deliveries open. */
export function openMassTasks(db: Db, after: Date): Promise<OutgoingRow[]> {
  return db
    .select()
    .from(outgoingMessages)
    .where(
      and(
        eq(outgoingMessages.kind, 'mass'),
        eq(outgoingMessages.status, 'sent'),
        sql`${outgoingMessages.createdAt} > ${after.toISOString()}`,
        sql`exists (select from ${deliveries} d where d.outgoing_id = ${outgoingMessages.id} and d.status <> 'posted')`,
      ),
    )
}

export async function insertNoticeRecords(
  db: Db,
  rows: (typeof messageRecords.$inferInsert)[],
): Promise<void> {
  if (rows.length > 0) await db.insert(messageRecords).values(rows).onConflictDoNothing()
}
