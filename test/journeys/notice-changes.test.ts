import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noticeDraftById } from '../../db/queries/notice-drafts.ts'
import { claim } from '../../db/queries/outgoing.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { dayOf } from '../../server/clock.ts'
import { revisionOf } from '../../server/domain/notices/approval.ts'
import { absentActor } from '../../server/domain/notices/author.ts'
import { approveDraft } from '../../server/domain/notices/drafts.ts'
import { noticeRules } from '../../server/domain/notices/rules.ts'
import { takeBackDue } from '../../server/jobs/take-back.ts'
import { inTransaction } from '../../server/runtime.ts'
import { personId } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, newsFor, rows } from '../support/matrix.ts'
import { openStage, toMorning } from '../support/stage.ts'

const HOUR_MS = 3_600_000

interface Group {
  id: number
  chatId: string
}

/** 榆阳区 with a group on every kind of road, and two owners: 李镇川 in WeCom, 王镇川 on the Official Account alone. */
async function openCounty() {
  const stage = await openStage()
  await fillMatrix(stage)
  const { sim, rt } = stage
  const people = {
    city: sim.addPerson({ name: '高市书', wecomUserId: 'gao' }),
    county: sim.addPerson({ name: '林县书', wecomUserId: 'lin' }),
    wang: sim.addPerson({ name: '王镇川', openId: 'o-wang' }),
    li: sim.addPerson({ name: '李镇川', wecomUserId: 'li' }),
    ma: sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' }),
  }
  await bindFirst(stage, people.city, 'qingnong', '610800')
  await bindThrough(stage, people.city, people.county)
  for (const owner of [people.wang, people.li, people.ma]) await bindThrough(stage, people.county, owner)

  const add = async (name: string, platform: string, owner: SimPerson | null, chatId = '', webhook = '') => {
    const ownerId = owner === null ? 'null' : await personId(stage, owner.name)
    const [row] = await rows<{ id: string }>(
      stage,
      `insert into groups (programme, kind, unit_id, name, platform, owner_id, chat_id, webhook_sealed, capacity, size, created_at)
       select 'qingnong', 'township-youth', id, '${name}', '${platform}', ${ownerId}, nullif('${chatId}', ''),
         nullif('${webhook && rt.vault.seal(webhook)}', ''), 500, 30, now()
       from units where code = '610802101' and programme = 'qingnong' returning id`,
    )
    return { id: Number(row?.id), chatId }
  }
  const robot = async (name: string) => {
    const { id: chatId } = sim.createGroup({ kind: 'internal', name, ownerId: people.county.id })
    const key = new URL(sim.addRobot(chatId)).searchParams.get('key') as string
    return { ...(await add(name, 'internal', people.county, '', key)), chatId }
  }
  const customer = async (name: string, owner: SimPerson) => {
    const { id } = sim.createGroup({ kind: 'customer', name, ownerId: owner.id })
    return add(name, 'customer', owner, id)
  }
  const members = ['lin', 'ma']
  await rt.channels.wecom?.createAppChat({ chatId: 'qunzhenapp', name: '应用', owner: 'lin', members })
  const groups = {
    robot: await robot('机器人群'),
    /** Its message is held back, so that it has not gone out. */
    late: await robot('晚发群'),
    appchat: await add('应用群', 'appchat', people.county, 'qunzhenapp'),
    confirmed: await customer('确认群', people.ma),
    unconfirmed: await customer('没确认群', people.li),
    relayed: await add('已转群', 'wechat', people.wang),
    unrelayed: await add('没转群', 'wechat', people.wang),
    recalled: await add('能收回群', 'wechat', people.li),
    ownerless: await add('没群主群', 'wechat', null),
  } satisfies Record<string, Group>
  await sim.idle()
  await stage.settle()

  /** Sends a notice, holds one message back, and lets people do what they do. @returns its number */
  const send = async (body: string) => {
    await stage.say(people.county.id, `通知 政策 ${body}`)
    const number = Number(/通知 (\d+) 已发出/.exec(await stage.say(people.county.id, '确认'))?.[1])
    await rows(
      stage,
      `update outgoing_messages set next_attempt_at = next_attempt_at + interval '3 hours'
       where notice_id = ${number} and group_id = ${groups.late.id} returning 1`,
    )
    await stage.settle()
    const task = sim.massTasks(people.ma.id).find(each => each.text.includes(body))
    await sim.confirmMassTask(people.ma.id, task?.msgid as string)
    await stage.say(people.wang.id, `转 ${number} ${groups.relayed.id}`)
    await stage.settle()
    return number
  }
  const confirm = async (words: string) => {
    const preview = await stage.say(people.county.id, words)
    return { preview, answer: await stage.say(people.county.id, '确认') }
  }
  return { stage, sim, people, groups, send, confirm }
}

