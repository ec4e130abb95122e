import { and, asc, desc, eq, gt, inArray, isNull, like, lt, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  deliveries,
  groups,
  messageRecords,
  notices,
  outgoingMessages,
  persons,
  receipts,
  units,
} from '../schema/index.ts'

export type { NoticeAsk, NoticeAudience, NoticeContent } from '../schema/index.ts'
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

/** The newest notices that a subtree has sent or got. */
export function latestNotices(db: Db, unitPath: string, limit: number) {
  return db
    .select({ id: notices.id, body: notices.body, issuedAt: notices.issuedAt, unitName: units.name })
    .from(notices)
    .innerJoin(units, eq(units.id, notices.unitId))
    .where(sql`(${units.path} like ${`${unitPath}%`} or ${unitPath} like ${units.path} || '%')`)
    .orderBy(sql`${notices.id} desc`)
    .limit(limit)
}

export interface ListedNotice {
  id: number
  body: string
  category: string
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
      sql`exists (select from unnest(${sql.param(unitPaths)}::text[]) as top (path)
        where starts_with(${units.path}, top.path) or starts_with(top.path, ${units.path}))`,
    )
    .orderBy(desc(notices.id))
    .limit(place.limit)
    .offset(place.offset)
}

/** How many groups of a subtree each notice is meant for, and how many have it. */
export async function reachOfNotices(
  db: Db,
  wanted: { id: number; unitPath: string }[],
): Promise<Map<number, { groups: number; posted: number }>> {
  if (wanted.length === 0) return new Map()
  const rows = await db.execute<{ id: string; groups: number; posted: number }>(sql`
    with wanted as (
      select * from unnest(${sql.param(wanted.map(each => each.id))}::bigint[],
        ${sql.param(wanted.map(each => each.unitPath))}::text[]) as w (id, path)
    ), below as materialized (
      -- once for each subtree, not for each delivery
      select top.path, g.id, g.dissolved_at is not null as is_gone
      from (select distinct path from wanted) as top
      join units u on starts_with(u.path, top.path) join groups g on g.unit_id = u.id
    ), sent as materialized (
      -- read in one piece: looking each group's delivery up by itself takes several times as long
      select notice_id, group_id, status from deliveries
      where notice_id = any(${sql.param(wanted.map(each => each.id))}::bigint[])
    )
    select w.id, count(*)::int as groups, (count(*) filter (where d.status = 'posted'))::int as posted
    from wanted w
    join sent d on d.notice_id = w.id
    join below b on b.path = w.path and b.id = d.group_id
    where not b.is_gone or d.status = 'posted'
    group by w.id`)
  return new Map([...rows].map(row => [Number(row.id), { groups: row.groups, posted: row.posted }]))
}

