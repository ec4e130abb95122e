import { and, eq, isNull } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { sentCards } from '../schema/index.ts'

/** Notes a card that has gone out; one that is sent again is the same. */
export async function insertSentCard(db: Db, row: typeof sentCards.$inferInsert): Promise<void> {
  await db
    .insert(sentCards)
    .values(row)
    .onConflictDoUpdate({ target: sentCards.taskId, set: { responseCode: row.responseCode ?? null } })
}

/** A tap brings a new way to change the card. @returns false: a card that we do not know */
export async function noteTapped(db: Db, taskId: string, responseCode: string): Promise<boolean> {
  const rows = await db
    .update(sentCards)
    .set({ responseCode })
    .where(and(eq(sentCards.taskId, taskId), isNull(sentCards.closedAt)))
    .returning({ id: sentCards.id })
  return rows.length > 0
}

/** Takes the cards about a matter that are still open: each is changed once. */
export function closeSentCards(
  db: Db,
  aboutKind: string,
  aboutId: number,
  now: Date,
): Promise<{ address: string; responseCode: string | null }[]> {
  return db
    .update(sentCards)
    .set({ closedAt: now })
    .where(
      and(eq(sentCards.aboutKind, aboutKind), eq(sentCards.aboutId, aboutId), isNull(sentCards.closedAt)),
    )
    .returning({ address: sentCards.address, responseCode: sentCards.responseCode })
}
