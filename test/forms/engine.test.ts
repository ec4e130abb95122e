import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { shanghaiMoment } from '../../server/clock.ts'
import { printedSheet } from '../../server/console/printed-sheet.ts'
import { buildPlan } from '../../server/domain/forms/build-plan.ts'
import { addPeriods, dueOn, isPeriod, periodToSend, periodWords } from '../../server/domain/forms/periods.ts'
import { isOnTime, rateWords, reportingRates } from '../../server/domain/forms/rates.ts'
import { checkFreeForm, freeFormSchema } from '../../server/templates/free-form.ts'
import { type FreeFormLayout, loadTemplates, TEMPLATES_FOLDER } from '../../server/templates.ts'

const at = (day: string, time = '09:00') => shanghaiMoment(day, time)
const source = 'project assumption'

describe('the five rates', () => {
  test.each([
    [{ expected: 12, received: 11, onTime: 9 }, '91.7%', '75%'],
    [{ expected: 3, received: 3, onTime: 3 }, '100%', '100%'],
    [{ expected: 2000, received: 1999, onTime: 1999 }, '99.9%', '99.9%'],
    [{ expected: 3000, received: 1, onTime: 0 }, '0%', '0%'],
    [{ expected: 0, received: 0, onTime: 0 }, '—', '—'],
  ])('%o', (counts, rate, onTimeRate) => {
    const rates = reportingRates(counts)
    expect(rates).toMatchObject(counts)
    expect([rateWords(rates.rate), rateWords(rates.onTimeRate)]).toEqual([rate, onTimeRate])
  })

  test.each([
    { expected: 1, received: 2, onTime: 0 },
    { expected: 3, received: 1, onTime: 2 },
    { expected: 1, received: 0, onTime: -1 },
  ])('counts that cannot be are refused: %o', counts => {
    expect(() => reportingRates(counts)).toThrow(RangeError)
  })

  test.each([
    ['the last minute of the day in Shanghai', '2026-08-20', '23:59', true],
    ['midnight after it', '2026-08-21', '00:00', false],
    ['the day before', '2026-08-19', '12:00', true],
  ])('%s is in time: %s %s', (_what, day, time, expected) => {
    expect(isOnTime(at(day, time), '2026-08-20')).toBe(expected)
  })

  test('without a day nothing is late', () => {
    expect(isOnTime(at('2030-01-01'), null)).toBe(true)
  })
})

describe('periods', () => {
  const monthly = { dayAfter: 5, remind: [], source }
  const yearly = { day: '08-20', yearsAfter: 0, remind: [], source }

  test.each([
    [monthly, '2026-09', '2026-10-05'],
    [monthly, '2026-12', '2027-01-05'],
    [yearly, '2026', '2026-08-20'],
    [{ ...yearly, day: '01-30', yearsAfter: 1 }, '2026', '2027-01-30'],
    [undefined, '2026', null],
  ])('%o of %s is due on %s', (due, period, day) => {
    expect(dueOn(due, period)).toBe(day)
  })

  test.each([
    ['month', '2026-09', '2026-09-30T23:59:59+08:00', true],
    ['month', '2026-10', '2026-09-30T23:59:59+08:00', false],
    ['month', '2026-10', '2026-10-01T00:00:00+08:00', true],
    ['month', '2026-13', '2026-12-01T00:00:00+08:00', false],
    ['month', '2026', '2026-12-01T00:00:00+08:00', false],
    ['year', '2027', '2026-12-31T23:59:59+08:00', false],
    ['year', '2027', '2027-01-01T00:00:00+08:00', true],
    ['year', '2026-09', '2026-12-31T00:00:00+08:00', false],
    ['two-months', '2026-10', '2026-11-02T00:00:00+08:00', true],
    ['two-months', '2026-09', '2026-11-02T00:00:00+08:00', false],
  ] as const)('%s %s has begun at %s: %s', (rhythm, period, now, expected) => {
    expect(isPeriod(rhythm, period, new Date(now))).toBe(expected)
  })

  test('what is to be sent now, across the year’s end', () => {
    const now = at('2027-01-03')
    expect(periodToSend('month', now)).toBe('2026-12')
    expect(periodToSend('year', now)).toBe('2027')
    expect(addPeriods('month', '2026-12', 1)).toBe('2027-01')
    expect(addPeriods('two-months', '2026-12', -1)).toBe('2026-10')
    expect(addPeriods('year', '2026', -1)).toBe('2025')
    expect(periodWords('month', '2026-09')).toBe('2026年9月')
    expect(periodWords('year', '2026')).toBe('2026年')
  })
})

