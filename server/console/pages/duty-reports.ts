import { z } from 'zod'
import { countyReports, type DutySum, dutySums } from '../../../db/queries/duty-reports.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { addMonths } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { exportDutyReports } from '../../domain/duty-reports/export.ts'
import { offerFor, reportDuty } from '../../domain/duty-reports/report.ts'
import { dutyReportRules, periodAt, periodWords } from '../../domain/duty-reports/rules.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { emptyState, field, figure, moment, pager, table, tag, textArea, token } from '../parts.ts'
import type { Routes, View } from '../routes.ts'

const PAGE_SIZE = 50
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

const query = z.object({
  period: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
    .optional()
    .catch(undefined),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
const form = z.object({
  unit: z.coerce.number().int().positive().catch(0),
  onDuty: z.string().max(8).catch(''),
  left: z.string().max(8).catch(''),
  onLeave: z.string().max(8).catch(''),
  incidents: z.string().max(8).catch(''),
  note: z.string().max(3000).catch(''),
})
type Form = z.output<typeof form>

/** 双月报告 (全国项目办发〔2020〕3号 三.7): counties fill it in, the levels above see sums and who is late. */
export function dutyReportPages(routes: Routes): void {
  routes.get('/console/duty-reports', 'manager', view => reportsPage(view))
  routes.post('/console/duty-reports', 'manager', async view => {
    const input = view.read(form)
    try {
      const { isChange, period } = await reportDuty(view.rt, view.viewer.actor, {
        unitId: input.unit,
        onDuty: numberOf(input.onDuty),
        left: numberOf(input.left),
        onLeave: numberOf(input.onLeave),
        incidents: numberOf(input.incidents),
        note: input.note,
      })
      return view.goTo(
        '/console/duty-reports',
        `${isChange ? '已更改' : '已报送'}${periodWords(period)}双月报告。`,
      )
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return reportsPage(view, error.message, input)
    }
  })
  routes.get('/console/duty-reports.xlsx', 'manager', async view => {
    const top = await topOf(view)
    const { period } = view.read(query)
    // the page says why there is nothing to export
    if (!top || top.level === 'branch') return view.goTo('/console/duty-reports')
    const { name, file } = await exportDutyReports(
      view.rt,
      view.viewer.actor,
      top,
      period ?? periodAt(view.rt.clock.now()).period,
    )
    return view.reply
      .type(XLSX)
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
      .send(file)
  })
}

const numberOf = (text: string) => (/^\d+$/.test(text.trim()) ? Number(text) : Number.NaN)

/** The highest unit of the programme that the viewer runs. */
async function topOf(view: View<null>): Promise<UnitRow | null> {
  const [top] = topUnits(view.rt.templates, view.viewer.actor).filter(
    unit => unit.programme === dutyReportRules.programme,
  )
  return top ? unitById(view.rt.db, top.id) : null
}

async function reportsPage(view: View<null>, fault: string | null = null, filled?: Form): Promise<Html> {
  const { rt } = view
  const top = await topOf(view)
  const asked = fault === null ? view.read(query) : { period: undefined, page: 1 }
  const current = periodAt(rt.clock.now()).period
  const period = asked.period ?? current
  const title = `双月报告 ${periodWords(period)}`
  if (!top || top.level === 'branch')
    return page(view, {
      title: '双月报告',
      part: 'sheets',
      body: emptyState('双月报告由西部计划县区项目办报送，您名下没有这样的单位。'),
    })
  const isCounty = top.level === dutyReportRules.unitLevel
  return page(view, {
    title,
    part: 'sheets',
    above: [['报表', '/console/sheets']],
    fault,
    body: html`<p class="soft">志愿者在岗情况及重大安全事故（全国项目办发〔2020〕3号 三.7），每两个月由县区报送，没有事故也要报。</p>
${isCounty ? await ownCard(view, top, filled) : ''}
${isCounty ? '' : await sumsPart(view, top, period, asked.page)}
<nav class="pager" aria-label="换一期"><a href="/console/duty-reports?period=${addMonths(period, -2)}">上一期</a><span></span>${period < current ? html`<a href="/console/duty-reports?period=${addMonths(period, 2)}">下一期</a>` : html`<span></span>`}</nav>
<div class="deeds"><a class="button second" href="/console/duty-reports.xlsx?period=${period}">导出汇总表</a></div>`,
  })
}

async function ownCard(view: View<null>, unit: UnitRow, filled: Form | undefined): Promise<Html> {
  const { rt, formToken } = view
  const now = rt.clock.now()
  const { said, roster, last } = await offerFor(rt, unit)
  const values = filled ?? {
    onDuty: String(said?.onDuty ?? roster.onDuty),
    left: String(said?.leftCount ?? roster.left),
    onLeave: String(said?.onLeave ?? 0),
    incidents: String(said?.incidents ?? 0),
    note: said?.noteSealed ? rt.vault.open(said.noteSealed) : '',
  }
  const number = (name: 'onDuty' | 'left' | 'onLeave' | 'incidents', label: string, hint: string) =>
    field(name, label, {
      value: values[name],
      hint,
      isRequired: true,
      attributes: html`inputmode="numeric" pattern="[0-9]*"`,
    })
  return html`<form class="card" method="post" action="/console/duty-reports">${token(formToken)}<input type="hidden" name="unit" value="${unit.id}">
<h2>${unit.name} ${periodWords(periodAt(now).period)} ${said ? tag(`已报`, 'good') : tag('还没有报', 'wait')}</h2>
${said ? html`<p class="soft">${moment(said.reportedAt, now)}报送，再报即更改。</p>` : ''}
${number('onDuty', '在岗人数', `名册上 ${roster.onDuty} 人${last ? `，上期报 ${last.onDuty} 人` : ''}`)}
${number('left', '这两个月离岗人数', `名册上 ${roster.left} 人`)}
${number('onLeave', '请假人数', last ? `上期报 ${last.onLeave} 人` : '在岗人数里请假的')}
${number('incidents', '重大安全事故（起）', '没有写 0；有请在下面写明')}
${textArea('note', '情况说明', { value: values.note, rows: 4, hint: '事故的时间、地点、经过、伤亡和处置。证件号、手机号会打上星号。' })}
<div class="deeds"><button>${said ? '更改' : '报送'}</button></div></form>`
}

async function sumsPart(view: View<null>, top: UnitRow, period: string, number: number): Promise<Html> {
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
  const late = total(sum => sum.counties - sum.reported)
  return html`<div class="figures">${figure(`${total(sum => sum.reported)}/${total(sum => sum.counties)}`, '个县区已报', undefined, late > 0 ? 'wait' : 'good')}${figure(
    total(sum => sum.onDuty),
    '人在岗',
  )}${figure(
    total(sum => sum.incidents),
    '起重大安全事故',
    undefined,
    total(sum => sum.incidents) > 0 ? 'bad' : 'good',
  )}</div>
<h2>各单位</h2>
${table(
  '各单位汇总',
  ['单位', '已报', ...heads],
  sums.map(
    sum =>
      html`<tr><td>${sum.unitName}</td><td class="nowrap">${sum.reported}/${sum.counties}</td>${cells(sum)}</tr>`,
  ),
  '下面没有县区。',
)}
<h2>各县区</h2>
${table(
  '各县区',
  ['县区', '上级', '报送', ...heads],
  counties
    .slice(0, PAGE_SIZE)
    .map(
      county =>
        html`<tr><td>${county.unitName}</td><td>${county.parentName ?? ''}</td>${county.report ? html`<td class="nowrap">${moment(county.report.at, rt.clock.now())}</td>${cells(county.report)}` : html`<td>${tag('没有报', 'bad')}</td><td class="number">—</td><td class="number">—</td><td class="number">—</td><td class="number">—</td>`}</tr>`,
    ),
  number > 1 ? '后面没有了。' : '下面没有县区。',
)}
${pager('/console/duty-reports', { period }, number, counties.length > PAGE_SIZE)}`
}
