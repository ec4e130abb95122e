import { createHash } from 'node:crypto'
import { changeNoticeDraft, lockNoticeDraft, type NoticeDraft } from '../../../db/queries/notice-drafts.ts'
import {
  deleteFileOfDraft,
  filesOfDraft,
  insertNoticeFile,
  type NoticeFile,
  noticeFileBytes,
} from '../../../db/queries/notice-files.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { checkSafety } from './check.ts'
import { mayChange, takeOver } from './drafts.ts'
import { checkFileText } from './file-text.ts'
import { cleanName, fileTypeOf, NOTICE_TYPES, nameOfType } from './file-types.ts'

const MB = 1024 * 1024
/** What goes with a notice at most. The platforms take pictures of 2 MB (群机器人) and files of 20 MB (临时素材). */
export const FILE_LIMITS = {
  picture: { bytes: 2 * MB, count: 9, words: '图片（jpg、png）每张至多 2 MB，最多 9 张' },
  file: { bytes: 20 * MB, count: 3, words: '文件每个至多 20 MB，最多 3 个' },
} as const
/** The platforms take no file that is smaller. @see https://developer.work.weixin.qq.com/document/path/90253 */
const MIN_BYTES = 6

const ACCEPTED = 'jpg、png 图片，或 pdf、docx、xlsx、pptx、doc、xls、ppt 文件'

/** For the file field of a form. */
export const FILE_ACCEPT = NOTICE_TYPES.flatMap(type => type.endings.map(ending => `.${ending}`)).join(',')

/** A file as it is to be kept. */
export interface CleanFile {
  kind: 'picture' | 'file'
  name: string
  mime: string
  bytes: Uint8Array
}

/**
 * What a file that was uploaded really is, by its content, with a name that is safe to show and to save.
 * @throws DomainError `notice.file_type`, `notice.file_size`, `notice.secret`, `notice.privacy` for its name
 */
export function cleanFile(file: { name: string; bytes: Uint8Array }): CleanFile {
  const type = fileTypeOf(NOTICE_TYPES, file)
  const shown = cleanName(file.name)
  if (file.bytes.length < MIN_BYTES) throw new DomainError('notice.file_size', `“${shown}”是空的。`)
  if (!type) throw new DomainError('notice.file_type', `“${shown}”不能随通知发：可以发${ACCEPTED}。`)
  const limit = FILE_LIMITS[type.kind]
  if (file.bytes.length > limit.bytes)
    throw new DomainError('notice.file_size', `“${shown}”太大：${limit.words}。`)
  const name = nameOfType(type, file.name)
  checkSafety({ body: '', fileNames: [name] })
  return { kind: type.kind, name, mime: type.mime, bytes: file.bytes }
}

/**
 * Adds pictures and files to a draft; the same one twice is one. Whoever does so with somebody else's becomes its author.
 * @throws DomainError as `cleanFile` and `checkFileText`, `notice.file_count`, `draft.gone`
 */
export async function addFiles(
  rt: DomainRuntime,
  actor: KnownActor,
  draftId: number,
  files: readonly { name: string; bytes: Uint8Array }[],
): Promise<void> {
  const clean = files.map(cleanFile)
  for (const file of clean) await checkFileText(file)
  return inTransaction(rt, async tx => {
    const draft = await requireOwn(tx, actor, draftId)
    const kept = await filesOfDraft(tx.db, draftId)
    const before = kept.length
    for (const { kind, name, mime, bytes } of clean) {
      const hash = createHash('sha256').update(bytes).digest('hex')
      if (kept.some(each => each.hash === hash && each.name === name)) continue
      const limit = FILE_LIMITS[kind]
      if (kept.filter(each => each.kind === kind).length >= limit.count)
        throw new DomainError('notice.file_count', `${limit.words}。`)
      const row = {
        draftId,
        kind,
        name,
        mime,
        size: bytes.length,
        hash,
        uploadedBy: actor.person.id,
        createdAt: tx.clock.now(),
      }
      const sealed = tx.vault.seal(Buffer.from(bytes).toString('base64'))
      const id = await insertNoticeFile(tx.db, { ...row, bytesSealed: sealed })
      kept.push({ ...row, id, noticeId: null })
    }
    if (kept.length > before) await noteChange(tx, actor, draft)
  })
}

/** Takes a file out of a draft again, like a change of its words. @throws DomainError `draft.gone` */
export function removeFile(
  rt: DomainRuntime,
  actor: KnownActor,
  draftId: number,
  fileId: number,
): Promise<void> {
  return inTransaction(rt, async tx => {
    const draft = await requireOwn(tx, actor, draftId)
    if (await deleteFileOfDraft(tx.db, draftId, fileId)) await noteChange(tx, actor, draft)
  })
}

async function noteChange(rt: DomainRuntime, actor: KnownActor, draft: NoticeDraft): Promise<void> {
  await takeOver(rt, actor, draft)
  await changeNoticeDraft(rt.db, draft.id, { updatedAt: rt.clock.now() })
}

/** Files are put to a draft that is being written: another is what a second person has read. */
async function requireOwn(rt: DomainRuntime, actor: KnownActor, draftId: number): Promise<NoticeDraft> {
  const draft = await lockNoticeDraft(rt.db, draftId)
  if (!draft || !mayChange(rt, actor, draft))
    throw new DomainError('draft.gone', '这份草稿已经发出或作废，不能再改附件。')
  if (draft.status === 'waiting' || draft.status === 'ready')
    throw new DomainError('draft.settled', '这份草稿已经提交，要改附件请先点“修改”并保存。')
  return draft
}

/** The bytes of a file. @throws DomainError `notice.file_gone` */
export async function openNoticeFile(rt: DomainRuntime, file: NoticeFile): Promise<Buffer> {
  const sealed = await noticeFileBytes(rt.db, file.id)
  if (sealed === null) throw new DomainError('notice.file_gone', '这个文件已经删除。')
  return Buffer.from(rt.vault.open(sealed), 'base64')
}
