import { z } from 'zod'
import {
  type ReturnCounts,
  returnCounts,
  returnCountsBelow,
  returnsOf,
  type UnitReturn,
  unitReturns,
} from '../../../db/queries/form-returns.ts'
import { countMonthOfUnits } from '../../../db/queries/record-counts.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { managesUnit, runsVeryUnit } from '../../domain/actor.ts'
import { dutyReportRules } from '../../domain/duty-reports/rules.ts'
import { dueDayOf } from '../../domain/forms/due-day.ts'
import { type FormAsked, fetchForm, whyNoForm } from '../../domain/forms/export.ts'
import type { FormRhythm, OfficialForm } from '../../domain/forms/form.ts'
import { officialForms } from '../../domain/forms/index.ts'
import {
  addPeriods,
  endOf,
  isPeriod,
  periodShape,
  periodToSend,
  periodWords,
  recentPeriods,
} from '../../domain/forms/periods.ts'
import { isOnTime, rateWords, reportingRates } from '../../domain/forms/rates.ts'
import { sendForm } from '../../domain/forms/send.ts'
import { senderLevels, sendsUp } from '../../domain/forms/senders.ts'
import { trackingSheetForm } from '../../domain/forms/tracking-sheet.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, deed, emptyState, figure, moment, pager, select, type Tone, table, tag } from '../parts.ts'
import { printedSheet } from '../printed-sheet.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { chartPart } from './sheets.ts'

const PAGE = 50
/** How many periods back a list offers. */
const OFFERED: Record<FormRhythm, number> = { month: 24, 'two-months': 12, year: 6 }
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

/** What a form has below its sheet. */
const extras: Record<string, (view: View<UnitRow>) => Promise<Html>> = { 'tracking-sheet': chartPart }

const query = z.object({
  form: z.string().max(60).optional().catch(undefined),
  period: z.string().max(7).optional().catch(undefined),
  unit: z.coerce.number().int().positive().optional().catch(undefined),
  missing: z.literal('1').optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})

