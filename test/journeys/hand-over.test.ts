import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { askPeople } from '../../server/jobs/ask-people.ts'
import { personId, signIn } from '../support/console.ts'
import {
  bindFirst,
  bindThrough,
  claimGroup,
  fillMatrix,
  groupNumber,
  importCsv,
  newsFor,
  rows,
} from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const head = '省份,地市,区县,团支部,姓名,手机号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态\n'
const member = (name: string, phone: string, role = '', branch = '榆阳区第一团支部') =>
  `陕西省,榆林市,榆阳区,${branch},${name},${phone},${role},,全国项目,,2026-08-01,2027-07-31,在岗\n`
const zhouRow = member('周支书', '13800000005', '团支部书记')
const heir = member('郑接手', '13800000041', '团支部副书记')
const plain = member('张思雨', '13800000006')

describe('a hand-over', () => {
  let stage: Stage
  let liu: SimPerson
  let zhao: SimPerson
  let zhou: SimPerson
  let zheng: SimPerson
  let groups: number[]
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const branchIs = (...lines: string[]) => importCsv(stage, 'xibu', head + lines.join(''))
  const owners = () =>
    rows<{ id: string; name: string | null }>(
      stage,
      `select g.id, p.name from groups g left join persons p on p.id = g.owner_id order by g.id`,
    )
  const items = () =>
    rows<{
      id: string
      kind: string
      is_by_hand: boolean
      count: number
      done: boolean
      name: string | null
    }>(
      stage,
      `select i.id, i.kind, i.is_by_hand, i.count, i.done_at is not null as done, g.name
       from hand_over_items i left join groups g on g.id = i.group_id order by i.id`,
    )
  const status = async () =>
    (await rows<{ status: string }>(stage, 'select status from hand_overs order by id')).map(
      row => row.status,
    )

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
    zheng = sim.addPerson({ name: '郑接手', wecomUserId: 'zheng' })
    await branchIs(zhouRow, heir, plain)
    await bindFirst(stage, liu, 'xibu', '610800')
    await bindThrough(stage, liu, zhao)
    await bindThrough(stage, zhao, zhou)
    await bindThrough(stage, zhao, zheng)
    const customer = await claimGroup(stage, zhou, '一支部客户群', '团支部群')
    const make = async (name: string) =>
      groupNumber(await say(zhou, `建群 团支部群 微信群 3人 ${name} 入群码 https://example.cn/g`))
    groups = [customer.number, await make('一支部微信群'), await make('一支部备用群')]
    const somebody = sim.addPerson({ name: '申请的', openId: 'o-ask' })
    await say(somebody, `入群 ${groups[1]} 张思雨`)
    await say(zhao, '通知 政策 支部工作提示')
    await say(zhao, '确认')
    await stage.settle()
  })
  afterEach(() => stage.close())

  test('an owner of three groups leaves: proposed once, taken over in one line, ticked off one by one, closed', async () => {
    const [office, taker] = [newsFor(stage, zhao), newsFor(stage, zheng)]
    await branchIs(heir, plain)
    await stage.settle()
    const proposal = office().find(text => text.includes('【交接】'))
    expect(proposal).toMatch(/周支书（榆阳区第一团支部，3 个群）的工作要有人接/)
    const number = /交接 (\d+) 姓名/.exec(proposal ?? '')?.[1]
    expect(await status()).toEqual(['proposed'])
    expect(await say(zheng, '交接')).toContain('没有要您办的交接')
    expect(await say(zhao, '交接')).toContain(`${number}　周支书（榆阳区第一团支部）：还没有定接手的同志`)

    const answer = await say(zhao, `交接 ${number} 郑接手`)
    expect(answer).toContain('榆阳区第一团支部周支书的工作已交给郑接手')
    expect(answer).toMatch(/群的群主登记 3 项、等转发的通知 [23] 项、等审核的入群申请 1 项/)
    expect((await owners()).map(each => each.name)).toEqual(['郑接手', '郑接手', '郑接手'])
    expect((await items()).filter(item => item.is_by_hand).map(({ kind, name }) => [kind, name])).toEqual([
      ['customer-group-ownership', '一支部客户群'],
      ['group-ownership', '一支部微信群'],
      ['group-ownership', '一支部备用群'],
      ['account-admin', null],
      ['files', null],
    ])
    await stage.settle()
    const told = taker()
    expect(told.filter(text => text.includes('交由您接手'))).toHaveLength(1)
    expect(told.join()).toContain('支部工作提示') // the notice that was not relayed goes with the groups
    expect(await say(zheng, '待审')).toContain('有 1 个入群申请')

    const list = await say(zheng, '交接')
    expect(list).toMatch(/您接手榆阳区第一团支部周支书的工作（9月14日前）/)
    const open = (await items()).filter(item => item.is_by_hand)
    for (const [index, item] of open.entries())
      expect(await say(zheng, `交好 ${item.id}`)).toContain(
        index < open.length - 1 ? `还有 ${open.length - 1 - index} 项` : '交接办完了',
      )
    expect(await status()).toEqual(['closed'])
    await stage.settle()
    expect(office().at(-1)).toContain('【交接办完】榆阳区第一团支部周支书的工作已由郑接手接手')
    expect(await say(zheng, `交好 ${open[0]?.id}`)).toContain('办完了')
    expect(await say(zheng, '交接')).toContain('没有要您办的交接')
  })

  test('by names, while both are there: what is not theirs stays, and the one who gives keeps no say', async () => {
    const reply = await say(zhao, '交接 周支书 郑接手')
    expect(reply).toContain('已交给郑接手')
    await stage.settle()
    expect(stage.received(zhou.id).at(-1)).toContain('交由郑接手接手')
    expect(await say(zhao, '交接 周支书 郑接手')).toContain('已经开始了')
    expect(await rows(stage, 'select id from hand_overs')).toHaveLength(1)
  })

  test('who moves things may only give what they could give before, to somebody in the line', async () => {
    for (const [person, text, words] of [
      [zheng, '交接 周支书 郑接手', '您名下没有这样的职务'],
      [zhao, '交接 周支书 丁县书', '名册里没有“丁县书”'],
      [zhao, '交接 周支书 周支书', '名册里没有“周支书”'],
      [zhao, '交接 刘市办 郑接手', '您负责的单位里没有“刘市办”'],
    ] as const)
      expect(await say(person, text), text).toContain(words)
    expect(await status()).toEqual([])
    expect((await owners()).map(each => each.name)).toEqual(['周支书', '周支书', '周支书'])
  })

  test('a group above the giver’s unit is not the branch’s to give away', async () => {
    await rows(
      stage,
      `update groups set unit_id = (select id from units where code = '610802' and programme = 'xibu'), kind = 'graduate-teaching' where id = ${groups[2]}`,
    )
    expect(await say(zhou, '交接 周支书 郑接手')).toContain('群的群主登记 3 项')
    // whoever owns it may give it, as by 换群主; but not a secretary who only runs the branch
    await rows(stage, `update hand_overs set status = 'closed'`)
    await rows(stage, `update groups set owner_id = (select id from persons where name = '郑接手')`)
    expect(await say(zhou, '交接 郑接手 周支书')).toContain('群的群主登记 2 项')
    expect((await owners()).map(each => each.name)).toEqual(['周支书', '周支书', '郑接手'])
  })

  test('an office worker hands over the manager’s duty only to somebody of the office, else it is asked for', async () => {
    await rows(
      stage,
      `update units set manager_id = (select id from persons where name = '赵县办') where code = '610802' and programme = 'xibu'`,
    )
    expect(await say(liu, '交接 赵县办 郑接手')).toContain('已交给郑接手')
    expect((await items()).map(item => item.kind)).toEqual(['other-manager', 'account-admin', 'files'])
    await importCsv(
      stage,
      'xibu',
      `省份,地市,区县,团支部,姓名,手机号,角色,职务,状态\n陕西省,榆林市,榆阳区,,赵县办,13800000004,项目办负责同志,主任,在岗\n陕西省,榆林市,榆阳区,,孙县办,13800000042,项目办工作人员,科员,在岗\n`,
    )
    await rows(stage, `update hand_overs set status = 'closed'`)
    expect(await say(liu, '交接 赵县办 孙县办')).toContain('专人 1 项')
    expect(
      await rows(
        stage,
        `select p.name from units u join persons p on p.id = u.manager_id where u.code = '610802' and u.programme = 'xibu'`,
      ),
    ).toEqual([{ name: '孙县办' }])
  })

  test('1+100 branches go to somebody of the same office, those too that ended with the leaving', async () => {
    const office = (...lines: string[]) =>
      importCsv(
        stage,
        'xibu',
        `省份,地市,区县,团支部,姓名,手机号,角色,职务,状态\n陕西省,榆林市,,,刘市办,13800000003,项目办负责同志,主任,在岗\n${lines.join('')}`,
      )
    const leaver = '陕西省,榆林市,,,钱市办,13800000051,项目办工作人员,科员,在岗\n'
    const next = '陕西省,榆林市,,,冯市办,13800000052,项目办工作人员,科员,在岗\n'
    await office(leaver, next)
    const qian = stage.sim.addPerson({ name: '钱市办', wecomUserId: 'qian' })
    await bindFirst(stage, qian, 'xibu', '610800')
    expect(await say(qian, '联系点 榆阳区第一团支部')).toContain('长期联系榆阳区第一团支部')
    await office(next)
    const contacts = () =>
      rows(
        stage,
        `select p.name, c.ended_by from contacts c join persons p on p.id = c.person_id order by c.id`,
      )
    expect(await contacts()).toEqual([{ name: '钱市办', ended_by: 'left' }])
    const [proposal] = await rows<{ id: string }>(
      stage,
      `select id from hand_overs where status = 'proposed'`,
    )
    expect(await say(liu, `交接 ${proposal?.id} 冯市办`)).toContain('1+100 联系的团支部 1 项')
    expect(await contacts()).toEqual([
      { name: '钱市办', ended_by: 'handed_over' },
      { name: '冯市办', ended_by: null },
    ])
  })

  test('overdue is asked for with the reason, every second day, and no more once it is done', async () => {
    await branchIs(heir, plain)
    await stage.settle()
    const [office, taker] = [newsFor(stage, zhao), newsFor(stage, zheng)]
    const dayLater = async (days: number) => {
      stage.clock.advance(days * 86_400_000)
      await askPeople(stage.rt)
      await stage.settle()
    }
    await dayLater(3)
    expect(office().filter(text => text.includes('【交接过期】'))).toEqual([])
    await dayLater(1)
    expect(office().filter(text => text.includes('【交接过期】'))).toEqual([
      expect.stringMatching(/新同志发不了通知[\s\S]*周支书：还没有定接手的同志（请回复：交接 \d+ 姓名）/),
    ])
    await askPeople(stage.rt)
    await dayLater(1)
    expect(office().filter(text => text.includes('【交接过期】'))).toEqual([])
    await dayLater(1)
    expect(office().filter(text => text.includes('【交接过期】'))).toHaveLength(1)
    await say(zhao, '交接 1 郑接手')
    await stage.settle()
    taker()
    await dayLater(8)
    expect(taker().filter(text => text.includes('【交接过期】'))).toEqual([
      expect.stringMatching(/周支书：还有 5 项没有办好（\S+\/me\/hand-overs\/1）/),
    ])
    for (const item of (await items()).filter(each => each.is_by_hand)) await say(zheng, `交好 ${item.id}`)
    await dayLater(4)
    expect(taker().filter(text => text.includes('【交接过期】'))).toEqual([])
  })

  test('a proposal is dropped when the roster has them back', async () => {
    await branchIs(heir, plain)
    expect(await status()).toEqual(['proposed'])
    await branchIs(zhouRow, heir, plain)
    expect(await status()).toEqual(['dropped'])
    await stage.settle()
    expect(await say(zhao, '交接')).toContain('没有要办的交接')
  })

  describe('on the pages', () => {
    test('the office names somebody and sees how far it is; the one who takes over ticks off by one tap', async () => {
      await branchIs(heir, plain)
      const office = await signIn(stage, '赵县办')
      const { text } = await office.get('/console/hand-overs')
      expect(text).toContain('还没有定')
      const one = await office.get('/console/hand-overs/1')
      expect(one.text).toContain('周支书已不在榆阳区第一团支部的名册上')
      const refused = await office.post('/console/hand-overs/1/start', { to: '' })
      expect(refused.status).toBe(422)
      expect(refused.text).toContain('请选接手的同志')
      const zhengId = await personId(stage, '郑接手')
      expect(one.text).toContain(`value="${zhengId}"`)
      const started = await office.post('/console/hand-overs/1/start', { to: String(zhengId) })
      expect(started.location).toBe('/console/hand-overs/1')
      // tapped twice
      expect((await office.post('/console/hand-overs/1/start', { to: String(zhengId) })).status).toBe(422)

      const taker = await signIn(stage, '郑接手')
      expect((await taker.get('/me')).text).toContain('接手周支书的工作')
      const list = await taker.get('/me/hand-overs/1')
      expect(list.text).toContain('群主管理权转让')
      for (const item of (await items()).filter(each => each.is_by_hand)) {
        expect((await taker.post('/me/hand-overs/1/done', { item: item.id })).status).toBe(303)
        expect((await taker.post('/me/hand-overs/1/done', { item: item.id })).status).toBe(303)
      }
      expect(await status()).toEqual(['closed'])
      expect((await office.get('/console/hand-overs')).text).toContain('办完')
    })

    test('an item of another hand-over cannot be ticked off through one’s own', async () => {
      await branchIs(heir, plain)
      await say(zhao, '交接 1 郑接手')
      const [other] = await rows<{ id: string }>(
        stage,
        `with one as (insert into hand_overs (unit_id, from_id, to_id, status, due_on, created_at)
           select unit_id, to_id, from_id, 'open', due_on, now() from hand_overs where id = 1 returning id)
         insert into hand_over_items (hand_over_id, kind, is_by_hand, count) select id, 'files', true, 0 from one returning id`,
      )
      const taker = await signIn(stage, '郑接手')
      expect((await taker.post('/me/hand-overs/1/done', { item: String(other?.id) })).status).toBe(404)
      expect(await say(zheng, `交好 ${other?.id}`)).toContain('没有这一项')
    })

    test('from the unit’s page, with both names chosen; what was chosen stays when it is refused', async () => {
      const office = await signIn(stage, '赵县办')
      const [unit] = await rows<{ id: string }>(stage, `select id from units where name = '榆阳区第一团支部'`)
      const path = `/console/units/${unit?.id}/hand-over`
      const from = String(await personId(stage, '周支书'))
      const refused = await office.post(path, { from, to: from })
      expect(refused.status).toBe(422)
      expect(refused.text).toContain('同一个人')
      expect(refused.text).toContain(`<option value="${from}" selected>`)
      const to = String(await personId(stage, '郑接手'))
      expect((await office.post(path, { from, to })).location).toMatch(/^\/console\/hand-overs\/\d+$/)
    })
  })
})
