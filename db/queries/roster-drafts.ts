import { and, eq, gt, inArray, lte, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { rosterDrafts, units } from '../schema/index.ts'
import { dropOldStagings, dropStagingsOf } from './roster-staging.ts'

/** A draft without its file, which may be large. */
export type RosterDraft = Omit<typeof rosterDrafts.$inferSelect, 'fileSealed'> & {
  unitName: string
  unitPath: string
  unitCode: string
}

const columns = {
  id: rosterDrafts.id,
  programme: rosterDrafts.programme,
  unitId: rosterDrafts.unitId,
  personId: rosterDrafts.personId,
  fileName: rosterDrafts.fileName,
  fileHash: rosterDrafts.fileHash,
  mapping: rosterDrafts.mapping,
  isWhole: rosterDrafts.isWhole,
  status: rosterDrafts.status,
  doneCount: rosterDrafts.doneCount,
  totalCount: rosterDrafts.totalCount,
  error: rosterDrafts.error,
  importId: rosterDrafts.importId,
  createdAt: rosterDrafts.createdAt,
  expiresAt: rosterDrafts.expiresAt,
  unitName: units.name,
  unitPath: units.path,
  unitCode: units.code,
}

export async function insertDraft(db: Db, row: typeof rosterDrafts.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(rosterDrafts).values(row).returning({ id: rosterDrafts.id })
  return inserted?.id as number
}

export async function draftById(db: Db, id: number): Promise<RosterDraft | null> {
  const [row] = await db
    .select(columns)
    .from(rosterDrafts)
    .innerJoin(units, eq(units.id, rosterDrafts.unitId))
    .where(eq(rosterDrafts.id, id))
  return row ?? null
}

/** The drafts of a person that wait for something, the newest first. */
export function openDraftsOf(db: Db, personId: number, now: Date): Promise<RosterDraft[]> {
  return db
    .select(columns)
    .from(rosterDrafts)
    .innerJoin(units, eq(units.id, rosterDrafts.unitId))
    .where(
      and(
        eq(rosterDrafts.personId, personId),
        inArray(rosterDrafts.status, ['uploaded', 'checking', 'failed', 'applying']),
        gt(rosterDrafts.expiresAt, now),
      ),
    )
    .orderBy(sql`${rosterDrafts.id} desc`)
    .limit(20)
}

/** The sealed file of a draft; null once it has been applied or given up. */
export async function draftFile(db: Db, id: number): Promise<string | null> {
  const [row] = await db
    .select({ fileSealed: rosterDrafts.fileSealed })
    .from(rosterDrafts)
    .where(eq(rosterDrafts.id, id))
  return row?.fileSealed ?? null
}

/**
 * Whether a draft is being checked or applied. Waits for whoever is giving it up: asked once a staging is registered, it
 * is either given up, or whoever gives it up finds the staging.
 */
export async function isAtWork(db: Db, id: number): Promise<boolean> {
  const [row] = await db
    .select({ status: rosterDrafts.status })
    .from(rosterDrafts)
    .where(eq(rosterDrafts.id, id))
    .for('share')
  return row !== undefined && ['checking', 'applying'].includes(row.status)
}

/** Changes a draft that is in one of these states. false: it is not, and nothing was changed. */
export async function moveDraft(
  db: Db,
  id: number,
  from: string[],
  set: Partial<typeof rosterDrafts.$inferInsert>,
): Promise<boolean> {
  const rows = await db
    .update(rosterDrafts)
    .set(set)
    .where(and(eq(rosterDrafts.id, id), inArray(rosterDrafts.status, from)))
    .returning({ id: rosterDrafts.id })
  return rows.length === 1
}

/**
 * Settles drafts that nobody can be at work at any more: one whose check has died waits for the rest of its time, one
 * whose import has died has failed.
 * @param id of one draft; null: all of them
 * @param keptMs how long a file waits from its upload on
 * @param failed what is said of a dead import, and until when at least it can be read
 */
export async function settleStale(
  db: Db,
  id: number | null,
  now: Date,
  keptMs: number,
  failed: { error: string; until: Date },
): Promise<void> {
  const isStale = (status: string) =>
    and(
      eq(rosterDrafts.status, status),
      lte(rosterDrafts.expiresAt, now),
      id === null ? undefined : eq(rosterDrafts.id, id),
    )
  const itsTime = sql`${rosterDrafts.createdAt} + ${keptMs} * interval '1 millisecond'`
  await db.update(rosterDrafts).set({ status: 'uploaded', expiresAt: itsTime }).where(isStale('checking'))
  await db
    .update(rosterDrafts)
    .set({
      status: 'failed',
      error: failed.error,
      expiresAt: sql`greatest(${itsTime}, ${failed.until.toISOString()}::timestamptz)`,
    })
    .where(isStale('applying'))
}

/** Deletes drafts whose time is over, with their files and what was read of them. */
export async function deleteOldDrafts(db: Db, now: Date): Promise<void> {
  const gone = await db
    .delete(rosterDrafts)
    .where(lte(rosterDrafts.expiresAt, now))
    .returning({ id: rosterDrafts.id })
  for (const { id } of gone) await dropStagingsOf(db, id)
  await dropOldStagings(db, now)
}
