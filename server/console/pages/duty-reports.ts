import { z } from 'zod'
import {
  countyReports,
  type DutySum,
  dutySums,
  incidentsOf,
  reportedUnits,
} from '../../../db/queries/duty-reports.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths } from '../../clock.ts'
import { exportDutyReports } from '../../domain/duty-reports/export.ts'
import { offerFor, reportDuty } from '../../domain/duty-reports/report.ts'
import {
  dateWords,
  dutyReportRules,
  periodAt,
  periodOr,
  periodWords,
} from '../../domain/duty-reports/rules.ts'
import { reportingUnit, reportingUnits } from '../../domain/duty-reports/units.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { emptyState, field, figure, moment, pager, table, tag, textArea, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE_SIZE = 50
/** More serious incidents in two months are told by the workbook. */
const MAX_INCIDENTS = 100
const reports: [string, string][] = [['报表', '/console/forms']]
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

const query = z.object({
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  period: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
    .optional()
    .catch(undefined),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
const form = z.object({
  unit: z.coerce.number().int().positive().catch(0),
  period: z.string().max(7).catch(''),
  onDuty: z.string().max(8).catch(''),
  left: z.string().max(8).catch(''),
  onLeave: z.string().max(8).catch(''),
  incidents: z.string().max(8).catch(''),
  note: z.string().max(3000).catch(''),
})
type Form = z.output<typeof form>

/** 双月报告 (全国项目办发〔2020〕3号 三.7): counties fill it in, the levels above see sums, stories and who is late. */
export function dutyReportPages(routes: Routes): void {
  routes.get('/console/duty-reports', 'manager', async view => {
    const asked = view.read(query)
    if (asked.unit === undefined) return ownPage(view, asked.period, asked.page)
    const unit = await reportingUnit(view.rt, view.viewer.actor, asked.unit)
    if (!unit) throw new NotFound()
    return unitPage(view, unit, asked.period, asked.page)
  })
  routes.post('/console/duty-reports', 'manager', async view => {
    const input = view.read(form)
    try {
      const { isChange, period, told } = await reportDuty(view.rt, view.viewer.actor, {
        unitId: input.unit,
        period: input.period,
        onDuty: numberOf(input.onDuty),
        left: numberOf(input.left),
        onLeave: numberOf(input.onLeave),
        incidents: numberOf(input.incidents),
        note: input.note,
      })
      const toldWords = told > 0 ? `事故情况已经发给各级上级 ${told} 位同志，请同时打电话报告上级。` : ''
      return view.goTo(
        `/console/duty-reports?unit=${input.unit}`,
        `${isChange ? '已更改' : '已报送'}${periodWords(period)}双月报告。${toldWords}`,
      )
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      const unit = await reportingUnit(view.rt, view.viewer.actor, input.unit)
      if (!unit) return ownPage(view, undefined, 1, error.message)
      // figures of another period are no figures of this one
      const isOther = error.code === 'duty_report.period'
      return unitPage(view, unit, undefined, 1, error.message, isOther ? { note: input.note } : input)
    }
  })
  routes.get('/console/duty-reports.xlsx', 'manager', async view => {
    const { rt, viewer } = view
    const asked = view.read(query)
    const [own, ...others] = reportingUnits(rt.templates, viewer.actor)
    const unitId = asked.unit ?? (others.length === 0 ? own?.id : undefined)
    // the page says why there is nothing to export, or asks of which unit
    if (unitId === undefined) return view.goTo('/console/duty-reports')
    const top = await reportingUnit(rt, viewer.actor, unitId)
    if (!top) throw new NotFound()
    const { name, file } = await exportDutyReports(
      rt,
      viewer.actor,
      top,
      periodOr(asked.period, rt.clock.now()),
    )
    return view.reply
      .type(XLSX)
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
      .send(file)
  })
}

const numberOf = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : Number.NaN)

/** The page of the one unit that the viewer runs; of several they say which. */
async function ownPage(
  view: View<null>,
  period: string | undefined,
  number: number,
  fault: string | null = null,
): Promise<Html> {
  const { rt, viewer } = view
  const [own, ...others] = reportingUnits(rt.templates, viewer.actor)
  const unit = own && others.length === 0 ? await reportingUnit(rt, viewer.actor, own.id) : null
  if (unit) return unitPage(view, unit, period, number, fault)
  const units = own ? [own, ...others] : []
  const current = periodAt(rt.clock.now()).period
  const reported = await reportedUnits(
    rt.db,
    units.map(each => each.id),
    current,
  )
  const status = (each: (typeof units)[number]) =>
    each.level !== dutyReportRules.unitLevel
      ? ''
      : reported.has(each.id)
        ? tag('已报', 'good')
        : tag('还没有报', 'wait')
  return page(view, {
    title: '双月报告',
    part: 'sheets',
    above: reports,
    fault,
    body:
      units.length === 0
        ? emptyState('双月报告由西部计划县区项目办报送，您名下没有这样的单位。')
        : html`<p>您管 ${units.length} 个单位，请选一个：</p><ul class="plain">${units.map(
            each =>
              html`<li><a href="/console/duty-reports?unit=${each.id}">${each.name}</a> ${status(each)}</li>`,
          )}</ul>`,
  })
}

/** @param filled what was typed, when it is shown again with its fault */
async function unitPage(
  view: View<null>,
  unit: UnitRow,
  askedPeriod: string | undefined,
  number: number,
  fault: string | null = null,
  filled: Partial<Form> = {},
): Promise<Html> {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const period = periodOr(askedPeriod, now)
  const isCurrent = period === periodAt(now).period
  const [own, ...others] = reportingUnits(rt.templates, viewer.actor)
  const isOwn = others.length === 0 && own?.id === unit.id
  const about: Record<string, string> = isOwn ? {} : { unit: String(unit.id) }
  const to = (path: string, of: string) => `${path}?${new URLSearchParams({ ...about, period: of })}`
  const isCounty = unit.level === dutyReportRules.unitLevel
  return page(view, {
    title: `双月报告 ${isOwn ? '' : unit.name}${periodWords(period)}`,
    part: 'sheets',
    above: isOwn ? reports : [...reports, ['双月报告', '/console/duty-reports']],
    fault,
    body: html`<p class="soft">志愿者在岗情况及重大安全事故（全国项目办发〔2020〕3号 三.7），每两个月由县区报送，没有事故也要报。</p>
${isCounty && isCurrent ? await reportForm(view, unit, filled, !isOwn && own?.level !== dutyReportRules.unitLevel) : await sumsPart(view, unit, period, isCurrent, about, number)}
<nav class="pager" aria-label="换一期"><a href="${to('/console/duty-reports', addMonths(period, -2))}">上一期</a><span></span>${isCurrent ? html`<span></span>` : html`<a href="${to('/console/duty-reports', addMonths(period, 2))}">下一期</a>`}</nav>
<div class="deeds"><a class="button second" href="${to('/console/duty-reports.xlsx', period)}">导出汇总表</a></div>`,
  })
}

async function reportForm(
  view: View<null>,
  unit: UnitRow,
  filled: Partial<Form>,
  isForOthers: boolean,
): Promise<Html> {
  const { rt, formToken } = view
  const now = rt.clock.now()
  const { period, lastDay, said, roster, last } = await offerFor(rt, unit)
  const written = (figure: number | undefined) => (figure === undefined ? '' : String(figure))
  const values = {
    onDuty: written(said?.onDuty ?? roster?.onDuty),
    left: written(said?.leftCount ?? roster?.left),
    onLeave: String(said?.onLeave ?? 0),
    incidents: String(said?.incidents ?? 0),
    note: said?.noteSealed ? rt.vault.open(said.noteSealed) : '',
    ...filled,
  }
  const input = (name: 'onDuty' | 'left' | 'onLeave' | 'incidents', label: string, hint: string) =>
    field(name, label, {
      value: values[name],
      hint,
      isRequired: true,
      attributes: html`inputmode="numeric" pattern="[0-9]*"`,
    })
  const before = (count: number | undefined) => (count === undefined ? '' : `，上一期报 ${count} 人`)
  const noBranches = '名册里还没有这个县的团支部，请照实填'
  return html`<form class="card" method="post" action="/console/duty-reports">${token(formToken)}<input type="hidden" name="unit" value="${unit.id}"><input type="hidden" name="period" value="${period}">
<h2>${unit.name} ${periodWords(period)} ${said ? tag('已报', 'good') : tag('还没有报', 'wait')}</h2>
${isForOthers ? html`<p class="soft">您在替${unit.name}报送，会记下是您报的。</p>` : ''}
${said ? html`<p class="soft">${moment(said.reportedAt, now)}报送，再报就换成新的。</p>` : ''}
${input('onDuty', '在岗人数', `${roster ? `名册上 ${roster.onDuty} 人（${dateWords(lastDay)}）` : noBranches}${before(last?.onDuty)}`)}
${input('left', '这两个月离岗人数', `${roster ? `名册上 ${roster.left} 人` : noBranches}${before(last?.leftCount)}`)}
${input('onLeave', '请假人数', `在岗的人里请假的${before(last?.onLeave)}`)}
${input('incidents', '重大安全事故（起）', '没有写 0；有请在下面写明，会马上告诉各级上级')}
${textArea('note', '情况说明', { value: values.note, rows: 4, hint: '事故的时间、地点、经过、伤亡和处置。证件号、手机号会打上星号。' })}
<div class="deeds"><button>${said ? '更改' : '报送'}</button></div></form>`
}

async function incidentsPart(view: View<null>, unit: UnitRow, period: string): Promise<Html> {
  const { rt } = view
  const found = await incidentsOf(rt.db, unit.path, period, MAX_INCIDENTS + 1)
  if (found.length === 0) return html``
  return html`<h2>重大安全事故</h2>
${found.slice(0, MAX_INCIDENTS).map(
  each =>
    html`<section class="card"><p><b>${each.unitName}</b> ${each.parentName ?? ''} ${tag(`${each.incidents} 起`, 'bad')} <span class="soft">${moment(each.at, rt.clock.now())}报送</span></p>
<p class="prose">${each.noteSealed === null ? '' : rt.vault.open(each.noteSealed)}</p></section>`,
)}
${found.length > MAX_INCIDENTS ? html`<p class="soft">还有更早报的，请导出汇总表看。</p>` : ''}`
}

async function sumsPart(
  view: View<null>,
  top: UnitRow,
  period: string,
  isCurrent: boolean,
  about: Record<string, string>,
  number: number,
): Promise<Html> {
  const { rt } = view
  const { unitLevel, programme } = dutyReportRules
  const [sums, counties] = await Promise.all([
    dutySums(rt.db, top, period, unitLevel),
    countyReports(rt.db, top.path, period, unitLevel, programme, {
      limit: PAGE_SIZE + 1,
      offset: (number - 1) * PAGE_SIZE,
    }),
  ])
  const total = (of: (sum: DutySum) => number) => sums.reduce((all, sum) => all + of(sum), 0)
  const cells = (sum: Pick<DutySum, 'onDuty' | 'left' | 'onLeave' | 'incidents'>) =>
    html`<td class="number">${sum.onDuty}</td><td class="number">${sum.left}</td><td class="number">${sum.onLeave}</td><td class="number">${sum.incidents > 0 ? tag(String(sum.incidents), 'bad') : 0}</td>`
  const heads = ['在岗', '离岗', '请假', '重大安全事故'].map(name => ({ name, isNumber: true }))
  const linkOf = (unitId: number) => `/console/duty-reports?unit=${unitId}&period=${period}`
  // the story of an incident stands above the tables
  const noteOf = ({ report }: (typeof counties)[number]) =>
    report && report.incidents === 0 && report.noteSealed !== null
      ? html`<br><span class="soft">${rt.vault.open(report.noteSealed)}</span>`
      : ''
  const late = total(sum => sum.counties - sum.reported)
  const figures = html`<div class="figures">${figure(`${total(sum => sum.reported)}/${total(sum => sum.counties)}`, '个县区已报', undefined, late > 0 ? 'wait' : 'good')}${figure(
    total(sum => sum.onDuty),
    '人在岗',
  )}${figure(
    total(sum => sum.incidents),
    '起重大安全事故',
    undefined,
    total(sum => sum.incidents) > 0 ? 'bad' : 'good',
  )}</div>`
  return html`${top.level === unitLevel ? '' : figures}
${await incidentsPart(view, top, period)}
${
  top.level === unitLevel
    ? ''
    : html`<h2>各单位</h2>
${table(
  '各单位汇总',
  ['单位', '已报', ...heads],
  sums.map(
    sum =>
      html`<tr><td>${sum.unitName}</td><td class="nowrap">${sum.reported}/${sum.counties}</td>${cells(sum)}</tr>`,
  ),
  '下面没有县区。',
)}`
}
<h2>各县区</h2>
${table(
  '各县区',
  ['县区', '上级', '报送', ...heads],
  counties
    .slice(0, PAGE_SIZE)
    .map(
      county =>
        html`<tr><td><a href="${linkOf(county.unitId)}">${county.unitName}</a>${noteOf(county)}</td><td>${county.parentName ?? ''}</td>${county.report ? html`<td class="nowrap">${moment(county.report.at, rt.clock.now())}</td>${cells(county.report)}` : html`<td class="nowrap">${tag('没有报', 'bad')}${isCurrent ? html` <a href="${linkOf(county.unitId)}">代报</a>` : ''}</td><td class="number">—</td><td class="number">—</td><td class="number">—</td><td class="number">—</td>`}</tr>`,
    ),
  number > 1 ? '后面没有了。' : '下面没有县区。',
)}
${pager('/console/duty-reports', { ...about, period }, number, counties.length > PAGE_SIZE)}`
}
