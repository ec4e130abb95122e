import { parseRange, parseSpan } from '../../templates/form-basics.ts'
import type { FreeFormLayout } from '../../templates.ts'
import type { CellLook, CellPart, PlannedCell, SheetPlan } from '../reports/sheet-plan.ts'

export { chineseDay } from '../reports/chinese-day.ts'

/** A cell of a table. A bare value is a cell of one column and one row. */
export interface CellToPlace {
  /** Null is a blank cell that keeps its border. */
  value: string | number | null
  /** Columns that it covers (1). */
  across?: number
  /** Rows that it covers (1): the cells of the rows below go around it. */
  down?: number
  part?: CellPart
  /** The page of the console that lists what a number is made of. */
  behind?: string | undefined
  align?: CellLook['align']
  isBold?: boolean
}

export interface PlanBuilder {
  /** The line of the attachment (where there is one), the title, and the head line with its values or blanks. */
  head(values: Record<string, string>): void
  /** A printed header of the layout. The first one is printed again on each page. */
  header(name: string): void
  /** One row of a table, its cells from the left. @throws Error when they do not fit in the columns */
  row(cells: readonly (CellToPlace | string | number | null)[]): void
  /** A heading between tables, without a border. */
  heading(text: string): void
  /** The notes of the layout whose values are there. */
  notes(values: Record<string, string | null>): void
  stamp(): void
  plan(): SheetPlan
}

/** Places the cells of a form from the top downwards: the layout's words, fonts, widths and heights with the values given. */
export function buildPlan(layout: FreeFormLayout): PlanBuilder {
  const { fonts, heights, widths } = layout
  const cells: PlannedCell[] = []
  const rowHeights: number[] = []
  /** Rows (from 1) up to which each column is covered by a cell above. */
  const coveredTo = widths.map(() => 0)
  let repeatRows: [number, number] | null = null

  function across(
    part: CellPart,
    text: string,
    height: number,
    look: Partial<CellLook> & { sizePt: number },
  ) {
    rowHeights.push(Math.max(height, heightOf(text, sum(widths), look.sizePt)))
    const row = rowHeights.length
    cells.push(planned(row, row, 1, widths.length, text, lookOf({ align: 'left', ...look }), part))
  }

  return {
    head(values) {
      if (layout.attachment !== '')
        across('attachment', layout.attachment, heights.attachment, { sizePt: fonts.attachmentPt })
      across('title', layout.title, heights.title, { sizePt: fonts.titlePt, bold: true, align: 'center' })
      if (layout.head.length === 0) return
      rowHeights.push(heights.head)
      const row = rowHeights.length
      for (const { field, text, blank, columns } of layout.head) {
        const { from, to } = parseSpan(columns)
        const value = known(layout, values, field)
        const look = lookOf({ sizePt: fonts.headPt, align: 'left', overflow: 'shrink' })
        const printed = value ? text.replace(`{${field}}`, () => value) : blank
        cells.push(planned(row, row, from, to, printed, look, 'head'))
      }
    },
    header(name) {
      const above = rowHeights.length
      const look = lookOf({ sizePt: fonts.headerPt, border: true, overflow: 'wrap' })
      const placed = known(layout, layout.headers, name).map(({ text, range }) => ({
        text,
        ...parseRange(range),
      }))
      const depth = Math.max(...placed.map(each => each.bottom))
      for (let row = 1; row <= depth; row += 1) {
        const alone = placed.filter(each => each.top === row && each.bottom === row)
        rowHeights.push(
          Math.max(
            heights.header,
            ...alone.map(each => heightOf(each.text, widthOf(each.left, each.right), look.sizePt)),
          ),
        )
      }
      for (const { text, top, left, bottom, right } of placed)
        cells.push(planned(above + top, above + bottom, left, right, text, look, 'columnHead'))
      repeatRows ??= [above + 1, above + depth]
    },
    row(given) {
      const row = rowHeights.length + 1
      let height = heights.body
      let column = 0
      for (const each of given) {
        const cell = typeof each === 'object' && each !== null ? each : { value: each }
        while (column < widths.length && (coveredTo[column] as number) >= row) column += 1
        const left = column + 1
        const right = column + (cell.across ?? 1)
        const bottom = row + (cell.down ?? 1) - 1
        if (right > widths.length) throw new Error(`${layout.id}: a row has more cells than columns`)
        for (; column < right; column += 1) coveredTo[column] = bottom
        if (bottom === row && typeof cell.value === 'string')
          height = Math.max(height, heightOf(cell.value, widthOf(left, right), fonts.bodyPt))
        const look = lookOf({
          sizePt: fonts.bodyPt,
          border: true,
          align: cell.align ?? 'center',
          bold: cell.isBold ?? false,
          overflow: typeof cell.value === 'string' ? 'wrap' : 'shrink',
        })
        cells.push({
          ...planned(row, bottom, left, right, cell.value, look, cell.part),
          ...(cell.behind === undefined ? {} : { behind: cell.behind }),
        })
      }
      rowHeights.push(height)
    },
    heading(text) {
      across('heading', text, heights.header, { sizePt: fonts.headerPt, bold: true })
    },
    notes(values) {
      for (const { text, needs } of layout.notes) {
        if (needs.some(field => known(layout, values, field) === null)) continue
        const printed = text.replace(/\{(\w+)\}/g, (_, field: string) => known(layout, values, field) ?? '')
        across('note', printed, heights.note, { sizePt: fonts.notePt, overflow: 'wrap' })
      }
    },
    stamp() {
      if (!layout.stamp) return
      const { from, to } = parseSpan(layout.stamp.columns)
      rowHeights.push(heights.stamp)
      const row = rowHeights.length
      const look = lookOf({ sizePt: fonts.headPt, align: 'left' })
      cells.push(planned(row, row, from, to, layout.stamp.text, look, 'stamp'))
    },
    plan: () => ({
      name: layout.sheetName,
      page: {
        orientation: layout.page.orientation,
        margins: layout.page.marginsCm,
        footer: layout.page.footer,
        repeatRows,
      },
      fontFamily: fonts.family,
      columnWidths: widths,
      rowHeights,
      cells,
    }),
  }

  function widthOf(left: number, right: number): number {
    return sum(widths.slice(left - 1, right))
  }
}

/** A printed label of a layout. @throws Error for a name that it does not have */
export function labelOf(layout: FreeFormLayout, name: string): string {
  return known(layout, layout.labels, name)
}

/** Points that a text needs in a cell of so many characters: programs do not make rows with merged cells higher by themselves. */
function heightOf(text: string, width: number, sizePt: number): number {
  const lines = text.split('\n').map(line => {
    const units = [...line].reduce((all, each) => all + (each.charCodeAt(0) > 0x2e7f ? 2 : 1), 0)
    return Math.max(1, Math.ceil((units * sizePt) / 11 / Math.max(width - 1, 1)))
  })
  return sum(lines) * sizePt * 1.35 + 6
}

function planned(
  top: number,
  bottom: number,
  left: number,
  right: number,
  value: PlannedCell['value'],
  look: CellLook,
  part: CellPart | undefined,
): PlannedCell {
  return { top, bottom, left, right, value, look, ...(part === undefined ? {} : { part }) }
}

function lookOf(look: Partial<CellLook> & { sizePt: number }): CellLook {
  return { bold: false, align: 'center', border: false, overflow: 'spill', ...look }
}

function known<T>({ id }: FreeFormLayout, values: Record<string, T>, name: string): T {
  if (!Object.hasOwn(values, name)) throw new Error(`form ${id} has no ${name}`)
  return values[name] as T
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0)
}
