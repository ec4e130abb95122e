import { afterEach, describe, expect, test } from 'vitest'
import { billsOfRun } from '../../db/queries/pay-bills.ts'
import { itemsOf, ledgerSums, runById } from '../../db/queries/subsidies.ts'
import { unitById } from '../../db/queries/units.ts'
import { approveRun } from '../../server/domain/subsidies/approve.ts'
import { dealWithBill } from '../../server/domain/subsidies/deal-with-bill.ts'
import { makeRun, owedBy, setYearBudget, submitRun } from '../../server/domain/subsidies/runs.ts'
import { payDueBills } from '../../server/jobs/pay-bills.ts'
import { openUniversity, type University } from '../support/university.ts'

const MINUTE = 60_000

describe('merchants of every kind', () => {
  let u: University
  afterEach(() => u.stage.close())

  const pay = async (ms = 0) => {
    u.stage.clock.advance(ms)
    await payDueBills(u.stage.rt)
    await u.stage.sim.pay.tick()
  }
  const approved = async () => {
    const { rt } = u.stage
    await setYearBudget(rt, u.maker, { unitId: u.unitId, year: 2026, fen: 5_000_000 })
    const runId = await makeRun(rt, u.maker, { unitId: u.unitId, way: 'wechat' })
    await submitRun(rt, u.maker, runId, rt.config.wechatPay)
    const hash = (await runById(rt.db, runId))?.contentHash ?? ''
    await approveRun(rt, u.checker, { runId, hash }, rt.config.wechatPay)
    return runId
  }
  const statesOf = async (runId: number) =>
    Object.fromEntries((await billsOfRun(u.stage.rt.db, runId)).map(({ name, bill }) => [name, bill.state]))
  const owed = async () => {
    const unit = await unitById(u.stage.rt.db, u.unitId)
    return (await owedBy(u.stage.rt, unit as NonNullable<typeof unit>)).owed.map(each => each.name)
  }

  test('of before 2025, with certificates: each is paid once, whatever answer is lost', async () => {
    u = await openUniversity({
      env: { WECHAT_PAY_INTERFACE: 'batches' },
      merchant: { oldTransfers: true, keyMode: 'certificate' },
    })
    const { sim, rt } = u.stage
    for (const name of ['张一', '李二', '王三']) await u.volunteer({ name })
    const before = sim.pay.merchants()[0]?.balance ?? 0
    const runId = await approved()
    // taken, and the answer is lost; then the server's own trouble; then asked for and not known yet
    sim.faults.on('pay-answer-lost', { path: '/v3/transfer/batches' })
    await pay()
    sim.faults.clear()
    sim.faults.on('pay-http-500', { path: '/v3/transfer/batches' })
    await pay(MINUTE)
    sim.faults.clear()
    sim.faults.on('drop-callbacks', { path: 'pay/notify' })
    for (let looks = 0; looks < 8; looks += 1) await pay(5 * MINUTE)
    expect(await statesOf(runId)).toEqual({ 张一: 'paid', 李二: 'paid', 王三: 'paid' })
    expect(before - (sim.pay.merchants()[0]?.balance ?? 0)).toBe(1_800_000)
    expect(await ledgerSums(rt.db, { runId })).toMatchObject({ promised: 1_800_000, paid: 1_800_000 })
    sim.faults.clear()
  })

  test('without the scene: nothing is sent in vain for ever, and who is given up is owed again', async () => {
    u = await openUniversity({ merchant: { scenes: [] } })
    await u.volunteer({ name: '张远' })
    const runId = await approved()
    await pay()
    const [first] = await billsOfRun(u.stage.rt.db, runId)
    expect([first?.bill.state, first?.bill.failReason]).toEqual(['planned', 'NO_AUTH'])
    const alarms = await u.stage.rt.db.query.alarms.findMany()
    expect(alarms.map(alarm => alarm.words).join()).toContain('转账场景')
    expect(await owed()).toEqual([])
    await dealWithBill(u.stage.rt, u.checker, { billId: first?.bill.id as number, deed: 'cancel' })
    for (let looks = 0; looks < 4; looks += 1) await pay(6 * MINUTE)
    expect(await statesOf(runId)).toEqual({ 张远: 'failed' })
    expect(await ledgerSums(u.stage.rt.db, { runId })).toMatchObject({ promised: 600_000, freed: 600_000 })
    expect(u.stage.sim.pay.bills()).toEqual([])
    expect(await owed()).toEqual(['张远'])
  })

  test('whose limit is lower than we were told: what is refused is held until somebody decides', async () => {
    u = await openUniversity({
      merchant: { amounts: { maxPerBill: 500_000, perUserDay: 1_000_000, perDay: 1_000_000_000 } },
    })
    const { rt } = u.stage
    await u.volunteer({ name: '张远' })
    await u.volunteer({ name: '王近', place: '山东' })
    const runId = await approved()
    await pay()
    for (let looks = 0; looks < 3; looks += 1) await pay(6 * MINUTE)
    expect(await statesOf(runId)).toEqual({ 张远: 'held', 王近: 'waiting' })
    const held = (await billsOfRun(rt.db, runId)).find(each => each.name === '张远')?.bill
    const billId = held?.id as number
    // the limit was not raised: the same order comes back the same way
    await dealWithBill(rt, u.maker, { billId, deed: 'send_again' })
    for (let looks = 0; looks < 3; looks += 1) await pay(6 * MINUTE)
    expect(await statesOf(runId)).toEqual({ 张远: 'held', 王近: 'waiting' })
    expect(await owed()).toEqual([])
    await dealWithBill(rt, u.maker, { billId, deed: 'give_up' })
    await pay()
    expect(await owed()).toEqual([])
    for (let looks = 0; looks < 3; looks += 1) await pay(6 * MINUTE)
    expect(await owed()).toEqual(['张远'])
    // now by the bank, in one piece
    const byBank = await makeRun(rt, u.maker, { unitId: u.unitId, way: 'bank' })
    expect((await itemsOf(rt.db, byBank)).map(item => [item.name, item.fen])).toEqual([['张远', 600_000]])
  })
})
