import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { auditLog, chatReadings, outgoingMessages } from '../schema/index.ts'

/** Writes an entry of the audit log unless the same one (but for its time) stands there. */
export async function appendAuditOnce(db: Db, row: typeof auditLog.$inferInsert): Promise<void> {
  const [present] = await db
    .select({ id: auditLog.id })
    .from(auditLog)
    .where(
      and(
        eq(auditLog.subjectKind, row.subjectKind),
        row.subjectId == null ? isNull(auditLog.subjectId) : eq(auditLog.subjectId, row.subjectId),
        eq(auditLog.action, row.action),
        sql`${auditLog.details} = ${JSON.stringify(row.details)}::jsonb`,
      ),
    )
    .limit(1)
  if (!present) await db.insert(auditLog).values(row)
}

/** Whether a chat waits to be read. */
export async function isReadingDue(db: Db, chatId: string): Promise<boolean> {
  const rows = await db
    .select({ chatId: chatReadings.chatId })
    .from(chatReadings)
    .where(eq(chatReadings.chatId, chatId))
  return rows.length > 0
}

/** A chat is no more and cannot be read. */
export async function cancelReading(db: Db, chatId: string): Promise<void> {
  await db.delete(chatReadings).where(eq(chatReadings.chatId, chatId))
}

/**
 * An account is gone: texts that waited for it to write have failed. Those to its person, who was called through the
 * Official Account, go out by the person's other account where there is one that can be written to.
 */
export async function settleWaiting(
  db: Db,
  account: { id: number; channel: string; personId: number | null },
  error: string,
  now: Date,
): Promise<void> {
  await db
    .update(outgoingMessages)
    .set({ status: 'failed', error })
    .where(and(eq(outgoingMessages.status, 'waiting'), eq(outgoingMessages.identityId, account.id)))
  if (account.personId === null || account.channel !== 'official-account') return
  await db.execute(sql`
    with other as (
      select exists (select from identities where person_id = ${account.personId} and id <> ${account.id}
        and channel = 'wecom' and is_reachable) as is_there
    )
    update outgoing_messages o set
      status = case when other.is_there then 'pending' else 'failed' end,
      error = case when other.is_there then null else ${error} end,
      attempts = case when other.is_there then 0 else o.attempts end,
      next_attempt_at = ${now.toISOString()}::timestamptz
    from other where o.status = 'waiting' and o.person_id = ${account.personId} and o.identity_id is null`)
}

export interface Summons {
  id: number
  /** `waiting` (the text follows when the person writes) or `sent` (a notice, which they ask for). */
  status: string
}

/**
 * The message whose reader was called by a template message, while its fate is open; locked. The platform's ids are told
 * apart by account: WeCom has ids of its own.
 */
export async function lockSummons(
  db: Db,
  template: { channel: string; address: string; platformId: string },
): Promise<Summons | null> {
  const [row] = await db.execute<{ id: string; status: string }>(sql`
    with me as (
      select id, person_id from identities where channel = ${template.channel} and address = ${template.address}
    )
    select o.id, o.status from outgoing_messages o
    where o.platform_id = ${template.platformId} and o.kind in ('person', 'join_pass')
      and o.status in ('waiting', 'sent')
      and exists (select from me where o.identity_id = me.id or o.person_id = me.person_id)
      -- a notice that has been brought on needs its reader no longer
      and (o.status = 'waiting' or exists (
        select from deliveries d where d.outgoing_id = o.id and d.status <> 'posted'))
    for update of o`)
  return row ? { id: Number(row.id), status: row.status } : null
}

/**
 * The call of a template message did not go through: what else waits for its reader has been called for by nothing, and
 * does not keep the next call back (`wasSummoned`).
 */
export async function forgetCall(db: Db, outgoingId: number): Promise<void> {
  await db.execute(sql`
    update outgoing_messages o set sent_at = null from outgoing_messages called
    where called.id = ${outgoingId} and o.status = 'waiting' and o.id <> called.id
      and (o.person_id = called.person_id or o.identity_id = called.identity_id)`)
}

/**
 * A member's userid was changed: gives their places in groups, the open tasks about them and the groups that wait to be
 * claimed by them to the new one. Where a group knows both, the new one takes over whom the old one was known to be.
 * @param before places taken later are somebody else's, who got the userid that became free
 */
export async function renameMember(db: Db, from: string, to: string, before: Date, now: Date): Promise<void> {
  const at = before.toISOString()
  const left = await db.execute<{ group_id: string; person_id: string | null; known_by: string | null }>(sql`
    update group_members o set left_at = ${now.toISOString()}::timestamptz
    where o.address = ${from} and o.left_at is null and o.joined_at <= ${at}::timestamptz
      and exists (select from group_members n where n.group_id = o.group_id and n.address = ${to} and n.left_at is null)
    returning group_id, person_id, known_by`)
  for (const { group_id, person_id, known_by } of left)
    if (person_id !== null)
      await db.execute(sql`
        update group_members set person_id = ${person_id}, known_by = ${known_by}
        where group_id = ${group_id} and address = ${to} and left_at is null and person_id is null`)
  await db.execute(sql`
    update group_members set address = ${to}
    where address = ${from} and left_at is null and joined_at <= ${at}::timestamptz`)
  await db.execute(sql`
    update tasks o set closed_at = ${now.toISOString()}::timestamptz, closed_by = 'void'
    where o.address = ${from} and o.closed_at is null and o.created_at <= ${at}::timestamptz and exists (
      select from tasks n where n.kind = o.kind and n.group_id = o.group_id and n.address = ${to}
        and n.person_id is not distinct from o.person_id and n.closed_at is null)`)
  await db.execute(sql`
    update tasks set address = ${to}
    where address = ${from} and closed_at is null and created_at <= ${at}::timestamptz`)
  await db.execute(sql`update unclaimed_chats set owner_address = ${to} where owner_address = ${from}`)
}
