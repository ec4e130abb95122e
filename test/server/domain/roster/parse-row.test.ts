import { describe, expect, it } from 'vitest'
import { recogniseColumns } from '../../../../server/domain/roster/columns.ts'
import { rowParser } from '../../../../server/domain/roster/parse-row.ts'
import type { RosterProblem, RosterRow } from '../../../../server/domain/roster/roster-row.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const vocabulary = loadTemplates().roster
const headers = '姓名 性别 手机号 身份证号 区县 团支部 服务开始日期 服务结束日期 状态 在乡外出 备注'.split(
  ' ',
)

/** One invented person; the ID number is the example of GB 11643-1999. */
const lin = {
  姓名: '林小雨',
  性别: '女',
  手机号: '13800001111',
  身份证号: '11010519491231002X',
  区县: '榆阳区',
  团支部: '第一团支部',
  服务开始日期: '2025-08-01',
  服务结束日期: '2026-07-31',
  状态: '在岗',
  在乡外出: '在乡',
  备注: '',
}
type Person = Partial<typeof lin>

interface ParsedRoster {
  /** Rows without an error. */
  entries: RosterRow[]
  faulty: RosterRow[]
  problems: RosterProblem[]
}

function parse(...people: Person[]): ParsedRoster {
  const rows = people.map((person, index) => ({
    line: index + 2,
    cells: headers.map(header => ({ ...lin, ...person })[header as keyof typeof lin]),
  }))
  const parseRow = rowParser(recogniseColumns(headers, vocabulary), vocabulary, '2026-11-22')
  const parsed: ParsedRoster = { entries: [], faulty: [], problems: [] }
  for (const row of rows) {
    const { entry, problems } = parseRow(row)
    parsed.problems.push(...problems)
    const isFaulty = problems.some(problem => problem.severity === 'error')
    ;(isFaulty ? parsed.faulty : parsed.entries).push(entry)
  }
  return parsed
}

describe('a sound row', () => {
  it('becomes an entry', () => {
    expect(parse({ 备注: '党员' })).toEqual({
      entries: [
        {
          line: 2,
          name: '林小雨',
          gender: '女',
          phone: '13800001111',
          idNumber: '11010519491231002X',
          wechat: '',
          province: '',
          city: '',
          county: '榆阳区',
          township: '',
          branch: '第一团支部',
          unit: '',
          unitCode: '',
          programme: '',
          role: '',
          title: '',
          category: '',
          post: '',
          university: '',
          startsOn: '2025-08-01',
          endsOn: '2026-07-31',
          status: '在岗',
          residence: '在乡',
          occupation: '',
          extra: { 备注: '党员' },
        },
      ],
      faulty: [],
      problems: [],
    })
  })

  it.each<[string, Person, object]>([
    ['a name spread with spaces', { 姓名: '林　小 雨' }, { name: '林小雨' }],
    ['a name with a middle dot', { 姓名: ' 阿依古丽·买买提 ' }, { name: '阿依古丽·买买提' }],
    ['a name in Latin letters keeps its space', { 姓名: 'Anna Lin' }, { name: 'Anna Lin' }],
    ['a phone with country code', { 手机号: '+86 138-0000-1111' }, { phone: '13800001111' }],
    ['no phone but an ID number', { 手机号: '' }, { phone: '' }],
    ['an ID number in lower case', { 身份证号: '11010519491231002x' }, { idNumber: '11010519491231002X' }],
    ['dates of a spreadsheet', { 服务开始日期: '45870' }, { startsOn: '2025-08-01' }],
    ['no dates', { 服务开始日期: '', 服务结束日期: '' }, { startsOn: null, endsOn: null }],
    ['an open end', { 服务结束日期: '至今' }, { endsOn: null }],
    ['one day of service', { 服务结束日期: '2025-08-01' }, { endsOn: '2025-08-01' }],
    ['another word for a status', { 状态: '服务期满' }, { status: '离岗' }],
    ['not yet sent', { 状态: '待上岗' }, { status: '待派遣' }],
    ['gender from the ID number', { 性别: '' }, { gender: '女' }],
    ['away', { 在乡外出: '外地' }, { residence: '外出' }],
  ])('%s', (_, person, fields) => {
    const { entries, problems } = parse(person)
    expect(problems).toEqual([])
    expect(entries[0]).toMatchObject(fields)
  })
})

