import { groupOwnersInWecom } from '../../db/queries/troubles.ts'
import type { WecomChannel } from '../channels/channel.ts'
import { ChannelError } from '../channels/errors.ts'
import { countOf, quotas, takePlace } from '../limits.ts'
import type { Runtime } from '../runtime.ts'
import { type Check, mend, ok } from './check.ts'
import { countOfToday, lastCallback } from './shared.ts'

const APP_PAGE = '企业微信管理后台 → 应用管理 → 本应用'
const CUSTOMERS = '企业微信管理后台 → 客户与上下游 → 客户联系'
/** Owners that are looked up: each is a call. */
const MOST_LOOKED_UP = 20
const NAMED = 5
/** Member or department outside of what the app may see. */
const OUTSIDE = new Set([60011, 60021])
const UNKNOWN_MEMBER = 60111

/** What a self-check asks of the WeCom app. */
export function wecomChecks(wecom: WecomChannel): Check[] {
  const check = (id: string, title: string, run: Check['run']): Check => ({
    id: `wecom.${id}`,
    section: 'wecom',
    title,
    run,
  })
  return [
    check('token', '密钥和企业可信 IP', async rt => {
      await place(rt, '/cgi-bin/getcallbackip')
      const addresses = await wecom.addresses.callbacks()
      return ok(`取得 access_token，服务器的出口 IP 可信；平台的回调来自 ${addresses.length} 个地址。`)
    }),
    check('callback', '接收消息（回调）', rt =>
      lastCallback(rt, 'wecom', {
        path: '/webhooks/wecom',
        click: `${APP_PAGE} → 接收消息 → 设置 API 接收，URL 填 {url}，Token 和 EncodingAESKey 与配置一致，点“保存”`,
      }),
    ),
    check('visible', '应用可见范围', rt => visibleRange(rt, wecom)),
    check('customers', '客户联系权限', async rt => {
      await place(rt, '/cgi-bin/externalcontact/get_follow_user_list')
      const members = await wecom.customers.listFollowUsers()
      return members.length === 0
        ? mend(
            '应用能调用客户联系接口，但没有一位成员配置了客户联系功能，客户群和入群码都用不了。',
            `${CUSTOMERS} → 权限配置 → 客户联系和客户群的使用范围，把群主加进去。`,
          )
        : ok(`应用能调用客户联系接口，${members.length} 位成员配置了客户联系功能。`)
    }),
    check('verified', '企业认证', rt =>
      rt.config.wecom?.isVerified
        ? ok('按已认证的企业配置（WECOM_VERIFIED=yes）。')
        : mend(
            `按未认证的企业配置，用不了：${shortened(wecom.lacks)}。`,
            '企业微信管理后台 → 我的企业 → 企业信息 → 认证；通过后设 WECOM_VERIFIED=yes 并重启。',
          ),
    ),
    check('quota', '今天的应用消息额度', async rt => {
      const used = await countOfToday(rt, 'wecom.app.day')
      const cap = rt.config.wecom?.accountCap ?? 0
      const limit = countOf(quotas['wecom.app.day'], rt.clock.now(), cap)
      const words = `今天已用 ${used} 人次，上限 ${limit}（帐号上限 ${cap} × 200）`
      return used >= limit * 0.9
        ? mend(
            `${words}，快用完了；用完后普通消息排到明天零点。`,
            '企业微信管理后台 → 我的企业 → 企业信息 → 帐号上限；实际上限更高时，改 WECOM_ACCOUNT_CAP 后重启。',
          )
        : ok(`${words}。`)
    }),
  ]
}

function place(rt: Runtime, path: string): Promise<void> {
  return takePlace(rt, { to: 'wecom-api', path })
}

/** Whether the app sees the owners of groups: it can write to nobody else. Some are looked up, not all. */
async function visibleRange(rt: Runtime, wecom: WecomChannel) {
  const { owners, accounts } = await groupOwnersInWecom(rt.db)
  if (owners === 0) return ok('还没有登记过群，没有群主要核对。')
  const looked = accounts.slice(0, MOST_LOOKED_UP)
  const outside: string[] = []
  const gone: string[] = []
  for (const { name, address } of looked) {
    await place(rt, '/cgi-bin/user/get')
    try {
      await wecom.directory.readMember(address)
    } catch (error) {
      const code = error instanceof ChannelError ? error.platformCode : null
      if (code !== null && OUTSIDE.has(code)) outside.push(name)
      else if (code === UNKNOWN_MEMBER) gone.push(name)
      else throw error
    }
  }
  const unbound = owners - accounts.length
  const rest = unbound > 0 ? `另有 ${unbound} 位群主没有绑定企业微信账号。` : ''
  const lookedUp = `查了 ${looked.length} 位已绑定的群主${accounts.length > looked.length ? `（共 ${accounts.length} 位）` : ''}`
  if (outside.length > 0)
    return mend(
      `${lookedUp}，${outside.length} 位不在应用的可见范围里，收不到消息：${named(outside)}。${rest}`,
      `${APP_PAGE} → 可见范围 → 编辑，把所有群主和工作人员（或其部门）加进去。`,
    )
  if (gone.length > 0)
    return mend(
      `${lookedUp}，${gone.length} 位已经不在企业通讯录里：${named(gone)}。${rest}`,
      '请其上级组织换群主，或在企业微信管理后台 → 通讯录里把人加回来。',
    )
  return ok(`${lookedUp}，都在可见范围里。${rest}`)
}

function named(names: string[]): string {
  return `${names.slice(0, NAMED).join('、')}${names.length > NAMED ? ' 等' : ''}`
}

/** What is lacking by its names only; the reasons are the same for all. */
export function shortened(lacks: string[]): string {
  return lacks.map(lack => lack.split('：')[0]).join('、')
}
