import { z } from 'zod'
import { listCounties, messagesByMonth, monthOfUnits } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { dutyReportRules } from '../../domain/duty-reports/rules.ts'
import { collectTrackingSheet } from '../../domain/reports/collect-tracking-sheet.ts'
import { fetchTrackingSheet } from '../../domain/reports/export.ts'
import type { PlannedCell } from '../../domain/reports/sheet-plan.ts'
import type { TrackingSheet } from '../../domain/reports/tracking-sheet.ts'
import { planTrackingSheet } from '../../domain/reports/write-form.ts'
import { type Html, html } from '../../http/html.ts'
import type { FormLayout } from '../../templates.ts'
import { page } from '../layout.ts'
import { chartSize, chartWords, messageChart } from '../message-chart.ts'
import { emptyState, monthWords, pager, select, table } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 50
/** How many months back the list offers. */
const MONTHS = 24
const CHART_MONTHS = 6
const FORM = 'tracking-sheet'

const monthForm = /^20\d\d-(0[1-9]|1[0-2])$/

/** `GET /console/sheets` and a county's 跟踪摸底表 of a month: as printed, as XLSX, and the months before as a chart. */
export function sheetPages(routes: Routes): void {
  routes.get('/console/sheets', 'manager', list)

  routes.get('/console/sheets/:unitId/chart.svg', unitPolicy, async ({ rt, thing: unit, reply }) => {
    if (!rt.templates.programme(unit.programme).messageCategories) throw new NotFound()
    const months = chartMonths(monthOf(rt.clock.now()))
    const figures = await messagesByMonth(rt.db, unit.path, months[0] as string, months.at(-1) as string)
    return reply.type('image/svg+xml; charset=utf-8').send(await messageChart(months, figures))
  })

  routes.get('/console/sheets/:unitId/:month', unitPolicy, async view => {
    const month = monthAsked(view)
    const why = whyNone(view, view.thing, month)
    return why === null ? sheetPage(view, month) : noSheet(view, why)
  })

  routes.get('/console/sheets/:unitId/:month/xlsx', unitPolicy, async view => {
    const { rt, viewer, thing: county, reply } = view
    const month = monthAsked(view)
    const why = whyNone(view, county, month)
    if (why !== null) return noSheet(view, why)
    const { file, fileName } = await fetchTrackingSheet(rt, viewer.actor, { county, month })
    return reply
      .type('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`)
      .send(file)
  })
}

/** @throws NotFound when the path names no month */
function monthAsked(view: View<unknown>): string {
  const { month = '' } = view.request.params as { month?: string }
  if (!monthForm.test(month)) throw new NotFound()
  return month
}

function chartMonths(last: string): string[] {
  return Array.from({ length: CHART_MONTHS }, (_, at) => addMonths(last, at + 1 - CHART_MONTHS))
}

/** Why a unit has no sheet of a month, with the way to one that has; null when it has. */
function whyNone({ rt }: View<unknown>, unit: UnitRow, month: string): string | null {
  const { programme } = rt.templates.form(FORM)
  if (unit.programme !== programme)
    return `跟踪摸底表是${rt.templates.programme(programme).name}的报表，${rt.templates.programme(unit.programme).name}没有这张表。`
  if (unit.level !== 'county') return `跟踪摸底表由县区团委填报，一县一张；${unit.name}没有自己的表。`
  return month > monthOf(rt.clock.now()) ? `${monthWords(month)}还没有到，没有可填的数。` : null
}

function noSheet(view: View<unknown>, why: string): Html {
  return page(view, {
    title: '跟踪摸底表',
    part: 'sheets',
    above: [['报表', '/console/sheets']],
    body: emptyState(why),
  })
}

async function list(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const thisMonth = monthOf(rt.clock.now())
  const query = view.read(
    z.object({
      month: z.string().regex(monthForm).optional().catch(undefined),
      page: z.coerce.number().int().min(1).max(100_000).catch(1),
    }),
  )
  // the sheet that is due is that of the month that is over
  const asked = query.month ?? addMonths(thisMonth, -1)
  const month = asked > thisMonth ? thisMonth : asked
  const layout = rt.templates.form(FORM)
  const tops = topUnits(rt.templates, viewer.actor).filter(unit => unit.programme === layout.programme)
  const found = await listCounties(
    rt.db,
    [layout.programme],
    tops.map(unit => unit.path),
    PAGE + 1,
    (query.page - 1) * PAGE,
  )
  const counties = found.slice(0, PAGE)
  const figures = new Map(
    (
      await monthOfUnits(
        rt.db,
        counties.map(county => county.id),
        month,
      )
    ).map(each => [each.id, each]),
  )
  const months = Array.from({ length: MONTHS }, (_, back) => addMonths(thisMonth, -back))
  if (!months.includes(month)) months.push(month)
  const runsXibu = topUnits(rt.templates, viewer.actor).some(
    unit => unit.programme === dutyReportRules.programme,
  )
  const programme = rt.templates.programme(layout.programme).name
  return page(view, {
    title: '报表',
    part: 'sheets',
    body: html`${runsXibu ? html`<p><a href="/console/duty-reports">双月报告：志愿者在岗情况及重大安全事故</a></p>` : ''}
<p>${layout.title}<span class="soft">（${layout.source}）</span></p>
${
  counties.length === 0 && query.page === 1
    ? emptyState(
        tops.length === 0
          ? `跟踪摸底表是${programme}的报表，您管理的单位没有这张表。`
          : '跟踪摸底表由县区团委填报，一县一张，您名下没有县区单位。乡镇的数由县区的表汇总。',
      )
    : html`<form class="card row" method="get" action="/console/sheets">${select(
        'month',
        '月份',
        months.map(each => [each, monthWords(each)] as const),
        { value: month, attributes: html`data-auto` },
      )}<button class="second">查看</button></form>
${table(
  `${monthWords(month)}的跟踪摸底表`,
  ['县区', { name: '发送微信（条）', isNumber: true }, { name: '有消息的单位', isNumber: true }, '报表'],
  counties.map(
    county =>
      html`<tr><td><a href="/console/sheets/${county.id}/${month}">${county.name}</a></td><td class="number">${figures.get(county.id)?.messages ?? 0}</td><td class="number">${figures.get(county.id)?.units ?? 0}</td><td class="nowrap"><a href="/console/sheets/${county.id}/${month}">${monthWords(month)}</a> · <a href="/console/sheets/${county.id}/${month}/xlsx">下载 XLSX</a></td></tr>`,
  ),
  '没有更多县区了。',
)}
${pager('/console/sheets', { month }, query.page, found.length > PAGE)}`
}`,
  })
}

async function sheetPage(view: View<UnitRow>, month: string): Promise<Html> {
  const { rt, viewer, thing: county } = view
  const layout = rt.templates.form(FORM)
  const thisMonth = monthOf(rt.clock.now())
  const chart = chartMonths(thisMonth)
  const [sheet, figures] = await Promise.all([
    // the contact is left blank to fill in by hand: a page shows no whole number
    collectTrackingSheet(rt, county, month, { name: viewer.actor.person.name, contact: '' }),
    messagesByMonth(rt.db, county.path, chart[0] as string, thisMonth),
  ])
  const path = `/console/sheets/${county.id}`
  const next = addMonths(month, 1)
  return page(view, {
    title: `${county.name} ${monthWords(month)}跟踪摸底表`,
    part: 'sheets',
    above: [['报表', `/console/sheets?month=${month}`]],
    body: html`<div class="deeds"><a class="button" href="${path}/${month}/xlsx">下载 XLSX</a>
<button type="button" class="second" data-print>打印</button>
<a href="${path}/${addMonths(month, -1)}">上一个月</a>${next > thisMonth ? '' : html` <a href="${path}/${next}">下一个月</a>`}</div>
<p class="soft screen">点带下划线的数，可以看到是由哪些记录、哪些群来的。${month === thisMonth ? '这个月还没有完，数还会变。' : ''}</p>
${printed(view, layout, sheet)}
<section class="screen"><h2>近 ${CHART_MONTHS} 个月发送微信条数</h2>
<p class="soft">含县级直属的群。</p>
<img class="chart" src="${path}/chart.svg" width="${chartSize.width}" height="${chartSize.height}" alt="${chartWords(chart, figures)}"></section>`,
  })
}

/** The sheet as it is printed: the cells of the plan that the XLSX is written from. */
function printed(view: View<UnitRow>, layout: FormLayout, sheet: TrackingSheet): Html {
  const { cells } = planTrackingSheet(layout, sheet)
  const isAt = (top: number, bottom: number) => (cell: PlannedCell) => cell.top >= top && cell.top <= bottom
  const header = cells.filter(cell => cell.look.border)[0]?.top ?? 1
  const body = header + layout.heights.header.length
  const lines = body + sheet.rows.length
  const below = lines + layout.lines.length
  const [attachment, title] = cells
  const notes = cells.filter(cell => cell.top >= below)
  const stamp = layout.stamp ? notes.pop() : undefined
  const rowsOf = (top: number, bottom: number, draw: (cell: PlannedCell) => Html) =>
    Array.from({ length: bottom - top }, (_, at) => top + at).map(
      row => html`<tr>${cells.filter(isAt(row, row)).map(draw)}</tr>`,
    )
  return html`<div class="sheet"><p class="attachment">${attachment?.value}</p><h2>${title?.value}</h2>
<div class="heads">${cells.filter(isAt(3, header - 1)).map(cell => html`<span>${cell.value}</span>`)}</div>
<div class="scroll" role="region" aria-label="跟踪摸底表" tabindex="0"><table><caption>${title?.value}</caption>
<thead>${rowsOf(header, body, cell => html`<th scope="${cell.right > cell.left ? 'colgroup' : 'col'}"${span(cell)}>${cell.value}</th>`)}</thead>
<tbody>${rowsOf(body, lines, cell => bodyCell(view, layout, sheet, cell, body))}</tbody>
<tbody>${rowsOf(lines, below, cell => (cell.left === 1 ? html`<th scope="row"${span(cell)}>${cell.value}</th>` : html`<td>${cell.value}</td>`))}</tbody></table></div>
${notes.map(note => html`<p class="note">${note.value}</p>`)}
${stamp ? html`<p class="stamp">${stamp.value}</p>` : ''}</div>`
}

function span({ top, left, bottom, right }: PlannedCell): Html {
  return html`${right > left ? html` colspan="${right - left + 1}"` : ''}${bottom > top ? html` rowspan="${bottom - top + 1}"` : ''}`
}

function bodyCell(
  view: View<UnitRow>,
  layout: FormLayout,
  sheet: TrackingSheet,
  cell: PlannedCell,
  firstRow: number,
): Html {
  const { figure } = layout.columns[cell.left - 1] ?? { figure: '' }
  if (figure === 'township') return html`<th scope="row">${cell.value}</th>`
  const unitId = sheet.rows[cell.top - firstRow]?.unitId
  const behind =
    unitId === undefined || cell.value === 0 ? null : whatIsBehind(view, unitId, sheet.month, figure)
  return html`<td>${behind === null ? cell.value : html`<a href="${behind}">${cell.value}</a>`}</td>`
}

/** The page that lists what a figure counts; null for what a unit says of itself. */
function whatIsBehind(
  { rt, thing: county }: View<UnitRow>,
  unitId: number,
  month: string,
  figure: string,
): string | null {
  const query = { unit: String(unitId), month }
  if (figure === 'groups' || figure.startsWith('members'))
    return `/console/groups?${new URLSearchParams(query)}`
  if (figure.startsWith('activities.'))
    return `/console/records?${new URLSearchParams({ ...query, activity: figure })}`
  const category = rt.templates
    .programme(county.programme)
    .messageCategories?.find(each => each.figure === figure)?.name
  return category === undefined ? null : `/console/records?${new URLSearchParams({ ...query, category })}`
}
