import { and, count, eq, gt, inArray, lt } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { attempts, channelLog, outgoingMessages, resultPages, updates } from '../schema/index.ts'

/** Deletes what has served its purpose before `before`: handled updates, the texts of messages, the log of platform calls. */
export async function deleteOld(db: Db, before: Date, now: Date): Promise<void> {
  await db.delete(updates).where(and(eq(updates.status, 'handled'), lt(updates.receivedAt, before)))
  await db
    .update(outgoingMessages)
    .set({ textsSealed: '' })
    .where(
      and(
        inArray(outgoingMessages.status, ['sent', 'failed', 'unknown']),
        lt(outgoingMessages.createdAt, before),
      ),
    )
  await db.delete(channelLog).where(lt(channelLog.at, before))
  await db.delete(resultPages).where(lt(resultPages.expiresAt, now))
  await db.delete(attempts).where(lt(attempts.windowEndsAt, now))
}

/** What a person must look at, of messages those made after `since`: it will not get better by itself. */
export async function troubles(
  db: Db,
  since: Date,
): Promise<{ updatesSetAside: number; messagesUnknown: number; messagesFailed: number }> {
  const [aside] = await db.select({ count: count() }).from(updates).where(eq(updates.status, 'set_aside'))
  const rows = await db
    .select({ status: outgoingMessages.status, count: count() })
    .from(outgoingMessages)
    .where(
      and(inArray(outgoingMessages.status, ['unknown', 'failed']), gt(outgoingMessages.createdAt, since)),
    )
    .groupBy(outgoingMessages.status)
  const of = (status: string) => rows.find(row => row.status === status)?.count ?? 0
  return { updatesSetAside: aside?.count ?? 0, messagesUnknown: of('unknown'), messagesFailed: of('failed') }
}
