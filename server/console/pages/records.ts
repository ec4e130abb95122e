import { z } from 'zod'
import { listAnnounced } from '../../../db/queries/activities.ts'
import { chatActivityOfOwner, chatActivityWithin } from '../../../db/queries/owner-chat-days.ts'
import { filesOf, type ListedFile } from '../../../db/queries/record-files.ts'
import { type ListedRecord, listActivities, listRecords, recordTotals } from '../../../db/queries/records.ts'
import { addDays, addMonths, monthOf } from '../../clock.ts'
import { groupPolicy, reachOf } from '../../domain/access/groups.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { recordFilePolicy } from '../../domain/access/record-files.ts'
import { recordPolicy } from '../../domain/access/records.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { activityKindName } from '../../domain/activities/words.ts'
import { managesUnit } from '../../domain/actor.ts'
import { CATEGORIES } from '../../domain/messages/categories.ts'
import { correctRecord } from '../../domain/messages/correct.ts'
import { isSureEnough } from '../../domain/messages/record-rules.ts'
import { type MonthState, monthState } from '../../domain/months/state.ts'
import { openRecordFile } from '../../domain/record-files/open.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { chatActivityPart } from '../chat-activity.ts'
import { page } from '../layout.ts'
import { dayWords, figure, moment, monthWords, pager, select, table, tag, token } from '../parts.ts'
import { isOf, NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 50
/** How many months back the filter offers. */
const MONTHS = 12

const sources = { notice: '通知', posted: '自发', forwarded: '转发', counted: '登记' } as const
/** Announced activities of a month that are shown; the next come first. */
const ANNOUNCED = 20
/** For units of these levels the platform's figures of all owners below are not summed up while somebody waits. */
const WIDE: readonly string[] = ['national', 'province']

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
  source: z.enum(['notice', 'posted', 'forwarded', 'counted']).optional().catch(undefined),
  /** A figure of the sheet, such as `activities.skillsTraining`: its activities alone. */
  activity: z
    .string()
    .regex(/^activities\.\w{1,30}$/)
    .optional()
    .catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
type Asked = z.output<typeof asked>

/** What was typed into a form that was refused: it is shown again. */
interface Refused {
  recordId: number
  to: string
  reason: string
  fault: string
}

/** What the rows of a page need to know beside the records. */
interface Shown {
  back: Asked
  /** Of the month, by programme. */
  states: ReadonlyMap<string, MonthState>
  files: readonly ListedFile[]
  refused?: Refused | undefined
}

/** `GET /console/records`: what the figures of the sheets are made of, and the way to put a category right. */
export function recordPages(routes: Routes): void {
  routes.get('/console/records', 'keeper', view => list(view, view.read(asked)))

  routes.get('/console/records/pictures/:recordFileId', recordFilePolicy, async view => {
    const { mime, bytes } = await openRecordFile(view.rt, view.viewer.actor, view.thing)
    return view.reply.type(mime).header('content-disposition', 'inline').send(bytes)
  })

  routes.post('/console/records/:recordId/category', recordPolicy, async view => {
    const { rt, viewer, thing } = view
    // the category of the filter and that of the record would both be called `category`
    const filled = view.read(
      z.object({
        to: z.string().max(20).catch(''),
        reason: z.string().max(500).catch(''),
        back: z.string().max(500).catch(''),
      }),
    )
    const back = asked.parse(Object.fromEntries(new URLSearchParams(filled.back)))
    let refused: Refused | undefined
    try {
      await correctRecord(rt, viewer.actor, {
        recordId: thing.record.id,
        category: filled.to,
        reason: filled.reason,
      })
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      refused = { recordId: thing.record.id, to: filled.to, reason: filled.reason, fault: error.message }
    }
    if (view.isPartial) {
      const filter = { reach: reachOf(rt.templates, viewer), month: thing.record.month, id: thing.record.id }
      const [record] = await listRecords(rt.db, filter, 1, 0)
      if (!record) throw new NotFound()
      const shown = { ...(await around(view, [record], [], record.month)), back, refused }
      return row(view, record, shown, refused ? undefined : `改为${record.category}`)
    }
    if (refused) {
      view.reply.code(422)
      return list(view, back, refused)
    }
    return view.goTo(pathOf(back), `已改为“${filled.to}”。`)
  })
}

/** The state of the month for each programme, and the pictures of records and activities. */
async function around(
  { rt }: View<unknown>,
  records: readonly ListedRecord[],
  activityIds: number[],
  month: string,
): Promise<Omit<Shown, 'back'>> {
  const programmes = [...new Set(records.map(record => record.programme))]
  const counted = records.filter(record => record.source === 'counted').flatMap(each => each.updateId ?? [])
  const [states, files] = await Promise.all([
    Promise.all(programmes.map(async id => [id, await monthState(rt, id, month)] as const)),
    filesOf(rt.db, [...new Set(counted)], activityIds),
  ])
  return { states: new Map(states), files }
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

async function list(view: View<unknown>, query: Asked, refused?: Refused): Promise<Html> {
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
  const [found, totals, activities, announced, chat] = await Promise.all([
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
    showsActivities && query.activity === undefined && query.page === 1
      ? listAnnounced(rt.db, where, ANNOUNCED)
      : [],
    showsMessages && query.page === 1 ? chatActivity(view, { month, unit, group }) : null,
  ])
  const shown = {
    ...(await around(
      view,
      found,
      activities.map(each => each.id),
      month,
    )),
    back: query,
    refused,
  }
  const { page: _page, ...kept } = queryOf({ ...query, month })
  const hasMore = (showsMessages ? found : activities).length > PAGE
  return page(view, {
    title: group ? `“${group.name}”的记录` : unit ? `${unit.name}的记录` : '记录',
    part: 'records',
    above: group || unit ? [['记录', '/console/records']] : [],
    fault: refused?.fault ?? null,
    body: html`${isOf(rt, viewer, 'manager') ? html`<p><a href="/console/ready-posts">备选消息：备好给下面的群一点就转</a></p>` : ''}
${filterForm(view, query, month)}
${query.activity !== undefined ? html`<p class="soft">只看线下活动：${activityKindName(rt.templates, query.activity)}。<a href="${pathOf({ ...query, activity: undefined, page: 1 })}">看全部</a></p>` : ''}
${
  showsMessages
    ? html`<h2>消息</h2>${totalsPart(query, month, totals)}
${stateWords(month, shown.states)}
${table(
  '消息记录',
  ['日期', '内容', '类别', '谁定的类别', { name: '条数', isNumber: true }, '群', '来源'],
  found.slice(0, PAGE).map(record => row(view, record, shown)),
  `${monthWords(month)}没有这样的消息记录。`,
)}`
    : ''
}
${showsActivities ? activitiesPart(view, activities, month, shown.files) : ''}
${announcedPart(view, announced)}
${chat === null ? '' : chatActivityPart(chat, `${group ? '群主' : '所辖群的群主'}名下所有客户群，${monthWords(month)}`)}
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

/** The platform's figures of the chat in a month, of the owners in question; null: none, or of too many to sum them here. */
async function chatActivity(
  { rt, viewer }: View<unknown>,
  {
    month,
    unit,
    group,
  }: {
    month: string
    unit: { path: string; level: string } | null
    group: { ownerId: number | null } | null
  },
) {
  const [from, to] = [`${month}-01`, addDays(`${addMonths(month, 1)}-01`, -1)]
  if (group) return group.ownerId === null ? null : chatActivityOfOwner(rt.db, group.ownerId, from, to)
  const levels = unit ? [unit.level] : topUnits(rt.templates, viewer.actor).map(top => top.level)
  if (levels.some(level => WIDE.includes(level))) return null
  const reach = reachOf(rt.templates, viewer)
  return chatActivityWithin(rt.db, { reach, unitPath: unit?.path }, from, to)
}

function stateWords(month: string, states: ReadonlyMap<string, MonthState>): Html | string {
  const all = [...states.values()]
  if (all.includes('closed'))
    return html`<p class="soft">${monthWords(month)}已经关账：确有错的，由管理这个单位的同志写明理由更正，报表上会注明。</p>`
  return all.includes('settled')
    ? html`<p class="soft">${monthWords(month)}的报表已经定了，这个月的记录不能再改。</p>`
    : ''
}

/** One record. @param said what has just been done with it */
function row(view: View<unknown>, record: ListedRecord, shown: Shown, said?: string): Html {
  const proofs = shown.files.filter(file => file.updateId !== null && file.updateId === record.updateId)
  return html`<tr><td class="nowrap">${dayWords(record.recordedOn).slice(5)}</td>
<td class="excerpt">${record.excerpt ?? html`<span class="soft">只报了条数</span>`}${picturesOf(proofs, '证明')}</td><td>${categoryCell(view, record, shown, said)}</td><td>${decider(record)}</td><td class="number">${record.count}</td>
<td><a href="/console/groups/${record.groupId}">${record.groupName}</a><br><span class="soft">${record.unitName}</span></td>
<td class="nowrap">${sources[record.source as keyof typeof sources] ?? record.source}${record.reporterName ? html`<br><span class="soft">${record.reporterName}</span>` : ''}</td></tr>`
}

/** Links and no pictures: each opening is noted. */
function picturesOf(files: readonly ListedFile[], word: string): Html | string {
  if (files.length === 0) return ''
  return html`<br><span class="pictures">${files.map(
    (file, index) =>
      html`<a href="/console/records/pictures/${file.id}">${word}${files.length > 1 ? ` ${index + 1}` : ''}</a> `,
  )}</span>`
}

/** The category, with the way to put it right: at once while the month is open, with a reason when it is closed. */
function categoryCell(view: View<unknown>, record: ListedRecord, shown: Shown, said?: string): Html {
  const state = shown.states.get(record.programme) ?? 'settled'
  const refused = shown.refused?.recordId === record.id ? shown.refused : undefined
  const words = refused
    ? html` <span role="alert">${tag(refused.fault, 'bad')}</span>`
    : said
      ? html` <span role="status">${tag(said, 'good')}</span>`
      : ''
  const mayLate = state === 'closed' && managesUnit(view.rt.templates, view.viewer.actor, record.unitPath)
  if (state !== 'open' && !mayLate) return html`${record.category}${words}`
  const path = `/console/records/${record.id}/category`
  const chosen = mayLate && refused ? refused.to : record.category
  const choice = html`<select id="r-${record.id}" name="to"${mayLate ? '' : html` data-auto`} aria-label="${record.groupName}这条消息的类别">${CATEGORIES.map(
    category => html`<option${category === chosen ? html` selected` : ''}>${category}</option>`,
  )}</select>`
  const form = (inner: Html) =>
    html`<form class="recategorise" method="post" action="${path}" hx-post="${path}" hx-target="closest tr" hx-swap="outerHTML">${token(view.formToken)}<input type="hidden" name="back" value="${new URLSearchParams(queryOf(shown.back))}">
${inner}${words}</form>`
  if (!mayLate) return form(html`${choice}<noscript><button class="second">改</button></noscript>`)
  return html`${record.category}<details class="late"${refused ? html` open` : ''}><summary>更正</summary>${form(
    html`${choice}<input name="reason" value="${refused?.reason ?? ''}" required maxlength="200" placeholder="理由" aria-label="更正的理由"><button class="second">更正</button>`,
  )}</details>${refused ? '' : words}`
}

function decider({ decidedBy, confidence }: ListedRecord): Html {
  if (decidedBy !== 'machine') return tag('人工', 'good')
  const share = confidence === null ? '' : ` ${Math.round(confidence * 100)}%`
  return tag(`机器${share}`, confidence !== null && !isSureEnough(confidence) ? 'wait' : 'quiet')
}

function activitiesPart(
  view: View<unknown>,
  activities: Awaited<ReturnType<typeof listActivities>>,
  month: string,
  files: readonly ListedFile[],
): Html {
  return html`<h2 id="activities">线下活动${activities[0] ? `（${activities[0].total}）` : ''}</h2>
${table(
  '线下活动',
  ['日期', '类别', '单位', '群', '地点', { name: '人数', isNumber: true }, '登记人'],
  activities.slice(0, PAGE).map(
    activity =>
      html`<tr><td class="nowrap">${dayWords(activity.heldOn).slice(5)}</td><td>${activityKindName(view.rt.templates, activity.kind)}${activity.title ? html`<br><span class="soft">${activity.title}</span>` : ''}${picturesOf(
        files.filter(file => file.activityId === activity.id),
        '照片',
      )}</td><td>${activity.unitName}</td><td>${
        activity.groupId === null
          ? ''
          : html`<a href="/console/groups/${activity.groupId}">${activity.groupName}</a>`
      }</td><td>${activity.place ?? ''}</td><td class="number">${activity.heads ?? ''}</td><td>${activity.reporterName ?? ''}</td></tr>`,
  ),
  `${monthWords(month)}没有登记过线下活动。`,
)}`
}

/** Activities to come, or whose announcers have not said yet that they were held: in no figure. */
function announcedPart(
  { rt }: View<unknown>,
  announced: Awaited<ReturnType<typeof listAnnounced>>,
): Html | string {
  if (announced.length === 0) return ''
  const now = rt.clock.now()
  return html`<h2 id="announced">预告的活动</h2>
<p class="soft">办完以后由发起的同志确认，才计入上面的线下活动。</p>
${table(
  '预告的活动',
  [
    '编号',
    '时间',
    '类别',
    '单位',
    '地点',
    { name: '报名', isNumber: true },
    { name: '签到', isNumber: true },
    '发起人',
  ],
  announced.map(
    each =>
      html`<tr><td class="nowrap"><a href="/a/${each.id}">${each.id}</a></td><td class="nowrap">${each.startsAt ? moment(each.startsAt, now) : ''}${each.startsAt && each.startsAt < now ? html`<br>${tag('等确认', 'wait')}` : ''}</td><td class="excerpt">${activityKindName(rt.templates, each.kind)}${each.title ? html`<br><span class="soft">${each.title}</span>` : ''}</td><td>${each.unitName}</td><td>${each.place ?? ''}</td><td class="number">${each.signedUp}</td><td class="number">${each.came}</td><td>${each.reporterName ?? ''}</td></tr>`,
  ),
  '',
)}`
}
