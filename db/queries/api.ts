import { and, asc, eq, gt, isNull, like, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import {
  activities,
  groups,
  messageRecords,
  notices,
  persons,
  rosterEntries,
  units,
  updates,
} from '../schema/index.ts'
import { cameTo } from './notices.ts'

/*
 * What the interface lists: always of one subtree, by ascending number, from behind `after`. A list that grows while
 * somebody turns its pages shows nothing twice and leaves nothing out.
 */

/** Which part of a list is wanted. */
export interface Slice {
  /** The path of the top unit. */
  path: string
  /** The last number that the caller has; 0 from the beginning. */
  after: number
  limit: number
}

const below = (path: string): SQL => like(units.path, `${path}%`)
const unitOf = { unitId: units.id, unitCode: units.code, unitName: units.name }

export function unitsAfter(
  db: Db,
  { path, after, limit }: Slice,
  filter: { parentId?: number; level?: string },
) {
  return db
    .select()
    .from(units)
    .where(
      and(
        below(path),
        gt(units.id, after),
        filter.parentId === undefined ? undefined : eq(units.parentId, filter.parentId),
        filter.level === undefined ? undefined : eq(units.level, filter.level),
      ),
    )
    .orderBy(asc(units.id))
    .limit(limit)
}

/** The standing roster entries; phones are still sealed. */
export function rosterAfter(db: Db, { path, after, limit }: Slice, filter: { status?: string }) {
  return db
    .select({
      id: rosterEntries.id,
      personId: persons.id,
      name: persons.name,
      phoneSealed: persons.phoneSealed,
      ...unitOf,
      programme: rosterEntries.programme,
      role: rosterEntries.role,
      title: rosterEntries.title,
      category: rosterEntries.category,
      post: rosterEntries.post,
      startsOn: rosterEntries.startsOn,
      endsOn: rosterEntries.endsOn,
      status: rosterEntries.status,
    })
    .from(rosterEntries)
    .innerJoin(units, eq(units.id, rosterEntries.unitId))
    .innerJoin(persons, eq(persons.id, rosterEntries.personId))
    .where(
      and(
        below(path),
        gt(rosterEntries.id, after),
        isNull(rosterEntries.goneImportId),
        filter.status === undefined ? undefined : eq(rosterEntries.status, filter.status),
      ),
    )
    .orderBy(asc(rosterEntries.id))
    .limit(limit)
}

export function groupsAfter(db: Db, { path, after, limit }: Slice, filter: { withDissolved: boolean }) {
  return db
    .select({
      id: groups.id,
      name: groups.name,
      programme: groups.programme,
      kind: groups.kind,
      platform: groups.platform,
      ...unitOf,
      ownerName: persons.name,
      size: groups.size,
      capacity: groups.capacity,
      createdAt: groups.createdAt,
      dissolvedAt: groups.dissolvedAt,
    })
    .from(groups)
    .innerJoin(units, eq(units.id, groups.unitId))
    .leftJoin(persons, eq(persons.id, groups.ownerId))
    .where(
      and(below(path), gt(groups.id, after), filter.withDissolved ? undefined : isNull(groups.dissolvedAt)),
    )
    .orderBy(asc(groups.id))
    .limit(limit)
}

/** The notices that units of the subtree have sent, and those that came down to it from above. */
export function noticesAfter(db: Db, { path, after, limit }: Slice) {
  return db
    .select({
      id: notices.id,
      ...unitOf,
      body: notices.body,
      category: notices.category,
      authorName: persons.name,
      issuedAt: notices.issuedAt,
      deadlineAt: notices.deadlineAt,
    })
    .from(notices)
    .innerJoin(units, eq(units.id, notices.unitId))
    .innerJoin(persons, eq(persons.id, notices.authorId))
    .where(
      and(
        sql`(${below(path)} or ${path} like ${units.path} || '%' and ${cameTo(sql`${notices.id}`, { managingPaths: [path] })})`,
        gt(notices.id, after),
      ),
    )
    .orderBy(asc(notices.id))
    .limit(limit)
}

export function activitiesAfter(db: Db, { path, after, limit }: Slice, filter: { month?: string }) {
  return db
    .select({
      id: activities.id,
      ...unitOf,
      groupId: activities.groupId,
      kind: activities.kind,
      heldOn: activities.heldOn,
      month: activities.month,
      place: activities.place,
      heads: activities.heads,
    })
    .from(activities)
    .innerJoin(units, eq(units.id, activities.unitId))
    .where(
      and(
        eq(activities.status, 'held'),
        below(path),
        gt(activities.id, after),
        filter.month === undefined ? undefined : eq(activities.month, filter.month),
      ),
    )
    .orderBy(asc(activities.id))
    .limit(limit)
}

export function recordsAfter(db: Db, { path, after, limit }: Slice, month: string) {
  return db
    .select({
      id: messageRecords.id,
      ...unitOf,
      groupId: messageRecords.groupId,
      month: messageRecords.month,
      recordedOn: messageRecords.recordedOn,
      category: messageRecords.category,
      count: messageRecords.count,
      source: messageRecords.source,
      decidedBy: messageRecords.decidedBy,
      excerpt: messageRecords.excerpt,
    })
    .from(messageRecords)
    .innerJoin(units, eq(units.id, messageRecords.unitId))
    .where(and(below(path), gt(messageRecords.id, after), eq(messageRecords.month, month)))
    .orderBy(asc(messageRecords.id))
    .limit(limit)
}

/**
 * Stores that a call with this key has come in, as an update that is handled by its answer. Another one with the same key
 * waits until this transaction is over. null: it has come in before.
 */
export async function insertCall(
  db: Db,
  row: { dedupeKey: string; kind: string; payloadSealed: string; at: Date },
): Promise<number | null> {
  const [inserted] = await db
    .insert(updates)
    .values({
      channel: 'api',
      dedupeKey: row.dedupeKey,
      kind: row.kind,
      payloadSealed: row.payloadSealed,
      receivedAt: row.at,
      status: 'handled',
      handledAt: row.at,
    })
    .onConflictDoNothing()
    .returning({ id: updates.id })
  return inserted?.id ?? null
}

/** Keeps what was answered to a call. */
export async function keepAnswer(db: Db, id: number, replySealed: string): Promise<void> {
  await db.update(updates).set({ replySealed }).where(eq(updates.id, id))
}

/** What was asked and answered under a key before. */
export async function answeredCall(db: Db, dedupeKey: string) {
  const [row] = await db
    .select({ payloadSealed: updates.payloadSealed, replySealed: updates.replySealed })
    .from(updates)
    .where(and(eq(updates.channel, 'api'), eq(updates.dedupeKey, dedupeKey)))
  return row ?? null
}
