import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { runMonth } from '../../server/jobs/run-month.ts'
import { bindFirst, bindThrough, fillMatrix, groupNumber, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** A month as it goes: from its last days to the day after it was closed. One story, told in order. */
describe('October is checked, signed and closed', () => {
  let stage: Stage
  const people: Record<string, SimPerson> = {}
  const numbers: number[] = []
  const say = (name: string, text: string) => stage.say((people[name] as SimPerson).id, text)
  const news = (name: string) => stage.received((people[name] as SimPerson).id)
  /** What somebody got since the last look. */
  const seen = new Map<string, number>()
  const fresh = (name: string) => {
    const all = news(name)
    const from = seen.get(name) ?? 0
    seen.set(name, all.length)
    return all.slice(from)
  }
  const isChasing = (text: string) => /核对】|签报】|提醒】|月报】/.test(text)
  /** Moves the clock, and runs what is due: twice, for a job may be run twice. */
  const at = async (moment: string) => {
    stage.clock.set(new Date(`2026-${moment}:00+08:00`))
    await runMonth(stage.rt)
    await runMonth(stage.rt)
    await stage.settle()
  }
  const total = async () =>
    (
      await rows<{ count: number }>(
        stage,
        "select coalesce(sum(count), 0)::int as count from message_records where month = '2026-10'",
      )
    )[0]?.count

  beforeAll(async () => {
    stage = await openStage({ start: '2026-10-28T09:00:00+08:00' })
    await fillMatrix(stage)
    for (const [name, wecom] of [
      ['高市书', 'gao'],
      ['林县书', 'lin'],
      ['王镇川', null],
      ['李镇川', 'li'],
      ['马黄梁', 'ma'],
    ] as const)
      people[name] = stage.sim.addPerson({
        name,
        ...(wecom ? { wecomUserId: wecom } : { openId: `o-${name}` }),
      })
    const person = (name: string) => people[name] as SimPerson
    await bindFirst(stage, person('高市书'), 'qingnong', '610800')
    await bindThrough(stage, person('高市书'), person('林县书'))
    for (const name of ['王镇川', '李镇川', '马黄梁'])
      await bindThrough(stage, person('林县书'), person(name))
    for (const group of ['镇川青年', '镇川电商'])
      numbers.push(groupNumber(await say('王镇川', `建群 团青群 微信群 86人 ${group} 入群码 拉人`)))
    numbers.push(groupNumber(await say('马黄梁', '建群 团青群 微信群 60人 麻黄梁青年 入群码 拉人')))
    await rows(
      stage,
      "update units set created_at = '2026-09-01'; update groups set created_at = '2026-09-01'",
    )
    await say('王镇川', `登记 ${numbers[0]} 致富 3条`)
    await say('王镇川', `登记 ${numbers[1]} 政策 2条`)
    await say('马黄梁', `登记 ${numbers[2]} 便民 4条`)
    await stage.settle()
    for (const name of Object.keys(people)) fresh(name)
  })
  afterAll(() => stage.close())

  test('on the last evening, a minute before midnight in Shanghai, it still counts; nobody is asked at night', async () => {
    stage.clock.set(new Date('2026-10-31T23:59:00+08:00'))
    await say('王镇川', `登记 ${numbers[0]} 新闻 1条`)
    expect(await total()).toBe(10)
    await at('11-01T00:00')
    await at('11-01T07:59')
    expect(news('王镇川').filter(isChasing)).toEqual([])
  })

  test('on the first day each owner gets one message for all their groups, each township its figures', async () => {
    await at('11-01T08:00')
    const [owner] = fresh('王镇川').filter(text => text.includes('核对】'))
    expect(owner).toContain('您的 2 个群10月发送微信的数')
    expect(owner).toMatch(/镇川青年：.*致富信息 3.*新闻娱乐 1|镇川青年：.*新闻娱乐 1.*致富信息 3/)
    expect(owner).toContain('镇川电商：政策法规 2（共 2 条）')
    const township = fresh('李镇川').filter(isChasing)
    expect(township).toHaveLength(1)
    expect(township[0]).toContain('【10月签报】镇川镇')
    expect(township[0]).toContain('微信群 2 个，群内成员 0 人，发送微信 6 条，线下活动 0 次')
    expect(township[0]).toContain('请在11月5日前签报')
    expect(fresh('林县书').filter(text => text.includes('榆阳区10月'))).toEqual([])
    // a member of the corp has buttons
    expect(
      await rows(
        stage,
        "select about_kind from sent_cards where about_kind in ('group_month', 'unit_month')",
      ),
    ).not.toEqual([])
  })

  test('an owner puts something right and confirms; twice is once', async () => {
    await say('王镇川', `登记 ${numbers[1]} 其他 1条 10月30日`)
    expect(await say('王镇川', '确认')).toMatch(
      /^已确认10月的数，谢谢：2 个群，.*（共 7 条），其中 1 个群按您的更正算/,
    )
    expect(await say('王镇川', '确认 10月')).toMatch(/^您已经确认过10月的数：2 个群/)
    expect(await say('李镇川', '确认')).toMatch(/^您没有要核对10月数的群。/)
    expect(await say('王镇川', '确认 11月')).toMatch(/^11月还没有完/)
    const answers = await rows<{ group_id: number; is_corrected: boolean; figures: Record<string, number> }>(
      stage,
      'select group_id::int, is_corrected, figures from group_months where answered_at is not null order by group_id',
    )
    expect(answers.map(row => [row.group_id, row.is_corrected])).toEqual([
      [numbers[0], false],
      [numbers[1], true],
    ])
    expect(answers[1]?.figures).toEqual({ 政策法规: 2, 其他: 1 })
  })

  test('on the third day only who has said nothing is reminded, once, and not twice on the fourth', async () => {
    for (const name of Object.keys(people)) fresh(name)
    await at('11-03T09:00')
    await at('11-04T09:00')
    expect(fresh('马黄梁').filter(text => text.includes('还没有核对'))).toHaveLength(1)
    expect(fresh('王镇川').filter(text => text.includes('还没有核对'))).toEqual([])
  })

  test('a township signs what it has said of itself; without that it is asked for it first', async () => {
    expect(await say('李镇川', '签报')).toMatch(/还没有报过团支部、团干部、团员青年数/)
    expect(
      await say('李镇川', '填报 团支部 12 团干部 36 团员青年 480 其他群 3 在乡务农 120 外出务工 60'),
    ).toContain('其他群 3 个，群内成员 180 人（从 10月算起）')
    expect(await say('李镇川', '签报 10月')).toMatch(
      /^已签报镇川镇10月的数：微信群 5 个，群内成员 180 人，发送微信 7 条，线下活动 0 次。/,
    )
    const [row] = await rows<{ figures: Record<string, number>; in_time: boolean }>(
      stage,
      'select figures, signed_at <= due_at as in_time from unit_months where signed_at is not null',
    )
    expect(row?.in_time).toBe(true)
    expect(row?.figures).toMatchObject({ branches: 12, youth: 480, groups: 5, 'membersHome.farming': 120 })
    expect(await say('李镇川', '月度')).toContain('镇川镇10月：本级已签报')
    expect(await say('林县书', '月度 10月')).toMatch(
      /榆阳区10月：本级还没有签报；下级还有 1 个没有签\n· 麻黄梁镇/,
    )
  })

  test('on its last day a township is reminded; when the day is over the county is asked all the same', async () => {
    fresh('马黄梁')
    fresh('林县书')
    await at('11-05T09:00')
    expect(fresh('马黄梁').filter(isChasing).join()).toContain('麻黄梁镇10月的数还没有签报，今天截止')
    expect(fresh('林县书').filter(text => text.includes('签报】'))).toEqual([])
    await at('11-05T23:59')
    await at('11-06T07:00')
    const [asked] = fresh('林县书').filter(text => text.includes('签报】'))
    expect(asked).toContain('【10月签报】榆阳区')
    expect(asked).toContain('麻黄梁镇')
  })

  test('late is received, and not in time; the levels above follow', async () => {
    await say('马黄梁', '填报 5 9 120')
    expect(await say('马黄梁', '签报')).toContain('（过了期限）')
    expect(await say('林县书', '签报')).toMatch(/^已签报榆阳区10月的数/)
    const signed = await rows(
      stage,
      `select u.name, m.signed_at <= m.due_at as in_time, (m.figures->>'youth')::int as youth from unit_months m
       join units u on u.id = m.unit_id where m.signed_at is not null order by u.path`,
    )
    expect(signed).toEqual([
      { name: '榆阳区', in_time: true, youth: 600 },
      { name: '镇川镇', in_time: true, youth: 480 },
      { name: '麻黄梁镇', in_time: false, youth: 120 },
    ])
  })

  test('on the tenth it closes: the sheet and a picture go to the county, owners change nothing any more', async () => {
    await at('11-10T17:59')
    expect(await rows(stage, 'select month from closed_months')).toEqual([])
    fresh('林县书')
    fresh('高市书')
    await at('11-10T18:00')
    expect(await rows(stage, 'select programme, month from closed_months')).toEqual([
      { programme: 'qingnong', month: '2026-10' },
    ])
    const office = stage.sim.inbox((people.林县书 as SimPerson).id).slice(-3)
    expect(office.map(message => message.text).join()).toContain('【月报】榆阳区 2026-10 跟踪摸底表已生成')
    const files = await rows<{ file_name: string }>(
      stage,
      'select file_name from result_pages where file_name is not null',
    )
    expect(files.map(file => file.file_name)).toEqual(
      expect.arrayContaining([
        '跟踪摸底表-榆阳区-2026-10.xlsx',
        '发送微信-榆阳区-2026-10.png',
        '发送微信-榆林市-2026-10.png',
      ]),
    )
    expect(fresh('高市书').join()).toContain('【月报】榆林市10月汇总')
    expect(await say('王镇川', `登记 ${numbers[0]} 致富 2条 10月31日`)).toMatch(/已经定了/)
    expect(await say('王镇川', '确认')).toMatch(/关账/)
    expect(await say('李镇川', '签报 10月 镇川镇')).toMatch(/已经关账/)
    await at('11-11T09:00')
    expect(fresh('林县书').filter(text => text.includes('月报】'))).toHaveLength(1)
  })

  test('a month that begins late, because the service stood still, ends as much later', async () => {
    for (const name of Object.keys(people)) fresh(name)
    await at('12-06T09:00')
    const [township] = fresh('李镇川').filter(isChasing)
    expect(township).toContain('请在12月10日前签报')
    expect(township).toContain('12月15日 18:00关账')
    await at('12-10T18:00')
    expect(fresh('李镇川').join()).toContain('镇川镇11月的数还没有签报，今天截止')
    expect(await say('李镇川', '签报')).not.toContain('过了期限')
    expect(await say('林县书', '签报')).not.toContain('过了期限')
    expect(
      await rows(stage, "select due_on::text as due from form_returns where period = '2026-11'"),
    ).toEqual([{ due: '2026-12-12' }])
    // who signs for others too signs what can be signed; one that has said nothing of itself holds up nobody
    await rows(
      stage,
      `update roles set ended_at = now() where unit_id in (select id from units where name in ('定边县', '贺圈镇'))`,
    )
    const all = await say('高市书', '签报 11月 全部')
    expect(all).toContain('没有签的 1 个，还没有报过团支部、团干部、团员青年数')
    expect(all).toContain('榆林市：微信群')
    const months = () => rows<{ month: string }>(stage, 'select month from closed_months order by month')
    expect(await months()).toEqual([{ month: '2026-10' }])
    await at('12-15T18:00')
    expect(await months()).toEqual([{ month: '2026-10' }, { month: '2026-11' }])
    expect(fresh('高市书').join()).toContain('【月报】榆林市11月汇总')
  })
})
