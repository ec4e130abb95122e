import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { issueCodeByOperator } from '../../server/domain/identities/issue-code.ts'
import {
  afterEvents,
  bindFirst,
  bindThrough,
  claimGroup,
  fillMatrix,
  groupNumber,
  importCsv,
  newsFor,
  rows,
} from '../support/matrix.ts'
import { openStage, type Stage, toMorning } from '../support/stage.ts'

const codeIn = (answer: string) => /绑定码：([0-9A-Z]{8})/.exec(answer)?.[1] ?? ''

describe('officers come aboard by a code from above', () => {
  let stage: Stage
  let city: SimPerson
  let county: SimPerson
  let dingbian: SimPerson
  let wang: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    dingbian = sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await bindThrough(stage, city, dingbian)
  })
  afterAll(() => stage.close())

  test('somebody unknown is told the two ways in, and nothing else opens', async () => {
    const stranger = stage.sim.addPerson({ name: '路人', openId: 'o-stranger' })
    expect(await say(stranger, '你好')).toMatch(/入群 群号[\s\S]*绑定 绑定码/)
    for (const text of ['我的群', '通知 政策 大家好', '月报', '发码 王镇川', '待审', '统计'])
      expect(await say(stranger, text)).toContain('要先绑定账号')
    expect(await say(stranger, '王镇川 13900000011')).not.toContain('绑定成功')
  })

  test.each([
    ['as written', (code: string) => `绑定 ${code}`],
    ['without a space, small', (code: string) => `绑定${code.toLowerCase()}`],
    ['with a space in the middle', (code: string) => `绑定 ${code.slice(0, 4)} ${code.slice(4)}`],
    ['full-width', (code: string) => `绑定：${[...code].map(wide).join('')}`],
    ['the code alone', (code: string) => code.toLowerCase()],
    ['as the officer calls it', (code: string) => `绑定码：${code}`],
    ['the whole message pasted', (code: string) => `镇川镇团委书记 王镇川 的绑定码：${code}\n请只发给本人`],
  ])('a code is understood %s', async (_how, written) => {
    const code = codeIn(await say(county, '发码 王镇川'))
    const person = stage.sim.addPerson({ name: '王镇川', openId: `o-${code}` })
    const text = written(/[A-Z]/.test(code) ? code : `${code}`)
    expect(await say(person, text)).toContain('绑定成功：王镇川（镇川镇团委书记）')
  })

  test('a code works once, for one account', async () => {
    const code = codeIn(await say(county, '发码 王镇川 镇川'))
    expect(await say(wang, `绑定 ${code}`)).toContain('绑定成功')
    const other = stage.sim.addPerson({ name: '别人', openId: 'o-other' })
    expect(await say(other, `绑定 ${code}`)).toContain('已经用过')
    expect(await say(other, '我的群')).toContain('要先绑定')
    expect(await rows(stage, `select 1 from binding_codes where code_index like '%${code}%'`)).toEqual([])
  })

  test('a code of last week is too old', async () => {
    const code = codeIn(await say(county, '发码 李镇川'))
    stage.clock.advance(7 * 86_400_000 + 1000)
    const person = stage.sim.addPerson({ name: '李镇川', openId: 'o-li-late' })
    expect(await say(person, `绑定 ${code}`)).toContain('过期')
  })

  test('guessing is stopped, also for the right code, and only for that account', async () => {
    const guesser = stage.sim.addPerson({ name: '试码的', openId: 'o-guesser' })
    for (let tries = 0; tries < 10; tries++)
      expect(await say(guesser, '绑定 AAAAAAA2')).toContain('绑定码不对')
    const code = codeIn(await say(county, '发码 李镇川'))
    expect(await say(guesser, `绑定 ${code}`)).toContain('次数太多')
    const li = stage.sim.addPerson({ name: '李镇川', openId: 'o-li' })
    expect(await say(li, `绑定 ${code}`)).toContain('绑定成功')
  })

  test('what is no code at all costs no try', async () => {
    const clumsy = stage.sim.addPerson({ name: '手生的', openId: 'o-clumsy' })
    for (let tries = 0; tries < 12; tries++) expect(await say(clumsy, '绑定 王镇川')).toContain('8 位')
    expect(await say(clumsy, '绑定 AAAAAAA2')).toContain('绑定码不对')
  })

  test('an account that moves tells the former one', async () => {
    await say(wang, '你好') // within 48 hours the account can be written to
    const former = newsFor(stage, wang)
    const code = codeIn(await say(county, '发码 王镇川'))
    const fresh = stage.sim.addPerson({ name: '王镇川新号', openId: 'o-wang-2' })
    await say(fresh, `绑定 ${code}`)
    await stage.settle()
    expect(former()).toEqual([expect.stringContaining('改绑到另一个账号')])
    expect(await say(wang, '我的群')).toContain('要先绑定')
    await say(wang, `绑定 ${codeIn(await say(county, '发码 王镇川'))}`)
  })

  test.each([
    ['一镇团委书记给同镇的副书记', () => wang, '发码 李镇川', '由其上一级组织发放'],
    ['县里给自己', () => county, '发码 林县书', '由其上一级组织发放'],
    ['县里给市里', () => county, '发码 高市书', '没有找到'],
    ['邻县的人', () => dingbian, '发码 王镇川', '没有找到'],
    ['名册上没有的人', () => county, '发码 赵无名', '没有找到'],
  ])('%s: refused', async (_who, person, text, words) => {
    const answer = await say(person(), text)
    expect(answer).toContain(words)
    expect(codeIn(answer)).toBe('')
  })

  test('a small office of somebody does not open their large one', async () => {
    // 高市书 is put on a township's roster too; the county could make a code for that office and be the city with it
    const csv = `单位编码,姓名,手机号,角色,职务,状态\n610802102,马黄梁,13900000013,乡镇团委成员,团委书记,在岗\n610802102,高市书,13900000001,乡镇团委成员,团委委员,在岗\n`
    expect(await importCsv(stage, 'qingnong', csv)).toMatchObject({ isApplied: true, problems: [] })
    expect(await say(county, '发码 高市书 麻黄梁镇')).toContain('榆林市')
  })

  test('twins with one name are told apart by unit, or by the end of their phone', async () => {
    const csv = `单位编码,姓名,手机号,角色,职务,状态\n610825101,贺圈书,13900000014,乡镇团委成员,团委书记,在岗\n610825101,孪生,13911112222,乡镇团委成员,团委委员,在岗\n610825101,孪生,13911113333,乡镇团委成员,团委委员,在岗\n`
    expect(await importCsv(stage, 'qingnong', csv)).toMatchObject({ isApplied: true })
    expect(await say(dingbian, '发码 孪生')).toMatch(/有 2 位“孪生”.*2222.*3333/)
    const code = codeIn(await say(dingbian, '发码 孪生 贺圈镇 3333'))
    expect(code).not.toBe('')
    const [row] = await rows<{ person_id: string }>(
      stage,
      'select person_id from binding_codes order by id desc limit 1',
    )
    const [twin] = await rows<{ phone_sealed: string }>(
      stage,
      `select phone_sealed from persons where id = ${row?.person_id}`,
    )
    expect(stage.rt.vault.open(twin?.phone_sealed ?? '')).toBe('13911113333')
    expect(await say(city, '发码 张思雨')).toContain('没有找到')
  })

  test('twins in two counties are told apart by the unit', async () => {
    const office = stage.sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    const { code } = await issueCodeByOperator(stage.rt, {
      programme: 'xibu',
      unitCode: '610800',
      name: '刘市办',
    })
    await say(office, `绑定 ${code}`)
    expect(await say(office, '发码 张思雨')).toMatch(/榆阳区第一团支部.*定边县第一团支部/)
    expect(await say(office, '发码张思雨 定边')).toContain('定边县第一团支部')
  })

  test('who goes from the roster loses what they could do, at once', async () => {
    const li = stage.sim.persons().find(person => person.openId === 'o-li') as SimPerson
    expect(await say(li, '帮助')).toContain('发码')
    const csv = `单位编码,姓名,手机号,角色,职务,状态\n610802101,王镇川,13900000011,乡镇团委成员,团委书记,在岗\n`
    expect(await importCsv(stage, 'qingnong', csv)).toMatchObject({ gone: 1 })
    expect(await say(li, '帮助')).not.toContain('发码')
    expect(await say(li, '通知 政策 我还在')).toContain('由负责组织工作的同志办理')
  })

  test('unfollowing lets go', async () => {
    const ma = stage.sim.addPerson({ name: '马黄梁', openId: 'o-ma-follow' })
    await bindThrough(stage, county, ma)
    await stage.sim.unfollow(ma.id)
    await stage.sim.follow(ma.id)
    expect(await say(ma, '我的群')).toContain('要先绑定')
  })
})