/** The notice that somebody has just sent with these very words from this unit; null when there is none. */
export async function sameNoticeSince(
  db: Db,
  same: { authorId: number; unitId: number; body: string },
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
        gt(notices.issuedAt, since),
      ),
    )
    .orderBy(desc(notices.id))
    .limit(1)
  return row?.id ?? null
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
    })
    .from(deliveries)
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(
      and(
        // what may or may not have been posted is settled by the owner's look into the group
        sql`(${deliveries.ownerId} = ${personId} and (${deliveries.route} = 'relay' or ${deliveries.status} = 'unknown')
          or ${deliveries.id} in (select delivery_id from delivery_asks where person_id = ${personId}))`,
        sql`${deliveries.status} <> 'posted'`,
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
        sql`${deliveries.status} <> 'posted'`,
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

/** Moves a delivery on; false when it was there already (a second word about the same thing changes nothing). */
export async function settleDelivery(db: Db, id: number, status: string, now: Date): Promise<boolean> {
  const rows = await db
    .update(deliveries)
    .set({ status, updatedAt: now, ...(status === 'posted' ? { dueAt: null } : {}) })
    .where(and(eq(deliveries.id, id), sql`${deliveries.status} not in ('posted', ${status})`))
    .returning({ id: deliveries.id })
  return rows.length === 1
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
    .where(and(eq(deliveries.outgoingId, outgoingId), sql`${deliveries.status} <> 'posted'`))
}

/** Hands deliveries to their owners for relaying. */
export async function rerouteDeliveries(db: Db, ids: number[], outgoingId: number, now: Date): Promise<void> {
  await db
    .update(deliveries)
    .set({ route: 'relay', outgoingId, status: 'pending', updatedAt: now })
    .where(inArray(deliveries.id, ids))
}

/** How far a notice has come, by level and route; a group that was dissolved without it is not waited for. */
export async function progressOf(db: Db, noticeId: number, unitPath: string) {
  return db
    .select({
      level: units.level,
      route: deliveries.route,
      status: deliveries.status,
      count: sql<number>`count(*)::int`,
      received: sql<number>`(count(*) filter (where exists (select from ${receipts} r where r.delivery_id = ${deliveries.id})))::int`,
    })
    .from(deliveries)
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(
      and(
        eq(deliveries.noticeId, noticeId),
        like(units.path, `${unitPath}%`),
        sql`(${groups.dissolvedAt} is null or ${deliveries.status} = 'posted')`,
      ),
    )
    .groupBy(units.level, deliveries.route, deliveries.status)
}

/** The groups in use that have not got a notice, with who could change that. */
export function missingDeliveries(db: Db, noticeId: number, unitPath: string, limit: number) {
  return db
    .select({
      deliveryId: deliveries.id,
      groupId: groups.id,
      groupName: groups.name,
      unitId: units.id,
      unitName: units.name,
      unitPath: units.path,
      managerId: units.managerId,
      parentId: units.parentId,
      ownerId: deliveries.ownerId,
      ownerName: persons.name,
      status: deliveries.status,
      route: deliveries.route,
    })
    .from(deliveries)
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .leftJoin(persons, eq(persons.id, deliveries.ownerId))
    .where(
      and(
        eq(deliveries.noticeId, noticeId),
        like(units.path, `${unitPath}%`),
        sql`${deliveries.status} <> 'posted'`,
        isNull(groups.dissolvedAt),
      ),
    )
    .orderBy(asc(units.path), asc(groups.id))
    .limit(limit)
}

/** Whether an owner without a notice can be called: what their accounts allow now. */
export interface OwnerReach {
  byWecom: boolean
  /** The Official Account may write to them now (客服消息时窗). */
  byMessage: boolean
  /** They follow the Official Account: a template message calls them back. */
  byTemplate: boolean
}

export type DryGroup = OwnerReach & {
  groupId: number
  groupName: string
  unitName: string
  ownerName: string | null
  status: string
  route: string
  /** Since when it waits as it does: for this owner, or by this way. */
  since: Date
  receivedAt: Date | null
}

/** The groups in use of a subtree without a notice, in the order of the tree, with what can be done about each. */
export async function dryGroups(
  db: Db,
  noticeId: number,
  unitPath: string,
  now: Date,
  place: { limit: number; offset: number },
): Promise<DryGroup[]> {
  const rows = await db.execute<{
    group_id: string
    group_name: string
    unit_name: string
    owner_name: string | null
    status: string
    route: string
    updated_at: string
    received_at: string | null
    by_wecom: boolean | null
    by_message: boolean | null
    by_template: boolean | null
  }>(sql`
    select g.id as group_id, g.name as group_name, u.name as unit_name, p.name as owner_name, d.status, d.route,
      d.updated_at, (select min(r.at) from receipts r where r.delivery_id = d.id and r.kind = 'received') as received_at,
      a.by_wecom, a.by_message, a.by_template
    from deliveries d
    join groups g on g.id = d.group_id
    join units u on u.id = g.unit_id
    left join persons p on p.id = d.owner_id
    left join lateral (
      select bool_or(i.channel = 'wecom') as by_wecom, bool_or(i.channel = 'official-account') as by_template,
        bool_or(i.channel = 'official-account' and coalesce(i.window_left > 0 and i.window_ends_at > ${now.toISOString()}, false)) as by_message
      from identities i where i.person_id = d.owner_id and i.is_reachable
    ) a on true
    where d.notice_id = ${noticeId} and d.status <> 'posted' and g.dissolved_at is null
      and u.path like ${`${unitPath}%`}
    order by u.path, g.id limit ${place.limit} offset ${place.offset}`)
  return [...rows].map(row => ({
    groupId: Number(row.group_id),
    groupName: row.group_name,
    unitName: row.unit_name,
    ownerName: row.owner_name,
    status: row.status,
    route: row.route,
    since: new Date(row.updated_at),
    receivedAt: row.received_at === null ? null : new Date(row.received_at),
    byWecom: row.by_wecom ?? false,
    byMessage: row.by_message ?? false,
    byTemplate: row.by_template ?? false,
  }))
}

/** Every delivery of a notice within a subtree, for a list to be kept; a group that was dissolved without it left out. */
export async function deliveriesOfNotice(db: Db, noticeId: number, unitPath: string) {
  return db
    .select({
      groupId: groups.id,
      groupName: groups.name,
      unitName: units.name,
      level: units.level,
      ownerName: persons.name,
      route: deliveries.route,
      status: deliveries.status,
      receivedAt: sql<
        string | null
      >`(select min(r.at) from receipts r where r.delivery_id = ${deliveries.id} and r.kind = 'received')`,
      postedAt: sql<
        string | null
      >`(select min(r.at) from receipts r where r.delivery_id = ${deliveries.id} and r.kind <> 'received')`,
    })
    .from(deliveries)
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .leftJoin(persons, eq(persons.id, deliveries.ownerId))
    .where(
      and(
        eq(deliveries.noticeId, noticeId),
        like(units.path, `${unitPath}%`),
        sql`(${groups.dissolvedAt} is null or ${deliveries.status} = 'posted')`,
      ),
    )
    .orderBy(asc(units.path), asc(groups.id))
}

/** When a notice came into the first and the last group of a subtree so far. */
export async function receiptSpan(
  db: Db,
  noticeId: number,
  unitPath: string,
): Promise<{ first: Date | null; last: Date | null }> {
  const [row] = await db.execute<{ first: string | null; last: string | null }>(sql`
    select min(r.at) as first, max(r.at) as last
    from deliveries d join receipts r on r.delivery_id = d.id and r.kind <> 'received'
    join groups g on g.id = d.group_id join units u on u.id = g.unit_id
    where d.notice_id = ${noticeId} and u.path like ${`${unitPath}%`}`)
  return { first: row?.first ? new Date(row.first) : null, last: row?.last ? new Date(row.last) : null }
}

/** How many groups of a subtree got a notice, and how many owners' words came, in each stretch of time since `from`. */
export async function receiptsOverTime(
  db: Db,
  noticeId: number,
  unitPath: string,
  from: Date,
  stretchMs: number,
): Promise<{ stretch: number; posted: number; received: number }[]> {
  const rows = await db.execute<{ stretch: number; posted: number; received: number }>(sql`
    select greatest(0, floor(extract(epoch from r.at - ${from.toISOString()}::timestamptz) * 1000 / ${stretchMs}::float8))::int as stretch,
      (count(*) filter (where r.kind <> 'received'))::int as posted,
      (count(*) filter (where r.kind = 'received'))::int as received
    from deliveries d join receipts r on r.delivery_id = d.id
    join groups g on g.id = d.group_id join units u on u.id = g.unit_id
    where d.notice_id = ${noticeId} and u.path like ${`${unitPath}%`}
      and (g.dissolved_at is null or d.status = 'posted')
    group by 1 order by 1`)
  return [...rows]
}

/** The notice that a message carries, and the groups that it is for; null when it carries none. */
export async function carriedNotice(db: Db, outgoing: { id: number; noticeId: number | null }) {
  const notice = outgoing.noticeId === null ? null : await noticeById(db, outgoing.noticeId)
  if (!notice) return null
  const carried = await db
    .select({ id: groups.id, name: groups.name })
    .from(deliveries)
    .innerJoin(groups, eq(groups.id, deliveries.groupId))
    .where(and(eq(deliveries.outgoingId, outgoing.id), isNull(groups.dissolvedAt)))
    .orderBy(asc(groups.id))
  return { notice, groups: carried }
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

/** Messages whose worker has not reported for long: it died with them in flight. */
export function staleOutgoing(db: Db, before: Date): Promise<OutgoingRow[]> {
  return db
    .select()
    .from(outgoingMessages)
    .where(and(eq(outgoingMessages.status, 'sending'), lt(outgoingMessages.claimedAt, before)))
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
