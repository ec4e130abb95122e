import { refuse } from '../api-error.ts'
import type { OfficialAccount } from '../core.ts'
import type { Content } from '../world.ts'
import type { ApiCall } from './platform.ts'

/** How the platform says that a template message ended. */
export type TemplateOutcome = 'success' | 'failed:user block' | 'failed: system failed' | 'failed:freq limit'

export interface MassMessage {
  msgId: string
  status: 'awaiting' | 'SENDING' | 'SEND_SUCCESS' | 'SEND_FAIL' | 'DELETE'
  /** When an administrator's time to confirm is over; clock milliseconds. */
  confirmUntil: number
  content: Content
  /** Whom it is for, by person. */
  audience: string[]
  /** The chats' copies, by person. */
  copies: { personId: string; messageId: string }[]
}

export interface SceneCode {
  scene: string
  ticket: string
  url: string
  /** Clock milliseconds; absent for a code that lasts. */
  expiresAt?: number
}

export interface LoginCode {
  openId: string
  unionId?: string
  scope: string
  isSnapshot: boolean
  expiresAt: number
  used: boolean
}

export interface LoginGrant {
  openId: string
  scope: string
  expiresAt: number
}

/** What one Official Account has on the platform beside what its settings say. */
export interface OfficialState {
  /** client_msg_id → the msgid answered then. */
  templateNumbers: Map<string, string>
  /** By openid; the others succeed. */
  templateOutcomes: Map<string, TemplateOutcome>
  masses: Map<string, MassMessage>
  /** clientmsgid → when it was last used, clock milliseconds. */
  massNumbers: Map<string, number>
  /** What is counted by the calendar month: mass messages by openid and those to `all`, and `clear_quota`. */
  monthly: Map<string, { month: string; count: number }>
  /** media_id → title, of articles that were written in the console. */
  articles: Map<string, string>
  /** media_ids that do not expire. */
  lastingMedia: Map<string, { url: string }>
  sceneCodes: Map<string, SceneCode>
  loginCodes: Map<string, LoginCode>
  loginGrants: Map<string, LoginGrant>
  tags: Map<number, { name: string; openIds: Set<string> }>
  remarks: Map<string, string>
  /** `openid templateid` → how many notices the person still allows. */
  consents: Map<string, number>
  jsapiTicket: { ticket: string; expiresAt: number } | undefined
  /** Goes up with clear_quota: the counters begin anew. */
  quotaRound: number
  menuId: number
}

const states = new WeakMap<OfficialAccount, OfficialState>()

export function stateOf(account: OfficialAccount): OfficialState {
  const known = states.get(account)
  if (known) return known
  const state: OfficialState = {
    templateNumbers: new Map(),
    templateOutcomes: new Map(),
    masses: new Map(),
    massNumbers: new Map(),
    monthly: new Map(),
    articles: new Map(),
    lastingMedia: new Map(),
    sceneCodes: new Map(),
    loginCodes: new Map(),
    loginGrants: new Map(),
    tags: new Map(),
    remarks: new Map(),
    consents: new Map(),
    jsapiTicket: undefined,
    quotaRound: 0,
    menuId: 400_000_000,
  }
  states.set(account, state)
  return state
}

/** The daily quotas of an Official Account; 45009 beyond. */
export function takeDaily({ core, subject }: ApiCall<OfficialAccount>, name: string, limit: number): void {
  if (!core.limits.has('officialQuota')) return
  if (!core.limits.takeToday(dailyKey(subject, name), limit)) refuse(45009, 'reach max api daily quota limit')
}

/** How often an interface was called today. */
export function usedDaily({ core, subject }: ApiCall<OfficialAccount>, name: string): number {
  return core.limits.usedToday(dailyKey(subject, name))
}

function dailyKey(subject: OfficialAccount, name: string): string {
  return `oa|${subject.appId}|${stateOf(subject).quotaRound}|${name}`
}
