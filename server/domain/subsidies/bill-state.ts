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
  /** When it is looked at next; null: nothing more is to be done. */
  dueAt: Date | null
  /** Whether its receiver can be shown WeChat's page. */
  hasPackage: boolean
  waitingSince: Date | null
  cancelAskedAt: Date | null
  createdAt: Date
  updatedAt: Date
}

/** What is done next with a bill that is due. */
export type BillStep = 'send' | 'find_then_send' | 'find' | 'find_then_repeat' | 'cancel'

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

/** So long the platform tells of a bill (platform-facts.md 7.2): of an older one it says that it knows none. */
export const KEPT_DAYS = 30
const DAY_MS = 24 * 3600_000

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
  if (isFinal(bill.state)) return 'find'
  // called back before it was surely taken: it is not sent any more
  if (bill.state === 'planned' && bill.cancelAskedAt !== null) return 'find'
  if (bill.state === 'planned') return bill.isDoubtful ? 'find_then_send' : 'send'
  if (bill.state === 'held') return 'find'
  if (isToBeCalledBack(bill, bill.state)) return 'cancel'
  const isStuck =
    bill.state === 'processing' &&
    now.getTime() - bill.updatedAt.getTime() >= subsidyRules.sendAgainAfterSeconds.value * 1000
  // short of balance it stays there until the same request comes once more; and only the answer to that request holds
  // what the receiver's page needs, which was lost with the first answer or was not there yet
  return isStuck || lacksPackage(bill) ? 'find_then_repeat' : 'find'
}

/** It waits for its receiver, who has no page to take it by. */
const lacksPackage = (bill: BillFacts): boolean => bill.state === 'waiting' && !bill.hasPackage

const isToBeCalledBack = (bill: BillFacts, state: BillState): boolean =>
  bill.cancelAskedAt !== null && ['accepted', 'processing', 'waiting'].includes(state)

/** How a bill stands after the platform has said something of it. */
export function afterNews(bill: BillFacts, news: BillNews, now: Date): BillChange {
  const same = unchanged(bill, now)
  const isOther =
    news.number !== bill.number ||
    (news.fen !== null && news.fen !== bill.fen) ||
    (news.openId !== null && news.openId !== bill.openId)
  if (isOther) return { ...same, alarm: `付款单 ${bill.number} 与微信支付说的不一致（单号、金额或收款人）` }
  if (isFinal(bill.state)) return afterEnd(bill, news, now)
  // answers may overtake each other
  const state = rank[news.state] < rank[bill.state] ? bill.state : news.state
  return {
    state,
    isDoubtful: false,
    notFound: 0,
    dueAt: dueIn({ ...bill, hasPackage: bill.hasPackage || news.packageInfo !== null }, state, now),
    waitingSince: state === 'waiting' ? (bill.waitingSince ?? now) : bill.waitingSince,
    failReason: news.failReason,
    ledger: state === 'paid' ? 'paid' : isFinal(state) ? 'freed' : null,
    alarm: null,
  }
}

/**
 * What has ended stays as it is written down. An answer that the end has overtaken on its way here is no contradiction: the
 * platform is asked once more, and what it then says is.
 */
function afterEnd(bill: BillFacts, news: BillNews, now: Date): BillChange {
  const same = { ...unchanged(bill, now), dueAt: null }
  if (news.state === bill.state) return same
  if (!isFinal(news.state) && bill.dueAt === null)
    return { ...same, dueAt: later(now, subsidyRules.retrySeconds.value[0] ?? 5) }
  return {
    ...same,
    alarm: `付款单 ${bill.number} 已记为${stateWords[bill.state]}，微信支付却说${stateWords[news.state]}`,
  }
}

/**
 * How it stands after the platform did not know the number. For a bill that was taken this is no proof of anything; one
 * that was never surely taken and is given up has come to nothing when it stays unknown for long enough.
 */
