import { z } from 'zod'
import { billSums } from '../../../db/queries/pay-bills.ts'
import { budgetOf, ledgerSums, namesOfPersons, runsOf } from '../../../db/queries/subsidies.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { type BillState, stateWords } from '../../domain/subsidies/bill-state.ts'
import { universitiesOf } from '../../domain/subsidies/officers.ts'
import { notOwedWords, type Owed } from '../../domain/subsidies/owed.ts'
import { readYuan, subsidyFen, yuan } from '../../domain/subsidies/rules.ts'
import {
  hasMerchant,
  makeRun,
  owedBy,
  promisedFen,
  runWords,
  setYearBudget,
} from '../../domain/subsidies/runs.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, field, figure, moment, pager, table, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { amount, orSay, runTones, wayWords } from '../subsidy-parts.ts'

const PAGE = 20
/** People shown of a long list of who is owed; the list that is made holds all of them. */
const SHOWN = 200
const PATH = '/console/subsidies'

const listQuery = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
const budgetForm = z.object({ unit: listQuery.shape.unit, yuan: z.string().max(30).catch('') })
const makeForm = z.object({ unit: listQuery.shape.unit, way: z.enum(['wechat', 'bank']).catch('wechat') })

interface Typed {
  unit: number | undefined
  yuan: string | null
}

/** `/console/subsidies`: the one-off living subsidy of a sending university (山科大党发〔2021〕52号 四.(一).1). */
export function subsidyPages(routes: Routes): void {
  routes.get(PATH, 'university', view => homePage(view))
  routes.post(`${PATH}/budget`, 'university', view => {
    const { unit, yuan: written } = view.read(budgetForm)
    return orSay(
      view,
      async () => {
        const { id, name } = await officeAsked(view, unit)
        const year = yearNow(view)
        const fen = readYuan(written)
        await setYearBudget(view.rt, view.viewer.actor, { unitId: id, year, fen })
        return view.goTo(`${PATH}?unit=${id}`, `已设定${name} ${year} 年的预算：${yuan(fen)}。`)
      },
      fault => homePage(view, fault, { unit, yuan: written }),
    )
  })
  routes.post(PATH, 'university', view => {
    const { unit, way } = view.read(makeForm)
    return orSay(
      view,
      async () => {
        const { id } = await officeAsked(view, unit)
        const runId = await makeRun(view.rt, view.viewer.actor, { unitId: id, way })
        return view.goTo(`${PATH}/${runId}`, '名单已经做好，请逐人核对，再提交复核。')
      },
      fault => homePage(view, fault, { unit, yuan: null }),
    )
  })
}

/** The university that is asked for, of those whose office the viewer runs. @throws NotFound */
async function officeAsked({ rt, viewer }: View<null>, asked: number | undefined): Promise<UnitRow> {
  const own = universitiesOf(rt, viewer.actor)
  const id = asked ?? own[0]?.id
  const unit = own.some(each => each.id === id) && id !== undefined ? await unitById(rt.db, id) : null
  if (!unit) throw new NotFound()
  return unit
}

const yearNow = ({ rt }: View<null>) => Number(dayOf(rt.clock.now()).slice(0, 4))

