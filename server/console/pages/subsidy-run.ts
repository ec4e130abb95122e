import { z } from 'zod'
import { billsOfRun, type PayBillRow } from '../../../db/queries/pay-bills.ts'
import {
  itemsOf,
  lastComparison,
  ledgerSums,
  namesOfPersons,
  onOtherLists,
  type SubsidyItemRow,
  type SubsidyRunRow,
} from '../../../db/queries/subsidies.ts'
import { addDays, dayOf } from '../../clock.ts'
import { subsidyRunPolicy } from '../../domain/access/subsidies.ts'
import { approveRun } from '../../domain/subsidies/approve.ts'
import { notReturnedByBank, returnedByBank } from '../../domain/subsidies/bank-returns.ts'
import { type BillState, isFinal, stateWords } from '../../domain/subsidies/bill-state.ts'
import { contentHash } from '../../domain/subsidies/content.ts'
import { exportForBank, exportRun, type Workbook } from '../../domain/subsidies/export.ts'
import { failWords } from '../../domain/subsidies/fail-words.ts'
import { yuan } from '../../domain/subsidies/rules.ts'
import {
  changesSince,
  changeWay,
  type ListChanges,
  leaveOut,
  returnRun,
  runWords,
  stopsOf,
  submitRun,
  withdrawRun,
} from '../../domain/subsidies/runs.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { comparePayments } from '../../jobs/compare-payments.ts'
import { page } from '../layout.ts'
import {
  agoWords,
  dayWords,
  deed,
  figure,
  moment,
  pager,
  type Tone,
  table,
  tag,
  textArea,
  token,
} from '../parts.ts'
import type { Answer, Routes, View } from '../routes.ts'
import { sendWorkbook } from '../send-workbook.ts'
import { amount, orSay, runTones, wayWords } from '../subsidy-parts.ts'

const PATH = '/console/subsidies'
const PAGE = 100
/** Names of who is new or gone that are written out. */
const NAMED = 30

const runQuery = z.object({ page: z.coerce.number().int().min(1).max(1000).catch(1) })
const reasonForm = z.object({ reason: z.string().max(2000).catch('') })
const itemForm = z.object({
  item: z.coerce.number().int().positive().catch(0),
  deed: z.enum(['out', 'back']).catch('out'),
  reason: z.string().max(2000).catch(''),
})
const bankForm = z.object({
  item: z.coerce.number().int().positive().catch(0),
  deed: z.enum(['returned', 'paid']).catch('returned'),
  reason: z.string().max(2000).catch(''),
})
const wayForm = z.object({ way: z.enum(['wechat', 'bank']) })
const approveForm = z.object({ hash: z.string().max(100).catch('') })

const billTones: Readonly<Record<BillState, Tone>> = {
  planned: 'quiet',
  held: 'bad',
  accepted: 'quiet',
  processing: 'quiet',
  waiting: 'wait',
  cancelling: 'wait',
  transferring: 'quiet',
  paid: 'good',
  failed: 'bad',
  cancelled: 'quiet',
}

type RunView = View<SubsidyRunRow>

/** What was filled in when a fault is said. */
interface Again {
  fault: string
  itemId?: number
  reason?: string
  returnReason?: string
}

