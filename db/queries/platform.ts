import { and, eq, gt, inArray, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { accessTokens, auditLog, channelLog, resultPages } from '../schema/index.ts'

/** Writes who did what. Belongs in the transaction of the deed itself. */
export async function appendAudit(db: Db, row: typeof auditLog.$inferInsert): Promise<void> {
  await db.insert(auditLog).values(row)
}

export async function insertChannelLog(db: Db, rows: (typeof channelLog.$inferInsert)[]): Promise<void> {
  await db.insert(channelLog).values(rows)
}

export async function insertResultPage(db: Db, row: typeof resultPages.$inferInsert): Promise<void> {
  await db.insert(resultPages).values(row)
}

/** @param tokenIndexes of the one token, under every key */
export async function resultPageByToken(db: Db, tokenIndexes: string[], now: Date) {
  const [row] = await db
    .select()
    .from(resultPages)
    .where(and(inArray(resultPages.tokenIndex, tokenIndexes), gt(resultPages.expiresAt, now)))
  return row ?? null
}

/** The stored token of an account, locked until the transaction ends, so that one process refreshes and others wait. */
export async function lockAccessToken(db: Db, channel: string) {
  await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`token:${channel}`}))`)
  const [row] = await db.select().from(accessTokens).where(eq(accessTokens.channel, channel))
  return row ?? null
}

export async function saveAccessToken(
  db: Db,
  channel: string,
  tokenSealed: string,
  expiresAt: Date,
): Promise<void> {
  await db
    .insert(accessTokens)
    .values({ channel, tokenSealed, expiresAt })
    .onConflictDoUpdate({ target: accessTokens.channel, set: { tokenSealed, expiresAt } })
}

/**
 * Opens the connections of the pool before they are needed: one that is opened under load keeps its callers waiting for
 * a tenth of a second.
 */
export async function openConnections(db: Db, count: number): Promise<void> {
  // each holds its connection for a moment, so that the next must open another
  await Promise.all(Array.from({ length: count }, () => db.execute(sql`select pg_sleep(0.05)`)))
}

/** Whether the database answers. @throws when it does not */
export async function ping(db: Db): Promise<void> {
  await db.execute(sql`select 1`)
}
