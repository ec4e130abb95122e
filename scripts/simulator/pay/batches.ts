import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../api/fields.ts'
import type { Core } from '../core.ts'
import { chinaDay, DAY } from '../limits.ts'
import { refuseParameter, refusePay } from './error.ts'
import { type Fields, NUMBER, payInteger, payText, readNotifyUrl, readUserName } from './fields.ts'
import { type Merchant, ownsOpenId } from './merchant.ts'

const MOST_DETAILS = 1000
const SMALLEST_AMOUNT = 10
/** Per receiver and day, in fen. */
const USER_DAY = 2_000_000
const QUERY_LIFE = 30 * DAY

export interface BatchDetail {
  outDetailNo: string
  detailId: string
  amount: number
  remark: string
  openId: string
  userName?: string
  state: 'INIT' | 'PROCESSING' | 'SUCCESS' | 'FAIL'
  failReason?: string
}

interface BatchRequest {
  appId: string
  outBatchNo: string
  name: string
  remark: string
  total: number
  sceneId?: string
  notifyUrl?: string
  details: Pick<BatchDetail, 'outDetailNo' | 'amount' | 'remark' | 'openId' | 'userName'>[]
}

export interface Batch {
  merchant: Merchant
  request: BatchRequest
  batchId: string
  state: 'ACCEPTED' | 'PROCESSING' | 'FINISHED'
  details: BatchDetail[]
  createdAt: number
  updatedAt: number
}

export interface Batches {
  create(merchant: Merchant, fields: Fields, serial: string | undefined): Batch
  /** @throws PayError 404 NOT_FOUND */
  find(merchant: Merchant, matches: (batch: Batch) => boolean): Batch
  /** Carries out what was accepted a moment ago. */
  advanceAll(): void
}

function readBatch(merchant: Merchant, fields: Fields, serial: string | undefined): BatchRequest {
  const list = fields.transfer_detail_list
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_DETAILS)
    refuseParameter(`transfer_detail_list须为1到${MOST_DETAILS}笔`)
  const details = list.map(detail => {
    if (!isRecord(detail)) refuseParameter('transfer_detail_list格式不符')
    const amount = payInteger(detail, 'transfer_amount')
    if (amount < SMALLEST_AMOUNT) refuseParameter('转账金额不得小于0.1元')
    const userName = readUserName(merchant, detail, amount, serial)
    return {
      outDetailNo: payText(detail, 'out_detail_no', 32, NUMBER),
      amount,
      remark: payText(detail, 'transfer_remark', 32),
      openId: payText(detail, 'openid', 64),
      ...(userName === undefined ? {} : { userName }),
    }
  })
  if (new Set(details.map(detail => detail.outDetailNo)).size < details.length)
    refuseParameter('商家明细单号重复')
  const total = payInteger(fields, 'total_amount')
  if (total !== details.reduce((sum, detail) => sum + detail.amount, 0))
    refuseParameter('转账总金额与明细金额之和不一致')
  if (payInteger(fields, 'total_num') !== details.length) refuseParameter('转账总笔数与明细笔数不一致')
  const notifyUrl = readNotifyUrl(fields)
  return {
    appId: payText(fields, 'appid', 32),
    outBatchNo: payText(fields, 'out_batch_no', 32, NUMBER),
    name: payText(fields, 'batch_name', 32),
    remark: payText(fields, 'batch_remark', 32),
    total,
    details,
    ...(fields.transfer_scene_id === undefined ? {} : { sceneId: payText(fields, 'transfer_scene_id', 36) }),
    ...(notifyUrl === undefined ? {} : { notifyUrl }),
  }
}

/**
 * 商家转账到零钱, which needed no confirmation by the user; closed to new merchants since 2025.
 * @see pay.weixin.qq.com/docs/merchant/apis/batch-transfer-to-balance
 * @param onFinished is told once of every batch that is done.
 */
export function createBatches(core: Core, onFinished: (batch: Batch) => void): Batches {
  const batches = new Map<string, Batch>()
  const received = new Map<string, number>()
  const now = () => core.clock.now().getTime()

  function refusalOf(batch: Batch, detail: BatchDetail): string | undefined {
    const person = core.world.byOpenId(detail.openId)
    if (!person || !ownsOpenId(core, batch.merchant, batch.request.appId, detail.openId))
      return 'OPENID_INVALID'
    if (detail.userName !== undefined && detail.userName !== person.name) return 'NAME_NOT_CORRECT'
    const key = `${chinaDay(core.clock.now())} ${detail.openId}`
    const sum = (received.get(key) ?? 0) + detail.amount
    if (core.limits.has('payAmounts') && sum > USER_DAY) return 'PAYEE_ACCOUNT_ABNORMAL'
    received.set(key, sum)
    return undefined
  }
  function advance(batch: Batch): void {
    if (batch.state === 'FINISHED') return
    for (const detail of batch.details) {
      const refusal = refusalOf(batch, detail)
      detail.state = refusal === undefined ? 'SUCCESS' : 'FAIL'
      if (refusal === undefined) continue
      detail.failReason = refusal
      batch.merchant.balance += detail.amount
    }
    batch.state = 'FINISHED'
    batch.updatedAt = now()
    core.log.add('pay_batch', { outBatchNo: batch.request.outBatchNo, state: batch.state })
    onFinished(batch)
  }

  return {
    create(merchant, fields, serial) {
      if (!merchant.settings.oldTransfers) {
        const message =
          '当前商户号接入升级版本功能，暂不支持使用升级前功能，请在产品中心-商家转账-前往功能查看接口文档'
        refusePay(403, 'NO_AUTH', message)
      }
      const request = readBatch(merchant, fields, serial)
      const key = `${merchant.settings.mchId} ${request.outBatchNo}`
      const known = batches.get(key)
      if (known) {
        if (!isDeepStrictEqual(known.request, request))
          refusePay(400, 'INVALID_REQUEST', '单号已存在但信息不一致，请查单后比较确认')
        return known
      }
      if (!merchant.settings.appIds.includes(request.appId))
        refusePay(400, 'APPID_MCHID_NOT_MATCH', '商户号和appid没有绑定关系')
      if (
        core.faults.strikes('pay-balance-short', '/v3/transfer/batches') ||
        merchant.balance < request.total
      )
        refusePay(403, 'NOT_ENOUGH', '资金不足')
      merchant.balance -= request.total
      const at = now()
      const batch: Batch = {
        merchant,
        request,
        batchId: `1030000${core.ids.bigNumber()}`,
        state: 'ACCEPTED',
        details: request.details.map(detail => ({
          ...detail,
          detailId: `1040000${core.ids.bigNumber()}`,
          state: 'INIT',
        })),
        createdAt: at,
        updatedAt: at,
      }
      batches.set(key, batch)
      core.log.add('pay_batch', { outBatchNo: request.outBatchNo, state: batch.state })
      return batch
    },
    find(merchant, matches) {
      for (const batch of batches.values())
        if (batch.merchant === merchant && matches(batch) && batch.createdAt > now() - QUERY_LIFE) {
          advance(batch)
          return batch
        }
      refusePay(404, 'NOT_FOUND', '记录不存在')
    },
    advanceAll() {
      for (const batch of batches.values()) advance(batch)
    },
  }
}
