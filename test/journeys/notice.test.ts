import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { bindFirst, bindThrough, fillMatrix } from '../support/matrix.ts'
import { openStage, type Stage, toMorning } from '../support/stage.ts'

/** A notice of the county goes down every kind of road, is relayed or not, and is chased for a reason. */
describe('a notice cascades', () => {
  let stage: Stage
  const people: Record<string, SimPerson> = {}

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    people.city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    people.county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    people.wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    people.ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma', openId: 'o-ma' })
    await bindFirst(stage, people.city, 'qingnong', '610800')
    await bindThrough(stage, people.city, people.county)
    await bindThrough(stage, people.county, people.wang)
    await bindThrough(stage, people.county, people.ma)
  })
  afterAll(async () => {
    if (process.env.SHOW)
      console.log(
        stage.logLines.filter(l => !l.includes('"request"')).join(''),
        stage.sim.log.filter(e => e.kind === 'api' && e.errcode !== 0),
      )
    await stage.close()
  })

  test('groups are registered in the chat', async () => {
    const { sim, say } = stage
    const internal = sim.createGroup({
      kind: 'internal',
      name: '青农榆阳',
      ownerId: people.county?.id as string,
    })
    const webhook = sim.addRobot(internal.id)
    expect(await say(people.county?.id as string, '建群 县级青农群 机器人群 38人 青农榆阳')).toContain(
      'Webhook',
    )
    expect(await say(people.county?.id as string, webhook)).toContain('已登记：青农榆阳')
    expect(
      await say(
        people.wang?.id as string,
        '建群 团青群 微信群 86人 镇川青年之家 入群码 https://example.cn/q/1',
      ),
    ).toContain('群主 王镇川')
    expect(await say(people.wang?.id as string, '建群 团青群 微信群 40人 镇川电商 入群码 拉人')).toContain(
      '已登记',
    )
    const customer = sim.createGroup({
      kind: 'customer',
      name: '麻黄梁青年',
      ownerId: people.ma?.id as string,
    })
    await sim.idle()
    stage.clock.advance(3000)
    await stage.settle()
    const claim = stage.received(people.ma?.id as string).at(-1) ?? ''
    expect(claim).toContain('认领 1')
    expect(await say(people.ma?.id as string, '认领 1 团青群', 'wecom')).toContain('已登记：麻黄梁青年')
    expect(customer.name).toBe('麻黄梁青年')
  })

  test('a name outside the rule is refused with the rule', async () => {
    expect(
      await stage.say(people.county?.id as string, '建群 县级青农群 微信群 10人 榆阳农业 入群码 无'),
    ).toContain('青农榆阳')
  })

  test('it is written in the chat, shown first and sent after a second word', async () => {
    const preview = await stage.say(
      people.county?.id as string,
      '通知 政策 各乡镇团委：请于本周五前报送青年创业贷款名单。',
    )
    expect(preview).toContain('发到 4 个群')
    expect(preview).toContain('群机器人 1')
    expect(preview).toContain('群发待群主确认 1')
    expect(preview).toContain('群主转发 2')
    expect(await stage.say(people.county?.id as string, '确认')).toContain('通知 1 已发出：4 个群')
    await stage.settle()
    const posts = stage.sim.log.filter(entry => entry.kind === 'group_post')
    expect(posts).toHaveLength(1)
    expect(stage.received(people.wang?.id as string).slice(-2)).toEqual([
      expect.stringMatching(
        /^各乡镇团委：请于本周五前报送青年创业贷款名单。\n看过请点：http\S+\/n\/1\n〔陕-0001〕$/,
      ),
      expect.stringContaining('【通知 1】榆阳区：请把上面这段话转发到镇川青年之家'),
    ])
  })

  test('the owner confirms the mass task, and only then it counts', async () => {
    const [task] = stage.sim.massTasks(people.ma?.id as string)
    expect(await stage.say(people.county?.id as string, '回执')).toContain('已到 1/4 个群')
    await stage.sim.confirmMassTask(people.ma?.id as string, task?.msgid as string)
    await stage.settle()
    expect(await stage.say(people.county?.id as string, '回执 1')).toContain('已到 2/4 个群')
  })

  test('one character is a receipt, and twice is once', async () => {
    expect(await stage.say(people.wang?.id as string, '收')).toContain('已记下您收到通知 1')
    expect(await stage.say(people.county?.id as string, '回执')).toContain('2 个群主已收到')
  })

  test('half way the owner is reminded, late the county is asked to help, each with the reason', async () => {
    stage.clock.set(new Date('2026-09-07T15:01:00+08:00'))
    await stage.settle()
    expect(stage.received(people.wang?.id as string).at(-1)).toContain('【提醒】榆阳区的通知 1 要在')
    expect(stage.received(people.ma?.id as string).at(-1)).not.toContain('【提醒】')
    stage.clock.set(new Date('2026-09-07T18:01:00+08:00'))
    await stage.settle()
    // the township's own officer is the silent owner: nobody is told on himself, the county is asked
    const requests = () =>
      stage.sim
        .persons()
        .flatMap(person =>
          stage
            .received(person.id)
            .flatMap(text => (text.includes('【请协助】') ? [[person.name, text]] : [])),
        )
    expect(requests()).toEqual([
      ['林县书', expect.stringContaining('镇川镇“镇川青年之家”（群号 2，群主王镇川）')],
    ])
    stage.clock.set(new Date('2026-09-08T08:59:00+08:00'))
    await stage.settle()
    // and is not asked about the same groups again
    expect(requests()).toHaveLength(1)
    expect(stage.received(people.wang?.id as string).filter(text => text.includes('【提醒】'))).toHaveLength(
      1,
    )
  })

  test('who was asked may say which of the groups is done, and vouches for no other', async () => {
    const county = people.county?.id as string
    expect(await stage.say(county, '转 1')).toContain('请您协助的群有 2 个')
    expect(await stage.say(county, '转 1 3')).toContain('通知 1 转发到镇川电商')
    expect(await stage.say(county, '回执 1')).toContain('已到 3/4 个群')
  })

  test('relayed late is relayed; the month has it with the category of the notice', async () => {
    expect(await stage.say(people.wang?.id as string, '转')).toContain('都办好了')
    expect(await stage.say(people.wang?.id as string, '转 1')).toContain('没有等您转发的')
    expect(await stage.say(people.county?.id as string, '回执 1')).toContain('全部传达到位')
    expect(await stage.say(people.county?.id as string, '统计')).toContain('政策法规 4')
    const before = stage.received(people.wang?.id as string).length
    stage.clock.advance(24 * 3600_000)
    await stage.settle()
    expect(stage.received(people.wang?.id as string)).toHaveLength(before)
  })

  test('a removed robot makes the owner relay', async () => {
    toMorning(stage.clock)
    stage.sim.faults.on('robot-removed')
    await stage.say(people.county?.id as string, '通知 便民 明天停水，请互相转告。')
    await stage.say(people.county?.id as string, '确认')
    await stage.settle()
    stage.sim.faults.clear()
    expect(stage.received(people.county?.id as string).at(-1)).toContain('【通知 2】')
    expect(await stage.say(people.county?.id as string, '转 2')).toContain('青农榆阳')
  })

  test('classified content and ID numbers do not go out', async () => {
    for (const body of [
      '【机密】省委组织部拟任人选名单，内部掌握，请勿外传',
      '张三身份证号61080220010307312X请核对',
    ])
      expect(await stage.say(people.county?.id as string, `通知 其他 ${body}`)).toMatch(
        /不能在群里发|个人信息/,
      )
    await stage.say(people.county?.id as string, '取消')
    expect(await stage.say(people.wang?.id as string, '通知 政策 我也发一个')).toContain('镇川镇')
    await stage.say(people.wang?.id as string, '取消')
  })
})
