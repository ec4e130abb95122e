import { createHash } from 'node:crypto'
import type { Core } from '../core.ts'
import { DAY, MINUTE } from '../limits.ts'
import type { Bill } from './bills.ts'
import { refusePay } from './error.ts'
import { payTime } from './merchant.ts'

/** How long making one takes, on the clock; the page advises to ask every two minutes at most. */
const MAKING = 2 * MINUTE
const DOWNLOAD_LIFE = 10 * MINUTE
const RECEIPT_LIFE = 90 * DAY
/** Six months. */
const BILL_LIFE = 180 * DAY

interface Receipt {
  createdAt: number
  pdf: Buffer
}

export interface Receipts {
  /** Begins to make the electronic receipt (电子回单) of a transfer. */
  request(bill: Bill): object
  query(bill: Bill): object
  /** The file behind a download address; undefined when the address is old or made up. */
  download(token: string): Buffer | undefined
}

/** @see pay.weixin.qq.com/docs/merchant/apis/mch-trans/elecsign/accept-elecsign-by-out-no.html */
export function createReceipts(core: Core): Receipts {
  const receipts = new Map<Bill, Receipt>()
  const downloads = new Map<string, { pdf: Buffer; until: number }>()
  const now = () => core.clock.now().getTime()
  const alive = (bill: Bill) => {
    const receipt = receipts.get(bill)
    return receipt && receipt.createdAt + RECEIPT_LIFE > now() ? receipt : undefined
  }
  return {
    request(bill) {
      if (bill.state !== 'SUCCESS') refusePay(400, 'INVALID_REQUEST', '仅支持付款成功的转账单据申请电子回单')
      if (bill.request.userName === undefined)
        refusePay(400, 'INVALID_REQUEST', '仅支持传入姓名的转账单据申请电子回单')
      if (bill.createdAt + BILL_LIFE <= now())
        refusePay(400, 'INVALID_REQUEST', '仅支持六个月内的转账单据申请电子回单')
      if (!alive(bill)) receipts.set(bill, { createdAt: now(), pdf: receiptFile(bill) })
      return { state: 'GENERATING', create_time: payTime(alive(bill)?.createdAt ?? now()) }
    },
    query(bill) {
      const receipt = alive(bill)
      if (!receipt) refusePay(404, 'NOT_FOUND', '电子回单申请单不存在')
      const head = { create_time: payTime(receipt.createdAt) }
      if (now() < receipt.createdAt + MAKING)
        return { state: 'GENERATING', ...head, update_time: payTime(receipt.createdAt) }
      const token = core.ids.letters(40)
      downloads.set(token, { pdf: receipt.pdf, until: now() + DOWNLOAD_LIFE })
      return {
        state: 'FINISHED',
        ...head,
        update_time: payTime(receipt.createdAt + MAKING),
        hash_type: 'SHA256',
        hash_value: createHash('sha256').update(receipt.pdf).digest('hex'),
        download_url: `${core.url}/api.mch.weixin.qq.com/v3/billdownload/file?token=${token}`,
      }
    },
    download(token) {
      const file = downloads.get(token)
      return file && file.until > now() ? file.pdf : undefined
    },
  }
}

/** A page that any reader opens, with the number and the amount. */
function receiptFile({ transferBillNo, request }: Bill): Buffer {
  const text = `BT /F1 14 Tf 40 780 Td (${transferBillNo} ${(request.amount / 100).toFixed(2)} CNY) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let file = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const offset = file.length
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const table = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const start = file.length
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(file, 'latin1')
}
