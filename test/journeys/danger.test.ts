import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { absorbIdentity } from '../../db/queries/identities.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { callsInSilence, isSureOfDanger, speaksOfDanger } from '../../server/domain/danger/rules.ts'
import { climbDueCalls } from '../../server/domain/danger/settle.ts'
import { exportVerdicts } from '../../server/domain/messages/export-verdicts.ts'
import { eraseAfterRetention } from '../../server/domain/privacy/retention.ts'
import { readDevSet } from '../server/domain/messages/dev-set.ts'
import { signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage, wecomSettings } from '../support/stage.ts'

const MINUTE = 60_000

/** Words of doubt, as the alerts see them today: a training of the model moves some. */
function doubtful(isClear: boolean): string {
  const found = [
    '小李在单位门口被狗咬了，单位说不管，医药费要自己出',
    '宿舍门口那条沟小孩掉进去怎么办',
    '领导天天骂我，我真的要疯了不想活了',
    '有人被车撞了吗，刚才好像听到',
    '他说他不想活了，应该是开玩笑吧',
    '听说镇上着火了，是真的吗',
    '这日子没法过了，活着没意思',
    '我好害怕',
    '路太烂了，摔了好几个人',
    '他又打我了',
    '工地上有人受伤了，单位不管',
    '队里有人摔了一跤，不知道要不要紧',
    '煤气味很大',
    '胸口有点闷',
    '他跟我要钱，不给不让走',
    '外面好像有人在吵架',
  ].find(
    text =>
      speaksOfDanger(text) &&
      !isSureOfDanger(text) &&
      (isClear ? callsInSilence(text) : !callsInSilence(text)),
  )
  if (!found) throw new Error('no words of doubt: choose others')
  return found
}

/** What people complain of in the labelled samples. */
const complaints = readDevSet('alerts-dev.jsonl')
  .filter(
    ({ label, text }) => label === 'none' && /反映|投诉|拖|没发|不管|没人|崩溃|凭什么|受不了|太/.test(text),
  )
  .map(({ text }) => text)

