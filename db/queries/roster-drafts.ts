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

/** Lets a draft that nobody can be at work at any more have failed. */
export async function failStaleDraft(
  db: Db,
  id: number,
  now: Date,
  set: { error: string; expiresAt: Date },
): Promise<void> {
  await db
    .update(rosterDrafts)
    .set({ ...set, status: 'failed' })
    .where(
      and(eq(rosterDrafts.id, id), eq(rosterDrafts.status, 'applying'), lte(rosterDrafts.expiresAt, now)),
    )
}

/** Lets a draft whose check has died be checked again. */
export async function reopenStaleCheck(db: Db, id: number, now: Date, expiresAt: Date): Promise<void> {
  await db
    .update(rosterDrafts)
    .set({ status: 'uploaded', expiresAt })
    .where(
      and(eq(rosterDrafts.id, id), eq(rosterDrafts.status, 'checking'), lte(rosterDrafts.expiresAt, now)),
    )
}

/**
 * Deletes drafts whose time is over, with their files and what was read of them; one that was being applied has died with
 * its process.
 */
export async function deleteOldDrafts(db: Db, now: Date): Promise<void> {
  const gone = await db
    .delete(rosterDrafts)
    .where(lte(rosterDrafts.expiresAt, now))
    .returning({ id: rosterDrafts.id })
  for (const { id } of gone) await dropStagingsOf(db, id)
  await dropOldStagings(db, now)
}
