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
  settleRest(found, headers, vocabulary, required)
  return found
}

/** The word for a column that is only kept. */
export const KEEP = 'keep'

/** The heading as it is shown and as a mapping names it: one that is empty by its place. */
export function headerLabel(header: string, position: number): string {
  return cleanCell(header) || `第${position + 1}列`
}

/**
 * The columns of a sheet as recognised, with what an office says of some of them.
 * @param mapping by heading (`headerLabel`): one of our columns, or `KEEP`; headings that the sheet has not are ignored
 */
export function mapColumns(
  headers: readonly string[],
  vocabulary: RosterVocabulary,
  mapping: Record<string, string>,
): RosterColumns {
  const found = recogniseColumns(headers, vocabulary)
  const labels = headers.map(headerLabel)
  const chosen = Object.entries(mapping).filter(([label]) => labels.includes(label))
  if (chosen.length === 0) return found
  const columnsAt = new Map(Object.entries(found.at).map(([id, position]) => [position, id]))
  for (const [label] of chosen) columnsAt.delete(labels.indexOf(label))
  const chosenIds = chosen.map(([, id]) => id).filter(id => id !== KEEP)
  // what an office says goes before what we had made out by ourselves
  for (const [position, id] of columnsAt) if (chosenIds.includes(id)) columnsAt.delete(position)
  for (const [label, id] of chosen) if (id !== KEEP) columnsAt.set(labels.indexOf(label), id)
  const at: RosterColumns['at'] = {}
  for (const [position, id] of columnsAt) at[id as RosterColumn] = position
  const headingOf = headingsOf(vocabulary)
  const twice = chosenIds.filter((id, index) => chosenIds.indexOf(id) !== index)
  const mapped: RosterColumns = {
    at,
    extra: [],
    missing: [],
    repeated: [
      ...found.repeated.filter(header => mapping[header] === undefined),
      ...new Set(twice.map(id => headingOf(id as RosterColumn))),
    ],
  }
  settleRest(mapped, headers, vocabulary, vocabulary)
  return mapped
}

/** Fills in what follows from where the columns are: those that are only kept, and those that are missing. */
function settleRest(
  found: RosterColumns,
  headers: readonly string[],
  vocabulary: RosterVocabulary,
  required: RequiredColumns,
): void {
  const taken = new Set(Object.values(found.at))
  headers.forEach((header, position) => {
    if (!taken.has(position)) found.extra.push({ position, header: headerLabel(header, position) })
  })
  const isThere = (id: RosterColumn) => found.at[id] !== undefined
  const headingOf = headingsOf(vocabulary)
  found.missing = [
    ...required.required.filter(id => !isThere(id)).map(headingOf),
    ...required.requiredOneOf.filter(ids => !ids.some(isThere)).map(ids => ids.map(headingOf).join('或')),
  ]
}

function headingsOf(vocabulary: RosterVocabulary): (id: RosterColumn) => string {
  return id => vocabulary.columns.find(each => each.id === id)?.header ?? id
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