/** `/console/subsidies/:runId`: one list, from its making to the last cent. */
export function subsidyRunPages(routes: Routes): void {
  const own = (view: RunView) => `${PATH}/${view.thing.id}`
  routes.get(`${PATH}/:runId`, subsidyRunPolicy, view => runPage(view))
  routes.post(`${PATH}/:runId/items`, subsidyRunPolicy, view => {
    const { item, deed: what, reason } = view.read(itemForm)
    return orSay(
      view,
      async () => {
        const input = { runId: view.thing.id, itemId: item, reason: what === 'back' ? null : reason }
        await leaveOut(view.rt, view.viewer.actor, input)
        return view.goTo(own(view), what === 'back' ? '已放回名单。' : '已移出名单。')
      },
      fault => runPage(view, { fault, itemId: item, reason }),
    )
  })
  routes.post(`${PATH}/:runId/bank`, subsidyRunPolicy, view => {
    const { item: itemId, deed: what, reason } = view.read(bankForm)
    const { rt, viewer, thing } = view
    return orSay(
      view,
      async () => {
        if (what === 'paid') await notReturnedByBank(rt, viewer.actor, { runId: thing.id, itemId })
        else await returnedByBank(rt, viewer.actor, { runId: thing.id, itemId, reason })
        return view.goTo(
          own(view),
          what === 'paid' ? '已更正，已告诉本人。' : '已记下，钱退回预算，已告诉本人。',
        )
      },
      fault => runPage(view, { fault, itemId, reason }),
    )
  })
  routes.post(`${PATH}/:runId/way`, subsidyRunPolicy, view => {
    const { way } = view.read(wayForm)
    return act(view, async () => {
      await changeWay(view.rt, view.viewer.actor, { runId: view.thing.id, way })
      return `已改由${wayWords(way)}。`
    })
  })
  routes.post(`${PATH}/:runId/submit`, subsidyRunPolicy, view =>
    act(view, async () => {
      await submitRun(view.rt, view.viewer.actor, view.thing.id, view.rt.config.wechatPay)
      return '已提交复核，已告诉本校项目办的其他负责同志。'
    }),
  )
  routes.post(`${PATH}/:runId/withdraw`, subsidyRunPolicy, view =>
    act(view, async () => {
      await withdrawRun(view.rt, view.viewer.actor, view.thing.id)
      return '名单已作废，没有发钱。'
    }),
  )
  routes.post(`${PATH}/:runId/return`, subsidyRunPolicy, view => {
    const { reason } = view.read(reasonForm)
    return orSay(
      view,
      async () => {
        await returnRun(view.rt, view.viewer.actor, { runId: view.thing.id, reason })
        return view.goTo(own(view), '已退回，已告诉制单人。')
      },
      fault => runPage(view, { fault, returnReason: reason }),
    )
  })
  routes.post(`${PATH}/:runId/approve`, subsidyRunPolicy, view => {
    const { hash } = view.read(approveForm)
    return act(view, async () => {
      await approveRun(view.rt, view.viewer.actor, { runId: view.thing.id, hash }, view.rt.config.wechatPay)
      return '已批准。'
    })
  })
  routes.post(`${PATH}/:runId/compare`, subsidyRunPolicy, view =>
    act(view, async () => {
      if (!view.rt.channels.wechatPay)
        throw new DomainError('subsidy.merchant', '没有配置微信支付，不能对账。')
      const found = await comparePayments(view.rt, view.thing.id, view.viewer.actor.person.id)
      const { differences } = found
      return differences.length === 0
        ? `对账完毕：${found.bills} 笔都一致。`
        : `对账完毕：${found.bills} 笔里有 ${differences.length} 笔不一致，见下面。`
    }),
  )
  routes.get(`${PATH}/:runId/xlsx`, subsidyRunPolicy, view =>
    download(view, () => exportRun(view.rt, view.viewer.actor, view.thing.id)),
  )
  routes.get(`${PATH}/:runId/bank.xlsx`, subsidyRunPolicy, view =>
    download(view, () => exportForBank(view.rt, view.viewer.actor, view.thing.id)),
  )
}

function act(view: RunView, work: () => Promise<string>): Promise<Answer> {
  return orSay(
    view,
    async () => view.goTo(`${PATH}/${view.thing.id}`, await work()),
    fault => runPage(view, { fault }),
  )
}

/** What cannot be exported leads back to the list, which says why. */
async function download(view: RunView, make: () => Promise<Workbook>): Promise<Answer> {
  try {
    return sendWorkbook(view, await make())
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'subsidy.bank') throw error
    return view.goTo(`${PATH}/${view.thing.id}`, error.message)
  }
}