type County = Awaited<ReturnType<typeof openCounty>>

/** How each group stands with a notice, by its name in the test. */
async function standing({ stage, groups }: County, notice: number): Promise<Record<string, string>> {
  const found = await rows<{ group_id: string; status: string }>(
    stage,
    `select group_id, status from deliveries where notice_id = ${notice}`,
  )
  const status = new Map(found.map(row => [Number(row.group_id), row.status]))
  return Object.fromEntries(
    Object.entries(groups).flatMap(([name, { id }]) =>
      status.has(id) ? [[name, status.get(id) as string]] : [],
    ),
  )
}

const numberIn = (text: string, words: RegExp) => Number(words.exec(text)?.[1])
const postsIn = ({ sim }: County, { chatId }: Group) => sim.group(chatId).posts.map(post => post.text)

describe('a notice is corrected', () => {
  let county: County
  let first: number
  let correction: number

  beforeAll(async () => {
    county = await openCounty()
    first = await county.send('各乡镇团委：请于周五前报送名单。')
  })
  afterAll(() => county.stage.close())

  test('before: every road in its own state', async () => {
    expect(await standing(county, first)).toEqual({
      robot: 'posted',
      late: 'pending',
      appchat: 'posted',
      confirmed: 'posted',
      unconfirmed: 'sent',
      relayed: 'posted',
      unrelayed: 'sent',
      recalled: 'sent',
      ownerless: 'failed',
    })
  })

  test('only who may send in the name of its unit corrects it, and only with other words', async () => {
    const { stage, people } = county
    expect(await stage.say(people.wang.id, `更正 ${first} 请于下周一前报送名单。`)).toContain('没有')
    expect(await stage.say(people.county.id, `更正 99 请于下周一前报送名单。`)).toContain('没有编号是 99')
    expect(await stage.say(people.county.id, `更正 ${first} 各乡镇团委：请于周五前报送名单。`)).toContain(
      '和现在的一样',
    )
    await stage.say(people.county.id, '取消')
  })

  test('exactly those whom it has reached get the correction; the rest get the corrected text alone', async () => {
    const { confirm, stage, groups, people } = county
    const wangs = newsFor(stage, people.wang)
    const { preview, answer } = await confirm(`更正 ${first} 各乡镇团委：请于下周一前报送名单。`)
    expect(preview).toContain('7 个群收到过通知 1')
    expect(preview).toContain('2 个群还没发出')
    correction = numberIn(answer, /编号 (\d+)/)
    await stage.settle()
    expect(postsIn(county, groups.robot).at(-1)).toContain(
      '【更正】9月7日的通知“各乡镇团委：请于周五前报送名单。”（通知 1）有更正，请以这一条为准：\n各乡镇团委：请于下周一前报送名单。\n看过请点：',
    )
    expect(await standing(county, correction)).toEqual({
      robot: 'posted',
      appchat: 'posted',
      confirmed: 'sent',
      unconfirmed: 'sent',
      relayed: 'sent',
      unrelayed: 'sent',
      recalled: 'sent',
    })
    expect(wangs().join('\n')).toContain('请于下周一前报送名单')
    // what had not gone out goes out corrected, and once
    stage.clock.advance(3 * HOUR_MS)
    await stage.settle()
    expect(postsIn(county, groups.late)).toEqual([expect.stringContaining('请于下周一前报送名单')])
  })

  test('the mass task with the old text is stopped: its owner has one task to confirm', async () => {
    const { sim, people, stage } = county
    expect(sim.massTasks(people.li.id).map(task => task.status)).toEqual(['cancelled', 'waiting'])
    expect(sim.massTasks(people.ma.id).map(task => task.status)).toEqual(['sent', 'waiting'])
    await sim.confirmMassTask(people.li.id, sim.massTasks(people.li.id).at(-1)?.msgid as string)
    await stage.settle()
    expect((await standing(county, correction)).unconfirmed).toBe('posted')
    expect((await standing(county, first)).unconfirmed).toBe('posted')
  })

  test('one word settles both, nobody is chased for the original, and 通知 1 shows what holds now', async () => {
    const { stage, people } = county
    expect(await stage.say(people.wang.id, '转')).toContain(`通知 ${correction} 转发到`)
    expect(await standing(county, first)).toMatchObject({ unrelayed: 'posted', recalled: 'sent' })
    expect(await stage.say(people.li.id, '通知 1')).toContain('下周一前报送名单')
    expect(
      await rows(
        stage,
        `select id from deliveries where notice_id = ${first} and due_at is not null
        and group_id <> ${county.groups.ownerless.id} and group_id <> ${county.groups.late.id}`,
      ),
    ).toEqual([])
  })

  test('a correction of the correction corrects the original; the one before is asked for no more', async () => {
    const { confirm, stage, people } = county
    const { answer } = await confirm(`更正 ${correction} 各乡镇团委：请于下周二前报送名单。`)
    const second = numberIn(answer, /编号 (\d+)/)
    await stage.settle()
    expect(answer).toContain(`通知 ${first} 的更正已发出`)
    expect(Object.keys(await standing(county, second)).sort()).toEqual(
      ['appchat', 'confirmed', 'late', 'recalled', 'relayed', 'robot', 'unconfirmed', 'unrelayed'].sort(),
    )
    expect(await stage.say(people.li.id, '转')).toContain(`通知 ${second} 转发到`)
    expect((await standing(county, correction)).recalled).toBe('posted')
    expect(await rows(stage, `select outgoing_id from take_backs where settled_at is null`)).toEqual([])
  })
})

