import {
  changedPersonsOf,
  type EntryColumns,
  linesWith,
  type Outcome,
  type PersonLine,
} from '../../../db/queries/roster-difference.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskIdNumber } from './id-number.ts'
import { maskPhone } from './phone.ts'

/** One entry in words. */
export interface EntryLine {
  name: string
  unitName: string
  /** Role and 职务. */
  role: string
  status: string
}

/** What changes, each as before and after. */
export interface ChangedLine extends EntryLine {
  changes: [what: string, before: string, after: string][]
}

/** A part of the entries with one outcome, for people to look through; those that change or move with what changes. */
export async function describeEntries(
  rt: DomainRuntime,
  staging: number,
  programme: string,
  outcome: Outcome,
  limit: number,
  offset: number,
): Promise<ChangedLine[]> {
  const words = ({ unitName, role, title, status }: EntryColumns) => {
    const name = rt.templates.role(programme, role).name
    return { unitName, role: title && title !== name ? `${name}（${title}）` : name, status }
  }
  const lines = await linesWith(rt.db, staging, outcome, limit, offset)
  return lines.map(({ name, before, after }) => {
    const changes: ChangedLine['changes'] = []
    if (before && after && outcome === 'moved') {
      const [was, is] = [words(before), words(after)]
      changes.push(['调动', `${was.unitName} ${was.role}`, `${is.unitName} ${is.role}`])
    }
    if (before && after && outcome === 'changed') changes.push(...entryChanges(before, after))
    return { name, ...words((after ?? before) as EntryColumns), changes }
  })
}

/** Persons whose name or numbers are brought up to date. Numbers are masked. */
export async function describePersons(
  rt: DomainRuntime,
  staging: number,
  limit: number,
  offset: number,
): Promise<ChangedLine[]> {
  const lines = await changedPersonsOf(rt.db, staging, limit, offset)
  return lines.map(line => ({
    name: line.name,
    unitName: '',
    role: '',
    status: '',
    changes: personChanges(rt, line),
  }))
}

const COMPARED = [
  ['title', '职务'],
  ['category', '人员类别'],
  ['post', '服务单位'],
  ['university', '派出高校'],
  ['endsOn', '服务结束日期'],
  ['status', '状态'],
] as const

function entryChanges(before: EntryColumns, after: EntryColumns): ChangedLine['changes'] {
  const changes: ChangedLine['changes'] = COMPARED.filter(([column]) => before[column] !== after[column]).map(
    ([column, what]) => [what, before[column] ?? '', after[column] ?? ''],
  )
  for (const header of new Set([...Object.keys(before.extra), ...Object.keys(after.extra)]))
    if (before.extra[header] !== after.extra[header])
      changes.push([header, before.extra[header] ?? '', after.extra[header] ?? ''])
  return changes
}

/** What was known of somebody who stands in none of the file's units is not told. */
function personChanges({ vault }: DomainRuntime, line: PersonLine): ChangedLine['changes'] {
  const before = (sealed: string | null, mask: (text: string) => string) =>
    sealed === null ? '' : line.isPresent ? mask(vault.open(sealed)) : '原来的'
  const changes: ChangedLine['changes'] = []
  if (line.newName) changes.push(['姓名', line.isPresent ? line.oldName : '原来的', line.newName])
  if (line.newPhoneSealed)
    changes.push([
      '手机号',
      before(line.oldPhoneSealed, maskPhone),
      maskPhone(vault.open(line.newPhoneSealed)),
    ])
  if (line.newIdNumberSealed)
    changes.push([
      '身份证号',
      before(line.oldIdNumberSealed, maskIdNumber),
      maskIdNumber(vault.open(line.newIdNumberSealed)),
    ])
  if (line.hasNewWechat) changes.push(['微信号', line.hadWechat ? '原来的' : '', '名册里的'])
  return changes
}
