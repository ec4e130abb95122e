import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { runMonth } from '../../server/jobs/run-month.ts'
import { signIn } from '../support/console.ts'
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
    // the form that goes with the month is due on the day that holds, wherever it stands
    const county = await signIn(stage, '林县书')
    const { text: list } = await county.get('/console/forms?form=tracking-sheet&period=2026-11')
    expect(list).toContain('12月12日')
    expect(list).not.toContain('已过期')
    const sheet = /\/console\/forms\/tracking-sheet\/\d+\/2026-11/.exec(list)?.[0] as string
    for (const path of ['/console/forms', sheet]) {
      const { text } = await county.get(path)
      expect(text, path).toContain('12月12日')
      expect(text, path).not.toMatch(/12月7日|没有报，过了/)
    }
    expect(await say('林县书', '报表')).toContain('2026-12-12 截止')
    expect(await say('林县书', '报送 跟踪摸底表')).not.toContain('迟报')
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

  describe('December, with changes among the people', () => {
    const run = async (moment: string) => {
      stage.clock.set(new Date(`${moment}:00+08:00`))
      // who has not written for two days is called first
      for (const name of ['王镇川', '李镇川']) await say(name, '帮助')
      await runMonth(stage.rt)
      await runMonth(stage.rt)
      await stage.settle()
    }
    const isQuestion = (text: string) => text.includes('【12月核对】')
    const give = (group: number | undefined, name: string) =>
      rows(
        stage,
        `update groups set owner_id = (select id from persons where name = '${name}') where id = ${group}`,
      )

    test('a group that gets another owner is laid before them, as long as nobody has answered for it', async () => {
      await run('2027-01-01T08:00')
      expect(fresh('王镇川').filter(isQuestion).join()).toContain('您的 2 个群12月')
      expect(fresh('李镇川').filter(isQuestion)).toEqual([])
      await give(numbers[0], '李镇川')
      await run('2027-01-02T08:00')
      const [asked] = fresh('李镇川').filter(isQuestion)
      expect(asked).toContain('您的 1 个群12月')
      expect(asked).toContain('镇川青年')
      // who was asked first is asked no more about it, who was asked anew has their own day before the reminder
      await run('2027-01-03T09:00')
      const isReminder = (text: string) => text.includes('还没有核对')
      expect(fresh('王镇川').filter(isReminder).join()).toContain('您的 1 个群12月')
      expect(fresh('李镇川').filter(isReminder).join()).toContain('您的 1 个群12月')
      await say('李镇川', '确认')
      await give(numbers[0], '王镇川')
      await run('2027-01-04T08:00')
      expect(fresh('王镇川').filter(isQuestion)).toEqual([])
      const [said] = await rows<{ name: string }>(
        stage,
        `select p.name from group_months m join persons p on p.id = m.owner_id
         where m.month = '2026-12' and m.group_id = ${numbers[0]}`,
      )
      expect(said?.name).toBe('李镇川')
    })

    test('the server was down past the 28th: it asks first, and closes as long after that as always', async () => {
      const closed = async () =>
        (await rows<{ month: string }>(stage, 'select month from closed_months order by month')).map(
          each => each.month,
        )
      for (const name of Object.keys(people)) fresh(name)
      await run('2027-02-28T09:00')
      // December had been asked for and stood open since
      expect(await closed()).toEqual(['2026-10', '2026-11', '2026-12'])
      expect(fresh('林县书').join()).toContain('【月报】榆阳区 2026-12 跟踪摸底表已生成')
      const [owner] = fresh('王镇川').filter(text => text.includes('【1月核对】'))
      expect(owner).toContain('3月9日 18:00关账')
      expect(fresh('李镇川').filter(isChasing).join()).toContain('请在3月4日前签报')
      // the next month is begun in its own time, and both go on
      await run('2027-03-02T09:00')
      const both = fresh('王镇川').join()
      expect(both).toContain('【2月核对】')
      expect(both).toContain('都对请回复“确认 1月”')
      expect(await say('王镇川', `登记 ${numbers[1]} 致富 2条 1月28日`)).not.toContain('只能登记')
      expect(await say('王镇川', '确认 1月')).toMatch(/^已确认1月的数，谢谢：2 个群，致富信息 2/)
      expect(await say('李镇川', '签报 1月')).toMatch(/^已签报镇川镇1月的数：.*发送微信 2 条/)
      await run('2027-03-09T17:55')
      expect(await closed()).not.toContain('2027-01')
      fresh('林县书')
      await run('2027-03-09T18:00')
      expect(await closed()).toEqual(['2026-10', '2026-11', '2026-12', '2027-01'])
      expect(fresh('林县书').join()).toContain('【月报】榆阳区 2027-01 跟踪摸底表已生成')
      expect(await say('王镇川', `登记 ${numbers[1]} 致富 2条 1月28日`)).toMatch(/已经定了/)
      expect(await say('王镇川', `登记 ${numbers[1]} 致富 2条 2026年12月28日`)).toMatch(/只能登记本月和上月/)
      await run('2027-04-01T09:00')
      expect(fresh('林县书').join()).not.toContain('2027-01 跟踪摸底表')
    })
  })
})

