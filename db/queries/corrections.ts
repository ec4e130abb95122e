import { and, asc, eq, gt, gte, inArray, isNotNull } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { messageRecords, persons } from '../schema/index.ts'

/** A portion of the first words of messages whose category a person decided, by their number. */
export function excerptsDecidedByPersons(
  db: Db,
  { after, sinceDay }: { after: number; sinceDay: string | null },
  limit: number,
) {
  return db
    .select({ id: messageRecords.id, excerpt: messageRecords.excerpt, category: messageRecords.category })
    .from(messageRecords)
    .where(
      and(
        gt(messageRecords.id, after),
        eq(messageRecords.decidedBy, 'person'),
        isNotNull(messageRecords.excerpt),
        sinceDay === null ? undefined : gte(messageRecords.recordedOn, sinceDay),
      ),
    )
    .orderBy(asc(messageRecords.id))
    .limit(limit)
}

/** Which of these are somebody's name here, as names are compared. */
export async function namesAmong(db: Db, keys: string[]): Promise<Set<string>> {
  if (keys.length === 0) return new Set()
  const rows = await db
    .selectDistinct({ key: persons.nameKey })
    .from(persons)
    .where(inArray(persons.nameKey, keys))
  return new Set(rows.map(row => row.key))
}
