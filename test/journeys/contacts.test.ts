import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { askingDay } from '../../server/domain/contacts/ask.ts'
import { isVisitDay } from '../../server/domain/contacts/visit.ts'
import { askPeople } from '../../server/jobs/ask-people.ts'
import { personId, signIn } from '../support/console.ts'
import {
  bindFirst,
  bindThrough,
  fillMatrix,
  groupNumber,
  importCsv,
  newsFor,
  rows,
} from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const head = '省份,地市,区县,团支部,姓名,手机号,角色,职务,状态\n'
const boss = '陕西省,榆林市,,,刘市办,13800000003,项目办负责同志,主任,在岗\n'
const qianRow = '陕西省,榆林市,,,钱市办,13800000051,项目办工作人员,科员,在岗\n'

describe('1+100: each officer keeps contact with a branch', () => {
  let stage: Stage
  let liu: SimPerson
  let qian: SimPerson
  let zhou: SimPerson
  let group: number
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const contacts = () =>
    rows(
      stage,
      `select p.name, u.name as branch, c.since_on::text, c.until_on::text, c.ended_by from contacts c
       join persons p on p.id = c.person_id join units u on u.id = c.unit_id order by c.id`,
    )
  const tasks = () => rows(stage, 'select kind, why, source from tasks where closed_at is null order by id')

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    await importCsv(stage, 'xibu', head + boss + qianRow)
    const { sim } = stage
    liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    qian = sim.addPerson({ name: '钱市办', wecomUserId: 'qian' })
    const zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
    await bindFirst(stage, liu, 'xibu', '610800')
    await bindFirst(stage, qian, 'xibu', '610800')
    await bindThrough(stage, liu, zhao)
    await bindThrough(stage, zhao, zhou)
    group = groupNumber(await say(zhou, '建群 团支部群 微信群 3人 榆阳一支部群 入群码 https://example.cn/g'))
    await stage.settle()
  })
  afterEach(() => stage.close())

  test('chosen in the chat from those that nobody keeps contact with, and told the way into the group', async () => {
    const news = newsFor(stage, qian)
    const offer = await say(qian, '联系点')
    expect(offer).toContain('您还没有联系点')
    expect(offer).toContain('榆阳区第一团支部（榆阳区）')
    expect(offer).toContain('定边县第一团支部（定边县）')
    expect(await say(qian, '联系点 榆阳区第一团支部')).toContain('您从今天起长期联系榆阳区第一团支部')
    expect(await say(qian, '联系点 榆阳区第一团支部')).toContain('已经联系着它')
    await stage.settle()
    expect(news().join()).toContain('请加入“榆阳一支部群”')
    expect(news()).toEqual([])
    // the next officer is offered the other branch first
    expect(await say(liu, '联系点')).toMatch(/· 定边县第一团支部（定边县）\n· 榆阳区第一团支部/)
    expect(await contacts()).toEqual([
      { name: '钱市办', branch: '榆阳区第一团支部', since_on: '2026-09-07', until_on: null, ended_by: null },
    ])
  })

  test('who has no account is invited by the owner, with the reason', async () => {
    await importCsv(
      stage,
      'xibu',
      `${head + boss + qianRow}陕西省,榆林市,,,冯市办,13800000052,项目办工作人员,科员,在岗\n`,
    )
    const office = await signIn(stage, '刘市办')
    const [unit] = await rows<{ id: string }>(stage, `select id from units where name = '榆阳区第一团支部'`)
    const [city] = await rows<{ id: string }>(
      stage,
      `select id from units where code = '610800' and programme = 'xibu'`,
    )
    const answer = await office.post('/console/contacts', {
      office: String(city?.id),
      person: String(await personId(stage, '冯市办')),
      branch: String(unit?.id),
    })
    expect(answer.location).toBe(`/console/contacts?unit=${city?.id}`)
    expect(await tasks()).toEqual([
      {
        kind: 'contact_absent',
        why: '冯市办：长期联系本支部（1+100），请拉入群',
        source: '全国项目办发〔2018〕1号 三.4',
      },
    ])
  })

  test.each([
    ['走访 昨天 镇川镇', '已登记：2026-09-06 走访榆阳区第一团支部，镇川镇'],
    ['走访 榆阳 8月31日 镇川镇政府', '已登记：2026-08-31 走访榆阳区第一团支部，镇川镇政府'],
    ['走访 12月1日 镇川', '已登记：2025-12-01 走访榆阳区第一团支部，镇川'],
    ['走访 2026-09-08 镇川', '哪天去的'],
    ['走访', '哪天去的'],
  ])('%s', async (text, words) => {
    await say(qian, '联系点 榆阳区第一团支部')
    expect(await say(qian, text)).toContain(words)
  })

  test('asked step by step, and a day counts once', async () => {
    expect(await say(qian, '走访 今天 镇川')).toContain('您还没有联系的团支部')
    await say(qian, '联系点 榆阳区第一团支部')
    await say(qian, '联系点 定边县第一团支部')
    expect(await say(qian, '走访')).toContain('1 榆阳区第一团支部、2 定边县第一团支部')
    expect(await say(qian, '2')).toContain('哪天去的')
    expect(await say(qian, '明天')).toContain('请回复走访的日期')
    expect(await say(qian, '今天')).toContain('到了哪里')
    expect(await say(qian, '无')).toContain('已登记：2026-09-07 走访定边县第一团支部')
    expect(await say(qian, '走访 定边县第一团支部 今天 定边')).toContain('已经登记过了')
    expect(await rows(stage, 'select place from contact_visits')).toEqual([{ place: null }])
  })

  test('a contact ends with the office, comes back with a short break, and leaves the group', async () => {
    await say(qian, '联系点 榆阳区第一团支部')
    await rows(
      stage,
      `insert into group_members (group_id, person_id, known_by, joined_at) select ${group}, id, 'join_request', now() from persons where name = '钱市办'`,
    )
    await importCsv(stage, 'xibu', head + boss)
    expect(await contacts()).toMatchObject([{ until_on: '2026-09-07', ended_by: 'left' }])
    expect(await tasks()).toMatchObject([
      { kind: 'remove_member', why: '钱市办：已不在名册（原榆林市），请移出' },
    ])
    await importCsv(stage, 'xibu', head + boss + qianRow)
    expect(await contacts()).toMatchObject([{ until_on: null, ended_by: null }])
    expect(await tasks()).toEqual([])
  })

  test('asked for a branch and for a visit on the days of the policy, once, and never behind it', async () => {
    const [boss1, own] = [newsFor(stage, liu), newsFor(stage, qian)]
    const on = async (day: string) => {
      stage.clock.set(new Date(`${day}T09:15:00+08:00`))
      await askPeople(stage.rt)
      await askPeople(stage.rt)
      await stage.settle()
    }
    await on('2026-09-08') // the 1st was missed: asked a week later
    expect(own()).toEqual([expect.stringContaining('每位同志都要长期联系一个志愿者团支部，您还没有')])
    expect(boss1()).toHaveLength(1)
    await say(qian, '联系点 榆阳区第一团支部')
    await stage.settle()
    own()
    await on('2026-10-15')
    expect(own()).toEqual([]) // begun only lately
    await on('2026-12-01')
    expect(own()).toEqual([
      expect.stringMatching(/2026年还没有您到榆阳区第一团支部走访调研的登记[\s\S]*走访 日期 地点/),
    ])
    await on('2026-12-05')
    expect(own()).toEqual([])
    await on('2027-05-10')
    expect(own()).toHaveLength(1)
    await say(qian, '走访 今天 镇川')
    await on('2027-08-10')
    expect(own()).toEqual([])
    expect(boss1().every(text => text.includes('长期联系一个志愿者团支部'))).toBe(true)
  })

  test('nobody of a county, of another programme or another area is anybody’s contact', async () => {
    expect(await say(zhou, '联系点')).toContain('您没有这样的职务')
    expect(await say(zhou, '联系点 榆阳区第一团支部')).toContain('您没有这样的职务')
    const visitor = await signIn(stage, '周支书')
    const [unit] = await rows<{ id: string }>(stage, `select id from units where name = '定边县第一团支部'`)
    const [county] = await rows<{ id: string }>(
      stage,
      `select id from units where code = '610802' and programme = 'xibu'`,
    )
    const refused = await visitor.post('/me/contacts', {
      office: String(county?.id),
      branch: String(unit?.id),
    })
    expect(refused.status).toBe(422)
    const officer = await signIn(stage, '钱市办')
    const [city] = await rows<{ id: string }>(
      stage,
      `select id from units where code = '610800' and programme = 'xibu'`,
    )
    const noBranch = await officer.post('/me/contacts', {
      office: String(city?.id),
      branch: String(county?.id),
    })
    expect(noBranch.status).toBe(422)
    expect(noBranch.text).toContain('范围内的一个团支部')
    expect(await contacts()).toEqual([])
  })

  describe('on the pages', () => {
    test('an officer picks a branch by one tap, records a visit by another, and keeps what was written when it is refused', async () => {
      const officer = await signIn(stage, '钱市办')
      const [city] = await rows<{ id: string }>(
        stage,
        `select id from units where code = '610800' and programme = 'xibu'`,
      )
      const [unit] = await rows<{ id: string }>(stage, `select id from units where name = '榆阳区第一团支部'`)
      expect((await officer.get('/me')).text).toContain('我联系的团支部')
      expect((await officer.get('/me/contacts')).text).toContain('还没有人联系')
      expect((await officer.get('/me/contacts?search=定边')).text).not.toContain('榆阳区第一团支部')
      await officer.post('/me/contacts', { office: String(city?.id), branch: String(unit?.id) })
      const [contact] = await rows<{ id: string }>(stage, 'select id from contacts')
      const path = `/me/contacts/${contact?.id}`
      const refused = await officer.post(`${path}/visits`, {
        day: '2026-10-01',
        place: '镇川镇',
        note: '想家',
      })
      expect(refused.status).toBe(422)
      expect(refused.text).toMatch(/value="2026-10-01"[\s\S]*value="镇川镇"[\s\S]*想家/)
      expect((await officer.post(`${path}/visits`)).location).toBe('/me/contacts')
      expect((await officer.get('/me/contacts')).text).toMatch(/走访 1 次[\s\S]*2026年9月7日/)
      await officer.post(`${path}/end`)
      expect(await contacts()).toMatchObject([{ until_on: '2026-09-07', ended_by: 'word' }])
      expect((await officer.post(`${path}/visits`)).status).toBe(404)
    })

    test('the office sees who lacks what, and its counts are of its own subtree', async () => {
      await say(qian, '联系点 榆阳区第一团支部')
      const office = await signIn(stage, '刘市办')
      const { text } = await office.get('/console/contacts')
      expect(text).toMatch(/<b>2<\/b><span>位同志/)
      expect(text).toMatch(/<b>1<\/b><span>位还没有联系点/)
      expect(text).toMatch(/<b>1<\/b><span>位不在支部群/)
      expect(text).toMatch(/<b>1\/2<\/b><span>个团支部有人联系/)
      const lacking = await office.get('/console/contacts?state=no-branch')
      expect(lacking.text).toContain('刘市办')
      expect(/<tbody>[\s\S]*<\/tbody>/.exec(lacking.text)?.[0]).not.toContain('钱市办')
      const county = await signIn(stage, '赵县办')
      expect((await county.get('/console/contacts')).text).toMatch(/榆阳区第一团支部[\s\S]*钱市办/)
      const other = await signIn(stage, '林县书')
      expect((await other.get('/console/contacts')).text).toContain('您负责的单位没有这项工作')
    })
  })
})

describe('days', () => {
  test.each([
    ['2026-09-01', '2026-09-01'],
    ['2026-09-10', '2026-09-01'],
    ['2026-09-11', null],
    ['2026-08-31', null],
    ['2026-01-01', null],
    ['2027-01-10', '2027-01-10'],
    ['2026-12-31', null],
  ])('on %s the asking day is %s', (today, day) => {
    expect(askingDay(['01-10', '09-01', '06-01'], today, 10)).toBe(day)
  })

  test.each([
    ['2026-09-07', true],
    ['2026-09-08', false],
    ['2025-01-01', true],
    ['2024-12-31', false],
    ['2026-02-30', false],
    ['morgen', false],
  ])('a visit of %s can be recorded on 2026-09-07: %s', (day, may) => {
    expect(isVisitDay(day, '2026-09-07')).toBe(may)
  })
})