/** All official forms: who has sent them, each as it is printed, as XLSX, and sent up from here. */
export function formPages(routes: Routes): void {
  routes.get('/console/forms', 'manager', async view => {
    const asked = view.read(query)
    const forms = formsFor(view)
    if (asked.form === undefined) return overview(view, forms)
    const form = forms.find(each => each.id === asked.form)
    return form ? list(view, form, asked) : overview(view, forms, noneOf(view, asked.form))
  })
  routes.get('/console/forms/:formId/:unitId/:period', unitPolicy, async view => {
    const asked = formAsked(view)
    return refused(view, asked) ?? formPage(view, asked)
  })
  routes.get('/console/forms/:formId/:unitId/:period/xlsx', unitPolicy, async view => {
    const asked = formAsked(view)
    const no = refused(view, asked)
    if (no !== null) return no
    const { file, fileName } = await fetchForm(view.rt, view.viewer.actor, asked)
    return view.reply
      .type(XLSX)
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`)
      .send(file)
  })
  routes.get('/console/forms/:formId/:unitId/:period/picture.svg', unitPolicy, async view => {
    const asked = formAsked(view)
    const no = refused(view, asked)
    if (no !== null) return no
    const picture = await asked.form.picture?.(
      view.rt,
      asked.unit,
      asked.period,
      view.read(z.object({ size: z.enum(['desk', 'phone']).catch('desk') })).size,
    )
    if (!picture) return noForm(view, asked.form, `${asked.form.name}没有图。`)
    return view.reply.type('image/svg+xml; charset=utf-8').send(picture.svg)
  })
  routes.post('/console/forms/:formId/:unitId/:period/send', unitPolicy, async view => {
    const asked = formAsked(view)
    try {
      const sent = await sendForm(view.rt, view.viewer.actor, asked)
      const late = sent.isOnTime ? '' : '（已过报送日期）'
      const words = !sent.isNew
        ? '和已经报送的一样，不用再报。'
        : sent.isReplaced
          ? '已重新报送，换下了前一次报的。'
          : `已报送${late}，上级现在看得到。`
      return view.goTo(pathOf(asked), words)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return refused(view, asked) ?? formPage(view, asked, error.message)
    }
  })
}

const pathOf = ({ form, unit, period }: { form: OfficialForm; unit: { id: number }; period: string }) =>
  `/console/forms/${form.id}/${unit.id}/${period}`

/** The forms of the programmes in which the viewer runs a unit, with one below or at it that fills them in. */
function formsFor(view: View<unknown>): OfficialForm[] {
  const { rt, viewer } = view
  const tops = topUnits(rt.templates, viewer.actor)
  const rank = (programme: string, level: string) =>
    rt.templates.programme(programme).levels.findIndex(each => each.id === level)
  return officialForms.filter(form =>
    tops.some(
      top =>
        top.programme === form.programme &&
        form.levels.some(level => rank(form.programme, level) >= rank(form.programme, top.level)),
    ),
  )
}

/** Why somebody's list of a form is empty: it is of another programme, or filled in above them. */
function noneOf({ rt }: View<unknown>, id: string): string | null {
  const form = officialForms.find(each => each.id === id)
  if (!form) return null
  const programme = rt.templates.programme(form.programme)
  const kinds = programme.unitKinds.filter(kind => form.levels.includes(kind.level))
  return `${form.name}是${programme.name}的报表，由${kinds.map(kind => kind.name).join('、')}填报，您名下没有这样的单位。`
}

/** @throws NotFound for a form that is not there and what is no period */
function formAsked(view: View<UnitRow>): FormAsked {
  const { formId = '', period = '' } = view.request.params as { formId?: string; period?: string }
  const form = officialForms.find(each => each.id === formId)
  if (!form || !periodShape(form.rhythm).test(period)) throw new NotFound()
  return { form, unit: view.thing, period }
}

/** The page that says why a unit has no such form; null when it has. */
function refused(view: View<UnitRow>, asked: FormAsked): Html | null {
  const why = whyNoForm(view.rt.templates, asked, view.rt.clock.now())
  return why === null ? null : noForm(view, asked.form, why)
}

function noForm(view: View<UnitRow>, form: OfficialForm, why: string): Html {
  return page(view, {
    title: form.name,
    part: 'sheets',
    above: [['报表', '/console/forms']],
    body: emptyState(why),
  })
}

const pathsFor = (view: View<unknown>, form: OfficialForm) =>
  topUnits(view.rt.templates, view.viewer.actor).filter(unit => unit.programme === form.programme)

const askedOf = (form: OfficialForm, period: string) => ({
  form: form.id,
  period,
  programme: form.programme,
  levels: senderLevels(form),
  end: endOf(form.rhythm, period),
})

async function overview(
  view: View<null>,
  forms: readonly OfficialForm[],
  why: string | null = null,
): Promise<Html> {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const rows = await Promise.all(forms.map(form => overviewRow(view, form)))
  const tops = topUnits(rt.templates, viewer.actor)
  const runsXibu = tops.some(unit => unit.programme === dutyReportRules.programme)
  const runsMonths = tops.some(unit => rt.templates.programme(unit.programme).messageCategories)
  const numbers = ['应报', '实报', '按时', '上报率', '按时率'].map(name => ({ name, isNumber: true }))
  return page(view, {
    title: '报表',
    part: 'sheets',
    body: html`${why === null ? '' : emptyState(why)}
${table(
  `官方报表（${dayWords(dayOf(now))}）`,
  ['报表', '期', '报送截止', ...numbers, '办理'],
  rows,
  '您管理的单位没有要填报的报表。',
)}
${runsXibu ? html`<p><a href="/console/duty-reports">双月报告：报送在岗情况和重大安全事故</a></p>` : ''}
<p><a href="/console/targets">指标：文件定的数达到了没有</a></p>
${runsMonths ? html`<p><a href="/console/months">月度签报：各单位上个月的数，谁还没有签报</a></p>` : ''}
<p class="soft">应报：您管理的范围内有这张表的单位；按时：第一次报送不晚于截止日。</p>`,
  })
}

async function overviewRow(view: View<null>, form: OfficialForm): Promise<Html> {
  const { rt } = view
  const now = rt.clock.now()
  const basics = rt.templates.formBasics(form.id)
  const period = periodToSend(form.rhythm, now)
  const due = await dueDayOf(rt, form, period)
  const paths = pathsFor(view, form).map(unit => unit.path)
  if (!basics.due)
    return html`<tr><td><a href="/console/forms?form=${form.id}">${form.name}</a><br><span class="soft">${sourceWords(basics.source)}</span></td><td class="nowrap">${periodWords(form.rhythm, period)}</td><td class="nowrap">不用报送</td>${emptyCells}<td class="nowrap"><a href="/console/forms?form=${form.id}">各单位</a></td></tr>`
  const counts = await returnCounts(rt.db, { ...askedOf(form, period), paths })
  const [only] =
    counts.expected === 1 ? await unitReturns(rt.db, { ...askedOf(form, period), paths }, 1, 0) : []
  const path = only ? pathOf({ form, unit: only, period }) : `/console/forms?form=${form.id}`
  const deed = only === undefined ? '各单位' : only.sentAt === null ? '核对、报送' : '查看'
  return html`<tr><td><a href="${path}">${form.name}</a><br><span class="soft">${sourceWords(basics.source)}</span></td><td class="nowrap">${periodWords(form.rhythm, period)}</td><td class="nowrap">${dueTag(due, counts.received < counts.expected, dayOf(now))}</td>${rateCells(counts)}<td class="nowrap"><a href="${path}">${deed}</a></td></tr>`
}

/** Where a rule comes from, for people who do not know our files. */
function sourceWords(source: string): string {
  return source === 'project assumption' ? '本系统拟定' : source
}

const emptyCells = Array.from({ length: 5 }, () => html`<td class="number">—</td>`)

function rateCells(counts: ReturnCounts): Html {
  const { expected, received, onTime, rate, onTimeRate } = reportingRates(counts)
  return html`<td class="number">${expected}</td><td class="number">${received}</td><td class="number">${onTime}</td><td class="number">${rateWords(rate)}</td><td class="number">${rateWords(onTimeRate)}</td>`
}

function dueTag(due: string | null, isMissing: boolean, today: string): Html | string {
  if (due === null) return '不用报送'
  if (!isMissing || today <= due) return dayWords(due)
  return html`${dayWords(due)} ${tag('已过期', 'bad')}`
}

async function list(view: View<null>, form: OfficialForm, asked: z.output<typeof query>): Promise<Html> {
  const { rt } = view
  const now = rt.clock.now()
  const basics = rt.templates.formBasics(form.id)
  const period =
    asked.period !== undefined && isPeriod(form.rhythm, asked.period, now)
      ? asked.period
      : periodToSend(form.rhythm, now)
  const due = await dueDayOf(rt, form, period)
  const tops = pathsFor(view, form)
  const top = await topOf(view, form, asked.unit, tops)
  const paths = top ? [top.path] : tops.map(unit => unit.path)
  const about = askedOf(form, period)
  const [counts, below, found] = await Promise.all([
    returnCounts(rt.db, { ...about, paths }),
    top ? returnCountsBelow(rt.db, { ...about, top }) : [],
    unitReturns(
      rt.db,
      { ...about, paths, isMissingOnly: asked.missing === '1' },
      PAGE + 1,
      (asked.page - 1) * PAGE,
    ),
  ])
  const rates = reportingRates(counts)
  const shown = found.slice(0, PAGE)
  const messages =
    form.id === trackingSheetForm.id
      ? new Map(
          (
            await countMonthOfUnits(
              rt.db,
              shown.map(unit => unit.id),
              period,
            )
          ).map(each => [each.id, each]),
        )
      : null
  const missing = counts.expected - counts.received
  const periods = recentPeriods(form.rhythm, now, OFFERED[form.rhythm])
  if (!periods.includes(period)) periods.push(period)
  const params: Record<string, string> = {
    form: form.id,
    period,
    ...(asked.unit === undefined ? {} : { unit: String(asked.unit) }),
  }
  const to = (more: Record<string, string>) => `/console/forms?${new URLSearchParams({ ...params, ...more })}`
  // units that are themselves the ones that send it are in the list already
  const groups = below.filter(each => each.expected > 1)
  return page(view, {
    title: `${form.name} ${periodWords(form.rhythm, period)}`,
    part: 'sheets',
    above: [['报表', '/console/forms']],
    body: html`<p>${basics.title}<span class="soft">（${sourceWords(basics.source)}）</span></p>
<form class="card row" method="get" action="/console/forms"><input type="hidden" name="form" value="${form.id}">${asked.unit === undefined ? '' : html`<input type="hidden" name="unit" value="${asked.unit}">`}${select(
      'period',
      '期',
      periods.map(each => [each, periodWords(form.rhythm, each)] as const),
      { value: period, attributes: html`data-auto` },
    )}<button class="second">查看</button></form>
${due === null ? '' : html`<div class="figures">${figure(counts.expected, '应报')}${figure(counts.received, '实报', undefined, missing === 0 ? 'good' : 'wait')}${figure(counts.onTime, '按时')}${figure(rateWords(rates.rate), '上报率')}${figure(rateWords(rates.onTimeRate), '按时率')}</div>`}
${top && form.levels.includes(top.level) && !sendsUp(form, top) ? html`<p><a class="button second" href="${pathOf({ form, unit: top, period })}">${top.name}的${form.name}</a></p>` : ''}
<p>报送截止：${dueTag(due, missing > 0, dayOf(now))}${due === null ? '' : html`<span class="soft">（${sourceWords(basics.due?.source ?? '')}）</span>`}</p>
${
  due === null || groups.length === 0
    ? ''
    : html`<h2>各级</h2>${table(
        '下级单位的五率',
        ['单位', ...['应报', '实报', '按时', '上报率', '按时率'].map(name => ({ name, isNumber: true }))],
        groups.map(
          each =>
            html`<tr><td><a href="${to({ unit: String(each.id) })}">${each.name}</a></td>${rateCells(each)}</tr>`,
        ),
        '',
      )}`
}
<h2>各单位</h2>
${due === null ? '' : html`<nav class="tabs" aria-label="筛选"><a href="${to({})}"${asked.missing ? '' : html` aria-current="page"`}>全部（${counts.expected}）</a><a href="${to({ missing: '1' })}"${asked.missing ? html` aria-current="page"` : ''}>还没有报（${missing}）</a></nav>`}
${table(
  `${periodWords(form.rhythm, period)}的${form.name}`,
  [
    '单位',
    '上级',
    '报送',
    ...(messages ? ['发送微信（条）', '有消息的单位'].map(name => ({ name, isNumber: true })) : []),
    '报表',
  ],
  shown.map(unit => unitRow(view, { form, unit, period }, due, messages)),
  asked.missing ? '都报齐了。' : '没有更多单位了。',
)}
${pager('/console/forms', { ...params, ...(asked.missing ? { missing: '1' } : {}) }, asked.page, found.length > PAGE)}`,
  })
}

/** The unit whose part is asked for, or the only top; null: all tops together. @throws NotFound */
async function topOf(
  { rt, viewer }: View<null>,
  form: OfficialForm,
  unitId: number | undefined,
  tops: readonly { id: number }[],
): Promise<UnitRow | null> {
  const id = unitId ?? (tops.length === 1 ? tops[0]?.id : undefined)
  if (id === undefined) return null
  const unit = await unitById(rt.db, id)
  if (!unit || unit.programme !== form.programme || !managesUnit(rt.templates, viewer.actor, unit.path))
    throw new NotFound()
  return unit
}

function unitRow(
  { rt }: View<null>,
  { form, unit, period }: { form: OfficialForm; unit: UnitReturn; period: string },
  due: string | null,
  messages: ReadonlyMap<number, { messages: number; units: number }> | null,
): Html {
  const path = pathOf({ form, unit, period })
  const now = rt.clock.now()
  const state =
    due === null
      ? '不用报送'
      : unit.sentAt === null
        ? missingTag(due, now)
        : html`${tag(unit.isOnTime ? '已报' : '迟报', unit.isOnTime ? 'good' : 'wait')} ${moment(unit.sentAt, now)}`
  return html`<tr><td><a href="${path}">${unit.name}</a></td><td>${unit.parentName ?? ''}</td><td class="nowrap">${state}</td>${messages ? html`<td class="number">${messages.get(unit.id)?.messages ?? 0}</td><td class="number">${messages.get(unit.id)?.units ?? 0}</td>` : ''}<td class="nowrap"><a href="${path}">看表</a> · <a href="${path}/xlsx">下载 XLSX</a></td></tr>`
}

function missingTag(due: string, now: Date): Html {
  const today = dayOf(now)
  if (today <= due) return tag('还没有报', 'wait')
  const days = Math.round((Date.parse(today) - Date.parse(due)) / 86_400_000)
  return tag(`没有报，过了 ${days} 天`, 'bad')
}

async function formPage(view: View<UnitRow>, asked: FormAsked, fault: string | null = null): Promise<Html> {
  const { rt, viewer, thing: unit } = view
  const { form, period } = asked
  const now = rt.clock.now()
  const [plan, picture, sent, due] = await Promise.all([
    // the contact is left blank to fill in by hand: a page shows no whole number
    form.plan(rt, unit, period, { name: viewer.actor.person.name, contact: '' }, 'masked'),
    form.picture?.(rt, unit, period),
    returnsOf(rt.db, form.id, unit.id, period),
    dueDayOf(rt, form, period),
  ])
  const path = pathOf(asked)
  const step = (count: number) => pathOf({ ...asked, period: addPeriods(form.rhythm, period, count) })
  const hasNext = isPeriod(form.rhythm, addPeriods(form.rhythm, period, 1), now)
  const isRunning = period === recentPeriods(form.rhythm, now, 1)[0] && form.rhythm === 'month'
  const names: Record<FormRhythm, string> = { month: '个月', 'two-months': '期', year: '年' }
  const fillIn = form.fillIn?.(unit, period)
  return page(view, {
    title: `${unit.name} ${periodWords(form.rhythm, period)}${form.name}`,
    part: 'sheets',
    above: [
      ['报表', '/console/forms'],
      [form.name, `/console/forms?${new URLSearchParams({ form: form.id, period })}`],
    ],
    fault,
    body: html`${statePart(view, asked, sent, due)}
<div class="deeds">${sendPart(view, asked, sent.length > 0)} ${fillIn ? html`<a class="button second" href="${fillIn.path}">${fillIn.words}</a> ` : ''}<a class="button second" href="${path}/xlsx">下载 XLSX</a>
<button type="button" class="second" data-print>打印</button>
<a href="${step(-1)}">上一${names[form.rhythm]}</a>${hasNext ? html` <a href="${step(1)}">下一${names[form.rhythm]}</a>` : ''}</div>
${plan.cells.some(cell => cell.behind !== undefined) ? html`<p class="soft screen">点带下划线的数，可以看到它是怎么来的。${isRunning ? '这个月还没有完，数还会变。' : ''}</p>` : ''}
${picture ? html`<div class="sheet"><picture><source media="(max-width: 40rem)" srcset="${path}/picture.svg?size=phone"><img class="chart" src="${path}/picture.svg" width="${picture.width}" height="${picture.height}" alt="${picture.words}"></picture></div>` : ''}
${printedSheet(plan, form.name)}
${(await extras[form.id]?.(view)) ?? ''}`,
  })
}

/** Whether it was sent, by whom, and until when it is to be. */
function statePart(
  view: View<UnitRow>,
  asked: FormAsked,
  sent: Awaited<ReturnType<typeof returnsOf>>,
  due: string | null,
): Html {
  const { rt, thing: unit } = view
  const now = rt.clock.now()
  const { due: rule } = rt.templates.formBasics(asked.form.id)
  const [last] = sent
  if (due === null) return html``
  if (!sendsUp(asked.form, unit)) return html`<p class="soft screen">本级汇总，不用再往上报送。</p>`
  const by = html`<span class="soft">报送截止 ${dayWords(due)}（${sourceWords(rule?.source ?? '')}）</span>`
  if (!last) return html`<p class="screen">${missingTag(due, now)} ${by}</p>`
  const timely = sent.some(each => isOnTime(each.sentAt, each.dueOn))
  const tone: Tone = timely ? 'good' : 'wait'
  return html`<p class="screen">${tag(timely ? '已报' : '迟报', tone)} ${moment(last.sentAt, now)} 由${last.senderName}报送${sent.length > 1 ? `（共报 ${sent.length} 次，以这次为准）` : ''} ${by}</p>`
}

function sendPart(view: View<UnitRow>, asked: FormAsked, isSent: boolean): Html {
  const { rt, viewer, formToken, thing: unit } = view
  const { due } = rt.templates.formBasics(asked.form.id)
  if (!due || !sendsUp(asked.form, unit)) return html``
  const words = isSent ? '重新报送' : '报送'
  const isOwn = runsVeryUnit(rt.templates, viewer.actor, unit.id)
  return deed(`${pathOf(asked)}/send`, formToken, isOwn ? words : `代${unit.name}${words}`, {
    sure: `把这张表按现在的数${words}？`,
  })
}
