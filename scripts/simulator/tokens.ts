import { refuse } from './api-error.ts'
import type { Core, OfficialAccount, WecomApp } from './core.ts'
import { MINUTE } from './limits.ts'

const LIFE_SECONDS = 7200
const OVERLAP = 5 * MINUTE

interface Grant<Subject> {
  token: string
  subject: Subject
  expiresAt: number
  voided: boolean
}

interface Issued {
  access_token: string
  expires_in: number
}

export interface Tokens {
  /** @see developer.work.weixin.qq.com/document/path/91039 : the same token again until it expires. */
  wecom(app: WecomApp): Issued
  /** @see developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken */
  stable(account: OfficialAccount, force: boolean): Issued
  /** The older interface: every call makes a new token, the one before it lives five minutes more. */
  classic(account: OfficialAccount): Issued
  appOf(token: string): WecomApp
  accountOf(token: string): OfficialAccount
  /** Makes every token given so far invalid at once. */
  voidAll(): void
}

export function createTokens(core: Pick<Core, 'clock' | 'ids' | 'limits'>): Tokens {
  const apps = new Map<string, Grant<WecomApp>>()
  const accounts = new Map<string, Grant<OfficialAccount>>()
  /** The newest grant for each app, stable account and classic account. */
  const newestApp = new Map<string, Grant<WecomApp>>()
  const newestAccount = new Map<string, Grant<OfficialAccount>>()
  const now = () => core.clock.now().getTime()
  const alive = (grant: { expiresAt: number; voided: boolean }) =>
    !grant.voided && (!core.limits.has('tokenExpiry') || grant.expiresAt > now())

  function make<Subject>(
    subject: Subject,
    store: Map<string, Grant<Subject>>,
    length: number,
  ): Grant<Subject> {
    const token = core.ids.letters(length)
    const grant = { token, subject, expiresAt: now() + LIFE_SECONDS * 1000, voided: false }
    store.set(token, grant)
    return grant
  }
  const issued = (grant: { token: string; expiresAt: number }): Issued => ({
    access_token: grant.token,
    expires_in: Math.max(1, Math.floor((grant.expiresAt - now()) / 1000)),
  })

  function check<Subject>(store: Map<string, Grant<Subject>>, token: string, voidedCode: number): Subject {
    if (token === '') refuse(41001, 'access_token missing')
    const grant = store.get(token)
    if (!grant) refuse(40014, 'invalid access_token')
    if (grant.voided) refuse(voidedCode, 'invalid credential, access_token is invalid or not latest')
    if (!alive(grant)) refuse(42001, 'access_token expired')
    return grant.subject
  }

  return {
    wecom(app) {
      const key = `${app.corpId}|${app.secret}`
      const before = newestApp.get(key)
      if (before && alive(before)) return issued(before)
      const grant = make(app, apps, 214)
      newestApp.set(key, grant)
      return issued(grant)
    },
    stable(account, force) {
      const key = `stable|${account.appId}`
      const before = newestAccount.get(key)
      if (force) {
        if (!core.limits.takeToday(`force|${account.appId}`, 20))
          refuse(45009, 'reach max api daily quota limit')
        if (!core.limits.take(`force30|${account.appId}`, 1, 30_000))
          refuse(45011, 'api minute-quota reach limit')
        if (before) before.voided = true
      } else if (before && alive(before) && before.expiresAt - OVERLAP > now()) {
        return issued(before)
      }
      const grant = make(account, accounts, 136)
      newestAccount.set(key, grant)
      return issued(grant)
    },
    classic(account) {
      const key = `classic|${account.appId}`
      const before = newestAccount.get(key)
      if (before) before.expiresAt = Math.min(before.expiresAt, now() + OVERLAP)
      const grant = make(account, accounts, 136)
      newestAccount.set(key, grant)
      return issued(grant)
    },
    appOf: token => check(apps, token, 40014),
    accountOf: token => check(accounts, token, 40001),
    voidAll() {
      for (const grant of apps.values()) grant.voided = true
      for (const grant of accounts.values()) grant.voided = true
    },
  }
}
