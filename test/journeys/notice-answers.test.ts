import exceljs from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NoticeAsk } from '../../db/queries/notices.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import type { KnownActor } from '../../server/domain/actor.ts'
import { answerNotice } from '../../server/domain/notices/answers.ts'
import { correctNotice } from '../../server/domain/notices/correct.ts'
import { issueNotice } from '../../server/domain/notices/issue.ts'
import { inTransaction } from '../../server/runtime.ts'
import { actorNamed } from '../server/api/client.ts'
import { signIn, type Visitor, visitorWith } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { docxOf } from '../support/office-files.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** A county asks its townships, they answer in the chat and on the page, and the numbers come together above. */
describe('a notice asks, and the units answer', () => {
  let stage: Stage
  const people: Record<'city' | 'county' | 'other' | 'wang' | 'ma', SimPerson> = {} as never
  const units: Record<string, number> = {}
  const visitors: Record<string, Visitor> = {}

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim, say } = stage
    people.city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    people.county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    people.other = sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    people.wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    people.ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    await bindFirst(stage, people.city, 'qingnong', '610800')
    for (const person of [people.county, people.other]) await bindThrough(stage, people.city, person)
    for (const person of [people.wang, people.ma]) await bindThrough(stage, people.county, person)
    await say(people.wang.id, '建群 团青群 微信群 86人 镇川青年之家 入群码 https://example.cn/1')
    await say(people.wang.id, '建群 团青群 微信群 40人 镇川电商 入群码 拉人')
    await say(people.ma.id, '建群 团青群 微信群 30人 麻黄梁青年 入群码 拉人')
    await say(people.other.id, '建群 县级青农群 微信群 12人 青农定边 入群码 拉人')
    await say(people.county.id, '建群 县级青农群 微信群 20人 青农榆阳 入群码 拉人')
    for (const { id, code } of await rows<{ id: string; code: string }>(
      stage,
      `select id, code from units where programme = 'qingnong'`,
    ))
      units[code] = Number(id)
    for (const name of ['高市书', '林县书', '丁县书', '王镇川', '马黄梁'])
      visitors[name] = await signIn(stage, name)
  })
  afterAll(() => stage.close())

  async function issue(
    author: string,
    unit: string,
    ask: NoticeAsk,
    body = '请各单位报送情况。',
  ): Promise<number> {
    const actor = await actorNamed(stage, author)
    const { id } = await inTransaction(stage.rt, tx =>
      issueNotice(tx, actor, {
        unitId: units[unit] as number,
        body,
        category: '政策法规',
        importance: 'normal',
        ask,
      }),
    )
    await stage.settle()
    return id
  }
  const count = async (query: string) =>
    Number((await rows<{ n: string }>(stage, `select count(*) as n from ${query}`))[0]?.n)

  test('a notice for one unit is unknown in the unit beside it, and known there and above', async () => {
    const [ma] = await rows<{ unit_id: string }>(
      stage,
      `select unit_id from groups where name = '麻黄梁青年'`,
    )
    const actor = await actorNamed(stage, '高市书')
    const { id } = await inTransaction(stage.rt, tx =>
      issueNotice(tx, actor, {
        unitId: units['610800'] as number,
        body: '只给麻黄梁的话。',
        category: '其他',
        importance: 'normal',
        audience: { unitIds: [Number(ma?.unit_id)] },
      }),
    )
    await stage.settle()
    for (const [name, who, knows] of [
      ['王镇川', people.wang, false],
      ['丁县书', people.other, false],
      ['马黄梁', people.ma, true],
      ['林县书', people.county, true],
      ['高市书', people.city, true],
    ] as const) {
      expect((await stage.say(who.id, `通知 ${id}`)).includes('只给麻黄梁'), name).toBe(knows)
      const visitor = visitors[name] as Visitor
      expect((await visitor.get(`/console/notices/${id}`)).status === 200, name).toBe(knows)
      expect((await visitor.get('/console/notices')).text.includes('只给麻黄梁'), name).toBe(knows)
      expect((await visitor.get(`/n/${id}`)).status === 404, name).toBe(!knows)
      if (!knows) expect(await stage.say(who.id, '出处 〔陕-0001〕')).toContain('没有查到')
    }
  })

  test('a number is answered in the chat, changed, and adds up for the office above', async () => {
    const id = await issue('高市书', '610800', { kind: 'number', question: '参加培训多少人', measure: '人' })
    const { wang, ma, county, other } = people
    expect(await stage.say(wang.id, '答')).toContain(`${id}　榆林市问：参加培训多少人（请答一个数字（人））`)
    expect(await stage.say(wang.id, '答 三十多')).toContain('没有看懂“三十多”')
    expect(await stage.say(wang.id, '答 38')).toContain(`已记下：镇川镇对通知 ${id} 的答复是“38人”`)
    expect(await stage.say(wang.id, '答 40')).toContain(`请写上编号，如：答 ${id}`)
    expect(await stage.say(wang.id, `答 ${id} 四十人`)).toContain('已改为：镇川镇')
    // the same once more is no change
    expect(await stage.say(wang.id, `答 ${id} 40`)).toContain('已记下')
    expect(await stage.say(ma.id, `答 ${id} 没有`)).toContain('麻黄梁镇')
    expect(await stage.say(county.id, `答 ${id} 5`)).toContain('榆阳区')
    expect(await count(`notice_answers where notice_id = ${id}`)).toBe(4)
    expect(
      await rows(
        stage,
        `select u.name, a.amount::int as amount from notice_answers a join units u on u.id = a.unit_id where notice_id = ${id} and replaced_at is null order by u.path`,
      ),
    ).toEqual([
      { name: '榆阳区', amount: 5 },
      { name: '镇川镇', amount: 40 },
      { name: '麻黄梁镇', amount: 0 },
    ])
    // sealed: what was written is nowhere in the clear
    expect(await count(`notice_answers where answer_sealed in ('40', '38')`)).toBe(0)

    const page = (await visitors.高市书?.get(`/console/notices/${id}/answers`))?.text ?? ''
    expect(page).toMatch(/<b>45<\/b><span>合计（人）/)
    expect(lineOf(page, '榆阳区')).toMatch(/3\/3.*<td class="number">45<\/td>/s)
    expect(lineOf(page, '定边县')).toContain('0/1')
    // who has not answered, and how to reach them
    expect(page).toMatch(/团县委副书记丁县书 <span class="tag good">企业微信叫得到/)
    expect(page).toContain(`href="/console/notices/new?unanswered=${id}&amp;unit=${units['610800']}"`)
    const answered = (await visitors.高市书?.get(`/console/notices/${id}/answers?show=answered`))?.text ?? ''
    expect(answered).toContain('改过 1 次')
    const before = await visitors.高市书?.get(
      `/console/notices/${id}/answers?show=answered&history=${units['610802101']}`,
    )
    expect(before?.text).toMatch(/38人.*已被后来的代替/s)
    expect(await stage.say(other.id, `回执 ${id}`)).toContain('已答复 0/1 个单位：参加培训多少人')
    expect(await stage.say(people.city.id, `回执 ${id}`)).toContain('已答复 3/4 个单位')
  })

  test('each sees the answers of their own subtree, and nobody those beside', async () => {
    const [{ id } = { id: 0 }] = await rows<{ id: number }>(stage, 'select max(id)::int as id from notices')
    const county = (await visitors.林县书?.get(`/console/notices/${id}/answers?show=answered`))?.text ?? ''
    expect(county).toContain('镇川镇')
    expect(county).not.toContain('定边')
    const township = (await visitors.王镇川?.get(`/console/notices/${id}/answers?show=answered`))?.text ?? ''
    expect(township).not.toContain('麻黄梁')
    expect(
      (await visitors.林县书?.get(`/console/notices/${id}/answers?unit=${units['610825']}`))?.status,
    ).toBe(404)
    const other = (await visitors.丁县书?.get(`/console/notices/${id}/answers?show=answered`))?.text ?? ''
    expect(other).toContain('还没有单位答复')
    const drilled = await visitors.高市书?.get(`/console/notices/${id}/answers?unit=${units['610802']}`)
    expect(drilled?.text).toContain('榆阳区本级')
  })

  test('the export has every unit, and the sums', async () => {
    const [{ id } = { id: 0 }] = await rows<{ id: number }>(stage, 'select max(id)::int as id from notices')
    const response = await fetch(`${stage.serverUrl}/console/notices/${id}/answers.xlsx`, {
      headers: { cookie: visitors.高市书?.cookie ?? '' },
    })
    const workbook = new exceljs.Workbook()
    await workbook.xlsx.load(await response.arrayBuffer())
    const lines = workbook.worksheets.map(sheet => {
      const found: string[] = []
      sheet.eachRow(row => found.push((row.values as unknown[]).slice(1, 4).join('|')))
      return [sheet.name, ...found]
    })
    expect(lines).toEqual([
      [
        '各单位答复',
        '单位|层级|答复（人）',
        '榆阳区|县级|5',
        '镇川镇|乡镇|40',
        '麻黄梁镇|乡镇|0',
        '定边县|县级|没有答',
      ],
      ['逐级合计', '单位（含下级）|应答单位|已答单位', ...(lines[1]?.slice(2) ?? [])],
    ])
    expect(lines[1]).toContain('合计|4|3')
    expect(await count(`audit_log where action = 'notice_answers.exported' and subject_id = ${id}`)).toBe(1)
  })

  test('a choice is answered by number or word, and counted', async () => {
    const id = await issue('林县书', '610802', {
      kind: 'choice',
      question: '准备好了吗',
      choices: ['已完成', '有困难'],
    })
    expect(await stage.say(people.ma.id, `答 ${id} 3`)).toContain('1 已完成、2 有困难')
    expect(await stage.say(people.ma.id, `答 ${id} 2`)).toContain('的答复是“有困难”')
    expect(await stage.say(people.wang.id, '答 已完成了')).toContain('的答复是“已完成”')
    const page = (await visitors.林县书?.get(`/console/notices/${id}/answers`))?.text ?? ''
    expect(page).toMatch(/<b>1<\/b><span>已完成/)
    expect(page).toMatch(/<b>1<\/b><span>有困难/)
  })

  test('who answers for two units is asked which, and says it with the name', async () => {
    const id = await issue('林县书', '610802', { kind: 'text', question: '进展如何' })
    const [group] = await rows<{ id: string }>(stage, `select id from groups where name = '麻黄梁青年'`)
    await rows(
      stage,
      `update groups set owner_id = (select id from persons where name = '林县书') where id = ${group?.id}`,
    )
    const county = people.county.id
    expect(await stage.say(county, `答 ${id} 都好`)).toContain('您要替 2 个单位答复：榆阳区、麻黄梁镇')
    expect(await stage.say(county, `答 ${id} 麻黄梁镇 都好`)).toContain(
      `麻黄梁镇对通知 ${id} 的答复是“都好”。\n还要替榆阳区答复`,
    )
    await rows(
      stage,
      `update groups set owner_id = (select id from persons where name = '马黄梁') where id = ${group?.id}`,
    )
    // and of another's notice there is nothing to say
    expect(await stage.say(people.other.id, `答 ${id} 都好`)).toContain(`没有编号是 ${id}、要您答复的通知`)
  })

  test('of personal data the sender is told before it is kept; secrets are not taken at all', async () => {
    const [{ id } = { id: 0 }] = await rows<{ id: number }>(stage, 'select max(id)::int as id from notices')
    const body = '名单：张三身份证号61080220010307312X'
    const before = await count('notice_answers')
    expect(await stage.say(people.wang.id, `答 ${id} ${body}`)).toMatch(
      /有个人信息.*\n.*再请您确认一次：.*\/n\/\d+/,
    )
    const visitor = visitors.王镇川 as Visitor
    const unit = String(units['610802101'])
    const refused = await visitor.post(`/me/notices/${id}/answer`, { unit, answer: body })
    expect(refused.status).toBe(422)
    expect(refused.text).toContain(`>${body}</textarea>`)
    expect(refused.text).toContain('name="sure"')
    expect(await count('notice_answers')).toBe(before)
    expect((await visitor.post(`/me/notices/${id}/answer`, { unit, answer: body, sure: 'yes' })).status).toBe(
      303,
    )
    expect(await count('notice_answers')).toBe(before + 1)
    const secret = { unit, answer: '【机密】省委组织部拟任人选名单，内部掌握，请勿外传', sure: 'yes' }
    const again = await visitor.post(`/me/notices/${id}/answer`, secret)
    expect([again.status, again.text.includes('中少办发〔2017〕4号 五.1')]).toEqual([422, true])
    // not for a unit that is none of theirs
    const wrong = await visitor.post(`/me/notices/${id}/answer`, {
      unit: String(units['610802102']),
      answer: '好',
    })
    expect(wrong.status).toBe(422)
    expect(await count('notice_answers')).toBe(before + 1)
  })

  test('a file is answered on the page, kept sealed, and taken by those above alone', async () => {
    const id = await issue('林县书', '610802', { kind: 'file', question: '请报活动方案' })
    expect(await stage.say(people.wang.id, `答 ${id} 见附件`)).toContain(`/n/${id}`)
    const visitor = visitors.王镇川 as Visitor
    expect((await visitor.get(`/me/notices/${id}`)).text).toContain('enctype="multipart/form-data"')
    const bytes = Buffer.from('方案：九月底前办三场')
    const sent = await visitor.upload(`/me/notices/${id}/answer`, { field: 'file', name: '方案.txt', bytes })
    expect([sent.status, sent.location]).toEqual([303, `/me/notices/${id}`])
    const [answer] = await rows<{ id: string }>(
      stage,
      `select id from notice_answers where notice_id = ${id}`,
    )
    const page = (await visitors.林县书?.get(`/console/notices/${id}/answers?show=answered`))?.text ?? ''
    expect(page).toContain(`href="/console/notice-answers/${answer?.id}/file">方案.txt`)
    const taken = await visitors.林县书?.get(`/console/notice-answers/${answer?.id}/file`)
    expect([taken?.status, taken?.text]).toEqual([200, bytes.toString()])
    const header = (name: string) => taken?.headers.get(name)
    expect([header('content-type'), header('x-content-type-options')]).toEqual([
      'text/plain; charset=utf-8',
      'nosniff',
    ])
    expect(header('content-disposition')).toMatch(/^attachment;/)
    expect((await visitors.丁县书?.get(`/console/notice-answers/${answer?.id}/file`))?.status).toBe(404)
    expect((await visitors.马黄梁?.get(`/console/notice-answers/${answer?.id}/file`))?.status).toBe(404)
    expect(await count(`notice_files where bytes_sealed like '%方案%'`)).toBe(0)
  })

  test('what a file is its bytes say: a page that calls itself a picture is text, and a program is not taken', async () => {
    const id = await issue('林县书', '610802', { kind: 'file', question: '请交材料' })
    const visitor = visitors.王镇川 as Visitor
    const send = (name: string, bytes: Buffer) =>
      visitor.upload(`/me/notices/${id}/answer`, { field: 'file', name, bytes })
    expect((await send('照片.png', Buffer.from('<svg onload="alert(1)">'))).status).toBe(303)
    expect(
      await rows(stage, `select name, mime from notice_files where notice_id = ${id} and kind = 'answer'`),
    ).toEqual([{ name: '照片.png.txt', mime: 'text/plain; charset=utf-8' }])
    for (const [name, bytes, words] of [
      ['看.txt', Buffer.from([0x4d, 0x5a, 0, 1, 2, 3, 0xff]), '这种文件不能交'],
      ['空.txt', Buffer.alloc(0), '这个文件是空的'],
      ['名单.docx', docxOf('张三 61080220010307312X'), '答复里有个人信息'],
      ['通报.docx', docxOf('机密★1年', '关于……的通报'), '可能有涉密或内部内容'],
    ] as const) {
      const refused = await send(name, bytes)
      expect([name, refused.status, refused.text.includes(words)]).toEqual([name, 422, true])
    }
    const sure = await visitor.upload(
      `/me/notices/${id}/answer`,
      { field: 'file', name: '名单.docx', bytes: docxOf('张三 61080220010307312X') },
      { sure: 'yes' },
    )
    expect(sure.status).toBe(303)
  })

  test('two at the same moment leave one that counts', async () => {
    const id = await issue('林县书', '610802', { kind: 'number', question: '几个' })
    const visitor = visitors.王镇川 as Visitor
    const unit = String(units['610802101'])
    const answers = await Promise.all(
      [1, 2, 3, 4].map(answer => visitor.post(`/me/notices/${id}/answer`, { unit, answer: String(answer) })),
    )
    expect(answers.map(answer => answer.status)).toEqual([303, 303, 303, 303])
    expect(await count(`notice_answers where notice_id = ${id}`)).toBe(4)
    expect(await count(`notice_answers where notice_id = ${id} and replaced_at is null`)).toBe(1)
  })

  test('what was taken back is not answered any more', async () => {
    const id = await issue('林县书', '610802', { kind: 'number', question: '几户' })
    await rows(stage, `update notices set withdrawn_at = now() where id = ${id}`)
    expect(await stage.say(people.wang.id, `答 ${id} 3`)).toMatch(/没有编号是|已经撤回/)
    const page = (await visitors.王镇川?.get(`/me/notices/${id}`))?.text ?? ''
    expect(page).toContain('请不要再转发')
    expect(page).not.toContain('id="answer"')
  })

  test('the short address leads through the login of the platform to the page, and says what to do otherwise', async () => {
    const id = await issue('林县书', '610802', { kind: 'text', question: '收到了吗' })
    const nobody = visitorWith(stage, '')
    const open = (agent: string) => nobody.get(`/n/${id}`, { 'user-agent': agent })
    const to = encodeURIComponent(`/n/${id}`)
    expect((await open('Mozilla/5.0 (iPhone) MicroMessenger/8.0 wxwork/4.1')).location).toBe(
      `/sign-in/wecom?to=${to}`,
    )
    expect((await open('Mozilla/5.0 (Android) MicroMessenger/8.0')).location).toBe(
      `/sign-in/official-account?to=${to}`,
    )
    expect((await open('Mozilla/5.0 (Windows NT 10.0)')).location).toBe(`/sign-in?to=${to}`)
    expect((await visitors.王镇川?.get(`/n/${id}`))?.location).toBe(`/me/notices/${id}`)
    expect((await visitors.高市书?.get(`/n/${id}`))?.location).toBe(`/console/notices/${id}`)
    const beside = await visitors.丁县书?.get(`/n/${id}`)
    expect([beside?.status, beside?.text.includes('群里的原文照样算数')]).toEqual([404, true])
    for (const path of ['/n/999999', '/n/x', '/n/1%20or%201=1'])
      expect((await visitors.王镇川?.get(path))?.status).toBe(404)
    // opened on the page is read, and counted where they are
    await visitors.王镇川?.get(`/me/notices/${id}`)
    await visitors.王镇川?.post(`/me/notices/${id}/acknowledge`)
    const page = (await visitors.林县书?.get(`/console/notices/${id}`))?.text ?? ''
    expect(page).toContain('人打开过，1 人点了“我已阅读”')
    expect(lineOf(page, '镇川镇')).toContain('1 人')
    expect(lineOf(page, '镇川电商')).toContain('1 人打开过，1 人说已读')
  })

  test('what who runs the unit has said stands above an owner; whoever gives way is told once, and it is all kept', async () => {
    const imported = await importCsv(
      stage,
      'qingnong',
      '单位编码,姓名,手机号,角色,职务,状态\n610802102,牛社长,13900000077,农村青年致富带头人,社长,在岗\n610802102,马黄梁,13900000013,乡镇团委成员,团委书记,在岗\n',
    )
    expect(imported.problems).toEqual([])
    const niu = stage.sim.addPerson({ name: '牛社长', wecomUserId: 'niu' })
    await bindThrough(stage, people.ma, niu)
    await rows(
      stage,
      `insert into groups (programme, kind, unit_id, name, platform, owner_id, capacity, size, created_at)
      select 'qingnong', 'youth', ${units['610802102']}, '村官的群', 'wechat', id, 500, 9, now() from persons where name = '牛社长'`,
    )
    const id = await issue('林县书', '610802', { kind: 'number', question: '几个村', measure: '个' })
    expect(await stage.say(niu.id, `答 ${id} 7`)).toContain('的答复是“7个”')
    expect(await stage.say(people.ma.id, `答 ${id} 9`)).toContain('已改为：麻黄梁镇')
    await stage.settle()
    const told = () => stage.received(niu.id).filter(text => text.includes('您替麻黄梁镇'))
    expect(told()).toEqual([
      expect.stringContaining(`对通知 ${id} 的答复“7个”，已由马黄梁改为“9个”。您的答复留在记录里`),
    ])
    expect(await stage.say(niu.id, `答 ${id} 8`)).toContain('负责同志已经答复过')
    // also not with the same words, and in the page's own words
    expect(await stage.say(niu.id, `答 ${id} 9`)).toMatch(/（马黄梁，.*群主的答复不能代替，没有记下/)
    // a manager corrects themselves and is not told so
    expect(await stage.say(people.ma.id, `答 ${id} 10`)).toContain('已改为')
    await stage.settle()
    expect(told()).toHaveLength(1)
    expect(stage.received(people.ma.id).some(text => text.includes('您替'))).toBe(false)
    const page = await visitors.林县书?.get(
      `/console/notices/${id}/answers?show=answered&history=${units['610802102']}`,
    )
    expect(page?.text).toMatch(/10个.*马黄梁（负责同志）.*9个.*马黄梁（负责同志）.*7个.*牛社长（群主）/s)
    expect((await (await signIn(stage, '牛社长')).get(`/me/notices/${id}`)).text).toContain(
      '马黄梁（负责同志）',
    )
  })

  test('at night nobody is woken to be told; a manager who says the same confirms it', async () => {
    const id = await issue('林县书', '610802', { kind: 'text', question: '进展' })
    const villager = (await actorNamed(stage, '牛社长')) as KnownActor
    const answer = (actor: KnownActor, written: string) =>
      answerNotice(stage.rt, actor, { noticeId: id, unitId: units['610802102'] as number, written })
    await answer(villager, '在办')
    await answer(await actorNamed(stage, '马黄梁'), '在办')
    await expect(answer(villager, '办好了')).rejects.toThrow('群主的答复不能代替')
    expect(await count(`notice_answers where notice_id = ${id}`)).toBe(2)
    stage.clock.set(new Date('2026-09-07T23:30:00+08:00'))
    const other = await issue('林县书', '610802', { kind: 'text', question: '进展二' })
    const reply = (actor: KnownActor, written: string) =>
      answerNotice(stage.rt, actor, { noticeId: other, unitId: units['610802102'] as number, written })
    await reply(villager, '在办')
    await reply(await actorNamed(stage, '马黄梁'), '办好了')
    const [told] = await rows<{ at: Date }>(
      stage,
      `select next_attempt_at as at from outgoing_messages where purpose = 'decision' and status = 'pending' order by id desc limit 1`,
    )
    expect(new Date(told?.at ?? 0)).toEqual(new Date('2026-09-08T07:00:00+08:00'))
    stage.clock.set(new Date('2026-09-08T09:00:00+08:00'))
    await stage.settle()
  })

  test('the number of the correction finds the question of the original', async () => {
    const id = await issue('林县书', '610802', { kind: 'number', question: '几场活动', measure: '场' })
    const correction = await correctNotice(stage.rt, await actorNamed(stage, '林县书'), {
      noticeId: id,
      body: '请各单位报送情况，截止改为周五。',
    })
    await stage.settle()
    expect(await stage.say(people.ma.id, `答 ${correction.id} 6`)).toContain(`对通知 ${id} 的答复是“6场”`)
    expect(await stage.say(people.ma.id, `答 ${correction.id}`)).toContain(`通知 ${id}，榆阳区问：几场活动`)
  })
})

/** The row of a table that begins with a name. */
function lineOf(page: string, name: string): string {
  const at = page.search(new RegExp(`<tr><td>(?:<a [^>]*>)?${name}`))
  return at < 0 ? '' : page.slice(at, page.indexOf('</tr>', at))
}
