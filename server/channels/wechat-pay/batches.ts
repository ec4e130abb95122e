import { z } from 'zod'
import type { BillNews, BillOrder, PayState } from '../../payments.ts'
import { ChannelError } from '../errors.ts'
import type { PayClient } from './client.ts'
import { type PayPort, PayRefusal } from './port.ts'

const BATCHES = '/v3/transfer/batches'

const detailStates: Readonly<Record<string, PayState>> = {
  INIT: 'accepted',
  WAIT_PAY: 'accepted',
  PROCESSING: 'processing',
  SUCCESS: 'paid',
  FAIL: 'failed',
}

const detailForm = z.object({
  out_detail_no: z.string(),
  detail_id: z.string().optional(),
  detail_status: z.string(),
  transfer_amount: z.number().int().optional(),
  fail_reason: z.string().optional(),
  openid: z.string().optional(),
})

/**
 * The interface of before 2025, for merchants who still have it: a batch of one payment for each bill, so that a number is
 * one payment here as there. Nobody confirms, and nothing can be called back.
 */
export function batchesPort(client: PayClient): PayPort {
  async function find(number: string): Promise<BillNews | null> {
    const name = encodeURIComponent(number)
    try {
      return newsOf(
        number,
        await client.call('GET', `${BATCHES}/out-batch-no/${name}/details/out-detail-no/${name}`),
      )
    } catch (error) {
      if (error instanceof PayRefusal && error.word === 'NOT_FOUND') return null
      throw error
    }
  }
  return {
    appId: client.config.appId,
    mchId: client.config.mchId,
    needsConfirmation: false,
    async pay(order: BillOrder) {
      const name = await client.sealName(order.name)
      await client.call(
        'POST',
        BATCHES,
        {
          appid: order.appId,
          out_batch_no: order.number,
          batch_name: order.remark,
          batch_remark: order.remark,
          total_amount: order.fen,
          total_num: 1,
          transfer_scene_id: order.sceneId,
          notify_url: order.notifyUrl,
          transfer_detail_list: [
            {
              out_detail_no: order.number,
              transfer_amount: order.fen,
              transfer_remark: order.remark,
              openid: order.openId,
              user_name: name.text,
            },
          ],
        },
        name.serial,
      )
      return {
        number: order.number,
        platformNumber: null,
        state: 'accepted',
        failReason: null,
        packageInfo: null,
        fen: null,
        openId: null,
      }
    },
    find,
    cancel() {
      return Promise.reject(new PayRefusal('rejected', 'NOT_SUPPORTED'))
    },
  }
}

function newsOf(number: string, answer: unknown): BillNews {
  const read = detailForm.safeParse(answer)
  const state = read.success ? detailStates[read.data.detail_status] : undefined
  if (!read.success || state === undefined || read.data.out_detail_no !== number)
    throw new ChannelError('unreachable', '微信支付的应答看不懂', { isUncertain: true })
  const { data } = read
  return {
    number,
    platformNumber: data.detail_id ?? null,
    state,
    failReason: data.fail_reason ?? null,
    packageInfo: null,
    fen: data.transfer_amount ?? null,
    openId: data.openid ?? null,
  }
}

const batchNoticeForm = z.object({ out_batch_no: z.string(), mchid: z.string() })

/** The bill that a batch's notification is about; how it ended is asked for. @throws ChannelError `malformed` */
export function readBatchNotice(plain: unknown): { number: string; mchId: string } {
  const read = batchNoticeForm.safeParse(plain)
  if (!read.success) throw new ChannelError('malformed', 'not about a batch')
  return { number: read.data.out_batch_no, mchId: read.data.mchid }
}
