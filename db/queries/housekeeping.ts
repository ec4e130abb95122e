import { and, eq, inArray, lt } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { attempts, channelLog, outgoingMessages, resultPages, updates } from '../schema/index.ts'
import { deleteClosedAlarms } from './alarms.ts'
import { deleteOldSlots } from './limits.ts'

/** Paces may be ahead of now by less than an hour, and clocks differ. */
const SLOTS_KEPT_MS = 2 * 3600_000

/**
 * Deletes what has served its purpose before `before`: handled updates, the texts of messages, the log of platform calls,
 * closed alarms; and what limits nothing any more.
 * @param firstDay of the oldest quota period still of interest, `YYYY-MM-DD`
 */
export async function deleteOld(db: Db, before: Date, now: Date, firstDay: string): Promise<void> {
  await db.delete(updates).where(and(eq(updates.status, 'handled'), lt(updates.receivedAt, before)))
  await db
    .update(outgoingMessages)
    .set({ textsSealed: '', filesSealed: null })
    .where(
      and(
        inArray(outgoingMessages.status, ['sent', 'failed', 'unknown']),
        lt(outgoingMessages.createdAt, before),
      ),
    )
  await db.delete(channelLog).where(lt(channelLog.at, before))
  await db.delete(resultPages).where(lt(resultPages.expiresAt, now))
  await db.delete(attempts).where(lt(attempts.windowEndsAt, now))
  await deleteClosedAlarms(db, before)
  await deleteOldSlots(db, new Date(now.getTime() - SLOTS_KEPT_MS), firstDay)
}
