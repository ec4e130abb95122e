import { z } from 'zod'
import {
  countTarget,
  listPlans,
  listTarget,
  type TargetCounts,
  type TargetRow,
} from '../../../db/queries/targets.ts'
import { childUnits, type UnitRow } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { exportInspection, inspect, monthsOr } from '../../domain/targets/inspect.ts'
import type { RankedUnit } from '../../domain/targets/rank.ts'
import {
  dutyOf,
  inspectionRules,
  scopeOfTarget,
  stateOf,
  type Target,
  targets,
} from '../../domain/targets/targets.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import {
  dayWords,
  emptyState,
  field,
  monthWords,
  pager,
  progress,
  select,
  type Tone,
  table,
  tag,
} from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { sendWorkbook } from '../send-workbook.ts'

const PAGE = 50
const PLAN = 'plan'

const query = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  target: z.string().max(40).optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
const month = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
  .optional()
  .catch(undefined)
const inspectionQuery = z.object({ unit: query.shape.unit, from: month, to: month })

/** The thresholds of the notices against what there is: of units, never of persons; and the table for the inspection. */
export function targetPages(routes: Routes): void {
  routes.get('/console/targets', 'manager', async view => {
    const asked = view.read(query)
    const unit = await unitAsked(view, asked.unit)
    const place = placeOf(view, unit)
    if (asked.target === undefined || asked.target === '') return summaryPage(view, place)
    if (asked.target === PLAN) return planPage(view, place, asked.page)
    const target = targets.find(each => each.id === asked.target)
    if (!target) throw new NotFound()
    return targetPage(view, place, target, asked.page)
  })
  routes.get('/console/targets/inspection', 'manager', async view => {
    const { unit, ...months } = view.read(inspectionQuery)
    return inspectionPage(view, await inspectedUnit(view, unit), months)
  })
  routes.get('/console/targets/inspection.xlsx', 'manager', async view => {
    const { unit, ...months } = view.read(inspectionQuery)
    const top = await inspectedUnit(view, unit)
    // the page says why there is nothing to export
    if (!top) return view.goTo('/console/targets/inspection')
    const asked = monthsOr(months, view.rt.clock.now())
    return sendWorkbook(view, await exportInspection(view.rt, view.viewer.actor, top, asked))
  })
}

/** Below which units one looks. */
interface Place {
  unit: UnitRow | null
  paths: string[]
  programmes: string[]
}

async function unitAsked(view: View<null>, id: number | undefined): Promise<UnitRow | null> {
  if (id === undefined) return null
  const unit = await unitPolicy.find(view.rt, view.viewer, id)
  if (!unit) throw new NotFound()
  return unit
}

function placeOf({ rt, viewer }: View<null>, unit: UnitRow | null): Place {
  const tops = unit ? [unit] : topUnits(rt.templates, viewer.actor)
  return {
    unit,
    paths: tops.map(top => top.path),
    programmes: [...new Set(tops.map(top => top.programme))],
  }
}

const kept = (place: Place): Record<string, string> => (place.unit ? { unit: String(place.unit.id) } : {})
const to = (place: Place, target: string) =>
  `/console/targets?${new URLSearchParams({ ...kept(place), target })}`
const hasPlans = (place: Place) => place.programmes.includes(inspectionRules.programme)

/** What a target asks, in words: 至少 10 个, 至多 30 人, 90%. */
function askedWords({ rt }: View<null>, target: Target): string {
  if (target.id === 'names') return '青农XX'
  const { value, unit } = dutyOf(rt.templates, target)
  if (target.id === 'insurance') return `报到前 ${value} 天起`
  if (unit === 'share') return `${Number(value) * 100}%`
  return `${target.isMost ? '至多' : '至少'} ${value} ${target.word}`
}

function dueWords({ rt }: View<null>, target: Target): string {
  if (!target.dueDuty) return ''
  const due = String(rt.templates.duty(target.programme, target.dueDuty).value)
  return dayWords(`${dayOf(rt.clock.now()).slice(0, 4)}-${due}`)
}

async function summaryPage(view: View<null>, place: Place): Promise<Html> {
  const { rt } = view
  const today = dayOf(rt.clock.now())
  const own = targets.filter(target => place.programmes.includes(target.programme))
  const counts = await Promise.all(
    own.map(target =>
      countTarget(
        rt.db,
        scopeOfTarget(target, place.paths),
        target.measure(rt.templates, today),
        target.isMost ?? false,
      ),
    ),
  )
  const shown = own
    .map((target, index) => ({ target, counts: counts[index] as TargetCounts }))
    .filter(each => each.counts.units > 0)
  return page(view, {
    title: place.unit ? `${place.unit.name}的指标` : '指标',
    part: 'sheets',
    above: [
      ['报表', '/console/sheets'],
      ...(place.unit ? [['指标', '/console/targets'] as [string, string]] : []),
    ],
    body: html`<p class="soft">文件里的数，对照现在的群、名册和登记。量的是单位，不是人；差得最多的排在前面。</p>
${await unitForm(view, place, '')}
${
  hasPlans(place)
    ? html`<div class="deeds"><a class="button second" href="${to(place, PLAN)}">计划表对照实建</a>
<a class="button second" href="/console/targets/inspection?${new URLSearchParams(kept(place))}">检查验收排名</a></div>`
    : ''
}
${table(
  '指标',
  ['指标', '要求', '达到的单位', { name: '没有数', isNumber: true }, '期限', '依据'],
  shown.map(
    ({ target, counts: { units, met, unknown } }) =>
      html`<tr><td><a href="${to(place, target.id)}">${target.name}</a></td><td class="nowrap">${askedWords(view, target)}</td><td>${progress(met, units, `${target.name}：${units} 个单位里 ${met} 个达到`)}</td><td class="number">${unknown}</td><td class="nowrap">${dueWords(view, target)}</td><td class="soft nowrap">${sourceOf(view, target)}</td></tr>`,
  ),
  '您管理的单位没有文件定了数的指标。',
)}`,
  })
}

