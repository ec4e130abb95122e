import type { WechatPayConfig } from '../../config.ts'
import type { WechatPay } from '../channel.ts'
import type { ChannelServices } from '../services.ts'
import { batchesPort } from './batches.ts'
import { billsPort } from './bills.ts'
import { createPayClient } from './client.ts'
import { payReceipts } from './receipts.ts'

/** WeChat Pay for one merchant, by the interface that the merchant has. */
export function createWechatPay(
  config: WechatPayConfig,
  { now, trace }: Pick<ChannelServices, 'now' | 'trace'>,
): WechatPay {
  const client = createPayClient(config, now, ({ call, status, tookMs }) =>
    trace({
      channel: 'wechat-pay',
      call,
      // its codes are words; HTTP's own number tells an operator as much
      errcode: status === 200 ? 0 : status,
      message: null,
      tookMs,
    }),
  )
  return {
    port: config.interface === 'bills' ? billsPort(client) : batchesPort(client),
    receipts: config.interface === 'bills' ? payReceipts(client) : null,
    openNotice: client.openNotice,
  }
}
