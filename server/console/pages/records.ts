import { z } from 'zod'
import { type ListedRecord, listActivities, listRecords, recordTotals } from '../../../db/queries/records.ts'
import { addMonths, monthOf } from '../../clock.ts'
import { groupPolicy, reachOf } from '../../domain/access/groups.ts'
import { recordPolicy } from '../../domain/access/records.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { isOpenMonth } from '../../domain/activities/open-month.ts'
import { CATEGORIES } from '../../domain/messages/categories.ts'
import { correctRecord } from '../../domain/messages/correct.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { dayWords, figure, monthWords, pager, select, table, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 50
/** How many months back the filter offers. */
const MONTHS = 12

const sources = { notice: '通知', forwarded: '转发', counted: '登记' } as const

const number = z.coerce.number().int().positive().optional().catch(undefined)
const asked = z.object({
  unit: number,
  group: number,
  month: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
    .optional()
    .catch(undefined),
  category: z.enum(CATEGORIES).optional().catch(undefined),
  source: z.enum(['notice', 'forwarded', 'counted']).optional().catch(undefined),
  /** A figure of the sheet, such as `activities.skillsTraining`: its activities alone. */
  activity: z
    .string()
    .regex(/^activities\.\w{1,30}$/)
    .optional()
    .catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
type Asked = z.output<typeof asked>

/** `GET /console/records`: what the figures of the sheets are made of, and the way to put a category right. */
export function recordPages(routes: Routes): void {
  routes.get('/console/records', 'keeper', view => list(view, view.read(asked)))

  routes.post('/console/records/:recordId/category', recordPolicy, async view => {
    const { rt, viewer, thing } = view
    // the category of the filter and that of the record would both be called `category`
    const filled = view.read(
      z.object({ to: z.string().max(20).catch(''), back: z.string().max(500).catch('') }),
    )
    const back = asked.parse(Object.fromEntries(new URLSearchParams(filled.back)))
    let fault: string | null = null
    try {
      await correctRecord(rt, viewer.actor, { recordId: thing.record.id, category: filled.to })
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      fault = error.message
    }
    if (view.isPartial) {
      const filter = { reach: reachOf(rt.templates, viewer), month: thing.record.month, id: thing.record.id }
      const [record] = await listRecords(rt.db, filter, 1, 0)
      if (!record) throw new NotFound()
      return row(view, record, back, fault ?? `改为${record.category}`, fault !== null)
    }
    if (fault !== null) {
      view.reply.code(422)
      return list(view, back, fault)
    }
    return view.goTo(pathOf(back), `已改为“${filled.to}”。`)
  })
}

/** What is asked for, as the query of a link: nothing but what `asked` has let through. */
function queryOf(query: Asked): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query)
      .filter(([name, value]) => value !== undefined && !(name === 'page' && value === 1))
      .map(([name, value]) => [name, String(value)]),
  )
}

function pathOf(query: Asked): string {
  return `/console/records?${new URLSearchParams(queryOf(query))}`
}

async function list(view: View<unknown>, query: Asked, fault?: string): Promise<Html> {
  const { rt, viewer } = view
  const now = rt.clock.now()
  const month = query.month ?? monthOf(now)
  const unit = query.unit === undefined ? null : await unitPolicy.find(rt, viewer, query.unit)
  const group = query.group === undefined ? null : await groupPolicy.find(rt, viewer, query.group)
  if ((query.unit !== undefined && !unit) || (query.group !== undefined && !group)) throw new NotFound()
  const where = { reach: reachOf(rt.templates, viewer), month, unitPath: unit?.path, groupId: group?.id }
  const filter = { ...where, category: query.category, source: query.source }
  const showsMessages = query.activity === undefined
  const showsActivities = query.category === undefined && query.source === undefined
  const [found, totals, activities] = await Promise.all([
    showsMessages ? listRecords(rt.db, filter, PAGE + 1, (query.page - 1) * PAGE) : [],
    showsMessages ? recordTotals(rt.db, filter) : [],
    showsActivities
      ? listActivities(
          rt.db,
          { ...where, kind: query.activity },
          PAGE + 1,
          showsMessages ? 0 : (query.page - 1) * PAGE,
        )
      : [],
  ])
  const { page: _page, ...kept } = queryOf({ ...query, month })
  const hasMore = (showsMessages ? found : activities).length > PAGE
  return page(view, {
    title: group ? `“${group.name}”的记录` : unit ? `${unit.name}的记录` : '记录',
    part: 'records',
    above: group || unit ? [['记录', '/console/records']] : [],
    fault: fault ?? null,
    body: html`${filterForm(view, query, month)}
${query.activity !== undefined ? html`<p class="soft">只看线下活动：${kindName(view, query.activity)}。<a href="${pathOf({ ...query, activity: undefined, page: 1 })}">看全部</a></p>` : ''}
${
  showsMessages
    ? html`<h2>消息</h2>${totalsPart(query, month, totals)}
${isOpenMonth(month, now) ? '' : html`<p class="soft">${monthWords(month)}的报表已经定了，这个月的记录不能再改。</p>`}
${table(
  '消息记录',
  ['日期', '内容', '类别', '谁定的类别', { name: '条数', isNumber: true }, '群', '来源'],
  found.slice(0, PAGE).map(record => row(view, record, query)),
  `${monthWords(month)}没有这样的消息记录。`,
)}`
    : ''
}
${showsActivities ? activitiesPart(view, activities, month) : ''}
${pager('/console/records', kept, query.page, hasMore)}`,
  })
}

