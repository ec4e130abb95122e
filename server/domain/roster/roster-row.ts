import type { RosterStatus } from '../../templates/roster-columns.ts'

/** One row of a roster file, cleaned. Texts that the file does not give are empty. */
export interface RosterRow {
  /** The row number that a spreadsheet program shows. */
  line: number
  name: string
  gender: '男' | '女' | null
  /** 11 digits. */
  phone: string
  /** 18 characters, capital X. */
  idNumber: string
  wechat: string
  province: string
  city: string
  county: string
  township: string
  branch: string
  unit: string
  unitCode: string
  programme: string
  role: string
  /** 职务 */
  title: string
  /** 人员类别 */
  category: string
  /** 服务单位 */
  post: string
  university: string
  /** `YYYY-MM-DD`; null when the file gives none. */
  startsOn: string | null
  /** The last day of service; null when the file gives none or says that it has no end. */
  endsOn: string | null
  status: RosterStatus | null
  residence: '在乡' | '外出' | null
  occupation: string
  /** Columns that the server does not know, by their heading. */
  extra: Record<string, string>
}

/** Something in a row that the officer must mend (`error`) or should look at (`warning`). */
export interface RosterProblem {
  line: number
  /** The heading shown to people, such as 手机号. */
  column: string
  /** What the cell holds, with names and numbers masked. */
  value: string
  /** A Chinese sentence that says what to do. */
  reason: string
  severity: 'error' | 'warning'
}
