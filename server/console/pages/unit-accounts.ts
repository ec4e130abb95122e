import { z } from 'zod'
import { accountsUnder, type UnitAccountRow } from '../../../db/queries/unit-accounts.ts'
import { unitById } from '../../../db/queries/units.ts'
import { monthOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitAccountPolicy } from '../../domain/access/unit-accounts.ts'
import { managesUnit } from '../../domain/actor.ts'
import { accountNaming, obeysNaming } from '../../domain/forms/account-name.ts'
import { accountNumbers, accountSheetForm } from '../../domain/forms/account-sheet.ts'
import { type AccountInput, keepAccount, stopAccount } from '../../domain/forms/keep-account.ts'
import { ACCOUNT_KINDS, accountKindWords } from '../../domain/forms/plan-fields.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { deed, emptyState, field, select, table, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const listQuery = z.object({ unit: z.coerce.number().int().positive().optional().catch(undefined) })
const text = z.string().max(200).catch('')
const accountForm = z.object({
  unit: z.coerce.number().int().positive().catch(0),
  name: text,
  kind: text,
  managerName: text,
  phone: text,
  wechat: text,
  qq: text,
})
type AccountFields = z.output<typeof accountForm>
type Account = UnitAccountRow & { unitName: string }

/** `/console/accounts`: the 公共号 of counties and who keeps them, for 统计表 (榆林团市委 2014 附件2). */
export function unitAccountPages(routes: Routes): void {
  routes.get('/console/accounts', 'manager', view => list(view))
  routes.post('/console/accounts', 'manager', async view => {
    const input = view.read(accountForm)
    return orSay(
      view,
      async () => {
        await keepAccount(view.rt, view.viewer.actor, {
          ...inputOf(input),
          unitId: input.unit,
          accountId: null,
        })
        return view.goTo(`/console/accounts?unit=${input.unit}`, `已登记公共号“${input.name.trim()}”。`)
      },
      fault => list(view, fault, input),
    )
  })
  routes.get('/console/accounts/:accountId', unitAccountPolicy, view => accountPage(view))
  routes.post('/console/accounts/:accountId', unitAccountPolicy, async view => {
    const input = view.read(accountForm)
    const { id, unitId } = view.thing
    return orSay(
      view,
      async () => {
        await keepAccount(view.rt, view.viewer.actor, { ...inputOf(input), unitId, accountId: id })
        return view.goTo(`/console/accounts?unit=${unitId}`, `已更改公共号“${input.name.trim()}”。`)
      },
      fault => accountPage(view, fault, input),
    )
  })
  routes.post('/console/accounts/:accountId/end', unitAccountPolicy, async view => {
    await stopAccount(view.rt, view.viewer.actor, view.thing.id)
    return view.goTo(
      `/console/accounts?unit=${view.thing.unitId}`,
      `公共号“${view.thing.name}”已登记停用，以前的表里还有它。`,
    )
  })
}

const inputOf = ({ unit: _unit, ...input }: AccountFields): AccountInput => input

async function orSay<Thing, T>(
  view: View<Thing>,
  work: () => Promise<T>,
  again: (fault: string) => Promise<Html>,
): Promise<T | Html> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    return again(error.message)
  }
}

async function list(
  view: View<null>,
  fault: string | null = null,
  typed: AccountFields | null = null,
): Promise<Html> {
  const { rt, viewer, formToken } = view
  const { programme } = accountSheetForm
  const asked = typed?.unit ?? view.read(listQuery).unit
  const tops = topUnits(rt.templates, viewer.actor).filter(unit => unit.programme === programme)
  const top = asked === undefined ? tops[0] : await unitById(rt.db, asked)
  if (asked !== undefined && !(top && managesUnit(rt.templates, viewer.actor, top.path))) throw new NotFound()
  const now = rt.clock.now()
  const rows =
    top?.programme === programme
      ? await accountsUnder(rt.db, { path: top.path, level: 'county' }, new Date(now.getTime() + 1))
      : []
  const counties = [...new Map(rows.map(row => [row.unitId, row.unitName]))]
  const year = monthOf(now).slice(0, 4)
  return page(view, {
    title: '公共号',
    part: 'sheets',
    above: [['报表', '/console/forms']],
    fault,
    body:
      !top || counties.length === 0
        ? emptyState('公共号由县区团委登记，您名下没有农村共青团的县区单位。')
        : html`<p class="soft">各县区的订阅号、服务号和管理员（榆林团市委 2014 附件2），汇总在<a href="/console/forms/${accountSheetForm.id}/${top.id}/${year}">${accountSheetForm.name}</a>。</p>
${table(
  '各县区的公共号',
  ['县区', '公共号', '管理员', '联系电话', '微信号', 'QQ号', '办理'],
  rows.map(row => accountRow(view, row)),
  '',
)}
<section class="card"><h2>登记一个公共号</h2>
<form method="post" action="/console/accounts">${token(formToken)}
${
  counties.length === 1
    ? html`<input type="hidden" name="unit" value="${counties[0]?.[0]}">`
    : select(
        'unit',
        '县区',
        counties.map(([id, name]) => [String(id), name] as const),
        {
          value: String(typed?.unit ?? ''),
        },
      )
}
${fieldsPart(view, typed, null)}
<div class="deeds"><button>登记</button></div></form></section>`,
  })
}