function sourceOf({ rt }: View<null>, target: Target): string {
  return target.id === 'names' ? '榆林团市委 2014 四.(三)后段' : dutyOf(rt.templates, target).source
}

async function targetPage(view: View<null>, place: Place, target: Target, number: number): Promise<Html> {
  const { rt } = view
  const scope = scopeOfTarget(target, place.paths)
  const measure = target.measure(rt.templates, dayOf(rt.clock.now()))
  const isMost = target.isMost ?? false
  const [rows, counts] = await Promise.all([
    listTarget(rt.db, scope, measure, isMost, { limit: PAGE + 1, offset: (number - 1) * PAGE }),
    countTarget(rt.db, scope, measure, isMost),
  ])
  const due = dueWords(view, target)
  return page(view, {
    title: `${target.name}${place.unit ? `：${place.unit.name}` : ''}`,
    part: 'sheets',
    above: [
      ['报表', '/console/sheets'],
      ['指标', `/console/targets?${new URLSearchParams(kept(place))}`],
    ],
    body: html`<p>${askedWords(view, target)}${due ? `，${due}前` : ''}<span class="soft">（${sourceOf(view, target)}）</span>${target.note ? html`<br><span class="soft">${target.note}。</span>` : ''}</p>
${await unitForm(view, place, target.id)}
<p>${progress(counts.met, counts.units, '达到的单位')} 个单位达到${counts.unknown > 0 ? `，${counts.unknown} 个没有数` : ''}</p>
${table(
  target.name,
  [
    '单位',
    '上级',
    { name: '现有', isNumber: true },
    { name: isMost ? '至多' : '应有', isNumber: true },
    '情况',
  ],
  rows
    .slice(0, PAGE)
    .map(
      row =>
        html`<tr><td><a href="${target.behind(row.unitId)}">${row.unitName}</a></td><td>${row.parentName ?? ''}</td><td class="number">${row.actual}</td><td class="number">${row.wanted ?? '—'}</td><td class="nowrap">${stateTag(target, row)}</td></tr>`,
    ),
  number > 1 ? '后面没有了。' : '下面没有这样的单位。',
)}
${pager('/console/targets', { ...kept(place), target: target.id }, number, rows.length > PAGE)}`,
  })
}

function stateTag(target: Target, row: TargetRow): Html {
  const state = stateOf(target, row)
  const wanted = row.wanted ?? 0
  const off = Math.abs(Math.ceil(wanted - row.actual))
  const words: Record<typeof state, [string, Tone]> = {
    met: ['达到', 'good'],
    missed: [target.isMost ? `多 ${off} ${target.word}` : `差 ${off} ${target.word}`, 'bad'],
    unknown: ['没有数', 'quiet'],
  }
  return tag(...words[state])
}

/** Which units and which target: one form, which works without JavaScript. */
async function unitForm(view: View<null>, place: Place, target: string): Promise<Html> {
  const { rt, viewer } = view
  const own = targets.filter(each => place.programmes.includes(each.programme))
  const choices: [string, string][] = [
    ['', '全部指标'],
    ...own.map((each): [string, string] => [each.id, each.name]),
    ...(hasPlans(place) ? [[PLAN, '计划表对照实建'] as [string, string]] : []),
  ]
  const tops = topUnits(rt.templates, viewer.actor)
  const roots = place.unit && !tops.some(top => top.id === place.unit?.id) ? [...tops, place.unit] : tops
  const below = await Promise.all(roots.map(root => childUnits(rt.db, root.id)))
  const units: [string, string][] = [['', '我管的全部单位']]
  for (const [index, root] of roots.entries())
    for (const [id, name] of [
      [root.id, root.name] as const,
      ...(below[index] ?? []).map(child => [child.id, `　${child.name}`] as const),
    ])
      if (!units.some(([known]) => known === String(id))) units.push([String(id), name])
  return html`<form class="card row" method="get" action="/console/targets">${select('target', '指标', choices, { value: target, attributes: html`data-auto` })}
${select('unit', '单位', units, { value: place.unit ? String(place.unit.id) : '', attributes: html`data-auto` })}<button class="second">查看</button></form>`
}

