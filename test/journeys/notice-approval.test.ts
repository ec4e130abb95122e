import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { sendDueDrafts } from '../../server/domain/notices/send-due-drafts.ts'
import { inTransaction } from '../../server/runtime.ts'
import { bindFirst, bindThrough, fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const province = (...people: string[]) =>
  ['省份,姓名,手机号,角色,职务,状态', ...people.map(each => `陕西省,${each},在岗`)].join('\n')
const CHEN = '陈省办,13800000002,项目办负责同志,副部长'
const SUN = '孙省办,13800000021,项目办工作人员,干事'

/** A province's notice needs a second person; a county's goes at once, or at its time. */
describe('a notice waits for a second person, and for its time', () => {
  let stage: Stage
  const people: Record<'chen' | 'sun' | 'liu' | 'zhao' | 'zhou', SimPerson> = {} as never
  const say = (who: keyof typeof people, text: string) => stage.say(people[who].id, text)
  const last = (who: keyof typeof people) => stage.received(people[who].id).at(-1) ?? ''
  const cards = (who: keyof typeof people) => stage.sim.inbox(people[who].id).filter(each => each.card)
  /** Reads a draft as the chat shows it, and agrees to what was shown. */
  const pass = async (who: keyof typeof people, command: string) =>
    say(who, /批 \d+ [a-z]{3}/.exec(await say(who, command))?.[0] ?? 'no command')
  const statusOf = async (id: number) =>
    (await rows<{ status: string }>(stage, `select status from notice_drafts where id = ${id}`))[0]?.status
  const count = async (from: string) =>
    Number((await rows<{ n: string }>(stage, `select count(*) as n from ${from}`))[0]?.n)
  const at = (moment: string) => stage.clock.set(new Date(`${moment}+08:00`))

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    people.chen = sim.addPerson({ name: '陈省办', wecomUserId: 'chen' })
    people.sun = sim.addPerson({ name: '孙省办', wecomUserId: 'sun' })
    people.liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    people.zhao = sim.addPerson({ name: '赵县办', openId: 'o-zhao' })
    people.zhou = sim.addPerson({ name: '周支书', openId: 'o-zhou' })
    await bindFirst(stage, people.chen, 'xibu', '610000')
    await bindThrough(stage, people.chen, people.liu)
    await bindThrough(stage, people.liu, people.zhao)
    await bindThrough(stage, people.zhao, people.zhou)
    await say('zhou', '建群 团支部群 微信群 30人 沙柳支部群 入群码 拉人')
  })
  afterAll(() => stage.close())

  test('where there is nobody else it does not go, and says whom to enter; it is kept', async () => {
    // the only one above has no account yet
    const preview = await say('chen', '通知 政策 各市：请于周五前报送志愿者在岗情况。')
    expect(preview).toContain('要有第二人审核：全国的全国办可以审核，但还没有绑定账号')
    expect(await say('chen', '确认')).toMatch(/还没有发出：.*全国办.*还没有绑定账号.*\n.*草稿 1/)
    await rows(
      stage,
      `update roles set ended_at = now() where person_id = (select id from persons where name = '全国办')`,
    )
    expect(await say('chen', '草稿 1 发出')).toMatch(
      /名册上都没有别的负责同志.*登记一位陕西省的同志（项目办负责同志、项目办工作人员/,
    )
    expect([await statusOf(1), await count('notices')]).toEqual(['draft', 0])
    expect(await say('chen', '草稿')).toContain('1　没写完或没发：各市：请于周五前报送')
  })

  test('with a second person on the roster it waits for them; they read it in a card and let it pass', async () => {
    expect((await importCsv(stage, 'xibu', province(CHEN, SUN))).isApplied).toBe(true)
    await bindFirst(stage, people.sun, 'xibu', '610000')
    expect(await say('chen', '草稿 1 发出')).toMatch(/已请孙省办看（草稿 1）/)
    // sent twice it is asked once
    await say('chen', '草稿 1 发出')
    expect(await say('chen', '批 1')).toContain('自己写的通知要由别人审核')
    expect(await say('zhao', '批 1')).toContain('没有编号是 1 的通知草稿')
    await stage.settle()
    expect(cards('sun')).toHaveLength(1)
    const card = cards('sun')[0]
    expect([card?.card?.title, card?.card?.rows.map(row => row.value)]).toEqual([
      '【请审核通知 1】陕西省',
      ['陕西省 陈省办', '1 个群', '普通（24 小时内）', '同意后马上发出'],
    ])
    expect(await count('notices')).toBe(0)
    const button = card?.card?.buttons.find(each => each.text === '同意')?.key as string
    expect(button).toMatch(/^批 1 [a-z]{3}$/)
    // without the code of what was read it is shown, and does not go
    for (const typed of ['批 1', '批', '批 1 zzz'])
      expect(await say('sun', typed)).toMatch(/还没有同意[\s\S]*请于周五前报送[\s\S]*批 1 [a-z]{3}/)
    expect(await count('notices')).toBe(0)
    const [answer] = await stage.sim.tapCard(people.sun.id, card?.id as string, button)
    expect(answer?.text).toContain('已同意，通知 1 发出了')
    await stage.settle()
    expect(last('chen')).toContain('孙省办已同意，已发出（通知 1）')
    expect(stage.received(people.zhou.id).at(-2)).toContain('请于周五前报送志愿者在岗情况')
    expect(
      await rows(
        stage,
        `select a.name as author, b.name as approver from notices n join persons a on a.id = n.author_id
        join persons b on b.id = n.approved_by`,
      ),
    ).toEqual([{ author: '陈省办', approver: '孙省办' }])
    // the buttons have gone, and to say it again changes nothing
    expect(cards('sun')[0]?.card?.replacedText).toContain('孙省办已同意')
    expect(await say('sun', '批 1')).toContain('通知 1')
    expect(await count('notices')).toBe(1)
  })

  test('sent back with words it is mended and submitted again', async () => {
    await say('chen', '通知 政策 各市：请于周六前报送，逾期通报。')
    expect(await say('chen', '确认')).toContain('已请孙省办看（草稿 2）')
    expect(await say('sun', '退 2')).toContain('请写上退回的理由')
    expect(await say('sun', '退 2 周六不上班')).toContain('已退回')
    await stage.settle()
    expect(last('chen')).toMatch(/被孙省办退回.*理由：周六不上班[\s\S]*\/console\/notices\/drafts\/2/)
    expect(await say('sun', '批 2')).toContain('现在没有等人审核（孙省办已退回）')
    expect(await say('chen', '草稿 2')).toContain('孙省办退回（周六不上班）')
    expect(await say('chen', '草稿 2 作废')).toContain('已作废')
    expect([await statusOf(2), await count('notices')]).toEqual(['dropped', 1])
  })

  test('an urgent one is asked about at once, also at night; others wait for the morning', async () => {
    at('2026-09-07T23:10:00')
    await say('chen', '通知 便民 明天的培训照常。')
    await say('chen', '确认')
    await stage.settle()
    const before = cards('sun').length
    await say('chen', '通知 便民 紧急 暴雨红色预警，志愿者立即停止外出。')
    expect(await say('chen', '确认')).toContain('同意后马上发出')
    await stage.settle()
    expect(
      cards('sun')
        .slice(before)
        .map(each => each.card?.title),
    ).toEqual(['【请审核通知 4】陕西省'])
    expect(await say('sun', '批')).toContain('有 2 个通知等您审核（3、4）')
    expect(await pass('sun', '批 4')).toContain('通知 2 发出了')
    await stage.settle()
    expect(stage.received(people.zhou.id).at(-2)).toContain('暴雨红色预警')
    at('2026-09-08T08:00:00')
    await stage.settle()
    expect(cards('sun').at(-1)?.card?.title).toBe('【请审核通知 3】陕西省')
    expect(await pass('sun', '批')).toContain('通知 3 发出了')
  })

  test('in the chat it gets a time, a way down and an audience before it is confirmed', async () => {
    await say('liu', '通知 政策 请各县报送第三季度总结。')
    expect(await say('liu', '昨天8点')).toContain('请回复“确认”发出')
    expect(await say('liu', '7点')).toContain('已经过了')
    expect(await say('liu', '明天8点')).toContain('定在9月9日 08:00发出。普通：24 小时内，9月10日 08:00前')
    expect(await say('liu', '逐级')).toContain('逐级往下发')
    expect(await say('liu', '只发 省级')).toContain('没有这样的群')
    expect(await say('liu', '只发 火星')).toContain('没有“火星”')
    expect(await say('liu', '只发 团支部')).toContain('团支部的群：发到 1 个群')
    expect(await say('liu', '确认')).toContain('已定好，9月9日 08:00发出（草稿 5）')
    expect(
      await rows(stage, 'select status, send_at, content from notice_drafts where id = 5'),
    ).toMatchObject([{ status: 'ready', content: { mode: 'by-level', audience: { levels: ['branch'] } } }])
    await say('liu', '通知 政策 还没想好怎么写。')
    expect(await say('liu', '草稿')).toContain('已存为草稿 6')
    expect(await say('liu', '草稿')).toMatch(
      /还没有发出的通知 2 份[\s\S]*6　没写完[\s\S]*5　定在9月9日 08:00发/,
    )
    // who runs the unit above sees what is planned below
    expect(await say('chen', '草稿')).toContain('5　定在9月9日 08:00发（刘市办）')
  })

  test('at its time it is sent once, by however many processes, and not before', async () => {
    at('2026-09-09T07:59:59')
    expect(await sendDueDrafts(stage.rt)).toBe(0)
    at('2026-09-09T08:00:00')
    const notices = await count('notices')
    // a process that dies in the middle leaves it to the next
    await expect(
      inTransaction(stage.rt, async tx => {
        await sendDueDrafts(tx)
        throw new Error('killed')
      }),
    ).rejects.toThrow('killed')
    expect([await statusOf(5), await count('notices')]).toEqual(['ready', notices])
    const sent = await Promise.all([1, 2, 3].map(() => sendDueDrafts(stage.rt)))
    expect(sent.reduce((sum, each) => sum + each)).toBe(1)
    expect(await count('notices')).toBe(notices + 1)
    expect(await statusOf(5)).toBe('sent')
    expect(await sendDueDrafts(stage.rt)).toBe(0)
  })

  test('who has lost their office meanwhile sends nothing: it fails with a reason, and others are told', async () => {
    await say('chen', '通知 政策 请报送十月计划。')
    await say('chen', '明天9点')
    await say('chen', '确认')
    expect(await pass('sun', '批')).toContain('9月10日 09:00发出')
    await rows(
      stage,
      `update roles set ended_at = now() where person_id = (select id from persons where name = '陈省办')`,
    )
    at('2026-09-10T09:00:30')
    const notices = await count('notices')
    expect(await sendDueDrafts(stage.rt)).toBe(0)
    await sendDueDrafts(stage.rt)
    await stage.settle()
    expect([await statusOf(7), await count('notices')]).toEqual(['failed', notices])
    for (const who of ['chen', 'sun'] as const) {
      const told = stage
        .received(people[who].id)
        .filter(text => text.includes('草稿 7') && text.includes('没有发出'))
      expect([who, told.length, told[0]]).toEqual([
        who,
        1,
        expect.stringContaining('陈省办现在不负责陕西省了'),
      ])
    }
    // what was planned is the office's: whoever has left it neither reads nor drops it
    for (const typed of ['草稿 7', '草稿 7 作废']) expect(await say('chen', typed)).not.toContain('十月计划')
    expect(await statusOf(7)).toBe('failed')
    // whoever runs the unit takes it over, and needs a second person in turn: the one who wrote it has gone
    expect(await say('sun', '草稿 7 发出')).toContain('要有第二人审核')
    expect(await count('notices')).toBe(notices)
  })

  test('a time that comes before the second person is said once, and sends nothing by itself', async () => {
    await rows(
      stage,
      `update roles set ended_at = null where person_id = (select id from persons where name = '陈省办')`,
    )
    await say('chen', '通知 政策 请报送十一月计划。')
    await say('chen', '今天10点')
    expect(await say('chen', '确认')).toContain('已请孙省办看（草稿 8）')
    at('2026-09-10T10:00:30')
    const notices = await count('notices')
    for (const _ of [1, 2]) await sendDueDrafts(stage.rt)
    await stage.settle()
    for (const who of ['chen', 'sun'] as const)
      expect(
        stage
          .received(people[who].id)
          .filter(text => text.includes('定的时间已经过了') && text.includes('草稿 8')),
      ).toHaveLength(1)
    expect([await statusOf(8), await count('notices')]).toEqual(['failed', notices])
    expect(await say('sun', '批 8')).toContain('请陈省办重新提交')
    expect(await say('chen', '草稿 8 发出')).toContain('已请孙省办看')
    expect(await pass('sun', '批 8')).toContain('发出了')
    expect(await count('notices')).toBe(notices + 1)
  })

  test('after a standstill of more than two hours it fails with words, which wait for the morning', async () => {
    await say('liu', '通知 政策 今晚报送值班表。')
    await say('liu', '今天20点')
    expect(await say('liu', '确认')).toContain('（草稿 9）')
    at('2026-09-10T22:30:00')
    expect(await sendDueDrafts(stage.rt)).toBe(0)
    await stage.settle()
    expect(await statusOf(9)).toBe('failed')
    expect(last('liu')).not.toContain('草稿 9，')
    at('2026-09-11T07:00:00')
    await stage.settle()
    expect(last('liu')).toMatch(/草稿 9，刘市办写的）没有发出：定在9月10日 20:00.*晚了 2 小时以上。可以打开/)
  })

  test('what was done stands in the audit log', async () => {
    expect(
      await rows(
        stage,
        `select action, count(*)::int as times from audit_log where action like 'notice_draft.%'
        group by action order by action`,
      ),
    ).toEqual([
      { action: 'notice_draft.approved', times: 5 },
      { action: 'notice_draft.dropped', times: 1 },
      { action: 'notice_draft.failed', times: 3 },
      { action: 'notice_draft.returned', times: 1 },
      { action: 'notice_draft.submitted', times: 9 },
    ])
  })
})
