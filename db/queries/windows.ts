import { and, eq, gt, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { identities } from '../schema/index.ts'

/**
 * Takes one message from an account's customer-service window (客服消息时窗), whatever other processes take meanwhile.
 * @returns `closed`; `unknown` for an account that we have seen no window of: only the platform can tell; otherwise the
 *   window it was taken from
 */
export async function useWindow(db: Db, identityId: number, now: Date): Promise<'closed' | 'unknown' | Date> {
  const [used] = await db
    .update(identities)
    .set({ windowLeft: sql`${identities.windowLeft} - 1` })
    .where(and(eq(identities.id, identityId), gt(identities.windowEndsAt, now), gt(identities.windowLeft, 0)))
    .returning({ endsAt: identities.windowEndsAt })
  if (used?.endsAt) return used.endsAt
  const [row] = await db
    .select({ endsAt: identities.windowEndsAt })
    .from(identities)
    .where(eq(identities.id, identityId))
  return row?.endsAt === null ? 'unknown' : 'closed'
}

/** Gives a message back that did not go out, unless another window has opened since. */
export async function returnToWindow(db: Db, identityId: number, endsAt: Date): Promise<void> {
  await db
    .update(identities)
    .set({ windowLeft: sql`${identities.windowLeft} + 1` })
    .where(and(eq(identities.id, identityId), eq(identities.windowEndsAt, endsAt)))
}

/** The platform says that nothing more may be sent: it is right, whatever we counted. */
export async function closeWindow(db: Db, identityId: number, now: Date): Promise<void> {
  await db
    .update(identities)
    .set({ windowLeft: 0, windowEndsAt: sql`coalesce(${identities.windowEndsAt}, ${now.toISOString()})` })
    .where(eq(identities.id, identityId))
}

/** How the persons bound to the Official Account can be reached now. */
export interface Reachable {
  /** By customer-service messages, and by how many altogether. */
  byMessage: number
  messagesLeft: number
  /** Followers who have to be called by a template message first. */
  byTemplateOnly: number
  /** They follow no more. */
  notAtAll: number
}

export async function reachableToday(db: Db, now: Date): Promise<Reachable> {
  const isOpen = sql`window_ends_at > ${now.toISOString()} and window_left > 0`
  const [row] = await db.execute<Record<keyof Reachable, number>>(sql`
    select count(*) filter (where is_reachable and ${isOpen})::int as "byMessage",
      coalesce(sum(window_left) filter (where is_reachable and ${isOpen}), 0)::int as "messagesLeft",
      count(*) filter (where is_reachable and (${isOpen}) is not true)::int as "byTemplateOnly",
      count(*) filter (where not is_reachable)::int as "notAtAll"
    from identities where channel = 'official-account' and person_id is not null`)
  return row as Reachable
}
