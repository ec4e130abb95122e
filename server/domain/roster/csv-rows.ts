import { CsvError, parse } from 'csv-parse/sync'
import iconv from 'iconv-lite'
import { DomainError } from '../../errors.ts'
import type { TableRow } from './table.ts'

const DELIMITERS = [',', '\t', ';']
const CHINESE_COMMA = '，'
const UTF8_MARK = [0xef, 0xbb, 0xbf]

/**
 * The rows of a CSV file, blank ones too, so that `line` is the row a spreadsheet program shows.
 *
 * @throws DomainError `table.encoding` when it is neither UTF-8, UTF-16 nor GBK, `table.broken` for an open quote.
 */
export function* csvRows(file: Uint8Array): Generator<TableRow> {
  const text = decode(file)
  let records: string[][]
  try {
    records = parse(text, { delimiter: delimiterOf(text), relax_column_count: true, relax_quotes: true })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new DomainError(
      'table.broken',
      `第 ${error.lines} 行附近的引号没有配对，文件读不下去，请检查后重新上传。`,
      {
        cause: error,
      },
    )
  }
  for (const [index, cells] of records.entries()) yield { line: index + 1, cells }
}

/** UTF-8 is recognised by being valid, which text in GBK never is beyond a few characters. */
function decode(file: Uint8Array): string {
  if (file[0] === 0xff && file[1] === 0xfe) return new TextDecoder('utf-16le').decode(file)
  if (file[0] === 0xfe && file[1] === 0xff) return new TextDecoder('utf-16be').decode(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file)
  } catch {
    // GB18030 contains GBK and the rare characters of names
    const text = iconv.decode(Buffer.from(file), 'gb18030')
    const isMarkedUtf8 = UTF8_MARK.every((byte, index) => file[index] === byte)
    if (!isMarkedUtf8 && !text.includes('\ufffd') && !text.includes('\0')) return text
    throw new DomainError(
      'table.encoding',
      '认不出文件的文字编码，请另存为 .xlsx 或 UTF-8 编码的 .csv 后上传。',
    )
  }
}

/** The separator used most in the first lines; the Chinese comma only where there is no other, as titles have it too. */
function delimiterOf(text: string): string {
  const start = text.split(/\r?\n/, 20).join('\n')
  const counts = DELIMITERS.map(delimiter => start.split(delimiter).length - 1)
  const most = Math.max(...counts)
  if (most > 0) return DELIMITERS[counts.indexOf(most)] ?? ','
  return start.includes(CHINESE_COMMA) ? CHINESE_COMMA : ','
}
