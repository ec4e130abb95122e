import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { officeFigures } from '../../db/queries/slips.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { exportVerdicts } from '../../server/domain/messages/export-verdicts.ts'
import { erase } from '../../server/domain/privacy/erase.ts'
import { raiseDueSlips, tellOverdueSlips } from '../../server/domain/slips/follow-time.ts'
import { withoutTraces } from '../../server/domain/slips/picture.ts'
import { fetchPictures } from '../../server/jobs/fetch-pictures.ts'
import { signIn } from '../support/console.ts'
import {
  bindFirst,
  bindThrough,
  claimGroup,
  fillMatrix,
  importCsv,
  newsFor,
  rows,
} from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const HOUR = 3_600_000
/** Stopped by the marking that it speaks of. */
const STOPPED_SLIP = '这份文件是机密级的，我拍了照片发群里'
const head = '省份,地市,区县,团支部,姓名,手机号,角色,职务,状态\n'
const clerk = '陕西省,榆林市,榆阳区,,孙县办,13800000061,项目办工作人员,科员,在岗\n'
const boss = '陕西省,榆林市,榆阳区,,赵县办,13800000004,项目办负责同志,主任,在岗\n'

/** 上报: people's voice goes up because they send it, and they see what becomes of it. */
describe('a slip', () => {
  let stage: Stage
  let city: SimPerson
  let county: SimPerson
  let secretary: SimPerson
  let volunteer: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)
  const settle = () => stage.settle()
  const slip = async (id: number) =>
    (
      await rows(
        stage,
        `select s.status, u.name as office, s.merged_into, s.due_at is not null as has_due from slips s
         join units u on u.id = s.office_id where s.id = ${id}`,
      )
    )[0]

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    await importCsv(stage, 'xibu', head + boss + clerk)
    const { sim } = stage
    city = sim.addPerson({ name: '刘市办', wecomUserId: 'liu' })
    county = sim.addPerson({ name: '赵县办', wecomUserId: 'zhao' })
    secretary = sim.addPerson({ name: '周支书', wecomUserId: 'zhou' })
    volunteer = sim.addPerson({ name: '阿依古丽·买买提', wecomUserId: 'ayi' })
    await bindFirst(stage, city, 'xibu', '610800')
    await bindThrough(stage, city, county)
    await bindThrough(stage, county, secretary)
    await bindThrough(stage, secretary, volunteer)
  })
  afterEach(() => stage.close())

  async function sendUp(person: SimPerson, line: string): Promise<number> {
    const preview = await say(person, `上报 ${line}`)
    expect(preview).toContain('确认')
    const sent = await say(person, '确认')
    await settle()
    return Number(/编号 (\d+)/.exec(sent)?.[1])
  }

  test('shows who will read it, is answered back, and is ended by its reporter', async () => {
    const preview = await say(volunteer, '上报 困难 宿舍三天没有水了，希望尽快修好')
    expect(preview).toContain('榆阳区办理，只有赵县办、孙县办能看到')
    expect(preview).toContain('升到上一级')
    const news = newsFor(stage, county)
    expect(await say(volunteer, '确认')).toContain('已送到榆阳区，编号 1')
    await settle()
    expect(news().join('\n')).toContain('【新上报 1】困难求助，来自榆阳区第一团支部，阿依古丽·买买提')
    const answers = newsFor(stage, volunteer)
    expect(await say(county, '复 1 已联系水务站，今晚恢复供水')).toContain('已答复上报 1')
    await settle()
    expect(answers().join('\n')).toContain('【上报 1 的答复】榆阳区：\n已联系水务站')
    expect(await say(volunteer, '结 1')).toContain('已办结')
    expect(await slip(1)).toMatchObject({ status: 'closed', has_due: false })
    expect(await say(volunteer, '我的上报')).toContain('已办结（榆阳区）')
  })

  test('nobody but the line that was shown can answer or read it', async () => {
    await sendUp(volunteer, '建议 希望培训放在周末')
    expect(await say(city, '复 1 我来看看')).toContain('没有编号是 1 的上报')
    expect(await say(secretary, '补 1 我也想说')).toContain('您没有编号是 1 的上报')
    const cityPage = await signIn(stage, '刘市办')
    expect((await cityPage.get('/console/slips/1')).status).toBe(404)
    const countyPage = await signIn(stage, '赵县办')
    expect((await countyPage.get('/console/slips/1')).text).toContain('希望培训放在周末')
    // the list of the city holds the number and no word
    const list = (await cityPage.get('/console/slips')).text
    expect(list).toContain('榆阳区')
    expect(list).not.toContain('培训')
  })

  test('a complaint about the county goes to the city and never through the county', async () => {
    const news = newsFor(stage, county)
    expect(await say(volunteer, '上报 投诉 县里扣了我两个月的补贴，问了也不说为什么')).toContain(
      '是对哪个单位的意见？1 榆阳区、2 榆林市',
    )
    const preview = await say(volunteer, '1')
    expect(preview).toContain('榆林市办理，只有刘市办能看到')
    expect(await say(volunteer, '匿名')).toContain('已选匿名')
    expect(await say(volunteer, '不匿名')).not.toContain('已选匿名')
    await say(volunteer, '匿名')
    const cityNews = newsFor(stage, city)
    await say(volunteer, '确认')
    await settle()
    expect(cityNews().join('\n')).toContain('要求匿名，只有您这一级看得到名字')
    expect(news().join('\n')).not.toContain('补贴')
    expect(await say(county, '复 1 没有扣')).toContain('没有编号是 1 的上报')
  })

  test('goes a level up when its time is over, once, and each time says to whom', async () => {
    await sendUp(volunteer, '突发 河堤出现裂缝，还没有人受伤')
    const news = newsFor(stage, volunteer)
    const cityNews = newsFor(stage, city)
    stage.clock.advance(2 * HOUR + 1000)
    expect(await raiseDueSlips(stage.rt)).toBe(1)
    expect(await raiseDueSlips(stage.rt)).toBe(0)
    await settle()
    expect(news().join('\n')).toContain('榆阳区到时没有答复，现在由榆林市（刘市办）办理')
    expect(cityNews().join('\n')).toContain('【升上来的上报 1】')
    expect(await slip(1)).toMatchObject({ status: 'open', office: '榆林市' })
    // the county still sees what became of it and can do nothing more
    expect(await say(county, '复 1 我们在修')).toContain('没有编号是 1 的上报')
  })

  test('like ones become one: all reporters hear the answer, and one of them can still go up', async () => {
    await sendUp(volunteer, '困难 宿舍没有水')
    await sendUp(secretary, '困难 支部宿舍停水三天')
    expect(await say(county, '并 1 2')).toContain('上报 1 现在有 2 人反映')
    const first = newsFor(stage, volunteer)
    const second = newsFor(stage, secretary)
    await say(county, '复 1 今晚恢复')
    await settle()
    expect(first().join('\n')).toContain('【上报 1 的答复】')
    expect(second().join('\n')).toContain('【上报 2 的答复】')
    expect(await say(secretary, '升 2')).toContain('已送到上一级')
    expect(await slip(2)).toMatchObject({ status: 'open', office: '榆林市', merged_into: null })
    expect(await slip(1)).toMatchObject({ status: 'answered', office: '榆阳区' })
  })

  test('what may not be passed on is stopped with its place, and numbers are masked in what is kept', async () => {
    expect(await say(volunteer, '上报 信息 转一份机密文件：〔2026〕3号 绝密，请勿外传')).toContain(
      '涉密或内部内容',
    )
    const preview = await say(volunteer, '上报 困难 身份证61080220010307312X的补贴没到账')
    expect(preview).toContain('提醒：里面有个人信息')
    await say(volunteer, '确认')
    await settle()
    const page = await signIn(stage, '赵县办')
    const text = (await page.get('/console/slips/1')).text
    expect(text).toContain('补贴没到账')
    expect(text).not.toContain('61080220010307312X')
  })

  test('the bot offers one to somebody who complains, and forgets what they said when they do not take it', async () => {
    expect(await say(volunteer, '我的补贴拖欠三个月了没人管')).toContain('要的话请回“要”')
    expect(await rows(stage, 'select id from slips')).toHaveLength(0)
    expect(await say(volunteer, '要')).toContain('要上报哪一类')
    expect(await say(volunteer, '4')).toContain('只有赵县办、孙县办能看到')
    await say(volunteer, '取消')
    // anything but a yes drops the offer, and is answered as usual
    await say(volunteer, '我的补贴拖欠三个月了没人管')
    expect(await say(volunteer, '好像今天要下雨')).toContain('没有明白您的意思')
    expect(await rows(stage, 'select id from slips')).toHaveLength(0)
    expect(await rows(stage, 'select * from conversations')).toHaveLength(0)
  })

  test('each week the level above hears how many wait, and nothing of what they say', async () => {
    await sendUp(volunteer, '做法 每周一次夜校')
    // told as it stood at midnight in Shanghai between Sunday and Monday, whenever it is told
    stage.clock.advance(8 * 24 * HOUR)
    const news = newsFor(stage, city)
    expect(await tellOverdueSlips(stage.rt)).toBe(0)
    stage.clock.set(new Date('2026-09-21T00:00:00+08:00'))
    await say(county, '复 1 很好，请接着办')
    await say(county, '结 1')
    stage.clock.set(new Date('2026-09-22T09:05:00+08:00'))
    expect(await tellOverdueSlips(stage.rt)).toBe(1)
    expect(await tellOverdueSlips(stage.rt)).toBe(0)
    await settle()
    const told = news().join('\n')
    expect(told).toContain('到9月20日，下级超过 7 天没有办结')
    expect(told).toContain('榆阳区：1 件，最久 13 天')
    expect(told).not.toContain('夜校')
  })

  test('a practice is offered to all groups as a notice with its source, and its writer hears of it', async () => {
    await sendUp(volunteer, '做法 每周一次夜校，由返乡大学生轮流讲课')
    const news = newsFor(stage, volunteer)
    const page = await signIn(stage, '赵县办')
    const { location } = await page.post('/console/slips/1/spread')
    expect(location).toContain('/console/notices/drafts/')
    const draft = (await page.get(location as string)).text
    expect(draft).toContain('【经验做法】每周一次夜校')
    expect(draft).toContain('来源：榆阳区第一团支部')
    await settle()
    expect(news().join('\n')).toContain('值得推广')
    expect((await page.post('/console/slips/1/spread')).status).toBe(422)
  })

  test('1+100: who keeps contact with the branch reads what is addressed to them, and no more', async () => {
    expect(await say(city, '联系点 榆阳区第一团支部')).toContain('榆阳区第一团支部')
    await sendUp(volunteer, '困难 想学开车没有地方')
    const cityPage = await signIn(stage, '刘市办')
    expect((await cityPage.get('/console/slips/1')).status).toBe(404)
    const news = newsFor(stage, city)
    expect(await say(volunteer, '上报 困难 支部的电脑坏了')).toContain(
      '要让联系您支部的刘市办也看到，请回：抄送',
    )
    expect(await say(volunteer, '抄送')).toContain('联系您支部的刘市办也会看到')
    await say(volunteer, '确认')
    await settle()
    expect(news().join('\n')).toContain('【您联系的支部有上报 2】')
    await say(county, '复 2 下周换一台')
    const read = (await cityPage.get('/console/slips/2')).text
    expect(read).toContain('支部的电脑坏了')
    expect(read).not.toContain('下周换一台')
    expect(await say(city, '复 2 我来修')).toContain('没有编号是 2 的上报')
  })

  test('an erased person’s words go with them', async () => {
    await sendUp(volunteer, '困难 想回家乡工作')
    const [person] = await rows(stage, "select id from persons where name like '阿依古丽%'")
    await erase(stage.rt, [Number(person?.id)], { why: 'office', byId: null })
    const page = await signIn(stage, '赵县办')
    expect((await page.get('/console/slips/1')).text).not.toContain('想回家乡')
    stage.clock.advance(9 * 24 * HOUR)
    expect(await raiseDueSlips(stage.rt)).toBe(0)
    expect(await slip(1)).toMatchObject({ status: 'closed', has_due: false })
  })

  test('danger comes first, and what the slip is refused for undoes no call', async () => {
    const reply = await say(volunteer, '补 99 宿舍有人割腕了，流了很多血')
    expect(reply).toContain('120')
    expect(reply).toContain('您没有编号是 99 的上报')
    expect(await rows(stage, 'select id from danger_calls')).toHaveLength(1)
    expect(await say(volunteer, '上报 困难 宿舍有人割腕了，流了很多血')).toMatch(/120[\s\S]*送出请回“确认”/)
    const page = await signIn(stage, '阿依古丽·买买提')
    const [unit] = await rows(stage, "select id from units where name = '榆阳区第一团支部'")
    const form = { kind: 'hardship', unit: String(unit?.id), body: '有人割腕了，流了很多血' }
    expect((await page.post('/me/slips/preview', form)).text).toContain('120')
  })

  test('is sent to those who were shown: when they change the preview comes again', async () => {
    await say(volunteer, '上报 困难 宿舍三天没有水了')
    await importCsv(stage, 'xibu', head + boss + clerk.replace('在岗', '离岗'))
    const again = await say(volunteer, '确认')
    expect(again).toContain('有变化')
    expect(again).toContain('只有赵县办能看到')
    expect(await rows(stage, 'select id from slips')).toHaveLength(0)
    expect(await say(volunteer, '确认')).toContain('已送到榆阳区，编号 1')
    await settle()
    // the office has lost everybody: what is added goes to those above, and to nobody else
    await importCsv(stage, 'xibu', head + boss.replace('在岗', '离岗') + clerk.replace('在岗', '离岗'))
    const cityNews = newsFor(stage, city)
    expect(await say(volunteer, '补 1 还是没有水')).toContain('榆林市会看到')
    await settle()
    expect(cityNews().join('\n')).toContain('【升上来的上报 1】')
  })

  test('who has lost it sees what was before; merged ones are taken on, and none meets whom it is about', async () => {
    await sendUp(volunteer, '困难 宿舍没有水')
    await sendUp(secretary, '困难 支部宿舍停水三天')
    await say(county, '并 1 2')
    const news = newsFor(stage, county)
    expect(await say(secretary, '补 2 井也干了')).toContain('榆阳区会看到')
    await settle()
    expect(news().join('\n')).toMatch(/【上报有补充 1】[\s\S]*上报 2，已并入）：井也干了/)
    const countyPage = await signIn(stage, '赵县办')
    expect((await countyPage.get('/console/slips/1')).text).toContain('井也干了')
    expect(await say(volunteer, '升 1')).toContain('现在由榆林市（刘市办）办理')
    expect(await slip(2)).toMatchObject({
      status: 'open',
      office: '榆阳区',
      merged_into: null,
      has_due: true,
    })
    await say(city, '复 1 市里派车送水')
    const seen = (await countyPage.get('/console/slips/1')).text
    expect(seen).toContain('升到榆林市')
    expect(seen).not.toContain('市里派车送水')
    await say(secretary, '上报 投诉 县里一直不管我们')
    await say(secretary, '1')
    await say(secretary, '确认')
    expect(await say(city, '并 1 3')).toContain('请分开办')
    // closed by its reporter, it is not taken up again by the office
    await say(volunteer, '结 1')
    expect(await say(city, '上交 1')).toContain('已经办结')
  })

  test('who runs the complained office has no part in it through a role above', async () => {
    const liu = '陕西省,榆林市,,,刘市办,13800000003,项目办负责同志,主任,在岗\n'
    const both = '陕西省,榆林市,,,赵县办,13800000004,项目办工作人员,科员,在岗\n'
    await importCsv(stage, 'xibu', head + liu + boss + both)
    await say(volunteer, '上报 投诉 县里扣了我的补贴，也不说为什么')
    expect(await say(volunteer, '1')).toContain('榆林市办理，只有刘市办能看到')
    await say(volunteer, '确认')
    expect(await say(county, '复 1 没有扣')).toContain('没有编号是 1 的上报')
    const page = await signIn(stage, '赵县办')
    expect((await page.get('/console/slips/1')).status).toBe(404)
    expect((await page.get('/console/slips')).text).not.toContain('补贴')
  })

  test('an answer keeps the office’s phone, warns of other people’s numbers, and the group hears only what was agreed', async () => {
    await sendUp(volunteer, '困难 宿舍没有水')
    const news = newsFor(stage, volunteer)
    expect(await say(county, '复 1 请打水务站 13712345678')).toContain('已发给本人')
    await settle()
    expect(news().join('\n')).toContain('13712345678')
    expect(await say(county, '复 1 身份证61080220010307312X的同志去领')).toContain('仍然发送')
    const page = await signIn(stage, '赵县办')
    const refused = await page.post('/console/slips/1/answer', { text: '身份证61080220010307312X的同志去领' })
    expect(refused.status).toBe(422)
    expect(refused.text).toContain('name="sure"')
    expect(await say(county, '复 1 仍然发送 身份证61080220010307312X的同志去领')).toContain('已发给本人')
    await settle()
    expect(news().join('\n')).not.toContain('61080220010307312X')
    expect(await say(county, '复 1 告知群 已修好')).toContain('没有可以告知的群')
    // two merges that cross wait for each other and do not hang: one comes first
    await sendUp(secretary, '困难 支部宿舍停水三天')
    const crossed = await Promise.all([
      page.post('/console/slips/1/merge', { from: '2' }),
      page.post('/console/slips/2/merge', { from: '1' }),
    ])
    expect(crossed.map(each => each.status).sort()).toEqual([303, 422])
  })

  test('at the top it is asked again ever more seldom, never at night; one bad slip stops no other', async () => {
    await sendUp(volunteer, '困难 宿舍没有水')
    await sendUp(volunteer, '困难 路也断了')
    await say(volunteer, '升 1')
    for (let level = 0; level < 2; level++) await say(volunteer, '升 1')
    expect(await slip(1)).toMatchObject({ office: '全国' })
    expect(await say(volunteer, '升 1')).toContain('重新办理上报 1')
    expect(await say(volunteer, '升 1')).toContain('一周内')
    await rows(stage, "update slips set body_sealed = 'broken', due_at = '2000-01-01' where id = 2")
    const news = newsFor(stage, volunteer)
    await rows(stage, `update slips set due_at = '${stage.clock.now().toISOString()}' where id = 1`)
    expect(await raiseDueSlips(stage.rt)).toBe(1)
    stage.clock.advance(25 * HOUR)
    expect(await raiseDueSlips(stage.rt)).toBe(1)
    await settle()
    expect(news().filter(text => text.includes('已再次催办'))).toHaveLength(1)
    const [next] = await rows<{ days: number }>(
      stage,
      `select round(extract(epoch from due_at - '${stage.clock.now().toISOString()}') / 86400)::int as days from slips where id = 1`,
    )
    expect(next?.days).toBe(3)
    expect(await slip(2)).toMatchObject({ office: '榆阳区' })
    const [figures] = await rows(stage, 'select count(*)::int as count from slip_steps where kind = $$late$$')
    expect(figures).toEqual({ count: 2 })
  })

  test('by the pages: a form sent twice is one slip, a foreign place is none, a picture comes without its traces', async () => {
    const page = await signIn(stage, '阿依古丽·买买提')
    const [unit] = await rows(stage, "select id from units where name = '榆阳区第一团支部'")
    const [foreign] = await rows(stage, "select id from units where name = '定边县第一团支部'")
    const form = { kind: 'wish', unit: String(unit?.id), body: '希望周末开放图书室' }
    expect((await page.post('/me/slips/preview', { ...form, unit: String(foreign?.id) })).status).toBe(422)
    expect((await page.get(`/me/slips/new?unit=${foreign?.id}`)).text).not.toContain('定边')
    const shown =
      /name="shown" value="([^"]+)"/.exec((await page.post('/me/slips/preview', form)).text)?.[1] ?? ''
    expect((await page.post('/me/slips', { ...form, shown: '1-2' })).text).toContain('有变化')
    const sent = await Promise.all([1, 2].map(() => page.post('/me/slips', { ...form, shown })))
    expect(sent.map(each => each.location)).toEqual(['/me/slips/1', '/me/slips/1'])
    const jpeg = Buffer.concat([
      Buffer.from('ffd8ffe0000400', 'hex'),
      Buffer.from('01ffe1000a', 'hex'),
      Buffer.from('ExifGPS!'),
      Buffer.from('ffda0002aabbffd9', 'hex'),
    ])
    expect(withoutTraces(jpeg).toString('hex')).toBe('ffd8ffe000040001ffda0002aabbffd9')
    const chunk = (name: string) =>
      Buffer.concat([Buffer.from('00000001', 'hex'), Buffer.from(`${name}xcrc4`)])
    const png = (...names: string[]) =>
      Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...names.map(chunk)])
    expect(withoutTraces(png('IHDR', 'eXIf', 'IDAT', 'IEND'))).toEqual(png('IHDR', 'IDAT', 'IEND'))
    await settle()
    const news = newsFor(stage, county)
    const up = () => page.upload('/me/slips/1/pictures', { field: 'picture', name: '路.jpg', bytes: jpeg })
    expect((await up()).location).toBe('/me/slips/1')
    await settle()
    expect(news().join('\n')).toContain('【上报有图片 1】')
    await page.post('/me/slips/1/close')
    expect((await up()).status).toBe(422)
  })

  test('figures are of the office that had it: who let it lapse stands there with it', async () => {
    await sendUp(volunteer, '突发 河堤出现裂缝')
    stage.clock.advance(2 * HOUR + 1000)
    await raiseDueSlips(stage.rt)
    await say(city, '复 1 已派人加固')
    const list = (await (await signIn(stage, '刘市办')).get('/console/slips')).text
    const row = (office: string) => new RegExp(`<tr><td>${office}</td>.*?</tr>`, 's').exec(list)?.[0] ?? ''
    expect(row('榆阳区').match(/>1</g)).toHaveLength(1)
    expect(row('榆林市')).toContain('<td class="number">0</td><td class="nowrap">')
    // merged ones that were the county's count with theirs, and what one of them does later is its own
    await sendUp(volunteer, '困难 宿舍没有水')
    await sendUp(secretary, '困难 支部宿舍停水三天')
    await say(county, '并 2 3')
    stage.clock.advance(3 * HOUR)
    await say(county, '复 2 今晚恢复')
    stage.clock.advance(HOUR)
    await say(county, '结 2')
    await say(secretary, '升 3')
    stage.clock.advance(5 * HOUR)
    await say(city, '复 3 市里派车送水')
    await say(secretary, '结 3')
    const paths = ['/']
    const figures = await officeFigures(stage.rt.db, paths, {
      over: new Date(0),
      since: new Date(stage.clock.now().getTime() - 24 * HOUR),
    })
    const of = (name: string) => figures.find(each => each.officeName === name)
    // the county: lapsed after 2 hours, answered after 3; ended after 4
    expect(of('榆阳区')).toMatchObject({ lapsed: 1, ended: 1, toEnd: 4, unsolved: 0 })
    expect(of('榆阳区')?.toAnswer).toBeCloseTo(2.5, 1)
    // the city: one answered at once, which is open still, the other after 5 hours
    expect(of('榆林市')).toMatchObject({ lapsed: 0, ended: 1, toEnd: 5, unsolved: 1 })
    expect(of('榆林市')?.toAnswer).toBeCloseTo(2.5, 1)
  })

  test('a robot that cannot tell the group: the owner is asked to, and the office sees it', async () => {
    const { number } = await claimGroup(stage, secretary, '榆阳区第一团支部', '团支部群')
    await rows(
      stage,
      `insert into group_members (group_id, person_id, joined_at)
       select ${number}, id, now() from persons where name like '阿依古丽%'`,
    )
    await say(volunteer, '上报 困难 宿舍没有电')
    await say(volunteer, '告知群')
    await say(volunteer, '确认')
    // nobody owns it now: its robot tells it, which was removed meanwhile
    await rows(
      stage,
      `update groups set owner_id = null, webhook_sealed = '${stage.rt.vault.seal('gone')}' where id = ${number}`,
    )
    expect(await say(county, '复 1 告知群 今晚恢复')).toContain('请人转告群里')
    await rows(
      stage,
      `update groups set owner_id = (select id from persons where name = '周支书') where id = ${number}`,
    )
    const asked = newsFor(stage, secretary)
    const officer = newsFor(stage, county)
    await settle()
    expect(asked().join('\n')).toContain('【答复】有同志反映的问题，榆阳区答复：今晚恢复')
    expect(officer().join('\n')).toContain('答复没有发进“榆阳区第一团支部”，已改请群主转发')
    const page = await signIn(stage, '赵县办')
    expect((await page.get('/console/slips/1')).text).toContain('没有发进群，已改请群主转发')
  })

  test('pictures sent to the bot belong to the slip that is written, or was sent within a quarter of an hour', async () => {
    await say(volunteer, '上报 困难')
    const [held] = await stage.sim.sendImage(volunteer.id)
    expect(held?.text).toContain('图片收下了（第 1 张）')
    expect(held?.text).toContain('请把事情写在一条消息里')
    expect(await say(volunteer, '宿舍没有热水')).toContain('附 1 张图片')
    await say(volunteer, '确认')
    const news = newsFor(stage, county)
    await fetchPictures(stage.rt)
    await settle()
    expect(news().join('\n')).toContain('现有 1 张图片')
    stage.clock.advance(14 * 60_000)
    expect((await stage.sim.sendImage(volunteer.id))[0]?.text).toContain('放进上报 1')
    stage.clock.advance(2 * 60_000)
    expect((await stage.sim.sendImage(volunteer.id))[0]?.text).not.toContain('上报 1')
    await fetchPictures(stage.rt)
    expect(await rows(stage, 'select slip_id::int, mime, size from slip_files')).toEqual([
      { slip_id: 1, mime: 'image/png', size: expect.any(Number) },
      { slip_id: 1, mime: 'image/png', size: expect.any(Number) },
    ])
    const address = '/console/slips/1/pictures/1'
    expect((await (await signIn(stage, '赵县办')).get(address)).headers.get('content-type')).toBe('image/png')
    for (const other of ['刘市办', '周支书'])
      expect((await (await signIn(stage, other)).get(address)).status).toBe(404)
    // what only looks like one is not kept, and its sender hears of it
    await rows(
      stage,
      `insert into awaited_pictures (kind, slip_id, sent_by, channel, place_sealed, uploaded_by, next_attempt_at, created_at)
      select 'slip', 1, 999, 'wecom', '${stage.rt.vault.seal('no-such-media')}', reporter_id, now(), now() from slips`,
    )
    const own = newsFor(stage, volunteer)
    stage.clock.set(new Date('2030-01-01T09:00:00+08:00'))
    await fetchPictures(stage.rt)
    await settle()
    expect(own().join('\n')).toContain('上报 1 的图片没有存下来')
  })

  test('what was stopped in error is decided by those who would read it, and is stopped no more', async () => {
    const words = STOPPED_SLIP
    await say(volunteer, '上报 信息')
    const stopped = await say(volunteer, words)
    expect(stopped).toContain('涉密或内部内容')
    expect(stopped).toContain('不是这样的话请回：误报（会请榆阳区的赵县办、孙县办看原话，别人看不到）')
    const news = newsFor(stage, county)
    expect(await say(volunteer, '误报')).toContain('已请榆阳区的赵县办、孙县办看是不是误报（1 号）')
    await settle()
    expect(news().join('\n')).toContain('【请看是不是误报 1】')
    expect(news().join('\n')).not.toContain(words)
    const page = await signIn(stage, '赵县办')
    expect((await page.get('/console/false-alarms')).text).toContain('1 号')
    expect((await page.get('/console/false-alarms/1')).text).toContain(words)
    expect((await (await signIn(stage, '刘市办')).get('/console/false-alarms/1')).status).toBe(404)
    expect(await say(city, '是误报 1')).toContain('没有编号是 1')
    const own = newsFor(stage, volunteer)
    expect(await say(county, '是误报 1')).toContain('一样的话不再拦')
    await settle()
    expect(own().join('\n')).toContain('赵县办看过：是误报')
    // spaces and signs make no other text of it; another one is stopped as before
    expect(await say(volunteer, `${words}。`)).toContain('送出请回“确认”')
    expect(await say(volunteer, '确认')).toContain('已送到榆阳区')
    expect(await say(volunteer, `上报 信息 ${words}绝密`)).toContain('涉密或内部内容')
    // whose text was stopped rightly loses it
    await say(volunteer, '误报')
    expect(await say(county, '不是误报 2')).toContain('原话不再保存')
    expect(
      await rows(stage, `select verdict, text_sealed = '' as gone from alert_verdicts order by id`),
    ).toEqual([
      { verdict: 'false', gone: false },
      { verdict: 'right', gone: true },
    ])
    expect(await say(volunteer, `上报 信息 ${words}绝密`)).toContain('涉密或内部内容')
    expect(await say(volunteer, '误报')).toContain('不是误报')
    // of a hardship no text stays, and a complaint is shown to nobody before it is known who reads it
    await say(volunteer, '上报 困难')
    await say(volunteer, `${words}，我很为难`)
    expect(await say(volunteer, '误报')).toContain('3 号')
    await say(county, '是误报 3')
    expect(await rows(stage, `select text_sealed = '' as gone from alert_verdicts where id = 3`)).toEqual([
      { gone: true },
    ])
    await say(volunteer, '取消')
    const early = await say(volunteer, `上报 投诉 ${words}，没人管`)
    expect(early).toContain('请只发“上报”')
    expect(await say(volunteer, '误报')).not.toContain('已请')
    const lines: string[] = []
    expect(await exportVerdicts(stage.rt, line => void lines.push(line))).toBe(1)
    expect(JSON.parse(lines[0] ?? '')).toEqual({ alert: 'secret', text: words, verdict: 'false' })
  })

  test('the group hears an answer only where its reporter agreed; an erased one leaves what was merged into it standing', async () => {
    const { number } = await claimGroup(stage, secretary, '榆阳区第一团支部', '团支部群')
    await rows(
      stage,
      `insert into group_members (group_id, person_id, joined_at)
       select ${number}, id, now() from persons where name like '阿依古丽%'`,
    )
    await sendUp(volunteer, '困难 宿舍没有水')
    expect(await say(county, '复 1 告知群 今晚恢复')).toContain('本人没有同意')
    expect(await say(volunteer, '上报 困难 宿舍也没有电')).toContain('请回：告知群')
    expect(await say(volunteer, '告知群')).toContain('答复时可以转告群里')
    await say(volunteer, '确认')
    const news = newsFor(stage, secretary)
    expect(await say(county, '复 2 告知群 今晚恢复')).toContain('请人转告群里')
    await settle()
    expect(news().join('\n')).toContain('【答复】有同志反映的问题，榆阳区答复：今晚恢复')
    await sendUp(secretary, '困难 支部宿舍停水三天')
    await say(county, '并 1 3')
    const [person] = await rows(stage, "select id from persons where name like '阿依古丽%'")
    await erase(stage.rt, [Number(person?.id)], { why: 'office', byId: null })
    expect(await slip(1)).toMatchObject({ status: 'closed', has_due: false })
    expect(await slip(3)).toMatchObject({ status: 'open', merged_into: null, has_due: true })
  })
})
