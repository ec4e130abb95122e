import { and, desc, eq, isNull } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { consents } from '../schema/index.ts'

export type ConsentRow = typeof consents.$inferSelect

/** What a person has agreed to for a purpose and taken back again, the newest first. */
export function consentsOf(db: Db, personId: number, purpose: string): Promise<ConsentRow[]> {
  return db
    .select()
    .from(consents)
    .where(and(eq(consents.personId, personId), eq(consents.purpose, purpose)))
    .orderBy(desc(consents.id))
    .limit(20)
}

export async function insertConsent(db: Db, row: typeof consents.$inferInsert): Promise<void> {
  await db.insert(consents).values(row)
}

/** Takes back what stands. false: nothing stood. */
export async function withdrawConsents(
  db: Db,
  personId: number,
  purpose: string,
  now: Date,
): Promise<boolean> {
  const rows = await db
    .update(consents)
    .set({ withdrawnAt: now })
    .where(and(eq(consents.personId, personId), eq(consents.purpose, purpose), isNull(consents.withdrawnAt)))
    .returning({ id: consents.id })
  return rows.length > 0
}
