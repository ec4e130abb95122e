import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { shanghaiMoment } from '../../server/clock.ts'
import { askForDutyReports } from '../../server/domain/duty-reports/ask.ts'
import { offerFor } from '../../server/domain/duty-reports/report.ts'
import { periodAt, roundOn } from '../../server/domain/duty-reports/rules.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import { signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, importCsv, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const at = (text: string) => new Date(`${text}+08:00`)

/** The fields of the report's form as they stand. */
const fieldsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/<input[^>]* name="(\w+)"[^>]*? value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )

describe('the period that is to be reported', () => {
  test.each([
    ['2026-11-01T00:00', '2026-10', '2026-11-05', '2026-09-01', '2026-10-31', 'ask'],
    ['2026-10-31T23:59', '2026-08', '2026-09-05', '2026-07-01', '2026-08-31', null],
    ['2026-12-31T12:00', '2026-10', '2026-11-05', '2026-09-01', '2026-10-31', null],
    ['2027-01-04T09:00', '2026-12', '2027-01-05', '2026-11-01', '2026-12-31', 'remind'],
    ['2028-03-06T09:00', '2028-02', '2028-03-05', '2028-01-01', '2028-02-29', 'late'],
  ])('at %s', (now, period, dueOn, firstDay, lastDay, round) => {
    expect(periodAt(at(now))).toEqual({ period, dueOn, firstDay, lastDay })
    expect(roundOn(at(now))).toBe(round)
  })
})

