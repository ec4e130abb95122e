import { billsOfPerson, type OwnBill } from '../../../db/queries/pay-bills.ts'
import { ChannelError } from '../../channels/errors.ts'
import { ownPaymentPolicy } from '../../domain/access/subsidies.ts'
import type { BillState } from '../../domain/subsidies/bill-state.ts'
import { failWordsForReceiver } from '../../domain/subsidies/fail-words.ts'
import { subsidyRules, yuan } from '../../domain/subsidies/rules.ts'
import { type Html, html } from '../../http/html.ts'
import { assetPath } from '../assets.ts'
import { page } from '../layout.ts'
import { emptyState, moment, momentWords, type Tone, table, tag } from '../parts.ts'
import type { Routes, View } from '../routes.ts'
import { isInsideWechat } from '../sign-in.ts'

const HOUR_MS = 3600_000
const PATH = '/me/payments'
const above: [string, string][] = [
  ['我的', '/me'],
  ['我的补贴', PATH],
]
const JSSDK = 'https://res.wx.qq.com'
/** As every page's, and WeChat's own script from its own address: on the page of one payment, nowhere else. */
const policyWithJssdk = `default-src 'none'; script-src 'self' ${JSSDK}; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

/** How a payment stands, in words for its receiver. */
const ownWords: Readonly<Record<BillState, [words: string, tone: Tone]>> = {
  planned: ['学校已批准，正在提交', 'quiet'],
  held: ['学校正在处理', 'quiet'],
  accepted: ['正在准备', 'quiet'],
  processing: ['正在准备', 'quiet'],
  waiting: ['待您确认收款', 'wait'],
  cancelling: ['学校正在撤销', 'quiet'],
  transferring: ['正在转账', 'quiet'],
  paid: ['已到账', 'good'],
  failed: ['没有付成', 'bad'],
  cancelled: ['已撤销', 'quiet'],
}

/** The payments to a person; the one that waits can be taken on its page, inside WeChat. */
export function ownPaymentPages(routes: Routes): void {
  routes.get(PATH, 'person', listPage)
  routes.get(`${PATH}/:paymentId`, ownPaymentPolicy, paymentPage)
}

async function listPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const own = await billsOfPerson(rt.db, viewer.actor.person.id)
  const waiting = own.filter(({ bill }) => bill.state === 'waiting')
  return page(view, {
    title: '我的补贴',
    part: 'me',
    above: [['我的', '/me']],
    body:
      own.length === 0
        ? emptyState('还没有发给您的补贴。学校批准并提交后，会在聊天里告诉您。')
        : html`${waiting.map(
            ({ bill, unitName }) =>
              html`<section class="card"><h2>${yuan(bill.fen)}待您确认收款</h2>
<p>${unitName}发的${subsidyRules.wechat.remark}，请在 <b>${momentWords(untilOf(bill), now)}</b> 前确认，过时会退回学校。</p>
<div class="deeds"><a class="button" href="${PATH}/${bill.id}">去收款</a></div></section>`,
          )}
${table(
  '发给我的补贴',
  ['时间', { name: '金额', isNumber: true }, '情况', '发放单位'],
  own.map(
    ({ bill, unitName }) =>
      html`<tr><td class="nowrap">${moment(bill.updatedAt, now)}</td><td class="number"><a href="${PATH}/${bill.id}">${yuan(bill.fen)}</a></td><td>${stateTag(bill.state)}</td><td>${unitName}</td></tr>`,
  ),
  '',
)}`,
  })
}

function stateTag(state: string): Html {
  const [words, tone] = ownWords[state as BillState]
  return tag(words, tone)
}

function untilOf(bill: OwnBill['bill']): Date {
  const since = bill.waitingSince ?? bill.updatedAt
  return new Date(since.getTime() + subsidyRules.confirmHours.value * HOUR_MS)
}

async function paymentPage(view: View<OwnBill>): Promise<Html> {
  const { rt, thing } = view
  const { bill, unitName, isOutOfProvince } = thing
  const now = rt.clock.now()
  return page(view, {
    title: `补贴 ${yuan(bill.fen)}`,
    part: 'me',
    above,
    body: html`<section class="card"><dl class="facts">
<dt>情况</dt><dd>${stateTag(bill.state)} <span class="soft">${moment(bill.updatedAt, now)}</span></dd>
<dt>发放单位</dt><dd>${unitName}</dd>
<dt>为什么</dt><dd>${subsidyRules.wechat.remark}（${isOutOfProvince ? '省外' : '省内'}服务，按期上岗，只发一次）</dd>
${bill.state === 'waiting' ? html`<dt>截止</dt><dd>${momentWords(untilOf(bill), now)}，过时会退回学校</dd>` : ''}
<dt>单号</dt><dd>${bill.number}</dd></dl>
${bill.state === 'waiting' ? await takePart(view) : html`<p>${whatNow(bill)}</p>`}</section>`,
  })
}

/** What the receiver of a payment that does not wait for them is told. */
function whatNow(bill: OwnBill['bill']): string {
  switch (bill.state) {
    case 'paid':
      return '这笔补贴已经收过了，可在微信“我—服务—钱包—零钱”里查看。'
    case 'failed':
      return `这笔${failWordsForReceiver(bill.failReason)}。`
    case 'cancelled':
      return '学校撤销了这笔付款，不用再确认。有疑问请问学校项目办。'
    default:
      return '还在办理，现在不用做什么；需要您确认时会在聊天里告诉您。'
  }
}

/** The button that opens WeChat's own page, or what to do where it cannot be opened. */
async function takePart(view: View<OwnBill>): Promise<Html> {
  const { rt, request, reply, thing } = view
  const { wechatPay, officialAccount } = rt.channels
  const { packageSealed, id } = thing.bill
  if (rt.isDemo && !isInsideWechat(request))
    return html`<p class="said">演示里请到模拟器的手机页面，在“微信转账”卡片上点“确认收款”。</p>${elsewhere()}`
  if (!isInsideWechat(request)) return elsewhere()
  if (!wechatPay || !officialAccount || packageSealed === null)
    return html`<p>收款页面还没有准备好，请过几分钟再打开。</p>`
  try {
    const signed = await officialAccount.signPage(`${rt.publicUrl}${request.url}`)
    reply.header('content-security-policy', policyWithJssdk)
    return html`<div data-pay data-app-id="${signed.appId}" data-timestamp="${signed.timestamp}" data-nonce="${signed.nonceStr}" data-signature="${signed.signature}" data-mch-id="${wechatPay.port.mchId}" data-package="${rt.vault.open(packageSealed)}">
<div class="deeds"><button type="button" disabled>确认收款</button></div><p role="status">正在连接微信……</p></div>
<script defer src="${JSSDK}/open/js/jweixin-1.6.0.js"></script>
<script defer src="${assetPath('pay.js')}"></script>`
  } catch (error) {
    if (!(error instanceof ChannelError)) throw error
    rt.log.warn({ billId: id, reason: error.reason }, 'a page could not be signed for WeChat')
    return html`<p class="fault">现在打不开收款页面，请过几分钟再试；一直这样请告诉学校。</p>`
  }
}

function elsewhere(): Html {
  return html`<p>收款要在手机微信里确认：请在微信里打开学校的公众号，发送“<b>补贴</b>”，点回复里的链接。</p>
<p class="soft">企业微信、浏览器和电脑上都不能确认收款。学校不会要您的密码、验证码，也不会让您先交钱。</p>`
}
