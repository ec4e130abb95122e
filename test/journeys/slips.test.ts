import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { erase } from '../../server/domain/privacy/erase.ts'
import { raiseDueSlips, tellOverdueSlips } from '../../server/domain/slips/follow-time.ts'
import { signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, importCsv, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const HOUR = 3_600_000
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
    expect(await rows(stage, 'select id from slips')).toHaveLength(0)
    expect(await rows(stage, 'select * from conversations')).toHaveLength(0)
  })

  test('each week the level above hears how many wait, and nothing of what they say', async () => {
    await sendUp(volunteer, '做法 每周一次夜校')
    stage.clock.advance(8 * 24 * HOUR)
    const news = newsFor(stage, city)
    expect(await tellOverdueSlips(stage.rt)).toBe(1)
    await settle()
    expect(news().join('\n')).toContain('榆阳区：1 件，最久 8 天')
    expect(news().join('\n')).not.toContain('夜校')
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
    expect((await cityPage.get('/console/slips/2')).text).toContain('支部的电脑坏了')
    expect(await say(city, '复 2 我来修')).toContain('没有编号是 2 的上报')
  })

  test('an erased person’s words go with them', async () => {
    await sendUp(volunteer, '困难 想回家乡工作')
    const [person] = await rows(stage, "select id from persons where name like '阿依古丽%'")
    await erase(stage.rt, [Number(person?.id)], { why: 'office', byId: null })
    const page = await signIn(stage, '赵县办')
    expect((await page.get('/console/slips/1')).text).not.toContain('想回家乡')
  })
})
