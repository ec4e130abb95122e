import { DomainError } from '../../errors.ts'
import type { RosterVocabulary } from '../../templates/roster-columns.ts'
import { isHeaderRow, mapColumns, type RosterColumns } from './columns.ts'
import { openTable } from './read-table.ts'
import type { FileSource, OpenTable } from './table.ts'

/** Every row has a cell for every header: thousands of both in a small file would hold a thread for minutes. */
const MAX_COLUMNS = 300

export interface RosterTable {
  table: OpenTable
  columns: RosterColumns
  /** What is wrong with the heading, as one sentence; null when the rows can be read. */
  fault: string | null
}

/**
 * Opens a roster file and reads it up to its heading.
 *
 * @param mapping what the office says of columns, by header: a column of ours, or `keep` for one that is only kept. When
 * it is given (and be it empty), a file none of whose rows looks like the heading of a roster is read with its first row
 * of two filled cells as the heading: the office can still say what its columns are.
 * @throws DomainError `table.…` when the file cannot be read as a table
 */
export async function openRosterFile(
  file: FileSource,
  vocabulary: RosterVocabulary,
  mapping?: Record<string, string>,
): Promise<RosterTable> {
  const table = await openTable(file, { isHeader: cells => isHeaderRow(cells, vocabulary) }).catch(
    (error: unknown) => {
      if (error instanceof DomainError && error.code === 'table.no_header' && mapping) return openTable(file)
      throw error
    },
  )
  if (table.headers.length > MAX_COLUMNS)
    throw new DomainError(
      'table.too_large',
      `表格有 ${table.headers.length} 列，至多 ${MAX_COLUMNS} 列。请删去用不到的列和右边的空列后再上传。`,
    )
  const columns = mapColumns(table.headers, vocabulary, mapping ?? {})
  const faults = [
    ...columns.missing.map(each => `缺少“${each}”列`),
    ...columns.repeated.map(each => `“${each}”列重复`),
  ]
  const fault = faults.length > 0 ? `表头有问题：${faults.join('；')}。请更正后再导入。` : null
  return { table, columns, fault }
}
