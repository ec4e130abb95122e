import { setImmediate as breathe } from 'node:timers/promises'
import { DomainError } from '../../errors.ts'
import { unpackEntries } from '../../zip.ts'
import { exposedPhones } from '../messages/alert-cues.ts'
import { findPersonalData } from '../messages/personal-data.ts'
import { textOf } from './file-types.ts'
import { noticeRules } from './rules.ts'

/** What the text of a file may unpack to; a small file with more is an attack on the memory. Source: project assumption. */
const MAX_UNPACKED_BYTES = 60 * 1024 * 1024
/** Characters that are looked through at once, and how far two stretches overlap: no number is cut in two. */
const STRETCH = 20_000
const OVERLAP = 60
/** Characters that are quoted on either side of what was found. */
const AROUND = 6
/** A marking stands by itself; in longer lines people write about secrecy. */
const MARKING_LINE = 30

/** The parts of an Office file that people read: the text with what stands around it. */
const PARTS =
  /^(?:word\/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)|xl\/(?:sharedStrings|workbook|comments\d*|worksheets\/[^/]+)|ppt\/(?:slides|notesSlides)\/[^/]+)\.xml$/

/**
 * The words of a file: of Office files of today and plain text. Pictures, PDFs and the old formats are not read.
 * @returns null: this kind is not read
 * @throws DomainError `notice.file_size` for what unpacks to more than a server should hold, `notice.file_type`
 */
async function readFileText(file: { name: string; bytes: Uint8Array }): Promise<string | null> {
  if (file.bytes[0] === 0x50 && file.bytes[1] === 0x4b) {
    const parts = await unpackEntries(file.bytes, name => PARTS.test(name), MAX_UNPACKED_BYTES)
    if (parts === 'too_large')
      throw new DomainError('notice.file_size', `“${file.name}”展开后太大，不能用。请另存为小一些的文件。`)
    if (parts === 'broken' || parts.length === 0)
      throw new DomainError('notice.file_type', `“${file.name}”打不开，可能已损坏，请另存为新文件后再传。`)
    const texts: string[] = []
    for (const { bytes } of parts) {
      texts.push(wordsOfXml(bytes.toString('utf8')))
      await breathe()
    }
    return texts.join('\n')
  }
  return textOf(file.bytes)
}

/** The words of an XML part: what ends a paragraph or a cell ends a line; a word that is set in two pieces is one. */
function wordsOfXml(xml: string): string {
  return xml
    .replace(/<sheet [^>]*\bname="([^"]*)"[^>]*>/g, '\n$1\n')
    .replace(/<(?:w:br|w:tab|a:br)\b[^>]*>|<\/(?:w:p|a:p|si|c|row|text|v|t)>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&#x([0-9a-f]{1,6});/gi, (_all, hex: string) => characterOf(Number.parseInt(hex, 16)))
    .replace(/&#(\d{1,7});/g, (_all, digits: string) => characterOf(Number(digits)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
}

const characterOf = (code: number): string => (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '')

/** What in a file must not be in a group, and the words around it; never a number itself. */
interface FileFinding {
  kind: 'secret' | 'privacy'
  place: string
}

/**
 * The first marking of secrecy or personal datum in what a file says: by structure only. Likelihoods, by which a message
 * of a few lines is judged, would find something in every long paper.
 * @returns null too where it is not read
 * @throws DomainError as `readFileText`
 */
export async function findInFile(file: { name: string; bytes: Uint8Array }): Promise<FileFinding | null> {
  const text = (await readFileText(file)) ?? ''
  const markings = noticeRules.files.markings.map(words => new RegExp(words, 'u'))
  for (let from = 0; from < text.length; from += STRETCH) {
    const part = text.slice(Math.max(0, from - OVERLAP), from + STRETCH)
    const marking = markingIn(part, markings)
    if (marking !== null) return { kind: 'secret', place: marking }
    const data = findPersonalData(part)
    const datum = data.find(each => each.kind !== 'mobile') ?? exposedPhones(part, data)[0]
    // the number itself is not quoted
    if (datum)
      return { kind: 'privacy', place: part.slice(Math.max(0, datum.index - 2 * AROUND), datum.index) }
    await breathe()
  }
  return null
}

function markingIn(text: string, markings: readonly RegExp[]): string | null {
  for (const written of text.split('\n')) {
    const line = written.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '')
    const found = markings.map(each => each.exec(line)).find(match => match !== null)
    if (found && ([...line].length <= MARKING_LINE || found[0].includes('★'))) return found[0]
  }
  return null
}

/**
 * Checks what a file that goes with a notice says: no classified or internal content may be in a group in any form
 * (中少办发〔2017〕4号 五.1), and personal data does not belong there either.
 * @throws DomainError `notice.secret`, `notice.privacy`, `notice.file_size`, `notice.file_type`
 */
export async function checkFileText(file: { name: string; bytes: Uint8Array }): Promise<void> {
  const found = await findInFile(file)
  if (found?.kind === 'secret')
    throw new DomainError(
      'notice.secret',
      `附件“${file.name}”里可能有涉密或内部内容（“${found.place}”），不能在群里发（中少办发〔2017〕4号 五.1）。`,
    )
  if (found?.kind === 'privacy')
    throw new DomainError(
      'notice.privacy',
      `附件“${file.name}”里有个人信息（${found.place === '' ? '' : `“${found.place.replace(/\s+/g, ' ')}”后面，`}身份证号、电话等），请去掉后再发。`,
    )
}

/** What the system can look into; the rest its writer looks through themselves. */
const READ = /\.(?:docx|xlsx|pptx|txt|csv|md)$/i

/** The files whose words nobody but their writer has checked. */
export function unreadFiles<File extends { name: string; kind: string }>(files: readonly File[]): File[] {
  return files.filter(file => file.kind !== 'picture' && !READ.test(file.name))
}
