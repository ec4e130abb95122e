/** `line` is the row number that a spreadsheet program shows; cells are the text as it stands in the file. */
export interface TableRow {
  line: number
  cells: string[]
}

/** A file as read, before anything is understood. */
export interface Table {
  headers: string[]
  headerLine: number
  /** Without blank rows; a row may have fewer or more cells than there are headers. */
  rows: TableRow[]
}
