import { raiseAlarm } from '../../../db/queries/alarms.ts'
import {
  billByNumber,
  changeBill,
  lockBill,
  type PayBillRow,
  whoseBill,
} from '../../../db/queries/pay-bills.ts'
import { freeClaim, writeLedger } from '../../../db/queries/subsidies.ts'
import type { BillNews, BillOrder } from '../../payments.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import {
  afterNews,
  afterTrouble,
  afterUnknown,
  type BillChange,
  type BillFacts,
  type BillState,
  type BillStep,
  type BillTrouble,
} from './bill-state.ts'
import { subsidyRules, yuan } from './rules.ts'

/** What came of looking at a bill, or of sending it. */
export type BillOutcome =
  | { news: BillNews }
  | { unknown: true }
  | { trouble: BillTrouble; step: BillStep; code: string | null }

/** The order of a bill, as it was approved. */
export function orderOfBill(rt: Pick<DomainRuntime, 'vault'>, bill: PayBillRow): BillOrder {
  return JSON.parse(rt.vault.open(bill.orderSealed)) as BillOrder
}

/** Of a bill what its rules look at. */
export function factsOf(rt: Pick<DomainRuntime, 'vault'>, bill: PayBillRow): BillFacts {
  return {
    number: bill.number,
    fen: bill.fen,
    openId: orderOfBill(rt, bill).openId,
    state: bill.state as BillState,
    isDoubtful: bill.isDoubtful,
    attempts: bill.attempts,
    notFound: bill.notFound,
    waitingSince: bill.waitingSince,
    cancelAskedAt: bill.cancelAskedAt,
    updatedAt: bill.updatedAt,
  }
}

/**
 * Writes down what became of a bill, with its entry in the ledger and the word to its receiver, in one transaction. The
 * same news twice change nothing.
 */
export function settleBill(rt: DomainRuntime, billId: number, outcome: BillOutcome): Promise<void> {
  return inTransaction(rt, async tx => {
    const bill = await lockBill(tx.db, billId)
    if (!bill) return
    const now = tx.clock.now()
    const facts = factsOf(tx, bill)
    const change = changeFor(facts, outcome, now)
    const news = 'news' in outcome && change.alarm === null ? outcome.news : null
    const hasMoved = change.state !== bill.state
    await changeBill(tx.db, bill.id, {
      state: change.state,
      isDoubtful: change.isDoubtful,
      notFound: change.notFound,
      dueAt: change.dueAt,
      waitingSince: change.waitingSince,
      failReason: change.failReason ?? (hasMoved && change.state !== 'held' ? null : bill.failReason),
      attempts: hasMoved ? 0 : bill.attempts,
      // how long it has been in its state
      updatedAt: hasMoved ? now : bill.updatedAt,
      ...(news?.platformNumber ? { platformNumber: news.platformNumber } : {}),
      ...(change.state === 'waiting'
        ? news?.packageInfo
          ? { packageSealed: tx.vault.seal(news.packageInfo) }
          : {}
        : { packageSealed: null }),
    })
    if (change.alarm !== null) {
      tx.log.error({ billId: bill.id }, 'a payment needs a person')
      await raiseAlarm(tx.db, `pay:${bill.number}`, `${change.alarm}。请在补贴页面对账。`, now)
    }
    if (change.ledger !== null) await enter(tx, bill, change.ledger, now)
    await tell(tx, bill, change, now)
  })
}

function changeFor(facts: BillFacts, outcome: BillOutcome, now: Date): BillChange {
  if ('news' in outcome) return afterNews(facts, outcome.news, now)
  if ('unknown' in outcome) return afterUnknown(facts, now)
  return afterTrouble(facts, outcome.step, outcome.trouble, outcome.code, now)
}

async function enter(rt: DomainRuntime, bill: PayBillRow, kind: 'paid' | 'freed', now: Date): Promise<void> {
  const whose = await whoseBill(rt.db, bill.itemId)
  if (!whose) throw new Error('a bill is on no list')
  const { unitId, year, runId } = whose
  await writeLedger(rt.db, [
    { at: now, unitId, year, runId, billId: bill.id, itemId: bill.itemId, kind, fen: bill.fen },
  ])
  if (kind === 'freed') await freeClaim(rt.db, subsidyRules.kind, bill.itemId)
}

/** Says what the receiver must do or has got: once for each. */
async function tell(rt: DomainRuntime, bill: PayBillRow, change: BillChange, now: Date): Promise<void> {
  if (change.state === bill.state) return
  const words = wordsFor(change.state, bill.fen, `${rt.publicUrl}/pay`)
  const whose = words === null ? null : await whoseBill(rt.db, bill.itemId)
  if (words === null || !whose) return
  await sendToPerson(rt, whose.personId, 'task', words)
  await changeBill(rt.db, bill.id, { toldAt: now })
}

function wordsFor(state: BillState, fen: number, page: string): string | null {
  switch (state) {
    case 'waiting':
      return `学校给您发了${subsidyRules.wechat.remark} ${yuan(fen)}，请在 ${subsidyRules.confirmHours.value} 小时内确认收款，过时会退回：${page}`
    case 'paid':
      return `${subsidyRules.wechat.remark} ${yuan(fen)} 已经到账，可在微信零钱里查看。`
    case 'failed':
      return `${subsidyRules.wechat.remark} ${yuan(fen)} 没有付成，学校会重新安排，您不用做什么。`
    default:
      return null
  }
}

/** Takes in what a notification says of a bill. @returns false: we have no such bill */
export async function takeBillNews(rt: DomainRuntime, news: BillNews): Promise<boolean> {
  const bill = await billByNumber(rt.db, news.number)
  if (!bill) return false
  await settleBill(rt, bill.id, { news })
  return true
}
