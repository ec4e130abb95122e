import { unitsOfLevelBelow } from '../../../db/queries/unit-plans.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { accountNaming, obeysNaming } from '../../domain/forms/account-name.ts'
import { ACCOUNT_KINDS, PLAN_NUMBERS, type UnitPlan } from '../../domain/forms/plan-fields.ts'
import { planSheetForm } from '../../domain/forms/plan-sheet.ts'
import { offerPlan, writePlan } from '../../domain/forms/write-plan.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { formFields } from '../form-fields.ts'
import { page } from '../layout.ts'
import { emptyState, field, moment, select, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

/** `GET /console/plans/:unitId/:year`: a county fills in its 建设计划表, with last year's offered. */
export function unitPlanPages(routes: Routes): void {
  routes.get('/console/plans/:unitId/:year', unitPolicy, async view => {
    const year = yearAsked(view)
    if (!hasPlan(view.thing)) return noPlan(view)
    return planPage(view, year)
  })
  routes.post('/console/plans/:unitId/:year', unitPolicy, async view => {
    const year = yearAsked(view)
    const typed = typedPlan(view)
    try {
      const { isChange } = await writePlan(view.rt, view.viewer.actor, {
        unit: view.thing,
        year,
        plan: planOfTyped(typed),
      })
      return view.goTo(
        `/console/forms/${planSheetForm.id}/${view.thing.id}/${year}`,
        isChange ? '计划已存好。请核对，再点“报送”。' : '和已存的一样，没有改动。',
      )
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return hasPlan(view.thing) ? planPage(view, year, error.message, typed) : noPlan(view)
    }
  })
}

/** What was typed, as it was typed. */
type TypedPlan = Record<string, string>

function yearAsked(view: View<UnitRow>): number {
  const { year = '' } = view.request.params as { year?: string }
  if (!/^20\d\d$/.test(year)) throw new NotFound()
  return Number(year)
}

const hasPlan = (unit: UnitRow) =>
  unit.programme === planSheetForm.programme && planSheetForm.levels.includes(unit.level)

function noPlan(view: View<UnitRow>): Html {
  return page(view, {
    title: planSheetForm.name,
    part: 'sheets',
    above: [['报表', '/console/forms']],
    body: emptyState(`建设计划由县区团委填报，${view.thing.name}没有这张表。`),
  })
}

function typedPlan(view: View<UnitRow>): TypedPlan {
  const fields = formFields(view.request.body)
  const names = ['account', 'accountName', 'lead', 'contact', ...PLAN_NUMBERS]
  return Object.fromEntries(names.map(name => [name, fields.text(name).slice(0, 300)]))
}

function planOfTyped(typed: TypedPlan): UnitPlan {
  const numberOf = (text = '') => {
    const clean = text.trim()
    return clean === '' ? null : /^\d+$/.test(clean) ? Number(clean) : Number.NaN
  }
  const account = typed.account ?? ''
  return {
    numbers: Object.fromEntries(
      PLAN_NUMBERS.map(name => [name, numberOf(typed[name])]),
    ) as UnitPlan['numbers'],
    account: account === 'none' ? 'none' : (ACCOUNT_KINDS.find(([id]) => id === account)?.[0] ?? null),
    accountName: typed.accountName ?? '',
    lead: typed.lead ?? '',
    contact: typed.contact ?? '',
  }
}

async function planPage(
  view: View<UnitRow>,
  year: number,
  fault: string | null = null,
  typed: TypedPlan | null = null,
): Promise<Html> {
  const { rt, thing: unit, formToken } = view
  const { labels, source } = rt.templates.freeForm(planSheetForm.id)
  const [{ plan, writtenAt, offeredFrom }, townships] = await Promise.all([
    offerPlan(rt, unit.id, year),
    unitsOfLevelBelow(rt.db, unit.path, 'township'),
  ])
  const values: TypedPlan = typed ?? {
    account: plan.account ?? '',
    accountName: plan.accountName,
    lead: plan.lead,
    contact: plan.contact,
    ...Object.fromEntries(PLAN_NUMBERS.map(name => [name, String(plan.numbers[name] ?? '')])),
  }
  const naming = accountNaming(rt.templates, unit.programme)
  const name = values.accountName ?? ''
  const isBad = name !== '' && !obeysNaming(rt.templates, unit.programme, name.trim())
  const input = (id: string, hint?: string) =>
    field(id, labels[id] ?? id, { value: values[id] ?? '', ...(hint ? { hint } : {}) })
  const number = (id: string) =>
    field(id, labels[id] ?? id, {
      value: values[id] ?? '',
      attributes: html`inputmode="numeric" pattern="[0-9]*"`,
    })
  return page(view, {
    title: `${unit.name} ${year}年建设计划`,
    part: 'sheets',
    above: [
      ['报表', '/console/forms'],
      [planSheetForm.name, `/console/forms/${planSheetForm.id}/${unit.id}/${year}`],
    ],
    fault,
    body: html`<p class="soft">县乡两级微信体系建设计划表（${source}）。没有定的留空；填好后在表上核对、打印、报送。</p>
<form class="card" method="post" action="/console/plans/${unit.id}/${year}">${token(formToken)}
<p>${writtenAt ? html`${tag('已填', 'good')} ${moment(writtenAt, rt.clock.now())}填的，再存就换成新的。` : offeredFrom === null ? tag('还没有填', 'wait') : html`${tag('还没有填', 'wait')} 下面先放了 ${offeredFrom}年的计划，请改成今年的再存。`}</p>
${select('account', labels.account ?? '', [['', '没有定'], ...ACCOUNT_KINDS.map(([id, words]) => [id, `是，${words}`] as const), ['none', '否']], { value: values.account ?? '' })}
${input('accountName', naming ? `县级公共号统一叫“青农XX”，如：${naming.example}（${naming.source}）` : undefined)}
${isBad ? html`<p>${tag(`名称“${name}”不合命名规则`, 'bad')} 可以先存，正式开通前请改成“${naming?.example ?? ''}”这样的。</p>` : ''}
${input('lead')}
${input('contact', '如：张三 13900000000。存起来是加密的，网页上打星号，下载的表里是全的。')}
<p class="field">${labels.townships}：<b>${townships}</b> <small>由系统按组织树计算</small></p>
${PLAN_NUMBERS.map(number)}
<div class="deeds"><button>存下计划</button></div></form>`,
  })
}
