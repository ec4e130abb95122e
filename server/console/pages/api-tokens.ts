import { z } from 'zod'
import { apiTokensUnder, type TokenInList } from '../../../db/queries/api-tokens.ts'
import { childUnits, type UnitRow } from '../../../db/queries/units.ts'
import { FULL_ROSTER, SCOPES, type Scope, scopes } from '../../api/scopes.ts'
import { dayOf } from '../../clock.ts'
import { apiTokenPolicy } from '../../domain/access/api-tokens.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { runsVeryUnit } from '../../domain/actor.ts'
import { endToken } from '../../domain/api-tokens/end.ts'
import { MAX_DAYS, makeApiToken } from '../../domain/api-tokens/make.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, deed, field, moment, pager, select, table, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 50
/** Units below an office that its form offers; others are reached from their own page, by `?unit=`. */
const MOST_CHOICES = 200
const HALF_YEAR_MS = 182 * 86_400_000

const number = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined)
const asked = z.object({ unit: number, page: z.coerce.number().int().min(1).max(1000).catch(1) })

const filled = z.object({
  name: z.string().catch(''),
  unit: z.coerce.number({ error: '请选一个单位。' }).int().positive().max(Number.MAX_SAFE_INTEGER),
  // one ticked box comes as a string, several as a list
  scopes: z
    .union([z.string().transform(one => [one]), z.array(z.string())])
    .catch([])
    .transform(list => list.filter((each): each is Scope => (SCOPES as string[]).includes(each))),
  until: z.string().catch(''),
})
type Filled = z.output<typeof filled>

/** `/console/api-tokens`: keys for offices' own systems (接口令牌). */
export function apiTokenPages(routes: Routes): void {
  routes.get('/console/api-tokens', 'manager', async view => show(view, {}))

  routes.post('/console/api-tokens', 'manager', async view => {
    const { rt, viewer } = view
    const values = view.read(filled)
    const unit = await unitPolicy.find(rt, viewer, values.unit)
    if (!unit) throw new NotFound()
    try {
      const made = await makeApiToken(rt, viewer.actor, {
        unit,
        name: values.name,
        scopes: values.scopes,
        lastDay: values.until,
      })
      // not a redirect: the token would have to wait somewhere
      return await show(view, { made: { token: made.token, name: values.name.trim(), unitName: unit.name } })
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return show(view, { values, unit, fault: error.message })
    }
  })

  routes.post('/console/api-tokens/:tokenId/end', apiTokenPolicy, async view => {
    const isEnded = await endToken(view.rt, view.viewer.actor, view.thing)
    return view.goTo(
      '/console/api-tokens',
      isEnded
        ? `“${view.thing.name}”已停用，用它的系统从现在起连不上了。`
        : `“${view.thing.name}”早已停用，不用再办。`,
    )
  })
}

interface Shown {
  made?: { token: string; name: string; unitName: string }
  values?: Filled
  unit?: UnitRow
  fault?: string
}

async function show(view: View<null>, { made, values, unit, fault }: Shown): Promise<Html> {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const query = view.request.method === 'GET' ? view.read(asked) : { unit: undefined, page: 1 }
  const chosen = unit ?? (query.unit === undefined ? null : await unitPolicy.find(rt, viewer, query.unit))
  if (query.unit !== undefined && !chosen) throw new NotFound()
  const tops = topUnits(rt.templates, viewer.actor)
  const rows = await apiTokensUnder(
    rt.db,
    tops.map(top => top.path),
    now,
    { offset: (query.page - 1) * PAGE, limit: PAGE + 1 },
  )
  const children = (await Promise.all(tops.map(top => childUnits(rt.db, top.id)))).flat()
  const choices = new Map<number, string>([
    ...(chosen ? [[chosen.id, chosen.name] as const] : []),
    ...tops.map(top => [top.id, top.name] as const),
    ...children.slice(0, MOST_CHOICES).map(child => [child.id, child.name] as const),
  ])
  return page(view, {
    title: '接口令牌',
    part: 'audit',
    above: [['操作留痕', '/console/audit']],
    fault: fault ?? null,
    body: html`<p class="soft">给本单位自己的系统（办公系统、数据看板）连接群阵用。令牌能看到和办理它的单位及下级的事，用它做的事算在建它的人名下。用法见<a href="/docs">接口说明</a>。</p>
${made ? madeCard(made) : ''}
<h2>已有的令牌</h2>
${table(
  '接口令牌',
  ['名称', '单位', '权限', '谁建的', '有效期', '最近使用', ''],
  rows.slice(0, PAGE).map(each => tokenRow(view, each, now)),
  '还没有令牌。需要时在下面建一个。',
)}
${pager('/console/api-tokens', {}, query.page, rows.length > PAGE)}
${form(view, choices, values, chosen?.id)}`,
  })
}

