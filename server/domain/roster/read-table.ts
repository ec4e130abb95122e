import { readFile } from 'node:fs/promises'
import { DomainError } from '../../errors.ts'
import { looksLikeZip } from '../../zip.ts'
import { csvRows } from './csv-rows.ts'
import { headOf, sizeOf } from './file-bytes.ts'
import type { FileSource, OpenTable, TableRow } from './table.ts'
import { cleanCell } from './text.ts'
import { xlsxSheets } from './xlsx-rows.ts'

export interface ReadOptions {
  /** Which row is the heading; by default the first with two filled cells. */
  isHeader?: (cells: readonly string[]) => boolean
  maxBytes?: number
  maxRows?: number
}

/** What comes over the net is held in memory; the national roster of a year (about 20,000 people) is a tenth of it. */
export const MAX_UPLOAD_BYTES = 20 * 1024 * 1024
/** A file on this machine is read bit by bit. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024
const MAX_ROWS = 2_000_000
/** A workbook is held in memory whole, cell by cell. */
const MAX_SHEET_ROWS = 100_000
/** Old `.xls` files, and new ones that are locked with a password. */
const OLE_MAGIC = [0xd0, 0xcf, 0x11, 0xe0]

/**
 * Opens a roster file, CSV (UTF-8, UTF-16 or GBK) or XLSX, told apart by its content and not by its name, and reads it up
 * to its heading. Its rows are read by whoever asks for them, once.
 *
 * In a workbook the first visible sheet that has a heading counts. Rows above the heading are skipped.
 *
 * @throws DomainError `table.empty`, `table.no_header`, `table.too_large`, `table.broken`, `table.encoding`,
 * `table.unsupported`; the last but one and `table.broken` also while rows are read
 */
export async function openTable(file: FileSource, options: ReadOptions = {}): Promise<OpenTable> {
  const head = await headOf(file, 4)
  await checkSize(file, options.maxBytes ?? ('path' in file ? MAX_FILE_BYTES : MAX_UPLOAD_BYTES))
  if (OLE_MAGIC.every((byte, index) => head[index] === byte))
    throw new DomainError(
      'table.unsupported',
      '这是旧版 .xls 文件或加了密码的表格，请去掉密码并另存为 .xlsx 后上传。',
    )
  if (!looksLikeZip(head)) return openRows([csvRows(file)], { maxRows: MAX_ROWS, ...options })
  if ('path' in file) await checkSize(file, options.maxBytes ?? MAX_UPLOAD_BYTES)
  const bytes = 'path' in file ? await readFile(file.path) : file.bytes
  return openRows(await xlsxSheets(bytes), { maxRows: MAX_SHEET_ROWS, ...options })
}

async function checkSize(file: FileSource, maxBytes: number): Promise<void> {
  const size = await sizeOf(file)
  if (size === 0) throw new DomainError('table.empty', '文件是空的，请检查后重新上传。')
  if (size > maxBytes)
    throw new DomainError(
      'table.too_large',
      `文件超过 ${Math.floor(maxBytes / 1024 / 1024)} MB，请删去图片或分成几个文件再上传。`,
    )
}

type Sheet = AsyncIterable<TableRow[]> | Iterable<TableRow[]>

async function openRows(
  sheets: Sheet[],
  { isHeader = hasTwoCells, maxRows = MAX_ROWS }: ReadOptions,
): Promise<OpenTable> {
  let sawText = false
  for (const sheet of sheets) {
    const batches = batchesOf(sheet)
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      const at = next.value.findIndex(row => {
        sawText ||= !isBlank(row)
        return isHeader(row.cells) && !isBlank(row)
      })
      const header = next.value[at]
      if (!header) continue
      const headers = header.cells.map(cleanCell)
      return {
        headers,
        headerLine: header.line,
        rows: rowsBelow(headers, next.value.slice(at + 1), batches, maxRows),
      }
    }
  }
  if (!sawText) throw new DomainError('table.empty', '表格里没有内容，请检查后重新上传。')
  throw new DomainError(
    'table.no_header',
    '没有找到表头，请在数据上方留一行列名，例如：姓名、手机号、身份证号。',
  )
}

async function* batchesOf(sheet: Sheet): AsyncGenerator<TableRow[]> {
  yield* sheet
}

async function* rowsBelow(
  headers: readonly string[],
  first: TableRow[],
  others: AsyncGenerator<TableRow[]>,
  maxRows: number,
): AsyncGenerator<TableRow[]> {
  let count = 0
  const filled = (batch: TableRow[]) => {
    const rows = batch.filter(row => !isBlank(row) && !isRepeatedHeader(row.cells, headers))
    count += rows.length
    if (count > maxRows)
      throw new DomainError('table.too_large', `表格超过 ${maxRows} 行，请分成几个文件再上传。`)
    return rows
  }
  yield filled(first)
  for await (const batch of others) yield filled(batch)
}

function isBlank(row: TableRow): boolean {
  return row.cells.every(cell => cleanCell(cell) === '')
}

/** A heading of two merged rows, or one printed again on each page. */
function isRepeatedHeader(cells: readonly string[], headers: readonly string[]): boolean {
  return cells.every((cell, column) => cleanCell(cell) === '' || cleanCell(cell) === headers[column])
}

function hasTwoCells(cells: readonly string[]): boolean {
  return cells.filter(cell => cleanCell(cell) !== '').length >= 2
}
