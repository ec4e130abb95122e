import type { FormLayout } from '../../templates/form.ts'
import { parseRange, parseSpan } from '../../templates/form-basics.ts'
import { chineseDay } from './chinese-day.ts'
import type { CellLook, CellPart, PlannedCell, SheetPlan } from './sheet-plan.ts'
import { type TrackingFigures, type TrackingSheet, totals } from './tracking-sheet.ts'
import { writeWorkbook } from './write-workbook.ts'

/** Attachment, title and head line stand above the table. */
const ROWS_ABOVE_HEADER = 3

/**
 * Writes 跟踪摸底表 as an XLSX, as printed in 榆林团市委 2014 附件3: values only, no formulas.
 *
 * The same layout and sheet give the same bytes.
 *
 * @throws Error when the layout has a column, line or field that the sheet does not know.
 */
export function writeTrackingSheet(layout: FormLayout, sheet: TrackingSheet): Promise<Buffer> {
  return writeWorkbook(planTrackingSheet(layout, sheet))
}

/** The page that lists what a figure of a unit is made of; null: none does. */
export type BehindFigure = (unitId: number, figure: string) => string | null

/** Places a sheet's values in the cells of the layout; the XLSX and the page are drawn from it. */
export function planTrackingSheet(
  layout: FormLayout,
  sheet: TrackingSheet,
  behind: BehindFigure = () => null,
): SheetPlan {
  const { heights, page } = layout
  const headerBottom = ROWS_ABOVE_HEADER + heights.header.length
  const bodyBottom = headerBottom + sheet.rows.length
  const linesBottom = bodyBottom + layout.lines.length
  const notes = notesOf(layout, sheet)

  return {
    name: layout.sheetName,
    page: {
      orientation: page.orientation,
      margins: page.marginsCm,
      footer: page.footer,
      repeatRows: [ROWS_ABOVE_HEADER + 1, headerBottom],
    },
    fontFamily: layout.fonts.family,
    columnWidths: layout.columns.map(column => column.width),
    rowHeights: [
      heights.attachment,
      heights.title,
      heights.head,
      ...heights.header,
      ...sheet.rows.map(() => heights.body),
      ...layout.lines.map(() => heights.line),
      ...notes.map(() => heights.note),
      ...(layout.stamp ? [heights.stamp] : []),
    ],
    cells: [
      ...above(layout, sheet),
      ...headerCells(layout),
      ...bodyCells(layout, sheet, headerBottom, behind),
      ...lineCells(layout, sheet, bodyBottom),
      ...below(layout, notes, linesBottom),
    ],
  }
}

function above(layout: FormLayout, sheet: TrackingSheet): PlannedCell[] {
  const { fonts, columns } = layout
  const last = columns.length
  const values: Record<string, string> = {
    countyName: sheet.countyName,
    filledOn: chineseDay(sheet.filledOn),
    filledBy: sheet.filledBy,
    contact: sheet.contact,
  }
  return [
    cell(1, 1, last, layout.attachment, text(fonts.attachmentPt, { align: 'left' }), 'attachment'),
    cell(2, 1, last, layout.title, text(fonts.titlePt, { bold: true }), 'title'),
    ...layout.head.map(part => {
      const { from, to } = parseSpan(part.columns)
      const value = known(values, part.field, 'field')
      const printed = value ? part.text.replace(`{${part.field}}`, () => value) : part.blank
      return cell(
        ROWS_ABOVE_HEADER,
        from,
        to,
        printed,
        text(fonts.headPt, { align: 'left', overflow: 'shrink' }),
        'head',
      )
    }),
  ]
}

function headerCells(layout: FormLayout): PlannedCell[] {
  const look = text(layout.fonts.headerPt, { border: true, overflow: 'wrap' })
  return layout.header.map(({ text: value, range }) => {
    const { top, left, bottom, right } = parseRange(range)
    return {
      top: top + ROWS_ABOVE_HEADER,
      left,
      bottom: bottom + ROWS_ABOVE_HEADER,
      right,
      value,
      look,
      part: 'columnHead',
    }
  })
}

