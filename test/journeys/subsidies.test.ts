import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billByNumber, billsOfRun } from '../../db/queries/pay-bills.ts'
import { itemsOf, ledgerSums, runById } from '../../db/queries/subsidies.ts'
import { unitById } from '../../db/queries/units.ts'
import { approveRun } from '../../server/domain/subsidies/approve.ts'
import { makeRun, owedBy, setYearBudget, submitRun } from '../../server/domain/subsidies/runs.ts'
import { DomainError } from '../../server/errors.ts'
import { payDueBills } from '../../server/jobs/pay-bills.ts'
import { openUniversity, type University } from '../support/university.ts'

const HOUR = 3600_000

describe('the one-off subsidy', () => {
  let u: University
  let far: { personId: number; simId: string }
  let near: { personId: number; simId: string }

  const list = async () => {
    const unit = await unitById(u.stage.rt.db, u.unitId)
    return owedBy(u.stage.rt, unit as NonNullable<typeof unit>)
  }
  const code = async (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      error => (error instanceof DomainError ? error.code : String(error)),
    )
  const pay = async (ms = 0) => {
    u.stage.clock.advance(ms)
    await payDueBills(u.stage.rt)
    await u.stage.sim.pay.tick()
  }
  const hashOf = async (runId: number) => (await runById(u.stage.rt.db, runId))?.contentHash ?? ''
  const approved = async () => {
    const runId = await makeRun(u.stage.rt, u.maker, { unitId: u.unitId, way: 'wechat' })
    await submitRun(u.stage.rt, u.maker, runId, u.stage.rt.config.wechatPay)
    await approveRun(u.stage.rt, u.checker, { runId, hash: await hashOf(runId) }, u.stage.rt.config.wechatPay)
    return runId
  }

  beforeAll(async () => {
    u = await openUniversity()
    far = await u.volunteer({ name: '张远' })
    near = await u.volunteer({ name: '王近', place: '山东' })
    await u.volunteer({ name: '赵未到', startsOn: '2026-12-01' })
    await u.volunteer({ name: '钱迟到', extra: { 到岗日期: '2026年8月3日' } })
    await u.volunteer({ name: '孙离岗', status: '离岗' })
    await u.volunteer({ name: '李别校', university: '青岛大学' })
    // an extension is a second row of one person
    const old = await u.volunteer({
      name: '周延期',
      startsOn: '2025-07-25',
      endsOn: '2026-07-24',
      status: '离岗',
      isBound: true,
    })
    await u.volunteer({ name: '周延期', personId: old.personId })
  })
  afterAll(() => u.stage.close())

  test('is owed to whoever took up the first post on time, 6000 or 4000', async () => {
    const { owed, not } = await list()
    expect(owed.map(each => [each.name, each.isOutOfProvince]).sort()).toEqual([
      ['周延期', true],
      ['张远', true],
      ['王近', false],
    ])
    expect(Object.fromEntries(not.map(each => [each.name, each.reason]))).toEqual({
      赵未到: 'not_started',
      钱迟到: 'late',
      孙离岗: 'not_on_duty',
    })
  })

  test('moves by nobody alone, nor by the office above, nor without a budget, nor after an edit', async () => {
    const { rt } = u.stage
    const { wechatPay } = rt.config
    expect(await code(makeRun(rt, u.above, { unitId: u.unitId, way: 'wechat' }))).toBe('rights.missing')
    const runId = await makeRun(rt, u.maker, { unitId: u.unitId, way: 'wechat' })
    expect(await code(submitRun(rt, u.maker, runId, wechatPay))).toBe('subsidy.preflight')
    await setYearBudget(rt, u.checker, { unitId: u.unitId, year: 2026, fen: 1_599_900 })
    expect(await code(submitRun(rt, u.maker, runId, wechatPay))).toBe('subsidy.preflight')
    await setYearBudget(rt, u.checker, { unitId: u.unitId, year: 2026, fen: 4_000_000 })
    expect(await code(submitRun(rt, u.checker, runId, wechatPay))).toBe('subsidy.maker')
    expect(await code(approveRun(rt, u.checker, { runId, hash: '' }, wechatPay))).toBe('subsidy.state')
    await submitRun(rt, u.maker, runId, wechatPay)
    const hash = await hashOf(runId)
    expect(await code(approveRun(rt, u.maker, { runId, hash }, wechatPay))).toBe('subsidy.checker')
    expect(await code(approveRun(rt, u.above, { runId, hash }, wechatPay))).toBe('rights.missing')
    expect(await code(approveRun(rt, u.checker, { runId, hash: 'another' }, wechatPay))).toBe(
      'subsidy.changed',
    )
    await rt.db.execute(
      sql`update subsidy_items set fen = fen + 100 where run_id = ${runId} and name = '张远'`,
    )
    expect(await code(approveRun(rt, u.checker, { runId, hash }, wechatPay))).toBe('subsidy.changed')
    await rt.db.execute(
      sql`update subsidy_items set fen = fen - 100 where run_id = ${runId} and name = '张远'`,
    )
    expect(
      await code(
        approveRun(rt, u.checker, { runId, hash }, {
          ...wechatPay,
          limits: { bill: 20_000, personDay: 200_000, day: 5_000_000 },
        } as typeof wechatPay),
      ),
    ).toBe('subsidy.preflight')
    expect(await rt.db.query.payBills.findMany()).toEqual([])
    const both = await Promise.all([
      code(approveRun(rt, u.checker, { runId, hash }, wechatPay)),
      code(approveRun(rt, u.checker, { runId, hash }, wechatPay)),
    ])
    expect(both.sort()).toEqual(['done', 'subsidy.state'])
    expect(await ledgerSums(rt.db, { runId })).toMatchObject({ promised: 1_600_000, paid: 0, freed: 0 })
    expect(await code(makeRun(rt, u.maker, { unitId: u.unitId, way: 'wechat' }))).toBe('subsidy.none')
  })

  test('goes out once, is confirmed by its receiver, and is in the books to the cent', async () => {
    const { rt, sim, clock } = u.stage
    await pay()
    const [run] = await rt.db.query.subsidyRuns.findMany()
    const bills = await billsOfRun(rt.db, run?.id as number)
    expect(bills.map(({ bill }) => bill.state)).toEqual(['waiting', 'waiting', 'waiting'])
    expect(
      sim.pay
        .bills()
        .map(bill => bill.amount)
        .sort(),
    ).toEqual([400_000, 600_000, 600_000])
    await u.stage.settle()
    // their window is closed: a template calls them, and the first word brings the message
    await u.stage.say(far.simId, '好')
    await u.stage.settle()
    expect(u.stage.received(far.simId).join()).toContain('6,000.00 元，请在 24 小时内确认收款')
    const billOf = (personId: number) => bills.find(each => each.personId === personId)?.bill.number as string
    await sim.pay.confirm(far.simId, billOf(far.personId))
    await sim.pay.tick()
    expect((await billByNumber(rt.db, billOf(far.personId)))?.state).toBe('paid')
    // the notification of the second one never comes: it is asked for
    sim.faults.on('drop-callbacks', { path: 'pay/notify' })
    await sim.pay.confirm(near.simId, billOf(near.personId))
    sim.faults.clear()
    await pay(20 * 60_000)
    expect((await billByNumber(rt.db, billOf(near.personId)))?.state).toBe('paid')
    // the third is not confirmed within a day: it is set free, and the person is owed again
    clock.advance(25 * HOUR)
    await sim.pay.tick()
    await pay()
    expect(await ledgerSums(rt.db, { runId: run?.id as number })).toMatchObject({
      promised: 1_600_000,
      paid: 1_000_000,
      freed: 600_000,
    })
    expect((await list()).owed.map(each => each.name)).toEqual(['周延期'])
    const again = await approved()
    expect((await itemsOf(rt.db, again)).map(item => item.name)).toEqual(['周延期'])
    await pay()
    expect(sim.pay.bills().filter(bill => bill.state === 'WAIT_USER_CONFIRM')).toHaveLength(1)
    expect(new Set(sim.pay.bills().map(bill => bill.outBillNo)).size).toBe(4)
  })
})