async function runPage(view: RunView, again: Again | null = null): Promise<Html> {
  const { rt, viewer } = view
  // a fault may mean that another has changed it meanwhile: what is shown is what stands
  const run = (await subsidyRunPolicy.find(rt, viewer, view.thing.id)) ?? view.thing
  const { page: number } = again ? { page: 1 } : view.read(runQuery)
  const now = rt.clock.now()
  const items = await itemsOf(rt.db, run.id, true)
  const listed = items.filter(item => item.leftOutReason === null)
  const isOpen = ['draft', 'returned', 'submitted'].includes(run.status)
  const [names, changes, stops, bills, doubled] = await Promise.all([
    namesOfPersons(rt.db, [run.madeBy, run.checkedBy]),
    changesSince(rt, run),
    isOpen ? stopsOf(rt, run, listed, rt.config.wechatPay) : [],
    billsOfRun(rt.db, run.id).then(all => new Map(all.map(({ bill }) => [bill.itemId, bill]))),
    isOpen
      ? onOtherLists(
          rt.db,
          run.id,
          listed.map(item => item.personId),
        )
      : new Set<number>(),
  ])
  const shown = items.slice((number - 1) * PAGE, number * PAGE)
  const total = listed.reduce((sum, item) => sum + item.fen, 0)
  const isPaid = run.status === 'approved'
  const twice = listed.filter(item => doubled.has(item.personId)).map(item => item.name)
  return page(view, {
    title: `补贴名单 ${run.id}`,
    part: 'subsidies',
    above: [['一次性生活补贴', `${PATH}?unit=${run.unitId}`]],
    fault: again?.fault ?? null,
    body: html`<p>${tag(runWords[run.status] ?? run.status, runTones[run.status])} ${wayWords(run.way)} · ${run.year} 年预算 · ${names.get(run.madeBy) ?? ''}制单，${moment(run.madeAt, now)}${run.checkedBy === null ? '' : html` · ${names.get(run.checkedBy) ?? ''}复核，${moment(run.checkedAt as Date, now)}`}</p>
${run.status === 'returned' && run.reason ? html`<p class="fault">退回的原因：${run.reason}</p>` : ''}
<div class="figures">${figure(`${listed.length} 人`, '名单')}${figure(amount(total), '共计（元）')}${figure(`${listed.filter(item => item.isOutOfProvince).length} 人`, '省外服务')}${items.length > listed.length ? figure(`${items.length - listed.length} 人`, '移出') : ''}</div>
${stops.map(stop => html`<p class="fault">${stop.words}</p>`)}
${twice.length > 0 ? html`<p class="fault">${namedWords(twice)}还在另一份没有批准的名单里，谁先批准算谁的。</p>` : ''}
${isOpen ? longServingPart(listed, run) : ''}
${changesPart(changes, run)}
${deedsPart(view, run, items, stops.length > 0, again)}
${isPaid ? await moneyPart(view, run, bills) : ''}
<h2>名单</h2>
${table(
  '名单里的人',
  isPaid
    ? ['姓名，服务地', { name: '金额', isNumber: true }, '付款']
    : ['姓名', { name: '金额', isNumber: true }, '服务地', '公众号', ...(canEdit(run) ? ['办理'] : [])],
  shown.map(item => itemRow(view, run, item, bills.get(item.id) ?? null, again)),
  '名单里没有人。',
)}
${pager(`${PATH}/${run.id}`, {}, number, items.length > number * PAGE)}`,
  })
}

/** Its maker still works on it. */
const canEdit = (run: SubsidyRunRow) => run.status === 'draft' || run.status === 'returned'

function namedWords(names: readonly string[]): string {
  return `${names.slice(0, NAMED).join('、')}${names.length > NAMED ? `等 ${names.length} 人` : ''}`
}

