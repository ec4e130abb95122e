import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestSet } from './make-set.ts'
import type { SheetRow } from './roster.ts'

const COLUMNS: [header: string, of: keyof SheetRow][] = [
  ['姓名', 'name'],
  ['性别', 'sex'],
  ['手机号', 'phone'],
  ['身份证号', 'idNumber'],
  ['微信号', 'wechat'],
  ['省份', 'province'],
  ['地市', 'city'],
  ['区县', 'county'],
  ['团支部', 'branch'],
  ['人员类别', 'category'],
  ['服务单位', 'unit'],
  ['派出高校', 'school'],
  ['服务开始日期', 'startsOn'],
  ['服务结束日期', 'endsOn'],
  ['状态', 'status'],
]

/** Writes a set as files that `audit-requests.ts` reads, with the labels next to them. */
export function writeSet(folder: string, { roster, requests }: RequestSet): void {
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const lines = (items: unknown[]) => items.map(item => `${JSON.stringify(item)}\n`).join('')
  const sheet = [
    COLUMNS.map(([header]) => header),
    ...roster.rows.map(row => COLUMNS.map(([, of]) => row[of])),
  ]
  write('roster.csv', sheet.map(cells => `${cells.join(',')}\r\n`).join(''))
  write('groups.json', JSON.stringify(roster.groups, null, 1))
  const members = [...roster.members].flatMap(([group, accounts]) =>
    [...accounts].map(account => `${group},${account},\r\n`),
  )
  write('members.csv', `群ID,微信号,群昵称\r\n${members.join('')}`)
  write('requests.jsonl', lines(requests.map(({ request }) => request)))
  write(
    'expected.jsonl',
    lines(
      requests.map(({ request, label }) => ({
        id: request.id,
        decision: label.decision,
        row: label.row,
        reason: label.reason,
        also: label.also,
        also_reasons: label.alsoReasons,
        candidates: label.candidates,
      })),
    ),
  )
}
