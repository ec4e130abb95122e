import { and, asc, eq, isNotNull, isNull, lte, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { groupMembers, groups, joinPasses, tasks } from '../schema/index.ts'
import type { GroupWithUnit } from './groups.ts'

export type JoinPassRow = typeof joinPasses.$inferSelect

/** Who came in time may be read somewhat later: until then the way in still proves who they are. */
const READ_LATE_MS = 3_600_000

const isOpen = and(isNull(joinPasses.usedAt), isNull(joinPasses.endedAt))

/** A pass lets nobody in any more. @returns the passes that did before */
export async function endPasses(
  db: Db,
  which: { personId: number; groupId?: number; identityId?: number },
  why: string,
  now: Date,
): Promise<number[]> {
  const rows = await db
    .update(joinPasses)
    .set({ endedAt: now, endedWhy: why })
    .where(
      and(
        eq(joinPasses.personId, which.personId),
        which.groupId === undefined ? undefined : eq(joinPasses.groupId, which.groupId),
        which.identityId === undefined ? undefined : eq(joinPasses.identityId, which.identityId),
        isOpen,
      ),
    )
    .returning({ id: joinPasses.id })
  return rows.map(row => row.id)
}

/** Ends what is past its time, and what is of people who no longer stand on the roster. @returns how many */
export async function endOldPasses(db: Db, now: Date): Promise<number> {
  const expired = await db
    .update(joinPasses)
    .set({ endedAt: now, endedWhy: 'expired' })
    .where(and(isOpen, lte(joinPasses.expiresAt, new Date(now.getTime() - READ_LATE_MS))))
    .returning({ id: joinPasses.id })
  const left = await db
    .update(joinPasses)
    .set({ endedAt: now, endedWhy: 'left' })
    .where(
      and(
        isOpen,
        sql`not exists (select from roster_entries e join groups g on g.id = ${joinPasses.groupId}
          where e.person_id = ${joinPasses.personId} and e.programme = g.programme and e.gone_import_id is null
            and e.status <> '离岗')`,
      ),
    )
    .returning({ id: joinPasses.id })
  return expired.length + left.length
}

/** Join ways that stand on the platform and let nobody in any more. */
export function waysToDelete(db: Db, limit: number): Promise<{ id: number; configId: string | null }[]> {
  return db
    .select({ id: joinPasses.id, configId: joinPasses.configId })
    .from(joinPasses)
    .where(
      and(isNotNull(joinPasses.configId), or(isNotNull(joinPasses.usedAt), isNotNull(joinPasses.endedAt))),
    )
    .orderBy(asc(joinPasses.id))
    .limit(limit)
}

/** The pass by which a person got into a group. */
export async function usedPass(db: Db, groupId: number, personId: number): Promise<JoinPassRow | null> {
  const [row] = await db
    .select()
    .from(joinPasses)
    .where(
      and(eq(joinPasses.groupId, groupId), eq(joinPasses.personId, personId), isNotNull(joinPasses.usedAt)),
    )
    .orderBy(sql`${joinPasses.id} desc`)
    .limit(1)
  return row ?? null
}

/** Whether there is room, as far as is known: who is in, and who is on the way in. */
const placesTaken = sql<number>`greatest(${groups.size}, (select count(*)::int from ${groupMembers}
    where ${groupMembers.groupId} = ${groups.id} and ${groupMembers.leftAt} is null))
  + (select count(*)::int from ${joinPasses} where ${joinPasses.groupId} = ${groups.id} and ${isOpen})`

/**
 * Where there is room for one more: the group asked for first, then the others of its kind at the same unit by their
 * number. The groups are locked until the transaction ends, so that two do not take the last place.
 * @returns the group's id; null when all are full
 */
export async function groupWithRoom(db: Db, group: GroupWithUnit, movesOn: boolean): Promise<number | null> {
  const which = movesOn
    ? and(eq(groups.unitId, group.unitId), eq(groups.kind, group.kind))
    : eq(groups.id, group.id)
  const locked = await db
    .select({ id: groups.id })
    .from(groups)
    .where(and(which, isNull(groups.dissolvedAt)))
    .orderBy(asc(groups.id))
    // rows that name the group may have been written before, by us and by others: a stronger lock would wait for them
    .for('no key update')
  const ids = locked.map(row => row.id)
  if (ids.length === 0) return null
  const rows = await db
    .select({ id: groups.id })
    .from(groups)
    .where(
      and(sql`${groups.id} = any(${sql.param(ids)}::bigint[])`, sql`${placesTaken} < ${groups.capacity}`),
    )
    .orderBy(sql`${groups.id} = ${group.id} desc`, asc(groups.id))
    .limit(1)
  return rows[0]?.id ?? null
}

/** Whether a person is known as a member by a request that was approved, and is not in by an account yet. */
export async function isAwaited(db: Db, groupId: number, personId: number): Promise<boolean> {
  const rows = await db
    .select({ id: groupMembers.id })
    .from(groupMembers)
    .where(
      and(
        eq(groupMembers.groupId, groupId),
        eq(groupMembers.personId, personId),
        eq(groupMembers.knownBy, 'join_request'),
        isNull(groupMembers.leftAt),
      ),
    )
  return rows.length > 0
}

/** A person has been added to a group of the app by this account. Done twice it counts once. */
export async function noteAdded(db: Db, groupId: number, personId: number, address: string): Promise<void> {
  await db.execute(sql`
    with added as (
      update group_members set address = ${address}
      where group_id = ${groupId} and person_id = ${personId} and left_at is null and address is null returning 1
    ) update groups set size = size + 1 where id = ${groupId} and exists (select from added)`)
}

/** What is known of a person's membership of a group. */
export async function membershipIn(db: Db, groupId: number, personId: number) {
  const [row] = await db
    .select()
    .from(groupMembers)
    .where(
      and(
        eq(groupMembers.groupId, groupId),
        eq(groupMembers.personId, personId),
        isNull(groupMembers.leftAt),
      ),
    )
  return row ?? null
}

/** Nobody need be pulled in any more. @returns the tasks that were open */
export async function closeInvitations(
  db: Db,
  groupId: number,
  personId: number,
  now: Date,
): Promise<number[]> {
  const rows = await db
    .update(tasks)
    .set({ closedAt: now, closedBy: 'void' })
    .where(
      and(
        eq(tasks.kind, 'invite_member'),
        eq(tasks.groupId, groupId),
        eq(tasks.personId, personId),
        isNull(tasks.closedAt),
      ),
    )
    .returning({ id: tasks.id })
  return rows.map(row => row.id)
}
