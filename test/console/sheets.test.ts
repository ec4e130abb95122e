import exceljs from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertActivity, insertRecord, upsertFacts } from '../../db/queries/records.ts'
import { unitByCode } from '../../db/queries/units.ts'
import { collectTrackingSheet } from '../../server/domain/reports/collect-tracking-sheet.ts'
import { TRACKING_FIGURES, totals } from '../../server/domain/reports/tracking-sheet.ts'
import type { Answer, Visitor } from '../support/console.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const plain = ({ text }: Answer) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

/** The rows below the header as they stand on the page. */
function tableOf({ text }: Answer): string[][] {
  const table = text.slice(text.indexOf('class="sheet')).split('</thead>')[1]?.split('</table>')[0] ?? ''
  return [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd]([^>]*)>(.*?)<\/t[hd]>/gs)].flatMap(([, attributes = '', cell = '']) => {
      const width = Number(/colspan="(\d+)"/.exec(attributes)?.[1] ?? 1)
      return Array(width).fill(cell.replace(/<[^>]+>/g, '')) as string[]
    }),
  )
}

describe('sheets', () => {
  let stage: Stage
  let matrix: FullMatrix
  let county: Visitor
  let unit: number
  const month = '2026-09'

  async function xlsx(visitor: Visitor, path: string) {
    const response = await fetch(`${stage.serverUrl}${path}`, { headers: { cookie: visitor.cookie } })
    const workbook = new exceljs.Workbook()
    await workbook.xlsx.load(await response.arrayBuffer())
    return { response, sheet: workbook.worksheets[0] as exceljs.Worksheet }
  }

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    county = matrix.visitors.county
    unit = matrix.things.unitId as number
    const { db } = stage.rt
    const [zhenchuan, mahuangliang] = await Promise.all(
      ['610802101', '610802102'].map(code => unitByCode(db, 'qingnong', code)),
    )
    const groupId = matrix.things.groupId as number
    const [direct] = await rows<{ id: number }>(
      stage,
      `insert into groups (programme, kind, unit_id, name, platform, capacity, size, created_at)
       values ('qingnong', 'county-youth', ${unit}, '县直青年', 'wechat', 500, 9, '2026-09-01'),
         ('qingnong', 'youth', ${mahuangliang?.id}, '麻黄梁青年', 'wechat', 500, 9, '2026-09-01') returning id::int`,
    )
    const record = (
      unitId: number,
      group: number,
      category: string,
      count: number,
      decidedBy: string,
      of = month,
    ) =>
      insertRecord(db, {
        groupId: group,
        unitId,
        month: of,
        recordedOn: `${of}-04`,
        category,
        count,
        source: 'counted',
        decidedBy,
        createdAt: stage.clock.now(),
      })
    await record(zhenchuan?.id as number, groupId, '政策法规', 4, 'machine')
    await record(mahuangliang?.id as number, (direct?.id as number) + 1, '其他', 2, 'person')
    // counts in the chart and not in the rows of the townships
    await record(unit, direct?.id as number, '新闻娱乐', 50, 'person')
    await record(zhenchuan?.id as number, groupId, '便民服务', 6, 'person', '2026-08')
    await insertActivity(db, {
      unitId: mahuangliang?.id as number,
      kind: 'activities.cultureSports',
      heldOn: '2026-09-02',
      month,
      createdAt: stage.clock.now(),
    })
    await upsertFacts(db, {
      unitId: mahuangliang?.id as number,
      month: '2026-08',
      branches: 7,
      cadres: 21,
      youth: 210,
      createdAt: stage.clock.now(),
    })
    await rows(
      stage,
      `insert into registrations (person_id, unit_id, group_id, residence, occupation, registered_at)
       select id, ${zhenchuan?.id}, ${groupId}, 'home', case when id % 2 = 0 then 'membersHome.farming' else 'membersAway.schooling' end, '2026-09-02' from persons order by id limit 5`,
    )
  })
  afterAll(() => stage.close())

  test('the page, the XLSX and the count are one and the same, cell by cell', async () => {
    const counted = await collectTrackingSheet(
      stage.rt,
      (await unitByCode(stage.rt.db, 'qingnong', '610802')) as NonNullable<
        Awaited<ReturnType<typeof unitByCode>>
      >,
      month,
      { name: '林县书', contact: '' },
    )
    const page = await county.get(`/console/forms/tracking-sheet/${unit}/${month}`)
    const table = tableOf(page)
    const { response, sheet } = await xlsx(county, `/console/forms/tracking-sheet/${unit}/${month}/xlsx`)
    expect(response.headers.get('content-disposition')).toContain(
      encodeURIComponent('跟踪摸底表-榆阳区-2026-09.xlsx'),
    )
    const { sum, allGroups } = totals(counted)
    const expected = [
      ...counted.rows.map(row => [
        row.township,
        ...TRACKING_FIGURES.map(figure => String(row.figures[figure])),
      ]),
      ['合计', ...TRACKING_FIGURES.map(figure => String(sum[figure]))],
    ]
    expect(table.slice(0, 3)).toEqual(expected)
    const blank = Array(19).fill('') as string[]
    const line = (name: string, value: string) => [name, name, name, name, value, ...blank]
    expect(table.slice(3)).toEqual([
      line('县级直属微信群数量', '1'),
      line('市级直属微信群数量', ''),
      line('总计', String(allGroups)),
    ])
    table.forEach((row, index) => {
      const printed = row.map((_, column) => String(sheet.getCell(7 + index, column + 1).value ?? ''))
      expect(printed).toEqual(row)
    })
    // and by hand, a few
    expect(table[0]).toEqual([...'镇川镇 12 36 480 1 2 0 0 0 0 0 3 0 0 4 3 0 0 0 0 1 0 0 0'.split(' ')])
    expect(table[1]).toEqual([...'麻黄梁镇 7 21 210 1 0 0 0 0 0 0 0 0 0 0 0 0 0 2 0 0 1 0 0'.split(' ')])
    expect(plain(page)).toContain('机器归类 4 条，人工归类 5 条')
    expect(plain(page)).toMatch(/填报时间：2026年9月7日 填表人：林县书/)
    expect(page.text).not.toMatch(/1390000\d{4}/)
  })

  test('the header is merged as it is printed', async () => {
    const { text } = await county.get(`/console/forms/tracking-sheet/${unit}/${month}`)
    const header = text.split('<thead>')[1]?.split('</thead>')[0] ?? ''
    const cells = [...header.matchAll(/<th scope="[a-z]+"([^>]*)>([^<]+)<\/th>/g)].map(each => [
      each[2],
      each[1]?.trim(),
    ])
    expect(cells).toContainEqual(['乡镇名称', 'rowspan="3"'])
    expect(cells).toContainEqual(['微信群内成员数(人)', 'colspan="9"'])
    expect(cells).toContainEqual(['外出', 'colspan="4"'])
    expect(cells).toContainEqual(['政策法规', 'rowspan="2"'])
    expect(cells).toContainEqual(['务农', ''])
    expect(cells).toHaveLength(29)
  })

  test('each figure that can be clicked leads to exactly what it counts; zeros lead nowhere', async () => {
    const { text } = await county.get(`/console/forms/tracking-sheet/${unit}/${month}`)
    const links = [...text.matchAll(/<td><a href="([^"]+)">(\d+)<\/a>/g)].map(
      ([, path = '', figure]) => [path.replaceAll('&#38;', '&'), Number(figure)] as const,
    )
    expect(links.some(([, figure]) => figure === 0)).toBe(false)
    for (const [path, figure] of links) {
      const page = plain(await county.get(path))
      if (path.includes('category=')) expect(page).toContain(` ${figure} 条消息`)
      else if (path.includes('activity=')) expect(page).toContain(`线下活动（${figure}）`)
      else expect(page).toMatch(/镇（含下级），2026年9月末仍在用的，共 1 个/)
    }
    // 2 of groups, 2 of members, 3 of messages, 2 of activities
    expect(links).toHaveLength(9)
    expect(links.filter(([path]) => path.includes('category='))).toHaveLength(3)
  })

  test('taking the file away is noted; looking is not', async () => {
    const noted = () =>
      rows<{ details: unknown }>(
        stage,
        `select p.name, a.subject_kind, a.subject_id::int, a.details->>'month' as month from audit_log a
         join persons p on p.id = a.actor_id where action = 'sheet.exported' order by a.id`,
      )
    const before = (await noted()).length
    await county.get(`/console/forms/tracking-sheet/${unit}/2026-08`)
    expect(await noted()).toHaveLength(before)
    await xlsx(county, `/console/forms/tracking-sheet/${unit}/2026-08/xlsx`)
    expect((await noted()).at(-1)).toEqual({
      name: '林县书',
      subject_kind: 'unit',
      subject_id: unit,
      month: '2026-08',
    })
    expect(await noted()).toHaveLength(before + 1)
  })

  test('the chart is a picture with the months in words', async () => {
    const answer = await county.get(`/console/sheets/${unit}/chart.svg`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8')
    expect(answer.text).toMatch(/^<svg [\s\S]*<\/svg>$/)
    for (const word of ['政策法规', '便民服务', '2026年4月', '9月']) expect(answer.text).toContain(word)
    const { text } = await county.get(`/console/forms/tracking-sheet/${unit}/${month}`)
    expect(/alt="([^"]+)"/.exec(text)?.[1]).toMatch(/2026年7月 0 条，2026年8月 6 条，2026年9月 59 条/)
  })

  test('the list has one’s counties; addresses that people have kept lead to where things are now', async () => {
    const city = plain(await matrix.visitors.city.get(`/console/forms?form=tracking-sheet&period=${month}`))
    expect(city).toMatch(/榆阳区 榆林市 还没有报 59 3 看表/)
    expect(city).toMatch(/定边县 榆林市 还没有报 0 0/)
    // the sheet of a month is asked of nobody who came after it
    const early = plain(await county.get('/console/forms?form=tracking-sheet'))
    expect(early).toMatch(/2026年8月.* 0 应报 /)
    expect(early).not.toContain('榆阳区 榆林市')
    await rows(stage, "update units set created_at = '2026-08-01' where programme = 'qingnong'")
    const own = plain(await county.get('/console/forms?form=tracking-sheet'))
    expect(own).toMatch(/2026年8月的跟踪摸底表.* 榆阳区 榆林市 还没有报 6 1/)
    expect(own).not.toContain('定边县')
    expect(plain(await matrix.visitors.owner.get('/console/forms?form=tracking-sheet'))).toContain(
      '您名下没有这样的单位',
    )
    expect(plain(await matrix.visitors.branch.get('/console/forms?form=tracking-sheet'))).toContain(
      '是农村共青团的报表',
    )
    const { member, otherCounty } = matrix.visitors
    expect((await member.get('/console/forms')).status).toBe(404)
    const moved = async (path: string) => (await county.get(path)).location
    expect(await moved('/console/sheets?month=2026-09')).toBe(
      '/console/forms?form=tracking-sheet&period=2026-09',
    )
    expect(await moved(`/console/sheets/${unit}/2026-09`)).toBe(
      `/console/forms/tracking-sheet/${unit}/2026-09`,
    )
    expect(await moved(`/console/sheets/${unit}/2026-09/xlsx`)).toBe(
      `/console/forms/tracking-sheet/${unit}/2026-09/xlsx`,
    )
    expect((await otherCounty.get(`/console/sheets/${unit}/2026-09`)).status).toBe(404)
  })

  test('what has no sheet says so; what is not one’s own is not there', async () => {
    const said = async (visitor: Visitor, path: string) => plain(await visitor.get(path))
    const { city, owner, branch, otherCounty } = matrix.visitors
    const id = async (programme: string, code: string) => (await unitByCode(stage.rt.db, programme, code))?.id
    const top = await id('qingnong', '610800')
    const township = await id('qingnong', '610802101')
    expect(await said(city, `/console/forms/tracking-sheet/${top}/${month}`)).toContain('由县区团委填报')
    expect(await said(owner, `/console/forms/tracking-sheet/${township}/${month}/xlsx`)).toContain(
      '由县区团委填报',
    )
    const [branchUnit] = await rows<{ id: number }>(
      stage,
      "select id::int from units where name = '榆阳区第一团支部'",
    )
    expect(await said(branch, `/console/forms/tracking-sheet/${branchUnit?.id}/${month}`)).toContain(
      '西部计划',
    )
    expect((await branch.get(`/console/sheets/${branchUnit?.id}/chart.svg`)).status).toBe(404)
    expect(await said(county, `/console/forms/tracking-sheet/${unit}/2026-10`)).toContain(
      '2026年10月还没有到',
    )
    expect(await said(county, `/console/forms/tracking-sheet/${unit}/2026-10/xlsx`)).toContain('还没有到')
    for (const bad of ['2026-13', '2026-9', '202609', 'x', '2026-09%27'])
      expect((await county.get(`/console/forms/tracking-sheet/${unit}/${bad}`)).status).toBe(404)
    for (const visitor of [otherCounty, owner, branch])
      for (const path of [
        `forms/tracking-sheet/${unit}/${month}`,
        `forms/tracking-sheet/${unit}/${month}/xlsx`,
        `sheets/${unit}/chart.svg`,
      ])
        expect((await visitor.get(`/console/${path}`)).status).toBe(404)
  })
})
