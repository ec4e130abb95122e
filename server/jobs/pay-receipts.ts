import { noteReceiptAsked, type PayBillRow } from '../../db/queries/pay-bills.ts'
import { appendAudit } from '../../db/queries/platform.ts'
import type { PayReceipt } from '../channels/wechat-pay/receipts.ts'
import { DomainError } from '../errors.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/**
 * Asks WeChat Pay for the electronic receipt (电子回单) of a payment that was made; asking twice is asking once.
 * @throws DomainError `subsidy.receipt`; ChannelError
 */
export async function askForReceipt(rt: Runtime, actorId: number, bill: PayBillRow): Promise<void> {
  await receiptsFor(rt, bill).request(bill.number)
  await inTransaction(rt, async tx => {
    await noteReceiptAsked(tx.db, bill.id, tx.clock.now())
    await note(tx, actorId, bill, 'subsidy.receipt_asked')
  })
}

/** The receipt as it stands; null: none was asked for, or the platform keeps it no longer. @throws as `askForReceipt` */
export async function fetchReceipt(
  rt: Runtime,
  actorId: number,
  bill: PayBillRow,
): Promise<PayReceipt | null> {
  const receipt = await receiptsFor(rt, bill).fetch(bill.number)
  if (receipt?.state === 'ready') await note(rt, actorId, bill, 'subsidy.receipt_exported')
  return receipt
}

function receiptsFor(rt: Runtime, bill: PayBillRow) {
  const receipts = rt.channels.wechatPay?.receipts
  if (!receipts) throw new DomainError('subsidy.receipt', '这个商户的电子回单请到微信支付商户平台下载。')
  if (bill.state !== 'paid') throw new DomainError('subsidy.receipt', '到账以后才有电子回单。')
  return receipts
}

function note(
  rt: Pick<Runtime, 'db' | 'clock'>,
  actorId: number,
  bill: PayBillRow,
  action: string,
): Promise<void> {
  return appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId,
    action,
    subjectKind: 'pay_bill',
    subjectId: bill.id,
    details: { number: bill.number },
  })
}
