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

const MB = 1024 * 1024
/** What goes with a notice at most. The platforms take pictures of 2 MB (群机器人) and files of 20 MB (临时素材). */
export const FILE_LIMITS = {
  picture: { bytes: 2 * MB, count: 9, words: '图片（jpg、png）每张至多 2 MB，最多 9 张' },
  file: { bytes: 20 * MB, count: 3, words: '文件每个至多 20 MB，最多 3 个' },
} as const
/** The platforms take no file that is smaller. @see https://developer.work.weixin.qq.com/document/path/90253 */
const MIN_BYTES = 6
const MAX_NAME = 80

interface FileType {
  kind: 'picture' | 'file'
  mime: string
  /** What the name ends with; the first where it ends with something else. */
  endings: readonly string[]
  matches(bytes: Uint8Array): boolean
}

const beginsWith =
  (...signature: number[]) =>
  (bytes: Uint8Array) =>
    signature.every((byte, index) => bytes[index] === byte)

const isZip = beginsWith(0x50, 0x4b, 0x03, 0x04)
const isOle = beginsWith(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1)

/** What an Office file is by the folder that it holds its content in. */
const holds = (folder: string) => (bytes: Uint8Array) =>
  isZip(bytes) && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(folder, 0, 'latin1')

const OFFICE = 'application/vnd.openxmlformats-officedocument'

/** What may go with a notice, told by what is inside: nothing that can be run. */
const types: readonly FileType[] = [
  { kind: 'picture', mime: 'image/jpeg', endings: ['jpg', 'jpeg'], matches: beginsWith(0xff, 0xd8, 0xff) },
  {
    kind: 'picture',
    mime: 'image/png',
    endings: ['png'],
    matches: beginsWith(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  },
  {
    kind: 'file',
    mime: 'application/pdf',
    endings: ['pdf'],
    matches: beginsWith(0x25, 0x50, 0x44, 0x46, 0x2d),
  },
  {
    kind: 'file',
    mime: `${OFFICE}.wordprocessingml.document`,
    endings: ['docx'],
    matches: holds('word/document.xml'),
  },
  {
    kind: 'file',
    mime: `${OFFICE}.spreadsheetml.sheet`,
    endings: ['xlsx'],
    matches: holds('xl/workbook.xml'),
  },
  {
    kind: 'file',
    mime: `${OFFICE}.presentationml.presentation`,
    endings: ['pptx'],
    matches: holds('ppt/presentation.xml'),
  },
  // the old formats of Office and WPS look alike from outside: the name tells which
  { kind: 'file', mime: 'application/msword', endings: ['doc', 'wps'], matches: isOle },
  { kind: 'file', mime: 'application/vnd.ms-excel', endings: ['xls', 'et'], matches: isOle },
  { kind: 'file', mime: 'application/vnd.ms-powerpoint', endings: ['ppt', 'dps'], matches: isOle },
]

const ACCEPTED = 'jpg、png 图片，或 pdf、docx、xlsx、pptx、doc、xls、ppt 文件'

/** For the file field of a form. */
export const FILE_ACCEPT = types.flatMap(type => type.endings.map(ending => `.${ending}`)).join(',')

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
  const ending = /\.([a-z0-9]{1,8})$/i.exec(file.name)?.[1]?.toLowerCase() ?? ''
  const fitting = types.filter(each => each.matches(file.bytes))
  const type = fitting.find(each => each.endings.includes(ending)) ?? fitting[0]
  const shown = cleanName(file.name)
  if (file.bytes.length < MIN_BYTES) throw new DomainError('notice.file_size', `“${shown}”是空的。`)
  if (!type) throw new DomainError('notice.file_type', `“${shown}”不能随通知发：可以发${ACCEPTED}。`)
  const limit = FILE_LIMITS[type.kind]
  if (file.bytes.length > limit.bytes)
    throw new DomainError('notice.file_size', `“${shown}”太大：${limit.words}。`)
  const name = type.endings.includes(ending) ? shown : `${shown}.${type.endings[0]}`
  checkSafety({ body: '', fileNames: [name] })
  return { kind: type.kind, name, mime: type.mime, bytes: file.bytes }
}

/** No folders, no signs that do not print or turn the reading round, not too long; the ending stays. */
export function cleanName(written: string): string {
  const base = written.split(/[/\\]/).at(-1) ?? ''
  const clean = base
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[.\s]+|[.\s]+$/g, '')
  const ending = /\.[a-z0-9]{1,8}$/i.exec(clean)?.[0] ?? ''
  const stem = [...clean.slice(0, clean.length - ending.length)].slice(0, MAX_NAME).join('')
  return `${stem || '文件'}${ending}`
}

/**
 * Adds pictures and files to a draft; the same one twice is one. Whoever does so with somebody else's becomes its author.
 * @throws DomainError as `cleanFile`, `notice.file_count`, `draft.gone`
 */
export function addFiles(
  rt: DomainRuntime,
  actor: KnownActor,
  draftId: number,
  files: readonly { name: string; bytes: Uint8Array }[],
): Promise<void> {
  const clean = files.map(cleanFile)
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
