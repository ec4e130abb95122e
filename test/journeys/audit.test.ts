import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimGroup, SimPerson } from '../../scripts/simulator/index.ts'
import { runRequests } from '../../server/jobs/look-after-requests.ts'
import {
  afterEvents,
  bindFirst,
  bindThrough,
  claimGroup,
  fillMatrix,
  groupNumber,
  newsFor,
  rows,
} from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('who is let in', () => {
  let stage: Stage
  let zhao: SimPerson
  let zhou: SimPerson
  let chen: SimPerson
  let liu: SimPerson
  let branch: { chat: SimGroup; number: number }
  let wechat: number
  let serial = 0
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const somebody = (name: string) =>
    stage.sim.addPerson({ name, openId: `o-${++serial}`, externalUserId: `wm-${serial}` })
  const ask = (person: SimPerson, text: string, group = branch.number) => say(person, `入群 ${group} ${text}`)
  const numberIn = (answer: string) => Number(/编号 (\d+)/.exec(answer)?.[1])
  const lastDecision = async () =>
    (
      await rows<{ decision: string; reason: string; decided_by: string | null }>(
        stage,
        'select decision, reason, decided_by from join_requests order by id desc limit 1',
      )
    )[0]
  const passOf = (person: SimPerson) =>
    /(https?:\/\/\S+)$/.exec(
      stage.received(person.id).findLast(text => text.includes('入群码（')) ?? '',
    )?.[1] ?? ''

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    zhao = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    zhou = sim.addPerson({ name: '周支书', wecomUserId: 'zhou', openId: 'o-zhou' })
    chen = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    await bindFirst(stage, liu, 'xibu', '610800')
    await bindFirst(stage, chen, 'qingnong', '610800')
    await bindThrough(stage, liu, zhao)
    await bindThrough(stage, zhao, zhou)
    branch = await claimGroup(stage, zhou, '榆阳区第一团支部', '团支部群')
    wechat = groupNumber(
      await say(zhou, '建群 团支部群 微信群 3人 榆阳支部微信群 入群码 https://weixin.example.cn/g/1'),
    )
  })
  afterAll(() => stage.close())

  test('name and phone that agree: let in with a code of their own, and known by it', async () => {
    const zhang = somebody('张思雨')
    expect(await ask(zhang, '我是志愿者张思雨，电话 138 0000 0006')).toContain('审核通过')
    await stage.settle()
    await stage.sim.joinByCode(passOf(zhang), zhang.id)
    await afterEvents(stage)
    expect(
      await rows(
        stage,
        `select p.name, m.known_by from group_members m join persons p on p.id = m.person_id where m.address = '${zhang.externalUserId}'`,
      ),
    ).toEqual([{ name: '张思雨', known_by: 'join_pass' }])
    expect(await say(zhou, '任务')).toContain('没有待办')
    expect(await ask(zhang, '张思雨 13800000006')).toContain('已在本群内')
  })

  test('a slip lands with the owner, who sees whom it may mean and no whole number, and says 同意', async () => {
    const news = newsFor(stage, zhou)
    const girl = somebody('古丽')
    const answer = await ask(girl, '阿依古丽·买买提 1380000000')
    expect(answer).toMatch(/申请（编号 \d+）收到了，按您填写的信息还不能自动通过/)
    const id = numberIn(answer)
    await stage.settle()
    const [slip] = news()
    expect(slip).toContain(`【入群申请 ${id}】`)
    expect(slip).toMatch(/名册.*：阿依古丽·买买提（榆阳区第一团支部/)
    expect(slip).not.toContain('1380000000')
    expect(await say(zhou, '待审')).toMatch(new RegExp(`${id}　榆阳区第一团支部`))
    expect(await say(zhou, '待审')).not.toContain('1380000000')
    const told = newsFor(stage, girl)
    expect(await say(zhou, `同意${id}号`)).toContain('已同意阿依古丽·买买提加入')
    await stage.settle()
    expect(told().join()).toMatch(/审核通过[\s\S]*入群码/)
    expect(await say(zhou, `同意 ${id}`)).toContain('已经处理过')
    expect(await say(zhao, `拒绝 ${id} 晚了`)).toContain('已经处理过')
    expect(await lastDecision()).toMatchObject({ decision: 'approved', decided_by: expect.anything() })
  })

  test('who was referred may add what was missing, and the first slip is taken back', async () => {
    const person = somebody('补充的')
    const first = numberIn(await ask(person, '张思雨'))
    expect(numberIn(await ask(person, '张思雨'))).toBe(first)
    const second = await ask(person, '张思雨 13800000006')
    expect(second).toContain('已转本单位负责同志核实') // her account is another one
    expect(await say(zhou, `同意 ${first}`)).toContain('已经处理过')
    await say(zhou, `拒绝 ${numberIn(second)} 请用原来的微信`)
  })

  test.each([
    ['somebody nobody knows', '欧阳长风 19900001111', 'not_on_roster', '还不能自动通过'],
    ['a volunteer of the next county', '张思雨 13800000009', 'wrong_group', '不在本群的成员范围内'],
    ['somebody who has left', '李晓东 13800000008', 'service_ended', '服务期已结束'],
  ])('%s is turned away with the class of the reason only', async (_who, text, reason, words) => {
    const answer = await ask(somebody('申请人'), text)
    expect(answer).toContain(words)
    expect(answer).not.toMatch(/\d{5,}/)
    expect(await lastDecision()).toMatchObject({ decision: 'rejected', reason })
  })

  test('拒绝 tells the reason; the applicant may ask again', async () => {
    const person = somebody('周某')
    const id = numberIn(await ask(person, '我叫张思雨'))
    const told = newsFor(stage, person)
    expect(await say(zhou, '拒绝')).toContain('请写上申请编号')
    expect(await say(zhou, `拒绝${id}，请写上手机号`)).toContain('已拒绝该申请')
    await stage.settle()
    expect(told()).toEqual([expect.stringContaining('群主说：请写上手机号')])
    expect(await ask(person, '张思雨 13800000006')).toContain('已转本单位负责同志核实')
  })

  test('two of one name: the owner must say which', async () => {
    const answer = await ask(somebody('两个人'), '我和阿依古丽·买买提两个人一起申请，张思雨 13800000006')
    const id = numberIn(answer)
    expect(await say(zhou, `同意 ${id}`)).toMatch(/可能是这几位[\s\S]*1：[\s\S]*2：/)
    expect(await say(zhou, `同意 ${id} 9`)).toContain('可能是这几位')
    expect(await say(zhou, `拒绝 ${id} 请分别申请`)).toContain('已拒绝')
  })

  test('nobody else decides, sees or guesses: another county, another programme, a volunteer', async () => {
    const id = numberIn(await ask(somebody('某人'), '我叫张思雨'))
    const volunteer = stage.sim.persons().find(each => each.name === '张思雨') as SimPerson
    await ask(volunteer, '张思雨 13800000006', wechat)
    for (const [person, text] of [
      [chen, `同意 ${id}`],
      [chen, `拒绝 ${id} 不行`],
      [chen, `核对 ${branch.number}`],
      [chen, `登记 ${branch.number} 政策 1条`],
      [chen, `换群主 ${branch.number} 高市书`],
      [chen, `入群码 ${branch.number} http://evil.example`],
    ] as const)
      expect(await say(person, text), text).toMatch(/没有权限/)
    expect(await say(volunteer, `同意 ${id}`)).toContain('由群主和组织工作人员使用')
    expect(await say(chen, '待审')).toContain('没有等您处理')
    expect(await say(zhao, '待审')).toContain(`${id}　`)
    expect(await say(zhao, `拒绝 ${id}`)).toContain('已拒绝')
  })

  test('a request binds no officer’s account, no owner’s and no second account, whoever approves it', async () => {
    const fake = somebody('自称书记')
    const answer = await ask(fake, '周支书 13800000005', wechat)
    expect(answer).toContain('已转本单位负责同志核实')
    await say(zhou, `同意 ${numberIn(answer)}`)
    await stage.settle()
    expect(await say(fake, '我的群')).toContain('要先绑定账号')
    expect(await rows(stage, `select person_id from identities where address = '${fake.openId}'`)).toEqual([
      { person_id: null },
    ])
  })

  test('an account that a request was believed for is no owner’s account', async () => {
    const volunteer = stage.sim.persons().find(each => each.name === '张思雨') as SimPerson
    expect(await say(volunteer, '我的群')).toContain('榆阳支部微信群')
    expect(await say(volunteer, '建群 团支部群 微信群 3人 我的支部 入群码 拉人')).toContain('没有权限')
    const spare = groupNumber(await say(zhou, '建群 团支部群 微信群 3人 备用群 入群码 拉人'))
    expect(await say(zhou, `换群主 ${spare} 张思雨`)).toContain('还没有用绑定码绑定账号')
    expect(await say(volunteer, '待审')).toContain('要先绑定账号')
    await say(zhou, `解散 ${spare}`)
  })

  test('eight requests a day are enough for an honest person', async () => {
    const guesser = somebody('猜名字的')
    for (let time = 0; time < 8; time++) await ask(guesser, `欧阳长风 1990000${1000 + time}`)
    expect(await ask(guesser, '张思雨 13800000006')).toContain('次数太多')
  })

  test('the dialogue asks once and takes the answer as it is typed', async () => {
    const person = somebody('慢慢来')
    expect(await say(person, '加群')).toContain('请写上群号')
    expect(await say(person, `申请入群：${branch.number}`)).toContain('请回复姓名和手机号')
    const [picture] = await stage.sim.sendImage(person.id)
    expect(picture?.text).toContain('请用文字回复')
    expect(await say(person, '姓名：欧阳长风\n手机：19900002222')).toContain('还不能自动通过')
    expect(await rows(stage, "select 1 from conversations where answers::text like '%1990%'")).toEqual([])
  })

  test('a member whom nobody knows becomes a task, and the reading closes it', async () => {
    const news = newsFor(stage, zhou)
    const intruder = stage.sim.addPerson({ name: '卖保险的', externalUserId: 'wm-intruder' })
    await stage.sim.joinGroup(branch.chat.id, intruder.id, { scene: 0 })
    await afterEvents(stage)
    expect(news()).toEqual([expect.stringContaining('有 1 位成员对不上名册')])
    const task = Number(/^(\d+)　/m.exec(await say(zhou, '任务'))?.[1])
    expect(await say(zhou, `完成 ${task}`)).toContain('自动销号')
    expect(await say(chen, `完成 ${task}`)).toContain('没有这个编号的任务')
    expect(await say(zhou, `核对 ${branch.number}`)).toMatch(/不该在群 1 人[\s\S]*多　/)
    await afterEvents(stage)
    expect(news()).toEqual([]) // asked once
    await stage.sim.leaveGroup(branch.chat.id, intruder.id, { removed: true })
    await afterEvents(stage)
    expect(await rows(stage, `select closed_by from tasks where id = ${task}`)).toEqual([
      { closed_by: 'reading' },
    ])
    expect(await say(zhou, '待办')).not.toContain('卖保险的')
  })

  test('a doubled event changes nothing', async () => {
    stage.sim.faults.on('duplicate-callbacks')
    const intruder = stage.sim.addPerson({ name: '又一个', externalUserId: 'wm-twice' })
    await stage.sim.joinGroup(branch.chat.id, intruder.id, { scene: 0 })
    await afterEvents(stage)
    stage.sim.faults.clear()
    expect(await rows(stage, "select 1 from tasks where address = 'wm-twice'")).toHaveLength(1)
    await stage.sim.leaveGroup(branch.chat.id, intruder.id)
    await afterEvents(stage)
  })

  test('a code that was handed on lets one in by name; a second at once is found, a third comes too late', async () => {
    const girl = stage.sim.persons().find(each => each.name === '古丽') as SimPerson
    const code = passOf(girl)
    const friend = stage.sim.addPerson({ name: '她的朋友', externalUserId: 'wm-friend' })
    await stage.sim.joinByCode(code, girl.id)
    await stage.sim.joinByCode(code, friend.id)
    await afterEvents(stage)
    // the job deletes the way that has let somebody in
    await runRequests(stage.rt)
    const late = stage.sim.addPerson({ name: '再一个朋友', externalUserId: 'wm-late' })
    await expect(stage.sim.joinByCode(code, late.id)).rejects.toThrow('二维码无效')
    expect(
      await rows(
        stage,
        "select t.kind, p.name from tasks t join persons p on p.id = t.person_id where address = 'wm-friend' and closed_at is null",
      ),
    ).toEqual([{ kind: 'pass_misused', name: '阿依古丽·买买提' }])
    await stage.sim.leaveGroup(branch.chat.id, friend.id)
    await afterEvents(stage)
  })

  test('somebody whose account is another’s does not become her by her code', async () => {
    await bindThrough(stage, liu, stage.sim.addPerson({ name: '赵县办', openId: 'o-zhao' }))
    const person = somebody('张思雨三号')
    // the county's own account scans a code that was made for a volunteer
    const id = numberIn(await ask(person, '张思雨'))
    await say(zhou, `同意 ${id}`)
    await stage.settle()
    await stage.sim.joinByCode(passOf(person), zhao.id)
    await afterEvents(stage)
    expect(
      await rows(
        stage,
        "select p.name, m.known_by from group_members m join persons p on p.id = m.person_id where m.address = 'zhao' and m.left_at is null",
      ),
    ).toEqual([{ name: '赵县办', known_by: 'binding' }])
  })

  test('核对: by the platform, by what is known, by a pasted 接龙 as the phone makes it', async () => {
    expect(await say(zhou, `核对 ${branch.number}`)).toMatch(
      /未进群 0 人，不该在群 0 人[\s\S]*成员由平台读取/,
    )
    expect(await say(zhou, `核对 ${wechat}`)).toMatch(/按审核登记核对/)
    const pasted = `#接龙\n榆阳支部在群成员\n\n1. 榆阳区第一团支部-张思雨\n2. 周支书\n3、陌生人\n4. 赵县办（县办）`
    const answer = await say(zhou, `核对 ${wechat}\n${pasted}`)
    expect(answer).toContain('应在并已在群 3 人，未进群 0 人，不该在群 1 人。另有 1 人在本单位同类的另一个群')
    expect(answer).not.toContain('缺　')
    expect(answer).toContain('多　陌生人')
    expect(await say(zhou, '核对')).toContain('请写上群号')
    expect(await say(zhou, '核对 一下')).toContain('请写上群号')
  })

  test('without a code the owner is asked to pull the person in, and says when it is done', async () => {
    const byHand = groupNumber(await say(zhou, '建群 团支部群 微信群 3人 拉人群 入群码 拉人'))
    const news = newsFor(stage, zhou)
    const girl = stage.sim.persons().find(each => each.name === '古丽') as SimPerson
    expect(await ask(girl, '阿依古丽·买买提 13800000007', byHand)).toContain('群主周支书拉您入群')
    await stage.settle()
    expect(news().join()).toContain('【请拉人入群】阿依古丽·买买提')
    const task = /^(\d+)　拉人群/m.exec(await say(zhou, '任务'))?.[1]
    expect(await say(zhou, `完成 ${task}`)).toContain('已登记为完成')
    expect(await say(zhou, `完成 ${task}`)).toContain('已经销号')
    await say(zhou, `解散 ${byHand}`)
  })

  test('a full group lets nobody in and tells the owner', async () => {
    await stage.rt.db.execute(`update groups set size = capacity where id in (${wechat}, ${branch.number})`)
    const news = newsFor(stage, zhou)
    const girl = stage.sim.persons().find(each => each.name === '古丽') as SimPerson
    expect(await ask(girl, '阿依古丽·买买提 13800000007', wechat)).toContain('已满员')
    await stage.settle()
    expect(news().join()).toMatch(/【群已满】“榆阳支部微信群”.*1 位已通过审核的同志在等空位/)
    const told = newsFor(stage, girl)
    expect(await runRequests(stage.rt)).toBe(0)
    await stage.rt.db.execute(`update groups set size = 3 where id = ${wechat}`)
    expect(await runRequests(stage.rt)).toBe(1)
    expect(await runRequests(stage.rt)).toBe(0)
    await stage.settle()
    expect(told()).toEqual([expect.stringMatching(/有空位了.*入群方式：/)])
  })

  test('a group without an owner: the request goes to those who run the unit', async () => {
    await stage.rt.db.execute(`update groups set owner_id = null where id = ${wechat}`)
    const news = newsFor(stage, zhou)
    expect(await ask(somebody('无主'), '张思雨', wechat)).toContain('还不能自动通过')
    await stage.settle()
    expect(news()).toEqual([expect.stringContaining('【入群申请')])
  })
})

