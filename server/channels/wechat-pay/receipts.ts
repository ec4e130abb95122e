import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ChannelError } from '../errors.ts'
import type { PayClient } from './client.ts'
import { PayRefusal } from './port.ts'

const RECEIPTS = '/v3/fund-app/mch-transfer/elecsign/out-bill-no'

/** What has become of a receipt that was asked for; `failed` can be asked for again. */
export type PayReceipt = { state: 'making' | 'failed' } | { state: 'ready'; pdf: Buffer }

/** 电子回单 of payments that were made with a name, for six months; the platform makes one in a few minutes. */
export interface PayReceipts {
  /** Asking twice is asking once. @throws PayRefusal, ChannelError */
  request(number: string): Promise<void>
  /** @returns null: none was asked for, or it is gone */
  fetch(number: string): Promise<PayReceipt | null>
}

const answerForm = z.object({
  state: z.string(),
  hash_type: z.string().optional(),
  hash_value: z.string().optional(),
  download_url: z.string().optional(),
})

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4012716452 */
export function payReceipts(client: PayClient): PayReceipts {
  return {
    async request(number) {
      await client.call('POST', RECEIPTS, { out_bill_no: number })
    },
    async fetch(number) {
      let answer: unknown
      try {
        answer = await client.call('GET', `${RECEIPTS}/${encodeURIComponent(number)}`)
      } catch (error) {
        if (error instanceof PayRefusal && error.word === 'NOT_FOUND') return null
        throw error
      }
      const read = answerForm.safeParse(answer)
      if (!read.success) throw new ChannelError('unreachable', '微信支付的应答看不懂')
      const { state, download_url, hash_type, hash_value } = read.data
      if (state === 'FAILED') return { state: 'failed' }
      if (state !== 'FINISHED' || download_url === undefined) return { state: 'making' }
      const pdf = await client.download(ownPath(client.config.baseUrl, download_url))
      // the file itself is not signed, but the answer with its hash is
      if (!isWhole(pdf, hash_type, hash_value))
        throw new ChannelError('unreachable', '回单和它的校验值不符，请再下载一次')
      return { state: 'ready', pdf }
    },
  }
}

/** The requests carry our signature: they go to WeChat Pay and nowhere else. @throws ChannelError `malformed` */
function ownPath(baseUrl: string, url: string): string {
  if (!url.startsWith(`${baseUrl}/`)) throw new ChannelError('malformed', '回单的下载地址不是微信支付的')
  return url.slice(baseUrl.length)
}

function isWhole(file: Buffer, type = '', value = ''): boolean {
  const name = type.toLowerCase()
  if (name !== 'sha256' && name !== 'sha1') return false
  return createHash(name).update(file).digest('hex') === value.toLowerCase()
}