function bodyCells(
  layout: FormLayout,
  sheet: TrackingSheet,
  above: number,
  behind: BehindFigure,
): PlannedCell[] {
  const number = text(layout.fonts.bodyPt, { border: true, overflow: 'shrink' })
  return sheet.rows.flatMap(({ township, unitId, figures }, index) =>
    layout.columns.map(({ figure }, column) => {
      const row = above + index + 1
      if (figure === 'township') return cell(row, column + 1, column + 1, township, number, 'rowHead')
      const value = figureOf(figures, figure)
      const path = unitId === undefined || value === 0 ? null : behind(unitId, figure)
      return {
        ...cell(row, column + 1, column + 1, value, number),
        ...(path === null ? {} : { behind: path }),
      }
    }),
  )
}

function lineCells(layout: FormLayout, sheet: TrackingSheet, above: number): PlannedCell[] {
  const { sum, allGroups } = totals(sheet)
  const groups: Record<string, number | null> = {
    countyDirectGroups: sheet.countyDirectGroups,
    cityDirectGroups: sheet.cityDirectGroups,
    allGroups,
  }
  const look = text(layout.fonts.bodyPt, { border: true, overflow: 'shrink' })
  return layout.lines.flatMap((line, index) => {
    const row = above + index + 1
    const { to: labelEnd } = parseSpan(line.label)
    const numbers = layout.columns.slice(labelEnd).map(({ figure }, offset) => {
      const column = labelEnd + offset + 1
      return cell(row, column, column, lineValue(figure), look)
    })
    return [cell(row, 1, labelEnd, line.text, look, 'rowHead'), ...numbers]

    function lineValue(figure: string): number | null {
      if (line.figures === 'all') return figureOf(sum, figure)
      return line.figures.includes(figure) ? known(groups, line.id, 'line') : null
    }
  })
}

function below(layout: FormLayout, notes: string[], above: number): PlannedCell[] {
  const look = text(layout.fonts.notePt, { align: 'left', overflow: 'shrink' })
  const cells = notes.map((note, index) =>
    cell(above + index + 1, 1, layout.columns.length, note, look, 'note'),
  )
  if (!layout.stamp) return cells
  const { from, to } = parseSpan(layout.stamp.columns)
  const stampLook = text(layout.fonts.headPt, { align: 'left' })
  return [...cells, cell(above + notes.length + 1, from, to, layout.stamp.text, stampLook, 'stamp')]
}

function notesOf(layout: FormLayout, sheet: TrackingSheet): string[] {
  const [year = '', month = ''] = sheet.month.split('-')
  const values: Record<string, string | null> = {
    month: `${year}年${Number(month)}月`,
    byMachine: sheet.messagesSorted && String(sheet.messagesSorted.byMachine),
    byHand: sheet.messagesSorted && String(sheet.messagesSorted.byHand),
    lateChanges: sheet.lateChanges ?? null,
  }
  return layout.notes
    .filter(note => note.needs.every(field => known(values, field, 'field') !== null))
    .map(note => note.text.replace(/\{(\w+)\}/g, (_, field: string) => known(values, field, 'field') ?? ''))
}

function figureOf(figures: TrackingFigures, id: string): number {
  return known<number>(figures, id, 'figure')
}

function known<T>(values: Record<string, T>, id: string, what: string): T {
  if (!Object.hasOwn(values, id)) throw new Error(`the tracking sheet has no ${what} ${id}`)
  return values[id] as T
}

function cell(
  row: number,
  left: number,
  right: number,
  value: PlannedCell['value'],
  look: CellLook,
  part?: CellPart,
): PlannedCell {
  return { top: row, bottom: row, left, right, value, look, ...(part === undefined ? {} : { part }) }
}

function text(sizePt: number, look: Partial<CellLook> = {}): CellLook {
  return { sizePt, bold: false, align: 'center', border: false, overflow: 'spill', ...look }
}