function changesPart({ since, joined, gone }: ListChanges, run: SubsidyRunRow): Html {
  if (!since)
    return html`<p class="soft">这是本校第一份名单${run.status === 'approved' ? '' : '，没有以前批准的可比'}。</p>`
  return html`<section class="card"><h2>和上一份批准的名单比</h2><p>上一份是<a href="${PATH}/${since.id}">名单 ${since.id}</a>。</p><dl class="facts">
<dt>新增 ${joined.length} 人</dt><dd>${joined.length > 0 ? namedWords(joined) : '没有'}</dd>
<dt>不再列 ${gone.length} 人</dt><dd>${gone.length > 0 ? namedWords(gone) : '没有'}</dd></dl></section>`
}

/** Whoever has served for a year or more may have been paid before this system was there, which knows nothing of it. */
function longServingPart(listed: readonly SubsidyItemRow[], run: SubsidyRunRow): Html {
  const yearAgo = addDays(dayOf(run.madeAt), -365)
  const names = listed.filter(item => item.startsOn <= yearAgo).map(item => item.name)
  return names.length === 0
    ? html``
    : html`<p class="said">有 ${names.length} 人一年以前就开始服务：${namedWords(names)}。用本系统以前发过的，系统不知道，请核对，发过的移出名单。</p>`
}

/** What this viewer can do with the list now. */
function deedsPart(
  view: RunView,
  run: SubsidyRunRow,
  items: readonly SubsidyItemRow[],
  isStopped: boolean,
  again: Again | null,
): Html {
  const { viewer, formToken } = view
  const own = `${PATH}/${run.id}`
  const isMaker = run.madeBy === viewer.actor.person.id
  const withdraw = deed(`${own}/withdraw`, formToken, '作废', {
    isGrave: true,
    sure: '这份名单作废，不发钱？',
  })
  if (canEdit(run)) {
    const other = run.way === 'bank' ? 'wechat' : 'bank'
    return html`<section class="card"><h2>制单</h2>${isMaker ? '' : html`<p class="soft">名单由制单人提交。</p>`}<div class="deeds">${isMaker && !isStopped ? deed(`${own}/submit`, formToken, '提交复核') : ''}<form class="deed" method="post" action="${own}/way">${token(formToken)}<input type="hidden" name="way" value="${other}"><button class="second">改由${wayWords(other)}</button></form>${withdraw}</div>${isMaker && isStopped ? html`<p class="soft">上面的问题解决以后才能提交。</p>` : ''}</section>`
  }
  if (run.status === 'submitted') {
    if (isMaker)
      return html`<section class="card"><h2>等待复核</h2><p>请本校项目办的另一位负责同志复核，制单和复核不能是同一个人。</p><div class="deeds">${withdraw}</div></section>`
    return html`<section class="card"><h2>复核</h2><p>请逐人核对下面的名单。批准的就是您现在看到的这一份：以后名单有一个字不同，都不会付款。</p>
<div class="deeds"><form class="deed" method="post" action="${own}/approve" data-sure="批准后就会发钱，确定吗？">${token(formToken)}<input type="hidden" name="hash" value="${contentHash(run, items)}"><button>批准</button></form></div></section>
<section class="card"><h2>有问题</h2><form method="post" action="${own}/return">${token(formToken)}${textArea('reason', '退回的原因', { value: again?.returnReason ?? '', rows: 2, isRequired: true })}<div class="deeds"><button class="second">退回制单人</button></div></form></section>`
  }
  if (run.status !== 'approved') return html``
  return html`<div class="deeds"><a class="button second" href="${own}/xlsx">导出给财务（XLSX）</a>${run.way === 'bank' ? html`<a class="button second" href="${own}/bank.xlsx">导出银行发放表（XLSX）</a><span class="soft">含完整的身份证号和手机号，下载会留痕。</span>` : ''}</div>`
}

