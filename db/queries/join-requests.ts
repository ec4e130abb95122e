import { and, asc, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { groups, joinRequests, units } from '../schema/index.ts'

export type JoinRequestRow = typeof joinRequests.$inferSelect

export async function insertJoinRequest(db: Db, row: typeof joinRequests.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(joinRequests).values(row).returning({ id: joinRequests.id })
  return inserted?.id as number
}

export async function joinRequestById(db: Db, id: number): Promise<JoinRequestRow | null> {
  const [row] = await db.select().from(joinRequests).where(eq(joinRequests.id, id))
  return row ?? null
}

/** Requests that wait for a person: of groups one owns, or of a subtree one manages. */
export function waitingRequests(db: Db, ownerId: number, unitPaths: string[]) {
  const either = [
    eq(groups.ownerId, ownerId),
    ...unitPaths.map(path => sql`${units.path} like ${`${path}%`}`),
  ]
  return db
    .select({
      request: joinRequests,
      groupName: groups.name,
      ownerId: groups.ownerId,
      unitPath: units.path,
    })
    .from(joinRequests)
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(and(eq(joinRequests.decision, 'referred'), isNull(groups.dissolvedAt), or(...either)))
    .orderBy(asc(joinRequests.id))
    .limit(200)
}

/** Decides a waiting request once; false when somebody else has. */
export async function decideRequest(
  db: Db,
  id: number,
  set: { decision: string; decidedBy: number; decidedAt: Date; personId: number | null; explanation: string },
): Promise<boolean> {
  const rows = await db
    .update(joinRequests)
    .set(set)
    .where(and(eq(joinRequests.id, id), eq(joinRequests.decision, 'referred')))
    .returning({ id: joinRequests.id })
  return rows.length === 1
}

/** The request with which this account waits for a decision on this group already. */
export async function waitingRequestOf(
  db: Db,
  identityId: number,
  groupId: number,
): Promise<{ id: number; textSealed: string } | null> {
  const [row] = await db
    .select({ id: joinRequests.id, textSealed: joinRequests.textSealed })
    .from(joinRequests)
    .where(
      and(
        eq(joinRequests.identityId, identityId),
        eq(joinRequests.groupId, groupId),
        inArray(joinRequests.decision, ['referred']),
      ),
    )
  return row ?? null
}

/** A waiting request that its applicant has replaced by another. */
export async function supersedeRequest(db: Db, id: number, explanation: string, now: Date): Promise<void> {
  await db
    .update(joinRequests)
    .set({ decision: 'rejected', explanation, decidedAt: now })
    .where(and(eq(joinRequests.id, id), eq(joinRequests.decision, 'referred')))
}
