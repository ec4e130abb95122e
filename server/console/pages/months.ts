import { z } from 'zod'
import {
  closingsOf,
  lateChangesOf,
  type SignedMonth,
  signingCounts,
  type UnsignedUnit,
  unitMonthsOf,
  unsignedUnits,
} from '../../../db/queries/months.ts'
import { lastFactsOf } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { unitById } from '../../../db/queries/units.ts'
import { addMonths, dayOf, monthOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { rateWords, reportingRates } from '../../domain/forms/rates.ts'
import { differences, type RollUp, rollUp } from '../../domain/months/figures.ts'
import { lateBy } from '../../domain/months/late-start.ts'
import { effectWords, figureName } from '../../domain/months/late-words.ts'
import { closeAt, dueAt, monthRules, monthSpan, signingLevels } from '../../domain/months/rules.ts'
import { signMonth, signs } from '../../domain/months/sign.ts'
import { type MonthState, monthState, reportingProgrammes } from '../../domain/months/state.ts'
import { membersOf, momentName, monthName, sumOf } from '../../domain/months/words.ts'
import { drawPng } from '../../domain/pictures/draw-png.ts'
import { drawMonth, type PictureKind, pictureKinds } from '../../domain/pictures/month-pictures.ts'
import type { TrackingFigures } from '../../domain/reports/tracking-sheet.ts'
import { reportFacts } from '../../domain/reports/unit-facts.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import {
  deed,
  emptyState,
  field,
  figure,
  moment,
  monthWords,
  pager,
  select,
  table,
  tag,
  token,
} from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 50
const MONTHS = 24
/** Late changes that the page of a month shows; the rest are counted. */
const LATE = 50
const monthForm = /^20\d\d-(0[1-9]|1[0-2])$/
const base = '/console/months/:unitId/:month'

