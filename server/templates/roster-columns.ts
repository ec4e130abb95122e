import { z } from 'zod'
import { repeated, source } from './common.ts'

/** The columns of a roster that the server understands; each is a field of `RosterRow`. */
export const ROSTER_COLUMNS = [
  'name',
  'gender',
  'phone',
  'idNumber',
  'wechat',
  'province',
  'city',
  'county',
  'township',
  'branch',
  'unit',
  'unitCode',
  'programme',
  'role',
  'title',
  'category',
  'post',
  'university',
  'startsOn',
  'endsOn',
  'status',
  'residence',
  'occupation',
] as const

export type RosterColumn = (typeof ROSTER_COLUMNS)[number]
export type RosterStatus = '待派遣' | '在岗' | '离岗'

const column = z.enum(ROSTER_COLUMNS)
const words = z.array(z.string().min(1))

export const rosterColumnsSchema = z.strictObject({
  source,
  required: z.array(column),
  /** Of each inner list, at least one column must be there. */
  requiredOneOf: z.array(z.array(column).min(1)),
  /** `header` is the name shown to people; earlier synonyms win where a sheet has several. */
  columns: z.array(z.strictObject({ id: column, header: z.string().min(1), synonyms: words })),
  statuses: z.array(z.strictObject({ name: z.enum(['待派遣', '在岗', '离岗']), synonyms: words })),
  residences: z.array(z.strictObject({ name: z.enum(['在乡', '外出']), synonyms: words })),
  genders: z.array(z.strictObject({ name: z.enum(['男', '女']), synonyms: words })),
  /** Words in an end date's cell that mean: no end. */
  openEnds: words,
})

export type RosterVocabulary = z.infer<typeof rosterColumnsSchema>

/** Finds words that could mean two things, and columns that are missing or described twice. */
export function checkRosterColumns(vocabulary: RosterVocabulary): string[] {
  const { columns, statuses, residences, genders } = vocabulary
  const missing = ROSTER_COLUMNS.filter(id => !columns.some(each => each.id === id))
  const lists = {
    columns: columns.flatMap(({ header, synonyms }) => [header, ...synonyms]),
    statuses: statuses.flatMap(({ name, synonyms }) => [name, ...synonyms]),
    residences: residences.flatMap(({ name, synonyms }) => [name, ...synonyms]),
    genders: genders.flatMap(({ name, synonyms }) => [name, ...synonyms]),
  }
  return [
    ...missing.map(id => `columns: ${id} is missing`),
    ...repeated(columns.map(each => each.id)).map(id => `columns: ${id} occurs twice`),
    ...Object.entries(lists).flatMap(([list, all]) =>
      repeated(all).map(word => `${list}: ${word} has two meanings`),
    ),
  ]
}