describe('a notice is withdrawn', () => {
  let county: County
  let first: number
  let withdrawal: number
  let lisNews: () => string[]

  beforeAll(async () => {
    county = await openCounty()
    first = await county.send('各乡镇团委：请于周五前报送名单。')
    lisNews = newsFor(county.stage, county.people.li)
  })
  afterAll(() => county.stage.close())

  test('what each delivery becomes', async () => {
    const { confirm, stage } = county
    const { preview, answer } = await confirm(`撤回 ${first} 时间有变，另行通知。`)
    for (const words of ['4 个群收到了', '2 个群还没发出', '2 个群请群主转了', '1 个群的群发还没确认'])
      expect(preview).toContain(words)
    expect(preview).toContain('条应用消息还能收回')
    expect(answer).toContain('已撤回')
    withdrawal = numberIn(answer, /编号 (\d+)/)
    await stage.settle()
    expect(await standing(county, first)).toEqual({
      robot: 'posted',
      late: 'withdrawn',
      appchat: 'posted',
      confirmed: 'posted',
      unconfirmed: 'withdrawn',
      relayed: 'posted',
      unrelayed: 'sent',
      recalled: 'withdrawn',
      ownerless: 'withdrawn',
    })
    expect(await standing(county, withdrawal)).toEqual({
      robot: 'posted',
      appchat: 'posted',
      confirmed: 'sent',
      relayed: 'sent',
      unrelayed: 'sent',
    })
  })

  test('the platforms have taken back what they can, and what became of each message is written down', async () => {
    const { sim, people, stage, groups } = county
    expect(sim.massTasks(people.li.id).map(task => task.status)).toEqual(['cancelled'])
    const own = sim.inbox(people.li.id).filter(message => message.from === 'bot' && !message.passive)
    expect(own.filter(message => message.text.includes('报送名单')).every(message => message.recalled)).toBe(
      true,
    )
    expect(
      await rows(
        stage,
        `select o.kind, t.outcome, p.name from take_backs t join outgoing_messages o on o.id = t.outgoing_id
        left join persons p on p.id = o.person_id where t.settled_at is not null order by o.kind, p.name`,
      ),
    ).toEqual([
      { kind: 'mass', outcome: 'cancelled', name: '李镇川' },
      { kind: 'person', outcome: 'recalled', name: '李镇川' },
      { kind: 'person', outcome: 'not_possible', name: '王镇川' },
    ])
    expect(postsIn(county, groups.robot).at(-1)).toContain('原因：时间有变，另行通知。')
    // one line, and no receipt to give
    expect(lisNews()).toEqual([expect.stringContaining(`通知 ${first} 已经撤回，不用转发了`)])
  })

  test('nothing more can be done with it, and its number says that it was withdrawn', async () => {
    const { stage, people } = county
    for (const [who, words] of [
      [people.li, `转 ${first}`],
      [people.wang, `转 ${first}`],
      [people.wang, `收 ${first}`],
      [people.county, `更正 ${first} 另一个说法。`],
      [people.county, `撤回 ${first} 再撤一次`],
    ] as const)
      expect(await stage.say(who.id, words), words).toContain('撤回')
    expect(await stage.say(people.wang.id, `通知 ${first}`)).toContain('【撤回】')
    expect(await stage.say(people.county.id, `撤回 ${withdrawal} 不撤了`)).toContain('本身就是撤回')
    expect(await stage.say(people.wang.id, '转')).toContain(`通知 ${withdrawal} 转发到`)
    expect(await rows(stage, 'select id from notices')).toHaveLength(2)
  })

  test('nobody is chased for it, and what was held back never leaves', async () => {
    const { stage, groups } = county
    stage.clock.advance(30 * HOUR_MS)
    await stage.settle()
    expect(postsIn(county, groups.late)).toEqual([])
    expect(
      await rows(stage, `select id from deliveries where notice_id = ${first} and due_at is not null`),
    ).toEqual([])
  })
})