/** Help in danger: numbers at once, people who can help by every account, and upward while nobody answers. */
describe('a call for help', () => {
  let stage: Stage
  let nation: SimPerson
  let province: SimPerson
  let city: SimPerson
  let county: SimPerson
  let secretary: SimPerson
  let volunteer: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  /** Into all groups there are. */
  const join = (address: string) =>
    stage.rt.db.execute(`insert into group_members (group_id, address, person_id, known_by, joined_at)
      select g.id, i.address, i.person_id, 'join_request', now() from groups g, identities i
      where i.address = '${address}'`)
  const heard = async (news: () => string[]) => {
    await stage.settle()
    return news().join('\n')
  }

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim } = stage
    nation = sim.addPerson({ name: '全国办', wecomUserId: 'guo' })
    province = sim.addPerson({ name: '陈省办', wecomUserId: 'chen' })
    city = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    county = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    secretary = sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
    volunteer = sim.addPerson({ name: '阿依古丽·买买提', wecomUserId: 'ayi' })
    await bindFirst(stage, nation, 'xibu', '000000')
    await bindThrough(stage, nation, province)
    await bindThrough(stage, province, city)
    await bindThrough(stage, city, county)
    await bindThrough(stage, county, secretary)
    await bindThrough(stage, secretary, volunteer)
  })
  afterEach(() => stage.close())

  test('is answered at once with the numbers, and the county hears of it; a word that somebody comes holds up the climb', async () => {
    const news = newsFor(stage, county)
    const reply = await say(volunteer, '快来人，小李从房顶摔下来了，头上全是血，叫不醒')
    expect(reply).toContain('急救 120，报警 110')
    expect(reply).toContain('已马上告诉榆阳区赵县办')
    expect(await heard(news)).toContain('【可能有人有危险 1】阿依古丽·买买提（榆阳区第一团支部）')
    const back = newsFor(stage, volunteer)
    expect(await say(county, '到 1')).toContain('1 号记在您名下')
    expect(await heard(back)).toContain('赵县办看到了，正在处理')
    stage.clock.advance(29 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(0)
    const atCity = newsFor(stage, city)
    stage.clock.advance(2 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    expect(await heard(atCity)).toContain('有人应答，还没有办完')
    await say(county, '平安 1')
    stage.clock.advance(60 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(0)
  })

  test('unanswered: the city after ten minutes, all above after thirty, each once', async () => {
    await say(volunteer, '有人落水了，快救命')
    const atCity = newsFor(stage, city)
    const above = [newsFor(stage, province), newsFor(stage, nation)]
    stage.clock.advance(9 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(0)
    stage.clock.advance(MINUTE + 1000)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    expect(await heard(atCity)).toContain('还没有人应答')
    expect(await heard(above[0] as () => string[])).toBe('')
    stage.clock.advance(20 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    for (const news of above) expect(await heard(news)).toContain('可能有人有危险 1')
    stage.clock.advance(60 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(0)
  })

  test('confirmed: all levels above hear of it without waiting', async () => {
    await say(volunteer, '宿舍着火了，还有人在里面')
    const above = [newsFor(stage, city), newsFor(stage, province), newsFor(stage, nation)]
    expect(await say(county, '属实 1')).toContain('已报告上面各级')
    for (const news of above) expect(await heard(news)).toContain('可能有人有危险 1')
    expect(await say(volunteer, '平安 1')).toContain('由他们核对后结束')
    const later = newsFor(stage, nation)
    expect(await say(county, '平安 1')).toContain('已登记为平安')
    expect(await heard(later)).toContain('【危险 1】赵县办：平安')
  })

  test('a false alarm is closed with a word and does not silence the next', async () => {
    await say(volunteer, '有人拿刀砍人了，快报警')
    expect(await say(county, '误报 1')).toContain('误报')
    expect(await say(county, '到 1')).toContain('已经结束')
    const news = newsFor(stage, county)
    expect(await say(volunteer, '是真的，他又来了，拿着刀在砸门')).toContain('第 2 号')
    expect(await heard(news)).toContain('可能有人有危险 2')
  })

  test('what the same person says next goes to the same people, as one call, at most once a minute', async () => {
    await say(volunteer, '有人晕倒了，没有呼吸')
    const news = newsFor(stage, county)
    expect(await say(volunteer, '镇川镇水库东岸，我的电话13812345678')).toContain('已转告刚才通知的同志')
    expect(await heard(news)).toContain('镇川镇水库东岸，我的电话13812345678')
    await stage.sim.sendLocation(volunteer.id, { latitude: 38.1, longitude: 109.7, label: '镇川水库' })
    await stage.sim.sendImage(volunteer.id)
    expect(await say(volunteer, '还在流血，救护车多久能到')).toContain('马上一并转告')
    expect(await heard(news)).toBe('')
    stage.clock.advance(MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    const passed = (await heard(news)).split('【').filter(text => text.startsWith('危险 1，又说'))
    expect(passed).toHaveLength(1)
    for (const words of ['镇川水库 纬度 38.1', '发来一张图片', '还在流血']) expect(passed[0]).toContain(words)
    expect(await climbDueCalls(stage.rt)).toBe(0)
    expect(await rows(stage, 'select id from danger_calls')).toHaveLength(1)
  })

  test('after an answer new words of danger open it again', async () => {
    await say(volunteer, '有人晕倒了，没有呼吸')
    await say(county, '到 1')
    await say(volunteer, '又有一个人触电了，快来救人')
    stage.clock.advance(11 * MINUTE)
    const atCity = newsFor(stage, city)
    await climbDueCalls(stage.rt)
    expect(await heard(atCity)).toContain('还没有人应答')
  })

  test('no command word swallows it, and no command is swallowed by it', async () => {
    const stranger = stage.sim.addPerson({ name: '路人', openId: 'o-passer' })
    for (const text of [
      '求助 有人落水了快救命',
      '帮助，有人落水了快救命',
      '到3号楼来，有人晕倒了',
      '升3楼有人要跳楼了',
      '入群 有人落水了',
      '补 1 他割腕了',
    ]) {
      expect(await stage.say(stranger.id, text), text).toContain('急救 120')
      expect(await say(volunteer, text), text).toContain('急救 120')
    }
    // nor in what an owner registers: only a line that says what it asks for is one
    await say(secretary, '建群 团支部群 微信群 30人 第一团支部 入群码 https://example.cn/q')
    for (const text of [
      '活动现场有3人晕倒了，快叫救护车',
      '活动 有人晕倒了快来救人',
      '登记 有人落水了快救命',
      '走访 有人晕倒了快来救人',
      '同意 有人落水了快救命',
      '改 有人落水了快救命',
    ]) {
      expect(await say(secretary, text), text).toContain('急救 120')
      await say(secretary, '没有危险')
    }
    await rows(
      stage,
      `delete from danger_steps where call_id in (select c.id from danger_calls c join persons p
      on p.id = c.person_id where p.name = '周支书')`,
    )
    await rows(
      stage,
      `delete from danger_calls c using persons p where p.id = c.person_id and p.name = '周支书'`,
    )
    expect(await say(secretary, '活动 技能培训 35人 村委会防溺水急救 9月1日')).not.toContain('急救 120，')
    await say(secretary, '取消')
    expect(await say(volunteer, '我的上报')).not.toContain('转告')
    await say(county, '通知 有人落水了快救命：本周五下午三点防溺水演练，请准时参加')
    expect(await rows(stage, 'select id from danger_calls')).toHaveLength(2)
  })

  test('where nobody of the county can be written to the next above it hears of it at once; where nobody can, operators do', async () => {
    await stage.rt.db.execute(`update identities set is_reachable = false where address = 'zhao'`)
    const atBranch = newsFor(stage, secretary)
    expect(await say(volunteer, '有人落水了，快救命')).toContain('已马上告诉榆林市刘市办')
    expect(await heard(atBranch)).toBe('')
    await stage.rt.db.execute(
      `update identities set is_reachable = false where address in ('liu', 'chen', 'guo')`,
    )
    await say(volunteer, '平安 1')
    expect(await say(volunteer, '有人落水了，快救命')).toContain('没有能通知到的人：请直接打')
    const [alarm] = await rows<{ words: string }>(stage, 'select words from alarms')
    expect(alarm?.words).toContain('没有一个能收到消息的负责同志')
    expect(await rows(stage, `select id from danger_steps where call_id = 2 and kind = 'told'`)).toEqual([])
  })

  test('the only officer of a county calls the city', async () => {
    expect(await say(county, '有人落水了，快救命')).toContain('已马上告诉榆林市刘市办')
  })

  test('an owner says only that they come, and is left out when the call is about them', async () => {
    expect(
      await say(secretary, '建群 团支部群 微信群 30人 第一团支部 入群码 https://example.cn/q'),
    ).toContain('群号')
    await join('ayi')
    const atBranch = newsFor(stage, secretary)
    expect(await say(volunteer, '有人触电了，快来')).toContain('、群主（第 1 号）')
    expect(await heard(atBranch)).not.toContain('属实 1')
    await say(volunteer, '是周支书打的')
    expect(await heard(atBranch)).toBe('')
    expect(await say(secretary, '误报 1')).toContain('由县级以上负责的同志登记')
    const atCounty = newsFor(stage, county)
    expect(await say(secretary, '到 1')).toContain('已告诉本人和负责的同志')
    expect(await heard(atCounty)).toContain('【危险 1】群主周支书：我来处理')
    stage.clock.advance(11 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    await say(volunteer, '平安 1')
    expect(await heard(atCounty)).toContain('本人：平安')
    expect(await say(volunteer, '周支书拿刀砍人了，快报警')).not.toContain('群主')
  })

  test('a slip that tells of danger calls help as well, and goes on', async () => {
    const reply = await say(volunteer, '上报 突发 小李触电了，没有呼吸')
    expect(reply).toContain('急救 120')
    expect(reply).toContain('送出请回“确认”')
    expect(await say(volunteer, '确认')).toContain('已送到榆阳区')
    expect(await rows(stage, 'select id from danger_calls')).toHaveLength(1)
  })

  test('somebody nobody knows gets the numbers, and is told that nobody could be reached', async () => {
    const stranger = stage.sim.addPerson({ name: '路人', openId: 'o-passer' })
    const reply = await stage.say(stranger.id, '救命，我不想活了，我在楼顶')
    expect(reply).toContain('12356')
    expect(reply).toContain('没有能通知的人')
    expect(await stage.say(stranger.id, '平安 1')).toContain('已登记为平安')
  })

  test('in a group the answer holds the numbers and no name, and help is called', async () => {
    const group = stage.sim.createGroup({
      kind: 'internal',
      name: '第一支部',
      ownerId: secretary.id,
      memberIds: [volunteer.id],
    })
    const news = newsFor(stage, county)
    const said = await stage.sim.aibot.mention(group.id, volunteer.id, '有人落水了，快救命')
    const reply = said.map(message => message.text).join('\n')
    expect(reply).toContain('急救 120')
    expect(reply).not.toContain('赵县办')
    expect(await heard(news)).toContain('有人落水了')
  })

  test('spoken words call help as typed ones do; it goes to all places where somebody belongs, those of their roles first', async () => {
    const gao = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    await say(gao, '建群 市级青农群 微信群 26人 青农榆林 入群码 拉人')
    await join('ayi')
    const { reply } = await stage.updates.accept({
      channel: 'wecom',
      dedupeKey: 'id:voice',
      address: 'ayi',
      addressSpace: 'wecom',
      recipient: wecomSettings.corpId,
      at: stage.clock.now(),
      kind: 'media',
      mediaType: 'voice',
      mediaId: 'm1',
      url: null,
      text: '有人落水了，快救命',
    })
    expect(reply).toContain('已马上告诉榆阳区赵县办、榆林市高市书（第 1 号）')
    await stage.settle()
    expect(stage.received(gao.id).at(-1)).toContain('所在群：青农榆林')
  })

  test('a call that cannot be handled holds up no other', async () => {
    await say(volunteer, '有人落水了，快救命')
    await say(secretary, '有人触电了，没有呼吸')
    await stage.rt.db.execute(
      `update danger_steps set text_sealed = 'broken' where call_id = 1 and kind = 'said'`,
    )
    stage.clock.advance(11 * MINUTE)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    expect(await rows(stage, 'select stage from danger_calls order by id')).toEqual([
      { stage: 'first' },
      { stage: 'unanswered' },
    ])
  })

  test('an account that has called can become another; what was said goes with who is erased, and with time', async () => {
    await say(volunteer, '有人落水了，快救命')
    const ids = await rows<{ id: string }>(
      stage,
      `insert into identities (channel, address, created_at)
      values ('wecom', 'ayi-new', now()) returning id`,
    )
    const [old] = await rows<{ id: string }>(stage, `select id from identities where address = 'ayi'`)
    await absorbIdentity(stage.rt.db, Number(old?.id), Number(ids[0]?.id), {
      personId: Number(
        (await rows<{ person_id: string }>(stage, 'select person_id from danger_calls'))[0]?.person_id,
      ),
      address: 'ayi',
    })
    await say(secretary, '有人触电了，没有呼吸')
    await say(volunteer, '删除我的信息')
    await say(volunteer, '我要删除')
    expect(await say(volunteer, volunteer.name)).toContain('已经删除')
    const words = `select status, text_sealed is null as "isGone" from danger_calls c
      join danger_steps s on s.call_id = c.id and s.kind = 'said' order by c.id`
    expect(await rows(stage, words)).toEqual([
      { status: 'closed', isGone: true },
      { status: 'open', isGone: false },
    ])
    stage.clock.advance(400 * 24 * 60 * MINUTE)
    await eraseAfterRetention(stage.rt)
    expect((await rows(stage, words))[1]).toEqual({ status: 'closed', isGone: true })
  })

  test('in doubt who wrote it is asked: a no is forgotten, a yes and clear words without an answer call help', async () => {
    const [clear, vague] = [doubtful(true), doubtful(false)]
    const news = newsFor(stage, county)
    const own = newsFor(stage, volunteer)
    const asked = await say(volunteer, clear)
    expect(asked).toContain('急救 120')
    expect(asked).toContain('1 有危险，马上通知群主和县里；2 没有')
    expect(asked).toContain('2 分钟没有回答，会先告诉他们')
    // with buttons as well, for who writes as a member of the corp
    expect(await heard(own)).toContain('有人受伤或有危险吗')
    expect(await say(volunteer, '2')).toContain('没有通知任何人')
    expect(await rows(stage, 'select * from danger_calls')).toEqual([])
    expect(await rows(stage, 'select * from danger_steps')).toEqual([])

    // a word that begins like a no, and is none
    await say(volunteer, clear)
    for (const text of ['没有，他没有呼吸了', '不是，是我家着火了']) {
      expect(await say(volunteer, text), text).not.toContain('没有通知任何人')
      expect(await rows(stage, 'select 1 from danger_calls'), text).toHaveLength(1)
    }
    await say(volunteer, '没有危险')
    await rows(stage, 'delete from danger_steps')
    await rows(stage, 'delete from danger_calls')
    await heard(news)

    await say(volunteer, clear)
    expect(await say(volunteer, '我的上报')).not.toContain('转告')
    expect(await say(volunteer, '有，他流血了')).toContain('已马上告诉榆阳区赵县办')
    expect(await heard(news)).toMatch(/【可能有人有危险 \d+】阿依古丽[\s\S]*又说[\s\S]*有，他流血了/)
    await say(volunteer, '没有危险')
    expect(await heard(news)).toContain('本人：平安')

    await say(volunteer, clear)
    stage.clock.advance(119_000)
    expect(await climbDueCalls(stage.rt)).toBe(0)
    stage.clock.advance(2000)
    expect(await climbDueCalls(stage.rt)).toBe(1)
    expect(await heard(news)).toContain('没有核实：问了本人有没有危险，没有回答')
    expect(await heard(own)).toContain('没有等到您的回答。已马上告诉榆阳区赵县办')
    expect(await say(volunteer, '1')).toContain('已告诉刚才通知的同志：有危险')
    expect(await heard(news)).toContain('本人回答：有危险')
    await say(volunteer, '没有危险')
    await heard(news)

    expect(await say(volunteer, vague)).toContain('不回答就不通知任何人')
    stage.clock.advance(3 * MINUTE)
    await climbDueCalls(stage.rt)
    expect(await heard(news)).toBe('')
    expect(await rows(stage, `select * from danger_calls where ended_at is null`)).toEqual([])
    // a word that leaves no doubt ends the question, too
    await say(volunteer, vague)
    expect(await say(volunteer, '有人落水了，快救命')).toContain('已马上告诉榆阳区赵县办')
    expect(await say(secretary, '有危险')).toContain('已马上告诉榆阳区赵县办')
  })

  test('who complains is reported to nobody, whatever the bot asks them', async () => {
    const news = [county, city, secretary].map(person => newsFor(stage, person))
    for (const text of complaints) {
      await say(volunteer, text)
      stage.clock.advance(3 * MINUTE)
      await climbDueCalls(stage.rt)
      await say(volunteer, '取消')
    }
    for (const each of news) expect(await heard(each)).toBe('')
    expect(await rows(stage, 'select * from danger_calls')).toEqual([])
    // in the middle of a slip the question is answered with a word, numbers are the slip's
    const reply = await say(volunteer, `上报 ${doubtful(true)}`)
    expect(reply).toContain('请回复：有危险（马上通知群主和县里），或：没有危险')
    expect(reply).toContain('要上报哪一类')
    expect(await say(volunteer, '2')).not.toContain('没有通知任何人')
    expect(await say(volunteer, '没有危险')).toContain('没有通知任何人')
    // words of doubt that answer the slip's own question are not lost to it
    await say(volunteer, '取消')
    await say(volunteer, '上报 困难')
    expect(await say(volunteer, doubtful(false))).toMatch(/急救 120[\s\S]*送出请回“确认”/)
    expect(await say(volunteer, '确认')).toContain('已送到榆阳区')
    await say(volunteer, '没有危险')
    // on the page the question has buttons, and the slip goes on all the same
    const page = await signIn(stage, volunteer.name)
    const [unit] = await rows(stage, "select id from units where name = '榆阳区第一团支部'")
    const form = { kind: 'hardship', unit: String(unit?.id), body: doubtful(true) }
    const preview = await page.post('/me/slips/preview', form)
    expect(preview.text).toContain('有危险，马上通知')
    expect(preview.text).toContain('确认送出')
    await page.post('/me/danger', { answer: 'no' })
    expect(await rows(stage, 'select * from danger_calls')).toEqual([])
    await page.post('/me/slips/preview', form)
    const told = newsFor(stage, county)
    await page.post('/me/danger', { answer: 'yes' })
    expect(await heard(told)).toContain('可能有人有危险')
  })

  test('a false alarm is learnt from without its numbers, but for what sounds like a complaint; an officer sees the phone and that is seen', async () => {
    const officer = newsFor(stage, county)
    await say(volunteer, '有人触电了，没有呼吸，快来救人，13912345678')
    expect(await heard(officer)).toContain('本人手机 138****0007，看全号请回：电话 1')
    expect(await say(secretary, '电话 1')).not.toContain('13800000007')
    expect(await say(city, '电话 1')).toContain('没有通知过您')
    expect(await say(county, '电话 1')).toContain('13800000007')
    const own = await signIn(stage, volunteer.name)
    expect((await own.get('/me/data')).text).toContain('本人求助（1 号）')
    const page = await signIn(stage, '赵县办')
    const shown = await page.get('/console/danger/1')
    expect(shown.text).toContain('138****0007')
    expect(shown.text).not.toContain('13800000007')
    expect((await page.post('/console/danger/1/phone')).text).toContain('13800000007')
    expect((await (await signIn(stage, '刘市办')).get('/console/danger/1')).status).toBe(404)
    expect((await page.post('/console/danger/1/settle', { word: 'false_alarm' })).location).toBe(
      '/console/danger/1',
    )
    expect(await say(county, '电话 1')).toContain('已经结束')
    const lines: string[] = []
    await exportVerdicts(stage.rt, line => void lines.push(line))
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      alert: 'safety',
      text: '有人触电了，没有呼吸，快来救人，139****5678',
      verdict: 'false',
    })
    // what was one false alarm calls help the next time all the same
    expect(await say(volunteer, '有人触电了，没有呼吸，快来救人，13912345678')).toContain('（第 2 号）')
    await say(county, '误报 2')
    await say(volunteer, '投诉没人管，有人割腕了，流了很多血')
    await say(county, '误报 3')
    expect(await rows(stage, 'select id from alert_verdicts')).toHaveLength(1)
    await say(volunteer, '删除我的信息')
    await say(volunteer, '我要删除')
    await say(volunteer, volunteer.name)
    expect(await rows(stage, `select text_sealed = '' as gone from alert_verdicts`)).toEqual([{ gone: true }])
  })

  test('nobody who was not told has a word in it, and what is no danger calls nobody', async () => {
    await say(volunteer, '有人触电了，快来')
    expect(await say(secretary, '误报 1')).toContain('没有通知过您')
    await say(volunteer, '平安 1')
    await stage.settle()
    const news = newsFor(stage, county)
    for (const text of [
      '通知大家，明天上午消防演练，听到警报不要慌',
      '昨晚剧本杀一共死了三个，凶手居然是我',
      '补贴三个月没发了，真的要崩溃了',
    ])
      await say(volunteer, text)
    expect(await heard(news)).toBe('')
  })
})
