import { sql } from 'drizzle-orm'
import exceljs from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billsOfRun } from '../../db/queries/pay-bills.ts'
import { itemsOf, ledgerSums, runById } from '../../db/queries/subsidies.ts'
import { lookAfterSubsidies } from '../../server/jobs/look-after-subsidies.ts'
import { payDueBills } from '../../server/jobs/pay-bills.ts'
import { signIn, type Visitor } from '../support/console.ts'
import { rows } from '../support/matrix.ts'
import { toMorning } from '../support/stage.ts'
import { openUniversity, type University } from '../support/university.ts'

const HOME = '/console/subsidies'
const IN_WECHAT = { 'user-agent': 'Mozilla/5.0 (iPhone) MicroMessenger/8.0.50' }

describe('the pages of the one-off subsidy', () => {
  let u: University
  let far: { personId: number; simId: string }
  let near: { personId: number; simId: string }
  let maker: Visitor
  let checker: Visitor
  let runId: number

  const db = () => u.stage.rt.db
  const run = () => `${HOME}/${runId}`
  const pay = async (ms = 0) => {
    u.stage.clock.advance(ms)
    await payDueBills(u.stage.rt)
    await u.stage.sim.pay.tick()
  }
  const billOf = async (personId: number) => {
    const found = (await billsOfRun(db(), runId)).find(each => each.personId === personId)
    if (!found) throw new Error('nobody is paid')
    return found.bill
  }
  const hashIn = (text: string) => /name="hash" value="([0-9a-f]{64})"/.exec(text)?.[1] ?? ''
  const make = async () => {
    const { location } = await maker.post(HOME, { way: 'wechat' })
    runId = Number(/(\d+)$/.exec(location ?? '')?.[1])
  }
  const passOn = async () => {
    expect((await maker.post(`${run()}/submit`)).status).toBe(303)
    const hash = hashIn((await checker.get(run())).text)
    expect((await checker.post(`${run()}/approve`, { hash })).status).toBe(303)
  }
  const sheetsOf = async (visitor: Visitor, path: string) => {
    const response = await fetch(`${u.stage.serverUrl}${path}`, { headers: { cookie: visitor.cookie } })
    expect(response.status).toBe(200)
    const workbook = new exceljs.Workbook()
    await workbook.xlsx.load(await response.arrayBuffer())
    return workbook.worksheets.map(sheet =>
      // a row without cells is a hole
      Array.from(sheet.getSheetValues(), row => (row as unknown[] | undefined)?.slice(1) ?? []),
    )
  }

  beforeAll(async () => {
    u = await openUniversity()
    far = await u.volunteer({ name: '张远' })
    near = await u.volunteer({ name: '王近', place: '山东' })
    await u.volunteer({ name: '吴号', isBound: false })
    await u.volunteer({ name: '钱迟到', extra: { 到岗日期: '2026-08-03' } })
    maker = await signIn(u.stage, u.maker.person.id)
    checker = await signIn(u.stage, u.checker.person.id)
  })
  afterAll(() => u.stage.close())

  test('say who is owed and why others are not, and take a budget in yuan', async () => {
    const { text } = await maker.get(HOME)
    expect(text).toContain('现在该发 3 人')
    expect(text).toContain('16,000.00 元')
    expect(text).toMatch(/钱迟到<\/td><td>到岗日期晚于服务开始日期/)
    const wrong = await maker.post(`${HOME}/budget`, { yuan: '二万元' })
    expect([wrong.status, wrong.text.includes('value="二万元"')]).toEqual([422, true])
    expect((await maker.post(`${HOME}/budget`, { yuan: '20,000.50' })).status).toBe(303)
    expect((await maker.get(HOME)).text).toContain('<b>20,000.50</b>')
  })

  test('stop with what is in the way, and let people be left out with a reason', async () => {
    await make()
    expect((await maker.get(run())).text).toContain('有 1 人没有绑定公众号，微信付不到：吴号')
    expect((await maker.post(`${run()}/submit`)).status).toBe(422)
    const item = (await itemsOf(db(), runId)).find(each => each.name === '吴号')
    const fields = { item: String(item?.id), deed: 'out' }
    expect((await maker.post(`${run()}/items`, { ...fields, reason: ' ' })).status).toBe(422)
    const tooLong = await maker.post(`${run()}/items`, { ...fields, reason: '长'.repeat(201) })
    expect([tooLong.status, tooLong.text.includes('长'.repeat(201))]).toEqual([422, true])
    expect((await maker.post(`${run()}/items`, { ...fields, reason: '另交银行' })).status).toBe(303)
    const { text } = await maker.get(run())
    expect(text).toContain('另交银行')
    expect(text).not.toContain('有 1 人没有绑定')
    expect(text).not.toMatch(/o-\d/)
  })

  test('move no money for one alone, an outsider, an edited list, or a request that is sent again', async () => {
    const otherId = Number(
      (
        await rows<{ id: string }>(
          u.stage,
          `with person as (insert into persons (name, name_key, sound_key, created_at)
             values ('外校书', '外校书', 'wai', now()) returning id),
           unit as (insert into units (programme, code, name, kind, level, parent_id, path, created_at)
             select 'xibu', 'other-university', '青岛大学校项目办', kind, level, parent_id, '/other/', now() from units where id = ${u.unitId} returning id),
           role as (insert into roles (person_id, unit_id, role, started_at)
             select person.id, unit.id, 'university-league-head', now() from person, unit)
           select id from person`,
        )
      )[0]?.id,
    )
    const other = await signIn(u.stage, otherId)
    const above = await signIn(u.stage, u.above.person.id)
    expect((await maker.post(`${run()}/submit`)).status).toBe(303)
    for (const stranger of [other, above])
      for (const path of [run(), `${run()}/xlsx`, `${run()}/bank.xlsx`])
        expect((await stranger.get(path)).status).toBe(404)
    expect((await above.get(HOME)).status).toBe(404)
    expect((await other.get(`${HOME}?unit=${u.unitId}`)).status).toBe(404)
    const hash = hashIn((await checker.get(run())).text)
    expect(hash).toBe((await runById(db(), runId))?.contentHash)
    expect((await maker.get(run())).text).not.toContain('name="hash"')
    expect((await maker.post(`${run()}/approve`, { hash })).status).toBe(422)
    for (const stranger of [other, above])
      expect((await stranger.post(`${run()}/approve`, { hash })).status).toBe(404)
    expect((await checker.post(`${run()}/approve`, {})).status).toBe(422)
    // the page is still open, and the office is not theirs any more
    const ended = (at: string) =>
      db().execute(sql.raw(`update roles set ended_at = ${at} where person_id = ${u.checker.person.id}`))
    await ended('now()')
    expect((await checker.post(`${run()}/approve`, { hash })).status).toBe(404)
    await ended('null')
    const change = (by: string) =>
      db().execute(
        sql.raw(`update subsidy_items set fen = fen ${by} 100 where run_id = ${runId} and name = '张远'`),
      )
    await change('+')
    expect((await checker.post(`${run()}/approve`, { hash })).status).toBe(422)
    // nor does the page of the edited list give what would let it pass
    const edited = hashIn((await checker.get(run())).text)
    expect((await checker.post(`${run()}/approve`, { hash: edited })).status).toBe(422)
    await change('-')
    expect((await checker.post(`${run()}/return`, { reason: '' })).status).toBe(422)
    expect((await checker.post(`${run()}/return`, { reason: '金额请再核' })).status).toBe(303)
    expect((await maker.get(run())).text).toContain('退回的原因：金额请再核')
    expect(await db().query.payBills.findMany()).toEqual([])
    expect((await maker.post(`${run()}/submit`)).status).toBe(303)
    const both = await Promise.all([
      checker.post(`${run()}/approve`, { hash }),
      checker.post(`${run()}/approve`, { hash }),
    ])
    expect(both.map(answer => answer.status).sort()).toEqual([303, 422])
    for (const path of ['submit', 'withdraw', 'way'])
      expect((await maker.post(`${run()}/${path}`, { way: 'bank' })).status).toBe(422)
    expect((await billsOfRun(db(), runId)).map(({ bill }) => bill.fen)).toEqual([600_000, 400_000])
    const told = await rows<{ person_id: string; n: number }>(
      u.stage,
      `select person_id, count(*)::int as n from outgoing_messages where purpose = 'review' group by person_id`,
    )
    // submitted twice to the checker; returned once and approved once to the maker
    expect(Object.fromEntries(told.map(row => [row.person_id, row.n]))).toEqual({
      [u.maker.person.id]: 2,
      [u.checker.person.id]: 2,
    })
  })

  test('let the receiver alone take what waits, inside WeChat', async () => {
    await pay()
    const own = await signIn(u.stage, far.personId)
    const another = await signIn(u.stage, near.personId)
    const path = `/me/payments/${(await billOf(far.personId)).id}`
    expect((await own.get('/pay')).location).toBe(path)
    expect((await another.get(path)).status).toBe(404)
    expect((await checker.get(path)).status).toBe(404)
    const outside = await own.get(path)
    expect(outside.text).toContain('请在微信里打开学校的公众号')
    expect(outside.text).not.toContain('data-package')
    expect(outside.headers.get('content-security-policy')).not.toContain('res.wx.qq.com')
    const inside = await own.get(path, IN_WECHAT)
    const { packageInfo } = u.stage.sim.pay.bill((await billOf(far.personId)).number)
    expect(inside.text).toContain(`data-package="${packageInfo}"`)
    expect(inside.text).toMatch(/data-signature="[0-9a-f]{40}"/)
    expect(inside.text).toContain('data-mch-id="1900000001"')
    expect(inside.headers.get('content-security-policy')).toContain(
      "script-src 'self' https://res.wx.qq.com;",
    )
    expect(await u.stage.say(far.simId, '补贴')).toContain('6,000.00 元，请在 24 小时内确认收款')
    await u.stage.sim.pay.confirm(far.simId, String(packageInfo))
    await u.stage.sim.pay.tick()
    const paid = await own.get(path, IN_WECHAT)
    expect(paid.text).toContain('这笔补贴已经收过了')
    expect(paid.text).not.toContain('data-package')
    expect((await own.get('/pay')).location).toBe('/me/payments')
    expect(await u.stage.say(far.simId, '补贴')).toContain('已经到账')
  })

  test('call a payment back, and say so to its receiver', async () => {
    const bill = await billOf(near.personId)
    expect((await maker.get(run())).text).toContain('待本人确认收款')
    await maker.post(`${HOME}/payments/${bill.id}`, { deed: 'cancel' })
    const again = await maker.get(run())
    expect(again.text).toContain('已要求撤销')
    await pay()
    await pay(60_000)
    expect((await billOf(near.personId)).state).toBe('cancelled')
    const own = await signIn(u.stage, near.personId)
    expect((await own.get(`/me/payments/${bill.id}`)).text).toContain('学校撤销了这笔付款')
    expect(await ledgerSums(db(), { runId })).toMatchObject({
      promised: 1_000_000,
      paid: 600_000,
      freed: 400_000,
    })
  })

  test('give the finance office a workbook that equals a plain count', async () => {
    const [list = [], ledger = []] = await sheetsOf(checker, `${run()}/xlsx`)
    const items = await itemsOf(db(), runId, true)
    const people = list.filter(row => typeof row[0] === 'number')
    expect(people.map(row => row[1])).toEqual(items.map(item => item.name))
    expect(people.map(row => [row[1], row[5], row[6]]).sort()).toEqual([
      ['吴号', 0, '不发'],
      ['张远', 6000, '已到账'],
      ['王近', 4000, '已撤销'],
    ])
    expect(list.find(row => row[1] === '合计')?.[5]).toBe(10_000)
    expect(list.filter(row => ['制单人', '复核人'].includes(String(row[1]))).map(row => row[2])).toEqual([
      u.maker.person.name,
      u.checker.person.name,
    ])
    const sum = (kind: string) =>
      ledger.filter(row => row[2] === kind).reduce((total, row) => total + Number(row[3]), 0)
    const sums = await ledgerSums(db(), { runId })
    expect([sum('批准（微信）'), sum('到账'), sum('未付成，退回预算')]).toEqual(
      [sums.promised, sums.paid, sums.freed].map(fen => fen / 100),
    )
    // WeChat pays this one: the bank gets nothing of it
    expect((await checker.get(`${run()}/bank.xlsx`)).location).toBe(run())
  })

  test('fetch a receipt, and hold the list against the platform', async () => {
    const path = `${HOME}/payments/${(await billOf(far.personId)).id}/receipt`
    await checker.post(path)
    expect((await checker.get(`${path}/file`)).status).toBe(303)
    u.stage.clock.advance(3 * 60_000)
    const file = await checker.get(`${path}/file`)
    expect([file.status, file.headers.get('content-type')]).toEqual([200, 'application/pdf'])
    expect(file.text).toContain('6000.00 CNY')
    const cancelled = `${HOME}/payments/${(await billOf(near.personId)).id}/receipt/file`
    expect((await checker.get(cancelled)).status).toBe(303)
    expect((await checker.post(`${run()}/compare`)).status).toBe(303)
    expect((await checker.get(run())).text).toContain('对过 2 笔')
    await db().execute(
      sql`update pay_bills set state = 'paid' where id = ${(await billOf(near.personId)).id}`,
    )
    await checker.post(`${run()}/compare`)
    expect((await checker.get(run())).text).toMatch(/已到账 4,000\.00 元<\/td><td>已撤销/)
  })

  test('compare by themselves in the morning, raise an alarm, and tell the office once', async () => {
    toMorning(u.stage.clock)
    await lookAfterSubsidies(u.stage.rt)
    await lookAfterSubsidies(u.stage.rt)
    const alarms = await rows<{ words: string; times: number }>(
      u.stage,
      `select words, times from alarms where cause = 'pay-comparison:${runId}'`,
    )
    expect(alarms).toMatchObject([{ times: 1 }])
    await db().execute(
      sql`update pay_bills set state = 'cancelled' where id = ${(await billOf(near.personId)).id}`,
    )
    toMorning(u.stage.clock)
    // nothing happened yesterday: nobody is told anything
    const before = await rows(u.stage, `select from outgoing_messages where purpose = 'report'`)
    await lookAfterSubsidies(u.stage.rt)
    expect(await rows(u.stage, `select from outgoing_messages where purpose = 'report'`)).toHaveLength(
      before.length,
    )
  })

  test('wait for money that is short, and send the same order again', async () => {
    const { sim } = u.stage
    sim.pay.setBalance(0)
    await make()
    const item = (await itemsOf(db(), runId)).find(each => each.name === '吴号')
    await maker.post(`${run()}/items`, { item: String(item?.id), deed: 'out', reason: '另交银行' })
    expect((await maker.get(run())).text).toContain('和上一份批准的名单比')
    await passOn()
    await pay()
    expect((await billOf(near.personId)).state).toBe('processing')
    sim.pay.setBalance(1_000_000)
    for (let minutes = 0; minutes < 10; minutes += 1) await pay(60_000)
    const bill = await billOf(near.personId)
    expect(bill.state).toBe('waiting')
    expect(sim.pay.bills().filter(each => each.outBillNo === bill.number)).toHaveLength(1)
    await u.stage.settle()
    toMorning(u.stage.clock)
    await lookAfterSubsidies(u.stage.rt)
    await lookAfterSubsidies(u.stage.rt)
    const told = await rows(
      u.stage,
      `select distinct person_id from outgoing_messages where purpose = 'report'`,
    )
    expect(told).toHaveLength(2)
  })

  test('hand a list to the bank with the numbers whole, which is written down', async () => {
    const { location } = await maker.post(HOME, { way: 'bank' })
    runId = Number(/(\d+)$/.exec(location ?? '')?.[1])
    expect((await checker.get(`${run()}/bank.xlsx`)).location).toBe(run())
    await passOn()
    const [list = []] = await sheetsOf(checker, `${run()}/bank.xlsx`)
    expect(list.filter(row => typeof row[0] === 'number').map(row => [row[1], row[4]])).toEqual([
      ['吴号', 6000],
    ])
    const noted = await rows<{ details: unknown }>(
      u.stage,
      `select details from audit_log where action = 'subsidy.exported' and details ->> 'kind' = 'bank'`,
    )
    expect(noted.map(row => row.details)).toEqual([{ kind: 'bank', people: 1 }])
    expect(await billsOfRun(db(), runId)).toEqual([])
  })

  test('take what the bank sends back into the budget, tell its receiver, and owe them again', async () => {
    const [item] = await itemsOf(db(), runId)
    if (!item) throw new Error('nobody is on the list')
    const say = (what: 'returned' | 'paid', reason = '', itemId = item.id) =>
      maker.post(`${run()}/bank`, { item: String(itemId), deed: what, reason })
    const claims = () =>
      rows<{ item_id: string }>(
        u.stage,
        `select item_id from subsidy_claims where person_id = ${item.personId} order by 1`,
      )
    const told = () =>
      rows<{ content_sealed: string }>(
        u.stage,
        `select * from outgoing_messages where person_id = ${item.personId} and purpose = 'task'`,
      )
    const left = async () => /<b>([\d,.]+)<\/b>[^<]*<[^>]*>还可批准/.exec((await maker.get(HOME)).text)?.[1]
    const before = { told: (await told()).length, left: await left() }
    expect((await maker.get(run())).text).toContain('交银行发放')
    // without a reason, nobody of this list, nothing to take back: nothing is noted
    const noReason = await say('returned', ' ')
    expect([noReason.status, noReason.text.includes('请写明银行为什么退回')]).toEqual([422, true])
    expect((await say('returned', '账号有误', 999_999)).status).toBe(404)
    expect((await say('paid')).status).toBe(422)
    expect(await claims()).toHaveLength(1)

    expect((await say('returned', '账号与户名不符')).status).toBe(303)
    expect((await say('returned', '又点了一次')).status).toBe(422)
    expect(await ledgerSums(db(), { runId })).toMatchObject({ bank: 600_000, bank_returned: 600_000 })
    expect(await claims()).toEqual([])
    expect((await told()).length).toBe(before.told + 1)
    expect(await left()).not.toBe(before.left)
    const page = (await maker.get(run())).text
    expect(page).toContain('账号与户名不符')
    expect(page).not.toContain('又点了一次')
    const [list = []] = await sheetsOf(checker, `${run()}/xlsx`)
    const line = list.find(row => row[1] === '吴号')
    expect([line?.[6], line?.[9]]).toEqual(['银行退回', '账号与户名不符'])
    expect((await maker.get(HOME)).text).toContain('现在该发 1 人')

    // noted by mistake
    expect((await say('paid')).status).toBe(303)
    expect(await ledgerSums(db(), { runId })).toMatchObject({ bank: 1_200_000, bank_returned: 600_000 })
    expect(await left()).toBe(before.left)
    expect(await claims()).toEqual([{ item_id: String(item.id) }])

    // paid by a further list meanwhile: the first return stands
    expect((await say('returned', '账号与户名不符')).status).toBe(303)
    const first = runId
    runId = Number(/(\d+)$/.exec((await maker.post(HOME, { way: 'bank' })).location ?? '')?.[1])
    await passOn()
    const second = runId
    runId = first
    expect((await say('paid')).status).toBe(422)
    const sums = await ledgerSums(db(), { runId: first })
    expect(sums.bank - sums.bank_returned).toBe(0)
    expect((await ledgerSums(db(), { runId: second })).bank).toBe(600_000)
    expect((await claims()).map(row => row.item_id)).toEqual([String((await itemsOf(db(), second))[0]?.id)])
    const noted = await rows<{ action: string }>(
      u.stage,
      `select action from audit_log where action like 'subsidy.bank%' order by id`,
    )
    expect(noted.map(row => row.action)).toEqual([
      'subsidy.bank_returned',
      'subsidy.bank_paid',
      'subsidy.bank_returned',
    ])
  })

  test('warn of those who may have been paid before there was this system, and show since when each serves', async () => {
    await u.volunteer({ name: '郑早', startsOn: '2025-07-25' })
    await make()
    const { text } = await maker.get(run())
    expect(text).toContain('有 1 人一年以前就开始服务：郑早')
    expect(text).toContain('2025年7月25日起')
  })
})
