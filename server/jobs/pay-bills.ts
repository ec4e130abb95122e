import { type TakenBill, takeDueBills } from '../../db/queries/pay-bills.ts'
import { ChannelError } from '../channels/errors.ts'
import { type PayPort, PayRefusal } from '../channels/wechat-pay/port.ts'
import { type BillStep, nextStep } from '../domain/subsidies/bill-state.ts'
import { type BillOutcome, factsOf, orderOfBill, settleBill, whyNotBy } from '../domain/subsidies/settle.ts'
import type { BillNews } from '../payments.ts'
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
    const heldUntil = new Date(now.getTime() + HELD_MS)
    const bills = await takeDueBills(rt.db, now, heldUntil, AT_ONCE)
    await Promise.all(bills.map(bill => workOn(rt, port, bill, heldUntil)))
    looked += bills.length
    if (bills.length < AT_ONCE) break
  }
  return looked
}

async function workOn(rt: Runtime, port: PayPort, bill: TakenBill, heldUntil: Date): Promise<void> {
  try {
    const outcome = await take(rt, port, bill, heldUntil)
    if (outcome !== null) await settleBill(rt, bill.id, outcome)
  } catch (error) {
    // it is due again when its time is over, and asked for before anything is sent
    rt.log.error({ billId: bill.id, name: (error as Error).name }, 'a payment could not be written down')
  }
}

/** @returns null: it has taken so long that another process has the bill in hand */
async function take(
  rt: Runtime,
  port: PayPort,
  bill: TakenBill,
  heldUntil: Date,
): Promise<BillOutcome | null> {
  const order = orderOfBill(rt, bill)
  const step = nextStep({ ...factsOf(rt, bill), isDoubtful: bill.wasDoubtful }, rt.clock.now())
  const why = whyNotBy(port, bill, order)
  if (why !== null) return { trouble: 'config', step, code: why }
  // what slept meanwhile, such as a machine that was stopped, might send what was given up in the meantime
  const send = async () => (rt.clock.now() < heldUntil ? { news: await port.pay(order) } : null)
  try {
    if (step === 'send') return await send()
    if (step === 'cancel') await callBack(rt, port, bill)
    const found = await port.find(bill.number)
    if (!found) return step === 'find_then_send' ? await send() : { unknown: true }
    const isRepeated = step === 'find_then_repeat' && !hasMovedOn(bill, found)
    return isRepeated ? await send() : { news: found }
  } catch (error) {
    return troubleOf(error, step)
  }
}

const hasMovedOn = (bill: TakenBill, found: BillNews) =>
  found.state !== bill.state || found.packageInfo !== null

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