const query = z.object({
  month: z.string().regex(monthForm).optional().catch(undefined),
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
const written = z.string().max(9).catch('')
const form = z.looseObject({
  branches: written,
  cadres: written,
  youth: written,
  otherGroups: written,
  reason: z.string().max(1000).catch(''),
})
type Form = z.output<typeof form>

/** The month from the branch to the nation: its figures by unit, who has signed, and how it is put right. */
export function monthPages(routes: Routes): void {
  routes.get('/console/months', 'manager', list)
  routes.get(base, unitPolicy, view => unitPage(view, monthAsked(view)))
  routes.post(`${base}/sign`, unitPolicy, async view => {
    const month = monthAsked(view)
    try {
      const { isAnew, isOnTime, missing } = await signMonth(view.rt, view.viewer.actor, {
        unitId: view.thing.id,
        month,
      })
      const late = isOnTime ? '' : '（过了期限）'
      const open = missing.length > 0 ? `下面还没有签报的：${missing.join('、')}。` : ''
      return view.goTo(
        pathOf(view.thing.id, month),
        `已${isAnew ? '重新' : ''}签报${monthName(month)}的数${late}。${open}`,
      )
    } catch (error) {
      return refused(view, month, error)
    }
  })
  routes.post(`${base}/facts`, unitPolicy, async view => {
    const month = monthAsked(view)
    const said = view.read(form)
    try {
      await reportFacts(view.rt, view.viewer.actor, view.thing, factsOf(view, said), {
        month,
        reason: said.reason,
      })
      return view.goTo(
        pathOf(view.thing.id, month),
        `已填报${view.thing.name}${monthName(month)}的基本数据。`,
      )
    } catch (error) {
      return refused(view, month, error, said)
    }
  })
  for (const { id } of pictureKinds) {
    routes.get(`${base}/${id}.svg`, unitPolicy, async view => {
      const { svg } = await pictureOf(view, id)
      return view.reply.type('image/svg+xml; charset=utf-8').send(svg)
    })
    routes.get(`${base}/${id}.png`, unitPolicy, async view => {
      const { svg } = await pictureOf(view, id)
      return view.reply.type('image/png').send(await drawPng(svg))
    })
  }
}

const pathOf = (unitId: number, month: string) => `/console/months/${unitId}/${month}`

/** @throws NotFound when the path names no month */
function monthAsked(view: View<unknown>): string {
  const { month = '' } = view.request.params as { month?: string }
  if (!monthForm.test(month)) throw new NotFound()
  return month
}

function pictureOf(view: View<UnitRow>, kind: PictureKind) {
  const month = monthAsked(view)
  const { rt, thing: unit } = view
  if (!reportingProgrammes(rt).includes(unit.programme) || month > monthOf(rt.clock.now()))
    throw new NotFound()
  return drawMonth(rt, unit, month, kind)
}

/** The same page with the fault and what was filled in. @throws the error itself when it is no refusal */
function refused(view: View<UnitRow>, month: string, error: unknown, said?: Form): Promise<Html> {
  if (!(error instanceof DomainError)) throw error
  view.reply.code(422)
  return unitPage(view, month, error.message, said)
}

async function list(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const asked = view.read(query)
  const now = rt.clock.now()
  const last = addMonths(monthOf(now), -1)
  const month = asked.month !== undefined && asked.month <= monthOf(now) ? asked.month : last
  const programmes = reportingProgrammes(rt)
  const tops = topUnits(rt.templates, viewer.actor).filter(unit => programmes.includes(unit.programme))
  const top = tops.find(unit => unit.id === asked.unit) ?? tops[0]
  const title = '月度签报'
  const above: [string, string][] = [['报表', '/console/forms']]
  if (!top)
    return page(view, {
      title,
      part: 'sheets',
      above,
      body: emptyState('按月签报的是农村共青团的各级团委，您负责的单位不按月签报。'),
    })
  const { end } = monthSpan(month)
  const [counts, missing, closings, programme, late] = await Promise.all([
    signingCounts(rt.db, top.path, month, signingLevels, end),
    unsignedUnits(rt.db, top.path, month, {
      levels: signingLevels,
      end,
      limit: PAGE + 1,
      offset: (asked.page - 1) * PAGE,
    }),
    closingsOf(rt.db, top.programme, [month]),
    rt.templates.programme(top.programme),
    lateBy(rt, top.programme, month),
  ])
  const levelName = (level: string) => programme.levels.find(each => each.id === level)?.name ?? level
  const months = Array.from({ length: MONTHS }, (_, back) => addMonths(monthOf(now), -back))
  if (!months.includes(month)) months.push(month)
  const closedAt = closings.get(month)
  const about = { month, ...(tops.length > 1 ? { unit: String(top.id) } : {}) }
  return page(view, {
    title: `${monthWords(month)}签报`,
    part: 'sheets',
    above,
    body: html`<form class="card row" method="get" action="/console/months">${select(
      'month',
      '月份',
      months.map(each => [each, monthWords(each)] as const),
      { value: month, attributes: html`data-auto` },
    )}${
      tops.length > 1
        ? select(
            'unit',
            '单位',
            tops.map(each => [String(each.id), each.name] as const),
            { value: String(top.id), attributes: html`data-auto` },
          )
        : ''
    }<button class="second">查看</button></form>
<p>${stateTag(month, closedAt, now, late)} <a href="${pathOf(top.id, month)}">${top.name}${monthName(month)}的数</a></p>
<h2>各级签报</h2>
${table(
  '各级签报的五率',
  ['层级', ...['应报', '实报', '按时', '上报率', '按时率'].map(name => ({ name, isNumber: true }))],
  signingLevels.toReversed().flatMap(level => {
    const count = counts.find(each => each.level === level)
    if (!count) return []
    const rates = reportingRates(count)
    const cells = [
      rates.expected,
      rates.received,
      rates.onTime,
      rateWords(rates.rate),
      rateWords(rates.onTimeRate),
    ]
    return [
      html`<tr><td>${levelName(level)}</td>${cells.map(cell => html`<td class="number">${cell}</td>`)}</tr>`,
    ]
  }),
  '下面没有要签报的单位。',
)}
<h2>还没有签报的</h2>
${table(
  '还没有签报的单位',
  ['单位', '上级', '期限', '情况'],
  missing.slice(0, PAGE).map(each => missingRow(each, month, now, levelName, late)),
  asked.page > 1 ? '后面没有了。' : now < end ? '这个月还没有完，下个月 1 日起签报。' : '都签了。',
)}
${pager('/console/months', about, asked.page, missing.length > PAGE)}`,
  })
}

function stateTag(month: string, closedAt: Date | undefined, now: Date, late: number): Html {
  if (closedAt) return tag(`${momentName(closedAt)}关账`, 'quiet')
  if (now < monthSpan(month).end) return tag('这个月还没有完', 'quiet')
  const closesAt = closeAt(month, late)
  return now > closesAt ? tag('没有关账', 'quiet') : tag(`${momentName(closesAt)}关账`, 'wait')
}

function missingRow(
  unit: UnsignedUnit,
  month: string,
  now: Date,
  levelName: (level: string) => string,
  late: number,
): Html {
  const due = unit.dueAt ?? dueAt(month, unit.level, late)
  const state =
    now > due ? tag('过了期限', 'bad') : unit.askedAt ? tag('已请签报', 'wait') : tag('还没有轮到', 'quiet')
  return html`<tr><td><a href="${pathOf(unit.id, month)}">${unit.name}</a> <span class="soft">${levelName(unit.level)}</span></td><td>${unit.parentName ?? ''}</td><td class="nowrap">${dayMonth(due)}</td><td>${state}</td></tr>`
}

function dayMonth(at: Date): string {
  const day = dayOf(at)
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日`
}

async function unitPage(
  view: View<UnitRow>,
  month: string,
  fault: string | null = null,
  said?: Form,
): Promise<Html> {
  const { rt, thing: unit } = view
  const now = rt.clock.now()
  const above: [string, string][] = [
    ['报表', '/console/forms'],
    ['月度签报', `/console/months?month=${month}`],
  ]
  const title = `${unit.name} ${monthWords(month)}`
  if (!reportingProgrammes(rt).includes(unit.programme) || month > monthOf(now))
    return page(view, {
      title,
      part: 'sheets',
      above,
      fault,
      body: emptyState(
        month > monthOf(now)
          ? `${monthWords(month)}还没有到，没有可看的数。`
          : `${rt.templates.programme(unit.programme).name}不按月签报，${unit.name}没有月度数。`,
      ),
    })
  const parent = unit.parentId === null ? null : await unitById(rt.db, unit.parentId)
  const mayOpenParent = parent && (await unitPolicy.find(rt, view.viewer, parent.id))
  const [sums, state, late, facts, movedBy] = await Promise.all([
    rollUp(rt, unit, month),
    monthState(rt, unit.programme, month),
    lateChangesOf(rt.db, unit.path, month, LATE),
    lastFactsOf(rt.db, unit.id, month),
    lateBy(rt, unit.programme, month),
  ])
  const signed = await unitMonthsOf(rt.db, [unit.id, ...sums.rows.map(row => row.unit.id)], month)
  const next = addMonths(month, 1)
  return page(view, {
    title,
    part: 'sheets',
    above: mayOpenParent ? [...above, [mayOpenParent.name, pathOf(mayOpenParent.id, month)]] : above,
    fault,
    body: html`<div class="figures">${figure(sums.total.groups, '个微信群')}${figure(membersOf(sums.total), '人在群内')}${figure(sumOf(sums.total, 'messages'), '条微信', recordsPath(unit.id, month))}${figure(sumOf(sums.total, 'activities'), '次线下活动')}</div>
${signs(rt, unit) ? signPart(view, month, sums, signed.get(unit.id), state, movedBy) : ''}
${unit.level === 'county' ? html`<p><a href="/console/forms/tracking-sheet/${unit.id}/${month}">${monthName(month)}跟踪摸底表</a></p>` : ''}
<h2>各单位的数</h2>
<p class="soft">点数字，可以看到是由哪些记录、哪些群来的；消息里机器归类 ${sums.byMachine} 条，人工归类 ${sums.byHand} 条。</p>
${figuresTable(view, unit, month, sums, signed)}
${latePart(late)}
${unit.level === monthRules.rowLevel && state !== 'settled' ? factsPart(view, month, facts, state, said) : ''}
<h2>图</h2>
<div class="charts">${pictureKinds.map(
      ({ id, name }) =>
        html`<figure><img class="chart" loading="lazy" src="${pathOf(unit.id, month)}/${id}.svg" width="560" alt="${name}"><figcaption>${name} <a href="${pathOf(unit.id, month)}/${id}.png">下载图片</a></figcaption></figure>`,
    )}</div>
<nav class="pager" aria-label="换月份"><a href="${pathOf(unit.id, addMonths(month, -1))}">上一个月</a><span></span>${next > monthOf(now) ? html`<span></span>` : html`<a href="${pathOf(unit.id, next)}">下一个月</a>`}</nav>`,
  })
}

function recordsPath(unitId: number, month: string, more: Record<string, string> = {}): string {
  return `/console/records?${new URLSearchParams({ unit: String(unitId), month, ...more })}`
}

/** What was signed against what stands now, and the way to sign. */
function signPart(
  { rt, thing: unit, formToken }: View<UnitRow>,
  month: string,
  sums: RollUp,
  signed: SignedMonth | undefined,
  state: MonthState,
  movedBy: number,
): Html {
  const now = rt.clock.now()
  if (now < monthSpan(month).end)
    return html`<p class="soft">这个月还没有完，数还会变；下个月 1 日起签报。</p>`
  const isSigned = signed?.signedAt != null
  const due = signed?.dueAt ?? dueAt(month, unit.level, movedBy)
  const changed = isSigned ? differences(signed.figures ?? {}, sums.total) : {}
  const words =
    Object.keys(changed).length === 0 ? '签报以后没有变动。' : `签报以后的变动：${effectWords(changed)}。`
  const maySign = state === 'open' || (state === 'closed' && !isSigned)
  return html`<section class="card"><h2>签报 ${
    isSigned
      ? signed.signedAt !== null && signed.signedAt > due
        ? tag('已签报，过了期限', 'wait')
        : tag('已签报', 'good')
      : tag('还没有签报', now > due ? 'bad' : 'wait')
  }</h2>
${isSigned && signed.signedAt ? html`<p>${signed.signedByName ?? ''} ${moment(signed.signedAt, now)}签报。${words}</p>` : html`<p>请在${dayMonth(due)}前签报，上级要汇总。</p>`}
<p class="soft">${state === 'open' ? `${momentName(closeAt(month, movedBy))}关账；关账前有变动，可以再签一次。` : state === 'closed' ? '这个月已经关账：签过的数不再改，之后的更正写明理由，表上会注明。' : '这个月的数已经定了。'}</p>
${maySign ? html`<div class="deeds">${deed(`${pathOf(unit.id, month)}/sign`, formToken, isSigned ? '按现在的数重新签报' : '签报')}</div>` : ''}</section>`
}

const columns: [name: string, of: (figures: TrackingFigures) => number, part: 'groups' | 'said' | string][] =
  [
    ['团支部', figures => figures.branches, 'said'],
    ['团干部', figures => figures.cadres, 'said'],
    ['团员青年', figures => figures.youth, 'said'],
    ['微信群', figures => figures.groups, 'groups'],
    ['群内成员', membersOf, 'groups'],
  ]

function figuresTable(
  { rt }: View<UnitRow>,
  unit: UnitRow,
  month: string,
  sums: RollUp,
  signed: Map<number, SignedMonth>,
): Html {
  const programme = rt.templates.programme(unit.programme)
  const categories = programme.messageCategories ?? []
  const kinds = programme.activityCategories ?? []
  const heads = [
    ...columns.map(([name]) => name),
    ...[...categories, ...kinds].map(each => figureName(each.figure)),
  ]
  // what is the unit's own has no page of its own: its groups and records are those of the unit, with all below
  const cells = (figures: TrackingFigures, unitId: number | null) => {
    const cell = (value: number, path: string | null) =>
      html`<td class="number">${value !== 0 && unitId !== null && path !== null ? html`<a href="${path}">${value}</a>` : value}</td>`
    const of = (figure: string) => figures[figure as keyof TrackingFigures] ?? 0
    const groupsPath = `/console/groups?${new URLSearchParams({ unit: String(unitId), month })}`
    return html`${columns.map(([, count, part]) => cell(count(figures), part === 'groups' ? groupsPath : null))}${categories.map(
      each => cell(of(each.figure), recordsPath(unitId ?? 0, month, { category: each.name })),
    )}${kinds.map(each => cell(of(each.figure), recordsPath(unitId ?? 0, month, { activity: each.figure })))}`
  }
  const isSigning = sums.rows.some(row => signs(rt, row.unit))
  const state = (row: UnitRow) => {
    if (!isSigning) return ''
    if (!signs(rt, row)) return html`<td></td>`
    return signed.get(row.id)?.signedAt
      ? html`<td>${tag('已签', 'good')}</td>`
      : html`<td>${tag('没有签', 'wait')}</td>`
  }
  const own = Object.values(sums.own).some(count => count !== 0)
  const blank = isSigning ? html`<td></td>` : ''
  return table(
    `${unit.name}下面各单位的数`,
    ['单位', ...(isSigning ? ['签报'] : []), ...heads.map(name => ({ name, isNumber: true }))],
    [
      ...sums.rows.map(
        row =>
          html`<tr><th scope="row" class="nowrap"><a href="${pathOf(row.unit.id, month)}">${row.unit.name}</a></th>${state(row.unit)}${cells(row.figures, row.unit.id)}</tr>`,
      ),
      ...(own && sums.rows.length > 0
        ? [html`<tr><th scope="row">本级</th>${blank}${cells(sums.own, null)}</tr>`]
        : []),
      html`<tr class="total"><th scope="row">合计</th>${blank}${cells(sums.total, unit.id)}</tr>`,
    ],
    '',
  )
}

function latePart({ total, newest }: Awaited<ReturnType<typeof lateChangesOf>>): Html {
  if (total === 0) return html``
  return html`<h2>关账后更正 ${total} 处</h2>
${table(
  '关账后的更正',
  ['时间', '单位', '变动', '理由', '更正人'],
  newest.map(
    change =>
      html`<tr><td class="nowrap">${dayMonth(change.at)}</td><td>${change.unitName}</td><td>${effectWords(change.effect) || '数不变'}</td><td>${change.reason}</td><td>${change.changedByName}</td></tr>`,
  ),
  '',
)}${total > newest.length ? html`<p class="soft">只列最近 ${newest.length} 处。</p>` : ''}`
}

const numberOf = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : Number.NaN)

/** The fields of the members, by figure. */
function memberFields(view: View<UnitRow>): { figure: string; label: string; name: string }[] {
  const { residences = [] } = view.rt.templates.programme(view.thing.programme)
  return residences.flatMap(residence =>
    residence.occupations.map(({ figure }) => ({
      figure,
      label: figureName(figure),
      name: figure.replace('.', '_'),
    })),
  )
}

function factsOf(view: View<UnitRow>, said: Form) {
  const members: Record<string, number> = {}
  for (const { figure, name } of memberFields(view)) {
    const value = said[name]
    if (typeof value === 'string' && value.trim() !== '') members[figure] = numberOf(value)
  }
  return {
    branches: numberOf(said.branches),
    cadres: numberOf(said.cadres),
    youth: numberOf(said.youth),
    otherGroups: said.otherGroups.trim() === '' ? null : numberOf(said.otherGroups),
    members: Object.keys(members).length > 0 ? members : null,
  }
}

/** What a unit says of itself: last month's answer stands in the fields. */
function factsPart(
  view: View<UnitRow>,
  month: string,
  facts: Awaited<ReturnType<typeof lastFactsOf>>,
  state: MonthState,
  said?: Form,
): Html {
  const { thing: unit, formToken } = view
  const value = (name: string, known: number | null | undefined) => {
    const typed = said?.[name]
    return typeof typed === 'string' ? typed : known == null ? '' : String(known)
  }
  const number = (name: string, label: string, known: number | null | undefined, hint?: string) =>
    field(name, label, {
      value: value(name, known),
      ...(hint ? { hint } : {}),
      attributes: html`inputmode="numeric" pattern="[0-9]*"`,
    })
  const of = facts && facts.month !== month ? `（照${monthName(facts.month)}报的，没有变化不用改）` : ''
  return html`<form class="card" method="post" action="${pathOf(unit.id, month)}/facts"><h2>${monthName(month)}基本数据</h2>${token(formToken)}<p class="soft">系统里没有的数，由${unit.name}填报，填一次一直有效。${of}</p>
<div class="row">${number('branches', '团支部数', facts?.branches)}${number('cadres', '团干部数', facts?.cadres)}${number('youth', '团员青年数', facts?.youth)}${number('otherGroups', '没有登记进来的群', facts?.otherGroups)}</div>
<details${facts?.members || said ? html` open` : ''}><summary>群内成员（成员没有自己登记的，在这里填；填了就不数登记的人）</summary>
<div class="row">${memberFields(view).map(({ figure, label, name }) => number(name, label, facts?.members?.[figure]))}</div></details>
${state === 'closed' ? field('reason', '更正的理由', { value: said?.reason ?? '', isRequired: true, hint: '这个月已经关账，更正要写明理由，表上会注明。' }) : ''}
<div class="deeds"><button class="second">填报</button></div></form>`
}
