import { and, eq, inArray, lt, ne } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { attempts, channelLog, outgoingMessages, resultPages, updates } from '../schema/index.ts'
import { deleteClosedAlarms } from './alarms.ts'
import { deleteOldSlots } from './limits.ts'

/** Paces may be ahead of now by less than an hour, and clocks differ. */
const SLOTS_KEPT_MS = 2 * 3600_000

/** Why a text that waited for its reader is not there any more. */
const WAITED_TOO_LONG = '等了太久没有人来取，正文已删除'

/**
 * Empties what people wrote in updates that were given up, and gives up texts that wait for somebody who does not write,
 * where both came before `before`. That there was something stays, with the reason, for operators.
 */
export async function emptyAbandoned(db: Db, before: Date): Promise<void> {
  await db
    .update(updates)
    .set({ payloadSealed: '', replySealed: null })
    .where(
      and(eq(updates.status, 'set_aside'), lt(updates.receivedAt, before), ne(updates.payloadSealed, '')),
    )
  await db
    .update(outgoingMessages)
    .set({ status: 'failed', error: WAITED_TOO_LONG, textsSealed: '', filesSealed: null })
    .where(and(eq(outgoingMessages.status, 'waiting'), lt(outgoingMessages.createdAt, before)))
}

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