/** The only time that it is seen. */
function madeCard({ token: secret, name, unitName }: NonNullable<Shown['made']>): Html {
  return html`<section class="card secret" role="status"><h2>“${name}”已建好（${unitName}）</h2>
<p>令牌只显示这一次，现在就抄到您的系统里：</p>
<p class="key"><code>${secret}</code></p>
<p class="soft">谁拿到它，谁就能用它的权限：不要发在群里，不要写进文档。丢了或外泄了，马上在下面停用，再建一个。</p></section>`
}

function tokenRow(view: View<null>, each: TokenInList, now: Date): Html {
  const isOver = each.expiresAt <= now
  // the moment it ends is the beginning of the day after its last
  const lastDay = dayOf(new Date(each.expiresAt.getTime() - 1))
  return html`<tr><td>${each.name}</td><td>${each.unitName}</td><td>${each.scopes.map(
    scope => html`${tag(scopes[scope as Scope] ?? scope, scope === FULL_ROSTER ? 'wait' : 'quiet')} `,
  )}</td><td>${each.makerName}</td><td>${
    each.endedAt
      ? html`${tag('已停用')} ${moment(each.endedAt, now)}`
      : isOver
        ? html`${tag('已过期')} ${dayWords(lastDay)}`
        : html`到${dayWords(lastDay)}`
  }</td><td>${each.lastUsedAt ? moment(each.lastUsedAt, now) : html`<span class="soft">还没用过</span>`}</td><td>${
    each.endedAt || isOver
      ? ''
      : deed(`/console/api-tokens/${each.id}/end`, view.formToken, '停用', {
          isGrave: true,
          sure: `停用“${each.name}”？用它的系统马上就连不上了，停用后不能恢复。`,
        })
  }</td></tr>`
}

function form(
  view: View<null>,
  choices: ReadonlyMap<number, string>,
  values: Filled | undefined,
  unitId: number | undefined,
): Html {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const runsAny = [...choices.keys()].some(id => runsVeryUnit(rt.templates, viewer.actor, id))
  return html`<section class="card"><h2>建一个令牌</h2>
<form method="post" action="/console/api-tokens">${token(view.formToken)}
${field('name', '名称', { value: values?.name ?? '', hint: '给哪个系统用，如：团委办公系统。', isRequired: true, attributes: html`maxlength="40"` })}
${select(
  'unit',
  '单位',
  [...choices].map(([id, name]) => [String(id), name] as const),
  {
    value: String(values?.unit ?? unitId ?? ''),
    hint: '令牌管到这个单位和它的全部下级。',
  },
)}
<fieldset class="scopes"><legend>权限（只选用得着的）</legend>
${SCOPES.filter(scope => scope !== FULL_ROSTER).map(scope => box(scope, values))}
${
  runsAny
    ? html`<div class="grave">${box(FULL_ROSTER, values)}
<p id="h-full"><b>慎选。</b>有了它，那个系统能读到名册里每个人的完整手机号，您要对这些信息的去向负责（个人信息保护法第五十一条）。每次读取都留痕。</p></div>`
    : ''
}</fieldset>
${field('until', '有效期到', {
  type: 'date',
  value: values?.until ?? dayOf(new Date(now.getTime() + HALF_YEAR_MS)),
  hint: '最长一年。您不再负责这个单位时，令牌同时失效。',
  isRequired: true,
  attributes: html`min="${dayOf(now)}" max="${dayOf(new Date(now.getTime() + MAX_DAYS * 86_400_000))}"`,
})}
<p><button>建令牌</button></p></form></section>`
}

function box(scope: Scope, values: Filled | undefined): Html {
  return html`<p><label><input type="checkbox" name="scopes" value="${scope}"${values?.scopes.includes(scope) ? html` checked` : ''}${scope === FULL_ROSTER ? html` aria-describedby="h-full"` : ''}>${scopes[scope]}</label></p>`
}
