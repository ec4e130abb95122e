import { and, asc, eq, exists, gt, inArray, isNotNull, isNull, lte, notExists, or, sql } from 'drizzle-orm'
import { alias, type PgColumn } from 'drizzle-orm/pg-core'
import type { Db } from '../client.ts'
import {
  groupMembers,
  groups,
  identities,
  joinPasses,
  joinRequests,
  outgoingMessages,
  tasks,
} from '../schema/index.ts'
import type { GroupWithUnit } from './groups.ts'

export type JoinPassRow = typeof joinPasses.$inferSelect

/** Who came in time may be read somewhat later: until then the way in still proves who they are. */
const READ_LATE_MS = 3_600_000

const isOpen = and(isNull(joinPasses.usedAt), isNull(joinPasses.endedAt))

interface PassesOf {
  personId: number
  groupId: number
  /** undefined: of whatever account. */
  identityId?: number
}

/** A pass lets nobody in any more, and one that is still to be sent to its account is not. */
export async function endPasses(
  db: Db,
  which: PassesOf,
  why: 'replaced' | 'undone',
  now: Date,
): Promise<void> {
  await db
    .update(joinPasses)
    .set({ endedAt: now, endedWhy: why })
    .where(
      and(
        eq(joinPasses.personId, which.personId),
        eq(joinPasses.groupId, which.groupId),
        which.identityId === undefined ? undefined : eq(joinPasses.identityId, which.identityId),
        // what has let somebody in proves nothing any more once its approval is taken back
        why === 'undone' ? isNull(joinPasses.endedAt) : isOpen,
      ),
    )
  await cancelWaysIn(db, 'join_pass', which)
}

/** What a platform was still to be asked for is not asked for. @returns how many messages */
export async function cancelWaysIn(
  db: Db,
  kind: 'join_pass' | 'add_to_appchat',
  { personId, groupId, identityId }: PassesOf,
): Promise<number> {
  const rows = await db
    .update(outgoingMessages)
    .set({ status: 'failed', error: '审核结论已撤销，或已换了新的入群码' })
    .where(
      and(
        eq(outgoingMessages.kind, kind),
        eq(outgoingMessages.personId, personId),
        eq(outgoingMessages.groupId, groupId),
        identityId === undefined ? undefined : eq(outgoingMessages.identityId, identityId),
        inArray(outgoingMessages.status, ['pending', 'retrying', 'waiting']),
      ),
    )
    .returning({ id: outgoingMessages.id })
  return rows.length
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

/** Places of the group `of` that are taken, as far as is known: who is in, and who is on the way in. */
const placesTaken = (of: { id: PgColumn; size: PgColumn }) => sql<number>`greatest(${of.size},
    (select count(*)::int from ${groupMembers}
      where ${groupMembers.groupId} = ${of.id} and ${groupMembers.leftAt} is null))
  + (select count(*)::int from ${joinPasses} where ${joinPasses.groupId} = ${of.id} and ${isOpen})`

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
      and(
        sql`${groups.id} = any(${sql.param(ids)}::bigint[])`,
        sql`${placesTaken(groups)} < ${groups.capacity}`,
      ),
    )
    .orderBy(sql`${groups.id} = ${group.id} desc`, asc(groups.id))
    .limit(1)
  return rows[0]?.id ?? null
}

/**
 * Approved requests after `after` that wait for room, the oldest first, of groups of which one of the kind at the same unit
 * has room now.
 */
export async function requestsWithRoom(db: Db, after: number, limit: number): Promise<number[]> {
  const other = alias(groups, 'other')
  const hasRoom = db
    .select({ id: other.id })
    .from(other)
    .where(
      and(
        eq(other.unitId, groups.unitId),
        eq(other.kind, groups.kind),
        isNull(other.dissolvedAt),
        sql`${placesTaken(other)} < ${other.capacity}`,
      ),
    )
  const rows = await db
    .select({ id: joinRequests.id })
    .from(joinRequests)
    .innerJoin(groups, eq(groups.id, joinRequests.groupId))
    .where(
      and(
        gt(joinRequests.id, after),
        isNotNull(joinRequests.awaitsRoomSince),
        eq(joinRequests.decision, 'approved'),
        or(isNotNull(groups.dissolvedAt), exists(hasRoom)),
      ),
    )
    .orderBy(asc(joinRequests.id))
    .limit(limit)
  return rows.map(row => row.id)
}

