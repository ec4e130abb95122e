import type { RosterColumn, RosterVocabulary } from '../../templates/roster-columns.ts'
import { cleanCell, foldWord } from './text.ts'

/** Where a sheet has the columns of a roster. Positions count from 0. */
export interface RosterColumns {
  at: Partial<Record<RosterColumn, number>>
  /** Columns that are kept but not understood, with their own headings. */
  extra: { position: number; header: string }[]
  /** What is missing, as words for the person: `姓名`, `手机号或身份证号`. Empty when the sheet will do. */
  missing: string[]
  /** Headings that occur twice with the same meaning, so that it is unclear which one counts. */
  repeated: string[]
}

export interface RequiredColumns {
  required: readonly RosterColumn[]
  requiredOneOf: readonly (readonly RosterColumn[])[]
}

/**
 * Finds the columns of a roster in any order and under any of the names in templates/roster/columns.json.
 *
 * White space, width, case, brackets (`手机号（必填）`) and marks (`*`, `：`) do not matter. Where several headings
 * mean the same, the earlier name in the list wins and the others are kept as extra columns.
 *
 * @param required what this import needs; by default what columns.json says.
 */
export function recogniseColumns(
  headers: readonly string[],
  vocabulary: RosterVocabulary,
  required: RequiredColumns = vocabulary,
): RosterColumns {
  const found: RosterColumns = { at: {}, extra: [], missing: [], repeated: [] }
  const folded = headers.map(foldHeader)
  for (const { id, header, synonyms } of vocabulary.columns) {
    const name = [header, ...synonyms].map(foldHeader).find(each => folded.includes(each))
    if (name === undefined) continue
    found.at[id] = folded.indexOf(name)
    if (folded.indexOf(name) !== folded.lastIndexOf(name))
      found.repeated.push(headers[folded.indexOf(name)] ?? header)
  }
  const taken = new Set(Object.values(found.at))
  headers.forEach((header, position) => {
    if (!taken.has(position))
      found.extra.push({ position, header: cleanCell(header) || `第${position + 1}列` })
  })
  const isThere = (id: RosterColumn) => found.at[id] !== undefined
  const headingOf = (id: RosterColumn) => vocabulary.columns.find(each => each.id === id)?.header ?? id
  found.missing = [
    ...required.required.filter(id => !isThere(id)).map(headingOf),
    ...required.requiredOneOf.filter(ids => !ids.some(isThere)).map(ids => ids.map(headingOf).join('或')),
  ]
  return found
}

/**
 * True for a row that is the heading of a roster: it has the name and one more known column. Titles and the line
 * for 填报单位 above the table are not.
 */
export function isHeaderRow(cells: readonly string[], vocabulary: RosterVocabulary): boolean {
  const { at } = recogniseColumns(cells, vocabulary)
  return at.name !== undefined && Object.keys(at).length >= 2
}

function foldHeader(header: string): string {
  const folded = foldWord(header)
  const bare = folded.replace(/[([【{].*?[)\]】}]/g, '').replace(/[*:：]/g, '')
  return bare || folded
}