describe('a correction that needs a second person', () => {
  let county: County
  beforeAll(async () => {
    county = await openCounty()
  })
  afterAll(() => county.stage.close())

  test('it waits like a notice of as many groups, is let pass once, and corrects what stands then', async () => {
    const { stage, people } = county
    const { rt, say } = stage
    const first = await county.send('请各团委周五前报名。')
    const { groups } = noticeRules.approval
    noticeRules.approval.groups = 9
    try {
      expect(await say(people.county.id, `更正 ${first} 请各团委周六前报名。`)).toContain('请确认')
      expect(await say(people.county.id, '确认')).toContain('要有第二人审核')
      await stage.settle()
      expect(stage.received(people.city.id).at(-1)).toContain('请各团委周六前报名。')
      const [draft] = await rows<{ id: string }>(
        stage,
        `select id from notice_drafts where status = 'waiting'`,
      )
      const city = await absentActor(rt, await personId(stage, '高市书'))
      if (!city || !draft) throw new Error('nobody to approve')
      const waiting = await noticeDraftById(rt.db, Number(draft.id))
      if (!waiting) throw new Error('nothing to approve')
      const seen = revisionOf(waiting, [])
      const approve = () => inTransaction(rt, tx => approveDraft(tx, city, waiting.id, seen))
      const outcome = await approve()
      expect(await approve()).toEqual(outcome)
      expect(
        await rows(
          stage,
          `select about_id::int, kind, approved_by is not null as is_approved from notices order by id`,
        ),
      ).toEqual([
        { about_id: null, kind: 'notice', is_approved: false },
        { about_id: first, kind: 'correction', is_approved: true },
      ])
      // withdrawing needs no second person
      expect((await county.confirm(`撤回 ${first} 不报了`)).answer).toContain('已撤回')
    } finally {
      noticeRules.approval.groups = groups
    }
  })
})