/** The ledger of an approved list, and what the last comparison has found. */
async function moneyPart(
  view: RunView,
  run: SubsidyRunRow,
  bills: ReadonlyMap<number, PayBillRow>,
): Promise<Html> {
  const { rt, formToken } = view
  const [sums, last] = await Promise.all([
    ledgerSums(rt.db, { runId: run.id }),
    lastComparison(rt.db, run.id),
  ])
  if (run.way === 'bank')
    return html`<section class="card"><h2>分账</h2><p>交银行发放 ${yuan(sums.bank - sums.bank_returned)}。</p><p class="soft">银行退回了谁的，请在下面名单里记下：钱回到预算，本人可以重新列入名单。</p></section>`
  const open = [...bills.values()].filter(bill => !isFinal(bill.state as BillState)).length
  return html`<section class="card"><h2>分账</h2>
<div class="figures">${figure(amount(sums.promised), '批准（元）')}${figure(amount(sums.paid), '到账（元）', undefined, 'good')}${figure(amount(sums.freed), '未付成，退回预算（元）', undefined, sums.freed > 0 ? 'bad' : 'quiet')}${figure(amount(sums.promised - sums.paid - sums.freed), `在途 ${open} 笔（元）`, undefined, open > 0 ? 'wait' : 'quiet')}</div>
<div class="deeds">${deed(`${PATH}/${run.id}/compare`, formToken, '对账')}</div><p class="soft">逐笔问微信支付，和分账比对；每天早上也会自动对一次。</p>
${
  last === null
    ? html`<p class="soft">还没有对过账。</p>`
    : last.differences.length === 0
      ? html`<p>${tag('一致', 'good')} ${moment(last.at, rt.clock.now())}对过 ${last.bills} 笔。</p>`
      : html`<p class="fault">${moment(last.at, rt.clock.now())}对账，${last.differences.length} 笔不一致。请先不要另行付款，核实后告诉系统管理员。</p>${table(
          '对账不一致的付款',
          ['商户单号', '我们记的', '微信支付说的'],
          last.differences.map(
            each => html`<tr><td>${each.number}</td><td>${each.ours}</td><td>${each.theirs}</td></tr>`,
          ),
          '',
        )}`
}</section>`
}

function itemRow(
  view: RunView,
  run: SubsidyRunRow,
  item: SubsidyItemRow,
  bill: PayBillRow | null,
  again: Again | null,
): Html {
  const isPaid = run.status === 'approved'
  const state =
    item.leftOutReason !== null
      ? html`${tag('已移出')} <small>${item.leftOutReason}</small>`
      : bill
        ? billCell(view, bill)
        : isPaid
          ? bankCell(item)
          : item.identityId === null
            ? tag('没有绑定', run.way === 'bank' ? 'quiet' : 'bad')
            : tag('已绑定', 'good')
  const deeds = bill
    ? billDeeds(view, bill)
    : isPaid
      ? bankDeeds(view, run, item, again)
      : itemDeeds(view, run, item, again)
  const place = html`${item.place}，${item.isOutOfProvince ? '省外' : '省内'}`
  const since = html`<small class="soft">${dayWords(item.startsOn)}起</small>`
  const fen = html`<td class="number nowrap">${yuan(item.fen)}</td>`
  // a phone has room for three columns
  if (isPaid)
    return html`<tr><td>${item.name}<br><small class="soft">${place}</small> ${since}</td>${fen}<td>${state}<div>${deeds}</div></td></tr>`
  return html`<tr><td>${item.name}</td>${fen}<td>${place} ${since}</td><td>${state}</td>${canEdit(run) ? html`<td>${deeds}</td>` : ''}</tr>`
}

function bankCell({ bankReturnReason }: SubsidyItemRow): Html {
  return bankReturnReason === null
    ? tag('交银行发放', 'good')
    : html`${tag('银行退回', 'bad')} <small>${bankReturnReason}</small>`
}