describe('a 团青群 is open: people register themselves', () => {
  let stage: Stage
  let wang: SimPerson
  let open: number
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const city = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    const county = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    wang = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await bindThrough(stage, county, wang)
    open = groupNumber(await say(wang, '建群 团青群 微信群 86人 镇川青年 入群码 https://example.cn/q'))
  })
  afterAll(() => stage.close())

  test.each([
    ['张小明 在乡 务农', 'membersHome.farming'],
    ['李小红，外出，就学', 'membersAway.schooling'],
    ['刘小刚 1', 'membersHome.farming'],
    ['赵小美9', 'membersAway.other'],
    ['我叫孙小强 外出打工', 'membersAway.wageWork'],
    ['姓名：钱小宝\n在家种地', 'membersHome.farming'],
    ['阿依古丽·买买提 在乡 行政事业单位', 'membersHome.publicSector'],
  ])('%s', async (text, occupation) => {
    const person = stage.sim.addPerson({ name: text, openId: `o-${text.replace('\n', '-')}` })
    expect(await say(person, `入群 ${open} ${text}`)).toMatch(/登记好了[\s\S]*https:\/\/example\.cn\/q/)
    expect(await rows(stage, 'select occupation from registrations order by person_id desc limit 1')).toEqual(
      [{ occupation }],
    )
  })

  test.each(['张小明', '张小明 99', '在乡 务农', '13800000000', '张小明 不知道'])(
    '%s is asked again, then 取消 works',
    async text => {
      const person = stage.sim.addPerson({ name: text, openId: `o-again-${text}` })
      expect(await say(person, `入群 ${open} ${text}`)).toMatch(/姓名/)
      expect(await say(person, '取消')).toMatch(/取消|没有正在/)
    },
  )

  test('by a QR code with the group in it; who comes back is not counted twice, who unfollows neither', async () => {
    const person = stage.sim.addPerson({ name: '扫码的', openId: 'o-scan', follows: false })
    const [asked] = await stage.sim.follow(person.id, `g${open}`)
    expect(asked?.text).toContain('欢迎加入“镇川青年”')
    const before = (await rows(stage, 'select 1 from registrations')).length
    await say(person, '周小川 2')
    await say(person, `入群 ${open} 周小川 外出 创业`)
    await stage.sim.unfollow(person.id)
    await stage.sim.follow(person.id, `g${open}`)
    await say(person, '周小川 3')
    expect(await rows(stage, 'select 1 from registrations')).toHaveLength(before + 1)
    expect(await say(person, '待审')).toContain('由群主和组织工作人员使用')
  })

  test('核对 says that there is no roster for it', async () => {
    expect(await say(wang, `核对 ${open}`)).toContain('面向青年开放')
    expect(await say(wang, '核对')).toContain('面向青年开放')
  })
})