function accountRow(
  { rt, formToken }: View<null>,
  { unitName, account }: Awaited<ReturnType<typeof accountsUnder>>[number],
): Html {
  if (!account)
    return html`<tr><td>${unitName}</td><td>${tag('还没有', 'wait')}</td><td></td><td></td><td></td><td></td><td></td></tr>`
  const { phone, wechat, qq } = accountNumbers(rt, account, 'masked')
  const isGood = obeysNaming(rt.templates, accountSheetForm.programme, account.name)
  return html`<tr><td>${unitName}</td><td>${account.name} <span class="soft">${accountKindWords(account.kind)}</span>${isGood ? '' : html` ${tag('名称不合规则', 'bad')}`}</td><td>${account.managerName}</td><td class="nowrap">${phone ?? ''}</td><td>${wechat ?? ''}</td><td>${qq ?? ''}</td><td class="nowrap"><a href="/console/accounts/${account.id}">更改</a> ${deed(`/console/accounts/${account.id}/end`, formToken, '停用', { isGrave: true, sure: `“${account.name}”不再使用？` })}</td></tr>`
}

/** @param now the account that is changed, whose numbers are shown masked beside the fields */
function fieldsPart({ rt }: View<unknown>, typed: AccountFields | null, now: Account | null): Html {
  const naming = accountNaming(rt.templates, accountSheetForm.programme)
  const numbers = now ? accountNumbers(rt, now, 'masked') : null
  const hint = (kept: string | null | undefined, plain: string) =>
    kept ? { hint: `现在是 ${kept}，不改就留空；换了管理员请重新写。` } : { hint: plain }
  const name = typed?.name ?? now?.name ?? ''
  const isBad = name.trim() !== '' && !obeysNaming(rt.templates, accountSheetForm.programme, name.trim())
  return html`${field('name', '公共号名称', {
    value: name,
    isRequired: true,
    hint: naming ? `统一叫“青农XX”，如：${naming.example}（${naming.source}）。不合的会标出来。` : '',
  })}
${isBad ? html`<p>${tag('名称不合规则', 'bad')} 请在平台上改名后，再来这里更改。</p>` : ''}
${select('kind', '类型', ACCOUNT_KINDS, { value: typed?.kind ?? now?.kind ?? '' })}
${field('managerName', '管理员姓名', { value: typed?.managerName ?? now?.managerName ?? '', isRequired: true })}
${field('phone', '联系电话', { value: typed?.phone ?? '', type: 'tel', ...hint(numbers?.phone, '手机号，或带区号的座机号') })}
${field('wechat', '管理员微信号', { value: typed?.wechat ?? '', ...hint(numbers?.wechat, '没有可不填') })}
${field('qq', '管理员QQ号', { value: typed?.qq ?? '', attributes: html`inputmode="numeric"`, ...hint(numbers?.qq, '没有可不填') })}
<p class="soft">电话、微信号、QQ 号加密保存，网页上打星号；下载的表里是全的，会留痕。</p>`
}

async function accountPage(
  view: View<Account>,
  fault: string | null = null,
  typed: AccountFields | null = null,
): Promise<Html> {
  const { thing: account, formToken } = view
  return page(view, {
    title: `${account.unitName}的公共号“${account.name}”`,
    part: 'sheets',
    above: [
      ['报表', '/console/forms'],
      ['公共号', `/console/accounts?unit=${account.unitId}`],
    ],
    fault,
    body: html`<form class="card" method="post" action="/console/accounts/${account.id}">${token(formToken)}
${fieldsPart(view, typed, account)}
<div class="deeds"><button>更改</button></div></form>`,
  })
}
