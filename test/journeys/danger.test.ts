import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { climbDueCalls } from '../../server/domain/danger/settle.ts'
import { bindFirst, bindThrough, fillMatrix, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const MINUTE = 60_000

/** Help in danger: numbers at once, people who can help by every account, and upward while nobody answers. */
describe('a call for help', () => {
  let stage: Stage
  let nation: SimPerson
  let province: SimPerson
  let city: SimPerson
  let county: SimPerson
  let secretary: SimPerson
  let volunteer: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const heard = async (news: () => string[]) => {
    await stage.settle()
    return news().join('\n')
  }

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    nation = sim.addPerson({ name: '全国办', wecomUserId: 'guo' })
    province = sim.addPerson({ name: '陈省办', wecomUserId: 'chen' })
    city = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    county = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    secretary = sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
    volunteer = sim.addPerson({ name: '阿依古丽·买买提', wecomUserId: 'ayi' })
    await bindFirst(stage, nation, 'xibu', '000000')
    await bindThrough(stage, nation, province)
    await bindThrough(stage, province, city)
    await bindThrough(stage, city, county)
    await bindThrough(stage, county, secretary)
    await bindThrough(stage, secretary, volunteer)
  })
  afterEach(() => stage.close())

  test('is answered at once with the numbers, and the county hears of it; a word that somebody comes stops the climb', async () => {
    const news = newsFor(stage, county)
    const reply = await say(volunteer, '快来人，小李从房顶摔下来了，头上全是血，叫不醒')
    expect(reply).toContain('急救 120，报警 110')
    expect(reply).toContain('已马上告诉榆阳区赵县办')
    expect(await heard(news)).toContain('【可能有人有危险 1】阿依古丽·买买提（榆阳区第一团支部）')
    const back = newsFor(stage, volunteer)
    expect(await say(county, '到 1')).toContain('1 号记在您名下')
    expect(await heard(back)).toContain('赵县办看到了，正在处理')
    stage.clock.advance(40 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(0)
  })

  test('unanswered: the city after ten minutes, all above after thirty, each once', async () => {
    await say(volunteer, '有人落水了，快救命')
    const atCity = newsFor(stage, city)
    const above = [newsFor(stage, province), newsFor(stage, nation)]
    stage.clock.advance(9 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(0)
    stage.clock.advance(MINUTE + 1000)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    expect(await heard(atCity)).toContain('还没有人应答')
    expect(await heard(above[0] as () => string[])).toBe('')
    stage.clock.advance(20 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    for (const news of above) expect(await heard(news)).toContain('可能有人有危险 1')
    stage.clock.advance(60 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(0)
  })

  test('confirmed: all levels above hear of it without waiting', async () => {
    await say(volunteer, '宿舍着火了，还有人在里面')
    const above = [newsFor(stage, city), newsFor(stage, province), newsFor(stage, nation)]
    expect(await say(county, '属实 1')).toContain('已报告上面各级')
    for (const news of above) expect(await heard(news)).toContain('可能有人有危险 1')
    const later = newsFor(stage, nation)
    expect(await say(county, '平安 1')).toContain('已登记为平安')
    expect(await heard(later)).toBe('')
  })

  test('a false alarm is closed with a word and does not silence the next', async () => {
    await say(volunteer, '有人拿刀砍人了，快报警')
    expect(await say(county, '误报 1')).toContain('误报')
    expect(await say(county, '到 1')).toContain('已经结束')
    const news = newsFor(stage, county)
    expect(await say(volunteer, '是真的，他又来了，拿着刀在砸门')).toContain('第 2 号')
    expect(await heard(news)).toContain('可能有人有危险 2')
  })

  test('what the same person says next goes to the same people, as one call', async () => {
    await say(volunteer, '有人晕倒了，没有呼吸')
    const news = newsFor(stage, county)
    expect(await say(volunteer, '还在流血，救护车多久能到')).toContain('已转告刚才通知的同志')
    expect(await heard(news)).toContain('还在流血')
    expect(await rows(stage, 'select id from danger_calls')).toHaveLength(1)
  })

  test('a slip that tells of danger calls help as well, and goes on', async () => {
    const reply = await say(volunteer, '上报 突发 小李触电了，没有呼吸')
    expect(reply).toContain('急救 120')
    expect(reply).toContain('送出请回“确认”')
    expect(await say(volunteer, '确认')).toContain('已送到榆阳区')
    expect(await rows(stage, 'select id from danger_calls')).toHaveLength(1)
  })

  test('somebody nobody knows gets the numbers, and is told that nobody could be reached', async () => {
    const stranger = stage.sim.addPerson({ name: '路人', openId: 'o-passer' })
    const reply = await stage.say(stranger.id, '救命，我不想活了，我在楼顶')
    expect(reply).toContain('12356')
    expect(reply).toContain('没有能通知的人')
  })

  test('nobody who was not told has a word in it, and what is no danger calls nobody', async () => {
    await say(volunteer, '有人触电了，快来')
    expect(await say(secretary, '误报 1')).toContain('没有通知过您')
    await stage.settle()
    const news = newsFor(stage, county)
    for (const text of [
      '通知大家，明天上午消防演练，听到警报不要慌',
      '昨晚剧本杀一共死了三个，凶手居然是我',
      '补贴三个月没发了，真的要崩溃了',
    ])
      await say(volunteer, text)
    expect(await heard(news)).toBe('')
  })
})
