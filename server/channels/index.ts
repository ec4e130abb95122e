import type { Config } from '../config.ts'
import { createAibotChannel } from './aibot/index.ts'
import type { Channels } from './channel.ts'
import { createOfficialAccountChannel } from './official-account/index.ts'
import type { ChannelServices } from './services.ts'
import { createWechatPay } from './wechat-pay/index.ts'
import { createWecomChannel } from './wecom/index.ts'

/** The configured platform accounts. */
export function createChannels(config: Config, services: ChannelServices): Channels {
  return {
    wecom: config.wecom ? createWecomChannel(config.wecom, services) : null,
    officialAccount: config.officialAccount
      ? createOfficialAccountChannel(config.officialAccount, services)
      : null,
    aibot: config.aibot ? createAibotChannel(config.aibot, config.wecomBaseUrl, services) : null,
    wechatPay: config.wechatPay ? createWechatPay(config.wechatPay, services) : null,
  }
}
