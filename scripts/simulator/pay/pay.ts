import type { FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import type { Push } from '../push.ts'
import { batchNotice, billNotice } from './answers.ts'
import { type Batch, createBatches } from './batches.ts'
import { type Bill, type BillState, createBills, isFinal } from './bills.ts'
import { createMerchant, type Merchant, type MerchantSettings } from './merchant.ts'
import { createNotifier, type NotificationInput } from './notify.ts'
import { createReceipts } from './receipts.ts'
import { servePayCalls } from './routes.ts'

export type { BillState } from './bills.ts'
export type { MerchantSettings } from './merchant.ts'

/** Real milliseconds between two looks at the clock. */
const LOOK_MS = 250

/** A bill as its receiver and the merchant's console see it. */
export interface PayBill {
  mchId: string
  outBillNo: string
  transferBillNo: string
  state: BillState
  /** Fen. */
  amount: number
  remark: string
  openId: string
  failReason?: string
  packageInfo?: string
  createdAt: Date
}

/** WeChat Pay's 商家转账 and the people who confirm. Amounts are fen (分). */
export interface Pay {
  addMerchant(settings: MerchantSettings): void
  merchants(): { mchId: string; balance: number }[]
  /** What the server is given to check signatures and encrypt names. */
  platform(mchId?: string): { serial: string; publicKey: string }
  setBalance(fen: number, mchId?: string): void
  bills(): PayBill[]
  bill(outBillNo: string): PayBill
  /**
   * The receiver taps 确认收款 on the page that the server's page opened, and the notification goes out once.
   *
   * @param bill its out_bill_no or package_info.
   * @param how a refusal lets the transfer fail, for example ACCOUNT_FROZEN.
   */
  confirm(personId: string, bill: string, how?: { refusal?: string }): Promise<PayBill>
  /** Brings everything to where the clock is: states, the 24 hours, notifications. It also happens by itself, a little later. */
  tick(): Promise<void>
  /** Notifications that will be sent or tried again. */
  waiting(): { event: string; tries: number; dueAt: Date }[]
  /** Sends a bill's notification with a probe's signature. @returns whether the server refused it, as it must. */
  probe(outBillNo: string): Promise<boolean>
  stop(): void
}

/** Wires WeChat Pay on the simulator's server; to be called before it listens. */
export function servePay(app: FastifyInstance, core: Core, push: Push): Pay {
  const merchants = new Map<string, Merchant>()
  const notifier = createNotifier(core, push)
  const bills = createBills(core, bill => addNotification(bill.request.notifyUrl, billInput(bill)))
  const batches = createBatches(core, batch => addNotification(batch.request.notifyUrl, batchInput(batch)))
  const addNotification = (url: string | undefined, input: Omit<NotificationInput, 'url'>) => {
    if (url !== undefined) notifier.add({ ...input, url })
  }
  let looking = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  servePayCalls(app, core, { merchants, bills, batches, receipts: createReceipts(core) }, () => void tick())

  /** One look after the other, so that no notification goes out twice. */
  function tick(): Promise<void> {
    const look = async () => {
      if (push.stopped) return
      for (const bill of bills.all()) bills.advance(bill)
      batches.advanceAll()
      await notifier.sendDue()
    }
    looking = looking
      .then(look)
      .catch(error => core.log.add('error', { where: 'pay', message: String(error) }))
    return push.busy(() => looking)
  }
  function merchant(mchId?: string): Merchant {
    const found = mchId === undefined ? [...merchants.values()][0] : merchants.get(mchId)
    if (!found) throw new Error('the simulator has no such merchant: call pay.addMerchant')
    return found
  }
  function find(number: string): Bill {
    for (const bill of bills.all()) {
      if (bill.request.outBillNo !== number && bill.packageInfo !== number) continue
      bills.advance(bill)
      return bill
    }
    throw new Error(`no bill ${number} in the simulator`)
  }

  return {
    addMerchant(settings) {
      if (merchants.has(settings.mchId)) throw new Error(`merchant ${settings.mchId} exists`)
      merchants.set(settings.mchId, createMerchant(settings))
      timer ??= setInterval(() => {
        if (bills.all().some(bill => !isFinal(bill)) || notifier.waiting().length > 0) void tick()
      }, LOOK_MS).unref()
    },
    merchants: () =>
      [...merchants.values()].map(({ settings, balance }) => ({ mchId: settings.mchId, balance })),
    platform(mchId) {
      const { serial, publicKey } = merchant(mchId).platform()
      return { serial, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
    },
    setBalance(fen, mchId) {
      merchant(mchId).balance = fen
    },
    bills: () => bills.all().map(present),
    bill: number => present(find(number)),
    async confirm(personId, number, how = {}) {
      const bill = find(number)
      const person = core.world.person(personId)
      if (bill.request.openId !== person.openId) throw new Error(`the bill is not for ${person.name}`)
      core.log.add('pay_confirmed', { personId, outBillNo: bill.request.outBillNo })
      bills.confirm(bill, how.refusal)
      await tick()
      return present(bill)
    },
    tick,
    waiting: () => notifier.waiting(),
    probe(number) {
      const bill = find(number)
      const { notifyUrl } = bill.request
      if (notifyUrl === undefined) throw new Error(`bill ${number} has no notify_url`)
      return push.busy(() => notifier.probe({ ...billInput(bill), url: notifyUrl }))
    },
    stop: () => clearInterval(timer),
  }
}

function billInput(bill: Bill): Omit<NotificationInput, 'url'> {
  return {
    merchant: bill.merchant,
    event: 'MCHTRANSFER.BILL.FINISHED',
    summary: '商家转账单据终态通知',
    type: 'mch_payment',
    plain: billNotice(bill),
  }
}

function batchInput(batch: Batch): Omit<NotificationInput, 'url'> {
  return {
    merchant: batch.merchant,
    event: 'MCHTRANSFER.BATCH.FINISHED',
    summary: '商家转账批次完成通知',
    type: 'mch_payment',
    plain: batchNotice(batch),
  }
}

function present({ merchant, request, ...bill }: Bill): PayBill {
  return {
    mchId: merchant.settings.mchId,
    outBillNo: request.outBillNo,
    transferBillNo: bill.transferBillNo,
    state: bill.state,
    amount: request.amount,
    remark: request.remark,
    openId: request.openId,
    createdAt: new Date(bill.createdAt),
    ...(bill.failReason === undefined ? {} : { failReason: bill.failReason }),
    ...(bill.packageInfo === undefined ? {} : { packageInfo: bill.packageInfo }),
  }
}