describe('withdrawn at an awkward moment', () => {
  let county: County
  beforeAll(async () => {
    county = await openCounty()
  })
  afterAll(() => county.stage.close())

  test('what is in flight gets there, and the withdrawal behind it; a second pass adds nothing', async () => {
    const { stage, groups, confirm } = county
    const { county: officer } = county.people
    await stage.say(officer.id, '通知 政策 明天停电，请互相转告。')
    await stage.say(officer.id, '确认')
    const held = await rows<{ id: string; kind: string }>(
      stage,
      `select id, kind from outgoing_messages where notice_id = 1 and (group_id = ${groups.robot.id} or kind = 'mass')`,
    )
    // a worker has the robot's and the mass messages in its hands
    await claim(
      stage.rt.db,
      held.map(row => Number(row.id)),
      stage.rt.clock.now(),
    )
    const { answer } = await confirm('撤回 1 停电取消。')
    expect(answer).toContain('还没有群收到')
    expect(await standing(county, 1)).toMatchObject({ robot: 'withdrawn', relayed: 'withdrawn' })
    await takeBackDue(stage.rt)
    expect(await standing(county, 2)).toEqual({})
    // it comes out that the robot's post went through, and that of one mass message nobody knows
    const robot = held.find(row => row.kind === 'robot')
    await rows(
      stage,
      `update outgoing_messages set status = 'sent', sent_at = now() where id = ${robot?.id} returning 1`,
    )
    await rows(stage, `update deliveries set status = 'posted' where outgoing_id = ${robot?.id} returning 1`)
    await rows(
      stage,
      `update outgoing_messages set status = case when person_id = (select owner_id from groups
      where id = ${groups.confirmed.id}) then 'unknown' else 'pending' end where kind = 'mass' and notice_id = 1 returning 1`,
    )
    stage.clock.advance(5000)
    await stage.settle()
    await takeBackDue(stage.rt)
    expect(await standing(county, 1)).toMatchObject({
      robot: 'posted',
      confirmed: 'unknown',
      unconfirmed: 'withdrawn',
    })
    expect(Object.keys(await standing(county, 2)).sort()).toEqual(['confirmed', 'robot'])
    expect(postsIn(county, groups.robot)).toEqual([expect.stringContaining('【撤回】')])
  })

  test('killed between stopping the unsent and recalling: the next process goes on from there', async () => {
    const { stage, sim, people, confirm } = county
    toMorning(stage.clock)
    const number = await county.send('请组织收看直播。')
    const wecom = stage.rt.channels.wecom
    if (!wecom) throw new Error('no WeCom')
    const { recall } = wecom.messages
    const lis = newsFor(stage, people.li)
    await confirm(`撤回 ${number} 直播改期。`)
    // the platform has done it, and the process dies before it is written down
    const broken = {
      ...stage.rt,
      channels: {
        ...stage.rt.channels,
        wecom: {
          ...wecom,
          messages: {
            ...wecom.messages,
            async recall(messageId: string) {
              await recall(messageId)
              throw new Error('killed')
            },
          },
        },
      },
    }
    await takeBackDue(broken)
    expect(await rows(stage, 'select outgoing_id from take_backs where outcome is null')).toHaveLength(1)
    stage.clock.advance(10_000)
    await stage.settle()
    expect(await rows(stage, 'select outgoing_id from take_backs where settled_at is null')).toEqual([])
    expect(lis().filter(text => text.includes('不用转发了'))).toHaveLength(1)
    expect(sim.log.filter(entry => entry.kind === 'mass_cancelled')).toHaveLength(1)
  })

  test('at night the unsent is stopped and the rest recalled at once; nobody is woken to be told', async () => {
    const { stage, people, groups, confirm } = county
    toMorning(stage.clock)
    const number = await county.send('请组织夜跑。')
    stage.clock.set(new Date(`${dayOf(stage.clock.now())}T23:00:00+08:00`))
    await stage.settle()
    const news = [people.wang, people.li].map(person => newsFor(stage, person))
    const before = postsIn(county, groups.robot).length
    await confirm(`撤回 ${number} 夜里不跑了。`)
    await stage.settle()
    expect(await standing(county, number)).toMatchObject({ late: 'withdrawn', recalled: 'withdrawn' })
    expect(news.map(read => read())).toEqual([[], []])
    expect(postsIn(county, groups.robot)).toHaveLength(before)
    toMorning(stage.clock)
    await stage.settle()
    expect(postsIn(county, groups.robot).at(-1)).toContain('夜里不跑了')
    expect(news.map(read => read().filter(text => text.includes('【撤回】')).length)).toEqual([1, 1])
  })

  test('after 24 hours nothing can be recalled: the owner is told like those in the group, helpers are let off', async () => {
    const { stage, sim, people } = county
    toMorning(stage.clock)
    const number = await county.send('请报送九月的活动。')
    stage.clock.advance(25 * HOUR_MS)
    await stage.settle()
    expect(stage.received(people.county.id).at(-1)).toContain('【请协助】')
    // the city runs the county's notices as well
    await stage.say(people.city.id, `撤回 ${number} 重复发了。`)
    const answer = await stage.say(people.city.id, '确认')
    await stage.settle()
    expect(stage.received(people.county.id).join('\n')).toContain(
      `通知 ${number} 已经撤回，之前请您协助传达的群不用再管了`,
    )
    expect(await standing(county, number)).toMatchObject({ recalled: 'sent', unconfirmed: 'withdrawn' })
    expect(await standing(county, numberIn(answer, /编号 (\d+)/))).toMatchObject({ recalled: 'sent' })
    const recalls = sim.log.filter(
      entry => entry.kind === 'api' && String(entry.path).endsWith('message/recall'),
    )
    expect(recalls.every(entry => entry.errcode === 0)).toBe(true)
  })
})
