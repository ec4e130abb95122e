import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { addDays, dayOf, shanghaiMoment } from '../../server/clock.ts'
import type { KnownActor } from '../../server/domain/actor.ts'
import { answerNotice } from '../../server/domain/notices/answers.ts'
import { absentActor } from '../../server/domain/notices/author.ts'
import { sendDueDrafts } from '../../server/domain/notices/send-due-drafts.ts'
import { type AdoptInput, adoptSchedule } from '../../server/domain/work-schedule/adopt.ts'
import { approveSchedule, returnSchedule } from '../../server/domain/work-schedule/approve.ts'
import { dropStep, moveStep } from '../../server/domain/work-schedule/change.ts'
import { takeSchedule } from '../../server/domain/work-schedule/give.ts'
import { sendDueReminders } from '../../server/domain/work-schedule/remind.ts'
import { lookAfterSchedules } from '../../server/jobs/work-schedule.ts'
import { inTransaction } from '../../server/runtime.ts'
import { personId, signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, importCsv, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage

async function actorCalled(name: string): Promise<KnownActor> {
  return (await absentActor(stage.rt, await personId(stage, name))) as KnownActor
}

async function unitId(programme: string, code: string): Promise<number> {
  const [row] = await rows<{ id: string }>(
    stage,
    `select id from units where programme = '${programme}' and code = '${code}'`,
  )
  return Number(row?.id)
}

/** A whole schedule as it is in the template, the steps named. */
async function wish(schedule: string, code: string, ...chosen: string[]): Promise<AdoptInput> {
  return {
    unitId: await unitId(schedule.split('-')[0] as string, code),
    schedule,
    year: 2026,
    chosen: new Set(chosen),
    days: new Map(),
    texts: new Map(),
  }
}

const steps = () =>
  rows(
    stage,
    `select s.key, s.to_on::text, d.status, to_char(d.send_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI') as sends
     from work_schedule_steps s join notice_drafts d on d.id = s.draft_id order by s.from_on, s.key`,
  )

const reminders = async () =>
  (
    await rows<{ words: string }>(
      stage,
      `select s.key || ' ' || r.days_before || ' ' || to_char(r.due_at at time zone 'Asia/Shanghai', 'MM-DD') || ' ' || r.status as words
       from work_schedule_reminders r join work_schedule_steps s on s.id = r.step_id order by r.due_at`,
    )
  ).map(each => each.words.replace(/^[^:]*:\d+:/, ''))

/** What went out: the day, the first words, and the units whose groups it was for. */
const sent = async () =>
  (
    await rows<{ words: string }>(
      stage,
      `select to_char(n.issued_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI') || ' ' || left(n.body, 20) || ' → ' ||
         string_agg(distinct u.name, '、' order by u.name) as words
       from notices n join deliveries d on d.notice_id = n.id join groups g on g.id = d.group_id
       join units u on u.id = g.unit_id group by n.id order by n.id`,
    )
  ).map(each => each.words)

/**
 * Lets days pass: the mornings on which something is due, those of `more`, and the first of every month, on which nobody
 * may hear of anything that is not. The jobs run in two processes at once.
 */
async function passUntil(
  day: string,
  more: string[] = [],
  each: (today: string) => Promise<void> = async () => {},
) {
  for (;;) {
    const tomorrow = addDays(dayOf(stage.clock.now()), 1)
    const [due] = await rows<{ on: string | null }>(
      stage,
      `select min(at at time zone 'Asia/Shanghai')::date::text as on from (
         select send_at as at from notice_drafts where status = 'ready'
         union all select due_at from work_schedule_reminders where status = 'planned') as due`,
    )
    const days = [due?.on, ...more, `${addDays(tomorrow, 31).slice(0, 7)}-01`, day]
    const today = days.filter(each => each != null && each >= tomorrow).sort()[0]
    if (!today || today > day) return
    stage.clock.set(shanghaiMoment(today, '08:50'))
    await lookAfterSchedules(stage.rt)
    await Promise.all([sendDueDrafts(stage.rt), sendDueReminders(stage.rt)])
    stage.clock.set(shanghaiMoment(today, '09:00'))
    await Promise.all([sendDueDrafts(stage.rt), sendDueDrafts(stage.rt)])
    await Promise.all([sendDueReminders(stage.rt), sendDueReminders(stage.rt)])
    await each(today)
  }
}

describe('a city of two counties runs its year by the schedule', () => {
  let gao: SimPerson
  let lin: SimPerson
  const adopted = ['plan-sheet', 'cadre-groups', 'tracking-sheet-03', 'survey']

  beforeAll(async () => {
    stage = await openStage({ start: '2026-01-05T10:00:00+08:00' })
    await fillMatrix(stage)
    gao = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    const ding = stage.sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    for (const person of [lin, ding]) await bindThrough(stage, gao, person)
    await stage.say(lin.id, '建群 县级青农群 微信群 38人 青农榆阳 入群码 https://example.cn/1')
    await stage.say(ding.id, '建群 县级青农群 微信群 30人 青农定边 入群码 https://example.cn/2')
    await stage.settle()
  })
  afterAll(() => stage.close())

  test('nothing is coming before somebody adopts one', async () => {
    expect(await stage.say(lin.id, '日程')).toContain('还没有采用工作日程')
  })

  test('a crash while it is adopted leaves nothing behind', async () => {
    const input = await wish('qingnong-2014', '610800', ...adopted)
    const actor = await actorCalled('高市书')
    await expect(
      inTransaction(stage.rt, async tx => {
        await adoptSchedule(tx, actor, input)
        throw new Error('the process dies')
      }),
    ).rejects.toThrow('dies')
    expect(await steps()).toEqual([])
    expect(await rows(stage, 'select id from notice_drafts union all select id from work_schedules')).toEqual(
      [],
    )
  })

  test('adopted twice at once, and again with one step more, every step is there once', async () => {
    const actor = await actorCalled('高市书')
    const input = await wish('qingnong-2014', '610800', ...adopted)
    const both = await Promise.all([
      adoptSchedule(stage.rt, actor, input),
      adoptSchedule(stage.rt, actor, input),
    ])
    expect(both.map(each => each.count).toSorted()).toEqual([0, 4])
    const more = await wish('qingnong-2014', '610800', ...adopted, 'tracking-sheet-12')
    expect((await adoptSchedule(stage.rt, actor, more)).count).toBe(1)
    expect(await steps()).toEqual([
      {
        key: 'qingnong-2014:2026:tracking-sheet-03',
        to_on: '2026-03-08',
        status: 'ready',
        sends: '03-03 09:00',
      },
      // three days before the 1st is a Sunday
      { key: 'qingnong-2014:2026:survey', to_on: '2026-08-31', status: 'ready', sends: '06-26 09:00' },
      { key: 'qingnong-2014:2026:plan-sheet', to_on: '2026-08-20', status: 'ready', sends: '08-06 09:00' },
      { key: 'qingnong-2014:2026:cadre-groups', to_on: '2026-09-30', status: 'ready', sends: '09-16 09:00' },
      {
        key: 'qingnong-2014:2026:tracking-sheet-12',
        to_on: '2026-12-08',
        status: 'ready',
        sends: '12-03 09:00',
      },
    ])
  })

  test('the county below sees what is coming, and does not adopt the same again', async () => {
    const answer = await stage.say(lin.id, '日程')
    expect(answer.split('\n').slice(0, 3)).toEqual([
      '接下来的工作：',
      '3月8日前　核对跟踪摸底表（3月3日发通知）',
      '8月20日前　报送县乡两级微信体系建设计划表（8月6日发通知）',
    ])
    const own = await wish('qingnong-2014', '610802', 'plan-sheet')
    await expect(adoptSchedule(stage.rt, await actorCalled('林县书'), own)).rejects.toThrow('榆林市已经采用')
    const other = await wish('qingnong-2014', '610800', 'plan-sheet')
    await expect(adoptSchedule(stage.rt, await actorCalled('林县书'), other)).rejects.toThrow('没有权限')
  })

  test('a step that was not sent is moved with its reminders, or dropped', async () => {
    const actor = await actorCalled('高市书')
    const [moved] = await rows<{ id: string; text: string }>(
      stage,
      `select id, text from work_schedule_steps where key like '%:cadre-groups'`,
    )
    const id = Number(moved?.id)
    await moveStep(stage.rt, actor, id, {
      fromOn: '2026-10-12',
      toOn: '2026-10-12',
      text: moved?.text as string,
    })
    expect((await steps()).at(-2)).toMatchObject({
      to_on: '2026-10-12',
      status: 'ready',
      sends: '09-28 09:00',
    })
    expect((await reminders()).filter(each => each.startsWith('cadre'))).toEqual([
      'cadre-groups 7 09-30 planned',
      'cadre-groups 1 10-10 planned',
    ])
    const [draft] = await rows<{ body: string }>(
      stage,
      `select content->>'body' as body from notice_drafts where schedule_step like '%:cadre-groups'`,
    )
    expect(draft?.body).toContain('请在10月12日前')
    const [dropped] = await rows<{ id: string }>(
      stage,
      `select id from work_schedule_steps where key like '%:survey'`,
    )
    await dropStep(stage.rt, actor, Number(dropped?.id))
    await dropStep(stage.rt, actor, Number(dropped?.id))
    expect((await steps())[1]).toMatchObject({ status: 'dropped' })
    for (const days of [
      { fromOn: '2026-01-05', toOn: '2026-01-05' },
      { fromOn: '2026-02-30', toOn: '2026-02-30' },
      { fromOn: '2026-06-02', toOn: '2026-06-01' },
    ])
      await expect(moveStep(stage.rt, actor, id, { ...days, text: 'x' })).rejects.toThrow()
  })

  test('through the year each step goes out once, and only who has not answered is reminded', async () => {
    const told = newsFor(stage, gao)
    const answers: Record<string, [who: string, written: string][]> = {
      '03-04': [
        ['林县书', '已核对'],
        ['丁县书', '已核对'],
      ],
      '08-13': [['林县书', '120']],
      '08-18': [['丁县书', '80']],
      '10-08': [['丁县书', '3']],
    }
    const answerDays = Object.keys(answers).map(day => `2026-${day}`)
    await passUntil('2026-12-31', answerDays, async today => {
      const [{ id: noticeId } = { id: 0 }] = await rows<{ id: string }>(
        stage,
        'select id from notices where ask is not null order by id desc limit 1',
      )
      for (const [who, written] of answers[today.slice(5)] ?? [])
        await answerNotice(stage.rt, await actorCalled(who), {
          noticeId: Number(noticeId),
          unitId: null,
          written,
        })
    })
    expect(await sent()).toEqual([
      '03-03 09:00 【核对跟踪摸底表】2月的推进情况跟踪摸底 → 定边县、榆阳区',
      '08-06 09:00 【报送县乡两级微信体系建设计划表】请各团 → 定边县、榆阳区',
      '08-14 09:00 【提醒】报送县乡两级微信体系建设计划表： → 定边县',
      '09-28 09:00 【青农微信群建成】请在10月12日前按向 → 定边县、榆阳区',
      '09-30 09:00 【提醒】青农微信群建成：10月12日前， → 定边县、榆阳区',
      '10-10 09:00 【提醒】青农微信群建成：10月12日前， → 榆阳区',
      '12-03 09:00 【核对跟踪摸底表】11月的推进情况跟踪摸 → 定边县、榆阳区',
      '12-07 09:00 【提醒】核对跟踪摸底表：12月8日前，明 → 定边县、榆阳区',
    ])
    expect(await reminders()).toEqual([
      'tracking-sheet-03 1 03-06 unneeded',
      'plan-sheet 5 08-14 sent',
      'plan-sheet 1 08-19 unneeded',
      'cadre-groups 7 09-30 sent',
      'cadre-groups 1 10-10 sent',
      'tracking-sheet-12 1 12-07 sent',
    ])
    await stage.settle()
    // next year's is proposed once, and this year's ends by itself
    expect(told().filter(text => text.includes('【工作日程】'))).toEqual([
      expect.stringMatching(/2027年的请核对日子后采用：\S+year=2027/),
    ])
    const [reminder] = await rows<{ body: string }>(
      stage,
      `select body from notices where body like '【提醒】青农%' limit 1`,
    )
    expect(reminder?.body).toMatch(
      /^【提醒】青农微信群建成：10月12日前，还有 12 天，您单位还没有答复通知 \d+（已建青农群多少个）。请负责同志回复：答 \d+ 数字$/,
    )
  })

  test('next year goes on over the turn of the year; who leaves hands over to who comes', async () => {
    const head = '单位编码,姓名,手机号,角色,职务,状态\n'
    const old = '610800,高市书,13900000001,农村战线团干部,青工农部部长,'
    const input = { ...(await wish('qingnong-2014', '610800', 'tracking-sheet-02')), year: 2027 }
    expect((await adoptSchedule(stage.rt, await actorCalled('高市书'), input)).count).toBe(1)
    await importCsv(
      stage,
      'qingnong',
      `${head}${old}离岗\n610800,新市书,13900000021,农村战线团干部,青工农部部长,在岗\n`,
    )
    const xin = stage.sim.addPerson({ name: '新市书', wecomUserId: 'xin' })
    await bindFirst(stage, xin, 'qingnong', '610800')
    const told = newsFor(stage, xin)
    const before = (await sent()).length
    await passUntil('2027-02-04')
    await stage.settle()
    expect(told().filter(text => text.includes('转给您'))).toHaveLength(1)
    expect((await sent()).slice(before)).toEqual([
      '02-03 09:00 【核对跟踪摸底表】1月的推进情况跟踪摸底 → 定边县、榆阳区',
    ])
  }, 20_000)
})

describe('a province, whose notices a second person looks at', () => {
  let chen: SimPerson
  let quan: SimPerson

  beforeAll(async () => {
    stage = await openStage({ start: '2026-05-25T10:00:00+08:00' })
    await fillMatrix(stage)
    quan = stage.sim.addPerson({ name: '全国办', wecomUserId: 'quan' })
    chen = stage.sim.addPerson({ name: '陈省办', wecomUserId: 'chen' })
    await bindFirst(stage, quan, 'xibu', '000000')
    await bindThrough(stage, quan, chen)
    await stage.say(chen.id, '建群 省西部计划工作群 微信群 20人 陕西西部计划 入群码 https://example.cn/1')
    await stage.settle()
  })
  afterAll(() => stage.close())

  test('they look at the whole once: sent back, mended, let pass', async () => {
    const told = newsFor(stage, quan)
    const input = await wish('xibu-2020', '610000', 'selection', 'medical-check', 'confirmation')
    const actor = await actorCalled('陈省办')
    const second = await actorCalled('全国办')
    const first = await adoptSchedule(stage.rt, actor, input)
    expect(first).toMatchObject({ count: 3, isWaiting: true })
    expect(await adoptSchedule(stage.rt, actor, input)).toMatchObject({ count: 0, isWaiting: true })
    await expect(approveSchedule(stage.rt, actor, first.id)).rejects.toThrow('不等您审核')
    await passUntil('2026-05-26')
    expect(await sent()).toEqual([])
    await stage.settle()
    expect(told()).toEqual([expect.stringContaining('【请审核工作日程】陕西省：陈省办采用了2026年')])

    await returnSchedule(stage.rt, second, first.id, '体检先不发')
    await expect(approveSchedule(stage.rt, second, first.id)).rejects.toThrow('不等您审核')
    await adoptSchedule(stage.rt, actor, await wish('xibu-2020', '610000', 'selection', 'confirmation'))
    // what was changed under their eyes is not what they agree to
    const [selection] = await rows<{ id: string; at: string }>(
      stage,
      `select s.id, d.updated_at::text as at from work_schedule_steps s join notice_drafts d on d.id = s.draft_id where s.key like '%:selection'`,
    )
    stage.clock.advance(60_000)
    const change = { fromOn: '2026-06-15', toOn: '2026-06-15', text: '审核选拔请在{日期}前完成。' }
    await moveStep(stage.rt, actor, Number(selection?.id), change)
    const seen = new Date(selection?.at as string)
    await expect(approveSchedule(stage.rt, second, first.id, seen)).rejects.toThrow('刚才又改过了')
    expect(await approveSchedule(stage.rt, second, first.id)).toBe(2)
    expect((await steps()).map(each => [each.key, each.status])).toEqual([
      ['xibu-2020:2026:selection', 'ready'],
      ['xibu-2020:2026:medical-check', 'dropped'],
      ['xibu-2020:2026:confirmation', 'ready'],
    ])
  })

  test('notices and reminders go out with that one word', async () => {
    const told = newsFor(stage, quan)
    await passUntil('2026-07-10')
    await stage.settle()
    expect(await sent()).toEqual([
      '06-10 09:00 【审核选拔】审核选拔请在6月15日前完成 → 陕西省',
      '06-12 09:00 【提醒】审核选拔：6月15日前，还有 3 → 陕西省',
      '06-26 09:00 【确定入选志愿者】请在7月10日前确定入 → 陕西省',
      '07-06 09:00 【提醒】确定入选志愿者：7月10日前，还 → 陕西省',
      '07-09 09:00 【提醒】确定入选志愿者：7月10日前，明 → 陕西省',
    ])
    expect(
      await rows(stage, 'select distinct p.name from notices n left join persons p on p.id = n.approved_by'),
    ).toEqual([{ name: '全国办' }])
    expect(told().filter(text => text.includes('请审核通知'))).toEqual([])
  })

  test('a dropped step can be adopted again with another day, and is looked at by itself then', async () => {
    const input = await wish('xibu-2020', '610000', 'medical-check')
    const days = new Map([['medical-check', { fromOn: '2026-08-25', toOn: '2026-08-25' }]])
    await adoptSchedule(stage.rt, await actorCalled('陈省办'), { ...input, days })
    expect((await steps()).find(each => String(each.key).endsWith('medical-check'))).toMatchObject({
      status: 'waiting',
      to_on: '2026-08-25',
      sends: '08-14 09:00',
    })
    await expect(
      adoptSchedule(stage.rt, await actorCalled('陈省办'), await wish('xibu-2020', '610000', 'insurance')),
    ).resolves.toMatchObject({ count: 1 })
    await expect(
      adoptSchedule(
        stage.rt,
        await actorCalled('陈省办'),
        await wish('xibu-2020', '610000', 'publicity-and-posts'),
      ),
    ).rejects.toThrow('已经过了')
  })

  test('who takes it over gets only what those who have gone have left, and approves none of it themselves', async () => {
    const drafts = (tx: Pick<typeof stage.rt, 'db'>) =>
      tx.db.execute<{ words: string }>(sql`
        select string_agg(distinct p.name || ' ' || d.status || ' ' || (d.decided_by is not null), '、') as words
        from notice_drafts d join persons p on p.id = d.author_id
        where d.schedule_step like '%:insurance' or d.schedule_step like '%:medical-check'`)
    const [schedule] = await rows<{ id: string }>(stage, 'select id from work_schedules')
    const second = await actorCalled('全国办')
    const told = newsFor(stage, quan)
    await expect(
      inTransaction(stage.rt, async tx => {
        await tx.db.execute(
          sql`update notice_drafts set status = 'ready', decided_by = ${second.person.id} where schedule_step like '%:insurance'`,
        )
        // their author is in office: nothing is given away
        await takeSchedule(tx, second, Number(schedule?.id))
        expect(await drafts(tx)).toEqual([{ words: '陈省办 ready true、陈省办 waiting false' }])
        await tx.db.execute(
          sql`update roles set ended_at = now() where person_id = (select id from persons where name = '陈省办')`,
        )
        await takeSchedule(tx, second, Number(schedule?.id))
        expect(await drafts(tx)).toEqual([{ words: '全国办 draft false' }])
        const [news] = await tx.db.execute<{ n: number }>(
          sql`select count(*)::int as n from outgoing_messages where purpose = 'task' and person_id = ${second.person.id} and status = 'pending'`,
        )
        expect(news?.n).toBe(2)
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    expect(told()).toEqual([])
  })

  test('the pages: who runs it adopts with other days, who may approve sees the deed', async () => {
    const officer = await signIn(stage, '陈省办')
    const unit = String(await unitId('xibu', '610000'))
    const form = { unit, schedule: 'xibu-2020', year: '2026', deed: 'look' }
    const page = await officer.get(`/console/schedule/adopt?unit=${unit}`)
    expect(page.text).toContain('派遣上岗')
    const look = await officer.post('/console/schedule/adopt', {
      ...form,
      'on-replacements': 'yes',
      'was-replacements': '2026-09-10 2026-09-10',
      'to-replacements': '2026-09-21',
      'text-replacements': '请在{日期}前补录。',
    })
    expect(look.status).toBe(200)
    expect(look.text).toContain('【补录】请在9月21日前补录。')
    expect(look.text).toContain('name="on-replacements" value="yes" checked')
    const bad = await officer.post('/console/schedule/adopt', {
      ...form,
      deed: 'adopt',
      'on-replacements': 'yes',
      'was-replacements': '2026-09-10 2026-09-10',
      'to-replacements': '2026-09-31',
      'text-replacements': '改过的正文',
    })
    expect(bad.status).toBe(422)
    expect(bad.text).toContain('“补录”的日期不对')
    expect(bad.text).toContain('改过的正文')
    expect(bad.text).toContain('value="2026-09-31"')
    const none = await officer.post('/console/schedule/adopt', { ...form, schedule: 'qingnong-2014' })
    expect(none.status).toBe(404)
    const year = await officer.get(`/console/schedule?unit=${unit}&year=2026`)
    expect(year.text).toMatch(/审核选拔[\s\S]*已发[\s\S]*通知 1/)
    const county = await signIn(stage, '赵县办')
    expect((await county.get(`/console/schedule?unit=${unit}`)).status).toBe(404)
    expect((await county.get('/console/schedule')).text).not.toContain('审核选拔')
  })
})
