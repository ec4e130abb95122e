import type { Cell, CellValue, Workbook, Worksheet } from 'exceljs'
import { DomainError } from '../../errors.ts'
import { isAsLargeAsItSays, unpackedBytes } from '../../zip.ts'
import type { TableRow } from './table.ts'

/** A small file that unpacks to more than this is no roster but an attack on the server's memory. */
const MAX_UNPACKED_BYTES = 300 * 1024 * 1024
/** The last row that a spreadsheet program knows; a file can name any. */
const MAX_LINE = 1_048_576

/** What a roster does not need and what a hostile file is made of: rules that name a whole sheet, rows of 16,384 cells. */
const MAX_COLUMNS = 300
const loadOptions = { ignoreNodes: ['dataValidations', 'conditionalFormatting'], maxCols: MAX_COLUMNS }

/**
 * The visible sheets of an XLSX, each as its rows.
 *
 * @throws DomainError `table.broken` when it is no readable workbook, `table.too_large` when it unpacks to too much.
 */
export async function xlsxSheets(file: Uint8Array): Promise<Iterable<TableRow[]>[]> {
  const size = unpackedBytes(file)
  // what hides its size is not tried: some would unpack it, and find out too late
  if (size === null) throw broken()
  if (size > MAX_UNPACKED_BYTES) throw tooLarge()
  // what unpacks to more than it says would be unpacked whole all the same
  if (!(await isAsLargeAsItSays(file))) throw broken()
  // exceljs takes most of a second to load, so it is loaded with the first import and not at start
  const { default: exceljs } = await import('exceljs')
  const workbook = new exceljs.Workbook()
  try {
    const { buffer, byteOffset, byteLength } = Buffer.from(file)
    boundMerges(workbook)
    await workbook.xlsx.load(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer, loadOptions)
  } catch (error) {
    throw broken(error)
  }
  if (workbook.worksheets.length === 0)
    throw new DomainError('table.unsupported', '这个文件不是 Excel 表格，请上传 .xlsx 或 .csv 文件。')
  const sheets = workbook.worksheets.filter(sheet => sheet.state === 'visible')
  if (sheets.some(sheet => sheet.rowCount > MAX_LINE)) throw tooLarge()
  return sheets.map(rowsOf)
}

function tooLarge(): DomainError {
  return new DomainError('table.too_large', '表格展开后过大，请只保留名册内容，另存为新文件后上传。')
}

function broken(cause?: unknown): DomainError {
  return new DomainError('table.broken', '表格文件已损坏，打不开，请另存为新的 .xlsx 文件后上传。', { cause })
}

/** A merged range in a roster spans a title or some rows; one over a whole sheet would be made cell by cell. */
const MAX_MERGED_CELLS = 100_000

interface Mergeable {
  mergeCellsWithoutStyle(range: string): void
}

/** Lets a workbook refuse merged ranges that would fill the memory, before exceljs makes their cells. */
function boundMerges(workbook: Workbook): void {
  const sheet = workbook.addWorksheet('bound')
  const type = Object.getPrototypeOf(sheet) as Mergeable & { isBounded?: boolean }
  workbook.removeWorksheet(sheet.id)
  if (type.isBounded) return
  const merge = type.mergeCellsWithoutStyle
  type.mergeCellsWithoutStyle = function (range) {
    const [, left = '', top = '', right = left, bottom = top] =
      /^([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?$/.exec(range) ?? []
    const cells = (columnOf(right) - columnOf(left) + 1) * (Number(bottom) - Number(top) + 1)
    if (!(cells <= MAX_MERGED_CELLS)) throw new Error('a merged range is too large')
    merge.call(this, range)
  }
  type.isBounded = true
}

function columnOf(letters: string): number {
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0)
}

/** Rows given at a time. */
const PORTION = 1000

function* rowsOf(sheet: Worksheet): Generator<TableRow[]> {
  let rows: TableRow[] = []
  for (let line = 1; line <= sheet.rowCount; line += 1) {
    const row = sheet.findRow(line)
    if (!row) continue
    const cells: string[] = []
    for (let column = 1; column <= Math.min(row.cellCount, MAX_COLUMNS); column += 1)
      cells.push(textOf(row.findCell(column)))
    rows.push({ line, cells })
    if (rows.length < PORTION) continue
    yield rows
    rows = []
  }
  yield rows
}

/** A merged range stands for each of its rows (one county beside ten people), but only once across (a title). */
function textOf(cell: Cell | undefined): string {
  if (!cell || (cell.isMerged && cell.master.col !== cell.col)) return ''
  return textOfValue(cell.value)
}

function textOfValue(value: CellValue): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return textOfDate(value)
  if (typeof value !== 'object') return String(value)
  if ('richText' in value) return value.richText.map(part => part.text).join('')
  if ('hyperlink' in value) return typeof value.text === 'string' ? value.text : textOfValue(value.text)
  if ('result' in value) return textOfValue(value.result ?? null)
  return ''
}

/** Excel keeps no time zone; exceljs reads its wall clock as UTC. */
function textOfDate(moment: Date): string {
  return Number.isNaN(moment.getTime()) ? '' : moment.toISOString().slice(0, 10)
}
