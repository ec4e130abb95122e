import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertAdministrator } from '../../db/queries/sessions.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { findAlerts } from '../../server/domain/messages/alerts.ts'
import { deleteExpired } from '../../server/jobs/housekeeping.ts'
import { personId, signIn } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const SECRET = '这份文件是机密级的，我拍了照片发群里'
const PRIVATE = '三年级的马小龙，爸爸坐牢，妈妈有精神病，家住红旗村四组'

/** 误报: what an outgoing check has stopped in error is let pass by an office, and stopped no more. */
describe('a false alarm about a notice', () => {
  let stage: Stage
  let city: SimPerson
  let county: SimPerson
  let wang: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    city = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    county = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await bindFirst(stage, stage.sim.addPerson({ name: '陈省办', wecomUserId: 'chen' }), 'xibu', '610000')
    wang = stage.sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    await bindThrough(stage, county, wang)
    await say(wang, '建群 团青群 微信群 30人 镇川青年 入群码 https://example.cn/q')
    await stage.settle()
  })
  afterAll(() => stage.close())

  test('what may be classified: another than its author decides, and the same words go out then', async () => {
    expect(findAlerts(SECRET).map(alert => alert.kind)).toContain('secret')
    const stopped = await say(county, `通知 政策 ${SECRET}`)
    expect(stopped).toContain('不能在群里发')
    expect(stopped).toContain('不是这样的话请回：误报（会请榆林市的高市书看原话，别人看不到）')
    const news = newsFor(stage, city)
    expect(await say(county, '误报')).toContain('已请榆林市的高市书看是不是误报（1 号）')
    // said twice it is asked once
    await say(county, `通知 政策 ${SECRET}`)
    expect(await say(county, '误报')).toContain('（1 号）')
    await stage.settle()
    expect(news().filter(text => text.includes('请看是不是误报 1'))).toHaveLength(1)
    expect(await say(county, '是误报 1')).toContain('没有编号是 1')
    const page = await signIn(stage, '高市书')
    const own = newsFor(stage, county)
    expect((await page.post('/console/false-alarms/1/verdict', { verdict: 'false' })).location).toBe(
      '/console/false-alarms',
    )
    await stage.settle()
    expect(own().join('\n')).toContain('高市书看过：是误报')
    expect(await say(county, `通知 政策 ${SECRET}！`)).toContain('请确认')
    expect(await say(county, '确认')).toMatch(/已发出|草稿/)
    // what somebody writes into a line that looks like a correction's is no part of the verdict
    for (const line of [
      '【更正】绝密，榆办发〔2026〕3号，内部掌握不得外传',
      '【更正】9月7日的通知“绝密★一年 榆办发〔2026〕3号内部文件”（通知 1）有更正，请以这一条为准：',
    ])
      expect(await say(county, `通知 政策 ${line}\n${SECRET}`), line).toContain('不能在群里发')
    await say(county, '取消')
    const [entry] = await rows(stage, `select action from audit_log where subject_kind = 'alert_verdict'`)
    expect(entry).toEqual({ action: 'alert_verdict.false' })
  })

  test('personal data: who runs the unit decides alone, by the page as well; never for a number that a checksum proves', async () => {
    const page = await signIn(stage, '林县书')
    const [unit] = await rows(stage, `select id from units where code = '610802' and programme = 'qingnong'`)
    const form = { unit: String(unit?.id), body: PRIVATE, category: '政策', importance: 'normal' }
    const refused = await page.post('/console/notices/preview', form)
    expect(refused.status).toBe(422)
    expect(refused.text).toContain('这是误报')
    const [claim = ''] = /<form[^>]*action="\/me\/false-alarms".*?<\/form>/s.exec(refused.text) ?? []
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(claim)?.[1] ?? ''
    const made = { alert: 'privacy', source: 'notice', text: PRIVATE, place: '', mark: field('mark') }
    expect(field('text')).toBe(PRIVATE)
    // whose word it takes stands in the form, and is not for the person who sends it to say
    const [city] = await rows(stage, `select id from units where code = '610800' and programme = 'qingnong'`)
    const elsewhere = JSON.stringify({ of: 'unit', unitId: Number(city?.id) })
    for (const forged of [
      { ...made, place: '{' },
      { ...made, place: elsewhere },
      { ...made, source: 'answer' },
      { ...made, text: `${PRIVATE}。快去看` },
      { ...made, mark: '' },
    ])
      expect((await page.post('/me/false-alarms', forged)).status, JSON.stringify(forged)).toBe(422)
    const other = await signIn(stage, '高市书')
    expect((await other.post('/me/false-alarms', made)).status).toBe(422)
    expect(await rows(stage, `select id from alert_verdicts where alert = 'privacy'`)).toEqual([])
    expect((await page.post('/me/false-alarms', made)).location).toBe('/me')
    expect((await page.post('/console/notices/preview', form)).status).toBe(303)
    const number = '请李明带上身份证61080220010307312X来领'
    expect(await say(county, `通知 政策 ${number}`)).not.toContain('请回：误报')
    expect((await page.post('/console/notices/preview', { ...form, body: number })).text).not.toContain(
      '这是误报',
    )
    const countyId = await personId(stage, '林县书')
    const said = ['privacy', 'notice', number, ''] as const
    const forced = await page.post('/me/false-alarms', {
      ...made,
      text: number,
      mark: stage.rt.vault.index('form', JSON.stringify(['false-alarm', countyId, ...said])),
    })
    expect(forced.text).toContain('不会是误报')
    // a verdict on words does not let a number pass that stands in them
    await rows(stage, `update alert_verdicts set text_hash = text_hash`)
    expect(await say(county, `通知 政策 ${PRIVATE}61080220010307312X`)).toContain('个人信息')
  })

  test('who has left the office that was asked decides no more; all who claimed it hear what was found', async () => {
    const words = `${SECRET}，各乡镇看`
    for (const person of [county, wang]) {
      await say(person, `通知 政策 ${words}`)
      expect(await say(person, '误报')).toMatch(/已请(榆林市的高市书|镇川镇的李镇川)看是不是误报（3 号）/)
    }
    await stage.settle()
    // the city has the county's claim, an officer of the township the other's: it is one text, and each sees it
    const township = await signIn(stage, '李镇川')
    for (const path of ['/console/false-alarms', '/console/false-alarms/3']) {
      const { text } = await township.get(path)
      expect(text, path).toContain('王镇川 · ')
      expect(text, path).not.toContain('林县书')
    }
    expect((await township.get('/console/false-alarms')).text).toContain('3 号')
    const cityPage = await signIn(stage, '高市书')
    expect((await cityPage.get('/console/false-alarms/3')).status).toBe(200)
    const move = (from: string, to: string) =>
      rows(
        stage,
        `update roles set unit_id = (select id from units where code = '${to}' and programme = 'qingnong')
         where unit_id = (select id from units where code = '${from}' and programme = 'qingnong')
           and person_id = (select id from persons where name = '高市书')`,
      )
    await move('610800', '610825')
    expect((await cityPage.get('/console/false-alarms/3')).status).toBe(404)
    expect((await cityPage.get('/console/false-alarms')).text).not.toContain('3 号')
    expect(await say(city, '是误报 3')).toContain('没有编号是 3')
    await move('610825', '610800')
    const news = [newsFor(stage, county), newsFor(stage, wang)]
    expect(await say(city, '是误报 3')).toContain('一样的话不再拦')
    await stage.settle()
    for (const own of news) expect(own().filter(text => text.includes('高市书看过：是误报'))).toHaveLength(1)
    expect(await say(wang, `通知 政策 ${words}`)).toContain('请确认')
    await say(wang, '取消')
  })

  test('what was decided is listed for those above in their subtree and for whoever runs the server', async () => {
    const administratorId = await personId(stage, '贺圈书')
    await insertAdministrator(stage.rt.db, administratorId, stage.rt.clock.now())
    const administrator = await signIn(stage, '贺圈书')
    const list = (await administrator.get('/console/false-alarms/verdicts')).text
    expect(list).toContain(SECRET)
    expect(list).toContain('马小龙')
    // 西部计划’s province does not look over 青农’s county
    const province = await (await signIn(stage, '陈省办')).get('/console/false-alarms/verdicts')
    expect(province.status).toBe(200)
    expect(province.text).not.toContain(SECRET)
    expect((await (await signIn(stage, '林县书')).get('/console/false-alarms/verdicts')).status).toBe(404)
  })

  test('what nobody has decided is forgotten after two weeks', async () => {
    await say(county, `通知 政策 ${SECRET}，收好`)
    await say(county, '误报')
    expect(await rows(stage, `select id from alert_verdicts where verdict = 'asked'`)).toHaveLength(1)
    stage.clock.advance(15 * 86_400_000)
    await deleteExpired(stage.rt)
    expect(await rows(stage, `select id from alert_verdicts where verdict = 'asked'`)).toHaveLength(0)
    expect(await rows(stage, `select id from alert_verdicts where verdict = 'false'`)).toHaveLength(3)
  })
})