describe('groups are registered, handed over and dissolved', () => {
  let stage: Stage
  let county: SimPerson
  let dingbian: SimPerson
  let wang: SimPerson
  let li: SimPerson
  let ma: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    const city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    dingbian = sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    li = sim.addPerson({ name: '李镇川', openId: 'o-li' })
    ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await bindThrough(stage, city, dingbian)
    for (const person of [wang, li, ma]) await bindThrough(stage, county, person)
  })
  afterAll(() => stage.close())

  test('question by question, with no question that has one answer only', async () => {
    const asked = await say(wang, '建群')
    expect(asked).toContain('乡镇青农群、团青群')
    expect(asked).not.toContain('市级') // the kinds of offices above are not his to make
    expect(await say(wang, '团青群')).toContain('群在哪里')
    expect(await say(wang, '“微信群”')).toContain('群名称')
    expect(await say(wang, '「镇川 青年之家」')).toContain('多少人')
    expect(await say(wang, '８６人。')).toContain('怎么入群')
    const done = await say(wang, '拉人')
    expect(done).toContain('已登记：镇川 青年之家')
    expect(
      await rows(stage, `select name, size, join_code, platform from groups where id = ${groupNumber(done)}`),
    ).toEqual([{ name: '镇川 青年之家', size: 86, join_code: null, platform: 'wechat' }])
  })

  test.each([
    ['建群，团青群，微信群，40人，镇川电商一群，入群码：https://example.cn/1', 'https://example.cn/1'],
    ['登记群 团青群 普通群 镇川电商二群 40 入群码 拉人', null],
    ['建群\n团青群\n微信群\n镇川电商三群\n四十人\n入群码 口令“电商”', '口令“电商”'],
  ])('in one line as people write it: %s', async (text, joinCode) => {
    const number = groupNumber(await say(wang, text))
    expect(await rows(stage, `select size, join_code from groups where id = ${number}`)).toEqual([
      { size: 40, join_code: joinCode },
    ])
    await say(wang, `解散 ${number}`)
  })

  test('a wrong answer is asked again with its reason, and nothing said before is lost', async () => {
    await say(county, '建群')
    expect(await say(county, '兴趣群')).toContain('没有“兴趣群”这种群')
    expect(await say(county, '县级青农群')).toContain('群在哪里')
    expect(await say(county, 'QQ群')).toContain('群在哪里')
    expect(await say(county, '机器人群')).toContain('群名称')
    expect(await say(county, '榆阳农业')).toContain('青农榆阳')
    expect(await say(county, '青农榆阳')).toContain('多少人')
    expect(await say(county, '很多')).toContain('请回复人数')
    expect(await say(county, '38')).toContain('Webhook')
    expect(await say(county, 'https://example.cn/hook')).toContain('不是 Webhook')
    const internal = stage.sim.createGroup({ kind: 'internal', name: '青农榆阳', ownerId: county.id })
    const done = await say(county, stage.sim.addRobot(internal.id))
    expect(done).toContain('已登记：青农榆阳')
  })

  test('a name outside the rule in one line keeps the rest of the line', async () => {
    const answer = await say(dingbian, '建群 县级青农群 微信群 10人 定边农业 入群码 无')
    expect(answer).toMatch(/要像“青农榆阳”这样[\s\S]*群名称是什么/)
    expect(await say(dingbian, '青农定边')).toContain('已登记：青农定边')
  })

  test('a robot’s key lies sealed, also while the dialogue is open', async () => {
    const internal = stage.sim.createGroup({ kind: 'internal', name: '青农榆阳二群', ownerId: county.id })
    const webhook = stage.sim.addRobot(internal.id)
    const key = webhook.split('key=')[1] as string
    expect(await say(county, `建群 县级青农群 机器人群 青农榆阳二群 ${webhook}`)).toContain('多少人')
    const everything = async () =>
      JSON.stringify([
        await rows(stage, 'select * from conversations'),
        await rows(stage, 'select * from groups'),
        await rows(stage, 'select * from updates'),
        await rows(stage, 'select * from audit_log'),
        await rows(stage, 'select * from channel_log'),
      ])
    expect(await everything()).not.toContain(key)
    await say(county, '40')
    expect(await everything()).not.toContain(key)
    expect(stage.logLines.join('')).not.toContain(key)
    const [group] = await rows<{ webhook_sealed: string }>(
      stage,
      "select webhook_sealed from groups where name = '青农榆阳二群'",
    )
    expect(stage.rt.vault.open(group?.webhook_sealed ?? '')).toBe(key)
  })

  test('nobody is trapped: 转, 收 and 我的群 in the middle of 建群 are done, and 建群 goes on', async () => {
    await say(county, '通知 便民 明天停水。')
    await say(county, '确认')
    await stage.settle()
    await say(wang, '建群 团青群 微信群')
    expect(await say(wang, '收')).toMatch(/已记下您收到通知 1[\s\S]*“建群”还没有办完/)
    expect(await say(wang, '转')).toMatch(/已登记：通知 1 转发到[\s\S]*“建群”还没有办完/)
    expect(await say(wang, '我的群')).toContain('镇川 青年之家')
    expect(await say(wang, '统计 9月')).toContain('便民服务')
    expect(await say(wang, '镇川电商')).toContain('多少人')
    expect(await say(wang, '帮助')).toContain('我的群')
    expect(await say(wang, '建群')).toContain('什么群') // begins anew
    expect(await say(wang, '算了')).toContain('已取消')
    expect(await rows(stage, "select 1 from groups where name in ('转', '收', '镇川电商')")).toEqual([])
  })

  test('a picture in a dialogue is not an answer', async () => {
    await say(wang, '建群 团青群')
    const [reply] = await stage.sim.sendImage(wang.id)
    expect(reply?.text).toContain('请用文字回复')
    expect(await say(wang, '取消')).toContain('已取消')
  })

  test('a group made in WeCom before its owner was known can still be claimed, by its owner only', async () => {
    const he = stage.sim.addPerson({ name: '贺圈书', wecomUserId: 'he' })
    stage.sim.createGroup({ kind: 'customer', name: '贺圈青年', ownerId: he.id })
    await afterEvents(stage)
    expect(await say(dingbian, '认领 1 团青群 贺圈镇')).toContain('不是它的群主')
    const code = codeIn(await say(dingbian, '发码 贺圈书'))
    const bound = await say(he, `绑定 ${code}`)
    expect(bound).toMatch(/“贺圈青年”还没有登记，请回复：认领 \d+/)
    const claim = /认领 (\d+)/.exec(bound)?.[1]
    expect(await say(he, '我的群')).toContain(`认领 ${claim}`)
    expect(await say(he, `认领${claim}团青群`)).toContain('已登记：贺圈青年')
    expect(await say(he, `认领 ${claim} 团青群`)).toContain('没有这个待认领的群')
  })

  test('an owner changed in the client is the owner here', async () => {
    const { chat, number } = await claimGroup(stage, ma, '麻黄梁青年', '团青群')
    await stage.sim.joinGroup(chat.id, county.id)
    await afterEvents(stage)
    const news = newsFor(stage, county)
    await stage.sim.changeOwner(chat.id, county.id)
    await afterEvents(stage)
    expect(news()).toContainEqual(expect.stringContaining('移交给您'))
    expect(await say(county, '我的群')).toContain(`群主　${number}　麻黄梁青年`)
    expect(await say(ma, '我的群')).not.toContain('群主　')
  })

  test('a hand-over takes along what is still to be relayed', async () => {
    const number = groupNumber(await say(wang, '建群 团青群 微信群 30人 镇川读书会 入群码 拉人'))
    await say(county, '通知 政策 请报送贷款名单。')
    await say(county, '确认')
    await stage.settle()
    expect(await say(ma, `换群主 ${number} 马黄梁`)).toContain('没有权限')
    expect(await say(wang, `换群主 ${number} 马黄梁`)).toContain('没有“马黄梁”') // another township's
    const news = newsFor(stage, li)
    expect(await say(wang, `换群主${number} 给李镇川`)).toContain('群主已改为李镇川')
    await stage.settle()
    expect(news()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('群移交'),
        expect.stringContaining('请报送贷款名单。\n看过请点：'),
      ]),
    )
    expect(await say(wang, '任务')).not.toContain(`群 ${number}`)
    expect(await say(li, '转 2')).toContain('转发到镇川读书会')
    expect(await say(li, `换群主 ${number} 李镇川`)).toContain('本来就是李镇川')
  })

  test('a dissolved group is asked for nothing and takes nobody in', async () => {
    const number = groupNumber(await say(wang, '建群 团青群 微信群 30人 镇川篮球 入群码 拉人'))
    await say(county, '通知 便民 明天停电。')
    await say(county, '确认')
    await stage.settle()
    expect(await say(dingbian, `解散 ${number}`)).toContain('没有权限')
    expect(await say(wang, `解散 ${number}`)).toContain('已登记为解散')
    expect(await say(county, '回执')).not.toContain('镇川篮球')
    const news = newsFor(stage, wang)
    stage.clock.advance(13 * 3600_000)
    await stage.settle()
    expect(news().join()).not.toContain('镇川篮球')
    const youth = stage.sim.addPerson({ name: '青年', openId: 'o-youth' })
    expect(await say(youth, `入群 ${number} 张小明 1`)).toContain(`没有群号是 ${number} 的群`)
    expect(await say(wang, `解散 ${number}`)).toContain('没有群号')
  })

  test('an app’s own group is made with its members, and posts go in', async () => {
    const answer = await say(county, '建群 乡镇青农群 应用群 5人 麻黄梁青农 单位麻黄梁镇')
    expect(answer).toContain('已登记：麻黄梁青农')
    await stage.settle()
    toMorning(stage.clock)
    const chat = stage.sim.groups().find(group => group.kind === 'appchat')
    expect([...(chat?.members.keys() ?? [])].sort()).toEqual([county.id, ma.id].sort())
    await say(county, '通知 政策 青农群测试。')
    await say(county, '确认')
    await stage.settle()
    expect(chat?.posts.map(post => post.text.split('\n')[0])).toEqual(['青农群测试。'])
  })
})

function wide(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + 0xfee0)
}
