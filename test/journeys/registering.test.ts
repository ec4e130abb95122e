import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { dayOf } from '../../server/clock.ts'
import { askForPosts, roundOf } from '../../server/domain/messages/ask.ts'
import { CATEGORIES } from '../../server/domain/messages/categories.ts'
import { classifyMessage } from '../../server/domain/messages/classify.ts'
import { correctionsForTraining } from '../../server/domain/messages/corrections.ts'
import { isSureEnough } from '../../server/domain/messages/record-rules.ts'
import { shippedClassifier } from '../../server/domain/messages/shipped.ts'
import { eraseOwn } from '../../server/domain/privacy/erase.ts'
import { fetchPictures } from '../../server/jobs/fetch-pictures.ts'
import { lookAfterActivities } from '../../server/jobs/look-after-activities.ts'
import { daysToRead, readChatStatistics } from '../../server/jobs/read-chat-statistics.ts'
import { personId, signIn } from '../support/console.ts'
import { bindFirst, bindThrough, claimGroup, fillMatrix, groupNumber, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0])
const picture = (words: string) => Buffer.concat([JPEG, Buffer.from(words)])

describe('registering in the least words', () => {
  let stage: Stage
  let county: SimPerson
  let wang: SimPerson
  let li: SimPerson
  let ma: SimPerson
  let group: number
  let others: number[]
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const show = async (person: SimPerson, bytes: Buffer) =>
    (await stage.sim.sendImage(person.id, bytes)).map(reply => reply.text).join('\n')
  const fetchAll = async () => {
    await fetchPictures(stage.rt)
    await stage.settle()
  }
  const files = () =>
    rows<{ kind: string; update_id: string | null; activity_id: string | null; mime: string }>(
      stage,
      'select kind, update_id, activity_id, mime from record_files order by id',
    )
  const records = () =>
    rows<{ category: string; count: number; source: string; decided_by: string; month: string }>(
      stage,
      'select category, count, source, decided_by, month from message_records order by id',
    )
  const last = async () => (await records()).at(-1)
  const cards = (person: SimPerson, about: string) =>
    stage.sim.inbox(person.id).filter(message => message.from === 'bot' && message.card?.title === about)
  const at = (moment: string) => stage.clock.set(new Date(`${moment}+08:00`))

  beforeAll(async () => {
    stage = await openStage({ start: '2026-09-07T09:00:00+08:00' })
    await fillMatrix(stage)
    const { sim } = stage
    county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    li = sim.addPerson({ name: '李镇川', openId: 'o-li' })
    ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    await bindFirst(stage, county, 'qingnong', '610802')
    for (const person of [wang, li, ma]) await bindThrough(stage, county, person)
    group = groupNumber(await say(wang, '建群 团青群 微信群 86人 镇川青年 入群码 拉人'))
    others = [
      groupNumber(await say(li, '建群 团青群 微信群 40人 镇川文体 入群码 拉人')),
      groupNumber(await say(li, '建群 团青群 微信群 40人 镇川电商 入群码 拉人')),
    ]
    groupNumber(await say(ma, '建群 团青群 微信群 60人 麻黄梁青年 入群码 拉人'))
  })
  afterAll(() => stage.close())

  describe('a picture as proof', () => {
    test('sent within a quarter of an hour it is kept, sealed, for whoever may see the record', async () => {
      await say(wang, '登记 致富 3条')
      expect(await show(wang, picture('截图一'))).toContain('存为刚才登记的证明')
      stage.clock.advance(14 * 60_000)
      expect(await show(wang, picture('截图二'))).toContain('存为刚才登记的证明')
      await fetchAll()
      const [record] = await rows<{ update_id: string }>(stage, 'select update_id from message_records')
      expect(await files()).toEqual(
        [1, 2].map(() => ({
          kind: 'proof',
          update_id: record?.update_id,
          activity_id: null,
          mime: 'image/jpeg',
        })),
      )
      const [sealed] = await rows<{ bytes_sealed: string }>(stage, 'select bytes_sealed from record_files')
      expect(sealed?.bytes_sealed).not.toContain(picture('截图一').toString('base64').slice(0, 12))
    })

    test('the page links to it; each opening is noted; another county finds nothing', async () => {
      const visitor = await signIn(stage, '林县书')
      const page = (await visitor.get('/console/records')).text
      const path = /\/console\/records\/pictures\/\d+/.exec(page)?.[0] as string
      expect(page.match(/\/console\/records\/pictures\/\d+/g)).toHaveLength(2)
      const opened = await visitor.get(path)
      expect(opened.headers.get('content-type')).toBe('image/jpeg')
      expect((await (await signIn(stage, '丁县书')).get(path)).status).toBe(404)
      expect((await (await signIn(stage, '马黄梁')).get(path)).status).toBe(404)
      expect((await (await signIn(stage, '王镇川')).get(path)).status).toBe(200)
      expect(
        await rows(
          stage,
          `select p.name from audit_log a join persons p on p.id = a.actor_id
          where action = 'record_file.viewed' order by a.id`,
        ),
      ).toEqual([{ name: '林县书' }, { name: '王镇川' }])
    })

    test('the same picture proves nothing anew; what is no picture is not kept, and they are told', async () => {
      await say(wang, '登记 便民 2条')
      await show(wang, picture('截图一'))
      await show(wang, Buffer.from('<script>这不是图片</script>'))
      await show(wang, picture('截图三'))
      await show(wang, picture('截图三'))
      await fetchAll()
      expect(await files()).toHaveLength(3)
      const told = stage.received(wang.id).slice(-2).join('\n')
      expect(told).toMatch(/以前用过了[\s\S]*没有存下来：它不是 10 MB 以内的 JPG、PNG 图片/)
    })

    test('a quarter of an hour later, or with nothing registered, it is about something else', async () => {
      stage.clock.advance(16 * 60_000)
      expect(await show(wang, picture('截图四'))).toMatch(/还看不懂[\s\S]*请先发“登记 类别 条数”，再发图片/)
      expect(await show(county, picture('截图五'))).toContain('还看不懂')
      expect(await rows(stage, 'select 1 from awaited_pictures')).toEqual([])
    })

    test('a platform that does not answer is asked again; the picture comes once', async () => {
      await say(li, `登记 ${others[0]} 致富 1条`)
      stage.sim.faults.on('http-500', { path: '/media/get' })
      await show(li, picture('截图六'))
      await fetchAll()
      stage.sim.faults.clear()
      expect(await files()).toHaveLength(3)
      await fetchAll()
      expect(await files()).toHaveLength(3)
      stage.clock.advance(31_000)
      await Promise.all([fetchPictures(stage.rt), fetchPictures(stage.rt)])
      expect(await files()).toHaveLength(4)
      expect(await rows(stage, 'select 1 from awaited_pictures')).toEqual([])
    })

    test('to the chat robot, whose pictures are encrypted and live for minutes', async () => {
      const before = (await files()).length
      await say(wang, '登记 新闻 1条')
      const [answer] = await stage.sim.aibot.sendImage(wang.id, picture('机器人截图'))
      expect(answer?.text).toContain('存为刚才登记的证明')
      await fetchAll()
      expect(await files()).toHaveLength(before + 1)
      const [kept] = await rows<{ bytes_sealed: string }>(
        stage,
        'select bytes_sealed from record_files order by id desc limit 1',
      )
      expect(Buffer.from(stage.rt.vault.open(kept?.bytes_sealed as string), 'base64')).toEqual(
        picture('机器人截图'),
      )
      await say(wang, '登记 新闻 1条')
      await stage.sim.aibot.sendImage(wang.id, picture('机器人截图二'))
      stage.clock.advance(6 * 60_000)
      for (let n = 0; n < 6; n++) {
        await fetchAll()
        stage.clock.advance(3600_000)
      }
      expect(stage.received(wang.id).at(-1)).toContain('没有存下来：平台没有给出它')
      expect(await files()).toHaveLength(before + 1)
    })

    test('what somebody sends with a complaint is no proof that the office it is about may see', async () => {
      await say(wang, '登记 便民 1条')
      expect(await say(wang, '我反映了好几次，镇上扣着我们的补贴不发，我真的受不了了')).toContain(
        '反映给团组织吗',
      )
      expect(await show(wang, picture('欠条'))).toContain('图片我先拿着')
      expect(await rows(stage, 'select 1 from awaited_pictures')).toEqual([])
      await say(wang, '不用')
      expect(
        await rows(
          stage,
          "select 1 from conversations where identity_id in (select id from identities where address = 'wang')",
        ),
      ).toEqual([])
    })

    test('nine are enough', async () => {
      await say(wang, '登记 其他 1条')
      for (let n = 0; n < 9; n++) await show(wang, picture(`九张之${n}`))
      expect(await show(wang, picture('第十张'))).toContain('已经有 9 张了')
      await fetchAll()
      expect(await files()).toHaveLength(14)
    })
  })

  describe('a message that is shown', () => {
    test('自发 makes it the owner’s own, everything else stays a forwarded one', async () => {
      const text = '榆阳区农技站9月12日在镇川镇举办山地苹果修剪培训，学费全免，欢迎青年农民到村委会报名参加。'
      await say(wang, text)
      expect(await say(wang, '致富 自发')).toContain('已登记：致富信息（自发） 1 条')
      expect(await last()).toMatchObject({ source: 'posted', decided_by: 'person', category: '致富信息' })
      await say(wang, `${text}（转）`.replace('榆阳区', '区'))
      await say(wang, '致富')
      expect(await last()).toMatchObject({ source: 'forwarded', category: '致富信息' })
      // the same again on the same day is one message
      const before = (await records()).length
      await say(wang, text)
      expect(await say(wang, '致富')).toContain(
        `没有再记一次。确实又发了一次的，请回复：登记 ${group} 致富信息 1条`,
      )
      expect(await records()).toHaveLength(before)
      // and on another day another
      await rows(stage, `update message_records set recorded_on = '2026-09-06' where excerpt is not null`)
      await say(wang, text)
      expect(await say(wang, '致富')).toContain('已登记：致富信息 1 条')
      // two items of one report that would become one are not told apart any more
      await say(wang, '登记 致富 3条 便民 2条')
      expect(await say(wang, '改 致富')).toContain('另有一项')
      expect(await say(wang, '改 0条')).toContain('作废')
    })

    test('where the machine is not sure the owner is asked with five buttons, and one tap records it', async () => {
      const text = unsureText()
      const asked = await say(wang, text)
      expect(asked).toMatch(/类别拿不准[\s\S]*1 政策法规、2 致富信息、3 新闻娱乐、4 便民服务、5 其他/)
      expect(asked).not.toContain('看起来是')
      await stage.settle()
      const card = cards(wang, '这条消息是哪一类？').at(-1)
      expect(card?.card?.buttons.map(button => button.text)).toEqual([...CATEGORIES, '不登记'])
      const before = (await records()).length
      const [answer] = await stage.sim.tapCard(wang.id, card?.id as string, '便民服务')
      expect(answer?.text).toContain('已登记：便民服务 1 条')
      await stage.settle()
      expect(card?.card?.replacedText).toBe('已登记：便民服务')
      expect(await records()).toHaveLength(before + 1)
      expect(await last()).toMatchObject({ decided_by: 'person', source: 'forwarded', category: '便民服务' })
    })

    test.each([
      ['2', '发到了您的哪些群', '全部', '致富信息 1 条，2 个群'],
      ['全部 政策', '政策法规 1 条，2 个群', null, ''],
      ['天气', '请写上类别', '5', '发到了您的哪些群'],
      ['否', '没有登记', null, ''],
    ])('with several groups: %s', async (first, words, second, then) => {
      await say(li, '取消')
      await rows(stage, `update message_records set excerpt = 'before'`)
      await say(li, unsureText())
      expect(await say(li, first)).toContain(words)
      if (second !== null) expect(await say(li, second)).toContain(then)
      await say(li, '取消')
    })
  })

  test('what people said of categories feeds the next training, without numbers and names', async () => {
    const told: string[] = []
    const tell = async (text: string, answer: string) => {
      await say(wang, '取消')
      await say(wang, text)
      await say(wang, answer)
    }
    await tell('镇农技站明天上午在村委会发放马铃薯种子，每户限领两袋，请带好袋子。', '便民')
    await tell('镇农技站的种子请找李镇川领，电话留在村委会门口，来了就能领到。', '便民')
    await tell('领种子请打13812345678，每户限领两袋，请大家互相转告一下。', '便民')
    for await (const line of correctionsForTraining(stage.rt, null)) told.push(JSON.stringify(line))
    const text = told.join('\n')
    expect(text).toContain('"label":"便民服务","form":"chat","text":"镇农技站明天上午')
    expect(text).not.toMatch(/李镇川|领种子请打/)
    const again: string[] = []
    for await (const line of correctionsForTraining(stage.rt, '2026-09-08')) again.push(line.text)
    expect(again).toEqual([])
  })

  describe('the question that asks by itself', () => {
    const asked = () =>
      rows<{ name: string; day: string; answer: string | null }>(
        stage,
        `select p.name, a.day::text, a.answer from post_asks a join persons p on p.id = a.person_id order by a.day, p.name`,
      )
    const ask = async () => {
      const count = await askForPosts(stage.rt)
      await stage.settle()
      return count
    }

    test('on the weekday, to those whom buttons reach and who registered nothing; the follower of the account must want it', async () => {
      at('2026-09-10T18:00:00')
      expect(await ask()).toBe(0)
      at('2026-09-18T16:00:00')
      expect(await ask()).toBe(0)
      at('2026-09-18T18:00:00')
      // the first owner has registered within the week, the second has no account with buttons
      await say(wang, '登记 致富 1条')
      expect(await ask()).toBe(1)
      expect(await asked()).toEqual([{ name: '马黄梁', day: '2026-09-18', answer: null }])
      const card = cards(ma, '这一周群里发了什么？').at(-1)
      expect(card?.card?.buttons.map(button => button.text)).toEqual([...CATEGORIES, '没有'])
      expect(card?.text).toMatch(/月底不用再数/)
    })

    test('one tap is one message; asked and answered again it stays one', async () => {
      expect(await ask()).toBe(0)
      const card = cards(ma, '这一周群里发了什么？').at(-1)
      const before = (await records()).length
      stage.sim.faults.on('duplicate-callbacks')
      const [answer] = await stage.sim.tapCard(ma.id, card?.id as string, '今天发了 2026-09-18 新闻娱乐')
      await stage.sim.idle()
      stage.sim.faults.clear()
      expect(answer?.text).toContain('已登记：新闻娱乐 1 条')
      await stage.settle()
      expect(card?.card?.replacedText).toBe('已登记：新闻娱乐')
      expect(await records()).toHaveLength(before + 1)
      expect(await last()).toMatchObject({ category: '新闻娱乐', count: 1, source: 'counted' })
      expect(await say(ma, '今天发了 致富')).toMatch(/已经答过了（新闻娱乐 1 条），没有再记/)
      expect(await records()).toHaveLength(before + 1)
      expect(await say(ma, '改 3条')).toContain('改为“新闻娱乐 3 条”')
    })

    test('who wants it every day says so; elsewhere a bare number answers, and several groups are asked for', async () => {
      expect(await say(li, '每日提问')).toContain('每天傍晚问您一次')
      expect(await say(ma, '不再提问')).toContain('不再问您')
      at('2026-09-22T22:30:00')
      expect(await ask()).toBe(0)
      at('2026-09-23T17:30:00')
      expect(await ask()).toBe(1)
      // they have not written for days: the template calls them, and the question waits for a word of theirs
      expect(await say(li, '好')).toBe('好的。有通知要转发时：已看到请回“收”，转发到群后请回“转”。')
      await stage.settle()
      expect(stage.received(li.id).at(-1)).toMatch(/今天群里发了什么[\s\S]*6 没有[\s\S]*不再提问/)
      const before = (await records()).length
      expect(await say(li, '4')).toMatch(/发到了哪个群/)
      expect(await say(li, String(group))).toContain('不是您的群')
      expect(await say(li, '全部')).toContain('已登记：便民服务 1 条')
      expect((await records()).slice(before)).toEqual(
        others.map(() => expect.objectContaining({ category: '便民服务', count: 1, month: '2026-09' })),
      )
      at('2026-09-24T17:30:00')
      await ask()
      expect(await say(li, '没有')).toContain('9月24日没有发')
      at('2026-09-25T17:30:00')
      expect(await ask()).toBe(2)
      // whatever is no answer is taken as if nothing had been asked
      expect(await say(li, '我的群')).not.toContain('还没有办完')
      expect(await say(li, '6')).toContain('9月25日没有发')
      expect((await asked()).filter(each => each.name === '马黄梁')).toHaveLength(1)
    })

    test('in danger the shortest word goes to those who were called, whatever was asked', async () => {
      at('2026-09-26T17:30:00')
      expect(await ask()).toBe(1)
      expect(await say(li, '救命，有人落水了')).toContain('120')
      await rows(stage, `update danger_calls set status = 'open'`)
      expect(await say(li, '快点')).toMatch(/转告[\s\S]*110、120、119/)
      expect(await say(li, '4')).not.toContain('发到了哪个群')
      await rows(stage, `update danger_calls set status = 'closed', ended_at = now()`)
    })

    test('nobody is asked who has just been asked whether anybody is in danger: 1 answers that', async () => {
      at('2026-09-27T17:29:00')
      await rows(stage, `delete from conversations`)
      expect(await say(li, '孩子两天没回家了')).toContain('1 有危险')
      at('2026-09-27T17:30:00')
      expect(await ask()).toBe(0)
      expect(await say(li, '1')).not.toMatch(/发到了哪个群|政策法规/)
      expect(await rows(stage, `select status from danger_calls where ended_at is null`)).toEqual([
        { status: 'open' },
      ])
      await rows(stage, `update danger_calls set status = 'closed', ended_at = now()`)
      expect(await ask()).toBe(1)
    })

    test('the rounds', () => {
      expect(roundOf(new Date('2026-09-24T18:00:00+08:00'))).toMatchObject({
        day: '2026-09-24',
        hows: ['daily'],
      })
      expect(roundOf(new Date('2026-09-25T00:10:00+08:00'))).toMatchObject({
        day: '2026-09-25',
        hows: ['daily', 'weekly'],
        weekFrom: '2026-09-19',
      })
    })
  })

  describe('a wrong category', () => {
    const correct = async (who: string, id: number, fields: Record<string, string>) =>
      (await signIn(stage, who)).post(`/console/records/${id}/category`, fields)

    test('by the owner until the month is closed, then by who runs the unit, with a reason that the month keeps', async () => {
      at('2026-10-08T09:00:00')
      // a group of the county whose owner is of a township: theirs, and not of a unit that they run
      const unit = `(select id from units where programme = 'qingnong' and code = '610802')`
      await rows(stage, `update groups set unit_id = ${unit} where id = ${group}`)
      await rows(stage, `update message_records set unit_id = ${unit} where group_id = ${group}`)
      const [record] = await rows<{ id: string; count: number }>(
        stage,
        `select id, count from message_records where category = '致富信息' and group_id = ${group} and month = '2026-09' order by id limit 1`,
      )
      const id = Number(record?.id)
      expect((await correct('王镇川', id, { to: '便民服务' })).status).toBe(303)
      await rows(stage, `insert into closed_months values ('qingnong', '2026-09', now())`)
      const refused = await correct('王镇川', id, { to: '其他', reason: '写错了' })
      expect(refused.status).toBe(422)
      expect(refused.text).toContain('报表已经定了')
      const back = 'month=2026-09'
      const reasonless = await correct('林县书', id, { to: '其他', reason: ' ', back })
      expect(reasonless.status).toBe(422)
      expect(reasonless.text).toMatch(/<details class="late" open>[\s\S]*<option selected>其他/)
      expect((await correct('林县书', id, { to: '其他', reason: '群主点错了', back })).status).toBe(303)
      expect(
        await rows(
          stage,
          'select month, subject_kind, subject_id::int as id, effect, reason from late_changes',
        ),
      ).toEqual([
        {
          month: '2026-09',
          subject_kind: 'record',
          id,
          effect: { 'messages.services': -(record?.count ?? 0), 'messages.other': record?.count },
          reason: '群主点错了',
        },
      ])
      expect(await say(wang, '登记 致富 2条 9月30日')).toContain('报表已经定了')
      expect(await say(wang, '活动 技能培训 20人 村委会 9月30日')).toContain('报表已经定了')
      expect(await say(wang, '登记 致富 2条 10月1日')).toContain('已登记')
      await rows(stage, 'delete from closed_months')
      await rows(
        stage,
        `update groups set unit_id = (select id from units where code = '610802101') where id = ${group}`,
      )
    })
  })

  describe('activities', () => {
    const people: SimPerson[] = []
    const held = () =>
      rows(
        stage,
        `select status, month, held_on::text, heads, check_in_code from activities where title is not null order by id`,
      )
    const codeOf = async (id: number) =>
      (
        await rows<{ code: string }>(stage, `select check_in_code as code from activities where id = ${id}`)
      )[0]?.code as string

    test('pictures sent after 活动 are its photos', async () => {
      at('2026-10-09T10:00:00')
      expect(await say(ma, '活动 技能培训 35人 村委会 10月8日')).toContain('存为活动照片')
      expect(await show(ma, picture('合影'))).toContain('存为刚才活动的照片')
      await fetchAll()
      const [file] = (await files()).slice(-1)
      expect(file).toMatchObject({ kind: 'photo', update_id: null })
      expect((await (await signIn(stage, '林县书')).get('/console/records')).text).toMatch(
        /技能培训[\s\S]*pictures\/\d+">照片/,
      )
    })

    test.each([
      '活动预告 技能培训 10月20日 14:00 村委会 大棚管理',
      '活动预告：技能培训，10月20日下午2点，村委会，大棚管理',
    ])('%s', async text => {
      const answer = await say(wang, text.replace(/，/g, ' '))
      expect(answer).toMatch(
        /活动编号 \d+[\s\S]*【活动预告】技能培训“大棚管理”，10月20日 14:00，村委会，镇川镇主办[\s\S]*\/a\/\d+[\s\S]*报名 \d+[\s\S]*签到 [A-Z]\d{4}/,
      )
    })

    test('words that are missing are asked for; a text about an activity is no command', async () => {
      expect(await say(wang, '活动预告')).toContain('是哪类活动')
      await say(wang, '文体')
      expect(await say(wang, '明天')).toContain('请写明日期和时间')
      await say(wang, '明天下午3点')
      await say(wang, '镇中学操场')
      expect(await say(wang, '篮球赛')).toContain('【活动预告】文体娱乐“篮球赛”，10月10日 15:00，镇中学操场')
      expect(await say(wang, '活动预告 技能培训 10月1日 14:00 村委会 大棚管理')).toContain('最多提前 180 天')
      expect(await say(wang, '活动预告：本周六上午九点在村委会举行技能培训，欢迎大家参加')).not.toContain(
        '哪类活动',
      )
      await say(wang, '取消')
    })

    test('people sign up and take it back, in the chat and on the page; twice is once', async () => {
      for (const n of [1, 2, 3])
        people.push(stage.sim.addPerson({ name: `青年${n}`, openId: `o-young-${n}` }))
      const [one, two, three] = people as [SimPerson, SimPerson, SimPerson]
      expect(await say(one, '报名 1')).toMatch(/已经办完了/)
      expect(await say(one, '报名 2')).toContain('已报名：技能培训“大棚管理”，10月20日 14:00')
      expect(await say(one, '报名2')).toContain('已报名')
      await say(two, '报名 2')
      await say(three, '报名 2')
      expect(await say(three, '取消报名')).toContain('已取消报名')
      expect(await say(three, '取消报名 2')).toContain('没有报名')
      expect(await say(one, '报名 99')).toContain('没有编号是 99 的活动')
      // texts that begin with a command and a number are no command
      for (const text of [
        '报名 2月20日截止，请符合条件的青年到村委会登记，带身份证',
        '报名2人以上免费送教上门，请各位青年农民互相转告一下',
        '没办 2天的事今天办完了，谢谢大家支持，请互相转告一下',
      ]) {
        expect(await say(ma, text), text).not.toMatch(/已报名|没有编号|不是您发起的/)
        await say(ma, '取消')
      }
      const visitor = await signIn(stage, '马黄梁')
      expect((await visitor.get('/a/2')).text).toMatch(/大棚管理[\s\S]*还没有报名/)
      expect((await visitor.post('/a/2/sign-up')).status).toBe(303)
      expect((await visitor.get('/a/2')).text).toContain('已报名')
      expect(await say(ma, '报名 2')).toContain('已报名')
      const list = await say(wang, '名单 2')
      expect(list).toMatch(/报名 3 人，签到 0 人[\s\S]*马黄梁[\s\S]*另有 2 个没有绑定姓名的账号/)
      expect(await say(ma, '名单 2')).toContain('不是您发起的')
      expect(await say(county, '名单 2')).toContain('马黄梁')
      expect((await visitor.get('/a/99')).status).toBe(404)
    })

    test('on the evening before they are reminded, once', async () => {
      at('2026-10-19T17:00:00')
      await lookAfterActivities(stage.rt)
      at('2026-10-19T18:10:00')
      await lookAfterActivities(stage.rt)
      await lookAfterActivities(stage.rt)
      await stage.settle()
      // the account is met again when they next write, or by its template
      await say(people[0] as SimPerson, '你好')
      await stage.settle()
      const told = stage.received((people[0] as SimPerson).id).filter(text => text.includes('【活动提醒】'))
      expect(told).toHaveLength(1)
      expect(stage.received(ma.id).filter(text => text.includes('【活动提醒】10月20日 14:00'))).toHaveLength(
        1,
      )
    })

    test('on the day people check in by the code of the place, once; guessing is slowed down', async () => {
      const code = await codeOf(2)
      const [one, , three] = people as [SimPerson, SimPerson, SimPerson]
      at('2026-10-20T10:30:00')
      expect(await say(one, `签到 ${code}`)).toContain('还没到签到的时候')
      at('2026-10-20T13:40:00')
      expect(await say(one, `签到 ${code.toLowerCase()}`)).toContain('签到成功：技能培训“大棚管理”')
      expect(await say(one, `到场 ${code}`)).toContain('已经签过到了')
      // in the middle of something else, too
      await say(ma, '活动 技能培训 35人')
      expect(await say(ma, `签到${code}`)).toMatch(/第 2 位[\s\S]*还没有办完/)
      await say(ma, '取消')
      expect(await say(wang, '办完 2 35人')).toContain('活动日期还没到')
      for (let n = 0; n < 10; n++) expect(await say(three, `签到 Z${1000 + n}`)).toContain('签到码不对')
      expect(await say(three, `签到 ${code}`)).toContain('试的次数太多了')
      at('2026-10-20T14:45:00')
      expect(await say(three, `签到 ${code}`)).toContain('第 3 位')
      expect(await say(people[1] as SimPerson, '取消报名 2')).toContain('已经开始')
      // the owner's roll call is still theirs
      expect(await say(wang, `签到 ${group}`)).toContain('不用签到')
      at('2026-10-21T00:01:00')
      expect(await say(people[1] as SimPerson, `签到 ${code}`)).toContain('那天已经过了')
    })

    test('the day after the announcer is asked, with the heads that checked in; only then it counts', async () => {
      const sum = () =>
        rows(stage, `select count(*)::int as n from activities where status = 'held' and title is not null`)
      expect(await sum()).toEqual([{ n: 0 }])
      at('2026-10-21T08:05:00')
      await lookAfterActivities(stage.rt)
      await lookAfterActivities(stage.rt)
      await stage.settle()
      // three of theirs are over: two of the 20th and the match of the 10th
      const asked = cards(wang, '活动办了吗？')
      expect(asked.map(card => card.card?.buttons.map(button => button.key)).sort()).toEqual([
        ['办完 2 3人', '没办 2'],
        ['办完 3', '没办 3'],
        ['办完 4', '没办 4'],
      ])
      const card = asked.find(each => each.card?.buttons[0]?.key === '办完 2 3人')
      stage.sim.faults.on('duplicate-callbacks')
      const [answer] = await stage.sim.tapCard(wang.id, card?.id as string, '办完 2 3人')
      await stage.sim.idle()
      stage.sim.faults.clear()
      expect(answer?.text).toContain('3 人，计入 2026-10')
      expect(await show(wang, picture('大棚合影'))).toContain('存为刚才活动的照片')
      await fetchAll()
      expect(await say(wang, '办完 2 40人')).toContain('已经登记办完了')
      expect(await say(ma, '办完 3 40人')).toContain('不是您发起的')
      expect(await say(wang, '办完 3')).toContain('请写上参加人数')
      expect(await say(wang, '没办 3')).toContain('不计入报表')
      expect(await say(wang, '办完 4 二十人 10月11日')).toContain('20 人，计入 2026-10')
      expect(await held()).toEqual([
        { status: 'held', month: '2026-10', held_on: '2026-10-20', heads: 3, check_in_code: null },
        { status: 'cancelled', month: '2026-10', held_on: '2026-10-20', heads: null, check_in_code: null },
        { status: 'held', month: '2026-10', held_on: '2026-10-11', heads: 20, check_in_code: null },
      ])
    })

    test('one that is called off is told to those who signed up', async () => {
      await say(wang, '活动预告 政策宣讲 10月30日 9:00 镇政府 惠农政策')
      const [one] = people as [SimPerson]
      await say(one, '报名 5')
      // at night it waits for the morning
      at('2026-10-29T23:10:00')
      expect(await say(wang, '没办 5')).toContain('已告诉报名的 1 人')
      await stage.settle()
      const told = () => stage.received(one.id).filter(text => text.includes('【活动取消】您报名的政策宣讲'))
      expect(told()).toEqual([])
      at('2026-10-30T07:01:00')
      await say(one, '你好')
      await stage.settle()
      expect(told()).toHaveLength(1)
      expect(await say(one, '报名 5')).toContain('已经取消')
    })

    test('heads are no number of an activity; what is classified is announced to nobody', async () => {
      const said = await say(wang, '活动预告 文体 10月30日 19:00 镇中学 乒乓球赛')
      const id = Number(/活动编号 (\d+)/.exec(said)?.[1])
      at('2026-10-30T21:00:00')
      expect(await say(wang, '办完 6人')).toContain('6 人，计入 2026-10')
      expect(await rows(stage, `select id::int from activities where status = 'held' and heads = 6`)).toEqual(
        [{ id }],
      )
      await say(wang, '活动预告 政策宣讲 11月2日 9:00 镇政府')
      expect(await say(wang, '学习（机密）榆办发〔2026〕3号文件，内部掌握不得外传')).toContain('不能在群里发')
      await say(wang, '取消')
      expect(await rows(stage, `select id from activities where title like '%机密%'`)).toEqual([])
    })
  })

  describe('the chat statistics of the platform', () => {
    test('are read by owner and day, again without harm, and stand beside the records', async () => {
      const { chat } = await claimGroup(stage, ma, '麻黄梁客户群', '团青群')
      stage.sim.post(chat.id, ma.id, '今天开会')
      stage.sim.post(chat.id, ma.id, '带上本子')
      at(`${dayOf(new Date(stage.clock.now().getTime() + 86_400_000))}T10:20:00`)
      expect(await readChatStatistics(stage.rt)).toBe(30)
      const told = () =>
        rows<{ owner: string; days: number; messages: number }>(
          stage,
          'select owner_user_id as owner, count(*)::int as days, sum(messages)::int as messages from owner_chat_days group by 1',
        )
      const first = await told()
      expect(first).toEqual([{ owner: 'ma', days: expect.any(Number), messages: 2 }])
      expect(await readChatStatistics(stage.rt)).toBe(2)
      expect(await told()).toEqual(first)
      const county = await signIn(stage, '林县书')
      const page = (await county.get('/console/records')).text
      expect(page).toMatch(/群聊活跃[\s\S]*<b>2<\/b><span>条群聊消息[\s\S]*不是登记的发送条数/)
      const [claimed] = await rows<{ id: string }>(stage, `select id from groups where platform = 'customer'`)
      expect((await county.get(`/console/groups/${claimed?.id}`)).text).toContain('群聊活跃')
      expect((await county.get(`/console/groups/${group}`)).text).not.toContain('群聊活跃')
    })

    test.each([
      ['2026-10-21', null, 30, '2026-09-21'],
      ['2026-10-21', '2026-10-20', 2, '2026-10-19'],
      ['2026-10-21', '2026-10-10', 12, '2026-10-09'],
      ['2026-10-21', '2026-01-01', 180, '2026-04-24'],
    ])('on %s, last told of %s: %i days from %s', (today, last, count, from) => {
      const days = daysToRead(today, last)
      expect([days.length, days[0], days.at(-1)]).toEqual([count, from, '2026-10-20'])
    })
  })

  test('whoever is erased leaves no picture, no sign-up and no answer behind', async () => {
    const id = await personId(stage, '马黄梁')
    await say(ma, '登记 其他 1条')
    await show(ma, picture('最后一张'))
    const left = () =>
      rows<{ n: number }>(
        stage,
        `select (select count(*) from record_files where uploaded_by = ${id})::int
          + (select count(*) from awaited_pictures where uploaded_by = ${id})::int
          + (select count(*) from activity_people p join identities i on i.id = p.identity_id where i.address = 'ma')::int
          + (select count(*) from post_asks where person_id = ${id})::int
          + (select count(*) from post_questions where person_id = ${id})::int
          + (select count(*) from owner_chat_days where owner_user_id = 'ma')::int as n`,
      )
    expect((await left())[0]?.n).toBeGreaterThan(5)
    await eraseOwn(stage.rt, {
      identityId: 0,
      channel: 'wecom',
      address: 'ma',
      person: { id, name: '马黄梁' },
      roles: [],
      ownsGroups: true,
      boundBy: 'code',
    })
    expect(await left()).toEqual([{ n: 0 }])
  })
})

/** A message of which the shipped model is not sure: bits of every category, until it is not. */
function unsureText(): string {
  const bits = [
    '补贴申报',
    '晚会演出',
    '停水通知',
    '苹果价格',
    '老同学聚会',
    '惠农政策',
    '电影放映',
    '班车改线',
    '羊绒行情',
  ]
  for (const a of bits)
    for (const b of bits)
      for (const c of bits) {
        const text = `${a}、${b}、${c}都看一下，大家说说`
        if (a !== b && b !== c && !isSureEnough(classifyMessage(shippedClassifier(), text).confidence))
          return text
      }
  throw new Error('the model is sure of everything')
}
