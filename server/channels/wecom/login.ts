import { getJsApiSignature } from '@wecom/crypto'
import type { PlatformAnswer } from '../http.ts'
import { type AppIdentity, text, type WecomCall } from './call.ts'
import { checkForm, refuse } from './checks.ts'

/** Who came back from a login page. */
export type Visitor =
  /** `ticket` opens `readPrivate` for half an hour; there only after `snsapi_privateinfo`. Of a downstream corp: `corpid/userid`. */
  | { kind: 'member'; userId: string; ticket: string | null }
  /** Somebody outside the corp. `customerId` where they are a customer. */
  | { kind: 'outsider'; openId: string; customerId: string | null }

/** What a member has agreed to show. Empty where they have not. */
export interface PrivateDetails {
  userId: string
  mobile: string
  email: string
}

/** What the page's `wx.config` or `wx.agentConfig` needs. */
export interface PageSignature {
  corpId: string
  agentId: number
  timestamp: number
  nonce: string
  signature: string
}

/** Logging in with WeCom, and the signatures of pages that use its JavaScript. */
export interface WecomLogin {
  /**
   * The address that asks who is looking, for pages within WeCom and WeChat.
   * @param state comes back with the code; at most 128 letters and digits. Bind it to the session: it is what keeps
   *   strangers' codes out
   * @param withDetails asks the member for mobile and mail too
   */
  pageUrl(redirectUrl: string, state: string, withDetails?: boolean): string
  /** The page with a code to scan, for browsers on a computer. */
  scanUrl(redirectUrl: string, state: string): string
  /** @throws ChannelError `rejected` (40029) for a code that is wrong, used or older than five minutes */
  identify(code: string): Promise<Visitor>
  readPrivate(ticket: string): Promise<PrivateDetails>
  /** @param kind `corp` for `wx.config`, `app` for `wx.agentConfig` @param url of the page as the browser shows it */
  signPage(kind: 'corp' | 'app', url: string, nonce: string): Promise<PageSignature>
}

const OPEN = 'https://open.weixin.qq.com/connect/oauth2/authorize'
const SCAN = 'https://login.work.weixin.qq.com/wwlogin/sso/login'
const MAX_CODE_BYTES = 512

export function createLogin(
  call: WecomCall,
  app: AppIdentity,
  now: () => Date,
  /** A ticket that is kept for all processes: the platform gives few an hour. */
  ticketFor: (kind: 'corp' | 'app') => Promise<string>,
): WecomLogin {
  return {
    /** @see https://developer.work.weixin.qq.com/document/path/91022 */
    pageUrl(redirectUrl, state, withDetails = false) {
      checkState(state)
      const query = new URLSearchParams({
        appid: app.corpId,
        redirect_uri: redirectUrl,
        response_type: 'code',
        scope: withDetails ? 'snsapi_privateinfo' : 'snsapi_base',
        state,
        agentid: String(app.agentId),
      })
      return `${OPEN}?${query}#wechat_redirect`
    },
    /** @see https://developer.work.weixin.qq.com/document/path/98152 */
    scanUrl(redirectUrl, state) {
      checkState(state)
      const query = new URLSearchParams({
        login_type: 'CorpApp',
        appid: app.corpId,
        agentid: String(app.agentId),
        redirect_uri: redirectUrl,
        state,
      })
      return `${SCAN}?${query}`
    },
    /** @see https://developer.work.weixin.qq.com/document/path/91023 */
    async identify(code) {
      if (code === '' || Buffer.byteLength(code) > MAX_CODE_BYTES) refuse('登录已失效，请重新进入')
      // a code works once: a lost answer cannot be asked for again
      return readVisitor(await call({ path: '/cgi-bin/auth/getuserinfo', query: { code } }))
    },
    /** @see https://developer.work.weixin.qq.com/document/path/95833 */
    async readPrivate(ticket) {
      const body = { user_ticket: ticket }
      const answer = await call({ path: '/cgi-bin/auth/getuserdetail', body, isSafe: true })
      return {
        userId: text(answer.userid),
        mobile: text(answer.mobile),
        email: text(answer.email) || text(answer.biz_mail),
      }
    },
    /** @see https://developer.work.weixin.qq.com/document/path/90506 */
    async signPage(kind, url, nonce) {
      const timestamp = Math.floor(now().getTime() / 1000)
      const ticket = await ticketFor(kind)
      // the part of the address behind # is not signed
      const [page = ''] = url.split('#')
      const { signature } = getJsApiSignature({ url: page, ticket, nonceStr: nonce, timestamp })
      return { corpId: app.corpId, agentId: app.agentId, timestamp, nonce, signature }
    },
  }
}

function checkState(state: string): void {
  checkForm('state', state, /^[0-9A-Za-z]{1,128}$/)
}

/** Older answers write the names with capitals. */
function readVisitor(answer: PlatformAnswer): Visitor {
  const userId = text(answer.userid) || text(answer.UserId)
  if (userId !== '') return { kind: 'member', userId, ticket: text(answer.user_ticket) || null }
  const openId = text(answer.openid) || text(answer.OpenId)
  if (openId === '') refuse('登录没有得到身份，请重新进入')
  return { kind: 'outsider', openId, customerId: text(answer.external_userid) || null }
}