describe("the roster's figures", () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await openStage()
  })
  afterEach(() => stage.close())

  /** What a file says of one volunteer: branch, first and last day, status; null: they are no longer in it. */
  type Said = [branch: number, from: string, to: string, status: string] | null
  const from = '2025-09-01'
  const serving: Said = [1, from, '2027-08-31', '在岗']
  const cases: [what: string, files: [at: string, said: Said | Said[]][], autumn: string, winter: string][] =
    [
      ['serves on', [['2026-07-05', serving]], '2 0', '2 0'],
      [
        'serves to the last day of the period',
        [['2026-07-05', [1, from, '2026-10-31', '在岗']]],
        '2 0',
        '1 1',
      ],
      ['served to the day before it', [['2026-07-05', [1, from, '2026-08-31', '在岗']]], '1 1', '1 0'],
      ['ends in its middle', [['2026-07-05', [1, from, '2026-10-15', '在岗']]], '1 1', '1 0'],
      [
        'leaves early, the last day unchanged',
        [
          ['2026-07-05', serving],
          ['2026-10-10', [1, from, '2027-08-31', '离岗']],
        ],
        '1 1',
        '1 0',
      ],
      [
        'leaves half an hour before the period ends in Shanghai',
        [
          ['2026-07-05', serving],
          ['2026-10-31T23:30', null],
        ],
        '1 1',
        '1 0',
      ],
      [
        'leaves half an hour after it',
        [
          ['2026-07-05', serving],
          ['2026-11-01T00:30', null],
        ],
        '2 0',
        '1 1',
      ],
      [
        'ended before, dropped from the file now',
        [
          ['2026-07-05', [1, from, '2026-07-31', '在岗']],
          ['2026-10-10', null],
        ],
        '1 0',
        '1 0',
      ],
      [
        'had left before, dropped now',
        [
          ['2026-07-05', [1, from, '2027-08-31', '离岗']],
          ['2026-10-10', null],
        ],
        '1 0',
        '1 0',
      ],
      [
        'never came',
        [
          ['2026-07-05', [1, '2026-10-20', '2027-08-31', '在岗']],
          ['2026-10-10', null],
        ],
        '1 0',
        '1 0',
      ],
      [
        'moves to another branch',
        [
          ['2026-07-05', serving],
          ['2026-10-10', [2, from, '2027-08-31', '在岗']],
        ],
        '2 0',
        '2 0',
      ],
      [
        'stays a year longer',
        [
          ['2026-07-05', [1, from, '2026-10-15', '在岗']],
          ['2026-10-10', serving],
        ],
        '2 0',
        '2 0',
      ],
      [
        'has two terms',
        [
          [
            '2026-07-05',
            [
              [1, from, '2026-09-30', '在岗'],
              [1, '2026-10-01', '2027-08-31', '在岗'],
            ],
          ],
        ],
        '2 0',
        '2 0',
      ],
      [
        'is dropped by mistake and put back',
        [
          ['2026-07-05', serving],
          ['2026-09-20', null],
          ['2026-10-05', serving],
        ],
        '2 0',
        '2 0',
      ],
      [
        'leaves, comes back, leaves: one person',
        [
          ['2026-07-05', serving],
          ['2026-09-10', null],
          ['2026-10-01', serving],
          ['2026-10-20', null],
        ],
        '1 1',
        '1 0',
      ],
    ]
  const numerals = '零壹贰叁肆伍陆柒捌玖'
  const named = (index: number) => [...String(10 + index)].map(digit => numerals[Number(digit)]).join('')
  const county = (index: number) => `${named(index)}县`
  const line = (index: number, who: string, at: number, [branch, first, last, status]: NonNullable<Said>) =>
    `${county(index)},${county(index)}第${branch}团支部,${who}${named(index)},1380000${String(1000 + index * 2 + at)},全国项目,${first},${last},${status}\n`
  const head = '区县,团支部,姓名,手机号,人员类别,服务开始日期,服务结束日期,状态\n'

  test('by what files said and when: each who leaves in one period, and once', async () => {
    await importUnits(stage.rt, 'xibu', [
      { code: '000000', name: '全国', kind: 'national-office', parentCode: null },
      { code: '610000', name: '陕西省', kind: 'province-office', parentCode: '000000' },
      { code: '610800', name: '榆林市', kind: 'city-office', parentCode: '610000' },
      ...[...cases, null, null].map((_, index) => ({
        code: String(610801 + index),
        name: county(index),
        kind: 'county-office',
        parentCode: '610800',
      })),
    ])
    const moments = [...new Set(cases.flatMap(([, files]) => files.map(([when]) => when)))].sort()
    for (const when of moments) {
      stage.clock.set(when.includes('T') ? at(when) : shanghaiMoment(when, '12:00'))
      const lines = cases.flatMap(([, files], index) =>
        files
          .filter(([day]) => day === when)
          .flatMap(([, said]) => {
            const all = said === null ? [] : Array.isArray(said[0]) ? (said as Said[]) : [said as Said]
            return [
              line(index, '常', 0, serving),
              ...all.map(each => line(index, '志', 1, each as NonNullable<Said>)),
            ]
          }),
      )
      expect(await importCsv(stage, 'xibu', head + lines.join(''))).toMatchObject({ isApplied: true })
    }
    // the county after the last case: somebody comes from there to the one after it
    const giver = cases.length
    const move = async (day: string, ...lines: string[]) => {
      stage.clock.set(shanghaiMoment(day, '12:00'))
      expect(await importCsv(stage, 'xibu', head + lines.join(''))).toMatchObject({ isApplied: true })
    }
    const moving = line(giver, '志', 1, serving)
    await move('2026-07-05', line(giver, '常', 0, serving), moving)
    await move(
      '2026-10-12',
      line(giver, '常', 0, serving),
      moving.replaceAll(`${county(giver)}`, county(giver + 1)),
    )

    const figuresAt = async (now: string) => {
      stage.clock.set(at(now))
      const units = await rows<{ id: string; name: string; path: string }>(
        stage,
        "select id, name, path from units where level = 'county' order by code",
      )
      return Promise.all(
        units.map(async unit => {
          const { roster } = await offerFor(stage.rt, { id: Number(unit.id), path: unit.path })
          return roster && `${roster.onDuty} ${roster.left}`
        }),
      )
    }
    const [autumn, winter] = [await figuresAt('2026-11-02T10:00'), await figuresAt('2027-01-02T10:00')]
    const found = cases.map(([what], index) => [what, autumn[index], winter[index]])
    expect(found).toEqual(cases.map(([what, , ...expected]) => [what, ...expected]))
    expect(autumn.slice(giver)).toEqual(['1 1', '1 0'])
    expect(winter.slice(giver)).toEqual(['1 0', '1 0'])
  }, 60_000)
})