function bankDeeds(view: RunView, run: SubsidyRunRow, item: SubsidyItemRow, again: Again | null): Html {
  const action = `${PATH}/${run.id}/bank`
  if (item.leftOutReason !== null) return html``
  if (item.bankReturnReason !== null)
    return deed(action, view.formToken, '改回：没有退回', {
      isSecond: true,
      fields: { item: String(item.id), deed: 'paid' },
      sure: `${item.name}的钱银行其实没有退回？`,
    })
  return reasonForItem(view, item, again, {
    action,
    what: 'returned',
    words: '银行退回',
    label: `银行为什么退回${item.name}的`,
  })
}

function itemDeeds(view: RunView, run: SubsidyRunRow, item: SubsidyItemRow, again: Again | null): Html {
  const action = `${PATH}/${run.id}/items`
  if (!canEdit(run)) return html``
  if (item.leftOutReason !== null)
    return deed(action, view.formToken, '放回', { fields: { item: String(item.id), deed: 'back' } })
  return reasonForItem(view, item, again, {
    action,
    what: 'out',
    words: '移出',
    label: `为什么移出${item.name}`,
  })
}

/** A deed about one person that wants a reason. */
function reasonForItem(
  view: RunView,
  item: SubsidyItemRow,
  again: Again | null,
  { action, what, words, label }: { action: string; what: string; words: string; label: string },
): Html {
  const isAgain = again?.itemId === item.id
  return html`<details${isAgain ? ' open' : ''}><summary>${words}</summary><form method="post" action="${action}">${token(view.formToken)}<input type="hidden" name="item" value="${item.id}"><input type="hidden" name="deed" value="${what}">
<p class="field"><label for="f-reason-${item.id}">${label}</label><input id="f-reason-${item.id}" name="reason" value="${isAgain ? (again?.reason ?? '') : ''}" required maxlength="200"></p><button class="second">${words}</button></form></details>`
}

function billCell({ rt }: RunView, bill: PayBillRow): Html {
  const state = bill.state as BillState
  const now = rt.clock.now()
  const since =
    state === 'waiting' && bill.waitingSince
      ? `等了 ${agoWords(now.getTime() - bill.waitingSince.getTime())}`
      : ''
  const asked =
    bill.cancelAskedAt !== null && !isFinal(state)
      ? state === 'held'
        ? '已放弃，正在核实'
        : '已要求撤销'
      : ''
  const why = bill.failReason ? failWords(bill.failReason) : ''
  const small = [since, asked, why].filter(each => each !== '').join('；')
  return html`${tag(stateWords[state], billTones[state])}${small === '' ? '' : html` <small>${small}</small>`} <small class="soft">${bill.number}</small>`
}

function billDeeds({ rt, formToken }: RunView, bill: PayBillRow): Html {
  const port = rt.channels.wechatPay
  const state = bill.state as BillState
  const act = (name: string, words: string, options: Parameters<typeof deed>[3] = {}) =>
    deed(`${PATH}/payments/${bill.id}`, formToken, words, { ...options, fields: { deed: name } })
  if (state === 'paid') {
    if (!port?.receipts) return html``
    return bill.receiptAskedAt === null
      ? deed(`${PATH}/payments/${bill.id}/receipt`, formToken, '申请回单')
      : html`<a href="${PATH}/payments/${bill.id}/receipt/file">下载回单</a>`
  }
  const isAsked = bill.cancelAskedAt !== null
  const canCancel = ['planned', 'accepted', 'processing', 'waiting'].includes(state) && !isAsked
  return html`${state === 'held' || (state === 'planned' && bill.failReason !== null) ? act('send_again', '原样重新提交') : ''}${canCancel && port?.port.needsConfirmation ? act('cancel', '撤销', { isGrave: true, sure: '撤销这笔付款？' }) : ''}${state === 'held' && !isAsked ? act('give_up', '放弃', { isGrave: true, sure: '放弃这笔付款？核实微信支付确实没有收下以后，可以重新列入名单。' }) : ''}`
}