describe('a row with an error is kept apart', () => {
  it.each<[string, Person, string, string, string]>([
    ['empty name', { 姓名: ' \u200b' }, '姓名', '', '姓名为空'],
    ['a number for a name', { 姓名: '13800001111' }, '姓名', '138******11', '姓名里有数字'],
    ['a text for a name', { 姓名: '长'.repeat(41) }, '姓名', `长${'*'.repeat(29)}`, '姓名过长'],
    ['a short phone', { 手机号: '1380000111' }, '手机号', '138*****11', '不是 11 位手机号'],
    ['a landline', { 手机号: '0912-3447161' }, '手机号', '091*******61', '不是 11 位手机号'],
    ['a phone in scientific notation', { 手机号: '1.38E+10' }, '手机号', '1.3***10', '科学计数'],
    ['two phones', { 手机号: '13800001111、13900001111' }, '手机号', '138******************11', '几个号码'],
    [
      'wrong check character',
      { 身份证号: '110105194912310021' },
      '身份证号',
      '110*************21',
      '校验位不对',
    ],
    [
      'no such birthday',
      { 身份证号: '110105194913310024' },
      '身份证号',
      '110*************24',
      '出生日期不存在',
    ],
    [
      'a birthday to come',
      { 身份证号: '110105203001010010' },
      '身份证号',
      '110*************10',
      '出生日期还没有到',
    ],
    ['old ID number', { 身份证号: '110105491231002' }, '身份证号', '110**********02', '15 位'],
    ['short ID number', { 身份证号: '11010519491231' }, '身份证号', '110*********31', '不是 18 位'],
    [
      'rounded ID number',
      { 身份证号: '110105194912310000' },
      '身份证号',
      '110*************00',
      '后几位已经丢失',
    ],
    ['ID number in notation', { 身份证号: '1.10105E+17' }, '身份证号', '1.1******17', '后几位已经丢失'],
    ['a month for a date', { 服务开始日期: '2025年8月' }, '服务开始日期', '2025年8月', '看不懂这个日期'],
    ['no such date', { 服务结束日期: '2026-02-30' }, '服务结束日期', '2026-02-30', '看不懂这个日期'],
    [
      'dates the wrong way round',
      { 服务结束日期: '2025-07-31' },
      '服务结束日期',
      '2025-08-01 至 2025-07-31',
      '早于开始日期',
    ],
    ['unknown status', { 状态: '借调' }, '状态', '借调', '不认识这个状态'],
    ['a phone for a status', { 状态: '13800001111' }, '状态', '138******11', '不认识这个状态'],
  ])('%s', (_, person, column, value, reason) => {
    const { entries, faulty, problems } = parse(person)
    expect(entries).toEqual([])
    expect(faulty).toHaveLength(1)
    expect(problems).toEqual([
      { line: 2, column, value, reason: expect.stringContaining(reason), severity: 'error' },
    ])
  })

  it('with more cells than the heading', () => {
    const columns = recogniseColumns(['姓名', '手机号'], vocabulary)
    const row = { line: 2, cells: ['林小雨', '13800001111', '多出来的'] }
    expect(rowParser(columns, vocabulary)(row).problems[0]?.reason).toContain('多出单元格')
  })
})

describe('a row with a warning stays', () => {
  it.each<[string, Person, string, string]>([
    ['gender against the ID number', { 性别: '男' }, '性别', '与身份证号不一致'],
    ['unknown gender', { 性别: '？' }, '性别', '请写男或女'],
    ['no status', { 状态: '' }, '状态', '状态为空'],
    ['unknown residence', { 在乡外出: '西安' }, '在乡外出', '请写在乡或外出'],
    ['neither phone nor ID number', { 手机号: '', 身份证号: '' }, '手机号', '无法核对'],
  ])('%s', (_, person, column, reason) => {
    const { entries, problems } = parse(person)
    expect(entries).toHaveLength(1)
    expect(problems).toEqual([expect.objectContaining({ column, severity: 'warning' })])
    expect(problems[0]?.reason).toContain(reason)
  })
})

it('no problem shows a whole name or number', () => {
  const shown = JSON.stringify(
    parse({}, { 姓名: '林小雨1' }, { 手机号: '138000011112' }, { 身份证号: '110105194912310021' }).problems,
  )
  expect(shown).not.toMatch(/13800001111|11010519491231002/)
  expect(shown).toContain('138*******12')
})
