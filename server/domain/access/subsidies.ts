import { billById, type OwnBill, ownBillById, type PayBillRow } from '../../../db/queries/pay-bills.ts'
import { runById, type SubsidyRunRow } from '../../../db/queries/subsidies.ts'
import { runsVeryUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A list of the very 校项目办 that one runs: the offices above it see nothing of its money. */
export const subsidyRunPolicy: Policy<SubsidyRunRow> = {
  name: 'subsidy run',
  param: 'runId',
  async find(rt, viewer, id) {
    const run = await runById(rt.db, id)
    return run && runsVeryUnit(rt.templates, viewer.actor, run.unitId) ? run : null
  },
}

/** A payment of such a list. */
export const subsidyPaymentPolicy: Policy<PayBillRow> = {
  name: 'subsidy payment',
  param: 'billId',
  async find(rt, viewer, id) {
    const bill = await billById(rt.db, id)
    return bill && (await subsidyRunPolicy.find(rt, viewer, bill.runId)) ? bill : null
  },
}

/** A payment to oneself. */
export const ownPaymentPolicy: Policy<OwnBill> = {
  name: 'own payment',
  param: 'paymentId',
  async find(rt, viewer, id) {
    const own = await ownBillById(rt.db, id)
    return own?.personId === viewer.actor.person.id ? own : null
  },
}
