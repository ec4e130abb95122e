import { and, asc, desc, eq, gt, inArray, isNull, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { groups, joinRequests, persons, units } from '../schema/index.ts'
import { type Reach, withinReach } from './groups.ts'

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

/** What is to be decided by a person and is not yet: requests of dissolved groups wait no more. */
const isWaiting = and(eq(joinRequests.decision, 'referred'), isNull(groups.dissolvedAt))

/** A page of the requests within reach: waiting ones the oldest first, decided ones the newest. */
export function listRequests(
  db: Db,
  reach: Reach,
  state: 'waiting' | 'approved' | 'rejected',
  limit: number,
  offset: number,
) {
  return db
    .select({
      request: joinRequests,
      groupName: groups.name,
      unitName: units.name,
      personName: sql<
        string | null
      >`(select ${persons.name} from ${persons} where ${persons.id} = ${joinRequests.personId})`,
      deciderName: sql<
        string | null
      >`(select ${persons.name} from ${persons} where ${persons.id} = ${joinRequests.decidedBy})`,
    })
    .from(joinRequests)
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(and(state === 'waiting' ? isWaiting : eq(joinRequests.decision, state), withinReach(reach)))
    .orderBy(state === 'waiting' ? asc(joinRequests.id) : desc(joinRequests.id))
    .limit(limit)
    .offset(offset)
}

/** The waiting request that comes after one, or the first of all; null when none waits within reach. */
export async function nextWaitingRequest(db: Db, reach: Reach, after: number): Promise<number | null> {
  const [row] = await db
    .select({ id: joinRequests.id })
    .from(joinRequests)
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .innerJoin(units, eq(units.id, groups.unitId))
    .where(and(isWaiting, withinReach(reach)))
    .orderBy(desc(gt(joinRequests.id, after)), asc(joinRequests.id))
    .limit(1)
  return row?.id ?? null
}

/** The requests that wait for one group, the oldest first. */
export function waitingRequestsOfGroup(db: Db, groupId: number, limit: number): Promise<JoinRequestRow[]> {
  return db
    .select()
    .from(joinRequests)
    .where(and(eq(joinRequests.groupId, groupId), eq(joinRequests.decision, 'referred')))
    .orderBy(asc(joinRequests.id))
    .limit(limit)
}

/** The names of units, to say where a candidate is. */
export async function unitNames(db: Db, ids: number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .select({ id: units.id, name: units.name })
    .from(units)
    .where(inArray(units.id, [...new Set(ids)]))
  return new Map(rows.map(row => [row.id, row.name]))
}
