import type { BillNews, PayState } from '../../payments.ts'
import { subsidyRules } from './rules.ts'

export type BillState = 'planned' | 'held' | PayState

/** Of a bill what decides about it. */
export interface BillFacts {
  number: string
  fen: number
  openId: string
  state: BillState
  isDoubtful: boolean
  /** How often it was looked at since its state last changed. */
  attempts: number
  notFound: number
  waitingSince: Date | null
  cancelAskedAt: Date | null
  updatedAt: Date
}

/** What is done next with a bill that is due. */
export type BillStep = 'send' | 'find_then_send' | 'find' | 'cancel'

export interface BillChange {
  state: BillState
  isDoubtful: boolean
  notFound: number
  dueAt: Date | null
  waitingSince: Date | null
  failReason: string | null
  /** What goes into the ledger with it. */
  ledger: 'paid' | 'freed' | null
  /** Something that must not be: operators are told, nothing else is done. */
  alarm: string | null
}

const rank: Record<BillState, number> = {
  planned: 0,
  held: 0,
  accepted: 1,
  processing: 2,
  waiting: 3,
  cancelling: 4,
  transferring: 4,
  paid: 9,
  failed: 9,
  cancelled: 9,
}

export const isFinal = (state: BillState): boolean => rank[state] === 9

/**
 * What to do with a bill that is due. One that may have been taken is asked for before it is sent again; sent again it is
 * the same number and the same order, by which the platform pays once.
 */
export function nextStep(bill: BillFacts, now: Date): BillStep {
  // called back before it was surely taken: it is not sent any more
  if (bill.state === 'planned' && bill.cancelAskedAt !== null) return 'find'
  if (bill.state === 'planned') return bill.isDoubtful ? 'find_then_send' : 'send'
  if (bill.state === 'held') return 'find'
  if (bill.cancelAskedAt !== null && bill.state !== 'cancelling' && bill.state !== 'transferring')
    return 'cancel'
  const isStuck =
    bill.state === 'processing' &&
    now.getTime() - bill.updatedAt.getTime() >= subsidyRules.sendAgainAfterSeconds.value * 1000
  // short of balance it stays there until the same request comes once more
  return isStuck ? 'send' : 'find'
}

/** How a bill stands after the platform has said something of it. */
export function afterNews(bill: BillFacts, news: BillNews, now: Date): BillChange {
  const same = unchanged(bill, now)
  const isOther =
    news.number !== bill.number ||
    (news.fen !== null && news.fen !== bill.fen) ||
    (news.openId !== null && news.openId !== bill.openId)
  if (isOther) return { ...same, alarm: `付款单 ${bill.number} 与微信支付说的不一致（单号、金额或收款人）` }
  if (isFinal(bill.state)) {
    const contradicts = news.state !== bill.state
    return {
      ...same,
      dueAt: null,
      alarm: contradicts
        ? `付款单 ${bill.number} 已记为${stateWords[bill.state]}，微信支付却说${stateWords[news.state]}`
        : null,
    }
  }
  // answers may overtake each other
  const state = rank[news.state] < rank[bill.state] ? bill.state : news.state
  return {
    state,
    isDoubtful: false,
    notFound: 0,
    dueAt: isFinal(state) ? null : later(now, lookSeconds(state, bill.attempts)),
    waitingSince: state === 'waiting' ? (bill.waitingSince ?? now) : bill.waitingSince,
    failReason: news.failReason,
    ledger: state === 'paid' ? 'paid' : isFinal(state) ? 'freed' : null,
    alarm: null,
  }
}

/**
 * How it stands after the platform did not know the number. For a bill that was taken this is no proof of anything; one
 * that was never surely taken and is given up has come to nothing when it stays unknown for long enough.
 */
export function afterUnknown(bill: BillFacts, now: Date): BillChange {
  const { value, seconds } = subsidyRules.unknownLooks
  const notFound = bill.notFound + 1
  const isGivenUp = (bill.state === 'held' || bill.state === 'planned') && bill.cancelAskedAt !== null
  if (isGivenUp && notFound >= value)
    return {
      ...unchanged(bill, now),
      state: 'failed',
      notFound,
      dueAt: null,
      failReason: 'NEVER_TAKEN',
      ledger: 'freed',
    }
  const isKnown = bill.state !== 'planned' && bill.state !== 'held'
  return {
    ...unchanged(bill, now),
    notFound,
    dueAt: bill.state === 'held' && !isGivenUp ? null : later(now, seconds),
    alarm: isKnown && notFound >= value ? `付款单 ${bill.number} 微信支付收下过，现在却查不到` : null,
  }
}

export type BillTrouble =
  /** No clear answer. */
  | 'doubt'
  /** Too many calls, or no connection came about. */
  | 'later'
  /** A right or a setting is missing. */
  | 'config'
  /** Said no to this very order. */
  | 'refused'

/** How it stands after a call came to nothing. */
export function afterTrouble(
  bill: BillFacts,
  step: BillStep,
  trouble: BillTrouble,
  code: string | null,
  now: Date,
): BillChange {
  const same = unchanged(bill, now)
  const { value } = subsidyRules.retrySeconds
  const wait = value[Math.min(bill.attempts, value.length - 1)] ?? 600
  if (trouble === 'config')
    return {
      ...same,
      dueAt: later(now, subsidyRules.lookSeconds.config),
      failReason: code,
      alarm: `微信支付拒绝了本商户的请求（${code ?? '未知'}），请核对商户号、证书、权限和转账场景`,
    }
  if (trouble === 'refused' && (step === 'send' || step === 'find_then_send') && bill.state === 'planned')
    return {
      ...same,
      // asked for once more before anybody decides: an earlier sending may have been taken
      state: 'held',
      dueAt: later(now, wait),
      failReason: code,
    }
  return { ...same, dueAt: later(now, wait) }
}

function unchanged(bill: BillFacts, now: Date): BillChange {
  return {
    state: bill.state,
    isDoubtful: bill.isDoubtful,
    notFound: bill.notFound,
    dueAt: isFinal(bill.state) ? null : later(now, lookSeconds(bill.state, bill.attempts)),
    waitingSince: bill.waitingSince,
    failReason: null,
    ledger: null,
    alarm: null,
  }
}

function lookSeconds(state: BillState, attempts: number): number {
  const { lookSeconds: seconds, retrySeconds } = subsidyRules
  if (state === 'planned' || state === 'held') return retrySeconds.value[0] ?? 5
  if (isFinal(state)) return 0
  // what goes on for long is looked at less often
  return (seconds[state as keyof typeof seconds] ?? 60) * Math.min(10, 1 + Math.floor(attempts / 5))
}

const later = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1000)

/** As the pages and messages say it. */
export const stateWords: Readonly<Record<BillState, string>> = {
  planned: '待提交',
  held: '被拒，待处理',
  accepted: '已受理',
  processing: '处理中',
  waiting: '待本人确认收款',
  cancelling: '撤销中',
  transferring: '转账中',
  paid: '已到账',
  failed: '未付成',
  cancelled: '已撤销',
}
