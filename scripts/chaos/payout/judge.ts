import type { PayBill } from '../../simulator/pay/pay.ts'

/** One payment as our database has it. */
export interface OwnPayment {
  number: string
  openId: string
  fen: number
  state: string
}

export interface Ledger {
  promised: number
  paid: number
  freed: number
}

export interface PayoutVerdict {
  payments: number
  paid: number
  /** Receivers who got the money more than once. */
  paidTwice: number
  /** Whoever confirmed, or would have, and has neither the money nor a payment that is on its way. */
  forgotten: number
  /** Payments of which the two books say something different. */
  differing: number
  /** Our books to theirs, in fen: what was paid, and what has left the merchant's balance. */
  ledgerPaid: number
  platformPaid: number
  balanceSpent: number
  faults: string[]
}

/** Holds our books against the platform's own. */
export function judgePayout(
  own: readonly OwnPayment[],
  ledger: Ledger,
  theirs: readonly PayBill[],
  balanceSpent: number,
): PayoutVerdict {
  const faults: string[] = []
  const byNumber = new Map(theirs.map(bill => [bill.outBillNo, bill]))
  const successes = Map.groupBy(
    theirs.filter(bill => bill.state === 'SUCCESS'),
    bill => bill.openId,
  )
  const paidTwice = [...successes.values()].filter(bills => bills.length > 1).length
  const ends: Record<string, string> = { paid: 'SUCCESS', failed: 'FAIL', cancelled: 'CANCELLED' }
  let forgotten = 0
  let differing = 0
  for (const payment of own) {
    const bill = byNumber.get(payment.number)
    if (!bill) {
      forgotten++
      faults.push(`${payment.number} is ${payment.state} and was never taken by the platform`)
    } else if (
      ends[payment.state] !== bill.state ||
      bill.amount !== payment.fen ||
      bill.openId !== payment.openId
    ) {
      differing++
      faults.push(`${payment.number} is ${payment.state} here and ${bill.state} there`)
    }
  }
  for (const bill of theirs)
    if (!own.some(payment => payment.number === bill.outBillNo))
      faults.push(`${bill.outBillNo} is with the platform and not in our books`)
  const platformPaid = theirs
    .filter(bill => bill.state === 'SUCCESS')
    .reduce((sum, bill) => sum + bill.amount, 0)
  if (ledger.paid !== platformPaid)
    faults.push(`the ledger says ${ledger.paid}, the platform ${platformPaid}`)
  if (balanceSpent !== platformPaid) faults.push(`${balanceSpent} has left the balance`)
  if (ledger.promised !== ledger.paid + ledger.freed)
    faults.push(`${ledger.promised} was promised, ${ledger.paid} paid and ${ledger.freed} set free`)
  if (paidTwice > 0) faults.push(`${paidTwice} receivers were paid twice`)
  return {
    payments: own.length,
    paid: own.filter(payment => payment.state === 'paid').length,
    paidTwice,
    forgotten,
    differing,
    ledgerPaid: ledger.paid,
    platformPaid,
    balanceSpent,
    faults,
  }
}
