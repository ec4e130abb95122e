import { withoutTimes } from '../../zip.ts'
import type { CellLook, SheetPlan } from './sheet-plan.ts'

const CM_PER_INCH = 2.54
/** The number that the file format gives to A4 (ECMA-376, 18.3.1.63 pageSetup). */
const A4 = 9
/** Fixed, so that the same plan always gives the same bytes and an export can be checked by its hash. */
const WRITTEN_AT = new Date(Date.UTC(2000, 0, 1))

/**
 * Writes a plan as an XLSX with one sheet: real merged cells, values and no formulas.
 *
 * The same plan gives the same bytes on every machine and day.
 */
export async function writeWorkbook(plan: SheetPlan): Promise<Buffer> {
  // exceljs takes most of a second to load, so it is loaded with the first export and not at start
  const { default: exceljs } = await import('exceljs')
  const workbook = new exceljs.Workbook()
  workbook.creator = '群阵'
  workbook.lastModifiedBy = '群阵'
  workbook.created = WRITTEN_AT
  workbook.modified = WRITTEN_AT

  const { margins, orientation, footer, repeatRows } = plan.page
  const sheet = workbook.addWorksheet(plan.name, {
    pageSetup: {
      paperSize: A4,
      orientation,
      horizontalCentered: true,
      fitToPage: true,
      fitToWidth: 1,
      fitToHeight: 0,
      margins: inches(margins),
      ...(repeatRows && { printTitlesRow: repeatRows.join(':') }),
    },
    headerFooter: { oddFooter: `&C${footer}` },
    views: [{ showGridLines: false, state: 'normal', zoomScale: 100 }],
  })
  sheet.columns = plan.columnWidths.map(width => ({ width }))
  plan.rowHeights.forEach((height, index) => {
    sheet.getRow(index + 1).height = height
  })

  for (const { top, left, bottom, right, value, look } of plan.cells) {
    const style = styleOf(look, plan.fontFamily)
    // every cell of a merged range carries the border: some programs draw the range's edge from each of them
    for (let row = top; row <= bottom; row += 1)
      for (let column = left; column <= right; column += 1) sheet.getCell(row, column).style = style
    if (bottom > top || right > left) sheet.mergeCells(top, left, bottom, right)
    sheet.getCell(top, left).value = value
  }
  return withoutTimes(Buffer.from(await workbook.xlsx.writeBuffer()))
}

function inches(margins: SheetPlan['page']['margins']): SheetPlan['page']['margins'] {
  const { top, bottom, left, right, header, footer } = margins
  return {
    top: top / CM_PER_INCH,
    bottom: bottom / CM_PER_INCH,
    left: left / CM_PER_INCH,
    right: right / CM_PER_INCH,
    header: header / CM_PER_INCH,
    footer: footer / CM_PER_INCH,
  }
}

function styleOf(look: CellLook, family: string) {
  const line = { style: 'thin' as const, color: { argb: 'FF000000' } }
  return {
    font: { name: family, charset: 134, size: look.sizePt, bold: look.bold },
    alignment: {
      horizontal: look.align,
      vertical: 'middle' as const,
      wrapText: look.overflow === 'wrap',
      shrinkToFit: look.overflow === 'shrink',
    },
    ...(look.border && { border: { top: line, left: line, bottom: line, right: line } }),
  }
}
