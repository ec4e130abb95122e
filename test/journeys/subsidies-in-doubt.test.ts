import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billByNumber, billsOfRun } from '../../db/queries/pay-bills.ts'
import { runById } from '../../db/queries/subsidies.ts'
import { unitById } from '../../db/queries/units.ts'
import { PLAYED_UNIVERSITY } from '../../scripts/support/merchant.ts'
import type { KnownActor } from '../../server/domain/actor.ts'
import { approveRun } from '../../server/domain/subsidies/approve.ts'
import { dealWithBill } from '../../server/domain/subsidies/deal-with-bill.ts'
import {
  changesSince,
  makeRun,
  owedBy,
  setYearBudget,
  submitRun,
} from '../../server/domain/subsidies/runs.ts'
import { settleBill } from '../../server/domain/subsidies/settle.ts'
import { DomainError } from '../../server/errors.ts'
import { lookAfterSubsidies } from '../../server/jobs/look-after-subsidies.ts'
import { payDueBills } from '../../server/jobs/pay-bills.ts'
import type { BillNews } from '../../server/payments.ts'
import type { Runtime } from '../../server/runtime.ts'
import { rows } from '../support/matrix.ts'
import { toMorning } from '../support/stage.ts'
import { openUniversity, type University } from '../support/university.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe('the money of a university, when things go wrong', () => {
  let u: University
  const db = () => u.stage.rt.db

  const pay = async (ms = 0, rt: Runtime = u.stage.rt) => {
    u.stage.clock.advance(ms)
    await payDueBills(rt)
    await u.stage.sim.pay.tick()
  }
  const problem = async (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      error => (error instanceof DomainError ? `${error.code}: ${error.message}` : String(error)),
    )
  const made = async (actor: KnownActor = u.maker, unitId = u.unitId) =>
    makeRun(u.stage.rt, actor, { unitId, way: 'wechat' })
  const submitted = async (actor: KnownActor = u.maker, unitId = u.unitId) => {
    const runId = await made(actor, unitId)
    await submitRun(u.stage.rt, actor, runId, u.stage.rt.config.wechatPay)
    return runId
  }
  const approve = async (runId: number, actor: KnownActor = u.checker, pay = u.stage.rt.config.wechatPay) =>
    approveRun(u.stage.rt, actor, { runId, hash: (await runById(db(), runId))?.contentHash ?? '' }, pay)
  const approved = async () => {
    const runId = await submitted()
    await approve(runId)
    return runId
  }
  const billOf = async (personId: number, turn = 1) => {
    const bill = await billByNumber(db(), `QZ${personId}T${turn}`)
    if (!bill) throw new Error('there is no such payment')
    return bill
  }
  const owed = async () => {
    const unit = await unitById(db(), u.unitId)
    return (await owedBy(u.stage.rt, unit as NonNullable<typeof unit>)).owed.map(each => each.name)
  }
  const toldTo = async (personId: number) =>
    (
      await rows<{ sealed: string }>(
        u.stage,
        `select texts_sealed as sealed from outgoing_messages
         where person_id = ${personId} and purpose = 'task' order by id`,
      )
    ).map(row => u.stage.rt.vault.open(row.sealed))
  const alarmsOf = async (number: string) =>
    (await rows<{ words: string }>(u.stage, `select words from alarms where cause = 'pay:${number}'`)).map(
      row => row.words,
    )
  const newsOf = (number: string, change: Partial<BillNews>): BillNews => ({
    number,
    platformNumber: null,
    state: 'processing',
    failReason: null,
    packageInfo: null,
    fen: null,
    openId: null,
    ...change,
  })
  /** Nothing of what was approved is left under way. */
  const settleAll = () => db().execute(sql`update pay_bills set due_at = null where due_at is not null`)

  beforeAll(async () => {
    u = await openUniversity()
    await setYearBudget(u.stage.rt, u.maker, { unitId: u.unitId, year: 2026, fen: 100_000_000 })
  })
  afterAll(() => u.stage.close())

  test('a payment of which the answer was lost can be taken by its receiver, who is told once', async () => {
    const { personId } = await u.volunteer({ name: '失答' })
    await approved()
    u.stage.sim.faults.on('pay-answer-lost', { path: 'transfer-bills', times: 1 })
    await pay()
    for (let looks = 0; looks < 3; looks += 1) await pay(20_000)
    const bill = await billOf(personId)
    expect(bill.state).toBe('waiting')
    const { packageInfo } = u.stage.sim.pay.bill(bill.number)
    expect(bill.packageSealed && u.stage.rt.vault.open(bill.packageSealed)).toBe(packageInfo)
    expect(await toldTo(personId)).toHaveLength(1)
    await settleAll()
  })

  test('what is told before our own answer is written down is no contradiction, and what stays one is', async () => {
    const { personId } = await u.volunteer({ name: '先知' })
    await approved()
    await pay()
    const bill = await billOf(personId)
    await settleBill(u.stage.rt, bill.id, { news: newsOf(bill.number, { state: 'paid' }) })
    await settleBill(u.stage.rt, bill.id, { news: newsOf(bill.number, { state: 'processing' }) })
    expect(await alarmsOf(bill.number)).toEqual([])
    // the platform says the same when it is asked again: somebody must look
    await pay(MINUTE)
    expect((await alarmsOf(bill.number)).join()).toContain('已记为已到账，微信支付却说待本人确认收款')
    expect((await billOf(personId)).dueAt).toBeNull()
  })

  test('who was paid although the payment had come to nothing is not owed again', async () => {
    const { personId } = await u.volunteer({ name: '又到' })
    await approved()
    const bill = await billOf(personId)
    await settleBill(u.stage.rt, bill.id, { news: newsOf(bill.number, { state: 'failed' }) })
    expect(await owed()).toEqual(['又到'])
    await settleBill(u.stage.rt, bill.id, { news: newsOf(bill.number, { state: 'paid' }) })
    expect((await alarmsOf(bill.number)).join()).toContain('已记为未付成，微信支付却说已到账')
    expect(await owed()).toEqual([])
  })

  test('a payment goes by the merchant by whom it was approved, and by the same interface', async () => {
    const { personId } = await u.volunteer({ name: '换商户' })
    await approved()
    const { wechatPay } = u.stage.rt.channels
    if (!wechatPay) throw new Error('there is no merchant')
    let asked = 0
    const count = () => {
      asked += 1
      return Promise.resolve(null)
    }
    const ports = [
      { ...wechatPay.port, mchId: '1900009999', find: count, pay: () => Promise.reject(count()) },
      { ...wechatPay.port, needsConfirmation: false, find: count, pay: () => Promise.reject(count()) },
    ]
    for (const port of ports) {
      const rt = { ...u.stage.rt, channels: { ...u.stage.rt.channels, wechatPay: { ...wechatPay, port } } }
      await pay(2 * 60 * MINUTE, rt)
    }
    const bill = await billOf(personId)
    expect([asked, bill.state, bill.failReason]).toEqual([0, 'planned', 'MERCHANT_CHANGED'])
    expect((await alarmsOf(bill.number)).join()).toContain('商户')
    await pay(2 * 60 * MINUTE)
    expect((await billOf(personId)).state).toBe('waiting')
    await settleAll()
  })

  test('an order that is another than was approved is not sent', async () => {
    const { personId } = await u.volunteer({ name: '换单' })
    const other = await u.volunteer({ name: '换来的单' })
    await approved()
    await db().execute(
      sql`update pay_bills set order_sealed = (select order_sealed from pay_bills where number = ${`QZ${other.personId}T1`}) where number = ${`QZ${personId}T1`}`,
    )
    await pay()
    expect((await billOf(personId)).failReason).toBe('ORDER_ALTERED')
    expect(u.stage.sim.pay.bills().filter(bill => bill.openId === `o-${other.personId}`)).toHaveLength(1)
    await settleAll()
  })

  test('a process that slept too long sends nothing: others have the payment in hand', async () => {
    const { personId } = await u.volunteer({ name: '睡过' })
    await approved()
    const { wechatPay } = u.stage.rt.channels
    if (!wechatPay) throw new Error('there is no merchant')
    let sent = 0
    const port = {
      ...wechatPay.port,
      find: async () => {
        u.stage.clock.advance(3 * MINUTE)
        return null
      },
      pay: () => {
        sent += 1
        return Promise.reject(new Error('sent'))
      },
    }
    await db().execute(sql`update pay_bills set is_doubtful = true where number = ${`QZ${personId}T1`}`)
    await pay(0, { ...u.stage.rt, channels: { ...u.stage.rt.channels, wechatPay: { ...wechatPay, port } } })
    expect(sent).toBe(0)
    await pay()
    expect((await billOf(personId)).state).toBe('waiting')
    await settleAll()
  })

  test('processes that pay at the same time pay each once', async () => {
    const { sim, rt } = u.stage
    const people = []
    for (let number = 0; number < 25; number += 1) people.push(await u.volunteer({ name: `同时${number}` }))
    const runId = await approved()
    sim.faults.on('slow-answers', { path: '/v3/', rate: 0.3, ms: 100 })
    sim.faults.on('pay-answer-lost', { path: 'transfer-bills', rate: 0.2 })
    sim.faults.on('pay-not-found', { path: 'out-bill-no', rate: 0.3 })
    for (let round = 0; round < 6; round += 1) {
      // the second begins when the first would be taken for dead
      const first = payDueBills(rt)
      u.stage.clock.advance(61_000)
      await Promise.all([first, payDueBills(rt), payDueBills(rt)])
      await sim.pay.tick()
    }
    sim.faults.clear()
    for (let looks = 0; looks < 3; looks += 1) await pay(6 * MINUTE)
    const bills = await billsOfRun(db(), runId)
    expect(bills.map(({ bill }) => bill.state)).toEqual(people.map(() => 'waiting'))
    expect(bills.filter(({ bill }) => bill.packageSealed === null)).toEqual([])
    const openIds = new Set(people.map(({ personId }) => `o-${personId}`))
    expect(sim.pay.bills().filter(bill => openIds.has(bill.openId))).toHaveLength(people.length)
    expect(await rows(u.stage, `select from alarms where cause like 'pay:QZ%同时%'`)).toEqual([])
    await settleAll()
  })

  test('calling back is not put off by a look that was under way', async () => {
    const { personId } = await u.volunteer({ name: '撤销中' })
    await approved()
    await pay()
    const bill = await billOf(personId)
    await dealWithBill(u.stage.rt, u.checker, { billId: bill.id, deed: 'cancel' })
    // what a look that began before has found
    await settleBill(u.stage.rt, bill.id, { news: newsOf(bill.number, { state: 'waiting' }) })
    for (let looks = 0; looks < 4; looks += 1) await pay(30_000)
    expect((await billOf(personId)).state).toBe('cancelled')
    expect((await toldTo(personId)).at(-1)).toContain('学校撤销了')
  })

  test('whoever can mend what was in the way is told so', async () => {
    const { personId } = await u.volunteer({ name: '未认证' })
    await approved()
    const bill = await billOf(personId)
    const news = newsOf(bill.number, { state: 'failed', failReason: 'REAL_NAME_CHECK_FAIL' })
    await settleBill(u.stage.rt, bill.id, { news })
    expect((await toldTo(personId)).at(-1)).toContain('请先在微信里认证')
    await settleAll()
  })

  test('what has changed is said against the list that was approved last', async () => {
    const first = await made()
    const second = await approved()
    const run = await runById(db(), first)
    expect((await changesSince(u.stage.rt, run as NonNullable<typeof run>)).since?.id).toBe(second)
    await settleAll()
  })

  test('who has left the post since the list was made, or stands on it twice, is not paid', async () => {
    await db().execute(sql`update roster_entries set status = '离岗' where university is not null`)
    const left = await u.volunteer({ name: '离了岗' })
    const first = await submitted()
    const set = (status: string) =>
      db().execute(sql`update roster_entries set status = ${status} where person_id = ${left.personId}`)
    await set('离岗')
    expect(await problem(approve(first))).toMatch(/subsidy\.preflight: .*离了岗（不在岗）/)
    await set('在岗')
    await db().execute(sql`update persons set name = '离了岗二' where id = ${left.personId}`)
    expect(await problem(approve(first))).toMatch(/subsidy\.preflight: .*离了岗.*不一样/)
    await db().execute(sql`update persons set name = '离了岗' where id = ${left.personId}`)
    await approve(first)
    // the same human under a second number of ours
    const twin = await u.volunteer({ name: '离了岗' })
    for (const { personId } of [left, twin])
      await db().execute(sql`update persons set id_number_index = 'same' where id = ${personId}`)
    const runId = await made()
    expect(await problem(submitRun(u.stage.rt, u.maker, runId, u.stage.rt.config.wechatPay))).toMatch(
      /subsidy\.preflight: .*可能会发两次：离了岗和离了岗/,
    )
    await u.volunteer({ name: '别人' })
    await settleAll()
    await db().execute(sql`update persons set id_number_index = null where id_number_index = 'same'`)
  })

  test('one human with two entries in our books is not two persons', async () => {
    const runId = await submitted()
    const both = sql`(${u.maker.person.id}, ${u.checker.person.id})`
    await db().execute(sql`update persons set id_number_index = 'officer' where id in ${both}`)
    expect(await problem(approve(runId))).toContain('subsidy.checker')
    await db().execute(sql`update persons set id_number_index = null where id in ${both}`)
    await approve(runId)
    await settleAll()
  })

  test('the limit of a day is the merchant’s, whichever university pays', async () => {
    await u.volunteer({ name: '本校生' })
    await u.volunteer({ name: '外校生', university: '青岛大学' })
    const [unit] = await rows<{ id: string }>(
      u.stage,
      `insert into units (programme, code, name, kind, level, parent_id, path, created_at)
       select 'xibu', 'qingdao', '青岛大学校项目办', kind, level, parent_id, '/qingdao/', now()
       from units where id = ${u.unitId} returning id`,
    )
    const unitId = Number(unit?.id)
    const there = (actor: KnownActor): KnownActor => ({
      ...actor,
      roles: actor.roles.map(role => ({ ...role, unitId, unitPath: '/qingdao/' })),
    })
    await setYearBudget(u.stage.rt, there(u.maker), { unitId, year: 2026, fen: 1_000_000 })
    toMorning(u.stage.clock)
    // the merchant is one university's, and another pays nothing with it until it is named beside it
    await expect(submitted(there(u.maker), unitId)).rejects.toThrow('本校没有在这里配置微信支付商户')
    await db().execute(sql`update subsidy_runs set status = 'withdrawn' where unit_id = ${unitId}`)
    Object.assign(u.stage.rt.config.wechatPay ?? {}, { unitCodes: [PLAYED_UNIVERSITY, 'qingdao'] })
    const runs = [await submitted(), await submitted(there(u.maker), unitId)] as const
    const limited = {
      ...u.stage.rt.config.wechatPay,
      limits: { bill: 1_000_000, personDay: 1_000_000, day: 1_000_000 },
    } as typeof u.stage.rt.config.wechatPay
    const both = await Promise.all([
      problem(approve(runs[0], u.checker, limited)),
      problem(approve(runs[1], there(u.checker), limited)),
    ])
    expect(both.filter(each => each === 'done')).toHaveLength(1)
    expect(both.join()).toContain('商户单日限额')
    await settleAll()
  })

  test('an office is told of what hangs with the platform, and no morning that was missed is lost', async () => {
    const { personId } = await u.volunteer({ name: '没有余额' })
    await db().execute(sql`update subsidy_runs set status = 'withdrawn' where status = 'submitted'`)
    const runId = await approved()
    // what others did not confirm in time comes back to the merchant before there is nothing left
    await u.stage.sim.pay.tick()
    u.stage.sim.pay.setBalance(0)
    await pay()
    expect((await billOf(personId)).state).toBe('processing')
    await settleAll()
    await db().execute(sql`update pay_bills set due_at = now() + interval '1 year' where run_id = ${runId}`)
    toMorning(u.stage.clock)
    await lookAfterSubsidies(u.stage.rt)
    const texts = await rows<{ sealed: string }>(
      u.stage,
      `select texts_sealed as sealed from outgoing_messages where purpose = 'report' order by id desc limit 1`,
    )
    expect(texts.map(row => u.stage.rt.vault.open(row.sealed)).join()).toContain('余额')
    u.stage.sim.pay.setBalance(1_000_000_000)
    const bill = await billOf(personId)
    await settleBill(u.stage.rt, bill.id, { news: newsOf(bill.number, { state: 'failed' }) })
    // nobody's clock struck for three days
    u.stage.clock.advance(3 * DAY)
    toMorning(u.stage.clock)
    await lookAfterSubsidies(u.stage.rt)
    const [last] = await rows<{ bills: number }>(
      u.stage,
      `select bills from pay_comparisons where run_id = ${runId} and asked_by is null`,
    )
    expect(Number(last?.bills)).toBeGreaterThan(0)
  })
})
