import { capabilitiesOf } from '../channels/capabilities.ts'
import type { OfficialAccountChannel } from '../channels/channel.ts'
import type { OfficialAccountConfig } from '../config.ts'
import { type Check, cannotTell, mend, ok } from './check.ts'
import { lastCallback } from './shared.ts'
import { shortened } from './wecom.ts'

const CONSOLE = '公众平台（mp.weixin.qq.com）'
const DEVELOPER_PAGE = '微信开发者平台 → 我的业务 → 公众号 / 服务号'
/** The fields that a notice fills in (`server/channels/official-account/templates.ts`). */
const FIELDS = ['thing1', 'time2', 'thing3']
/** The interface whose count the platform is asked for: the one that is used most. */
const MOST_USED = '/cgi-bin/message/custom/send'

const modeNames = { secure: '安全模式', compatible: '兼容模式', plain: '明文模式' }
const kindNames = { service: '服务号', subscription: '订阅号' }

/** What a self-check asks of the Official Account. */
export function officialAccountChecks(
  account: OfficialAccountChannel,
  config: OfficialAccountConfig,
): Check[] {
  const check = (id: string, title: string, run: Check['run']): Check => ({
    id: `official.${id}`,
    section: 'official-account',
    title,
    run,
  })
  const capabilities = capabilitiesOf(config)
  return [
    check('token', '密钥和 IP 白名单', async () => {
      const addresses = await account.callbackAddresses()
      return ok(
        `取得 access_token，服务器的出口 IP 在白名单里；平台的回调来自 ${addresses.length} 个地址段。`,
      )
    }),
    check('callback', '服务器配置（回调）', rt =>
      lastCallback(rt, 'official-account', {
        path: '/webhooks/official-account',
        click: `${DEVELOPER_PAGE} → 消息与事件推送，URL 填 {url}，Token 和 EncodingAESKey 与配置一致，加解密方式选${modeNames[config.mode]}，保存并启用`,
      }),
    ),
    check('mode', '消息加解密方式', () =>
      config.mode === 'plain'
        ? mend(
            '现在是明文模式：正文不签名，看到回调网址的人十分钟内可以换一个正文重放。',
            `${DEVELOPER_PAGE} → 消息与事件推送，改为安全模式，同时设 OFFICIAL_ACCOUNT_MODE=secure 和 OFFICIAL_ACCOUNT_AES_KEY 并重启。`,
          )
        : ok(`现在是${modeNames[config.mode]}。`),
    ),
    check('verified', '账号类型和认证', () => {
      const what = `${config.isVerified ? '已认证' : '未认证'}的${kindNames[config.kind]}`
      if (account.lacks.length === 0) return ok(`按${what}配置，要用的接口都有。`)
      const words = `按${what}配置，用不了：${shortened(account.lacks)}；机器人会照实说明替代办法。`
      return config.isVerified
        ? cannotTell(words, '订阅号升级不了服务号；确有需要时另申请一个服务号。')
        : mend(words, `${CONSOLE} → 设置与开发 → 微信认证；通过后设 OFFICIAL_ACCOUNT_VERIFIED=yes 并重启。`)
    }),
    check('template', '通知模板', async () => {
      if (capabilities.template !== 'yes') return cannotTell(`${capabilities.template}。`)
      const { noticeTemplate } = config
      const howTo = `${CONSOLE} → 广告与服务 → 模板消息 → 模板库，选一个带 ${FIELDS.join('、')} 的模板，把模板 ID 填进 OFFICIAL_ACCOUNT_NOTICE_TEMPLATE 并重启。`
      if (noticeTemplate === null) return mend('没有设置通知模板：48 小时没有发言的群主叫不到。', howTo)
      const templates = await account.templates()
      const template = templates.find(each => each.templateId === noticeTemplate)
      if (!template) return mend('配置的通知模板不在公众号的模板里，可能已删除。', howTo)
      const missing = FIELDS.filter(name => !template.fields.includes(name))
      return missing.length > 0
        ? mend(`通知模板“${template.title}”没有字段 ${missing.join('、')}。`, howTo)
        : ok(`通知模板“${template.title}”在，字段齐全。`)
    }),
    check('quota', '今天的接口额度', async () => {
      if (capabilities.customerService !== 'yes') return cannotTell(`${capabilities.customerService}。`)
      const { limit, used } = await account.readQuota(MOST_USED)
      const words = `客服消息今天用了 ${used} 次，上限 ${limit} 次`
      return limit > 0 && used >= limit * 0.9
        ? mend(
            `${words}，快用完了，明天零点恢复。`,
            `急用可在${CONSOLE} → 设置与开发 → 接口权限清零（每月 10 次）。`,
          )
        : ok(`${words}。`)
    }),
  ]
}
