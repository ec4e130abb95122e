import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { followFailedPost } from '../../server/domain/coach/not-out.ts'
import { choose } from '../../server/domain/coach/recommend.ts'
import { tellOwners } from '../../server/domain/coach/tell.ts'
import { inTransaction } from '../../server/runtime.ts'
import { signIn, type Visitor } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, groupNumber, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** A county keeps posts ready; owners in its townships are told what is lacking and pass them on with one word. */
describe('ready posts and the coach', () => {
  let stage: Stage
  let county: Visitor
  let wang: SimPerson
  let ma: SimPerson
  let he: SimPerson
  let wangGroup: number
  let robotGroup: number
  let unitId: number
  let chatId: string
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const at = (moment: string) => stage.clock.set(new Date(moment))
  const records = () =>
    rows<{ group_id: number; category: string; count: number; source: string; decided_by: string }>(
      stage,
      `select group_id::int, category, count, source, decided_by from message_records order by id`,
    )
  const write = (body: string, more: Record<string, string> = {}) =>
    county.post('/console/ready-posts', { unit: String(unitId), body, days: '14', ...more })
  const idOf = async (words: string) =>
    (await rows<{ id: number }>(stage, `select id::int from ready_posts where body like '%${words}%'`))[0]
      ?.id as number

  beforeAll(async () => {
    stage = await openStage({ start: '2026-09-07T09:00:00+08:00' })
    await fillMatrix(stage)
    const { sim } = stage
    const city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    const lin = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    const ding = sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    he = sim.addPerson({ name: '贺圈书', wecomUserId: 'he' })
    await bindFirst(stage, city, 'qingnong', '610800')
    for (const person of [lin, ding]) await bindThrough(stage, city, person)
    for (const person of [wang, ma]) await bindThrough(stage, lin, person)
    await bindThrough(stage, ding, he)
    wangGroup = groupNumber(await say(wang, '建群 团青群 微信群 86人 镇川青年 入群码 拉人'))
    await say(he, '建群 团青群 微信群 30人 贺圈青年 入群码 拉人')
    const internal = sim.createGroup({ kind: 'internal', name: '麻黄梁机器人群', ownerId: ma.id })
    chatId = internal.id
    const key = new URL(sim.addRobot(internal.id)).searchParams.get('key') as string
    robotGroup = groupNumber(await say(ma, '建群 团青群 微信群 40人 麻黄梁青年 入群码 拉人'))
    await rows(
      stage,
      `update groups set platform = 'internal', webhook_sealed = '${stage.rt.vault.seal(key)}' where id = ${robotGroup}`,
    )
    unitId = (
      await rows<{ id: number }>(
        stage,
        `select id::int from units where code = '610802' and programme = 'qingnong'`,
      )
    )[0]?.id as number
    county = await signIn(stage, '林县书')
  })
  afterAll(() => stage.close())

  test('the page suggests a category, and keeps what was written until it is looked at', async () => {
    const body = '【惠农】2026年农机购置补贴开始申请，带身份证到乡镇便民服务中心办理，政策咨询请找乡镇团委。'
    const asked = await write(body, { category: '' })
    expect(asked.status).toBe(200)
    expect(asked.text).toMatch(/看内容像“(政策法规|便民服务)”/)
    expect(asked.text).toContain('农机购置补贴')
    expect(await idOf('农机购置补贴')).toBeUndefined()
    expect((await write(body, { category: '政策法规' })).status).toBe(303)
    await write('医保缴费十月开始，手机上就能缴，不会的找村团支书。', { category: '便民服务' })
  })

  test.each([
    ['what is classified', '（机密）请各群不要外传这份名单', '涉密'],
    ['what holds personal data', '请联系张三，身份证号61080220010307312X，尽快办理', '个人信息'],
    ['what is no single message', '长'.repeat(700), '太长'],
    ['a link that leads nowhere', '看这里', '链接'],
  ])('%s is refused like in a notice, and nothing typed is lost', async (_, body, why) => {
    const answer = await write(body, {
      category: '其他',
      ...(why === '链接' ? { link: 'javascript:alert(1)' } : {}),
    })
    expect(answer.status).toBe(422)
    expect(answer.text).toContain(why)
    expect(answer.text).toContain(body.slice(0, 12))
  })

  test('nobody else writes in the county’s name', async () => {
    const other = await signIn(stage, '丁县书')
    const answer = await other.post('/console/ready-posts', {
      unit: String(unitId),
      body: '好',
      category: '其他',
      days: '7',
    })
    expect(answer.status).toBe(422)
    expect((await other.get('/console/ready-posts')).text).not.toContain('农机购置补贴')
  })

  test('on request an owner is told what their groups lack and what there is', async () => {
    const policy = await idOf('农机购置补贴')
    const answer = await say(wang, '推荐')
    expect(answer).toContain('「政策法规」0 条：镇川青年')
    expect(answer).toContain(`发 ${policy}`)
    expect(await say(wang, '推荐 便民')).toContain('医保缴费')
    expect(await say(wang, '推荐 娱乐')).toContain('还没有备好新闻娱乐')
    // another county offers nothing
    expect(await say(he, '推荐')).not.toContain('农机')
    expect(await say(he, `发 ${policy}`)).toContain('没有您可以转的备选')
  })

  test('发 gives the text as one message, 转 records it once', async () => {
    const policy = await idOf('农机购置补贴')
    const before = stage.received(wang.id).length
    await say(wang, `发 ${policy}`)
    await stage.settle()
    const [text = '', ask = ''] = stage.received(wang.id).slice(before)
    expect(text).toMatch(/^【惠农】.*乡镇团委。$/)
    expect(ask).toContain(`镇川青年（${wangGroup}）`)
    expect(await records()).toEqual([])
    expect(await say(wang, '转')).toBe('已登记：政策法规，1 个群各 1 条。谢谢！')
    const once = [
      { group_id: wangGroup, category: '政策法规', count: 1, source: 'forwarded', decided_by: 'person' },
    ]
    expect(await records()).toEqual(once)
    expect(await say(wang, `转备选 ${policy}`)).toContain('可能都登记过了')
    expect(await records()).toEqual(once)
    expect(await say(wang, '推荐')).not.toContain('「政策法规」')
    expect((await county.get('/console/ready-posts')).text).toContain('<td class="number">1</td>')
  })

  test('where a robot can post, the tap posts', async () => {
    const policy = await idOf('农机购置补贴')
    expect(await say(ma, `发 ${policy}`)).toBe(
      '正在发进麻黄梁青年，记为政策法规 1 条；发不进去会告诉您，不计数。',
    )
    await stage.settle()
    expect(JSON.stringify(stage.sim.group(chatId).posts)).toContain('农机购置补贴')
    expect((await records()).filter(row => row.group_id === robotGroup)).toHaveLength(1)
    expect(await say(ma, `发 ${policy}`)).toContain('没有您可以转的备选')
  })

  test('where the robot is gone it is taken back, and the owner forwards it; what they say then counts', async () => {
    await write('周六晚上县文化馆放电影，欢迎来看。', { category: '新闻娱乐' })
    const film = await idOf('放电影')
    const counted = async () => (await records()).filter(row => row.group_id === robotGroup && row.count > 0)
    const before = await counted()
    const [group] = await rows<{ webhook: string }>(
      stage,
      `select webhook_sealed as webhook from groups where id = ${robotGroup}`,
    )
    const robotIs = (sealed: string | undefined) =>
      rows(stage, `update groups set webhook_sealed = '${sealed}' where id = ${robotGroup}`)
    await robotIs(stage.rt.vault.seal('gone'))
    expect(await say(ma, `发 ${film}`)).toContain('正在发进麻黄梁青年')
    const news = newsFor(stage, ma)
    await stage.settle()
    const [text, told] = news()
    expect(text).toContain('周六晚上县文化馆')
    expect(told).toContain(`备选 ${film} 没有发进“麻黄梁青年”，记的 1 条先收回了`)
    expect(told).toContain(`转备选 ${film} ${robotGroup}`)
    expect(await counted()).toEqual(before)
    expect(await say(ma, `转备选 ${film} ${robotGroup}`)).toContain('已登记：新闻娱乐，1 个群各 1 条')
    expect(await counted()).toHaveLength(before.length + 1)
    await robotIs(group?.webhook)
  })

  test('where nobody knows whether it is there, it counts when the owner has looked; in a closed month it is told', async () => {
    await write('周日上午在广场有招聘会。', { category: '便民服务' })
    const fair = await idOf('招聘会')
    await say(ma, `发 ${fair}`)
    const [post] = await rows<{ id: number }>(
      stage,
      `update outgoing_messages set status = 'unknown' where id = (select max(id) from outgoing_messages where kind = 'robot')
       returning id::int`,
    )
    await rows(
      stage,
      `insert into closed_months (programme, month, closed_at) values ('qingnong', '2026-09', now())`,
    )
    const news = newsFor(stage, ma)
    for (const _ of [1, 2]) await inTransaction(stage.rt, tx => followFailedPost(tx, post?.id as number))
    await stage.settle()
    const told = news()
    expect(told).toHaveLength(2)
    expect(told[1]).toContain('不知道有没有发进“麻黄梁青年”')
    expect(await rows(stage, 'delete from late_changes returning effect')).toEqual([
      { effect: { 'messages.services': -1 } },
    ])
    await rows(stage, 'delete from closed_months')
    expect((await records()).at(-1)).toMatchObject({ group_id: robotGroup, count: 0 })
    for (const id of [fair, await idOf('放电影')]) await county.post(`/console/ready-posts/${id}/end`)
  })

  test('发3条 and 推荐 before a text are no command of it', async () => {
    const medical = await idOf('医保缴费')
    expect(await say(ma, `发${medical}条`)).toContain('没有明白')
    const text = '推荐 一部好电影：今晚八点县文化馆放映，欢迎大家带上小板凳来看。'
    expect(await say(ma, text)).toContain('要登记这条消息吗')
    await say(ma, '否')
    expect(await say(ma, '推荐 天气')).toContain('请写类别')
  })

  test('by itself it says so once a week, on working days, says why, and can be switched off', async () => {
    const tell = async (moment: string) => {
      at(moment)
      const before = [wang, ma, he].map(person => stage.received(person.id).length)
      await tellOwners(stage.rt)
      await tellOwners(stage.rt)
      await stage.settle()
      return [wang, ma, he].map((person, index) => stage.received(person.id).slice(before[index]))
    }
    // the first days of the month, and a Saturday
    expect(await tell('2026-09-07T10:20:00+08:00')).toEqual([[], [], []])
    expect(await tell('2026-09-12T10:20:00+08:00')).toEqual([[], [], []])
    const [toWang = [], toMa = [], toHe = []] = await tell('2026-09-14T10:20:00+08:00')
    expect(toHe).toEqual([])
    expect(toMa).toHaveLength(1)
    expect(toWang).toHaveLength(1)
    expect(toWang[0]).toContain('「便民服务」0 条：镇川青年')
    expect(toWang[0]).toContain('附件3')
    expect(toWang[0]).toContain('推荐 关')
    expect(await tell('2026-09-18T10:20:00+08:00')).toEqual([[], [], []])
    expect(await say(ma, '推荐 关')).toContain('已关掉')
    // a session does not last for a week
    county = await signIn(stage, '林县书')
    await write('今年秋季征兵开始报名，网上登记。', { category: '便民服务' })
    const [again = [], off = []] = await tell('2026-09-21T10:20:00+08:00')
    expect(again).toHaveLength(1)
    expect(off).toEqual([])
  })

  test('what was stopped is offered to nobody, and what was passed on stays counted', async () => {
    const post = await idOf('秋季征兵')
    expect((await county.post(`/console/ready-posts/${post}/end`)).status).toBe(303)
    expect(await say(wang, '推荐 便民')).not.toContain('征兵')
    expect(await say(wang, `转备选 ${post}`)).toContain('已经过期')
  })
})

test('the category that most groups lack comes first, and only what is of use', () => {
  const lacking = [
    { ownerId: 1, groupId: 1, groupName: '甲', categories: ['政策法规', '便民服务'] },
    { ownerId: 1, groupId: 2, groupName: '乙', categories: ['便民服务'] },
  ]
  const post = (id: number, category: string, groupIds = [1, 2]) => ({
    ownerId: 1,
    id,
    category,
    body: '',
    link: null,
    unitName: '',
    groupIds,
  })
  const five = [
    post(5, '便民服务'),
    post(4, '便民服务'),
    post(3, '政策法规'),
    post(2, '便民服务'),
    post(1, '便民服务'),
  ]
  expect(choose(lacking, five, null).posts.map(each => each.id)).toEqual([5, 4, 2])
  // what the lacking group has had already helps nobody
  expect(choose(lacking, [post(9, '政策法规', [2])], null).posts).toEqual([])
  expect(choose(lacking, [post(9, '新闻娱乐')], '新闻娱乐').posts.map(each => each.id)).toEqual([9])
})
