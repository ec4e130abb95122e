import { copyText } from '../copy-text.ts'

/** One row of a roster file as it is staged: read, checked and sealed, and not yet compared with what stands. */
export interface StagedRow {
  line: number
  /** It has an error of its own, and is left out of the difference. */
  isFaulty: boolean
  name: string
  nameKey: string
  soundKey: string
  phoneIndex: string | null
  phoneSealed: string | null
  idNumberIndex: string | null
  idNumberSealed: string | null
  idTailIndex: string | null
  wechatIndex: string | null
  /** The same under keys that are on their way out, while keys are changed; null otherwise. */
  phoneOthers: string[] | null
  idNumberOthers: string[] | null
  wechatOthers: string[] | null
  wechatSealed: string | null
  /** null: none was found, or it is a branch that the file names for the first time. */
  unitId: number | null
  /** Of a branch that the file names for the first time. */
  branchName: string | null
  countyId: number | null
  role: string | null
  title: string | null
  category: string | null
  post: string | null
  university: string | null
  startsOn: string | null
  endsOn: string | null
  status: string
  extra: Record<string, string>
}

/** In the order of `stagedLine`. */
export const STAGED_COLUMNS = [
  'line int not null',
  'is_faulty boolean not null',
  'name text not null',
  'name_key text not null',
  'sound_key text not null',
  'phone_index text',
  'phone_sealed text',
  'id_number_index text',
  'id_number_sealed text',
  'id_tail_index text',
  'wechat_index text',
  'phone_others text[]',
  'id_number_others text[]',
  'wechat_others text[]',
  'wechat_sealed text',
  'unit_id bigint',
  'branch_name text',
  'county_id bigint',
  'role text',
  'title text',
  'category text',
  'post text',
  'university text',
  'starts_on date',
  'ends_on date',
  'status text not null',
  'extra jsonb not null',
] as const

/** The row as a line for COPY. */
export function stagedLine(row: StagedRow): string {
  const extra = JSON.stringify(row.extra)
  const values = [
    row.line,
    row.isFaulty,
    row.name,
    row.nameKey,
    row.soundKey,
    row.phoneIndex,
    row.phoneSealed,
    row.idNumberIndex,
    row.idNumberSealed,
    row.idTailIndex,
    row.wechatIndex,
    textArray(row.phoneOthers),
    textArray(row.idNumberOthers),
    textArray(row.wechatOthers),
    row.wechatSealed,
    row.unitId,
    row.branchName,
    row.countyId,
    row.role,
    row.title,
    row.category,
    row.post,
    row.university,
    row.startsOn,
    row.endsOn,
    row.status,
    extra,
  ]
  return `${values.map(copyText).join('\t')}\n`
}

/** Indexes are letters, digits, `-` and `_`: nothing in them needs quoting. */
function textArray(indexes: string[] | null): string | null {
  return indexes && `{${indexes.join(',')}}`
}
