import { PassThrough, type Readable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'

/** A sheet of many rows, which come in portions while it is being sent. */
export interface StreamedSheet {
  name: string
  heads: readonly string[]
  /** In characters, one for each head. */
  widths: readonly number[]
  /** Number formats of columns, by their place from 0. */
  formats?: Readonly<Partial<Record<number, string>>>
  rows: AsyncIterable<(string | number | null)[][]> | Iterable<(string | number | null)[][]>
}

/** What may wait for a reader who is slow before the next rows are fetched. */
const MAX_WAITING_BYTES = 512 * 1024
const WAIT_MS = 20
/** Rows that are written before others have their turn. */
const ROWS_AT_ONCE = 100

/**
 * Writes an XLSX while it is read, sheet by sheet: a list of half a million rows is never in the memory as a whole. The
 * stream fails when a portion cannot be fetched.
 */
export function streamWorkbook(sheets: readonly StreamedSheet[]): Readable {
  const out = new PassThrough()
  write(sheets, out).catch(error => out.destroy(error))
  return out
}

async function write(sheets: readonly StreamedSheet[], out: PassThrough): Promise<void> {
  // exceljs takes most of a second to load, so it is loaded with the first export and not at start
  const { default: exceljs } = await import('exceljs')
  const workbook = new exceljs.stream.xlsx.WorkbookWriter({ stream: out, useStyles: true })
  for (const { name, heads, widths, formats = {}, rows } of sheets) {
    const sheet = workbook.addWorksheet(name, { views: [{ state: 'frozen', ySplit: 1 }] })
    sheet.columns = widths.map((width, at) => {
      const numFmt = formats[at]
      return numFmt === undefined ? { width } : { width, style: { numFmt } }
    })
    const head = sheet.addRow([...heads])
    head.font = { bold: true }
    head.commit()
    for await (const portion of rows) {
      for (const [index, row] of portion.entries()) {
        sheet.addRow(row).commit()
        if (index % ROWS_AT_ONCE === 0) await nextTurn()
      }
      while (out.readableLength > MAX_WAITING_BYTES && !out.destroyed) await pause(WAIT_MS)
      // the reader went away
      if (out.destroyed) return
    }
    sheet.commit()
  }
  await workbook.commit()
}
