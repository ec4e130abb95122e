import exceljs, { type Worksheet } from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Db } from '../../db/client.ts'
import { type UnitRow, unitById } from '../../db/queries/units.ts'
import { branchSummaryForm } from '../../server/domain/forms/branch-summary.ts'
import { constructionSummaryForm } from '../../server/domain/forms/construction-summary.ts'
import type { OfficialForm } from '../../server/domain/forms/form.ts'
import { matrixSummaryForm } from '../../server/domain/forms/matrix-summary.ts'
import type { SheetPlan } from '../../server/domain/reports/sheet-plan.ts'
import { writeWorkbook } from '../../server/domain/reports/write-workbook.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { domainOn, World } from '../support/clean-matrix.ts'
import { cloneDatabase, dropDatabase } from '../support/database.ts'
import { type FormMatrix, generateFormMatrix, type RawEntry, type RawUnit } from '../support/form-matrix.ts'

const NOW = '2026-09-07T09:00:00+08:00'
const nobody = { name: '', contact: '' }

let db: Db
let rt: DomainRuntime
let close: () => Promise<void>

beforeAll(async () => {
  const url = await cloneDatabase()
  const connected = connectDatabase(url, 4)
  db = connected.db
  rt = domainOn(db, NOW).rt
  close = async () => {
    await connected.close()
    await dropDatabase(url)
  }
})
afterAll(() => close())

const planOf = async (
  form: OfficialForm,
  unitId: number,
  period: string,
  numbers: 'masked' | 'whole' = 'whole',
) => form.plan(rt, (await unitById(db, unitId)) as UnitRow, period, nobody, numbers)

/** The table as somebody reads it who fills the value of a merged cell into all rows that it covers. */
function tableOf(plan: SheetPlan): (string | number | null)[][] {
  const heads = plan.cells.filter(cell => cell.part === 'columnHead')
  const first = Math.max(...heads.map(cell => cell.bottom)) + 1
  const rows: (string | number | null)[][] = []
  for (const cell of plan.cells) {
    if (cell.top < first || !cell.look.border) continue
    for (let row = cell.top; row <= cell.bottom; row += 1) {
      rows[row - first] ??= []
      ;(rows[row - first] as (string | number | null)[])[cell.left - 1] = cell.value
    }
  }
  return rows
}

/** The period's end, and its last day, worked out by hand. */
const periods: [period: string, end: Date, day: string][] = [
  ['2025', new Date('2026-01-01T00:00:00+08:00'), '2025-12-31'],
  ['2026', new Date(new Date(NOW).getTime() + 1), '2026-09-07'],
]

