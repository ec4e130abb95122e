import exceljs from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unitByCode } from '../../db/queries/units.ts'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { shanghaiMoment } from '../../server/clock.ts'
import { remindOfForms } from '../../server/domain/forms/remind.ts'
import { type Answer, signIn, type Visitor } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, newsFor, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const plain = ({ text }: Answer) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

describe('the plan sheet, the statistics sheet, and how forms are sent', () => {
  let stage: Stage
  let city: Visitor
  let county: Visitor
  let other: Visitor
  let township: Visitor
  let lin: SimPerson
  let ding: SimPerson
  const id: Record<string, number> = {}

  async function xlsx(visitor: Visitor, path: string): Promise<exceljs.Worksheet> {
    const response = await fetch(`${stage.serverUrl}${path}`, { headers: { cookie: visitor.cookie } })
    expect(response.status).toBe(200)
    const workbook = new exceljs.Workbook()
    await workbook.xlsx.load(await response.arrayBuffer())
    return workbook.worksheets[0] as exceljs.Worksheet
  }
  const merges = (sheet: exceljs.Worksheet) => (sheet.model as unknown as { merges: string[] }).merges
  const textOf = (sheet: exceljs.Worksheet) => JSON.stringify(sheet.getSheetValues())
  const audited = (action: string) =>
    rows<{ who: string; details: Record<string, unknown> }>(
      stage,
      `select p.name as who, a.details from audit_log a join persons p on p.id = a.actor_id where a.action = '${action}' order by a.id`,
    )

  /** Nobody stays signed in for weeks. */
  async function signInAll(): Promise<void> {
    city = await signIn(stage, '高市书')
    county = await signIn(stage, '林县书')
    other = await signIn(stage, '丁县书')
    township = await signIn(stage, '王镇川')
  }

  beforeAll(async () => {
    stage = await openStage({ start: '2026-08-10T09:00:00+08:00' })
    await fillMatrix(stage)
    const gao = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    ding = stage.sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    await bindThrough(stage, gao, lin)
    await bindThrough(stage, gao, ding)
    for (const code of ['610800', '610802', '610825', '610802101'])
      id[code] = (await unitByCode(stage.rt.db, 'qingnong', code))?.id as number
    await signInAll()
  })
  afterAll(() => stage.close())

  const plan = {
    account: 'subscription',
    accountName: '青农榆阳',
    lead: '林县书',
    contact: '张管理 139 0000 0099',
    countyYouthGroups: '3',
    countyCadreGroups: '1',
    townshipYouthGroups: '20',
    townshipCadreGroups: '2',
    directGroups: '',
    villageGroups: '40',
  }

  test('a plan is filled in; the sheet prints the twelve fields in order, blanks for what was not said', async () => {
    const path = `/console/plans/${id['610802']}/2026`
    expect(plain(await county.get(path))).toContain('还没有填')
    const saved = await county.post(path, plan)
    expect(saved.location).toBe(`/console/forms/plan-sheet/${id['610802']}/2026`)
    const sheet = await xlsx(county, `/console/forms/plan-sheet/${id['610802']}/2026/xlsx`)
    const fields = Array.from({ length: 12 }, (_, at) => [
      sheet.getCell(4 + at, 1).value,
      sheet.getCell(4 + at, 3).value,
    ])
    expect(fields).toEqual([
      ['县区名称', '榆阳区'],
      ['是否开通订阅号/服务号', '是（订阅号）'],
      ['拟开通订阅号/服务号名称', '青农榆阳'],
      ['区县微信负责人', '林县书'],
      ['管理员姓名及联系方式', '张管理 139 0000 0099'],
      ['拟建区县直属团青微信群数量', 3],
      ['拟建区县直属青农微信群数量', 1],
      ['现有乡镇数量', 2],
      ['拟建乡镇级团青微信群数量', 20],
      ['拟建乡镇级青农微信群数量', 2],
      ['拟建直属团组织微信群数量', null],
      ['拟建村级团组织微信群数量', 40],
    ])
    const [counted] = await rows<{ count: number }>(
      stage,
      `select count(*)::int from units where parent_id = ${id['610802']} and kind = 'township-committee'`,
    )
    expect(counted?.count).toBe(fields[7]?.[1])
    expect(sheet.getCell('A1').value).toBe('附件1')
    expect(sheet.getCell('A2').value).toBe('县乡两级微信体系建设计划表')
    expect([1, 2, 3, 4].map(column => sheet.getCell(3, column).value)).toEqual([
      '县区：榆阳区',
      '填报时间：2026年8月10日',
      '填表人：林县书',
      '联系方式：13900000002',
    ])
    expect(textOf(sheet)).toContain('填表单位（盖章）')
    expect(merges(sheet)).toEqual(expect.arrayContaining(['A1:D1', 'A2:D2', 'A4:B4', 'C4:D4', 'A15:B15']))
    expect(sheet.pageSetup).toMatchObject({ paperSize: 9, orientation: 'landscape', fitToWidth: 1 })
    expect([1, 2, 3, 4].map(column => sheet.getColumn(column).width)).toEqual([34, 26, 26, 34])
    expect(sheet.getCell('C8').border.top?.style).toBe('thin')
  })

  test('the page is the same sheet with the numbers hidden; the file is noted', async () => {
    const page = await county.get(`/console/forms/plan-sheet/${id['610802']}/2026`)
    expect(plain(page)).toContain('张管理 139 **** 0099')
    expect(page.text).not.toContain('0000 0099')
    expect(page.text).toContain(`<a href="/console/units/${id['610802']}">2</a>`)
    expect((await audited('sheet.exported')).at(-1)).toMatchObject({
      who: '林县书',
      details: { form: 'plan-sheet', period: '2026', layoutVersion: 1 },
    })
    const [kept] = await rows<{ fields: Record<string, unknown>; contact_sealed: string }>(
      stage,
      'select fields, contact_sealed from unit_plans where replaced_at is null',
    )
    expect(kept?.fields).toEqual({
      account: 'subscription',
      accountName: '青农榆阳',
      lead: '林县书',
      countyYouthGroups: 3,
      countyCadreGroups: 1,
      townshipYouthGroups: 20,
      townshipCadreGroups: 2,
      villageGroups: 40,
    })
    expect(kept?.contact_sealed).not.toContain('0099')
  })

  test('the same again is no change, another word replaces it, a wrong one keeps what was typed', async () => {
    const path = `/console/plans/${id['610802']}/2026`
    await county.post(path, plan)
    expect(await audited('unit_plan.written')).toHaveLength(1)
    const wrong = await county.post(path, { ...plan, villageGroups: '四十', lead: '新负责人' })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('value="四十"')
    expect(wrong.text).toContain('value="新负责人"')
    await county.post(path, { ...plan, villageGroups: '41' })
    expect((await audited('unit_plan.written')).at(-1)?.details).toEqual({ year: 2026, isChange: true })
    const all = await rows(stage, 'select id from unit_plans')
    expect(all).toHaveLength(2)
    // of a name that breaks the rule, a flag and no block
    await county.post(path, { ...plan, accountName: '榆阳青年' })
    expect(plain(await county.get(path))).toContain('名称“榆阳青年”不合命名规则')
    expect(textOf(await xlsx(county, `/console/forms/plan-sheet/${id['610802']}/2026/xlsx`))).toContain(
      '“榆阳青年”不合命名规则',
    )
    await county.post(path, plan)
  })

  test('next year’s begins with this year’s', async () => {
    const next = await county.get(`/console/plans/${id['610802']}/2027`)
    expect(plain(next)).toContain('下面先放了 2026年的计划')
    expect(next.text).toContain('value="青农榆阳"')
    expect((await county.post(`/console/plans/${id['610802']}/2029`, plan)).status).toBe(422)
  })

  test('accounts are kept by the county, one row each on the city’s sheet, blank for a county without one', async () => {
    const account = {
      unit: String(id['610802']),
      name: '青农榆阳',
      kind: 'subscription',
      managerName: '张管理',
      phone: '139 0000 0099',
      wechat: 'zhang_guanli',
      qq: '10001000',
    }
    for (const [wrong, word] of [
      [{ phone: '1390' }, '联系电话'],
      [{ qq: 'qq' }, 'QQ 号是'],
      [{ wechat: '张 管' }, '微信号只有'],
      [{ name: ' ' }, '名称和管理员'],
    ] as const) {
      const answer = await county.post('/console/accounts', { ...account, ...wrong })
      expect(answer.status).toBe(422)
      expect(plain(answer)).toContain(word)
      expect(answer.text).toContain('value="张管理"')
    }
    expect((await county.post('/console/accounts', account)).status).toBe(303)
    await county.post('/console/accounts', { ...account, name: '榆阳青年服务', kind: 'service', qq: '' })
    const sheet = await xlsx(city, `/console/forms/account-sheet/${id['610800']}/2026/xlsx`)
    const line = (row: number) => [1, 2, 3, 4, 5, 6].map(column => sheet.getCell(row, column).value)
    expect(line(4)).toEqual([
      '县区名称',
      '微信公众号',
      '管理员姓名',
      '联系电话',
      '管理员微信号',
      '管理员QQ号',
    ])
    expect(line(5)).toEqual(['榆阳区', '青农榆阳', '张管理', '13900000099', 'zhang_guanli', '10001000'])
    expect(line(6)).toEqual(['榆阳区', '榆阳青年服务', '张管理', '13900000099', 'zhang_guanli', null])
    expect(line(7)).toEqual(['定边县', null, null, null, null, null])
    expect(merges(sheet)).toContain('A5:A6')
    expect(sheet.pageSetup).toMatchObject({ orientation: 'landscape', printTitlesRow: '4:4' })
    expect(textOf(sheet)).toContain('榆阳青年服务。')
    expect(textOf(sheet)).toContain('1个县区还没有开通公共号')
    const page = await city.get(`/console/forms/account-sheet/${id['610800']}/2026`)
    expect(plain(page)).toContain('139****0099 zh*********i 10****00')
    expect(page.text).not.toContain('zhang_guanli')
    const list = plain(await county.get('/console/accounts'))
    expect(list).toContain('名称不合规则')
    expect(list).not.toContain('定边县')
    const secrets = JSON.stringify(await rows(stage, 'select * from unit_accounts'))
    for (const secret of ['13900000099', 'zhang_guanli', '10001000']) expect(secrets).not.toContain(secret)
  })

  test('a change keeps the numbers of the same keeper, and forgets those of another', async () => {
    const of = async (name: string) =>
      (
        await rows<{ id: number }>(
          stage,
          `select id::int from unit_accounts where name = '${name}' and ended_at is null`,
        )
      )[0]?.id
    const change = { kind: 'service', phone: '', wechat: '', qq: '' }
    stage.clock.advance(60_000)
    const first = await of('榆阳青年服务')
    await county.post(`/console/accounts/${first}`, {
      ...change,
      name: '青农榆阳服务',
      managerName: '张管理',
    })
    const sheet = async () => xlsx(county, `/console/forms/account-sheet/${id['610802']}/2026/xlsx`)
    expect((await sheet()).getCell('D6').value).toBe('13900000099')
    // the page that somebody left open
    expect((await county.get(`/console/accounts/${first}`)).status).toBe(404)
    stage.clock.advance(60_000)
    await county.post(`/console/accounts/${await of('青农榆阳服务')}`, {
      ...change,
      name: '青农榆阳服务',
      managerName: '李管理',
    })
    const now = await sheet()
    expect([3, 4, 5].map(column => now.getCell(6, column).value)).toEqual(['李管理', null, null])
    stage.clock.advance(60_000)
    await county.post(`/console/accounts/${await of('青农榆阳服务')}/end`)
    expect(textOf(await sheet())).not.toContain('李管理')
    expect((await audited('unit_account.ended')).at(-1)?.details).toEqual({ name: '青农榆阳服务' })
  })

  test('what is another county’s is not there, nor for who runs no county', async () => {
    const [account] = await rows<{ id: number }>(
      stage,
      'select id::int from unit_accounts where ended_at is null limit 1',
    )
    for (const visitor of [other, township]) {
      expect((await visitor.get(`/console/plans/${id['610802']}/2026`)).status).toBe(404)
      expect((await visitor.post(`/console/plans/${id['610802']}/2026`, plan)).status).toBe(404)
      expect((await visitor.get(`/console/accounts/${account?.id}`)).status).toBe(404)
      expect((await visitor.post(`/console/accounts/${account?.id}/end`)).status).toBe(404)
      expect((await visitor.get(`/console/accounts?unit=${id['610802']}`)).status).toBe(404)
      expect((await visitor.get(`/console/forms?form=plan-sheet&unit=${id['610802']}`)).text).not.toContain(
        '张管理',
      )
      for (const path of ['', '/xlsx'])
        expect((await visitor.get(`/console/forms/plan-sheet/${id['610802']}/2026${path}`)).status).toBe(404)
      expect((await visitor.post(`/console/forms/plan-sheet/${id['610802']}/2026/send`)).status).toBe(404)
    }
    expect(
      (
        await other.post('/console/accounts', {
          unit: String(id['610802']),
          name: '青农榆阳',
          kind: 'service',
          managerName: '丁',
        })
      ).status,
    ).not.toBe(303)
    expect(plain(await township.get(`/console/plans/${id['610802101']}/2026`))).toContain('由县区团委填报')
    expect(plain(await township.get('/console/accounts'))).toContain('您名下没有')
    expect(await rows(stage, 'select id from form_returns')).toEqual([])
  })

  test('who runs a county is reminded 7 days and 1 day before and on the day, once each, all forms in one message', async () => {
    const news = [newsFor(stage, lin), newsFor(stage, ding)] as const
    const on = async (day: string) => {
      stage.clock.set(shanghaiMoment(day, '09:20'))
      const count = await remindOfForms(stage.rt)
      await remindOfForms(stage.rt)
      await stage.settle()
      return [count, ...news.map(read => read().join('\n'))] as const
    }
    const before = await on('2026-08-12')
    expect(before.slice(1)).toEqual(['', ''])
    const [, toLin, toDing] = await on('2026-08-13')
    expect(toLin).toMatch(/^【报表】[\s\S]*建设计划表 2026年（榆阳区），8月20日截止[\s\S]*报送 报表名/)
    expect(toDing).toContain('（定边县）')
    expect((await on('2026-08-14')).slice(1)).toEqual(['', ''])
    // 榆阳区 sends; only 定边县 is reminded from now on
    await county.post(`/console/forms/plan-sheet/${id['610802']}/2026/send`)
    const [, linOn19 = '', dingOn19 = ''] = await on('2026-08-19')
    expect([linOn19, dingOn19.includes('8月20日截止')]).toEqual(['', true])
    expect((await on('2026-08-20'))[2]).toContain('今天截止')
    expect((await on('2026-08-21')).slice(1)).toEqual(['', ''])
  })

  test('sent once is once; another word replaces it and makes nobody late; the level above sees who is', async () => {
    await signInAll()
    const path = `/console/forms/plan-sheet/${id['610802']}/2026`
    const sent = () =>
      rows<{ hash: string; due_on: string; replaced: boolean }>(
        stage,
        'select hash, due_on::text, replaced_at is not null as replaced from form_returns order by id',
      )
    expect(await sent()).toEqual([
      { hash: expect.stringMatching(/^[0-9a-f]{64}$/), due_on: '2026-08-20', replaced: false },
    ])
    await county.post(`${path}/send`)
    // the day of filling in is on the sheet, so that this is another one
    expect(await sent()).toHaveLength(2)
    await county.post(`${path}/send`)
    expect((await sent()).map(each => each.replaced)).toEqual([true, false])
    expect(plain(await county.get(path))).toMatch(/已报 今天 09:20 由林县书报送（共报 2 次，以这次为准）/)
    expect(await audited('form.sent')).toMatchObject([
      { details: { form: 'plan-sheet', period: '2026', isReplaced: false } },
      { details: { isReplaced: true } },
    ])
    const row = async () =>
      /建设计划表 榆林团市委 2014 附件1 2026年 [^各]*/.exec(plain(await city.get('/console/forms')))?.[0]
    expect(await row()).toContain('2026年8月20日 已过期 2 1 1 50% 50%')
    const list = '/console/forms?form=plan-sheet&period=2026'
    expect(plain(await city.get(list))).toMatch(/榆阳区 榆林市 已报 今天 .*定边县 榆林市 没有报，过了 1 天/)
    const missing = plain(await city.get(`${list}&missing=1`))
    expect(missing).toContain('定边县')
    expect(missing).not.toMatch(/榆阳区 榆林市/)
    // the city may send for the county: late, and said so
    const late = await city.post(`/console/forms/plan-sheet/${id['610825']}/2026/send`)
    expect(late.status).toBe(303)
    expect(await row()).toContain('2026年8月20日 2 2 1 100% 50%')
    expect(plain(await city.get(list))).toMatch(/定边县 榆林市 迟报/)
    // both at once: one return stands
    await Promise.all([1, 2, 3].map(() => city.post(`/console/forms/plan-sheet/${id['610825']}/2026/send`)))
    const standing = await rows(
      stage,
      `select id from form_returns where unit_id = ${id['610825']} and replaced_at is null`,
    )
    expect(standing).toHaveLength(1)
  })

  test('a sheet of a year that is over stays as it was; one of a year to come is not there yet', async () => {
    stage.clock.set(shanghaiMoment('2027-02-01', '10:00'))
    await signInAll()
    const [account] = await rows<{ id: number }>(
      stage,
      'select id::int from unit_accounts where ended_at is null limit 1',
    )
    await city.post(`/console/accounts/${account?.id}/end`)
    const of = (year: number) => xlsx(city, `/console/forms/account-sheet/${id['610800']}/${year}/xlsx`)
    expect((await of(2026)).getCell('B5').value).toBe('青农榆阳')
    expect((await of(2027)).getCell('B5').value).toBeNull()
    expect((await of(2025)).getCell('B5').value).toBeNull()
    expect(plain(await city.get(`/console/forms/account-sheet/${id['610800']}/2028`))).toContain('还没有到')
    // nobody is above the city
    expect(plain(await city.get(`/console/forms/account-sheet/${id['610800']}/2026`))).toContain(
      '不用再往上报送',
    )
    const refused = await city.post(`/console/forms/account-sheet/${id['610800']}/2026/send`)
    expect(refused.status).toBe(422)
    for (const bad of ['nope/1/2026', `plan-sheet/${id['610802']}/2026-08`, `plan-sheet/${id['610802']}/26`])
      expect((await city.get(`/console/forms/${bad}`)).status).toBe(404)
  })

  test('what confirms the figures of a form sends it along: nobody reports the same twice', async () => {
    stage.clock.set(shanghaiMoment('2027-03-03', '10:00'))
    await signInAll()
    const returns = (form: string) =>
      rows<{ code: string; period: string; due_on: string }>(
        stage,
        `select u.code, r.period, r.due_on::text from form_returns r join units u on u.id = r.unit_id where r.form = '${form}' and r.replaced_at is null`,
      )
    const office = await signIn(stage, '赵县办')
    const unit = (await unitByCode(stage.rt.db, 'xibu', '610802'))?.id
    const report = {
      unit: String(unit),
      period: '2027-02',
      onDuty: '3',
      left: '0',
      onLeave: '0',
      incidents: '0',
    }
    expect((await office.post('/console/duty-reports', report)).status).toBe(303)
    expect(await returns('bimonthly-report')).toEqual([
      { code: '610802', period: '2027-02', due_on: '2027-03-05' },
    ])
    expect(await stage.say(lin.id, '签报 2月')).toContain('签')
    expect(await returns('tracking-sheet')).toEqual([
      { code: '610802', period: '2027-02', due_on: '2027-03-07' },
    ])
  })

  test('in the chat: 报表 gives the file, 报送 sends it', async () => {
    expect(await stage.say(lin.id, '报表')).toMatch(
      /您要填报的报表：[\s\S]*建设计划表　榆阳区 2027年，2027-08-20 截止/,
    )
    const answer = await stage.say(lin.id, '报表 计划表 2026年')
    const link = /https?:\S+\/pages\/\S+/.exec(answer)?.[0] ?? ''
    expect(answer).toContain('榆阳区 2026年建设计划表，下载：')
    const response = await fetch(link.replace(/^https?:\/\/[^/]+/, stage.serverUrl))
    const workbook = new exceljs.Workbook()
    await workbook.xlsx.load(await response.arrayBuffer())
    expect(workbook.worksheets[0]?.getCell('A2').value).toBe('县乡两级微信体系建设计划表')
    expect(await stage.say(lin.id, '报送 公共号统计表')).toContain(
      '已报送榆阳区 2027年公共号统计表，上级现在看得到',
    )
    expect(await stage.say(lin.id, '报送 公共号统计表')).toContain('已经报过，数没有变')
    expect(await stage.say(lin.id, '报送 公共号统计表 去年')).toContain('算迟报')
    expect(await stage.say(lin.id, '报表 计划表 定边县')).toContain('您管的单位里没有')
    expect(await stage.say(lin.id, '报表 不存在')).toContain('没有认出是哪张报表')
  })

  test('in the chat: 计划 asks one thing at a time, says what it did not understand, and takes last year’s with a word', async () => {
    const say = (text: string) => stage.say(lin.id, text)
    expect(await say('计划')).toMatch(
      /榆阳区 2027年建设计划[\s\S]*2026年填的是：开订阅号“青农榆阳”，[\s\S]*请回“不变”/,
    )
    expect(await say('随便')).toContain('请回：订阅号、服务号、不开，或没定')
    expect(await say('服务号')).toContain('青农榆阳')
    expect(await say('榆阳青年')).toContain('请依次写六个数')
    expect(await say('1 2 3')).toContain('请写六个数')
    expect(await say('1 1 30 2 - 5')).toContain('负责人')
    expect(await say('林县书')).toContain('联系方式')
    const done = await say('李管理 13900000088')
    expect(done).toMatch(
      /已填报：榆阳区 2027年建设计划，开服务号“榆阳青年”，[\s\S]*不合命名规则[\s\S]*报送 建设计划表 2027年/,
    )
    expect(done).not.toContain('0088')
    const [kept] = await rows<{ fields: unknown; year: number }>(
      stage,
      'select fields, year from unit_plans order by id desc limit 1',
    )
    expect(kept).toEqual({
      year: 2027,
      fields: {
        account: 'service',
        accountName: '榆阳青年',
        lead: '林县书',
        countyYouthGroups: 1,
        countyCadreGroups: 1,
        townshipYouthGroups: 30,
        townshipCadreGroups: 2,
        villageGroups: 5,
      },
    })
    await say('计划 明年')
    expect(await say('不变')).toContain('已填报：榆阳区 2028年建设计划')
    await say('计划 明年')
    expect(await say('不变')).toContain('和已填的一样')
    expect(JSON.stringify(await rows(stage, 'select answers from conversations'))).not.toContain('0088')
  })
})
