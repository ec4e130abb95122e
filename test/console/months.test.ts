import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertRecord } from '../../db/queries/records.ts'
import { runMonth } from '../../server/jobs/run-month.ts'
import { type Answer, signIn, type Visitor } from '../support/console.ts'
import { type FullMatrix, fillConsole } from '../support/full-matrix.ts'
import { rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const plain = ({ text }: Answer) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
/** The cells of each row of the table with this caption. */
const tableOf = ({ text }: Answer, caption: string) =>
  [
    ...(text.split(`<caption>${caption}</caption>`)[1]?.split('</table>')[0] ?? '').matchAll(
      /<tr[^>]*>(.*?)<\/tr>/gs,
    ),
  ]
    .slice(1)
    .map(([, row = '']) =>
      [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) =>
        cell.replace(/<[^>]+>/g, '').trim(),
      ),
    )

describe('the pages of a month', () => {
  let stage: Stage
  let matrix: FullMatrix
  let county: Visitor
  let city: Visitor
  let countyId: number
  let townshipId: number
  const month = '2026-09'
  const clockTo = (moment: string) => stage.clock.set(new Date(`2026-${moment}:00+08:00`))

  beforeAll(async () => {
    stage = await openStage()
    matrix = await fillConsole(stage)
    countyId = matrix.things.unitId as number
    const groupId = matrix.things.groupId as number
    const [group] = await rows<{ unit: number }>(
      stage,
      `select unit_id::int as unit from groups where id = ${groupId}`,
    )
    townshipId = group?.unit as number
    await rows(stage, "update units set created_at = '2026-08-01' where programme = 'qingnong'")
    await rows(stage, `update groups set created_at = '2026-08-01' where id = ${groupId}`)
    for (const [category, count] of [
      ['政策法规', 4],
      ['致富信息', 3],
    ] as const)
      await insertRecord(stage.rt.db, {
        groupId,
        unitId: townshipId,
        month,
        recordedOn: '2026-09-05',
        category,
        count,
        source: 'counted',
        decidedBy: 'person',
        createdAt: stage.clock.now(),
      })
    for (const moment of ['10-01T09:00', '10-03T09:00']) {
      clockTo(moment)
      await runMonth(stage.rt)
    }
    county = await signIn(stage, '林县书')
    city = await signIn(stage, '高市书')
  })
  afterAll(() => stage.close())

  test('who has signed is told by level, with the five rates, down to each unit', async () => {
    const answer = await city.get(`/console/months?month=${month}`)
    expect(tableOf(answer, '各级签报的五率')).toEqual([
      ['市级', '1', '0', '0', '0%', '0%'],
      ['县级', '2', '0', '0', '0%', '0%'],
      ['乡镇', '3', '0', '0', '0%', '0%'],
    ])
    expect(tableOf(answer, '还没有签报的单位').map(row => row.slice(0, 3))).toEqual([
      ['镇川镇 乡镇', '榆阳区', '10月5日'],
      ['麻黄梁镇 乡镇', '榆阳区', '10月5日'],
      ['贺圈镇 乡镇', '定边县', '10月5日'],
      ['榆阳区 县级', '榆林市', '10月7日'],
      ['定边县 县级', '榆林市', '10月7日'],
      ['榆林市 市级', '', '10月9日'],
    ])
    // the county sees its own line only
    expect(plain(await county.get(`/console/months?month=${month}`))).not.toContain('定边县')
  })

  test('the figures lead from the city down to the records', async () => {
    const top = await city.get(`/console/months?month=${month}`)
    const path = /href="(\/console\/months\/\d+\/2026-09)"/.exec(top.text)?.[1] as string
    const cityPage = await city.get(path)
    expect(tableOf(cityPage, '榆林市下面各单位的数').map(row => [row[0], row[7], row[8]])).toEqual([
      ['榆阳区', '4', '6'],
      ['定边县', '0', '0'],
      ['合计', '4', '6'],
    ])
    const countyPage = await city.get(`/console/months/${countyId}/${month}`)
    const records = /href="(\/console\/records\?[^"]*category=[^"]*)"[^>]*>4</.exec(
      countyPage.text,
    )?.[1] as string
    expect(plain(await city.get(records.replaceAll('&#38;', '&').replaceAll('&amp;', '&')))).toContain(
      '政策法规',
    )
  })

  test('a township says what no record holds, and what is wrong keeps what was typed', async () => {
    const path = `/console/months/${townshipId}/${month}`
    const wrong = await county.post(`${path}/facts`, { branches: '七', cadres: '21', youth: '210' })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('数字不对')
    expect(wrong.text).toContain('value="七"')
    const said = { branches: '7', cadres: '21', youth: '210', otherGroups: '2', membersHome_farming: '90' }
    expect((await county.post(`${path}/facts`, said)).status).toBe(303)
    const page = await county.get(path)
    expect(page.text).toContain('value="210"')
    expect(tableOf(page, '镇川镇下面各单位的数').at(-1)?.slice(0, 6)).toEqual([
      '合计',
      '7',
      '21',
      '210',
      '3',
      '90',
    ])
  })

  test('signed is signed; what changes afterwards is shown beside it', async () => {
    const path = `/console/months/${townshipId}/${month}`
    expect(plain(await county.get(path))).toContain('请在10月5日前签报')
    expect((await county.post(`${path}/sign`)).status).toBe(303)
    expect(plain(await county.get(path))).toContain('签报以后没有变动')
    await rows(
      stage,
      `update message_records set category = '其他' where category = '致富信息' and month = '${month}'`,
    )
    expect(plain(await county.get(path))).toContain('签报以后的变动：致富信息 -6、其他（微信） +6')
    const rates = tableOf(await city.get(`/console/months?month=${month}`), '各级签报的五率')
    expect(rates.at(-1)).toEqual(['乡镇', '3', '1', '1', '33.3%', '33.3%'])
  })

  test('after it is closed only a reason puts something right, and the sheet says so', async () => {
    clockTo('10-10T18:00')
    await runMonth(stage.rt)
    county = await signIn(stage, '林县书')
    const path = `/console/months/${townshipId}/${month}`
    const said = { branches: '8', cadres: '21', youth: '215', otherGroups: '2', membersHome_farming: '90' }
    const refused = await county.post(`${path}/facts`, said)
    expect(refused.status).toBe(422)
    expect(refused.text).toContain('更正要写明理由')
    expect(refused.text).toContain('value="215"')
    expect((await county.post(`${path}/facts`, { ...said, reason: '漏了一个支部' })).status).toBe(303)
    const page = await county.get(path)
    expect(tableOf(page, '关账后的更正')).toEqual([
      ['10月10日', '镇川镇', '团支部数 +1、团员青年数 +5', '漏了一个支部', '林县书'],
    ])
    expect(page.text).not.toContain('重新签报</button>')
    const sheet = plain(await county.get(`/console/forms/tracking-sheet/${countyId}/${month}`))
    expect(sheet).toContain('关账后更正 1 处：10月10日镇川镇 团支部数 +1、团员青年数 +5（漏了一个支部）')
    // who registered is no longer counted where the township says how many there are: the difference is that of the figures
    await rows(
      stage,
      `insert into registrations (person_id, unit_id, group_id, residence, occupation, registered_at)
       select p.id, u.id, (select min(id) from groups), 'home', 'membersHome.farming', '2026-09-02'
       from units u, (select id from persons order by id desc limit 2) p where u.name = '贺圈镇'`,
    )
    const [other] = await rows<{ id: number }>(stage, "select id::int from units where name = '贺圈镇'")
    const otherPath = `/console/months/${other?.id}/${month}`
    city = await signIn(stage, '高市书')
    const first = { branches: '3', cadres: '9', youth: '90', membersHome_farming: '5', reason: '漏报' }
    expect((await city.post(`${otherPath}/facts`, first)).status).toBe(303)
    expect(tableOf(await city.get(otherPath), '关账后的更正')[0]?.[2]).toBe(
      '团支部数 +3、团干部数 +9、团员青年数 +90、在乡务农 +3',
    )
    // what was signed stays
    const [signed] = await rows<{ youth: number }>(
      stage,
      `select (figures->>'youth')::int as youth from unit_months where unit_id = ${townshipId}`,
    )
    expect(signed?.youth).toBe(210)
  })

  test.each(['messages', 'frequency', 'coverage', 'activities'])(
    'the picture %s is drawn for page and chat',
    async kind => {
      const path = `/console/months/${countyId}/${month}/${kind}`
      const svg = await county.get(`${path}.svg`)
      expect(svg.headers.get('content-type')).toContain('image/svg+xml')
      expect(svg.text).toContain('榆阳区')
      // as templates/ has it, in every legend
      if (kind !== 'coverage') expect(svg.text).toMatch(/>其他</)
      expect(svg.text).not.toMatch(/其他信息|其他活动/)
      const png = await fetch(`${stage.serverUrl}${path}.png`, { headers: { cookie: county.cookie } })
      const bytes = Buffer.from(await png.arrayBuffer())
      expect(bytes.subarray(1, 4).toString()).toBe('PNG')
      // its letters are drawn: a picture without a font would be empty boxes and far smaller
      expect(bytes.length).toBeGreaterThan(4000)
      expect((await matrix.visitors.otherCounty.get(`${path}.png`)).status).toBe(303)
    },
  )
})