describe('the builder of plans', () => {
  const { page, fonts, heights } = loadTemplates().freeForm('plan-sheet')
  const layout: FreeFormLayout = {
    id: 'test-form',
    kind: 'free',
    programme: 'qingnong',
    attachment: '',
    title: '试一张表',
    source,
    layoutVersion: 1,
    sheetName: '试',
    page,
    fonts,
    heights,
    widths: [10, 10, 10],
    head: [{ field: 'unit', text: '单位：{unit}', blank: '单位：____', columns: 'A:C' }],
    headers: {
      all: [
        { text: '单位', range: 'A1:A2' },
        { text: '数', range: 'B1:C1' },
        { text: '群', range: 'B2:B2' },
        { text: '人', range: 'C2:C2' },
      ],
    },
    labels: {},
    notes: [
      { text: '注：{year}年', needs: ['year'], source },
      { text: '没有的不印：{none}', needs: ['none'], source },
    ],
    stamp: { text: '（盖章）', columns: 'B:C', source },
  }

  test('cells go around those that reach down from the row above', () => {
    const sheet = buildPlan(layout)
    sheet.head({ unit: '' })
    sheet.header('all')
    sheet.row([{ value: '甲', down: 2, part: 'rowHead' }, 1, { value: 2, behind: '/console/groups' }])
    sheet.row([3, null])
    sheet.row([{ value: '合计', across: 2 }, 9])
    sheet.notes({ year: '2026', none: null })
    sheet.stamp()
    const plan = sheet.plan()
    const places = plan.cells.map(({ top, left, bottom, right, value }) => [value, top, left, bottom, right])
    expect(places).toEqual([
      ['试一张表', 1, 1, 1, 3],
      ['单位：____', 2, 1, 2, 3],
      ['单位', 3, 1, 4, 1],
      ['数', 3, 2, 3, 3],
      ['群', 4, 2, 4, 2],
      ['人', 4, 3, 4, 3],
      ['甲', 5, 1, 6, 1],
      [1, 5, 2, 5, 2],
      [2, 5, 3, 5, 3],
      [3, 6, 2, 6, 2],
      [null, 6, 3, 6, 3],
      ['合计', 7, 1, 7, 2],
      [9, 7, 3, 7, 3],
      ['注：2026年', 8, 1, 8, 3],
      ['（盖章）', 9, 2, 9, 3],
    ])
    expect(plan.rowHeights).toHaveLength(9)
    expect(plan.page.repeatRows).toEqual([3, 4])
    const { text } = printedSheet(plan, '试一张表')
    expect(text).toContain('<th scope="col" rowspan="2">单位</th><th scope="colgroup" colspan="2">数</th>')
    expect(text).toContain('<th scope="rowgroup" rowspan="2">甲</th><td>1</td>')
    expect(text).toContain('<td><a href="/console/groups">2</a></td>')
    expect(text).toContain('<p class="stamp">（盖章）</p>')
  })

  test('a row that is too long, an unknown word or header, is an error and not a wrong form', () => {
    expect(() => buildPlan(layout).row([1, 2, 3, 4])).toThrow('more cells than columns')
    expect(() => buildPlan(layout).header('other')).toThrow('test-form has no other')
    expect(() => buildPlan(layout).head({})).toThrow('test-form has no unit')
  })

  test('a long text makes its row high enough', () => {
    const sheet = buildPlan(layout)
    sheet.row(['短'])
    sheet.row(['一个很长很长的单位名称要写成几行才放得下'])
    const [short = 0, long = 0] = sheet.plan().rowHeights
    expect(long).toBeGreaterThan(3 * 11)
    expect(short).toBe(heights.body)
  })
})

describe('the layout of a free form', () => {
  const file = join(TEMPLATES_FOLDER, 'forms/account-sheet/form.json')
  const changed = (from: string, to: string) => {
    const text = readFileSync(file, 'utf8')
    expect(text).toContain(from)
    return freeFormSchema.safeParse(JSON.parse(text.replace(from, to)))
  }

  test.each([
    ['"range": "B1:B1"', '"range": "A1:B1"', 'headers.accounts: 微信公众号 covers 县区名称'],
    ['"range": "F1:F1"', '"range": "F1:G1"', 'headers.accounts: F1:G1 is not within the columns'],
    ['"columns": "D:F"', '"columns": "D:H"', 'span D:H is not within the columns'],
  ])('%s → %s is named', (from, to, problem) => {
    const parsed = changed(from, to)
    expect(parsed.success && checkFreeForm(parsed.data)).toEqual([problem])
  })

  test.each([
    ['"day": "10-31"', '"day": "13-31"'],
    ['"remind": [7, 1, 0]', '"remind": [-1]'],
    ['"kind": "free"', '"kind": "free", "colour": "red"'],
  ])('%s → %s is refused', (from, to) => {
    expect(changed(from, to).success).toBe(false)
  })
})
