import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SimGroup, SimPerson } from '../../scripts/simulator/index.ts'
import { recoverInFlight } from '../../server/jobs/deliver/recover.ts'
import { deliverDue } from '../../server/jobs/deliver.ts'
import { runRequests } from '../../server/jobs/look-after-requests.ts'
import {
  afterEvents,
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

const branchRoster = (names: string[]) =>
  `省份,地市,区县,团支部,姓名,手机号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态
陕西省,榆林市,榆阳区,榆阳区第一团支部,周支书,13800000005,团支部书记,团支部书记,全国项目,榆阳区团委,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,阿依古丽·买买提,13800000007,,,研究生支教团,榆阳中学,2026-08-01,2027-07-31,在岗\n${names
    .map(
      (name, index) =>
        `陕西省,榆林市,榆阳区,榆阳区第一团支部,${name},1390000${String(1000 + index)},,,全国项目,镇川镇政府,2026-08-01,2027-07-31,在岗\n`,
    )
    .join('')}`

describe('join requests from asking to leaving', () => {
  let stage: Stage
  let liu: SimPerson
  let zhao: SimPerson
  let zhou: SimPerson
  let branch: { chat: SimGroup; number: number }
  let wechat: number
  let serial = 0
  /** Members of the branch who have not asked for anything yet, with their phones. */
  const fresh: { name: string; phone: string }[] = []
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const somebody = (name: string, accounts: Partial<SimPerson> = {}) =>
    stage.sim.addPerson({ name, openId: `o-${++serial}`, externalUserId: `wm-${serial}`, ...accounts })
  const ask = (person: SimPerson, text: string, group = branch.number) => say(person, `入群 ${group} ${text}`)
  const numberIn = (answer: string) => Number(/编号 (\d+)/.exec(answer)?.[1])
  const next = () => {
    const one = fresh.shift()
    if (!one) throw new Error('the branch is used up')
    return one
  }
  const passOf = (person: SimPerson) =>
    /(https?:\/\/\S+)$/.exec(
      stage.received(person.id).findLast(text => text.includes('入群码（')) ?? '',
    )?.[1] ?? ''
  const request = async (id: number) =>
    (await rows<Record<string, unknown>>(stage, `select * from join_requests where id = ${id}`))[0]
  const steps = async (id: number) =>
    (
      await rows<{ step: string }>(
        stage,
        `select step from join_decisions where request_id = ${id} order by id`,
      )
    ).map(row => row.step)
  const lastRequest = async () =>
    Number((await rows<{ id: string }>(stage, 'select max(id) as id from join_requests'))[0]?.id)
  const cardOf = (person: SimPerson, title: string) => {
    const card = stage.sim.inbox(person.id).findLast(message => message.card?.title?.startsWith(title))
    if (!card) throw new Error(`no card ${title}`)
    return card
  }
  const openWays = async () =>
    (
      await rows<{ n: number }>(
        stage,
        'select count(*)::int as n from join_passes where config_id is not null and used_at is not null',
      )
    )[0]?.n

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
    await bindFirst(stage, liu, 'xibu', '610800')
    await bindThrough(stage, liu, zhao)
    await bindThrough(stage, zhao, zhou)
    branch = await claimGroup(stage, zhou, '榆阳区第一团支部', '团支部群')
    wechat = groupNumber(
      await say(zhou, '建群 团支部群 微信群 3人 榆阳支部微信群 入群码 https://weixin.example.cn/g/1'),
    )
    const names = [...'甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒'].map(
      last => `钱${last}${last}`,
    )
    const result = await importCsv(stage, 'xibu', branchRoster(names))
    if (!result.isApplied) throw new Error(JSON.stringify(result.problems))
    fresh.push(...names.map((name, index) => ({ name, phone: `1390000${1000 + index}` })))
  })
  beforeEach(() => {
    // a day on: what was asked by the tests before limits nobody
    stage.clock.advance(25 * 3_600_000)
  })
  afterAll(() => stage.close())

  test('asked, decided, let in by one’s own code, found by the reading, gone, a task no more; the code is deleted', async () => {
    const { name, phone } = next()
    const person = somebody(name)
    expect(await ask(person, `${name} ${phone}`)).toContain('审核通过')
    await stage.settle()
    expect(stage.received(person.id).at(-1)).toMatch(/仅限本人，一次有效，\d+月\d+日 \d\d:\d\d前有效/)
    const code = passOf(person)
    await stage.sim.joinByCode(code, person.id)
    await afterEvents(stage)
    expect(
      await rows(
        stage,
        `select m.known_by, j.used_at is not null as used from group_members m
         join join_passes j on j.person_id = m.person_id where m.address = '${person.externalUserId}'`,
      ),
    ).toEqual([{ known_by: 'join_pass', used: true }])
    await runRequests(stage.rt)
    expect(await openWays()).toBe(0)
    const late = somebody('转来的')
    await expect(stage.sim.joinByCode(code, late.id)).rejects.toThrow('二维码无效')
    expect(await steps(await lastRequest())).toEqual(['approved', 'admitted'])
    await stage.sim.leaveGroup(branch.chat.id, person.id)
    await afterEvents(stage)
    expect(
      await rows(
        stage,
        `select 1 from group_members where address = '${person.externalUserId}' and left_at is null`,
      ),
    ).toEqual([])
  })

  test('an owner decides by a tap, the card says who did; a second tap and a late word change nothing', async () => {
    const { name } = next()
    const person = somebody(name)
    const id = numberIn(await ask(person, `我叫${name}`))
    await stage.settle()
    const card = cardOf(zhou, `【入群申请 ${id}】`)
    expect(card.card?.buttons.map(button => button.text)).toEqual(['同意', '拒绝', '看详情'])
    expect(card.text).toContain(name)
    const told = newsFor(stage, person)
    stage.sim.faults.on('duplicate-callbacks')
    const [answer] = await stage.sim.tapCard(zhou.id, card.id, `同意 ${id}`)
    await stage.sim.idle()
    stage.sim.faults.clear()
    expect(answer?.text).toContain(`已同意${name}加入`)
    await stage.settle()
    expect(card.card?.replacedText).toBe('周支书已同意')
    expect(told().filter(text => text.includes('审核通过'))).toHaveLength(1)
    expect(await steps(id)).toEqual(['referred', 'approved', 'admitted'])
    await expect(stage.sim.tapCard(zhou.id, card.id, `拒绝 ${id}`)).rejects.toThrow('answered before')
    expect(await say(zhao, `拒绝 ${id} 晚了`)).toMatch(/已经处理过了，周支书.*同意/)
    expect(await request(id)).toMatchObject({ decision: 'approved' })
  })

  test('of two whom a request may mean the card makes one choose', async () => {
    const [one, two] = [next(), next()]
    const id = numberIn(
      await ask(somebody('两人'), `我们两个人一起申请：${one.name} ${one.phone}，${two.name} ${two.phone}`),
    )
    await stage.settle()
    const card = cardOf(zhou, `【入群申请 ${id}】`)
    const options = card.card?.questions[0]?.options ?? []
    expect(options.map(each => each.text.slice(0, 3)).sort()).toEqual([one.name, two.name].sort())
    const chosen = options.find(each => each.text.startsWith(two.name))?.id ?? ''
    const [answer] = await stage.sim.tapCard(zhou.id, card.id, `同意 ${id}`, { candidate: [chosen] })
    expect(answer?.text).toContain(`已同意${two.name}加入`)
    expect(await request(id)).toMatchObject({ person_id: chosen })
  })

  test('who has lost the right to decide taps in vain', async () => {
    const { name } = next()
    const id = numberIn(await ask(somebody(name), `我叫${name}`, wechat))
    await stage.settle()
    const card = cardOf(zhou, `【入群申请 ${id}】`)
    await stage.rt.db.execute(`update groups set owner_id = null where id = ${wechat}`)
    await stage.rt.db.execute(
      `update roles set ended_at = now() where person_id = (select id from persons where name = '周支书') and ended_at is null`,
    )
    const [answer] = await stage.sim.tapCard(zhou.id, card.id, `同意 ${id}`)
    expect(answer?.text).toMatch(/没有权限|没有这样的职务|由群主和组织工作人员使用/)
    expect(await request(id)).toMatchObject({ decision: 'referred' })
    await stage.rt.db.execute(
      `update roles set ended_at = null where person_id = (select id from persons where name = '周支书')`,
    )
    await stage.rt.db.execute(
      `update groups set owner_id = (select id from persons where name = '周支书') where id = ${wechat}`,
    )
    await say(zhou, `拒绝 ${id} 重新申请`)
  })

  test('a silent owner: the county is asked after a day and not at night, the city after another; either may decide', async () => {
    const start = new Date('2026-10-20T21:30:00+08:00')
    stage.clock.advance(start.getTime() - stage.clock.now().getTime())
    const { name } = next()
    const person = somebody(name)
    const id = numberIn(await ask(person, `我叫${name}`))
    stage.clock.advance(60_000)
    await stage.settle()
    const [county, city] = [newsFor(stage, zhao), newsFor(stage, liu)]
    stage.clock.advance(23 * 3_600_000)
    await runRequests(stage.rt)
    await stage.settle()
    expect(county()).toEqual([])
    // a day has gone by at half past nine in the evening; a request of half past ten would wait for the morning
    stage.clock.advance(3_600_000)
    await runRequests(stage.rt)
    await runRequests(stage.rt)
    await stage.settle()
    const [slip, ...more] = county()
    expect(more).toEqual([])
    expect(slip).toContain(`【入群申请 ${id}】`)
    expect(slip).toContain('群主周支书 24 小时没有处理')
    stage.clock.advance(24 * 3_600_000 + 60_000)
    await runRequests(stage.rt)
    await stage.settle()
    expect(city().join()).toContain('下级单位 24 小时没有处理')
    expect(await steps(id)).toEqual(['referred', 'escalated', 'escalated'])
    expect(await say(zhou, `同意 ${id}`)).toContain(`已同意${name}`)
    expect(await say(zhao, `拒绝 ${id} 晚了`)).toContain('已经处理过')
    await stage.settle()
    expect(cardOf(zhao, `【入群申请 ${id}】`).card?.replacedText).toBe('周支书已同意')
    await runRequests(stage.rt)
    expect(await request(id)).toMatchObject({ escalate_at: null })
  })

  test('what falls due in the night waits for seven in the morning', async () => {
    const start = new Date('2026-10-26T23:10:00+08:00')
    stage.clock.advance(start.getTime() - stage.clock.now().getTime())
    const { name } = next()
    const id = numberIn(await ask(somebody(name), `我叫${name}`))
    await stage.settle()
    const county = newsFor(stage, zhao)
    expect(((await request(id))?.escalate_at as Date | string | undefined)?.toString()).toContain(
      '2026-10-27 23:00',
    )
    stage.clock.advance(24 * 3_600_000 + 60_000)
    await runRequests(stage.rt)
    await stage.settle()
    expect(county()).toEqual([])
    stage.clock.advance(8 * 3_600_000)
    await runRequests(stage.rt)
    await stage.settle()
    expect(county()).toHaveLength(1)
    await say(zhou, `拒绝 ${id} 请写手机号`)
  })

  test('an approval that is undone takes the code, the membership and the binding back, and has the owner remove who is in', async () => {
    const { name, phone } = next()
    const person = somebody(name)
    await ask(person, `${name} ${phone}`)
    const id = await lastRequest()
    await stage.settle()
    await stage.sim.joinByCode(passOf(person), person.id)
    await afterEvents(stage)
    const told = newsFor(stage, person)
    const owner = newsFor(stage, zhou)
    expect(await say(liu, `撤销 ${id} 冒名的`)).toContain('此人已在群里，已请群主移出')
    await stage.settle()
    expect(told().join()).toContain('审核结论已撤销')
    expect(owner().join()).toContain('请移出')
    expect(await rows(stage, `select person_id from identities where address = '${person.openId}'`)).toEqual([
      { person_id: null },
    ])
    expect(
      await rows(
        stage,
        `select person_id from group_members where address = '${person.externalUserId}' and left_at is null`,
      ),
    ).toEqual([{ person_id: null }])
    const open = `select kind from tasks where address = '${person.externalUserId}' and closed_at is null`
    expect(await rows(stage, open)).toEqual([{ kind: 'remove_member' }])
    expect(await request(id)).toMatchObject({ decision: 'referred', person_id: null })
    expect(await steps(id)).toEqual(['approved', 'admitted', 'undone'])
    await stage.sim.leaveGroup(branch.chat.id, person.id, { removed: true })
    await afterEvents(stage)
    expect(await rows(stage, open)).toEqual([])
    expect(await say(zhou, `撤销 ${id}`)).toContain('还在等人处理')
    await say(zhou, `拒绝 ${id} 冒名`)
  })

  test('a code that is not used yet dies with the approval, at once and on the platform', async () => {
    const { name, phone } = next()
    const person = somebody(name)
    await ask(person, `${name} ${phone}`)
    const id = await lastRequest()
    await stage.settle()
    const code = passOf(person)
    expect(await say(zhou, `撤销${id}号，弄错了`)).toContain('已撤回同意')
    await runRequests(stage.rt)
    await expect(stage.sim.joinByCode(code, person.id)).rejects.toThrow('二维码无效')
    expect(await say(zhou, `同意 ${id}`)).toContain(`已同意${name}`)
    await stage.settle()
    expect(passOf(person)).not.toBe(code)
  })

  test('an approval that is undone before its code goes out gives none', async () => {
    const { name, phone } = next()
    const person = somebody(name)
    await ask(person, `${name} ${phone}`)
    const told = newsFor(stage, person)
    await say(zhou, `撤销 ${await lastRequest()} 弄错了`)
    await stage.settle()
    expect(told().join()).not.toContain('入群码（')
    await say(zhou, `拒绝 ${await lastRequest()} 弄错了`)
  })

  test('a refusal that is undone waits again', async () => {
    const { name } = next()
    const person = somebody(name)
    const id = numberIn(await ask(person, `我叫${name}`))
    await say(zhou, `拒绝 ${id} 不认识`)
    expect(await say(zhou, `撤销 ${id} 想起来了`)).toContain('已撤回拒绝')
    expect(await say(zhou, '待审')).toContain(`${id}　`)
    expect(await say(zhou, `同意 ${id}`)).toContain(`已同意${name}`)
    expect(await steps(id)).toEqual(['referred', 'rejected', 'undone', 'approved', 'admitted'])
    expect(
      await rows(
        stage,
        `select note_sealed like '%想起来%' as plain from join_decisions where request_id = ${id} and step = 'undone'`,
      ),
    ).toEqual([{ plain: false }])
  })

  test('the process dies between decision and code: the code goes out after all, once', async () => {
    const { name, phone } = next()
    const person = somebody(name)
    await ask(person, `${name} ${phone}`)
    // a worker took the message and died with it
    await stage.rt.db.execute(
      `update outgoing_messages set status = 'sending', claimed_at = '2026-01-01', attempts = 1 where kind = 'join_pass' and status = 'pending'`,
    )
    await recoverInFlight(stage.rt)
    await deliverDue(stage.rt)
    await stage.settle()
    await stage.sim.joinByCode(passOf(person), person.id)
    await afterEvents(stage)
    await runRequests(stage.rt)
    expect(await openWays()).toBe(0)
  })

  test('a code runs out after a week, and a new one is had for the asking', async () => {
    const { name, phone } = next()
    const person = somebody(name)
    await ask(person, `${name} ${phone}`)
    await stage.settle()
    const code = passOf(person)
    stage.clock.advance(7 * 86_400_000 + 3_700_000)
    await runRequests(stage.rt)
    await expect(stage.sim.joinByCode(code, person.id)).rejects.toThrow('二维码无效')
    expect(await ask(person, `${name} ${phone}`)).toContain('审核通过')
    await stage.settle()
    expect(passOf(person)).not.toBe(code)
  })

  test('a full group: the next of its kind at the same unit; none with room: it waits, the owner is told once a day', async () => {
    const [one, two] = [next(), next()]
    await runRequests(stage.rt)
    await stage.rt.db.execute(`update groups set size = capacity where id = ${branch.number}`)
    expect(await ask(somebody(one.name), `${one.name} ${one.phone}`)).toMatch(
      /“榆阳区第一团支部”已满员，请进同一单位的“榆阳支部微信群”。入群方式：/,
    )
    expect(await request(await lastRequest())).toMatchObject({ admitted_to: String(wechat) })
    await stage.rt.db.execute(`update groups set size = capacity where id = ${wechat}`)
    const owner = newsFor(stage, zhou)
    const person = somebody(two.name)
    expect(await ask(person, `${two.name} ${two.phone}`)).toContain('有空位时会自动')
    await stage.settle()
    expect(owner().join()).toContain('1 位已通过审核的同志在等空位')
    expect(await runRequests(stage.rt)).toBe(0)
    const told = newsFor(stage, person)
    await stage.rt.db.execute(`update groups set size = 3 where id in (${branch.number}, ${wechat})`)
    expect(await runRequests(stage.rt)).toBe(1)
    await stage.settle()
    expect(told().join()).toMatch(/有空位了。审核通过[\s\S]*入群码（/)
    expect(await steps(await lastRequest())).toEqual(['approved', 'awaits_room', 'admitted'])
  })

  test('several accounts that ask in one name: the owner is told once, the askers nothing, and the true one meets a human', async () => {
    const { name, phone } = next()
    const owner = newsFor(stage, zhou)
    const answers: string[] = []
    for (let time = 0; time < 4; time++)
      answers.push(await ask(somebody('猜的'), `${name} 1370000${1000 + time}`))
    expect(new Set(answers.map(answer => answer.replace(/\d+/g, ''))).size).toBe(1)
    await stage.settle()
    expect(owner().filter(text => text.includes('的名义申请'))).toHaveLength(1)
    const person = somebody(name)
    const answer = await ask(person, `${name} ${phone}`)
    expect(answer).toBe(`申请（编号 ${numberIn(answer)}）已转本单位负责同志核实，有结果会告诉您。`)
    expect(await request(numberIn(answer))).toMatchObject({ decision: 'referred', reason: 'contested' })
    expect(await say(zhou, `同意 ${numberIn(answer)}`)).toContain(`已同意${name}`)
    // from their own account, known now, nobody can shut them out any more
    await ask(somebody('又猜'), `${name} 13700009999`)
    expect(await ask(person, `${name} ${phone}`, wechat)).toContain('审核通过')
  })

  test('the answer does not say whether somebody is on the roster', async () => {
    const { name } = next()
    const known = await ask(somebody('甲'), `我叫${name}`)
    const unknown = await ask(somebody('乙'), `我叫欧阳长风`)
    const wrongPhone = await ask(somebody('丙'), `${name} 13712345678`)
    const plain = (answer: string) => answer.replace(/编号 \d+/, '')
    expect(plain(known)).toBe(plain(unknown))
    expect(plain(wrongPhone)).toBe(plain(unknown))
    // nor does asking twice
    const person = somebody('丁')
    const first = await ask(person, '我叫欧阳长风')
    expect(await ask(person, '我叫欧阳长风')).toBe(first)
  })

  test('a second account of somebody who is known meets a human, also when both ask at once', async () => {
    const { name, phone } = next()
    const [one, two] = [somebody(name), somebody(name)]
    const answers = await Promise.all([ask(one, `${name} ${phone}`), ask(two, `${name} ${phone}`)])
    expect(answers.filter(answer => answer.includes('审核通过'))).toHaveLength(1)
    expect(answers.filter(answer => answer.includes('已转本单位负责同志核实'))).toHaveLength(1)
  })

  test('where only the owner can let somebody in: name, nickname and one tap, after which nobody is missed', async () => {
    const byHand = groupNumber(await say(zhou, '建群 团支部群 微信群 3人 拉人群 入群码 拉人'))
    const { name, phone } = next()
    expect(await ask(somebody(name), `${name} ${phone}`, byHand)).toContain('群主周支书拉您入群')
    await stage.settle()
    const card = cardOf(zhou, `【请拉人入群】${name}`)
    expect(card.text).toContain(`榆阳区第一团支部-${name}`)
    const [button] = card.card?.buttons ?? []
    expect(button?.text).toBe('已拉入群')
    const [answer] = await stage.sim.tapCard(zhou.id, card.id, button?.key ?? '')
    expect(answer?.text).toContain('已登记为完成')
    await stage.settle()
    expect(card.card?.replacedText).toBe('已办好')
    expect(
      await rows(stage, `select closed_by from tasks where group_id = ${byHand} and kind = 'invite_member'`),
    ).toEqual([{ closed_by: 'word' }])
    // the approval was wrong after all
    expect(await say(zhou, `撤销 ${await lastRequest()} 冒名的`)).toContain('此人已在群里')
    expect(
      await rows(
        stage,
        `select kind from tasks where group_id = ${byHand} and kind <> 'invite_member' and closed_at is null and why like '%撤销%'`,
      ),
    ).toEqual([{ kind: 'remove_member' }])
    await say(zhou, `解散 ${byHand}`)
  })

  test('a group of the app: the server adds a member of the corp itself, and nobody from outside', async () => {
    const made = await say(zhou, '建群 团支部群 应用群 3人 榆阳应用群')
    const number = Number(/群号 (\d+)/.exec(made)?.[1])
    expect(number, made).toBeGreaterThan(0)
    const { name, phone } = next()
    const colleague = stage.sim.addPerson({ name, wecomUserId: `member-${name}` })
    // somebody of the corp must be in it for it to be made
    await stage.settle()
    const [group] = await rows<{ chat_id: string | null; unit_id: string }>(
      stage,
      `select chat_id, unit_id from groups where id = ${number}`,
    )
    expect(group?.chat_id).toBeTruthy()
    expect(await ask(colleague, `${name} ${phone}`, number)).toContain('系统马上把您加进群')
    await stage.settle()
    expect(stage.sim.group(group?.chat_id ?? '').members.has(colleague.id)).toBe(true)
    expect(
      await rows(
        stage,
        `select address from group_members where group_id = ${number} and address = 'member-${name}'`,
      ),
    ).toHaveLength(1)
  })

  test('a flood of requests: the owner gets some, is told once, and the rest wait in the list', async () => {
    const names = Array.from({ length: 6 }, () => next())
    const owner = newsFor(stage, zhou)
    let asked = 0
    for (const { name } of names)
      for (let time = 0; time < 4; time++) {
        await ask(somebody('灌水的'), `我叫${name}，第${time}次`)
        if (++asked % 6 === 0) {
          stage.clock.advance(61_000)
          await stage.settle()
        }
      }
    await stage.settle()
    const told = owner()
    const open = Number(
      (
        await rows<{ n: number }>(
          stage,
          `select count(*)::int as n from join_requests where group_id = ${branch.number} and decision = 'referred'`,
        )
      )[0]?.n,
    )
    expect(open).toBeGreaterThan(20)
    expect(told.filter(text => text.includes('今天不再逐条提醒'))).toHaveLength(1)
    expect(told.filter(text => text.includes('【入群申请 '))).toHaveLength(20 - (open - asked))
    expect(await say(zhou, '待审')).toContain(`有 ${open} 个入群申请`)
  })
})