async function planPage(view: View<null>, place: Place, number: number): Promise<Html> {
  const { rt } = view
  const year = Number(dayOf(rt.clock.now()).slice(0, 4))
  const { fields } = inspectionRules.plan
  const rows = await listPlans(
    rt.db,
    { programme: inspectionRules.programme, paths: place.paths, unitKinds: ['county-committee'] },
    year,
    fields,
    { limit: PAGE + 1, offset: (number - 1) * PAGE },
  )
  const cell = (planned: number | null, actual: number) =>
    html`<td class="number nowrap">${actual}/${planned ?? '—'}${planned !== null && actual < planned ? html` ${tag(`差 ${planned - actual}`, 'wait')}` : ''}</td>`
  return page(view, {
    title: `${year}年计划表对照实建${place.unit ? `：${place.unit.name}` : ''}`,
    part: 'sheets',
    above: [
      ['报表', '/console/sheets'],
      ['指标', `/console/targets?${new URLSearchParams(kept(place))}`],
    ],
    body: html`<p class="soft">实建/拟建（${inspectionRules.plan.source}）；没有报计划表的排在前面。</p>
${await unitForm(view, place, PLAN)}
${table(
  '计划表对照实建',
  ['县区', ...fields.map(each => ({ name: each.name, isNumber: true }))],
  rows
    .slice(0, PAGE)
    .map(
      row =>
        html`<tr><td><a href="/console/groups?unit=${row.unitId}">${row.unitName}</a>${Object.values(row.planned).every(each => each === null) ? html` ${tag('没有计划表', 'bad')}` : ''}</td>${fields.map(({ field: name }) => cell(row.planned[name] ?? null, row.actual[name] ?? 0))}</tr>`,
    ),
  number > 1 ? '后面没有了。' : '下面没有县区团委。',
)}
${pager('/console/targets', { ...kept(place), target: PLAN }, number, rows.length > PAGE)}`,
  })
}

/** The unit whose children are inspected: the one asked for, else the highest that the viewer has in the programme. */
async function inspectedUnit(view: View<null>, id: number | undefined): Promise<UnitRow | null> {
  const { rt, viewer } = view
  const own = topUnits(rt.templates, viewer.actor).find(unit => unit.programme === inspectionRules.programme)
  const unit = await unitAsked(view, id ?? own?.id)
  return unit?.programme === inspectionRules.programme ? unit : null
}

async function inspectionPage(
  view: View<null>,
  top: UnitRow | null,
  asked: { from?: string | undefined; to?: string | undefined },
): Promise<Html> {
  const { rt } = view
  const months = monthsOr(asked, rt.clock.now())
  const ranked = top ? await inspect(rt, top, months) : []
  const link = top ? new URLSearchParams({ unit: String(top.id), ...months }) : ''
  return page(view, {
    title: top ? `检查验收：${top.name}` : '检查验收',
    part: 'sheets',
    above: [
      ['报表', '/console/sheets'],
      ['指标', '/console/targets'],
    ],
    body: top
      ? html`<p class="soft">建群情况、联系团员青年数量、发送内容及频次、线上线下活动情况（榆林团市委 2014 三.(三)），${monthWords(months.from)}至${monthWords(months.to)}。</p>
<form class="card row" method="get" action="/console/targets/inspection"><input type="hidden" name="unit" value="${top.id}">${field('from', '从', { type: 'month', value: months.from })}${field('to', '到', { type: 'month', value: months.to })}<button class="second">查看</button></form>
${table(
  '检查验收排名',
  [
    { name: '名次', isNumber: true },
    '单位',
    { name: '建群', isNumber: true },
    { name: '联系青年', isNumber: true },
    { name: '发送', isNumber: true },
    { name: '线下活动', isNumber: true },
  ],
  ranked.map(unit => rankedRow(unit)),
  '下面没有单位。',
)}
${ranked.length > 0 ? html`<div class="deeds"><a class="button" href="/console/targets/inspection.xlsx?${link}">下载 XLSX</a><button type="button" class="second" data-print>打印</button></div>` : ''}
<p class="soft">${inspectionRules.ranking.note}。</p>`
      : emptyState('检查验收是农村共青团的表，您名下没有这样的单位。'),
  })
}

function rankedRow(unit: RankedUnit): Html {
  const [groups, youth, content, activities] = unit.places
  const cell = (value: Html | string, more: string, place: number) =>
    html`<td class="number nowrap">${value}<br><span class="soft">${more}第 ${place}</span></td>`
  return html`<tr><td class="number"><b>${unit.place}</b></td><td><a href="/console/targets?unit=${unit.unitId}">${unit.unitName}</a></td>
${cell(`${unit.youthGroups}/${unit.wantedGroups}`, '', groups)}
${cell(`${unit.youth}/${unit.wantedYouth ?? '—'}`, '', youth)}
${cell(`${unit.messages} 条`, `${unit.categories} 类，每群每月 ${Math.round(unit.frequency * 10) / 10}，`, content)}
${cell(`${unit.activities} 次`, `${unit.heads} 人次，`, activities)}</tr>`
}
