import { raiseAlarm } from '../../../db/queries/alarms.ts'
import {
  billByNumber,
  changeBill,
  lockBill,
  type PayBillRow,
  whoseBill,
} from '../../../db/queries/pay-bills.ts'
import { claim, freeClaim, writeLedger } from '../../../db/queries/subsidies.ts'
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
  isFinal,
  type OwnTrouble,
} from './bill-state.ts'
import { failWordsForReceiver } from './fail-words.ts'
import { subsidyRules, yuan } from './rules.ts'

/** What came of looking at a bill, or of sending it. */
export type BillOutcome =
  | { news: BillNews }
  | { unknown: true }
  | { trouble: BillTrouble; step: BillStep; code: string | null }

/** An order and by which merchant and interface it goes: those of before did not write that down. */
export type ApprovedOrder = BillOrder & Partial<Pick<Payer, 'mchId' | 'needsConfirmation'>>

/** What a bill goes out by. */
type Payer = { mchId: string; needsConfirmation: boolean }

/** The order of a bill, as it was approved. */
export function orderOfBill(rt: Pick<DomainRuntime, 'vault'>, bill: PayBillRow): ApprovedOrder {
  return JSON.parse(rt.vault.open(bill.orderSealed)) as ApprovedOrder
}

/**
 * Why a bill must neither be sent nor asked for by this port; null: it may. A number pays once with one merchant by one
 * interface only: another one does not know it and would pay it again.
 */
export function whyNotBy(
  port: Payer,
  bill: Pick<PayBillRow, 'number' | 'fen'>,
  order: ApprovedOrder,
): OwnTrouble | null {
  if (order.number !== bill.number || order.fen !== bill.fen) return 'ORDER_ALTERED'
  const { mchId = port.mchId, needsConfirmation = port.needsConfirmation } = order
  const isSame = mchId === port.mchId && needsConfirmation === port.needsConfirmation
  return isSame ? null : 'MERCHANT_CHANGED'
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
    dueAt: bill.dueAt,
    hasPackage: bill.packageSealed !== null,
    waitingSince: bill.waitingSince,
    cancelAskedAt: bill.cancelAskedAt,
    createdAt: bill.createdAt,
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
    if ('news' in outcome && outcome.news.state === 'paid' && isFinal(facts.state))
      await keepFromLists(tx, bill)
    const hasPackage = facts.hasPackage || (news?.packageInfo ?? null) !== null
    await tell(tx, bill, { ...change, hasPackage }, now)
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

/** Whoever was paid after all is on no further list, whatever stands in our books, until a person has looked. */
async function keepFromLists(rt: DomainRuntime, bill: PayBillRow): Promise<void> {
  const whose = await whoseBill(rt.db, bill.itemId)
  if (whose) await claim(rt.db, subsidyRules.kind, [{ personId: whose.personId, itemId: bill.itemId }])
}

/** Says what the receiver must do or has got: once for each. Nobody is called to a page that is not there yet. */
async function tell(
  rt: DomainRuntime,
  bill: PayBillRow,
  change: Pick<BillChange, 'state' | 'failReason'> & Pick<BillFacts, 'hasPackage'>,
  now: Date,
): Promise<void> {
  const isNew =
    change.state === 'waiting'
      ? change.hasPackage && (bill.state !== 'waiting' || bill.packageSealed === null)
      : change.state !== bill.state
  if (!isNew) return
  const words = wordsFor(bill, change, `${rt.publicUrl}/pay`)
  const whose = words === null ? null : await whoseBill(rt.db, bill.itemId)
  if (words === null || !whose) return
  await sendToPerson(rt, whose.personId, 'task', words)
  await changeBill(rt.db, bill.id, { toldAt: now })
}

function wordsFor(
  { fen, toldAt }: PayBillRow,
  { state, failReason }: Pick<BillChange, 'state' | 'failReason'>,
  page: string,
): string | null {
  switch (state) {
    case 'waiting':
      return `学校给您发了${subsidyRules.wechat.remark} ${yuan(fen)}，请在 ${subsidyRules.confirmHours.value} 小时内确认收款，过时会退回：${page}`
    case 'paid':
      return `${subsidyRules.wechat.remark} ${yuan(fen)} 已经到账，可在微信零钱里查看。`
    case 'failed':
      return `${subsidyRules.wechat.remark} ${yuan(fen)} ${failWordsForReceiver(failReason)}。`
    case 'cancelled':
      // whoever was called to confirm it would look for it in vain
      return toldAt === null
        ? null
        : `学校撤销了${subsidyRules.wechat.remark} ${yuan(fen)}，不用再确认。有疑问请问学校项目办。`
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