describe('groups of several kinds and programmes', () => {
  let stage: Stage
  let nation: SimPerson
  let zhao: SimPerson
  let zhou: SimPerson
  let wang: SimPerson
  let serial = 0
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const somebody = (name: string) => stage.sim.addPerson({ name, openId: `o-kinds-${++serial}` })
  const last = async () =>
    (
      await rows<{ id: string; decision: string; reason: string }>(
        stage,
        'select id, decision, reason from join_requests order by id desc limit 1',
      )
    )[0]

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    // a member of the township's committee is a volunteer of the branch, too
    const result = await importCsv(
      stage,
      'qingnong',
      `单位编码,姓名,手机号,角色,职务,状态
610802101,王镇川,13900000011,乡镇团委成员,团委书记,在岗
610802101,张思雨,13800000006,乡镇团委成员,委员,在岗
`,
    )
    if (!result.isApplied) throw new Error(JSON.stringify(result.problems))
    nation = somebody('全国办')
    zhao = stage.sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    wang = somebody('王镇川')
    await bindFirst(stage, nation, 'xibu', '000000')
    await bindFirst(stage, zhao, 'xibu', '610802')
    await bindFirst(stage, wang, 'qingnong', '610802101')
    zhou = somebody('周支书')
    await bindThrough(stage, zhao, zhou)
  })
  afterAll(() => stage.close())

  test('the group of the teaching corps is for the teaching corps', async () => {
    const group = groupNumber(
      await say(zhao, '建群 研究生支教团联络群 微信群 3人 榆阳支教群 入群码 https://example.cn/t'),
    )
    expect(await say(somebody('古丽'), `入群 ${group} 阿依古丽·买买提 13800000007`)).toContain('审核通过')
    expect(await say(somebody('思雨'), `入群 ${group} 张思雨 13800000006`)).toContain('不在本群的成员范围内')
    expect(await last()).toMatchObject({ decision: 'rejected', reason: 'wrong_group' })
    expect(await say(somebody('县办'), `入群 ${group} 周支书 13800000005`)).not.toContain('审核通过')
  })

  test('one person of two programmes is let into a group of each, from one account', async () => {
    const cadres = groupNumber(
      await say(wang, '建群 乡镇青农群 微信群 3人 青农镇川 入群码 https://example.cn/c'),
    )
    const branch = groupNumber(
      await say(zhou, '建群 团支部群 微信群 3人 榆阳支部群 入群码 https://example.cn/b'),
    )
    const siyu = somebody('张思雨')
    expect(await say(siyu, `入群 ${cadres} 张思雨 13800000006`)).toContain('审核通过')
    expect(await say(siyu, `入群 ${branch} 张思雨 13800000006`)).toContain('审核通过')
    // who is of one programme only is nobody in the other
    expect(await say(somebody('别人'), `入群 ${cadres} 阿依古丽·买买提 13800000007`)).toContain(
      '还不能自动通过',
    )
    expect(await last()).toMatchObject({ decision: 'rejected', reason: 'not_on_roster' })
    expect(
      await rows(
        stage,
        "select count(distinct m.person_id)::int as persons, count(*)::int as places from group_members m join persons p on p.id = m.person_id where p.name = '张思雨'",
      ),
    ).toEqual([{ persons: 1, places: 2 }])
  })

  test('a work group of the nation lets nobody in without a human, who answers in the Official Account by number', async () => {
    const group = groupNumber(
      await say(nation, '建群 全国工作群 微信群 3人 全国工作群 入群码 https://example.cn/n'),
    )
    const news = newsFor(stage, nation)
    const chen = somebody('陈省办')
    const told = newsFor(stage, chen)
    expect(await say(chen, `入群 ${group} 陈省办 13800000002`)).toContain('已转本单位负责同志核实')
    const request = await last()
    expect(request).toMatchObject({ decision: 'referred', reason: 'human_only' })
    await stage.settle()
    expect(news().join()).toContain(`请核实后回复：同意 ${request?.id}`)
    expect(await say(nation, `同意 ${request?.id}`)).toContain('已同意陈省办加入')
    await stage.settle()
    expect(told().join()).toContain('审核通过')
  })

  test('nobody approves themself', async () => {
    const group = groupNumber(await say(zhou, '建群 团支部群 微信群 3人 备用群 入群码 https://example.cn/s'))
    await stage.rt.db.execute(`update groups set owner_id = null where id = ${group}`)
    await say(zhao, `入群 ${group} 我叫赵县办`)
    const request = await last()
    expect(request).toMatchObject({ decision: 'referred' })
    expect(await say(zhao, `同意 ${request?.id}`)).toContain('自己的申请不能自己同意')
  })

  test('who leaves the roster while waiting for room is not let in when there is some', async () => {
    const [group] = await rows<{ id: string }>(
      stage,
      "select id from groups where kind = 'graduate-teaching'",
    )
    await stage.rt.db.execute(`update groups set size = capacity where id = ${group?.id}`)
    await stage.rt.db.execute(
      `update group_members set left_at = now() where group_id = ${group?.id} and left_at is null`,
    )
    const girl = stage.sim.persons().find(each => each.name === '古丽') as SimPerson
    expect(await say(girl, `入群 ${group?.id} 阿依古丽·买买提 13800000007`)).toContain('有空位时会自动')
    await stage.rt.db.execute(
      `update roster_entries set status = '离岗' where person_id = (select person_id from join_requests order by id desc limit 1)`,
    )
    await stage.rt.db.execute(`update groups set size = 3 where id = ${group?.id}`)
    const told = newsFor(stage, girl)
    await runRequests(stage.rt)
    await stage.settle()
    expect(told().join()).toContain('名册现在显示您不在本群范围内')
    expect(await last()).toMatchObject({ decision: 'rejected', reason: 'service_ended' })
  })
})