function filterForm({ rt }: View<unknown>, query: Asked, month: string): Html {
  const current = monthOf(rt.clock.now())
  const months = Array.from({ length: MONTHS }, (_, back) => addMonths(current, -back))
  if (!months.includes(month)) months.push(month)
  return html`<form class="card row" method="get" action="/console/records">
${query.unit !== undefined ? html`<input type="hidden" name="unit" value="${query.unit}">` : ''}${query.group !== undefined ? html`<input type="hidden" name="group" value="${query.group}">` : ''}
${select(
  'month',
  '月份',
  months.map(each => [each, monthWords(each)] as const),
  { value: month, attributes: html`data-auto` },
)}
${select('category', '类别', [['', '全部'], ...CATEGORIES.map(each => [each, each] as const)], { value: query.category ?? '', attributes: html`data-auto` })}
${select('source', '来源', [['', '全部'], ...Object.entries(sources)], { value: query.source ?? '', attributes: html`data-auto` })}<button class="second">筛选</button></form>`
}

function totalsPart(query: Asked, month: string, totals: Awaited<ReturnType<typeof recordTotals>>): Html {
  const count = new Map(totals.map(each => [each.category, each.count]))
  const all = totals.reduce((sum, each) => sum + each.count, 0)
  const byMachine = totals.reduce((sum, each) => sum + each.byMachine, 0)
  return html`<div class="figures">${figure(all, '条消息')}${CATEGORIES.map(category =>
    count.has(category) || query.category === undefined
      ? figure(
          count.get(category) ?? 0,
          category,
          query.category === undefined && count.has(category)
            ? pathOf({ ...query, month, category, page: 1 })
            : undefined,
        )
      : '',
  )}</div>
<p class="soft">机器归类 ${byMachine} 条，人工归类 ${all - byMachine} 条。一条消息发到几个群计几条。</p>`
}

/** One record. @param said what has just been done with it */
function row(view: View<unknown>, record: ListedRecord, back: Asked, said?: string, isFault = false): Html {
  const isOpen = isOpenMonth(record.month, view.rt.clock.now())
  const name = `r-${record.id}`
  const choice = isOpen
    ? html`<form class="recategorise" method="post" action="/console/records/${record.id}/category" hx-post="/console/records/${record.id}/category" hx-target="closest tr" hx-swap="outerHTML">${token(view.formToken)}<input type="hidden" name="back" value="${new URLSearchParams(queryOf(back))}">
<select id="${name}" name="to" data-auto aria-label="${record.groupName}这条消息的类别">${CATEGORIES.map(
        category => html`<option${category === record.category ? html` selected` : ''}>${category}</option>`,
      )}</select><noscript><button class="second">改</button></noscript>${said ? html` <span role="${isFault ? 'alert' : 'status'}">${tag(said, isFault ? 'bad' : 'good')}</span>` : ''}</form>`
    : html`${record.category}${said ? html` ${tag(said, 'bad')}` : ''}`
  return html`<tr><td class="nowrap">${dayWords(record.recordedOn).slice(5)}</td>
<td class="excerpt">${record.excerpt ?? html`<span class="soft">只报了条数</span>`}</td><td>${choice}</td><td>${decider(record)}</td><td class="number">${record.count}</td>
<td><a href="/console/groups/${record.groupId}">${record.groupName}</a><br><span class="soft">${record.unitName}</span></td>
<td class="nowrap">${sources[record.source as keyof typeof sources] ?? record.source}${record.reporterName ? html`<br><span class="soft">${record.reporterName}</span>` : ''}</td></tr>`
}

function decider({ decidedBy, confidence }: ListedRecord): Html {
  if (decidedBy !== 'machine') return tag('人工', 'good')
  const share = confidence === null ? '' : ` ${Math.round(confidence * 100)}%`
  return tag(`机器${share}`, confidence !== null && confidence < 0.6 ? 'wait' : 'quiet')
}

function kindName({ rt }: View<unknown>, kind: string): string {
  for (const { activityCategories } of rt.templates.programmes)
    for (const each of activityCategories ?? []) if (each.figure === kind) return each.name
  return kind
}

function activitiesPart(
  view: View<unknown>,
  activities: Awaited<ReturnType<typeof listActivities>>,
  month: string,
): Html {
  return html`<h2 id="activities">线下活动${activities[0] ? `（${activities[0].total}）` : ''}</h2>
${table(
  '线下活动',
  ['日期', '类别', '单位', '群', '地点', { name: '人数', isNumber: true }, '登记人'],
  activities
    .slice(0, PAGE)
    .map(
      activity =>
        html`<tr><td class="nowrap">${dayWords(activity.heldOn).slice(5)}</td><td>${kindName(view, activity.kind)}</td><td>${activity.unitName}</td><td>${
          activity.groupId === null
            ? ''
            : html`<a href="/console/groups/${activity.groupId}">${activity.groupName}</a>`
        }</td><td>${activity.place ?? ''}</td><td class="number">${activity.heads ?? ''}</td><td>${activity.reporterName ?? ''}</td></tr>`,
    ),
  `${monthWords(month)}没有登记过线下活动。`,
)}`
}
