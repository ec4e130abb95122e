import { and, asc, desc, eq, gte, inArray, isNull, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { activities, awaitedPictures, messageRecords, recordFiles } from '../schema/index.ts'

export type AwaitedPictureRow = typeof awaitedPictures.$inferSelect
export type RecordFileRow = typeof recordFiles.$inferSelect

/** What a picture belongs to: the counted messages of one update, or an activity. */
export type PictureSubject = { kind: 'proof'; updateId: number } | { kind: 'photo'; activityId: number }

const registeredAt = sql<Date>`coalesce(${activities.confirmedAt}, ${activities.createdAt})`.mapWith(
  activities.createdAt,
)

/** What somebody has registered last, from a moment on: counted messages, or an activity; null: neither. */
export async function lastRegistered(
  db: Db,
  personId: number,
  since: Date,
): Promise<(PictureSubject & { createdAt: Date }) | null> {
  const [[counted], [activity]] = await Promise.all([
    db
      .select({ updateId: messageRecords.updateId, createdAt: messageRecords.createdAt })
      .from(messageRecords)
      .where(
        and(
          eq(messageRecords.reportedBy, personId),
          sql`${messageRecords.updateId} is not null`,
          eq(messageRecords.source, 'counted'),
          gte(messageRecords.createdAt, since),
        ),
      )
      .orderBy(desc(messageRecords.updateId))
      .limit(1),
    db
      .select({ id: activities.id, createdAt: registeredAt })
      .from(activities)
      .where(
        and(
          eq(activities.reportedBy, personId),
          eq(activities.status, 'held'),
          sql`${registeredAt} >= ${since.toISOString()}::timestamptz`,
        ),
      )
      .orderBy(desc(registeredAt), desc(activities.id))
      .limit(1),
  ])
  if (activity && (!counted || activity.createdAt >= counted.createdAt))
    return { kind: 'photo', activityId: activity.id, createdAt: activity.createdAt }
  if (!counted) return null
  return { kind: 'proof', updateId: counted.updateId as number, createdAt: counted.createdAt }
}

const subjectIs = (
  table: typeof recordFiles | typeof awaitedPictures,
  subject: PictureSubject,
): SQL | undefined =>
  subject.kind === 'proof'
    ? eq(table.updateId, subject.updateId)
    : and(eq(table.activityId, subject.activityId), isNull(table.updateId))

/** How many pictures something has, those that are still to be fetched included. */
export async function countPictures(db: Db, subject: PictureSubject): Promise<number> {
  const [[kept], [awaited]] = await Promise.all([
    db.select({ count: sql<number>`count(*)::int` }).from(recordFiles).where(subjectIs(recordFiles, subject)),
    db
      .select({ count: sql<number>`count(*)::int` })
      .from(awaitedPictures)
      .where(subjectIs(awaitedPictures, subject)),
  ])
  return (kept?.count ?? 0) + (awaited?.count ?? 0)
}

/** The same update brings the same picture once. */
export async function insertAwaitedPicture(db: Db, row: typeof awaitedPictures.$inferInsert): Promise<void> {
  await db.insert(awaitedPictures).values(row).onConflictDoNothing()
}

/** Pictures of a slip that are still to be fetched. */
export async function countAwaitedOfSlip(db: Db, slipId: number): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(awaitedPictures)
    .where(eq(awaitedPictures.slipId, slipId))
  return row?.count ?? 0
}

/** Pictures that can be fetched now, the oldest first. */
export function dueAwaitedPictures(db: Db, now: Date, limit: number): Promise<AwaitedPictureRow[]> {
  return db
    .select()
    .from(awaitedPictures)
    .where(lte(awaitedPictures.nextAttemptAt, now))
    .orderBy(asc(awaitedPictures.nextAttemptAt), asc(awaitedPictures.id))
    .limit(limit)
}

/** Takes a picture off the list; false: somebody else has, or it was erased. */
export async function deleteAwaitedPicture(db: Db, id: number): Promise<boolean> {
  const rows = await db
    .delete(awaitedPictures)
    .where(eq(awaitedPictures.id, id))
    .returning({ id: awaitedPictures.id })
  return rows.length === 1
}

export async function postponeAwaitedPicture(db: Db, id: number, until: Date): Promise<void> {
  await db
    .update(awaitedPictures)
    .set({ nextAttemptAt: until, attempts: sql`${awaitedPictures.attempts} + 1` })
    .where(eq(awaitedPictures.id, id))
}

/** Whether somebody has used the same picture for something else. */
export async function wasUsedElsewhere(
  db: Db,
  hash: string,
  personId: number,
  { updateId, activityId }: { updateId: number | null; activityId: number | null },
): Promise<boolean> {
  const [row] = await db.execute<{ found: boolean }>(sql`select
    exists (select from record_files where hash = ${hash} and update_id is not null and uploaded_by = ${personId}
      and update_id is distinct from ${updateId}::bigint)
    or exists (select from record_files where hash = ${hash} and activity_id is not null and uploaded_by = ${personId}
      and activity_id is distinct from ${activityId}::bigint) as found`)
  return row?.found ?? false
}

/** false: this picture is there already. */
export async function insertRecordFile(db: Db, row: typeof recordFiles.$inferInsert): Promise<boolean> {
  const rows = await db
    .insert(recordFiles)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: recordFiles.id })
  return rows.length === 1
}

export async function recordFileById(db: Db, id: number): Promise<RecordFileRow | null> {
  const [row] = await db.select().from(recordFiles).where(eq(recordFiles.id, id))
  return row ?? null
}

export interface ListedFile {
  id: number
  updateId: number | null
  activityId: number | null
  size: number
}

/** The pictures of a page of records and activities, without their bytes. */
export function filesOf(db: Db, updateIds: number[], activityIds: number[]): Promise<ListedFile[]> {
  if (updateIds.length + activityIds.length === 0) return Promise.resolve([])
  const columns = {
    id: recordFiles.id,
    updateId: recordFiles.updateId,
    activityId: recordFiles.activityId,
    size: recordFiles.size,
  }
  const which = [
    ...(updateIds.length > 0 ? [inArray(recordFiles.updateId, updateIds)] : []),
    ...(activityIds.length > 0 ? [inArray(recordFiles.activityId, activityIds)] : []),
  ]
  return db
    .select(columns)
    .from(recordFiles)
    .where(sql`(${sql.join(which, sql` or `)})`)
    .orderBy(asc(recordFiles.id))
}

/** The groups whose messages a report counted. */
export async function groupsOfReport(db: Db, personId: number, updateId: number): Promise<number[]> {
  const rows = await db
    .selectDistinct({ groupId: messageRecords.groupId })
    .from(messageRecords)
    .where(and(eq(messageRecords.reportedBy, personId), eq(messageRecords.updateId, updateId)))
  return rows.map(row => row.groupId)
}

/** Deletes pictures from before a moment. @returns how many */
export async function deleteOldPictures(db: Db, before: Date, limit: number): Promise<number> {
  const rows = await db
    .delete(recordFiles)
    .where(
      inArray(
        recordFiles.id,
        db
          .select({ id: recordFiles.id })
          .from(recordFiles)
          .where(lt(recordFiles.createdAt, before))
          .orderBy(asc(recordFiles.id))
          .limit(limit),
      ),
    )
    .returning({ id: recordFiles.id })
  return rows.length
}
