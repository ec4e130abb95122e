import { z } from 'zod'
import type { PayBillRow } from '../../../db/queries/pay-bills.ts'
import { ChannelError } from '../../channels/errors.ts'
import { subsidyPaymentPolicy } from '../../domain/access/subsidies.ts'
import { type BillDeed, dealWithBill } from '../../domain/subsidies/deal-with-bill.ts'
import { DomainError } from '../../errors.ts'
import { askForReceipt, fetchReceipt } from '../../jobs/pay-receipts.ts'
import type { Answer, Routes, View } from '../routes.ts'

const PATH = '/console/subsidies/payments/:billId'
const deedForm = z.object({ deed: z.enum(['cancel', 'send_again', 'give_up']) })

const done: Readonly<Record<BillDeed, string>> = {
  cancel: '已要求撤销，结果稍后在这里看到；本人已经确认的撤不回来。',
  send_again: '已原样重新提交。',
  give_up: '已放弃：隔一段时间核实几次，微信支付确实没有收下，本人就可以重新列入名单。',
}

type BillView = View<PayBillRow>

/** What is done with one payment of a list; the list's page shows it. */
export function subsidyPaymentPages(routes: Routes): void {
  routes.post(PATH, subsidyPaymentPolicy, view => {
    const { deed } = view.read(deedForm)
    return andBack(view, async () => {
      if (deed === 'cancel' && !view.rt.channels.wechatPay?.port.needsConfirmation)
        throw new DomainError('subsidy.state', '旧版的转账提交以后不能撤销。')
      await dealWithBill(view.rt, view.viewer.actor, { billId: view.thing.id, deed })
      return done[deed]
    })
  })
  routes.post(`${PATH}/receipt`, subsidyPaymentPolicy, view =>
    andBack(view, async () => {
      await askForReceipt(view.rt, view.viewer.actor.person.id, view.thing)
      return '已申请电子回单，大约两分钟后可以下载。'
    }),
  )
  routes.get(`${PATH}/receipt/file`, subsidyPaymentPolicy, async view => {
    const { reply, thing: bill } = view
    const receipt = await orWords(() => receiptOrWords(view))
    if (typeof receipt === 'string') return view.goTo(runOf(bill), receipt)
    return reply
      .type('application/pdf')
      .header('content-disposition', `attachment; filename="${bill.number}.pdf"`)
      .send(receipt)
  })
}

const runOf = (bill: PayBillRow) => `/console/subsidies/${bill.runId}`

/** The file, or what there is to say in its place. */
async function receiptOrWords({ rt, viewer, thing: bill }: BillView): Promise<Buffer | string> {
  const receipt = await fetchReceipt(rt, viewer.actor.person.id, bill)
  if (receipt?.state === 'ready') return receipt.pdf
  if (receipt?.state === 'making') return '电子回单还在生成，请过两分钟再下载。'
  // what failed, or is no longer kept, is asked for anew
  await askForReceipt(rt, viewer.actor.person.id, bill)
  return '已重新申请电子回单，大约两分钟后可以下载。'
}

/** Leads back to the list with what came of it: what cannot be done is said there, and nothing was filled in. */
async function andBack(view: BillView, work: () => Promise<string>): Promise<Answer> {
  return view.goTo(runOf(view.thing), await orWords(work))
}

async function orWords<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ChannelError) return `微信支付那边没有办成：${error.message}。请稍后再试。`
    if (error instanceof DomainError) return error.message
    throw error
  }
}
