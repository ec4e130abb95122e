import exceljs, { type Worksheet } from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { CATEGORIES } from '../../server/domain/messages/categories.ts'
import { bindFirst, bindThrough, fillMatrix, groupNumber, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('what was sent is recorded and becomes the sheet', () => {
  let stage: Stage
  let city: SimPerson
  let county: SimPerson
  let dingbian: SimPerson
  let wang: SimPerson
  let li: SimPerson
  let ma: SimPerson
  const numbers: number[] = []
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const last = async () =>
    rows<{ group_id: number; category: string; count: number }>(
      stage,
      `select group_id::int, category, count from message_records
       where update_id = (select max(update_id) from message_records) order by category, group_id`,
    )
  const total = async () =>
    (await rows<{ sum: number }>(stage, 'select coalesce(sum(count), 0)::int as sum from message_records'))[0]
      ?.sum

  beforeAll(async () => {
    stage = await openStage({ start: '2026-09-07T09:00:00+08:00' })
    await fillMatrix(stage)
    const { sim } = stage
    city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    dingbian = sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    li = sim.addPerson({ name: '李镇川', openId: 'o-li' })
    ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await bindThrough(stage, city, dingbian)
    for (const person of [wang, li, ma]) await bindThrough(stage, county, person)
    for (const name of ['镇川青年', '镇川电商'])
      numbers.push(groupNumber(await say(wang, `建群 团青群 微信群 86人 ${name} 入群码 拉人`)))
    numbers.push(groupNumber(await say(li, '建群 团青群 微信群 40人 镇川文体 入群码 拉人')))
    numbers.push(groupNumber(await say(ma, '建群 团青群 微信群 60人 麻黄梁青年 入群码 拉人')))
    numbers.push(groupNumber(await say(county, '建群 县级青农群 微信群 20人 青农榆阳 入群码 拉人')))
  })
  afterAll(() => stage.close())

  /** `a` and `b` are the first owner's two groups. */
  test.each<[string, [group: 'a' | 'b', category: string, count: number][]]>([
    ['登记 a 致富 3条', [['a', '致富信息', 3]]],
    ['登记 a 致富信息 3', [['a', '致富信息', 3]]],
    ['登记a致富3条', [['a', '致富信息', 3]]],
    ['登记：a，便民，２条。', [['a', '便民服务', 2]]],
    ['登记 3条 致富', []],
    ['登记 a 3条 致富', [['a', '致富信息', 3]]],
    ['登记 a群 政策三条', [['a', '政策法规', 3]]],
    ['登记 群a 新闻', [['a', '新闻娱乐', 1]]],
    [
      '登记 a b 致富 2条',
      [
        ['a', '致富信息', 2],
        ['b', '致富信息', 2],
      ],
    ],
    ['登记 a a 致富 2条', [['a', '致富信息', 2]]],
    [
      '登记 a 致富 3条 便民 2条',
      [
        ['a', '便民服务', 2],
        ['a', '致富信息', 3],
      ],
    ],
    [
      '登记 全部 其他',
      [
        ['a', '其他', 1],
        ['b', '其他', 1],
      ],
    ],
    ['「登记 a 其它 十二条」', [['a', '其他', 12]]],
    ['回复：登记 a 政策法规类 1条', [['a', '政策法规', 1]]],
  ])('%s', async (text, expected) => {
    const before = await total()
    const [a, b] = numbers
    const typed = text.replace(/a/g, String(a)).replace(/b/g, String(b))
    const answer = await say(wang, typed)
    if (expected.length === 0) {
      expect(answer).toMatch(/您有 2 个群，请写上群号/)
      expect(await total()).toBe(before)
      return
    }
    expect(answer).toContain('已登记')
    expect(await last()).toEqual(
      expected.map(([group, category, count]) => ({ group_id: group === 'a' ? a : b, category, count })),
    )
  })

  test.each([
    ['登记', '请写上类别'],
    ['登记 a', '请写上类别'],
    ['登记 a 天气 3条', '没有看懂“天气”'],
    ['登记 a 致富 0条', '条数要在 1 到 500'],
    ['登记 a 致富 9999条', '条数要在 1 到 500'],
    ['登记 致富', '您有 2 个群'],
    ['登记 a 致富 3 5', '不知道“5”'],
    ['登记 999 致富 3条', '没有群号是 999'],
    ['登记 a 致富 2条 2026-01-05', '只能登记本月和上月'],
  ])('%s is refused with a reason and changes nothing', async (text, words) => {
    const before = await total()
    expect(await say(wang, text.replace('a', String(numbers[0])))).toContain(words)
    expect(await total()).toBe(before)
  })

  test('another county registers nothing here', async () => {
    expect(await say(dingbian, `登记 ${numbers[0]} 致富 3条`)).toContain('没有权限')
    expect(await say(ma, `登记 ${numbers[0]} 致富 3条`)).toContain('没有权限')
  })

  test('yesterday and last month can be made up for', async () => {
    expect(await say(li, '登记 便民 2条 8月31日')).toContain('8月31日')
    expect(
      await rows(stage, 'select month, recorded_on::text from message_records order by id desc limit 1'),
    ).toEqual([{ month: '2026-08', recorded_on: '2026-08-31' }])
  })

  test('改 puts the last report right: its category, its number, or all of it', async () => {
    await say(li, '登记 致富 30条')
    expect(await say(li, '改 3条')).toContain('已把刚才登记的“致富信息 30 条”改为“致富信息 3 条”')
    expect(await say(li, '改便民')).toContain('改为“便民服务 3 条”')
    expect(await say(li, '改成 政策 2条')).toContain('政策法规 2 条')
    expect(await say(li, '改 天气')).toContain('请写上正确的类别')
    expect(await say(li, '改 0条')).toContain('作废')
    expect((await last())[0]?.count).toBe(0)
    expect(await say(county, '改 便民')).toContain('还没有登记过')
  })

  test('a message that is shown is recorded where it was sent, with the category the owner says', async () => {
    const text =
      '榆阳区农技站9月12日在镇川镇举办山地苹果修剪培训，学费全免，请到村委会报名，电话13812345678。'
    expect(await say(li, text)).toMatch(/要登记这条消息吗/)
    expect(JSON.stringify(await rows(stage, 'select answers from conversations'))).not.toContain(
      '13812345678',
    )
    expect(await say(li, '嗯 致富')).toMatch(/已登记：致富信息 1 条，1 个群/)
    const [record] = await rows<{ excerpt: string; source: string; decided_by: string }>(
      stage,
      'select excerpt, source, decided_by from message_records order by id desc limit 1',
    )
    expect(record).toMatchObject({ source: 'forwarded', decided_by: 'person' })
    expect(record?.excerpt).not.toContain('13812345678')
  })

  test.each([
    ['转：各位青年，明天下午3点在村委会领取农技手册，请带身份证', '要登记这条消息吗'],
    ['通知 明天下午停水，请各位团员青年提前储水，互相转告', '请确认|这是哪一类'],
    ['活动预告：本周六上午九点在村委会举行技能培训，欢迎参加', '要登记这条消息吗'],
    ['改革开放四十多年来，榆林农村发生了翻天覆地的变化，青年大有可为', '要登记这条消息吗'],
    ['登记失业人员可以免费参加技能培训，请到镇人社所办理登记手续', '要登记这条消息吗'],
    ['收到上级通知，明天全镇停电检修，请大家提前做好准备', '要登记这条消息吗'],
    ['统计局招聘社会调查员，大专以上学历，有意者请到县统计局报名', '要登记这条消息吗'],
  ])('a forwarded text that begins with a command word is a text: %s', async (text, words) => {
    const receipts = (await rows(stage, 'select 1 from receipts')).length
    expect(await say(wang, text)).toMatch(new RegExp(words))
    expect(await say(wang, '取消')).toContain('已取消')
    expect(await rows(stage, 'select 1 from receipts')).toHaveLength(receipts)
  })

  test('“否” records nothing; another’s group is no answer; the category alone is one', async () => {
    const text = '今晚八点县文化馆放映露天电影，欢迎大家带上小板凳来看。'
    const before = await total()
    await say(wang, text)
    expect(await say(wang, `${numbers[3]}`)).toContain('不是您的群')
    expect(await say(wang, '否')).toContain('没有登记')
    expect(await total()).toBe(before)
    await say(li, text)
    expect(await say(li, '新闻')).toContain('已登记：新闻娱乐 1 条')
    expect(await total()).toBe((before ?? 0) + 1)
  })

  test('“改 便民” answers the question and leaves the last report alone; a command drops the question', async () => {
    await say(li, '登记 致富 1条')
    await say(li, '村卫生室本周六上午免费量血压，请带老人去看看。')
    expect(await say(li, '改 便民')).toContain('已登记：便民服务 1 条')
    await say(li, '村卫生室本周六上午免费量血压，请带老人去看看。')
    expect(await say(li, '统计')).not.toContain('没有办完')
    expect(await say(li, '是')).not.toContain('已登记')
    expect(
      await rows(stage, 'select category, source from message_records order by id desc limit 2'),
    ).toEqual([
      { category: '便民服务', source: 'forwarded' },
      { category: '致富信息', source: 'counted' },
    ])
  })

  test('a repeated callback counts once', async () => {
    const before = (await total()) ?? 0
    stage.sim.faults.on('duplicate-callbacks')
    const answer = await say(li, '登记 其他 1条')
    stage.sim.faults.clear()
    expect(answer).toContain('已登记')
    expect(await total()).toBe(before + 1)
  })

  test.each([
    ['活动 技能培训 35人 村委会 9月6日', 'activities.skillsTraining', '2026-09-06', 35],
    ['活动技能培训35人 村委会 昨天', 'activities.skillsTraining', '2026-09-06', 35],
    ['线下活动：文体，120人，镇中学操场，8月30日', 'activities.cultureSports', '2026-08-30', 120],
    ['活动 20人 婚恋交友 6号 县文化馆', 'activities.matchmaking', '2026-09-06', 20],
  ])('%s', async (text, kind, day, heads) => {
    expect(await say(ma, text)).toMatch(/已登记：麻黄梁镇/)
    expect(
      await rows(stage, 'select kind, held_on::text, heads from activities order by id desc limit 1'),
    ).toEqual([{ kind, held_on: day, heads }])
  })

  test('an activity is asked for piece by piece; a day to come or long past is asked again', async () => {
    expect(await say(ma, '活动')).toContain('是哪类活动')
    expect(await say(ma, '吃饭')).toContain('请回复活动类型')
    expect(await say(ma, '1')).toContain('多少人')
    expect(await say(ma, '二十')).toContain('在哪里')
    expect(await say(ma, '活动中心')).toContain('哪天办的')
    expect(await say(ma, '9月12日')).toContain('只能登记本月和上月') // would be last year's
    expect(await say(ma, '今天')).toContain('政策宣讲 1 次，20 人，2026-09-07，活动中心')
  })

  test('the basic figures, as people write them', async () => {
    expect(await say(wang, '填报 团支部 12 团干部 36 团员青年 480')).toContain('已填报 镇川镇')
    expect(await say(ma, '填报 9，18，260')).toContain('团支部 9 个，团干部 18 人，团员青年 260 人')
    expect(await say(ma, '填报 很多')).toContain('请这样写')
    expect(await say(ma, '填报 1 2 99999999')).toContain('数字不对')
  })

  test('youth register and are counted in their township', async () => {
    for (const [index, text] of ['张小明 1', '李小红 1', '周小川 外出 就学'].entries()) {
      const person = stage.sim.addPerson({ name: text, openId: `o-youth-${index}` })
      await say(person, `入群 ${numbers[index]} ${text}`)
    }
  })

  test('the month turns at midnight in Asia/Shanghai, not in UTC', async () => {
    stage.clock.set(new Date('2026-09-30T23:59:58+08:00'))
    await say(ma, '登记 政策 5条')
    stage.clock.set(new Date('2026-10-01T00:00:00+08:00'))
    await say(ma, '登记 政策 7条')
    expect(
      await rows(
        stage,
        "select month, count from message_records where category = '政策法规' order by id desc limit 2",
      ),
    ).toEqual([
      { month: '2026-10', count: 7 },
      { month: '2026-09', count: 5 },
    ])
    expect(await say(ma, '统计 九月')).toMatch(/2026-09[\s\S]*政策法规 5/)
    expect(await say(ma, '统计')).toMatch(/2026-10[\s\S]*政策法规 7/)
    expect(await say(ma, '统计上月')).toMatch(/^2026-09/)
    expect(await say(ma, '统计 13月')).toContain('请写月份')
  })

  test('the sheet: every figure is what an independent count of the rows says', async () => {
    const answer = await say(county, '月报 9月')
    const link = /下载：(\S+)/.exec(answer)?.[1] as string
    const response = await fetch(link.replace(/^https?:\/\/[^/]+/, stage.serverUrl))
    expect(response.status).toBe(200)
    expect(decodeURIComponent(response.headers.get('content-disposition') ?? '')).toContain(
      '跟踪摸底表-榆阳区-2026-09.xlsx',
    )
    const sheet = await open(Buffer.from(await response.arrayBuffer()))
    const lines = linesOf(sheet)
    expect(lines.slice(0, 2).map(line => line[0])).toEqual([
      '附件3',
      '农村共青团微信体系建设工作推进情况跟踪摸底表',
    ])
    const expected = Object.fromEntries(
      await Promise.all(
        ['镇川镇', '麻黄梁镇'].map(async name => [name, await countOf(stage, name, '2026-09')] as const),
      ),
    )
    const rowOf = (name: string) => lines.find(line => line[0] === name)?.slice(1, 24)
    expect(rowOf('镇川镇')).toEqual(expected.镇川镇)
    expect(rowOf('麻黄梁镇')).toEqual(expected.麻黄梁镇)
    expect(expected.麻黄梁镇?.[13]).toBe(5)
    expect(rowOf('合计')).toEqual(
      expected.镇川镇?.map((figure, index) => figure + (expected.麻黄梁镇?.[index] ?? 0)),
    )
    const figureOf = (label: string) =>
      lines.find(line => String(line[0]).startsWith(label))?.find(cell => typeof cell === 'number')
    expect(figureOf('县级直属')).toBe(1)
    expect(figureOf('市级直属')).toBeUndefined()
    expect(figureOf('总计')).toBe(5)
    expect(JSON.stringify(lines)).toContain('林县书')
    expect(JSON.stringify(lines)).not.toContain('贺圈镇')
  })

  test('whose sheet it is follows from the unit', async () => {
    expect(await say(dingbian, '月报 9月')).toContain('定边县 2026-09')
    expect(await say(dingbian, '月报 榆阳区 9月')).toContain('您名下没有叫“榆阳区”的县区')
    expect(await say(wang, '月报 9月')).toContain('您名下没有县区单位')
    expect(await say(city, '月报 9月')).toContain('请写明县区')
    expect(await say(city, '月报 9月 榆阳区')).toContain('榆阳区 2026-09 跟踪摸底表')
    expect(await say(county, '月报 随便')).toContain('没有叫“随便”')
  })

  test('an organisation directly below the county counts in 县级直属', async () => {
    await stage.rt.db.execute(
      `insert into units (programme, code, name, kind, level, parent_id, path, created_at)
       select programme, '610802-d1', '榆阳电商协会团支部', 'direct-organisation', 'village', id, '', now() from units
       where programme = 'qingnong' and code = '610802'`,
    )
    await stage.rt.db.execute(
      `update units u set path = p.path || u.id || '/' from units p where p.id = u.parent_id and u.code = '610802-d1'`,
    )
    const csv =
      '单位编码,姓名,手机号,角色,职务,状态\n610802-d1,吴电商,13900000077,村和直属团组织负责人,书记,在岗\n'
    expect(await importCsv(stage, 'qingnong', csv)).toMatchObject({ isApplied: true })
    const wu = stage.sim.addPerson({ name: '吴电商', openId: 'o-wu' })
    await bindThrough(stage, county, wu)
    groupNumber(await say(wu, '建群 团青群 微信群 30人 榆阳电商 入群码 拉人'))
    await say(wu, '登记 致富 9条')
    const answer = await say(county, '月报')
    const link = /下载：(\S+)/.exec(answer)?.[1] as string
    const lines = linesOf(
      await open(
        Buffer.from(await (await fetch(link.replace(/^https?:\/\/[^/]+/, stage.serverUrl))).arrayBuffer()),
      ),
    )
    const direct = lines.find(line => String(line[0]).startsWith('县级直属'))
    expect(direct?.find(cell => typeof cell === 'number')).toBe(2)
    expect(answer).toContain('消息 7 条') // those of the sheet's rows
    expect(await say(county, '统计')).toContain('致富信息 9')
  })

  test('a month that is settled is not changed any more', async () => {
    stage.clock.set(new Date('2026-12-31T23:59:59+08:00'))
    expect(await say(ma, '改 便民')).toContain('报表已经定了')
    await say(ma, '登记 便民 1条')
    stage.clock.set(new Date('2027-01-01T00:00:01+08:00'))
    expect(await say(ma, '改 致富')).toContain('改为“致富信息 1 条”')
    expect(await say(ma, '统计 12月')).toMatch(/2026-12[\s\S]*致富信息 1/)
    expect(await say(ma, '活动 技能培训 10人 村委会 12月31日')).toContain('2026-12-31')
  })
})

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWX']

async function open(bytes: Buffer): Promise<Worksheet> {
  const workbook = new exceljs.Workbook()
  await workbook.xlsx.load(new Uint8Array(bytes).buffer)
  const [sheet] = workbook.worksheets
  if (!sheet) throw new Error('no sheet')
  return sheet
}

/** The rows with the value of each column; the later cells of a merged range are empty. */
function linesOf(sheet: Worksheet): unknown[][] {
  return Array.from({ length: sheet.rowCount }, (_, index) =>
    letters.map(letter => {
      const cell = sheet.getCell(`${letter}${index + 1}`)
      return cell.master === cell ? cell.value : null
    }),
  )
}

/** The 23 figures of a township, counted from the rows by hand-written queries that share nothing with the server's. */
async function countOf(stage: Stage, township: string, month: string): Promise<number[]> {
  const one = async (query: string) => (await rows<{ n: number | null }>(stage, query))[0]?.n ?? 0
  const unit = `(select id from units where programme = 'qingnong' and name = '${township}')`
  const groups = `(select g.id from groups g where g.unit_id = ${unit})`
  const end = `timestamptz '${month}-01 00:00+08' + interval '1 month'`
  const figures: Promise<number>[] = [
    ...['branches', 'cadres', 'youth'].map(name =>
      one(
        `select ${name} as n from unit_facts where unit_id = ${unit} and month <= '${month}' order by month desc limit 1`,
      ),
    ),
    one(
      `select count(*)::int as n from groups where unit_id = ${unit} and created_at < ${end} and dissolved_at is null`,
    ),
    ...[
      'Home.farming',
      'Home.wageWork',
      'Home.business',
      'Home.publicSector',
      'Home.other',
      'Away.wageWork',
      'Away.schooling',
      'Away.startup',
      'Away.other',
    ].map(name =>
      one(
        `select count(*)::int as n from registrations where unit_id = ${unit} and occupation = 'members${name}'`,
      ),
    ),
    ...CATEGORIES.map(category =>
      one(
        `select coalesce(sum(count), 0)::int as n from message_records where group_id in ${groups} and category = '${category}' and recorded_on >= '${month}-01' and recorded_on < date '${month}-01' + interval '1 month'`,
      ),
    ),
    ...['policyTalks', 'skillsTraining', 'cultureSports', 'matchmaking', 'other'].map(name =>
      one(
        `select count(*)::int as n from activities where unit_id = ${unit} and kind = 'activities.${name}' and to_char(held_on, 'YYYY-MM') = '${month}'`,
      ),
    ),
  ]
  return Promise.all(figures)
}