describe('counted by hand over the raw rows of generated matrices', () => {
  let xibu: FormMatrix
  let pioneers: FormMatrix
  beforeAll(async () => {
    xibu = await generateFormMatrix(db, rt.vault, 'xibu', 20_180_105)
    pioneers = await generateFormMatrix(db, rt.vault, 'shaoxiandui', 20_170_328)
  })

  const importAt = (matrix: FormMatrix, id: number) =>
    matrix.imports.find(each => each.id === id)?.appliedAt as Date
  const wasGone = (matrix: FormMatrix, entry: RawEntry, end: Date) =>
    entry.goneImportId === entry.importId ||
    (entry.goneImportId !== null && importAt(matrix, entry.goneImportId) < end)
  /** Whether an entry of a branch or office counts on the day. */
  function serves(matrix: FormMatrix, entry: RawEntry, end: Date, day: string): boolean {
    if (wasGone(matrix, entry, end) || entry.status !== '在岗') return false
    if (entry.startsOn !== null && entry.startsOn > day) return false
    if (entry.endsOn !== null && entry.endsOn < day) return false
    if (importAt(matrix, entry.importId) < end) return true
    const kind = (id: number) => matrix.units.find(unit => unit.id === id)?.kind
    for (const other of matrix.entries)
      if (
        other.personId === entry.personId &&
        other.id !== entry.id &&
        kind(other.unitId) === kind(entry.unitId) &&
        importAt(matrix, other.importId) < importAt(matrix, entry.importId) &&
        !wasGone(matrix, other, end)
      )
        return false
    return true
  }
  function holders(matrix: FormMatrix, unit: RawUnit, role: string, end: Date, day: string): number[] {
    const found = new Set<number>()
    const own = matrix.entries.filter(each => each.unitId === unit.id)
    for (const entry of own)
      if (entry.role === role && serves(matrix, entry, end, day)) found.add(entry.personId)
    for (const held of matrix.roles) {
      if (held.unitId !== unit.id || held.role !== role || held.startedAt >= end) continue
      if (held.endedAt !== null && held.endedAt < end) continue
      const entries = own.filter(each => each.personId === held.personId)
      const known = entries.filter(
        each => importAt(matrix, each.importId) < end && !wasGone(matrix, each, end),
      )
      if (known.length === 0 || entries.some(each => serves(matrix, each, end, day))) found.add(held.personId)
    }
    return [...found].sort((a, b) => a - b)
  }
  const words = (matrix: FormMatrix, ids: number[]) =>
    ids.length === 0
      ? null
      : ids
          .map(id => matrix.people.find(each => each.id === id))
          .map(each => (each?.phone ? `${each.name} ${each.phone}` : each?.name))
          .join('\n')
  const childrenOf = (matrix: FormMatrix, unit: RawUnit, kind: string) =>
    matrix.units
      .filter(each => each.parentId === unit.id && each.kind === kind)
      .sort((a, b) => (a.code < b.code ? -1 : 1))
  const stood = (matrix: FormMatrix, end: Date) =>
    matrix.groups.filter(
      each => each.createdAt < end && (each.dissolvedAt === null || each.dissolvedAt >= end),
    )

  test('the matrices have all that makes counting hard', () => {
    expect(xibu.groups.filter(each => each.dissolvedAt !== null).length).toBeGreaterThan(3)
    expect(xibu.entries.filter(each => each.goneImportId === each.importId).length).toBeGreaterThan(1)
    expect(new Set(xibu.people.map(each => each.name)).size).toBeLessThan(xibu.people.length)
    expect(xibu.units.filter(each => each.kind === 'county-office').length).toBeGreaterThan(5)
  })

  test.each(periods)('every branch of every province, city and county in %s', async (period, end, day) => {
    let people = 0
    for (const top of xibu.units.filter(each => ['province', 'city', 'county'].includes(each.level))) {
      const expected: unknown[][] = []
      const cities =
        top.level === 'province'
          ? childrenOf(xibu, top, 'city-office')
          : xibu.units.filter(each => each.id === (top.level === 'city' ? top.id : top.parentId))
      for (const city of cities)
        for (const county of top.level === 'county' ? [top] : childrenOf(xibu, city, 'county-office')) {
          const inCharge = words(xibu, holders(xibu, county, 'in-charge', end, day))
          const branches = childrenOf(xibu, county, 'volunteer-branch').flatMap(branch => {
            const members = new Set(
              xibu.entries
                .filter(each => each.unitId === branch.id && serves(xibu, each, end, day))
                .map(each => each.personId),
            )
            people += members.size
            return branch.createdAt >= end && members.size === 0
              ? []
              : [
                  [
                    branch.name,
                    members.size,
                    words(xibu, holders(xibu, branch, 'branch-secretary', end, day)),
                  ],
                ]
          })
          for (const cells of branches.length > 0 ? branches : [[null, null, null]])
            expected.push([city.name, county.name, ...cells, inCharge])
        }
      const table = tableOf(await planOf(branchSummaryForm, top.id, period))
      expect([top.name, table]).toEqual([top.name, expected.length > 0 ? expected : [Array(6).fill(null)]])
    }
    expect(people).toBeGreaterThan(10)
  })

  test.each(periods)(
    'who goes to the national group, and every group with its owner, in %s',
    async (period, end, day) => {
      for (const province of xibu.units.filter(each => each.level === 'province')) {
        const plan = await planOf(matrixSummaryForm, province.id, period)
        const sent = holders(xibu, province, 'in-charge', end, day).map(id =>
          xibu.people.find(each => each.id === id),
        )
        const texts = plan.cells.map(cell => cell.value)
        const printed = texts.slice(
          texts.indexOf('联系电话') + 1,
          texts.indexOf('省、市、县三级微信群管理员信息汇总表'),
        )
        expect(printed.filter((_, at) => at % 4 !== 1)).toEqual(
          sent.length === 0
            ? [null, null, null]
            : sent.flatMap(each => [each?.name, each?.wechat, each?.phone]),
        )
        const inOrder = [...xibu.units].sort((a, b) => (a.code < b.code ? -1 : 1)).map(each => each.id)
        const expected = [
          ['省西部计划工作群', 'province-work'],
          ['地市西部计划工作群', 'city-work'],
          ['县区西部计划志愿者团支部群', 'branch'],
          ['县区研究生支教团联络群', 'graduate-teaching'],
        ].flatMap(([label, kind]) => {
          const found = stood(xibu, end)
            .filter(each => each.kind === kind)
            .filter(each => xibu.units.find(unit => unit.id === each.unitId)?.path.startsWith(province.path))
            .sort((a, b) => inOrder.indexOf(a.unitId) - inOrder.indexOf(b.unitId) || a.id - b.id)
            .map(each => {
              const owner = xibu.people.find(person => person.id === each.ownerId)
              return [label, each.name, each.size, owner?.name ?? null, owner?.phone ?? null]
            })
          return found.length > 0 ? found : [[label, null, null, null, null]]
        })
        expect(tableOf(plan)).toEqual(expected)
      }
    },
  )

  test.each(periods)(
    'the groups of each level of a province, and its own one by one, in %s',
    async (period, end) => {
      for (const province of pioneers.units.filter(each => each.level === 'province')) {
        const plan = await planOf(constructionSummaryForm, province.id, period)
        const sums = ['province', 'city', 'county'].map(level => {
          let groups = 0
          let people = 0
          for (const group of stood(pioneers, end)) {
            const unit = pioneers.units.find(each => each.id === group.unitId)
            if (unit?.level !== level || !unit.path.startsWith(province.path)) continue
            groups += 1
            people += group.size
          }
          return [groups, people]
        })
        const lines = plan.cells.map(cell => String(cell.value)).filter(text => /建群数/.test(text))
        expect(lines.map(line => [...line.matchAll(/\d+/g)].map(Number))).toEqual(sums)
        const own = stood(pioneers, end).filter(each => each.unitId === province.id)
        const table = tableOf(plan).map(([name, , , size]) => [name, size])
        expect(table).toEqual(own.length > 0 ? own.map(each => [each.name, each.size]) : [[null, null]])
      }
    },
  )
})

