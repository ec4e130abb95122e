import { CsvError, parse } from 'csv-parse/sync'
import iconv from 'iconv-lite'
import { DomainError } from '../../errors.ts'
import { bytesOf, headOf } from './file-bytes.ts'
import type { FileSource, TableRow } from './table.ts'

const DELIMITERS = [',', '\t', ';']
const CHINESE_COMMA = '，'
/** A cell in quotes that goes on for longer has lost its closing quote. */
const MAX_QUOTED = 4 * 1024 * 1024

/**
 * The rows of a CSV file, blank ones too, so that `line` is the row a spreadsheet program shows; some thousand at a time.
 *
 * @throws DomainError `table.encoding` when it is neither UTF-8, UTF-16 nor GBK, `table.broken` for an open quote.
 */
export async function* csvRows(file: FileSource): AsyncGenerator<TableRow[]> {
  let line = 0
  let pending = ''
  let delimiter: string | undefined
  const rowsOf = (records: string[][]) => records.map(cells => ({ line: ++line, cells }))
  for await (const text of textOf(file)) {
    pending += text
    const end = endOfLines(pending)
    if (end === 0) continue
    delimiter ??= delimiterOf(pending)
    const records = recordsOf(pending.slice(0, end), delimiter)
    // what is in quotes goes on with the next lines
    if (records === null && pending.length <= MAX_QUOTED) continue
    if (records === null) throw openQuote(line)
    yield rowsOf(records)
    pending = pending.slice(end)
  }
  if (pending === '') return
  const records = recordsOf(pending, delimiter ?? delimiterOf(pending))
  if (records === null) throw openQuote(line)
  yield rowsOf(records)
}

/** Where the last whole line ends; old Macintosh files have no line feeds. */
function endOfLines(text: string): number {
  const end = text.lastIndexOf('\n') + 1
  return end > 0 ? end : text.lastIndexOf('\r', text.length - 2) + 1
}

/** @returns null when the text ends within quotes */
function recordsOf(text: string, delimiter: string): string[][] | null {
  if (!text.includes('"')) {
    const lines = text.split(text.includes('\n') ? /\r?\n/ : '\r')
    if (lines.at(-1) === '') lines.pop()
    return lines.map(line => line.split(delimiter))
  }
  try {
    return parse(text, {
      delimiter,
      record_delimiter: recordEnds(text),
      relax_column_count: true,
      relax_quotes: true,
    })
  } catch (error) {
    if (error instanceof CsvError) return null
    throw error
  }
}

/** Where a row of quoted text ends: programs mix both ends in one file, and old Macintosh files have neither. */
function recordEnds(text: string): string[] {
  const hasLoneReturn = /\r(?!\n)/.test(text)
  return hasLoneReturn && !text.replace(/"[^"]*"/g, '').includes('\n') ? ['\r'] : ['\r\n', '\n']
}

function openQuote(line: number): DomainError {
  return new DomainError(
    'table.broken',
    `第 ${line + 1} 行往后有引号没有配对，文件读不下去，请检查后重新上传。`,
  )
}

async function* textOf(file: FileSource): AsyncGenerator<string> {
  const encoding = await encodingOf(file)
  if (encoding === 'gb18030') {
    const decoder = iconv.getDecoder('gb18030')
    for await (const part of bytesOf(file)) yield decoder.write(Buffer.from(part))
    yield decoder.end() ?? ''
    return
  }
  const decoder = new TextDecoder(encoding)
  for await (const part of bytesOf(file)) yield decoder.decode(part, { stream: true })
  yield decoder.decode()
}

/** UTF-8 is recognised by being valid, which text in GBK never is beyond a few characters. */
async function encodingOf(file: FileSource): Promise<string> {
  const [first = 0, second = 0, third = 0] = await headOf(file, 3)
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (await isUtf8(file)) return 'utf-8'
  const isMarkedUtf8 = first === 0xef && second === 0xbb && third === 0xbf
  // GB18030 contains GBK and the rare characters of names
  if (!isMarkedUtf8 && (await isGb18030(file))) return 'gb18030'
  throw new DomainError(
    'table.encoding',
    '认不出文件的文字编码，请另存为 .xlsx 或 UTF-8 编码的 .csv 后上传。',
  )
}

async function isUtf8(file: FileSource): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const part of bytesOf(file)) decoder.decode(part, { stream: true })
    decoder.decode()
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

async function isGb18030(file: FileSource): Promise<boolean> {
  const decoder = iconv.getDecoder('gb18030')
  const isOdd = (text: string) => text.includes('\ufffd') || text.includes('\0')
  for await (const part of bytesOf(file)) if (isOdd(decoder.write(Buffer.from(part)))) return false
  return !isOdd(decoder.end() ?? '')
}

/** The separator used most in the first lines; the Chinese comma only where there is no other, as titles have it too. */
function delimiterOf(text: string): string {
  const start = text.split(/\r?\n/, 20).join('\n')
  const counts = DELIMITERS.map(delimiter => start.split(delimiter).length - 1)
  const most = Math.max(...counts)
  if (most > 0) return DELIMITERS[counts.indexOf(most)] ?? ','
  return start.includes(CHINESE_COMMA) ? CHINESE_COMMA : ','
}
