import { changeBill, lockBill, type PayBillRow } from '../../../db/queries/pay-bills.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { stateWords } from './bill-state.ts'
import { readRun } from './runs.ts'

export type BillDeed =
  /** Calls a payment back that its receiver has not confirmed. */
  | 'cancel'
  /** Sends a refused or stuck payment again, the same in every character: what was in its way is mended. */
  | 'send_again'
  /** Gives a refused payment up: once the platform has not known it for long enough, the person is owed again. */
  | 'give_up'

const possible: Readonly<Record<BillDeed, readonly string[]>> = {
  cancel: ['planned', 'accepted', 'processing', 'waiting'],
  send_again: ['held', 'planned'],
  give_up: ['held'],
}
const actions = {
  cancel: 'subsidy.cancel_asked',
  send_again: 'subsidy.sent_again',
  give_up: 'subsidy.given_up',
} as const satisfies Record<BillDeed, string>

/**
 * What an officer of the university can do about one payment. None of it makes a new number or changes an order: only a
 * list that two people have approved does that.
 * @throws DomainError `subsidy.unknown`, `rights.missing`, `subsidy.state`
 */
export function dealWithBill(
  rt: DomainRuntime,
  actor: KnownActor,
  { billId, deed }: { billId: number; deed: BillDeed },
): Promise<PayBillRow> {
  return inTransaction(rt, async tx => {
    const bill = await lockBill(tx.db, billId)
    if (!bill) throw new DomainError('subsidy.unknown', '没有这笔付款。')
    await readRun(tx, actor, bill.runId)
    if (!possible[deed].includes(bill.state) || (deed !== 'send_again' && bill.cancelAskedAt !== null))
      throw new DomainError(
        'subsidy.state',
        `这笔付款${stateWords[bill.state as keyof typeof stateWords]}，现在不能这样办。`,
      )
    const now = tx.clock.now()
    await changeBill(
      tx.db,
      bill.id,
      deed === 'send_again'
        ? {
            state: 'planned',
            isDoubtful: true,
            cancelAskedAt: null,
            notFound: 0,
            attempts: 0,
            dueAt: now,
            updatedAt: now,
          }
        : { cancelAskedAt: now, notFound: 0, dueAt: now },
    )
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: actions[deed],
      subjectKind: 'pay_bill',
      subjectId: bill.id,
      details: { number: bill.number },
    })
    return bill
  })
}