test.each([branchSummaryForm, matrixSummaryForm, constructionSummaryForm])(
  '$id is due on the day that its notice names',
  ({ id, programme }) => {
    const { due } = rt.templates.formBasics(id)
    expect(due && 'day' in due && due.day).toBe(rt.templates.duty(programme, `${id}-due`).value)
  },
)

describe('a small province, as its office would fill it in by hand', () => {
  let world: World
  const ids: Record<string, number> = {}
  beforeAll(async () => {
    world = new World(db, new Date('2025-08-01T09:00:00+08:00'))
    await world.unit('xibu', 'w:全国', 'national-office', 'national', null)
    await world.unit('xibu', 'w1:四川省', 'province-office', 'province', 'w:全国')
    await world.unit('xibu', 'w11:凉山州', 'city-office', 'city', 'w1:四川省')
    await world.unit('xibu', 'w111:昭觉县', 'county-office', 'county', 'w11:凉山州')
    await world.unit('xibu', 'w112:布拖县项目办', 'county-office', 'county', 'w11:凉山州')
    await world.unit('xibu', 'w1111:昭觉第一团支部', 'volunteer-branch', 'branch', 'w111:昭觉县')
    await world.unit('xibu', 'w1112:昭觉第二团支部', 'volunteer-branch', 'branch', 'w111:昭觉县')
    await world.unit('xibu', 'w2:青海省', 'province-office', 'province', 'w:全国')
    ids.province = world.unitId('w1:四川省')
    ids.empty = world.unitId('w2:青海省')
    ids.county = world.unitId('w111:昭觉县')
    const phone = async (personId: number, number: string) => {
      const { persons } = await import('../../db/schema/index.ts')
      const { eq } = await import('drizzle-orm')
      await db
        .update(persons)
        .set({ phoneSealed: rt.vault.seal(number), wechatSealed: rt.vault.seal(`wx${number}`) })
        .where(eq(persons.id, personId))
    }
    // twins with one name, both in charge of the county
    await phone(await world.serves('沙马拉且', 'w111:昭觉县', 'in-charge'), '13811112222')
    await phone(await world.serves('沙马拉且', 'w111:昭觉县', 'in-charge'), '13811113333')
    await phone(await world.serves('吉克', 'w1:四川省', 'in-charge'), '13899990000')
    await phone(await world.serves('阿牛', 'w1111:昭觉第一团支部', 'branch-secretary'), '13811114444')
    const term = { startsOn: '2025-08-01', endsOn: '2026-07-31' }
    for (const name of ['甲', '乙', '丙']) await world.serves(name, 'w1111:昭觉第一团支部', 'volunteer', term)
    await world.serves('丁', 'w1112:昭觉第二团支部', 'volunteer', { ...term, endsOn: '2027-07-31' })
    const owner = await world.idOf('吉克')
    await world.group('w1:四川省', 'province-work', '四川西部计划工作群', owner, [])
    await world.group('w1111:昭觉第一团支部', 'branch', '昭觉一支部群', await world.idOf('阿牛'), [])
  })

  test('the branches at the end of 2025 and now, when the first term is over', async () => {
    const rows = (people: number) => [
      [
        '凉山州',
        '昭觉县',
        '昭觉第一团支部',
        people,
        '阿牛 13811114444',
        '沙马拉且 13811112222\n沙马拉且 13811113333',
      ],
      ['凉山州', '昭觉县', '昭觉第二团支部', 1, null, '沙马拉且 13811112222\n沙马拉且 13811113333'],
      ['凉山州', '布拖县', null, null, null, null],
    ]
    expect(tableOf(await planOf(branchSummaryForm, ids.province as number, '2025'))).toEqual(rows(4))
    expect(tableOf(await planOf(branchSummaryForm, ids.province as number, '2026'))).toEqual(rows(1))
    const county = await planOf(branchSummaryForm, ids.county as number, '2026')
    expect(tableOf(county)).toEqual(rows(1).slice(0, 2))
  })

  test('a page shows no whole number, a file does', async () => {
    const masked = JSON.stringify([
      await planOf(branchSummaryForm, ids.province as number, '2026', 'masked'),
      await planOf(matrixSummaryForm, ids.province as number, '2026', 'masked'),
    ])
    expect(masked).not.toMatch(/1\d{10}/)
    expect(masked).toContain('沙马拉且 138****2222')
    const whole = JSON.stringify(await planOf(matrixSummaryForm, ids.province as number, '2026', 'whole'))
    expect(whole).toContain('"wx13899990000"')
    expect(whole).toContain('"13811114444"')
  })

  test('a province without data prints the form to fill in by hand', async () => {
    expect(tableOf(await planOf(branchSummaryForm, ids.empty as number, '2026'))).toEqual([
      Array(6).fill(null),
    ])
    expect(tableOf(await planOf(matrixSummaryForm, ids.empty as number, '2026'))).toEqual(
      ['省西部计划工作群', '地市西部计划工作群', '县区西部计划志愿者团支部群', '县区研究生支教团联络群'].map(
        label => [label, ...Array(4).fill(null)],
      ),
    )
  })

  test('figures lead to what they are made of', async () => {
    const { cells } = await planOf(branchSummaryForm, ids.province as number, '2026')
    expect(cells.filter(cell => cell.behind).map(cell => cell.behind)).toEqual([
      `/console/roster?unit=${world.unitId('w1111:昭觉第一团支部')}`,
      `/console/roster?unit=${world.unitId('w1112:昭觉第二团支部')}`,
    ])
  })

  describe('opened again as XLSX', () => {
    const open = async (plan: SheetPlan): Promise<Worksheet> => {
      const workbook = new exceljs.Workbook()
      await workbook.xlsx.load(new Uint8Array(await writeWorkbook(plan)).buffer)
      return workbook.worksheets[0] as Worksheet
    }
    const printed = (sheet: Worksheet, line: number) => {
      const values: unknown[] = []
      for (let column = 1; column <= sheet.columnCount; column += 1) {
        const cell = sheet.getCell(line, column)
        if (cell.master === cell) values.push(cell.value)
      }
      return values
    }

    test('附件2 of xibu: its title, headings, merged cells and paper', async () => {
      const sheet = await open(await planOf(branchSummaryForm, ids.province as number, '2026'))
      expect(printed(sheet, 1)).toEqual(['附件2'])
      expect(printed(sheet, 2)).toEqual(['西部计划志愿者团支部建立情况信息汇总表'])
      expect(printed(sheet, 3)).toEqual(['四川省项目办', '填报时间：2026年9月7日', '填表人：', '联系方式：'])
      expect(printed(sheet, 4)).toEqual([
        '地市',
        '县区',
        '团支部名称',
        '人数',
        '团支部书记姓名及联系方式',
        '县项目办负责同志姓名及联系方式',
      ])
      expect(sheet.getCell('D5').value).toBe(1)
      // the city over its three rows, the county and who is in charge over its two
      expect(new Set(sheet.model.merges)).toEqual(
        new Set(['A1:F1', 'A2:F2', 'A3:B3', 'D3:E3', 'A5:A7', 'B5:B6', 'F5:F6', 'A8:F8', 'A9:F9', 'E10:F10']),
      )
      expect(printed(sheet, 8)).toEqual([
        '注：共 2 个县区、2 个团支部、2 人。人数为 2026年9月7日 名册上在岗并在服务期内的人，含研究生支教团成员。',
      ])
      expect(printed(sheet, 9)).toEqual(['还没有团支部的县区：布拖县。'])
      expect(sheet.getCell('E10').value).toBe('填表单位（盖章）：')
      expect(sheet.pageSetup).toMatchObject({
        paperSize: 9,
        orientation: 'landscape',
        fitToWidth: 1,
        fitToHeight: 0,
        printTitlesRow: '4:4',
      })
    })

    test('附件3 of xibu: two tables in one, the header of the long one on every page', async () => {
      const sheet = await open(await planOf(matrixSummaryForm, ids.province as number, '2026'))
      expect(printed(sheet, 4)).toEqual(['各省加入西部计划全国工作群同志信息'])
      expect(printed(sheet, 5)).toEqual(['姓名', '职务', '微信号', '联系电话'])
      expect(printed(sheet, 6)).toEqual(['吉克', '项目办负责同志', 'wx13899990000', '13899990000'])
      expect(printed(sheet, 7)).toEqual(['省、市、县三级微信群管理员信息汇总表'])
      expect(printed(sheet, 8)).toEqual(['　', '群名称', '人数', '群主姓名', '群主联系方式'])
      expect(printed(sheet, 9)).toEqual(['省西部计划工作群', '四川西部计划工作群', 1, '吉克', '13899990000'])
      expect(printed(sheet, 10)).toEqual(['地市西部计划工作群', null, null, null, null])
      expect(printed(sheet, 11)).toEqual([
        '县区西部计划志愿者团支部群',
        '昭觉一支部群',
        1,
        '阿牛',
        '13811114444',
      ])
      expect(printed(sheet, 12)).toEqual(['县区研究生支教团联络群', null, null, null, null])
      expect(sheet.pageSetup).toMatchObject({ orientation: 'landscape', printTitlesRow: '8:8' })
    })

    test('附件2 of shaoxiandui: three sums in words, then the groups of the province', async () => {
      await world.unit('shaoxiandui', 's:全国', 'national-office', 'national', null)
      await world.unit('shaoxiandui', 's1:贵州省', 'province-committee', 'province', 's:全国')
      await world.unit('shaoxiandui', 's11:遵义市', 'city-committee', 'city', 's1:贵州省')
      const head = await world.serves('部长', 's1:贵州省', 'youth-department-head')
      await world.group('s1:贵州省', 'city-department-heads', '贵州少年部长群', head, [
        await world.person('市部长'),
      ])
      await world.group('s11:遵义市', 'county-leaders', '县级少工委负责同志群', head, [])
      const sheet = await open(await planOf(constructionSummaryForm, world.unitId('s1:贵州省'), '2026'))
      expect(printed(sheet, 2)).toEqual(['微信群矩阵建设情况信息汇总表'])
      expect(printed(sheet, 3)).toEqual([
        '单位：贵州省少工委',
        '填报时间：2026年9月7日',
        '填表人：',
        '联系方式：',
      ])
      expect([4, 5, 6].flatMap(line => printed(sheet, line))).toEqual([
        '省级建群数：1个，联系人数2。',
        '地市级少工委建群数：合计1个，总计联系人数1。',
        '区县级少工委建群数：合计0个，总计联系人数0。',
      ])
      expect(printed(sheet, 7)).toEqual(['省级建群情况一览'])
      expect(printed(sheet, 8)).toEqual(['群名称', '人员构成', '人数', '备注'])
      expect(printed(sheet, 9)).toEqual([
        '贵州少年部长群',
        '少工委办公室同志、各地市级团委少年部（学少部）部长',
        2,
        '地市级团委少年部长群',
      ])
      expect(sheet.pageSetup).toMatchObject({ paperSize: 9, orientation: 'landscape' })
    })
  })
})
