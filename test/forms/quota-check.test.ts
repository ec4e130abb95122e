import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type UnitRow, unitByCode } from '../../db/queries/units.ts'
import { bimonthlyReportForm } from '../../server/domain/forms/bimonthly-report.ts'
import { quotaCheckForm } from '../../server/domain/forms/quota-check.ts'
import { planQuotaCheck } from '../../server/domain/forms/quota-sheet.ts'
import { checkProvince } from '../../server/domain/quotas/check-province.ts'
import { quotaOf, thresholdsOf } from '../../server/domain/quotas/rules.ts'
import type { SheetPlan } from '../../server/domain/reports/sheet-plan.ts'
import { writeWorkbook } from '../../server/domain/reports/write-workbook.ts'
import { checkQuota, type Quota } from '../../server/templates/quota.ts'
import { loadTemplates } from '../../server/templates.ts'
import { fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const templates = loadTemplates()
const quota = quotaOf(templates, 2020) as Quota
const annexes = readFileSync(join(import.meta.dirname, '../fixtures/notices/xibu-2020-3-annexes.txt'), 'utf8')
  .split('\n')
  .filter(line => line.includes('\t'))
  .map(line => line.split('\t').map(cell => cell.trim()))
const endOfScale = annexes.findIndex(([name]) => name === '合计') + 1
const [scaleText, pairsText] = [annexes.slice(0, endOfScale), annexes.slice(endOfScale)]

/** The values of a sheet from the top left, row by row. */
function readRows({ cells }: SheetPlan): (string | number)[][] {
  const read: (string | number)[][] = []
  for (const { top, value } of cells.toSorted((a, b) => a.top - b.top || a.left - b.left)) {
    if (value === null || value === '') continue
    read[top] ??= []
    read[top].push(value)
  }
  return read.filter(row => row !== undefined)
}

/** `省份 12 备注` of each number in a row: what stands before it, and the note behind it. */
function pairsIn(row: (string | number)[]): string[] {
  return row.flatMap((cell, index) => {
    if (!/^\d+$/.test(String(cell))) return []
    const note = String(row[index + 1] ?? '')
    return [`${row[index - 1]} ${cell} ${/(?:招募|帮扶)$/.test(note) ? note : ''}`]
  })
}

describe('附件1 and 附件2 come out as printed', () => {
  const sheet = readRows(
    planQuotaCheck(templates.freeForm('quota-check'), {
      quota,
      thresholds: thresholdsOf(templates),
      year: 2020,
      unit: { level: 'national', name: '全国', code: '000000' },
      countedOn: '2020-09-30',
      filledOn: '2020-10-01',
      filledBy: '',
      provinces: [],
      pairs: [],
    }),
  )
  const scaleAt = sheet.findIndex(([cell]) => cell === quota.scale.title)
  const pairsAt = sheet.findIndex(([cell]) => cell === quota.pairs.title)

  test('every number of 附件1, with its province, in its order', () => {
    const printed = sheet.slice(scaleAt + 2, scaleAt + 2 + 22)
    expect(printed.map(row => row.map(String))).toEqual(scaleText.slice(1))
    expect(printed).toHaveLength(22)
    expect(printed.at(-1)).toEqual(['合计', 19990, 2376, 10303, 7311])
  })

  test('every pair of 附件2, with its note, in its row', () => {
    const printed = sheet.slice(pairsAt + 2, pairsAt + 2 + pairsText.length - 1)
    const expected = pairsText.slice(1).map(row => row.filter(cell => cell !== ''))
    expect(printed.map(pairsIn)).toEqual(expected.map(pairsIn))
    expect(printed.flatMap(pairsIn)).toHaveLength(164)
  })

  test('the pairs of every service area sum to its new recruits in 附件1', () => {
    for (const area of quota.pairs.halves.flat()) {
      const planned = scaleText.find(([name]) => name === shortOf(area.name))
      expect([area.name, area.pairs.reduce((sum, pair) => sum + pair.recruits, 0)]).toEqual([
        area.name,
        Number(planned?.[4]),
      ])
    }
    expect(quota.scale.areas).toHaveLength(21)
  })

  const shortOf = (name: string) => (name.includes('兵团') ? '兵团' : name.replace('自治区', ''))

  test.each([
    [
      'a total',
      (broken: Quota) => Object.assign(broken.scale.total, { planned: 19991 }),
      'scale.total.planned',
    ],
    [
      'a part',
      (broken: Quota) => Object.assign(broken.scale.areas[3] as object, { extended: 1688 }),
      'scale.四川',
    ],
    ['a pair', (broken: Quota) => void broken.pairs.halves[0]?.[1]?.pairs.pop(), 'pairs.广西'],
    [
      'an area twice',
      (broken: Quota) => void broken.pairs.halves[0]?.push(broken.pairs.halves[1]?.[0] as never),
      'stands twice',
    ],
  ])('%s that is wrong stops the server', (_, spoil, place) => {
    const broken = structuredClone(quota)
    spoil(broken)
    expect(checkQuota(broken).join('\n')).toContain(place)
  })
})

describe('ratios are flags', () => {
  const roster = {
    unitId: 1,
    unitName: '陕西省',
    code: '61',
    planned: 100,
    graduateTeaching: 0,
    extended: 0,
    recruits: 100,
    unsorted: 0,
    recruitedInKnown: 0,
    inProvince: 0,
    degreeKnown: 0,
    bachelor: 0,
    insuredDaysKnown: 0,
    insuredDays: 0,
    coverKnown: 0,
    cover: 0,
    forbiddenPosts: 0,
  }
  test.each([
    ['a roster without the columns says nothing', {}, []],
    ['70 % of its own province is as it should be', { recruitedInKnown: 10, inProvince: 7 }, []],
    ['71 % is more', { recruitedInKnown: 100, inProvince: 71 }, ['省内招募超过 70%']],
    ['85 % with a degree is enough', { degreeKnown: 20, bachelor: 17 }, []],
    ['84 % is not', { degreeKnown: 100, bachelor: 84 }, ['本科不到 85%']],
    [
      'insurance that ends too early',
      { insuredDaysKnown: 10, insuredDays: 8, coverKnown: 10, cover: 10 },
      ['保险日期不够 2 人'],
    ],
    [
      'cover that is too low',
      { insuredDaysKnown: 10, insuredDays: 10, coverKnown: 10, cover: 9 },
      ['保额不够 1 人'],
    ],
    ['posts that need a look', { forbiddenPosts: 3 }, ['岗位请核对 3 人']],
    ['more than was planned', { planned: 1200 }, ['超出规模 55 人']],
  ])('%s', (_, more, flags) => {
    expect(checkProvince({ ...roster, ...more }, quota, [], thresholdsOf(templates)).flags).toEqual(flags)
  })

  test('seven provinces are above 70 % by the official quotas themselves', () => {
    const above = quota.pairs.halves.flat().filter(area => {
      const own = area.pairs.find(pair => pair.code === area.code)?.recruits ?? 0
      return own / area.pairs.reduce((sum, pair) => sum + pair.recruits, 0) > 0.7
    })
    // 山西, 湖北 and 吉林 recruit nobody from elsewhere
    expect(above.map(area => area.name)).toHaveLength(7)
  })
})

const volunteers = `省份,地市,区县,团支部,姓名,手机号,人员类别,服务单位,派出高校,服务开始日期,服务结束日期,状态,招募省份,学历,保险生效日期,保险截止日期,意外伤害保额,重大疾病保额,住院医疗保额,意外医疗保额
陕西省,榆林市,榆阳区,榆阳区第一团支部,甲一,13700000001,全国项目,榆阳区团委,,2020-08-01,2021-07-31,在岗,陕西省,大学本科,2020-07-29,2021-08-03,80万,800000,30万元,20万
陕西省,榆林市,榆阳区,榆阳区第一团支部,甲二,13700000002,全国项目,榆阳区保密局,,2020-08-01,2021-07-31,在岗,山西,专科,2020/7/30,2021年8月3日,80万,80万,30万,20万
陕西省,榆林市,榆阳区,榆阳区第一团支部,甲三,13700000003,全国项目,榆阳区医院,,2020-08-01,2021-07-31,在岗,新疆生产建设兵团,硕士研究生,2020-07-29,2021-08-02,60万,80万,30万,20万
陕西省,榆林市,榆阳区,榆阳区第一团支部,甲四,13700000004,研究生支教团,榆阳中学,,2020-08-01,2021-07-31,在岗,,,不详,2020-02-30,,,,
陕西省,榆林市,定边县,定边县第一团支部,甲五,13700000005,延期,定边县团委,,2019-08-01,2021-07-31,在岗,,,,,,,,
陕西省,榆林市,定边县,定边县第一团支部,甲六,13700000006,地方项目,定边县团委,,2020-08-01,2021-07-31,在岗,陕西,,,,,,,
陕西省,榆林市,定边县,定边县第一团支部,甲七,13700000007,全国项目,定边县团委,,2019-08-01,2020-07-31,离岗,陕西,,,,,,,
`

describe('forms 8 and 9 of a matrix', () => {
  let stage: Stage
  let national: UnitRow
  let province: UnitRow
  let county: UnitRow
  const filledBy = { name: '陈省办', contact: '' }

  beforeAll(async () => {
    stage = await openStage({ start: '2026-11-20T09:00:00+08:00' })
    await fillMatrix(stage)
    const { isApplied, problems } = await importCsv(stage, 'xibu', volunteers)
    if (!isApplied) throw new Error(JSON.stringify(problems))
    const unit = async (code: string) => (await unitByCode(stage.rt.db, 'xibu', code)) as UnitRow
    national = await unit('000000')
    province = await unit('610000')
    county = await unit('610802')
  })
  afterAll(() => stage.close())

  test('the roster of 2020 stands beside its quotas', async () => {
    const plan = await quotaCheckForm.plan(stage.rt, province, '2020', filledBy, 'masked')
    const sheet = readRows(plan)
    const shaanxi = sheet.find(([name]) => name === '陕西')
    // planned and on the roster: 实施规模, 研支团, 延期, 新招募; the local project and who had left are not of it
    expect(shaanxi?.slice(0, 9)).toEqual(['陕西', 1145, 5, 174, 1, 409, 1, 562, 3])
    expect(shaanxi?.slice(9)).toEqual([
      '33.3%（1/3）',
      '66.7%（2/3）',
      // 甲二 is insured two days before, 甲三 two days after and for 60万
      '日期 1/3，保额 2/3',
      1,
      '本科不到 85%；保险日期不够 2 人；保额不够 1 人；岗位请核对 1 人；非对口省份 1 人',
    ])
    const pairs = sheet.filter(row => row.includes('对口帮扶') || row.includes('山西')).flat()
    expect(pairs).toEqual(expect.arrayContaining(['山西', 99, 1]))
    expect(sheet.flat()).not.toContain(quota.scale.title)
    expect((await writeWorkbook(plan)).length).toBeGreaterThan(5000)
  })

  test('the nation has all areas, and its totals are those of the annex', async () => {
    const sheet = readRows(await quotaCheckForm.plan(stage.rt, national, '2020', filledBy, 'masked'))
    expect(sheet.find(([name]) => name === '合计')?.slice(0, 9)).toEqual([
      '合计',
      19990,
      5,
      2376,
      1,
      10303,
      1,
      7311,
      3,
    ])
    expect(sheet.flat()).toContain(quota.pairs.title)
  })

  test('a year without quotas lists the roster, and says so; columns that it lacks are not guessed', async () => {
    const sheet = readRows(await quotaCheckForm.plan(stage.rt, province, '2026', filledBy, 'masked'))
    expect(sheet.find(([name]) => name === '陕西省')).toEqual([
      '陕西省',
      '—',
      4,
      '—',
      1,
      '—',
      0,
      '—',
      3,
      '名册无此列',
      '名册无此列',
      '名册无此列',
      0,
      '—',
    ])
    expect(sheet.flat().join()).toContain('没有 2026 年度的指标')
  })

  test('双月报告: one row a county, totals upward, late ones named', async () => {
    await rows(
      stage,
      `insert into duty_reports (unit_id, period, on_duty, left_count, on_leave, incidents, reported_by, reported_at)
       values (${county.id}, '2026-10', 12, 2, 1, 0, (select min(id) from persons), '2026-11-03T10:00:00+08:00')`,
    )
    const sheet = readRows(await bimonthlyReportForm.plan(stage.rt, province, '2026-10', filledBy, 'masked'))
    expect(sheet.find(([name]) => name === '合计')).toEqual(['合计', 2, 1, 12, 2, 1, 0, '1 个没有报'])
    expect(sheet.find(([name]) => name === '定边县')).toEqual(['定边县', '榆林市', '没有报'])
    expect(sheet.find(([name]) => name === '榆阳区')).toEqual([
      '榆阳区',
      '榆林市',
      '11-03 10:00',
      12,
      2,
      1,
      0,
    ])
    expect(sheet.flat()).toContain('还没有报的县区：定边县。')
    const own = readRows(await bimonthlyReportForm.plan(stage.rt, county, '2026-10', filledBy, 'masked'))
    expect(own.filter(([name]) => name === '榆阳区')).toHaveLength(1)
    expect(own.flat()).not.toContain('合计')
  })
})
