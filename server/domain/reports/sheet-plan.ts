/** One printed sheet as plain data: what stands in which cell, before it becomes an XLSX or a page. */
export interface SheetPlan {
  name: string
  page: {
    orientation: 'landscape' | 'portrait'
    /** In centimetres. */
    margins: { top: number; bottom: number; left: number; right: number; header: number; footer: number }
    footer: string
    /** First and last row that are printed again at the top of each page; null for none. */
    repeatRows: [number, number] | null
  }
  fontFamily: string
  /** In characters, from left to right. */
  columnWidths: number[]
  /** In points, from top to bottom. */
  rowHeights: number[]
  cells: PlannedCell[]
}

/** Rows and columns are counted from 1; `bottom` and `right` differ from `top` and `left` in a merged cell. */
export interface PlannedCell {
  top: number
  left: number
  bottom: number
  right: number
  /** Null is a blank cell that keeps its border. */
  value: string | number | null
  look: CellLook
  /** What the cell is on the page; left out for a value of a table. */
  part?: CellPart
  /** The page of the console that lists what a number is made of. */
  behind?: string
}

/** `head` is the line between title and table, `heading` stands between tables. */
export type CellPart =
  | 'attachment'
  | 'title'
  | 'head'
  | 'heading'
  | 'columnHead'
  | 'rowHead'
  | 'note'
  | 'stamp'

export interface CellLook {
  sizePt: number
  bold: boolean
  align: 'left' | 'center' | 'right'
  border: boolean
  /** A text may take several lines, a number is made smaller instead of being printed as `###`. */
  overflow: 'wrap' | 'shrink' | 'spill'
}
