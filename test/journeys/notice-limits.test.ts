import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { sendDrafts } from '../../server/jobs/send-drafts.ts'
import { signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const STAFF = `省份,姓名,手机号,角色,职务,状态
陕西省,陈省办,13800000002,项目办负责同志,副部长,在岗
陕西省,孙省办,13800000021,项目办工作人员,干事,在岗
`

/** Who looks at notices is called again, and not flooded; nobody gets round them by sending in pieces. */
describe('between the author and the second person', () => {
  let stage: Stage
  const people: Record<'quan' | 'chen' | 'sun' | 'liu', SimPerson> = {} as never
  const say = (who: keyof typeof people, text: string) => stage.say(people[who].id, text)
  const news = (who: keyof typeof people) => stage.received(people[who].id)
  const cards = (who: keyof typeof people) =>
    stage.sim
      .inbox(people[who].id)
      .filter(each => each.card)
      .map(each => each.card?.title)
  const at = async (moment: string) => {
    stage.clock.set(new Date(`${moment}+08:00`))
    await sendDrafts(stage.rt)
    await stage.settle()
  }
  const count = async (from: string) =>
    Number((await rows<{ n: string }>(stage, `select count(*) as n from ${from}`))[0]?.n)
  /** What has come to somebody since it was asked for last. */
  const heard = new Map<string, number>()
  const fresh = (who: keyof typeof people) => {
    const all = news(who)
    const before = heard.get(who) ?? 0
    heard.set(who, all.length)
    // the notices that go out here bring requests of their own
    return all.slice(before).filter(text => text.includes('审核'))
  }

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    expect((await importCsv(stage, 'xibu', STAFF)).isApplied).toBe(true)
    const { sim } = stage
    people.quan = sim.addPerson({ name: '全国办', wecomUserId: 'quan' })
    people.chen = sim.addPerson({ name: '陈省办', wecomUserId: 'chen' })
    people.sun = sim.addPerson({ name: '孙省办', wecomUserId: 'sun' })
    people.liu = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    await bindFirst(stage, people.quan, 'xibu', '000000')
    for (const person of [people.chen, people.sun]) await bindThrough(stage, people.quan, person)
    await bindThrough(stage, people.chen, people.liu)
    await rows(
      stage,
      `insert into groups (programme, kind, unit_id, name, platform, capacity, size, created_at)
      select 'xibu', 'branch', u.id, '群' || n, 'wechat', 500, 1, now()
      from units u, generate_series(1, 600) n where u.programme = 'xibu' and u.code = '610800'`,
    )
    await stage.settle()
    for (const who of Object.keys(people)) fresh(who as keyof typeof people)
  })
  afterAll(() => stage.close())

  test('who does not answer is reminded, then the next office is asked; the author sees where it lies', async () => {
    await say('chen', '通知 政策 各市：请报送志愿者在岗情况。')
    expect(await say('chen', '确认')).toContain('已请孙省办看（草稿 1）')
    await at('2026-09-07T10:59:00')
    expect(fresh('sun')).toHaveLength(1)
    await at('2026-09-07T11:00:00')
    expect(fresh('sun')).toEqual([
      expect.stringMatching(
        /【请审核】有 1 份通知在等第二人审核[\s\S]*草稿 1（陕西省陈省办写的，普通；.*9:00请您看的，还没有答复）：各市：请报送[\s\S]*批 1/,
      ),
    ])
    expect([fresh('chen').length, fresh('quan').length]).toEqual([0, 0])
    await at('2026-09-07T13:00:00')
    expect(fresh('quan')).toEqual([expect.stringContaining('陕西省的同志还没有答复')])
    expect(fresh('chen')).toEqual([expect.stringContaining('陕西省的同志没有答复，已再请全国的全国办看')])
    const page = (await (await signIn(stage, '陈省办')).get('/console/notices/drafts/1')).text
    expect(page).toMatch(
      /现在在谁那里.*请了陕西省的孙省办.*提醒了陕西省的孙省办.*请了全国的全国办.*15:00还没有人看/s,
    )
    await at('2026-09-07T15:00:00')
    expect(fresh('quan')).toEqual([expect.stringContaining('13:00请您看的，还没有答复')])
    await at('2026-09-07T17:00:00')
    expect(fresh('chen')).toEqual([expect.stringContaining('能审核的同志都请过、提醒过了，还没有答复')])
    await at('2026-09-08T09:00:00')
    expect([...fresh('chen'), ...fresh('sun'), ...fresh('quan')]).toEqual([])
    // and whoever was asked may let it pass
    expect(await say('quan', /批 1 [a-z]{3}/.exec(await say('quan', '批 1'))?.[0] ?? '')).toContain('发出了')
    await stage.settle()
    for (const who of ['chen', 'sun', 'quan'] as const) fresh(who)
  })

  test('urgently within half an hour, also at night; nobody is reminded at night of what can wait', async () => {
    stage.clock.set(new Date('2026-09-08T21:30:00+08:00'))
    await say('chen', '通知 政策 请各市准备秋季培训班的场地。')
    await say('chen', '确认')
    await say('chen', '通知 便民 紧急 暴雨红色预警，志愿者停止外出。')
    await say('chen', '确认')
    await stage.settle()
    expect(fresh('sun')).toHaveLength(2)
    await at('2026-09-08T22:00:00')
    expect(fresh('sun')).toEqual([expect.stringMatching(/有 1 份通知.*\n.*紧急；/)])
    await at('2026-09-08T23:59:00')
    expect(fresh('sun')).toEqual([])
    // two hours without those of the night
    await at('2026-09-09T08:29:00')
    expect(fresh('sun')).toEqual([])
    await at('2026-09-09T08:30:00')
    expect(fresh('sun')).toEqual([expect.stringContaining('请各市准备秋季培训班')])
    await rows(stage, `update notice_drafts set status = 'dropped' where status = 'waiting'`)
    for (const who of ['chen', 'sun', 'quan'] as const) fresh(who)
  })

  test('who lets it pass in the night is not asked about it in the morning', async () => {
    stage.clock.set(new Date('2026-09-09T23:00:00+08:00'))
    await say('chen', '通知 政策 请各市报送冬季物资需求。')
    await say('chen', '确认')
    await stage.settle()
    const before = cards('sun').length
    const command = /批 \d+ [a-z]{3}/.exec(await say('sun', '批'))?.[0] ?? ''
    expect(await say('sun', command)).toContain('发出了')
    await at('2026-09-10T07:00:00')
    expect(cards('sun')).toHaveLength(before)
    for (const who of ['chen', 'sun', 'quan'] as const) fresh(who)
  })

  test('many at once: three cards, the rest in one message; a sixth waits its turn', async () => {
    stage.clock.set(new Date('2026-09-10T09:00:00+08:00'))
    const before = cards('sun').length
    const about = ['招募公告', '面试安排', '体检通知', '集中派遣', '岗前培训', '年度考核']
    for (const what of about.slice(0, 5)) {
      await say('chen', `通知 政策 ${what}：请各市认真组织，做好${what}的各项准备工作。`)
      expect(await say('chen', '确认')).toContain('还没有发出')
    }
    await stage.settle()
    expect(cards('sun').slice(before)).toHaveLength(3)
    await say('chen', `通知 政策 ${about[5]}：请各市认真组织年度考核。`)
    expect(await say('chen', '确认')).toContain('已经有 5 份通知在等第二人审核')
    expect(await count(`notice_drafts where status = 'waiting'`)).toBe(5)
    fresh('sun')
    await at('2026-09-10T09:15:00')
    const [bundle, ...more] = fresh('sun')
    expect(more).toEqual([])
    expect(bundle).toMatch(/有 2 份通知在等第二人审核[\s\S]*集中派遣[\s\S]*岗前培训/)
    // the next of them goes when one is through
    const [first] = await rows<{ id: string }>(
      stage,
      `select id from notice_drafts where status = 'waiting' order by id limit 1`,
    )
    await say('sun', `退 ${first?.id} 重写`)
    const [kept] = await rows<{ id: string }>(stage, `select max(id) as id from notice_drafts`)
    expect(await say('chen', `草稿 ${kept?.id} 发出`)).toContain('已请孙省办看')
    await rows(stage, `update notice_drafts set status = 'dropped' where status = 'waiting'`)
  })

  test('a notice in pieces is judged as one: the same author, nearly the same words, within an hour', async () => {
    stage.clock.set(new Date('2026-09-11T09:00:00+08:00'))
    const words = (day: string) => `通知 政策 各团支部：请于${day}前把本支部志愿者的在岗情况报到县项目办。`
    await say('liu', words('周五'))
    expect(await say('liu', '确认')).toContain('已发')
    // something else of the same size goes
    await say('liu', '通知 便民 明天上午九点在市委党校开会，请带身份证原件。')
    expect(await say('liu', '确认')).toContain('已发')
    const preview = await say('liu', words('周六'))
    expect(preview).toContain('和您一小时内内容相近的通知合起来发到 1200 个群，1000 个群以上要有第二人审核')
    expect(await say('liu', '确认')).toContain('还没有发出')
    expect(await count(`notices where body like '%周六%'`)).toBe(0)
    // planned for the same hour it is the same
    await rows(stage, `update notice_drafts set status = 'dropped' where status = 'waiting'`)
    stage.clock.set(new Date('2026-09-11T10:01:00+08:00'))
    await say('liu', words('周日'))
    expect(await say('liu', '确认')).toContain('已发')
    await stage.settle()
  })
})
