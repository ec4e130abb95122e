import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import { chinaMonth, MINUTE } from '../limits.ts'
import { flag } from './fields.ts'
import { officialCodes } from './official-codes.ts'
import { officialLogin } from './official-login.ts'
import { officialMedia } from './official-media.ts'
import { officialMenu } from './official-menu.ts'
import { permitted } from './official-permissions.ts'
import { stateOf, usedDaily } from './official-state.ts'
import { officialUsers } from './official-users.ts'
import { type ApiCall, type ApiTable, get, type OpenCall, post } from './platform.ts'

/** @see developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken */
const STABLE_PER_MINUTE = 10_000
const STABLE_PER_DAY = 500_000
const CLASSIC_PER_DAY = 2000
const CLEARINGS_PER_MONTH = 10

function accountOf({ core }: OpenCall, appId: unknown, secret: unknown): OfficialAccount {
  if (!appId) refuse(41002, 'appid missing')
  if (!secret) refuse(41004, 'appsecret missing')
  const account = core.accounts.find(candidate => candidate.appId === appId)
  if (!account) refuse(40013, 'invalid appid')
  if (account.secret !== secret) refuse(40125, 'invalid appsecret')
  return account
}

function stableToken(call: OpenCall) {
  const { core, body } = call
  if (body.grant_type !== 'client_credential') refuse(40002, 'invalid grant_type')
  const account = accountOf(call, body.appid, body.secret)
  const key = `stable|${account.appId}`
  if (core.limits.has('officialQuota')) {
    if (!core.limits.take(`${key}|m`, STABLE_PER_MINUTE, MINUTE))
      refuse(45011, 'api minute-quota reach limit')
    if (!core.limits.takeToday(`${key}|d`, STABLE_PER_DAY)) refuse(45009, 'reach max api daily quota limit')
  }
  return { ...core.tokens.stable(account, flag(body, 'force_refresh', false)) }
}

function classicToken(call: OpenCall) {
  const { core, query } = call
  if (query.grant_type !== 'client_credential') refuse(40002, 'invalid grant_type')
  const account = accountOf(call, query.appid, query.secret)
  const free = core.limits.takeToday(`classic|${account.appId}`, CLASSIC_PER_DAY)
  if (core.limits.has('officialQuota') && !free) refuse(45009, 'reach max api daily quota limit')
  return { ...core.tokens.classic(account) }
}

/** Ten times a month. @see developers.weixin.qq.com/doc/service/api/apimanage/api_clearquota */
function clearQuota({ core, subject, body }: ApiCall<OfficialAccount>) {
  if (body.appid !== subject.appId) refuse(40013, 'invalid appid')
  const state = stateOf(subject)
  const { month } = chinaMonth(core.clock.now())
  const key = 'clear_quota'
  const known = state.monthly.get(key)
  const count = known?.month === month ? known.count : 0
  if (count >= CLEARINGS_PER_MONTH) refuse(48006, 'forbid to clear quota because of reaching the limit')
  state.monthly.set(key, { month, count: count + 1 })
  state.quotaRound += 1
  return {}
}

/** What some interfaces allow in a day, by their path. */
const DAILY: Record<string, [name: string, limit: number]> = {
  '/cgi-bin/message/custom/send': ['custom/send', 500_000],
  '/cgi-bin/message/mass/send': ['mass', 100],
  '/cgi-bin/user/get': ['user/get', 500],
  '/cgi-bin/qrcode/create': ['qrcode/create', 100_000],
}

/** @see developers.weixin.qq.com/doc/service/api/apimanage/api_getapiquota */
function getQuota(call: ApiCall<OfficialAccount>) {
  const [name, limit] = DAILY[String(call.body.cgi_path)] ?? refuse(76021, 'cgi_path not found, please check')
  const used = usedDaily(call, name)
  return { quota: { daily_limit: limit, used, remain: limit - used } }
}

export const officialBase: ApiTable<OfficialAccount> = permitted({
  '/cgi-bin/stable_token': { method: 'POST', open: true, counted: false, runOpen: stableToken },
  '/cgi-bin/token': { method: 'GET', open: true, counted: false, runOpen: classicToken },
  '/cgi-bin/clear_quota': post(clearQuota),
  '/cgi-bin/openapi/quota/get': post(getQuota),
  '/cgi-bin/getcallbackip': get(() => ({ ip_list: ['127.0.0.1', '101.226.103.0/25'] })),
  '/cgi-bin/get_api_domain_ip': get(() => ({ ip_list: ['127.0.0.1'] })),
  ...officialUsers,
  ...officialMenu,
  ...officialCodes,
  ...officialLogin,
  ...officialMedia,
})
