import { z } from 'zod'
import type { BillNews, BillOrder, PayState } from '../../payments.ts'
import { ChannelError } from '../errors.ts'
import type { PayClient } from './client.ts'
import { type PayPort, PayRefusal } from './port.ts'

const BILLS = '/v3/fund-app/mch-transfer/transfer-bills'

const states: Readonly<Record<string, PayState>> = {
  ACCEPTED: 'accepted',
  PROCESSING: 'processing',
  WAIT_USER_CONFIRM: 'waiting',
  // as the platform spells it, and as it might one day
  TRANSFERING: 'transferring',
  TRANSFERRING: 'transferring',
  CANCELING: 'cancelling',
  CANCELLING: 'cancelling',
  SUCCESS: 'paid',
  FAIL: 'failed',
  CANCELLED: 'cancelled',
  CANCELED: 'cancelled',
}

const newsForm = z.object({
  out_bill_no: z.string(),
  transfer_bill_no: z.string().optional(),
  state: z.string(),
  fail_reason: z.string().optional(),
  package_info: z.string().optional(),
  transfer_amount: z.number().int().optional(),
  openid: z.string().optional(),
})

/** Reads what the platform says of a bill, in an answer or a notification. @throws ChannelError `malformed` */
export function readBillNews(value: unknown): BillNews {
  const read = newsForm.safeParse(value)
  const state = read.success ? states[read.data.state] : undefined
  if (!read.success || state === undefined) throw new ChannelError('malformed', 'not about a bill')
  const { data } = read
  return {
    number: data.out_bill_no,
    platformNumber: data.transfer_bill_no ?? null,
    state,
    failReason: data.fail_reason ?? null,
    packageInfo: data.package_info ?? null,
    fen: data.transfer_amount ?? null,
    openId: data.openid ?? null,
  }
}

/** 商家转账 in its present form: one bill a person, which they confirm within 24 hours. */
export function billsPort(client: PayClient): PayPort {
  const path = (number: string) => `${BILLS}/out-bill-no/${encodeURIComponent(number)}`
  return {
    appId: client.config.appId,
    mchId: client.config.mchId,
    needsConfirmation: true,
    async pay(order: BillOrder) {
      const name = await client.sealName(order.name)
      return newsOf(
        order.number,
        await client.call(
          'POST',
          BILLS,
          {
            appid: order.appId,
            out_bill_no: order.number,
            transfer_scene_id: order.sceneId,
            openid: order.openId,
            user_name: name.text,
            transfer_amount: order.fen,
            transfer_remark: order.remark,
            notify_url: order.notifyUrl,
            user_recv_perception: order.perception,
            transfer_scene_report_infos: order.reports.map(({ type, content }) => ({
              info_type: type,
              info_content: content,
            })),
          },
          name.serial,
        ),
      )
    },
    async find(number) {
      try {
        return newsOf(number, await client.call('GET', path(number)))
      } catch (error) {
        if (error instanceof PayRefusal && error.word === 'NOT_FOUND') return null
        throw error
      }
    },
    async cancel(number) {
      const answer = await client.call('POST', `${path(number)}/cancel`)
      return newsOf(number, answer).state
    },
  }
}

/** An answer about another bill says nothing of this one. */
function newsOf(number: string, answer: unknown): BillNews {
  let news: BillNews
  try {
    news = readBillNews(answer)
  } catch (error) {
    throw new ChannelError('unreachable', '微信支付的应答看不懂', { isUncertain: true, cause: error })
  }
  if (news.number !== number)
    throw new ChannelError('unreachable', '微信支付答的是另一张单', { isUncertain: true })
  return news
}