/** Whether the approval by which a person is let into a group stands. */
export async function isAwaited(db: Db, groupId: number, personId: number): Promise<boolean> {
  const rows = await db
    .select({ id: joinRequests.id })
    .from(joinRequests)
    .where(
      and(
        sql`${joinRequests.candidateIds} @> ${JSON.stringify([personId])}::jsonb`,
        eq(joinRequests.personId, personId),
        eq(joinRequests.admittedTo, groupId),
        eq(joinRequests.decision, 'approved'),
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** Whether another account was approved as the same person for a group, too, and the approval stands. */
export async function hasOtherApproval(
  db: Db,
  identityId: number,
  personId: number,
  groupId: number,
): Promise<boolean> {
  const rows = await db
    .select({ id: joinRequests.id })
    .from(joinRequests)
    .where(
      and(
        // the index over candidates, because no request is approved as anybody else
        sql`${joinRequests.candidateIds} @> ${JSON.stringify([personId])}::jsonb`,
        eq(joinRequests.personId, personId),
        eq(joinRequests.admittedTo, groupId),
        eq(joinRequests.decision, 'approved'),
        sql`${joinRequests.identityId} <> ${identityId}`,
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** What an approval did to a group's list of members; `was` is how a member was known who is known better now. */
export interface NotedMember {
  memberId: number
  was: string | null
  isNew: boolean
}

/**
 * Somebody is a member by a request that was approved; whoever was named by what anybody can write is known better from now
 * on. The place is counted where nobody reads the members.
 * @returns null: a member already, and known as well or better
 */
export async function noteApproved(
  db: Db,
  groupId: number,
  personId: number,
  now: Date,
): Promise<NotedMember | null> {
  const [fresh] = await db
    .insert(groupMembers)
    .values({ groupId, personId, address: null, nickname: null, knownBy: 'join_request', joinedAt: now })
    .onConflictDoNothing()
    .returning({ id: groupMembers.id })
  if (fresh) {
    await addToSize(db, groupId, 1)
    return { memberId: fresh.id, was: null, isNew: true }
  }
  const member = await membershipIn(db, groupId, personId)
  if (!member || (member.knownBy !== 'remark' && member.knownBy !== 'nickname')) return null
  await db.update(groupMembers).set({ knownBy: 'join_request' }).where(eq(groupMembers.id, member.id))
  return { memberId: member.id, was: member.knownBy, isNew: false }
}

/** Counts a place as taken or free until the members are known anew. */
export async function addToSize(db: Db, groupId: number, count: number): Promise<void> {
  await db
    .update(groups)
    .set({ size: sql`greatest(${groups.size} + ${count}, 0)` })
    .where(eq(groups.id, groupId))
}

/** A person has been added to a group of the app by this account; their place was counted with the approval. */
export async function noteAdded(db: Db, groupId: number, personId: number, address: string): Promise<void> {
  await db
    .update(groupMembers)
    .set({ address })
    .where(
      and(
        eq(groupMembers.groupId, groupId),
        eq(groupMembers.personId, personId),
        isNull(groupMembers.leftAt),
        isNull(groupMembers.address),
      ),
    )
}

/** Somebody who is in a group as a person by way of one account: what an approval of that account has brought about. */
export interface BroughtIn {
  id: number
  groupId: number
  address: string | null
}

/**
 * The members that are named for a person because of one of their accounts: by its own join code, by itself, or (for an
 * Official Account) by its unionid. Other accounts of the person prove for themselves.
 * @param groupId where its join code has let it in
 * @param hasBound the account was bound by the approval: then what the binding has named goes, too, in all groups
 */
export function broughtInBy(
  db: Db,
  which: { personId: number; identityId: number; groupId: number | null; hasBound: boolean },
): Promise<BroughtIn[]> {
  const { personId, identityId, groupId, hasBound } = which
  const account = db.select().from(identities).where(eq(identities.id, identityId)).as('account')
  const other = alias(identities, 'other')
  const hasOther = db
    .select({ id: other.id })
    .from(other)
    .where(
      and(
        eq(other.personId, personId),
        eq(other.channel, 'official-account'),
        isNotNull(other.unionId),
        sql`${other.id} <> ${identityId}`,
      ),
    )
  const byCode = db
    .select({ id: joinPasses.id })
    .from(joinPasses)
    .where(
      and(
        eq(joinPasses.identityId, identityId),
        eq(joinPasses.personId, personId),
        eq(joinPasses.groupId, groupMembers.groupId),
        eq(joinPasses.usedBy, groupMembers.address),
      ),
    )
  const isItself = and(eq(account.channel, 'wecom'), eq(account.address, groupMembers.address))
  return db
    .select({ id: groupMembers.id, groupId: groupMembers.groupId, address: groupMembers.address })
    .from(groupMembers)
    .innerJoin(account, sql`true`)
    .where(
      and(
        eq(groupMembers.personId, personId),
        isNull(groupMembers.leftAt),
        isNotNull(groupMembers.address),
        or(
          groupId === null
            ? undefined
            : and(
                eq(groupMembers.groupId, groupId),
                or(
                  and(eq(groupMembers.knownBy, 'join_pass'), exists(byCode)),
                  and(eq(groupMembers.knownBy, 'join_request'), isItself),
                ),
              ),
          hasBound ? and(eq(groupMembers.knownBy, 'binding'), isItself) : undefined,
          hasBound
            ? and(
                eq(groupMembers.knownBy, 'unionid'),
                eq(account.channel, 'official-account'),
                isNotNull(account.unionId),
                notExists(hasOther),
              )
            : undefined,
        ),
      ),
    )
    .orderBy(asc(groupMembers.id))
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

/**
 * Nobody need be pulled in by an approval any more; what the reconcile misses it goes on missing.
 * @returns the tasks that were open
 */
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
        isNull(tasks.source),
        eq(tasks.groupId, groupId),
        eq(tasks.personId, personId),
        isNull(tasks.closedAt),
      ),
    )
    .returning({ id: tasks.id })
  return rows.map(row => row.id)
}
