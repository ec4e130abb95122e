import { and, asc, eq, inArray, isNull } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { noticeFiles } from '../schema/index.ts'

/** A file without its bytes, which may be many. */
export type NoticeFile = Omit<typeof noticeFiles.$inferSelect, 'bytesSealed'>

const columns = {
  id: noticeFiles.id,
  draftId: noticeFiles.draftId,
  noticeId: noticeFiles.noticeId,
  kind: noticeFiles.kind,
  name: noticeFiles.name,
  mime: noticeFiles.mime,
  size: noticeFiles.size,
  hash: noticeFiles.hash,
  uploadedBy: noticeFiles.uploadedBy,
  createdAt: noticeFiles.createdAt,
}

export async function insertNoticeFile(db: Db, row: typeof noticeFiles.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(noticeFiles).values(row).returning({ id: noticeFiles.id })
  return inserted?.id as number
}

/** The pictures and files of a draft, as they were added. */
export function filesOfDraft(db: Db, draftId: number): Promise<NoticeFile[]> {
  return db.select(columns).from(noticeFiles).where(eq(noticeFiles.draftId, draftId)).orderBy(noticeFiles.id)
}

/** The pictures and files that go with a notice; what units have answered with is not among them. */
export function filesOfNotice(db: Db, noticeId: number): Promise<NoticeFile[]> {
  return db
    .select(columns)
    .from(noticeFiles)
    .where(and(eq(noticeFiles.noticeId, noticeId), inArray(noticeFiles.kind, ['picture', 'file'])))
    .orderBy(asc(noticeFiles.id))
}

/** The sealed bytes of a file; null once it was deleted. */
export async function noticeFileBytes(db: Db, id: number): Promise<string | null> {
  const [row] = await db
    .select({ bytesSealed: noticeFiles.bytesSealed })
    .from(noticeFiles)
    .where(eq(noticeFiles.id, id))
  return row?.bytesSealed ?? null
}

/** The files of a draft become those of the notice that it was. */
export async function moveFiles(db: Db, draftId: number, noticeId: number): Promise<void> {
  await db.update(noticeFiles).set({ draftId: null, noticeId }).where(eq(noticeFiles.draftId, draftId))
}

/** @returns false: the draft has no such file */
export async function deleteFileOfDraft(db: Db, draftId: number, id: number): Promise<boolean> {
  const rows = await db
    .delete(noticeFiles)
    .where(and(eq(noticeFiles.id, id), eq(noticeFiles.draftId, draftId), isNull(noticeFiles.noticeId)))
    .returning({ id: noticeFiles.id })
  return rows.length === 1
}

export async function deleteFilesOfDrafts(db: Db, draftIds: number[]): Promise<void> {
  if (draftIds.length > 0) await db.delete(noticeFiles).where(inArray(noticeFiles.draftId, draftIds))
}
