import { refuse } from '../api-error.ts'
import type { Core, OfficialAccount } from '../core.ts'
import { MINUTE } from '../limits.ts'
import { mayLogIn } from './official-permissions.ts'
import { type LoginCode, stateOf, takeDaily } from './official-state.ts'
import { type ApiCall, type ApiTable, get, type OpenCall } from './platform.ts'

const TOKEN_SECONDS = 7200
const CODE_LIFE = 5 * MINUTE

/** A code for the page that the browser is led back to: five minutes, once. */
export function newLoginCode(
  core: Core,
  account: OfficialAccount,
  who: Omit<LoginCode, 'expiresAt' | 'used'>,
): string {
  const code = core.ids.letters(32)
  stateOf(account).loginCodes.set(code, {
    ...who,
    expiresAt: core.clock.now().getTime() + CODE_LIFE,
    used: false,
  })
  return code
}

function accountBySecret({ core, query }: OpenCall): OfficialAccount {
  const account = core.accounts.find(candidate => candidate.appId === query.appid)
  if (!account) refuse(40013, 'invalid appid')
  if (account.secret !== query.secret) refuse(40125, 'invalid appsecret')
  if (!mayLogIn(account)) refuse(48001, 'api unauthorized')
  return account
}

/** @see developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken */
function exchangeCode(call: OpenCall) {
  const { core, query } = call
  const account = accountBySecret(call)
  if (query.grant_type !== 'authorization_code') refuse(40002, 'invalid grant_type')
  if (!query.code) refuse(41008, 'missing code')
  const { loginCodes, loginGrants } = stateOf(account)
  const code = loginCodes.get(query.code)
  const now = core.clock.now().getTime()
  if (!code) refuse(40029, 'invalid code')
  if (code.used) refuse(40163, 'code been used')
  if (code.expiresAt <= now) refuse(40029, 'invalid code')
  code.used = true
  const token = core.ids.letters(110)
  loginGrants.set(token, {
    openId: code.openId,
    scope: code.scope,
    expiresAt: now + TOKEN_SECONDS * 1000,
  })
  return {
    access_token: token,
    expires_in: TOKEN_SECONDS,
    refresh_token: core.ids.letters(110),
    openid: code.openId,
    scope: code.scope,
    ...(code.isSnapshot ? { is_snapshotuser: 1 } : {}),
    ...(code.unionId === undefined ? {} : { unionid: code.unionId }),
  }
}

/** @see developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo */
function profile({ core, query }: OpenCall) {
  const { access_token: token, openid } = query
  if (!token) refuse(41001, 'access_token missing')
  const grant = core.accounts
    .map(account => stateOf(account).loginGrants.get(token))
    .find(found => found !== undefined)
  if (!grant) refuse(40001, 'invalid credential, access_token is invalid or not latest')
  if (grant.expiresAt <= core.clock.now().getTime()) refuse(42001, 'access_token expired')
  if (grant.openId !== openid) refuse(40003, 'invalid openid')
  if (!grant.scope.includes('snsapi_userinfo')) refuse(48001, 'api unauthorized')
  const person = core.world.byOpenId(grant.openId)
  return {
    openid,
    nickname: person?.name ?? '微信用户',
    sex: 0,
    province: '',
    city: '',
    country: '',
    headimgurl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/simulated/132',
    privilege: [],
    ...(person?.unionId === undefined ? {} : { unionid: person.unionId }),
  }
}

/** One ticket until it expires; asking too often is refused. @see developers.weixin.qq.com/doc/service/guide/h5/jssdk.html */
function jsapiTicket(call: ApiCall<OfficialAccount>) {
  const { core, query, subject } = call
  if (query.type !== 'jsapi' && query.type !== 'wx_card') refuse(40097, 'invalid args')
  takeDaily(call, 'ticket/getticket', 1_000_000)
  const state = stateOf(subject)
  const now = core.clock.now().getTime()
  if (!state.jsapiTicket || state.jsapiTicket.expiresAt <= now)
    state.jsapiTicket = { ticket: core.ids.letters(86), expiresAt: now + TOKEN_SECONDS * 1000 }
  const { ticket, expiresAt } = state.jsapiTicket
  return { ticket, expires_in: Math.ceil((expiresAt - now) / 1000) }
}

export const officialLogin: ApiTable<OfficialAccount> = {
  '/sns/oauth2/access_token': { method: 'GET', open: true, counted: true, runOpen: exchangeCode },
  '/sns/userinfo': { method: 'GET', open: true, counted: true, runOpen: profile },
  '/cgi-bin/ticket/getticket': get(jsapiTicket),
}
