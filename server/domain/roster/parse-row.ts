import type { RosterColumn, RosterStatus, RosterVocabulary } from '../../templates/roster-columns.ts'
import type { RosterColumns } from './columns.ts'
import { parseDay } from './day.ts'
import { birthDateOf, genderOf, isValidIdNumber, maskIdNumber, normaliseIdNumber } from './id-number.ts'
import { maskPhone, normalisePhone } from './phone.ts'
import type { RosterProblem, RosterRow } from './roster-row.ts'
import type { TableRow } from './table.ts'
import { cleanCell, foldWord, maskName, maskNumbers } from './text.ts'

export interface ParsedRow {
  /** A field that could not be read is empty or null. */
  entry: RosterRow
  problems: RosterProblem[]
}

/** Longer than any name in use; a longer text is a neighbouring column that slipped. */
const MAX_NAME_LENGTH = 40

/**
 * Turns rows of a table into roster rows, one by one, and says what is wrong with each. Pure. What is wrong between rows,
 * such as a person who stands twice in a file, is found where all of them are (`db/queries/roster-staging.ts`).
 *
 * @param today `YYYY-MM-DD`; a birth date after it is an error. Left out, this is not checked.
 */
export function rowParser(
  columns: RosterColumns,
  vocabulary: RosterVocabulary,
  today?: string,
): (row: TableRow) => ParsedRow {
  const words = meaningsOf(vocabulary)
  return row => parseRow(row, columns, vocabulary, words, today)
}

