import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { askForDutyReports } from '../../server/domain/duty-reports/ask.ts'
import { periodAt, roundOn } from '../../server/domain/duty-reports/rules.ts'
import { signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, newsFor } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const at = (text: string) => new Date(`${text}+08:00`)

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
    expect(offer).toContain('名册：在岗 3 人')
    expect(offer).toContain('上期没有报过')
    expect(await say(county, '确认')).toContain('已报送榆阳区2026年9—10月双月报告：在岗 3、离岗 0、请假 0')
    const reminded = newsFor(stage, county)
    until('2026-11-04T09:10')
    await askForDutyReports(stage.rt)
    expect(await heard(reminded)).toBe('')
    const named = newsFor(stage, city)
    until('2026-11-06T09:10')
    await askForDutyReports(stage.rt)
    expect(await heard(named)).toContain('这些县区还没有报：定边县')
    expect(await say(city, '双月报告')).toContain('已报 1/2 个县区：在岗 3')
  })

  test('four numbers replace the offer, an incident wants its story, a second report takes the place of the first', async () => {
    until('2026-11-02T10:00')
    await say(county, '双月报告')
    expect(await say(county, '3 1 1')).toContain('四个数')
    expect(await say(county, '3 1 1 1')).toContain('请写明时间、地点、经过')
    expect(await say(county, '10月9日返程途中车辆侧翻，一人轻伤，已出院')).toContain('重大安全事故 1 起')
    expect(await say(county, '双月报告')).toContain('已报：在岗 3、离岗 1、请假 1、重大安全事故 1 起')
    expect(await say(county, '3 1 0 0')).toContain('已更改')
    until('2027-01-02T10:00')
    expect(await say(county, '双月报告')).toContain('上期：在岗 3、离岗 1、请假 0、事故 0 起')
  })

  test('on a page: filled in by the county, sums and late ones for the city, exported', async () => {
    until('2026-11-02T10:00')
    const clerk = await signIn(stage, '赵县办')
    const form = (await clerk.get('/console/duty-reports')).text
    expect(form).toContain('名册上 3 人')
    const unit = /name="unit" value="(\d+)"/.exec(form)?.[1] as string
    const wrong = await clerk.post('/console/duty-reports', {
      unit,
      onDuty: '3',
      left: '0',
      onLeave: '4',
      incidents: '0',
      note: '都好',
    })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('比在岗的 3 人还多')
    expect(wrong.text).toContain('value="4"')
    await clerk.post('/console/duty-reports', {
      unit,
      onDuty: '3',
      left: '0',
      onLeave: '1',
      incidents: '0',
      note: '',
    })
    const officer = await signIn(stage, '刘市办')
    const sums = (await officer.get('/console/duty-reports')).text
    expect(sums).toContain('1/2')
    expect(sums).toContain('没有报')
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
