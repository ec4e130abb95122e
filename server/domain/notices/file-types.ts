const MAX_NAME = 80

/** A kind of file that is taken, told by what is inside. */
export interface FileType {
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

/** What may go with a notice: nothing that can be run. */
export const NOTICE_TYPES: readonly FileType[] = [
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

/** What is plain text, whatever it is called; as the browser is told it runs nowhere. */
const TEXT: FileType = {
  kind: 'file',
  mime: 'text/plain; charset=utf-8',
  endings: ['txt', 'csv', 'md'],
  matches: bytes => textOf(bytes) !== null,
}

/** What units may answer with. */
export const ANSWER_TYPES: readonly FileType[] = [...NOTICE_TYPES, TEXT]

/** Signs that no text holds. */
const BINARY = /(?![\t\n\v\f\r])\p{Cc}|\ufffd/u

/** The words of a plain text file in the encodings that our users' programs write; null: it is none. */
export function textOf(bytes: Uint8Array): string | null {
  for (const encoding of ['utf-8', 'gb18030'])
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
      if (!BINARY.test(text)) return text
    } catch {
      // the next one, then
    }
  return null
}

/** What a file really is; null: nothing that is taken. The name decides only between those that look alike inside. */
export function fileTypeOf(
  types: readonly FileType[],
  file: { name: string; bytes: Uint8Array },
): FileType | null {
  const fitting = types.filter(each => each.matches(file.bytes))
  return fitting.find(each => each.endings.includes(endingOf(file.name))) ?? fitting[0] ?? null
}

/** A name that is safe to show and to save, with an ending that tells what the file is. */
export function nameOfType(type: FileType, written: string): string {
  const shown = cleanName(written)
  return type.endings.includes(endingOf(written)) ? shown : `${shown}.${type.endings[0]}`
}

function endingOf(name: string): string {
  return /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? ''
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