async function homePage(
  view: View<null>,
  fault: string | null = null,
  typed: Typed | null = null,
): Promise<Html> {
  const { rt, viewer, formToken } = view
  const asked = typed ? { unit: typed.unit, page: 1 } : view.read(listQuery)
  const unit = await officeAsked(view, asked.unit)
  const now = rt.clock.now()
  const year = yearNow(view)
  const [budget, sums, runs, { owed, not }] = await Promise.all([
    budgetOf(rt.db, unit.id, year),
    ledgerSums(rt.db, { unitId: unit.id, year }),
    runsOf(rt.db, unit.id, PAGE + 1, (asked.page - 1) * PAGE),
    owedBy(rt, unit),
  ])
  const shown = runs.slice(0, PAGE)
  const [makers, states] = await Promise.all([
    namesOfPersons(
      rt.db,
      shown.map(({ run }) => run.madeBy),
    ),
    Promise.all(shown.map(({ run }) => (run.status === 'approved' ? billSums(rt.db, run.id) : []))),
  ])
  const byBank = sums.bank - sums.bank_returned
  const promised = promisedFen(sums)
  const canPay = hasMerchant(rt.config.wechatPay, unit)
  const others = universitiesOf(rt, viewer.actor).filter(each => each.id !== unit.id)
  return page(view, {
    title: '一次性生活补贴',
    part: 'subsidies',
    fault,
    body: html`<p class="soft">${unit.name}给按期上岗的西部计划志愿者发放：省外服务 ${yuan(subsidyFen(rt.templates, true))}，省内服务 ${yuan(subsidyFen(rt.templates, false))}（山科大党发〔2021〕52号）。每人只发一次，要一人制单、另一人复核。${others.map(
      each => html` <a href="${PATH}?unit=${each.id}">${each.name}</a>`,
    )}</p>
<div class="figures">${figure(budget === null ? '未设' : amount(budget), `${year} 年预算（元）`, undefined, budget === null ? 'wait' : 'quiet')}${figure(amount(promised), '已批准（元）')}${figure(amount(sums.paid + byBank), '已到账或交银行（元）', undefined, 'good')}${figure(budget === null ? '–' : amount(budget - promised), '还可批准（元）')}</div>
<div class="cards">
<section class="card"><h2>${owed.length > 0 ? `现在该发 ${owed.length} 人` : '现在没有该发的人'}</h2>
${
  owed.length > 0
    ? html`<p>共 ${yuan(owed.reduce((sum, each) => sum + subsidyFen(rt.templates, each.isOutOfProvince), 0))}。${noAccountWords(owed)}</p>
<form method="post" action="${PATH}">${token(formToken)}<input type="hidden" name="unit" value="${unit.id}">
<fieldset><legend>怎么发</legend>
<p><label><input type="radio" name="way" value="wechat"${canPay ? ' checked' : ' disabled'}> 微信支付：本人在微信里确认收款${canPay ? '' : '（本校没有配置商户）'}</label></p>
<p><label><input type="radio" name="way" value="bank"${canPay ? '' : ' checked'}> 导出名单，交银行发放</label></p></fieldset>
<div class="deeds"><button>制单</button></div></form>`
    : html`<p class="soft">志愿者名册里在岗、按期上岗、没有发过的人会列在这里。</p>`
}</section>
<section class="card"><h2>${year} 年预算</h2><form method="post" action="${PATH}/budget">${token(formToken)}<input type="hidden" name="unit" value="${unit.id}">
${field('yuan', '金额（元）', {
  value: typed?.yuan ?? (budget === null ? '' : (budget / 100).toFixed(2)),
  isRequired: true,
  hint: '批准的名单加起来不能超过它；改了会留痕。',
  attributes: html`inputmode="decimal" autocomplete="off"`,
})}<div class="deeds"><button class="second">设定</button></div></form></section></div>
<h2>名单</h2>
${table(
  '补贴名单',
  ['编号', '制单', '方式', { name: '人数', isNumber: true }, { name: '金额', isNumber: true }, '情况'],
  shown.map(
    ({ run, people, fen }, at) =>
      html`<tr><td><a href="${PATH}/${run.id}">名单 ${run.id}</a></td><td>${makers.get(run.madeBy) ?? ''} <span class="soft">${moment(run.madeAt, now)}</span></td><td class="nowrap">${wayWords(run.way)}</td><td class="number">${people}</td><td class="number nowrap">${yuan(fen)}</td><td>${tag(runWords[run.status] ?? run.status, runTones[run.status])} ${stateCounts(states[at] ?? [])}</td></tr>`,
  ),
  '还没有名单。',
)}
${pager(PATH, { unit: String(unit.id) }, asked.page, runs.length > PAGE)}
${
  owed.length > 0
    ? html`<details><summary>该发的 ${owed.length} 人</summary>${table(
        '该发的人',
        ['姓名', '服务地', '省内外', '服务开始', { name: '金额', isNumber: true }, '公众号'],
        owed
          .slice(0, SHOWN)
          .map(
            each =>
              html`<tr><td>${each.name}</td><td>${each.place}</td><td>${each.isOutOfProvince ? '省外' : '省内'}</td><td class="nowrap">${dayWords(each.startsOn)}</td><td class="number nowrap">${yuan(subsidyFen(rt.templates, each.isOutOfProvince))}</td><td>${each.identityId === null ? tag('没有绑定', 'wait') : tag('已绑定', 'good')}</td></tr>`,
          ),
        '',
      )}${restWords(owed.length)}</details>`
    : ''
}
${
  not.length > 0
    ? html`<details><summary>不在里面的 ${not.length} 人，为什么</summary>${table(
        '不该发的人和缘由',
        ['姓名', '缘由'],
        not
          .slice(0, SHOWN)
          .map(each => html`<tr><td>${each.name}</td><td>${notOwedWords[each.reason]}</td></tr>`),
        '',
      )}${restWords(not.length)}</details>`
    : ''
}`,
  })
}

const restWords = (all: number) =>
  all > SHOWN ? html`<p class="soft">只列出前 ${SHOWN} 人，制单后都在名单里。</p>` : ''

function noAccountWords(owed: readonly Owed[]): string {
  const without = owed.filter(each => each.identityId === null).length
  return without === 0 ? '' : `其中 ${without} 人还没有绑定公众号，微信付不到，请他们先绑定。`
}

function stateCounts(states: readonly { state: string; count: number }[]): Html {
  return html`<span class="soft">${states
    .map(({ state, count }) => `${stateWords[state as BillState]} ${count}`)
    .join('、')}</span>`
}
