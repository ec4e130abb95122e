import { billsOfRun } from '../../db/queries/pay-bills.ts'
import { appendAudit } from '../../db/queries/platform.ts'
import { insertComparison } from '../../db/queries/subsidies.ts'
import {
  type BillState,
  isFinal,
  KEPT_DAYS,
  type OwnTrouble,
  stateWords,
} from '../domain/subsidies/bill-state.ts'
import { yuan } from '../domain/subsidies/rules.ts'
import { orderOfBill, settleBill, whyNotBy } from '../domain/subsidies/settle.ts'
import type { BillNews } from '../payments.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

const AT_ONCE = 10

export interface PaymentDifference {
  number: string
  ours: string
  theirs: string
}

/**
 * Asks the platform for every payment of a list and holds what it says against ours (对账). What has only moved on is
 * taken in; what contradicts is kept for a person.
 * @param askedBy null: by itself
 */
export async function comparePayments(
  rt: Runtime,
  runId: number,
  askedBy: number | null,
): Promise<{ bills: number; differences: PaymentDifference[] }> {
  const port = rt.channels.wechatPay?.port
  // older ones the platform does not tell of any more (platform-facts.md 7.2)
  const since = new Date(rt.clock.now().getTime() - KEPT_DAYS * 24 * 3600_000)
  const bills = (await billsOfRun(rt.db, runId)).filter(({ bill }) => bill.createdAt > since)
  const differences: PaymentDifference[] = []
  for (let at = 0; port && at < bills.length; at += AT_ONCE)
    await Promise.all(
      bills.slice(at, at + AT_ONCE).map(async ({ bill }) => {
        let theirs: Theirs
        try {
          const why = whyNotBy(port, bill, orderOfBill(rt, bill))
          theirs = why === null ? await port.find(bill.number) : notAsked[why]
        } catch {
          theirs = '没有应答'
        }
        const state = bill.state as BillState
        if (typeof theirs === 'object' && theirs !== null && !isFinal(state))
          await settleBill(rt, bill.id, { news: theirs })
        const difference = differenceOf(bill.number, state, bill.fen, theirs)
        if (difference) differences.push(difference)
      }),
    )
  differences.sort((one, other) => one.number.localeCompare(other.number))
  const at = rt.clock.now()
  await inTransaction(rt, async tx => {
    await insertComparison(tx.db, { runId, at, askedBy, bills: bills.length, differences })
    await appendAudit(tx.db, {
      at,
      actorId: askedBy,
      action: 'subsidy.compared',
      subjectKind: 'subsidy_run',
      subjectId: runId,
      details: { bills: bills.length, differences: differences.length },
    })
  })
  return { bills: bills.length, differences }
}

const notAsked: Readonly<Record<OwnTrouble, string>> = {
  MERCHANT_CHANGED: '没有问：不是现在的商户付的',
  ORDER_ALTERED: '没有问：存的付款单和批准的不一样',
}

/** What the platform says of a bill; null: it knows none. Words: why that is not known. */
type Theirs = BillNews | null | string

function differenceOf(
  number: string,
  state: BillState,
  fen: number,
  theirs: Theirs,
): PaymentDifference | null {
  const ours = `${stateWords[state]} ${yuan(fen)}`
  if (typeof theirs === 'string') return { number, ours, theirs }
  if (theirs === null)
    return state === 'planned' || state === 'held' || state === 'failed'
      ? null
      : { number, ours, theirs: '没有这张单' }
  const isAgreed = (!isFinal(state) || theirs.state === state) && (theirs.fen === null || theirs.fen === fen)
  return isAgreed
    ? null
    : {
        number,
        ours,
        theirs: `${stateWords[theirs.state]} ${theirs.fen === null ? '' : yuan(theirs.fen)}`.trim(),
      }
}
