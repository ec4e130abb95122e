import { isDeepStrictEqual } from 'node:util'
import type { Core } from '../core.ts'
import { chinaDay, DAY } from '../limits.ts'
import { type BillRequest, checkNewBill } from './bill-request.ts'
import { refusePay } from './error.ts'
import type { Merchant } from './merchant.ts'

export type BillState =
  | 'ACCEPTED'
  | 'PROCESSING'
  | 'WAIT_USER_CONFIRM'
  | 'TRANSFERING'
  | 'SUCCESS'
  | 'FAIL'
  | 'CANCELING'
  | 'CANCELLED'

export const CREATE_PATH = '/v3/fund-app/mch-transfer/transfer-bills'
const QUERY_LIFE = 30 * DAY
/** How long the user has to confirm. */
const CONFIRM_WITHIN = DAY

/** One transfer to one person. Moments are milliseconds on the clock. */
export interface Bill {
  merchant: Merchant
  request: BillRequest
  transferBillNo: string
  state: BillState
  failReason?: string
  /** What the page hands to wx.requestMerchantTransfer; there once the bill waits for the user. */
  packageInfo?: string
  createdAt: number
  updatedAt: number
  /** The account had too little; only the same request once more tries again. */
  lacksFunds: boolean
  /** When its present state began. */
  since: number
  /** How the transfer will end, decided when the user confirms. */
  refusal?: string
}

const FINAL: BillState[] = ['SUCCESS', 'FAIL', 'CANCELLED']

export function isFinal(bill: Bill): boolean {
  return FINAL.includes(bill.state)
}

export interface Bills {
  /** By merchant and out_bill_no. */
  all(): Bill[]
  /** Makes the bill, or gives the one that the same request made before. */
  create(merchant: Merchant, request: BillRequest): Bill
  /** @throws PayError 404 NOT_FOUND; also for bills older than 30 days. */
  find(merchant: Merchant, matches: (bill: Bill) => boolean): Bill
  cancel(bill: Bill): void
  /** @param refusal why the transfer fails although the user confirmed. */
  confirm(bill: Bill, refusal?: string): void
  /** Brings a bill to where it should be by now. */
  advance(bill: Bill): void
}

