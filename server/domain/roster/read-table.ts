import { DomainError } from '../../errors.ts'
import { looksLikeZip } from '../../zip.ts'
import { csvRows } from './csv-rows.ts'
import type { Table, TableRow } from './table.ts'
import { cleanCell } from './text.ts'
import { xlsxSheets } from './xlsx-rows.ts'

export interface ReadOptions {
  /** Which row is the heading; by default the first with two filled cells. */
  isHeader?: (cells: readonly string[]) => boolean
  maxBytes?: number
  maxRows?: number
}

/** Large enough for the national roster of a year (about 20,000 people) many times over. */
const MAX_BYTES = 20 * 1024 * 1024
const MAX_ROWS = 100_000
/** Old `.xls` files, and new ones that are locked with a password. */
const OLE_MAGIC = [0xd0, 0xcf, 0x11, 0xe0]

/**
 * Reads a roster file, CSV (UTF-8, UTF-16 or GBK) or XLSX, told apart by their content and not by their name.
 *
 * In a workbook the first visible sheet that has a heading counts. Rows above the heading are skipped.
 *
 * @throws DomainError `table.empty`, `table.no_header`, `table.too_large`, `table.broken`, `table.encoding`,
 * `table.unsupported`
 */
export async function readTable(file: Uint8Array, options: ReadOptions = {}): Promise<Table> {
  const { maxBytes = MAX_BYTES, maxRows = MAX_ROWS, isHeader = hasTwoCells } = options
  if (file.length === 0) throw new DomainError('table.empty', '文件是空的，请检查后重新上传。')
  if (file.length > maxBytes) {
    const limit = Math.floor(maxBytes / 1024 / 1024)
    throw new DomainError('table.too_large', `文件超过 ${limit} MB，请删去图片或分成几个文件再上传。`)
  }
  if (OLE_MAGIC.every((byte, index) => file[index] === byte))
    throw new DomainError(
      'table.unsupported',
      '这是旧版 .xls 文件或加了密码的表格，请去掉密码并另存为 .xlsx 后上传。',
    )

  const sheets = looksLikeZip(file) ? await xlsxSheets(file) : [csvRows(file)]
  let sawText = false
  for (const rows of sheets) {
    const table = collect(rows)
    if (table) return table
  }
  if (!sawText) throw new DomainError('table.empty', '表格里没有内容，请检查后重新上传。')
  throw new DomainError(
    'table.no_header',
    '没有找到表头，请在数据上方留一行列名，例如：姓名、手机号、身份证号。',
  )

  function collect(rows: Iterable<TableRow>): Table | null {
    let table: Table | null = null
    for (const row of rows) {
      if (row.cells.every(cell => cleanCell(cell) === '')) continue
      sawText = true
      if (table && isRepeatedHeader(row.cells, table.headers)) continue
      if (table) table.rows.push(row)
      else if (isHeader(row.cells))
        table = { headers: row.cells.map(cleanCell), headerLine: row.line, rows: [] }
      if (table && table.rows.length > maxRows)
        throw new DomainError('table.too_large', `表格超过 ${maxRows} 行，请分成几个文件再上传。`)
    }
    return table
  }
}

/** A heading of two merged rows, or one printed again on each page. */
function isRepeatedHeader(cells: readonly string[], headers: readonly string[]): boolean {
  return cells.every((cell, column) => cleanCell(cell) === '' || cleanCell(cell) === headers[column])
}

function hasTwoCells(cells: readonly string[]): boolean {
  return cells.filter(cell => cleanCell(cell) !== '').length >= 2
}
