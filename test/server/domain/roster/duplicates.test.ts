import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fillMatrix, importCsv } from '../../../support/matrix.ts'
import { openStage, type Stage } from '../../../support/stage.ts'

/** One invented person; the ID number is the example of GB 11643-1999. */
const lin = {
  姓名: '林小雨',
  手机号: '13800001111',
  身份证号: '11010519491231002X',
  区县: '榆阳区',
  团支部: '第一团支部',
  服务开始日期: '2025-08-01',
  服务结束日期: '2026-07-31',
  状态: '在岗',
}
type Person = Partial<typeof lin>

describe('the same person twice in a file', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
  })
  afterAll(() => stage.close())

  async function problemsOf(...people: Person[]) {
    const lines = people.map(person => Object.values({ ...lin, ...person }).join(','))
    const csv = `${Object.keys(lin).join(',')}\n${lines.join('\n')}\n`
    const { rows, problems } = await importCsv(stage, 'xibu', csv, { isDryRun: true })
    return { rows, problems }
  }

  const extension = { 服务开始日期: '2026-08-01', 服务结束日期: '2027-07-31' }
  test.each<[string, Person[], string | null]>([
    ['the same row', [{}, {}], '与第 2 行是同一人'],
    ['overlapping by a day', [{}, { 服务开始日期: '2026-07-31', 服务结束日期: '2027-07-31' }], '同一人'],
    ['an ended term and its extension', [{ 状态: '离岗' }, extension], null],
    ['an old county and a new one', [{}, { 区县: '定边县' }], null],
    ['two branches of a county', [{}, { 团支部: '第二团支部' }], null],
    ['an open end', [{ 服务结束日期: '' }, extension], '同一人'],
    ['by name and phone, one without ID number', [{}, { 身份证号: '' }], '同一人'],
    ['by ID number, another phone', [{}, { 手机号: '13900001111' }], '同一人'],
    ['the name written otherwise', [{ 姓名: '古丽·买买提' }, { 姓名: '古丽•买买提' }], '同一人'],
    ['the ID number of another name', [{}, { 姓名: '张志愿' }], '身份证号相同而姓名不同'],
    ['the same name, other numbers', [{}, { 手机号: '13900001111', 身份证号: '' }], null],
    ['the third row against the first', [{}, { 姓名: '张志愿', 手机号: '', 身份证号: '' }, {}], '与第 2 行'],
    [
      'a branch that is there, with its county and without',
      [{ 团支部: '榆阳区第一团支部' }, { 区县: '', 团支部: '榆阳区第一团支部' }],
      '同一人',
    ],
  ])('%s', async (_, people, reason) => {
    const { rows, problems } = await problemsOf(...people)
    const found = problems.filter(problem => problem.reason.startsWith('与第'))
    expect(found.map(problem => problem.severity)).toEqual(reason ? ['error'] : [])
    if (reason) expect(found[0]?.reason).toContain(reason)
    expect(rows).toBe(people.length - found.length)
  })

  test('a phone shared by two people is a warning', async () => {
    expect(await problemsOf({ 身份证号: '' }, { 姓名: '张志愿', 身份证号: '' })).toEqual({
      rows: 2,
      problems: [
        {
          line: 3,
          column: '手机号',
          value: '138****1111',
          reason: '与第 2 行手机号相同而人不同，请核对。',
          severity: 'warning',
        },
      ],
    })
  })

  test('no problem shows a whole name or number', async () => {
    const { problems } = await problemsOf({}, {}, { 姓名: '张志愿' }, { 手机号: '138000011112' })
    expect(problems).toHaveLength(4)
    expect(JSON.stringify(problems)).not.toMatch(/林小雨|张志愿|13800001111|11010519491231002X/)
  })

  test('a thousand rows with one phone are told each, and soon', async () => {
    const people = Array.from({ length: 1000 }, (_, index) => ({
      姓名: `林${[...String(index)].map(digit => '甲乙丙丁戊己庚辛壬癸'[Number(digit)]).join('')}`,
      身份证号: '',
    }))
    const { problems } = await problemsOf(...people)
    expect(problems.filter(problem => problem.reason.startsWith('与第 2 行手机号相同'))).toHaveLength(999)
  })
})