/** 双月报告 (〔2020〕3号 三.7): asked of the counties, offered what is known, added up, the late ones named. */
describe('the two-monthly report', () => {
  let stage: Stage
  let city: SimPerson
  let county: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const until = (text: string) => stage.clock.advance(at(text).getTime() - stage.clock.now().getTime())
  const heard = async (news: () => string[]) => {
    await stage.settle()
    return news().join('\n')
  }

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    city = stage.sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    county = stage.sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    await bindFirst(stage, city, 'xibu', '610800')
    await bindThrough(stage, city, county)
  })
  afterEach(() => stage.close())

  test('asked once, answered with one word from the roster, added up for the city, the late county named', async () => {
    until('2026-11-01T09:10')
    const asked = newsFor(stage, county)
    expect(await askForDutyReports(stage.rt)).toBeGreaterThan(0)
    expect(await askForDutyReports(stage.rt)).toBe(0)
    expect(await heard(asked)).toContain('请报送榆阳区2026年9—10月志愿者在岗情况')
    const offer = await say(county, '双月报告')
    expect(offer).toContain('按名册算：10月31日在岗 3 人，这两个月离岗 0 人')
    expect(offer).toContain('上一期没有报过')
    expect(await say(county, '确认')).toContain(
      '已报送榆阳区2026年9—10月双月报告：在岗 3 人、离岗 0 人、请假 0 人',
    )
    const reminded = newsFor(stage, county)
    until('2026-11-04T09:10')
    await askForDutyReports(stage.rt)
    expect(await heard(reminded)).toBe('')
    const named = newsFor(stage, city)
    until('2026-11-06T09:10')
    await askForDutyReports(stage.rt)
    expect(await heard(named)).toContain('这些县区还没有报：定边县')
    expect(await say(city, '双月报告')).toContain('已报 1/2 个县区：在岗 3 人')
  })

  test('an incident wants its story, which reaches every level above at once, and again only when it changes', async () => {
    until('2026-11-02T10:00')
    const news = newsFor(stage, city)
    const told = async () =>
      (
        await rows<{ count: number }>(
          stage,
          "select count(*)::int from outgoing_messages where purpose = 'escalation'",
        )
      )[0]?.count
    await say(county, '双月报告')
    expect(await say(county, '3 1 1')).toContain('四个数')
    expect(await say(county, '3 1 1 1')).toContain('请写明时间、地点、经过')
    const story = '10月9日返程途中车辆侧翻，一人轻伤，已出院'
    expect(await say(county, story)).toContain('重大安全事故 1 起。已经发给各级上级 3 位同志，请同时打电话')
    expect(await heard(news)).toContain(`榆阳区11月2日 10:00在2026年9—10月双月报告里报告 1 起：\n${story}`)
    expect(await told()).toBe(3)
    expect(await say(city, '双月报告')).toContain(`事故：榆阳区 1 起：${story}`)
    const officer = await signIn(stage, '刘市办')
    expect((await officer.get('/console/duty-reports')).text).toContain(story)

    // one careless word does not take it back, and the same again tells nobody
    expect(await say(county, '双月报告')).toContain(
      '已经报过：在岗 3 人、离岗 1 人、请假 1 人、重大安全事故 1 起',
    )
    expect(await say(county, '确认')).toContain('一个“确认”改不了')
    await say(county, '3 1 1 1')
    await say(county, story)
    expect(await told()).toBe(3)
    await say(county, '双月报告')
    expect(await say(county, '3 1 0 0')).toContain('已更改')
    expect(await heard(news)).toContain('把 1 起改成了 0 起')
    expect(await told()).toBe(6)
    until('2027-01-02T10:00')
    expect(await say(county, '双月报告')).toContain('上一期报的：在岗 3 人、离岗 1 人、请假 0 人、事故 0 起')
  })

  test('a period that ends in the middle of a dialogue or before a page is sent is said, and shown anew', async () => {
    until('2026-10-31T23:50')
    await say(county, '双月报告')
    const clerk = await signIn(stage, '赵县办')
    const fields = fieldsOf((await clerk.get('/console/duty-reports')).text)
    until('2026-11-01T00:10')
    const again = await say(county, '确认')
    expect(again).toContain('新的一期')
    expect(again).toContain('榆阳区2026年9—10月双月报告')
    const sent = await clerk.post('/console/duty-reports', fields)
    expect(sent.status).toBe(422)
    expect(sent.text).toContain('现在报的是2026年9—10月')
    expect(fieldsOf(sent.text)).toMatchObject({ period: '2026-10', onDuty: '3' })
    expect(await rows(stage, 'select from duty_reports')).toHaveLength(0)
    expect(await say(county, '确认')).toContain('已报送榆阳区2026年9—10月')
  })

  test('counties without officers: one message with the list to whoever answers from above, who reports for them', async () => {
    await importUnits(stage.rt, 'xibu', [
      { code: '610824', name: '靖边县', kind: 'county-office', parentCode: '610800' },
    ])
    until('2026-11-01T09:10')
    const asked = newsFor(stage, city)
    await askForDutyReports(stage.rt)
    await stage.settle()
    const news = asked()
    expect(news).toHaveLength(1)
    expect(news[0]).toContain('请报送 2 个县区2026年9—10月')
    expect(news[0]).toMatch(/(靖边县、定边县|定边县、靖边县)。县里还没有能报的同志，所以请您代报/)
    expect(await say(city, '双月报告 镇川')).toContain('没有“镇川”')
    expect(await say(city, '双月报告 边县')).toContain('有几个')
    // without branches the roster says nothing, and one word is not enough
    expect(await say(city, '双月报告 靖边县')).toContain('算不出人数')
    expect(await say(city, '确认')).toContain('请写四个数')
    expect(await say(city, '双月报告 定边')).toContain('定边县2026年9—10月双月报告')
    expect(await say(city, '确认')).toContain('已报送定边县')

    const officer = await signIn(stage, '刘市办')
    const sums = (await officer.get('/console/duty-reports')).text
    // the last of them is the county that nobody of its own has a say in
    const link = [...sums.matchAll(/<a href="([^"]*)">代报/g)].at(-1)?.[1] as string
    const form = (await officer.get(link.replaceAll('&amp;', '&'))).text
    expect(form).toContain('您在替')
    const done = await officer.post('/console/duty-reports', { ...fieldsOf(form), onDuty: '0', left: '0' })
    expect(done.status).toBe(303)
    const clerk = await signIn(stage, '赵县办')
    expect((await clerk.get(link.replaceAll('&amp;', '&'))).status).toBe(404)
  })

  test('who has two counties says which', async () => {
    const head = '省份,地市,区县,姓名,手机号,角色,状态\n'
    await importCsv(stage, 'xibu', `${head}陕西省,榆林市,定边县,赵县办,13800000004,项目办负责同志,在岗\n`)
    until('2026-11-02T10:00')
    const which = await say(county, '双月报告')
    expect(which).toContain('您管 2 个单位，请说报哪一个')
    expect(which).toContain('定边县')
    expect(await say(county, '双月报告 定边县')).toContain('定边县2026年9—10月')
    expect(await say(county, '确认')).toContain('已报送定边县')
    expect(await say(county, '双月报告')).toContain('定边县　已报')
    const clerk = await signIn(stage, '赵县办')
    const list = (await clerk.get('/console/duty-reports')).text
    const links = [...list.matchAll(/duty-reports\?unit=(\d+)/g)].map(([, id]) => id)
    expect(links).toHaveLength(2)
    expect((await clerk.get(`/console/duty-reports?unit=${links[0]}`)).text).toContain('name="onDuty"')
  })

  test('on a page: filled in by the county, sums and late ones for the city, exported', async () => {
    until('2026-11-02T10:00')
    const clerk = await signIn(stage, '赵县办')
    const form = (await clerk.get('/console/duty-reports')).text
    expect(form).toContain('名册上 3 人')
    const { unit = '', period = '' } = fieldsOf(form)
    const wrong = await clerk.post('/console/duty-reports', {
      unit,
      period,
      onDuty: '3',
      left: '0',
      onLeave: '4',
      incidents: '0',
      note: '都好',
    })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('比在岗的 3 人还多')
    expect(wrong.text).toContain('value="4"')
    // pressed three times
    const right = { unit, period, onDuty: '3', left: '0', onLeave: '1', incidents: '0', note: '一人病假' }
    const answers = await Promise.all([1, 2, 3].map(() => clerk.post('/console/duty-reports', right)))
    expect(answers.map(answer => answer.status)).toEqual([303, 303, 303])
    expect(await rows(stage, 'select from duty_reports')).toHaveLength(1)
    // a period that is over shows what was reported and no form
    const past = (await clerk.get('/console/duty-reports?period=2026-08')).text
    expect(past).toContain('2026年7—8月')
    expect(past).toContain('没有报')
    expect(past).not.toContain('name="onDuty"')
    const officer = await signIn(stage, '刘市办')
    const sums = (await officer.get('/console/duty-reports')).text
    expect(sums).toContain('1/2')
    expect(sums).toContain('没有报')
    expect(sums).toContain('一人病假')
    expect((await officer.get('/console/duty-reports.xlsx')).status).toBe(200)
    // another unit's report cannot be written
    const foreign = await officer.post('/console/duty-reports', {
      unit: '1',
      onDuty: '1',
      left: '0',
      onLeave: '0',
      incidents: '0',
    })
    expect(foreign.status).toBe(422)
  })
})