function parseRow(
  { line, cells }: TableRow,
  columns: RosterColumns,
  vocabulary: RosterVocabulary,
  words: Meanings,
  today: string | undefined,
): ParsedRow {
  const problems: RosterProblem[] = []
  const text = (id: RosterColumn): string => cleanCell(cells[columns.at[id] ?? -1] ?? '')
  const report = (
    severity: RosterProblem['severity'],
    id: RosterColumn,
    value: string,
    reason: string,
  ): void => {
    const column = vocabulary.columns.find(each => each.id === id)?.header ?? id
    problems.push({ line, column, value: [...value].slice(0, 30).join(''), reason, severity })
  }

  const entry: RosterRow = {
    line,
    name: nameOf(),
    gender: null,
    phone: phoneOf(),
    idNumber: idNumberOf(),
    wechat: text('wechat'),
    province: text('province'),
    city: text('city'),
    county: text('county'),
    township: text('township'),
    branch: text('branch'),
    unit: text('unit'),
    unitCode: text('unitCode'),
    programme: text('programme'),
    role: text('role'),
    title: text('title'),
    category: text('category'),
    post: text('post'),
    university: text('university'),
    startsOn: dayOf('startsOn'),
    endsOn: dayOf('endsOn'),
    status: statusOf(),
    residence: choiceOf('residence', words.residence),
    occupation: text('occupation'),
    extra: extraOf(),
  }
  entry.gender = genderFor(entry.idNumber)
  checkTogether()
  return { entry, problems }

  function nameOf(): string {
    // officers put spaces between the two characters of a short name so that the column looks even
    const name = text('name').replace(/(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu, '')
    if (!name) report('error', 'name', '', '姓名为空，请补上。')
    else if (/\d/.test(name)) report('error', 'name', maskNumbers(name), '姓名里有数字，请检查各列是否错位。')
    else if (name.length > MAX_NAME_LENGTH)
      report('error', 'name', maskName(name), '姓名过长，请检查各列是否错位。')
    return name
  }

  function phoneOf(): string {
    const written = text('phone')
    const phone = normalisePhone(written)
    if (!written || phone) return phone ?? ''
    report('error', 'phone', maskPhone(written.normalize('NFKC')), phoneReason(written))
    return ''
  }

  function idNumberOf(): string {
    const written = normaliseIdNumber(text('idNumber'))
    if (!written) return ''
    const birthday = birthDateOf(written)
    const isFuture = birthday !== null && today !== undefined && birthday > today
    if (isValidIdNumber(written) && !isFuture) return written
    report(
      'error',
      'idNumber',
      maskIdNumber(written),
      isFuture ? '出生日期还没有到，请核对。' : idReason(written),
    )
    return ''
  }

  function dayOf(id: 'startsOn' | 'endsOn'): string | null {
    const written = text(id)
    if (!written) return null
    if (id === 'endsOn' && words.openEnds.has(foldWord(written))) return null
    const day = parseDay(written)
    if (!day) report('error', id, maskNumbers(written), '看不懂这个日期，请写成 2025-08-01 这样的年月日。')
    return day
  }

  function statusOf(): RosterRow['status'] {
    const written = text('status')
    if (!written) {
      if (columns.at.status !== undefined)
        report('warning', 'status', '', '状态为空，请填写待派遣、在岗或离岗。')
      return null
    }
    const found = words.status.get(foldWord(written))
    if (!found) report('error', 'status', maskNumbers(written), '不认识这个状态，请写待派遣、在岗或离岗。')
    return found ?? null
  }

  function choiceOf<T extends string>(id: 'residence' | 'gender', choices: Map<string, T>): T | null {
    const written = text(id)
    const found = choices.get(foldWord(written)) ?? null
    if (written && !found)
      report('warning', id, maskNumbers(written), `请写${[...new Set(choices.values())].join('或')}。`)
    return found
  }

  function genderFor(idNumber: string): RosterRow['gender'] {
    const written = choiceOf('gender', words.gender)
    const byNumber = genderOf(idNumber)
    if (written && byNumber && written !== byNumber)
      report('warning', 'gender', written, '性别与身份证号不一致，请核对。')
    return written ?? byNumber
  }

  function extraOf(): Record<string, string> {
    if (columns.extra.length === 0) return {}
    const pairs = columns.extra.map(({ position, header }) => [header, cleanCell(cells[position] ?? '')])
    return Object.fromEntries(pairs.filter(([, value]) => value !== ''))
  }

  function checkTogether(): void {
    const { name, phone, idNumber, startsOn, endsOn } = entry
    const width = Object.keys(columns.at).length + columns.extra.length
    if (cells.length > width && cells.slice(width).some(cell => cleanCell(cell) !== ''))
      report('error', 'name', maskName(name), '这一行比表头多出单元格，请检查各列是否错位。')
    if (startsOn && endsOn && endsOn < startsOn)
      report('error', 'endsOn', `${startsOn} 至 ${endsOn}`, '结束日期早于开始日期，请核对。')
    if (name && !phone && !idNumber && !text('phone') && !text('idNumber'))
      report('warning', 'phone', '', '手机号和身份证号都没有，入群申请将无法核对，请至少补一项。')
  }
}

/** What a word in a cell stands for; folded once for the file and not for each row. */
interface Meanings {
  status: Map<string, RosterStatus>
  residence: Map<string, '在乡' | '外出'>
  gender: Map<string, '男' | '女'>
  openEnds: Set<string>
}

function meaningsOf({ statuses, residences, genders, openEnds }: RosterVocabulary): Meanings {
  return {
    status: meanings(statuses),
    residence: meanings(residences),
    gender: meanings(genders),
    openEnds: new Set(openEnds.map(foldWord)),
  }
}

function meanings<T extends string>(
  choices: readonly { name: T; synonyms: readonly string[] }[],
): Map<string, T> {
  return new Map(
    choices.flatMap(({ name, synonyms }) => [name, ...synonyms].map(word => [foldWord(word), name] as const)),
  )
}

function phoneReason(written: string): string {
  if (/^[\d.]+e\+?\d+$/i.test(written)) return '手机号被表格软件改成了科学计数，请把该列设为文本后重填。'
  if (/[/、,，;；]/.test(written)) return '一格里有几个号码，请只留本人常用的一个手机号。'
  return '不是 11 位手机号，请核对。'
}

function idReason(idNumber: string): string {
  const isRounded = /^\d+(\.\d+)?E\+?\d+$/.test(idNumber) || /^\d{15}000$/.test(idNumber)
  if (isRounded) return '身份证号被表格软件改成了数字，后几位已经丢失，请把该列设为文本后重填。'
  if (idNumber.length === 15) return '15 位旧身份证号已停用，请填 18 位号码。'
  if (idNumber.length !== 18) return '身份证号不是 18 位，请核对。'
  if (birthDateOf(idNumber) === null) return '身份证号里的出生日期不存在，请核对。'
  return '身份证号校验位不对，可能抄错了一位，请核对。'
}