export function afterUnknown(bill: BillFacts, now: Date): BillChange {
  const { value, seconds } = subsidyRules.unknownLooks
  const notFound = bill.notFound + 1
  if (isFinal(bill.state)) return { ...unchanged(bill, now), notFound }
  const isGivenUp = (bill.state === 'held' || bill.state === 'planned') && bill.cancelAskedAt !== null
  if (isGivenUp && now.getTime() - bill.createdAt.getTime() >= KEPT_DAYS * DAY_MS)
    return {
      ...unchanged(bill, now),
      notFound,
      dueAt: later(now, subsidyRules.lookSeconds.config),
      alarm: `付款单 ${bill.number} 批准已超过 ${KEPT_DAYS} 天，微信支付查不到不能说明没有付，请先到商户平台按单号核实，不要另行付款`,
    }
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
  const isLong = now.getTime() - bill.updatedAt.getTime() >= value * seconds * 1000
  const isOver = bill.state === 'held' && !isGivenUp && notFound >= value
  const next = isKnown && lacksPackage(bill) ? dueIn(bill, bill.state, now) : later(now, seconds)
  return {
    ...unchanged(bill, now),
    notFound,
    dueAt: isOver ? null : next,
    alarm:
      isKnown && isLong && notFound >= value ? `付款单 ${bill.number} 微信支付收下过，现在却查不到` : null,
  }
}

/** Why a bill does not go out although the platform has not refused it. */
export type OwnTrouble = 'MERCHANT_CHANGED' | 'ORDER_ALTERED'

const ownTroubles: Readonly<Record<OwnTrouble, string>> = {
  MERCHANT_CHANGED: '批准以后换了商户号或接口，没有提交，免得付两次。请换回原来的商户，等在途的付款结束再换',
  ORDER_ALTERED: '存的付款单和批准的不一样，没有提交，请核查数据库',
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
  const wait = retrySeconds(bill.state, bill.attempts)
  if (trouble === 'config')
    return {
      ...same,
      dueAt: later(now, subsidyRules.lookSeconds.config),
      failReason: code,
      alarm:
        code !== null && Object.hasOwn(ownTroubles, code)
          ? `付款单 ${bill.number} ${ownTroubles[code as OwnTrouble]}`
          : `微信支付拒绝了本商户的请求（${code ?? '未知'}），请核对商户号、证书、权限和转账场景`,
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
    dueAt: dueIn(bill, bill.state, now),
    waitingSince: bill.waitingSince,
    failReason: null,
    ledger: null,
    alarm: null,
  }
}

function dueIn(bill: BillFacts, state: BillState, now: Date): Date | null {
  if (isFinal(state)) return null
  const attempts = state === bill.state ? bill.attempts : 0
  const isCalledBack = isToBeCalledBack(bill, state)
  const calm = lookSeconds(isCalledBack ? 'cancelling' : state, attempts)
  const isWanted = lacksPackage({ ...bill, state })
  // its receiver waits for their page, which is there within seconds mostly
  const isSoon = state === 'accepted' || state === 'processing' || isWanted
  if (isWanted && state !== bill.state && !isCalledBack) return now
  return later(now, isSoon && !isCalledBack ? Math.min(calm, retrySeconds(state, attempts)) : calm)
}

/** How long after so many looks in vain the next is made; a bill that its receiver waits for is not put off for long. */
function retrySeconds(state: BillState, attempts: number): number {
  const { value } = subsidyRules.retrySeconds
  const isPressing = state === 'waiting' && attempts < PRESSING_LOOKS
  return value[Math.min(attempts, isPressing ? 2 : value.length - 1)] ?? 600
}

const PRESSING_LOOKS = 20

function lookSeconds(state: BillState, attempts: number): number {
  if (state === 'planned' || state === 'held') return retrySeconds(state, 0)
  // what goes on for long is looked at less often
  const seconds = subsidyRules.lookSeconds[state as keyof typeof subsidyRules.lookSeconds] ?? 60
  return seconds * Math.min(10, 1 + Math.floor(attempts / 5))
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
