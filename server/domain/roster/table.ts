/** `line` is the row number that a spreadsheet program shows; cells are the text as it stands in the file. */
export interface TableRow {
  line: number
  cells: string[]
}

/** A file as it is read, before anything is understood. */
export interface OpenTable {
  headers: string[]
  headerLine: number
  /** Without blank rows, some thousand at a time; a row may have fewer or more cells than there are headers. */
  rows: AsyncIterable<TableRow[]>
}

/** A file of a roster: what was uploaded, or one on this machine that may be larger than memory. */
export type FileSource = { bytes: Uint8Array } | { path: string }
