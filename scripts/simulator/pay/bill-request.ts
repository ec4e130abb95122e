import { isRecord } from '../api/fields.ts'
import type { Core } from '../core.ts'
import { refuseParameter, refusePay } from './error.ts'
import { type Fields, NUMBER, payInteger, payText, readNotifyUrl, readUserName } from './fields.ts'
import { type Merchant, ownsOpenId } from './merchant.ts'
import { SCENES } from './scenes.ts'

const REPORT_TYPE_LENGTH = 15
const REPORT_CONTENT_LENGTH = 32

/** What a merchant asked for, checked; two requests are the same when these are. */
export interface BillRequest {
  appId: string
  outBillNo: string
  sceneId: string
  openId: string
  /** Decrypted: the ciphertext of one name differs every time. */
  userName?: string
  /** Fen. */
  amount: number
  remark: string
  notifyUrl?: string
  perception?: string
  reports: { type: string; content: string }[]
}

/**
 * Checks a request's form: everything that does not depend on what was asked for before.
 * @see pay.weixin.qq.com/docs/merchant/apis/mch-trans/transfer-bill/transfer-to-user.html
 */
export function readBillRequest(merchant: Merchant, fields: Fields, serial: string | undefined): BillRequest {
  const amount = payInteger(fields, 'transfer_amount')
  if (amount <= 0) refuseParameter('transfer_amount须大于0')
  const userName = readUserName(merchant, fields, amount, serial)
  const notifyUrl = readNotifyUrl(fields)
  const perception =
    fields.user_recv_perception === undefined ? undefined : payText(fields, 'user_recv_perception', 32)
  return {
    appId: payText(fields, 'appid', 32),
    outBillNo: payText(fields, 'out_bill_no', 32, NUMBER),
    sceneId: payText(fields, 'transfer_scene_id', 36),
    openId: payText(fields, 'openid', 64),
    amount,
    remark: payText(fields, 'transfer_remark', 32),
    reports: readReports(fields.transfer_scene_report_infos),
    ...(userName === undefined ? {} : { userName }),
    ...(notifyUrl === undefined ? {} : { notifyUrl }),
    ...(perception === undefined ? {} : { perception }),
  }
}

function readReports(value: unknown): BillRequest['reports'] {
  if (!Array.isArray(value) || value.length === 0) refuseParameter('需传入转账场景报备信息，请检查')
  return value.map(entry => {
    if (!isRecord(entry)) refuseParameter('transfer_scene_report_infos格式不符')
    return {
      type: payText(entry, 'info_type', REPORT_TYPE_LENGTH),
      content: payText(entry, 'info_content', REPORT_CONTENT_LENGTH),
    }
  })
}

/** What only counts for a number that is new: the account's bindings, scenes and the size of one bill. */
export function checkNewBill(core: Core, merchant: Merchant, request: BillRequest): void {
  if (!merchant.settings.appIds.includes(request.appId))
    refusePay(400, 'APPID_MCHID_NOT_MATCH', '商户号和appid没有绑定关系')
  const scene = SCENES[request.sceneId]
  if (!scene || !merchant.scenes.includes(request.sceneId))
    refusePay(403, 'NO_AUTH', '当前商户号未开通该转账场景')
  const types = request.reports.map(report => report.type)
  if (types.length !== scene.reports.length || !scene.reports.every(type => types.includes(type)))
    refuseParameter(`转账场景报备信息须为：${scene.reports.join('、')}`)
  if (request.perception !== undefined && !scene.perceptions.includes(request.perception))
    refusePay(400, 'INVALID_REQUEST', '暂不支持展示当前传入的用户收款感知')
  if (!ownsOpenId(core, merchant, request.appId, request.openId))
    refusePay(400, 'INVALID_REQUEST', 'openid与appid不匹配')
  const { minPerBill, maxPerBill } = merchant.amounts
  if (core.limits.has('payAmounts') && (request.amount < minPerBill || request.amount > maxPerBill))
    refusePay(400, 'INVALID_REQUEST', '超过单笔转账上下限，核实产品设置是否准确')
}
