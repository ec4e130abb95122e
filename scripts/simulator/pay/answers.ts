import { constants, publicEncrypt } from 'node:crypto'
import type { Batch, BatchDetail } from './batches.ts'
import type { Bill } from './bills.ts'
import { sealResource } from './keys.ts'
import { type Merchant, payTime } from './merchant.ts'

// How bills and batches are told: the interfaces differ in small ways, such as mch_id here and mchid there.

/** A name goes out encrypted with the merchant's own key. */
function sealName(merchant: Merchant, name: string): string {
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }
  return publicEncrypt({ key: merchant.publicKey, ...padding }, Buffer.from(name)).toString('base64')
}

export function createAnswer(bill: Bill): object {
  return {
    out_bill_no: bill.request.outBillNo,
    transfer_bill_no: bill.transferBillNo,
    create_time: payTime(bill.createdAt),
    state: bill.state,
    ...(bill.failReason === undefined ? {} : { fail_reason: bill.failReason }),
    ...(bill.state === 'WAIT_USER_CONFIRM' ? { package_info: bill.packageInfo } : {}),
  }
}

export function cancelAnswer(bill: Bill): object {
  return {
    out_bill_no: bill.request.outBillNo,
    transfer_bill_no: bill.transferBillNo,
    state: bill.state,
    update_time: payTime(bill.updatedAt),
  }
}

export function queryAnswer({ merchant, request, ...bill }: Bill): object {
  return {
    mch_id: merchant.settings.mchId,
    out_bill_no: request.outBillNo,
    transfer_bill_no: bill.transferBillNo,
    appid: request.appId,
    state: bill.state,
    transfer_amount: request.amount,
    transfer_remark: request.remark,
    ...(bill.failReason === undefined ? {} : { fail_reason: bill.failReason }),
    openid: request.openId,
    ...(request.userName === undefined ? {} : { user_name: sealName(merchant, request.userName) }),
    create_time: payTime(bill.createdAt),
    update_time: payTime(bill.updatedAt),
  }
}

/** What a bill's notification holds, before encryption. */
export function billNotice({ merchant, request, ...bill }: Bill): object {
  return {
    out_bill_no: request.outBillNo,
    transfer_bill_no: bill.transferBillNo,
    state: bill.state,
    mchid: merchant.settings.mchId,
    transfer_amount: request.amount,
    openid: request.openId,
    ...(bill.failReason === undefined ? {} : { fail_reason: bill.failReason }),
    create_time: payTime(bill.createdAt),
    update_time: payTime(bill.updatedAt),
  }
}

export function batchCreateAnswer({ request, batchId, createdAt, state }: Batch): object {
  return {
    out_batch_no: request.outBatchNo,
    batch_id: batchId,
    create_time: payTime(createdAt),
    batch_status: state,
  }
}

function sums(batch: Batch): object {
  const of = (state: BatchDetail['state']) => batch.details.filter(detail => detail.state === state)
  const amount = (details: BatchDetail[]) => details.reduce((sum, detail) => sum + detail.amount, 0)
  return {
    total_amount: batch.request.total,
    total_num: batch.details.length,
    success_amount: amount(of('SUCCESS')),
    success_num: of('SUCCESS').length,
    fail_amount: amount(of('FAIL')),
    fail_num: of('FAIL').length,
  }
}

export function batchAnswer(batch: Batch): object {
  const { merchant, request } = batch
  return {
    mchid: merchant.settings.mchId,
    out_batch_no: request.outBatchNo,
    batch_id: batch.batchId,
    appid: request.appId,
    batch_status: batch.state,
    batch_type: 'API',
    batch_name: request.name,
    batch_remark: request.remark,
    ...sums(batch),
    create_time: payTime(batch.createdAt),
    update_time: payTime(batch.updatedAt),
    ...(request.sceneId === undefined ? {} : { transfer_scene_id: request.sceneId }),
  }
}

export function batchNotice(batch: Batch): object {
  return {
    out_batch_no: batch.request.outBatchNo,
    batch_id: batch.batchId,
    batch_status: batch.state,
    mchid: batch.merchant.settings.mchId,
    ...sums(batch),
    update_time: payTime(batch.updatedAt),
  }
}

export function detailAnswer({ merchant, request, ...batch }: Batch, detail: BatchDetail): object {
  return {
    mchid: merchant.settings.mchId,
    out_batch_no: request.outBatchNo,
    batch_id: batch.batchId,
    appid: request.appId,
    out_detail_no: detail.outDetailNo,
    detail_id: detail.detailId,
    detail_status: detail.state,
    transfer_amount: detail.amount,
    transfer_remark: detail.remark,
    ...(detail.failReason === undefined ? {} : { fail_reason: detail.failReason }),
    openid: detail.openId,
    ...(detail.userName === undefined ? {} : { user_name: sealName(merchant, detail.userName) }),
    initiate_time: payTime(batch.createdAt),
    update_time: payTime(batch.updatedAt),
  }
}

/** The platform's certificates, each encrypted with the APIv3 key; undefined for merchants with the public key. */
export function certificatesAnswer(merchant: Merchant): object | undefined {
  const { serial, certificate } = merchant.platform()
  if (!certificate) return undefined
  return {
    data: [
      {
        serial_no: serial,
        effective_time: payTime(certificate.from.getTime()),
        expire_time: payTime(certificate.until.getTime()),
        encrypt_certificate: sealResource(merchant.settings.apiV3Key, certificate.pem, 'certificate'),
      },
    ],
  }
}