/** Townships whose names others have as well, and which nobody runs. */
describe('signing for several', () => {
  let stage: Stage
  const people: SimPerson[] = []
  const at = async (moment: string) => {
    stage.clock.set(new Date(`2026-${moment}:00+08:00`))
    await runMonth(stage.rt)
    await stage.settle()
  }
  const signed = () =>
    rows<{ code: string }>(
      stage,
      `select u.code from unit_months m join units u on u.id = m.unit_id where m.signed_at is not null order by 1`,
    )
  const cards = () =>
    rows<{ name: string; is_open: boolean }>(
      stage,
      `select u.name, c.closed_at is null as is_open from sent_cards c join units u on u.id = c.about_id
       where c.about_kind = 'unit_months' order by u.path`,
    )

  beforeAll(async () => {
    stage = await openStage({ start: '2026-10-28T09:00:00+08:00' })
    await fillMatrix(stage)
    for (const [name, wecom] of [
      ['高市书', 'gao'],
      ['林县书', 'lin'],
    ] as const)
      people.push(stage.sim.addPerson({ name, wecomUserId: wecom }))
    const [city, county] = people as [SimPerson, SimPerson]
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await rows(
      stage,
      `update units set created_at = '2026-09-01';
       update units set name = '镇川镇' where code = '610825101';
       update roles set ended_at = '2026-10-01' where unit_id in
         (select id from units where code in ('610802101', '610802102', '610825', '610825101'))`,
    )
    await rows(
      stage,
      `insert into unit_facts (unit_id, month, branches, cadres, youth, reported_by, created_at)
       select u.id, '2026-09', 1, 2, 3, p.id, '2026-09-30' from units u, persons p
       where u.level = 'township' and p.name = '林县书'`,
    )
  })
  afterAll(() => stage.close())

  test('one card for them is settled when all have signed, and not with the first', async () => {
    const [, county] = people as [SimPerson, SimPerson]
    await at('11-01T08:00')
    expect(await cards()).toEqual([{ name: '榆阳区', is_open: true }])
    expect(await stage.say(county.id, '签报 10月 镇川镇')).toContain('已签报镇川镇10月的数')
    expect(await cards()).toEqual([{ name: '榆阳区', is_open: true }])
    expect(await stage.say(county.id, '签报 10月 麻黄梁镇')).toContain('已签报麻黄梁镇10月的数')
    expect(await cards()).toEqual([{ name: '榆阳区', is_open: false }])
  })

  test('of units of one name it is asked which is meant, by all that stands above them', async () => {
    const [city] = people as [SimPerson, SimPerson]
    const asked = await stage.say(city.id, '签报 10月 镇川镇')
    expect(asked).toContain('“镇川镇”可能是：榆林市/榆阳区/镇川镇、榆林市/定边县/镇川镇')
    expect(await signed()).toEqual([{ code: '610802101' }, { code: '610802102' }])
    for (const words of ['定边县 镇川镇', '榆林市/定边县/镇川镇'])
      expect(await stage.say(city.id, `签报 10月 ${words}`)).toContain('签报镇川镇10月的数')
    expect(await signed()).toEqual([{ code: '610802101' }, { code: '610802102' }, { code: '610825101' }])
    // signed anew, it is that one as well
    expect(await stage.say(city.id, '签报 10月 榆阳区镇川镇')).toContain('已重新签报镇川镇10月的数')
    expect(await stage.say(city.id, '签报 10月 镇川')).toContain('“镇川”可能是：')
    // what a card's button says names one of them
    const [question] = await rows<{ card: string }>(
      stage,
      `select card_sealed as card from outgoing_messages where card_sealed is not null
         and person_id = (select id from persons where name = '高市书') order by id limit 1`,
    )
    expect(stage.rt.vault.open(question?.card as string)).toContain('签报 2026-10 榆林市/定边县/镇川镇')
  })
})