/** @param onFinal is told once of every bill that reaches its end. */
export function createBills(core: Core, onFinal: (bill: Bill) => void): Bills {
  const bills = new Map<string, Bill>()
  const now = () => core.clock.now().getTime()

  function move(bill: Bill, state: BillState, at: number): void {
    bill.state = state
    bill.since = at
    bill.updatedAt = at
    core.log.add('pay_bill', {
      outBillNo: bill.request.outBillNo,
      state,
      ...(bill.failReason === undefined ? {} : { failReason: bill.failReason }),
      ...personOf(bill),
    })
    if (isFinal(bill)) onFinal(bill)
  }
  function personOf(bill: Bill): { personId?: string } {
    const person = core.world.byOpenId(bill.request.openId)
    return person ? { personId: person.id } : {}
  }

  function lockFunds(bill: Bill, at: number): boolean {
    if (bill.lacksFunds) return false
    const { merchant, request } = bill
    if (core.faults.strikes('pay-balance-short', CREATE_PATH) || merchant.balance < request.amount) {
      bill.lacksFunds = true
      bill.updatedAt = at
      return false
    }
    merchant.balance -= request.amount
    bill.packageInfo = core.ids.letters(64)
    return true
  }
  function end(bill: Bill, state: BillState, at: number, failReason?: string): void {
    if (failReason !== undefined) bill.failReason = failReason
    // money that was set aside for the bill comes back, unless it was paid
    if (bill.packageInfo !== undefined && state !== 'SUCCESS') bill.merchant.balance += bill.request.amount
    delete bill.packageInfo
    move(bill, state, at)
  }

  /** One step. @returns whether there was one to take. */
  function step(bill: Bill): boolean {
    const { lockMs = 0, transferMs = 0, cancelMs = 0, expiredState = 'FAIL' } = bill.merchant.settings
    const { state, since } = bill
    const after = (ms: number) => now() >= since + ms
    if (state === 'ACCEPTED' && after(lockMs / 2)) move(bill, 'PROCESSING', since + lockMs / 2)
    else if (state === 'PROCESSING' && after(lockMs / 2) && lockFunds(bill, now()))
      move(bill, 'WAIT_USER_CONFIRM', now())
    else if (state === 'WAIT_USER_CONFIRM' && after(CONFIRM_WITHIN))
      end(bill, expiredState, since + CONFIRM_WITHIN, expiredState === 'FAIL' ? 'OVERDUE_CLOSE' : undefined)
    else if (state === 'TRANSFERING' && after(transferMs))
      end(bill, bill.refusal === undefined ? 'SUCCESS' : 'FAIL', since + transferMs, bill.refusal)
    else if (state === 'CANCELING' && after(cancelMs)) end(bill, 'CANCELLED', since + cancelMs)
    else return false
    return true
  }
  function advance(bill: Bill): void {
    while (step(bill)) if (isFinal(bill)) return
  }

  /** What was promised today and has not come to nothing, in fen. */
  function promisedToday(merchant: Merchant, openId?: string): number {
    const today = chinaDay(core.clock.now())
    let sum = 0
    for (const bill of bills.values()) {
      if (bill.merchant !== merchant || (openId !== undefined && bill.request.openId !== openId)) continue
      if (bill.state === 'FAIL' || bill.state === 'CANCELLED') continue
      if (chinaDay(new Date(bill.createdAt)) === today) sum += bill.request.amount
    }
    return sum
  }
  function checkDay(merchant: Merchant, { amount, openId }: BillRequest): void {
    if (!core.limits.has('payAmounts')) return
    if (promisedToday(merchant, openId) + amount > merchant.amounts.perUserDay)
      refusePay(400, 'INVALID_REQUEST', '超出该用户单日收款额度')
    if (promisedToday(merchant) + amount > merchant.amounts.perDay)
      refusePay(400, 'INVALID_REQUEST', '超出商户单日转账额度')
  }

  return {
    all: () => [...bills.values()],
    create(merchant, request) {
      const key = `${merchant.settings.mchId} ${request.outBillNo}`
      const known = bills.get(key)
      if (known) {
        if (!isDeepStrictEqual(known.request, request))
          refusePay(400, 'INVALID_REQUEST', '单号已存在但信息不一致，请查单后比较确认')
        known.lacksFunds = false
        advance(known)
        return known
      }
      checkNewBill(core, merchant, request)
      checkDay(merchant, request)
      const at = now()
      const bill: Bill = {
        merchant,
        request,
        transferBillNo: `1330000${core.ids.bigNumber()}`,
        state: 'ACCEPTED',
        createdAt: at,
        updatedAt: at,
        since: at,
        lacksFunds: false,
      }
      bills.set(key, bill)
      core.log.add('pay_bill', { outBillNo: request.outBillNo, state: 'ACCEPTED', ...personOf(bill) })
      advance(bill)
      return bill
    },
    find(merchant, matches) {
      for (const bill of bills.values())
        if (bill.merchant === merchant && matches(bill) && bill.createdAt > now() - QUERY_LIFE) {
          advance(bill)
          return bill
        }
      refusePay(404, 'NOT_FOUND', '记录不存在')
    },
    cancel(bill) {
      if (bill.state === 'CANCELING' || bill.state === 'CANCELLED') return
      if (bill.state !== 'ACCEPTED' && bill.state !== 'PROCESSING' && bill.state !== 'WAIT_USER_CONFIRM')
        refusePay(400, 'INVALID_REQUEST', `当前单据状态${bill.state}不支持撤销`)
      move(bill, 'CANCELING', now())
    },
    confirm(bill, refusal) {
      if (bill.state !== 'WAIT_USER_CONFIRM') throw new Error(`the bill is ${bill.state}, nothing to confirm`)
      // the name is compared with the one that the user gave to WeChat
      const { userName, openId } = bill.request
      const name = core.world.byOpenId(openId)?.name
      if (refusal !== undefined) bill.refusal = refusal
      else if (userName !== undefined && userName !== name) bill.refusal = 'NAME_NOT_CORRECT'
      move(bill, 'TRANSFERING', now())
      advance(bill)
    },
    advance,
  }
}
