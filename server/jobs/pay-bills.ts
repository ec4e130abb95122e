import { type TakenBill, takeDueBills } from '../../db/queries/pay-bills.ts'
import { ChannelError } from '../channels/errors.ts'
import { type PayPort, PayRefusal } from '../channels/wechat-pay/port.ts'
import { type BillStep, nextStep } from '../domain/subsidies/bill-state.ts'
import { type BillOutcome, factsOf, orderOfBill, settleBill } from '../domain/subsidies/settle.ts'
import type { Runtime } from '../runtime.ts'

/** Bills that one process works on at once; the platform allows a hundred a second. */
const AT_ONCE = 10
/** Far above the longest call: a bill whose process died is taken up again after this. */
const HELD_MS = 60_000

/**
 * Sends approved payments, asks how they stand, and writes down what came of it. Any number of processes may run it at
 * once, and any may die at any moment: a bill is marked before it is sent, and whoever finds the mark asks the platform for
 * its number first. What is sent again is the same order under the same number.
 * @returns how many bills were looked at
 */
export async function payDueBills(rt: Runtime, signal?: AbortSignal): Promise<number> {
  const port = rt.channels.wechatPay?.port
  if (!port) return 0
  let looked = 0
  while (!signal?.aborted) {
    const now = rt.clock.now()
    const bills = await takeDueBills(rt.db, now, new Date(now.getTime() + HELD_MS), AT_ONCE)
    await Promise.all(bills.map(bill => workOn(rt, port, bill)))
    looked += bills.length
    if (bills.length < AT_ONCE) break
  }
  return looked
}

async function workOn(rt: Runtime, port: PayPort, bill: TakenBill): Promise<void> {
  const facts = { ...factsOf(rt, bill), isDoubtful: bill.wasDoubtful }
  const step = nextStep(facts, rt.clock.now())
  try {
    await settleBill(rt, bill.id, await take(rt, port, bill, step))
  } catch (error) {
    // it is due again when its time is over, and asked for before anything is sent
    rt.log.error({ billId: bill.id, name: (error as Error).name }, 'a payment could not be written down')
  }
}

async function take(rt: Runtime, port: PayPort, bill: TakenBill, step: BillStep): Promise<BillOutcome> {
  try {
    if (step === 'send') return { news: await port.pay(orderOfBill(rt, bill)) }
    if (step === 'cancel') {
      await callBack(rt, port, bill)
      const found = await port.find(bill.number)
      return found ? { news: found } : { unknown: true }
    }
    const found = await port.find(bill.number)
    if (found) return { news: found }
    if (step === 'find') return { unknown: true }
    return { news: await port.pay(orderOfBill(rt, bill)) }
  } catch (error) {
    return troubleOf(error, step)
  }
}

/** That it is too late, or that this interface cannot, is no trouble: how the bill stands is asked next. */
async function callBack(rt: Runtime, port: PayPort, bill: TakenBill): Promise<void> {
  try {
    const state = await port.cancel(bill.number)
    rt.log.info({ billId: bill.id, state }, 'a payment is called back')
  } catch (error) {
    if (!(error instanceof PayRefusal) || error.reason === 'config') throw error
    rt.log.info({ billId: bill.id, word: error.word }, 'a payment could not be called back')
  }
}

function troubleOf(error: unknown, step: BillStep): BillOutcome {
  if (!(error instanceof ChannelError)) throw error
  if (error instanceof PayRefusal) {
    const trouble = error.reason === 'throttled' ? 'later' : error.reason === 'config' ? 'config' : 'refused'
    return { trouble, step, code: error.word }
  }
  return { trouble: error.isUncertain ? 'doubt' : 'later', step, code: null }
}
