import { z } from 'zod'
import type { Route } from '../../../db/queries/cascade.ts'
import { type Answerer, answerersOfUnits, unitNames } from '../../../db/queries/notice-answers.ts'
import { followingOf } from '../../../db/queries/notice-changes.ts'
import { reachOfNotices } from '../../../db/queries/notice-counts.ts'
import { filesOfNotice, type NoticeFile } from '../../../db/queries/notice-files.ts'
import {
  type CallWays,
  type DeliveryShown,
  deliveriesWithReceipts,
  receiptsOverTime,
  type Wake,
  waterlines,
} from '../../../db/queries/notice-progress.ts'
import { type ListedNotice, noticesInLine } from '../../../db/queries/notices.ts'
import { unitById } from '../../../db/queries/units.ts'
import { type NoticeInView, noticePolicy } from '../../domain/access/notices.ts'
import { topUnits, viewPathOf } from '../../domain/access/policy.ts'
import { managingPairs } from '../../domain/groups/managers.ts'
import { deliveryWords, proofWords, receiptKinds } from '../../domain/notices/delivery-words.ts'
import { exportDeliveries } from '../../domain/notices/export-deliveries.ts'
import {
  type PartProgress,
  topOf,
  type WaterlineView,
  wakeOf,
  waterlineOf,
} from '../../domain/notices/progress.ts'
import { answerHint } from '../../domain/notices/read-answer.ts'
import { routeNames } from '../../domain/notices/routes.ts'
import { type Html, html } from '../../http/html.ts'
import type { Runtime } from '../../runtime.ts'
import { page } from '../layout.ts'
import { type LiveState, streamLive, versionOf } from '../live.ts'
import { type Curve, drawCurve } from '../notice-curve.ts'
import { kindTag, linkLine, linkNow, noticeText, whatFollows } from '../notice-parts.ts'
import { agoWords, emptyState, figure, moment, momentWords, pager, progress, table, tag } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { sendWorkbook } from '../send-workbook.ts'
import { changeLinks } from './notice-changes.ts'
import { fileList } from './notice-drafts.ts'

/** Each notice of the list is counted over all of its groups: fewer of them than of lines. */
const LIST_SIZE = 20
const PAGE_SIZE = 50
/** Units below one that are listed with their waterline. */
const CHILDREN = 200
/** Points of the curve at most. */
const STRETCHES = 120
const MINUTE_MS = 60_000
/** Of the time that an open page is looked after, at most this part is spent on counting. */
const COUNTING_SHARE = 0.1

const paged = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) })
const shows = ['dry', 'posted', 'withdrawn', 'all'] as const
const asked = paged.extend({ unit: z.string().max(15).catch(''), show: z.enum(shows).catch('dry') })

/** What was sent, from above and from below, and how far it has come; one notice with its waterline, receipts and curve. */
export function noticePages(routes: Routes): void {
  routes.get('/console/notices', 'manager', listPage)

  routes.get('/console/notices/:noticeId', noticePolicy, noticePage)

  routes.get('/console/notices/:noticeId/live', noticePolicy, async view => {
    const { thing: notice } = view
    const scope = await scopeOf(view)
    return streamLive(view, noticePolicy, {
      key: `notice:${notice.id}:${scope.top.path}`,
      read: sparing(() => liveState(view.rt, notice, scope)),
      isSame: again => again.viewPath === notice.viewPath,
    })
  })

  routes.get('/console/notices/:noticeId/curve.svg', noticePolicy, async view => {
    const { size } = view.read(z.object({ size: z.enum(['desk', 'phone']).catch('desk') }))
    const { top } = await scopeOf(view)
    const svg = await drawCurve(await curveOf(view.rt, view.thing, top.path), size)
    return view.reply.type('image/svg+xml; charset=utf-8').send(svg)
  })

  routes.get('/console/notices/:noticeId/deliveries.xlsx', noticePolicy, async view => {
    const { which } = view.read(z.object({ which: z.enum(['all', 'dry']).catch('all') }))
    const { top } = await scopeOf(view)
    return sendWorkbook(view, await exportDeliveries(view.rt, view.viewer.actor, view.thing, top, which))
  })
}

/** The part of a notice that is looked at: what the viewer sees of it, or a unit within that. */
interface Scope {
  top: { id: number; name: string; path: string }
  /** What the addresses of the page carry on: `unit=7`, or nothing for the whole. */
  query: Record<string, string>
  /** The units from the viewer's down to the one above this. */
  above: { id: number; name: string }[]
}

/** @throws NotFound for a unit outside what the viewer sees of the notice */
export async function scopeOf(view: View<NoticeInView>): Promise<Scope> {
  const { rt, thing: notice } = view
  const { unit: written } = view.read(asked)
  if (written === '' || notice.viewPath.endsWith(`/${written}/`))
    return { top: await topOf(rt, notice.viewPath), query: {}, above: [] }
  const unit = /^\d{1,15}$/.test(written) ? await unitById(rt.db, Number(written)) : null
  if (!unit?.path.startsWith(notice.viewPath)) throw new NotFound()
  const depth = notice.viewPath.split('/').length - 3
  const ids = unit.path.split('/').slice(1, -2).slice(depth).map(Number)
  const names = await unitNames(rt.db, ids)
  return {
    top: { id: unit.id, name: unit.name, path: unit.path },
    query: { unit: String(unit.id) },
    above: ids.map(id => ({ id, name: names.get(id) ?? '' })),
  }
}

/** An address of the notice's pages with the part that is looked at. */
function addressOf(path: string, query: Record<string, string>): string {
  const written = new URLSearchParams(query).toString()
  return written === '' ? path : `${path}?${written}`
}

/** Reads again only when the last reading is old enough that reading takes a small share of the time. */
function sparing<Read>(read: () => Promise<Read>): () => Promise<Read> {
  let kept: { value: Read; until: number } | null = null
  return async () => {
    const begun = performance.now()
    if (kept && begun < kept.until) return kept.value
    const value = await read()
    const cost = performance.now() - begun
    kept = { value, until: begun + cost / COUNTING_SHARE }
    return value
  }
}

// the list

async function listPage(view: View<null>) {
  const { rt, viewer } = view
  const { page: number } = view.read(paged)
  const tops = topUnits(rt.templates, viewer.actor)
  const found = await noticesInLine(
    rt.db,
    tops.map(top => top.path),
    { limit: LIST_SIZE + 1, offset: (number - 1) * LIST_SIZE },
  )
  const shown = found.slice(0, LIST_SIZE)
  const reach = await reachOfNotices(
    rt.db,
    shown.map(({ id, unitPath }) => ({
      id,
      unitPath: viewPathOf(rt.templates, viewer.actor, unitPath) ?? unitPath,
    })),
  )
  return page(view, {
    title: '通知',
    part: 'notices',
    body: html`<div class="deeds"><a class="button" href="/console/notices/new">写通知</a><a class="button second" href="/console/notices/drafts">草稿和待审</a><a class="button second" href="/console/schedule">工作日程</a><a class="button second" href="/console/rehearsals">演练</a></div>
<p class="soft">本级和下级发的，以及上级发来的；进度只算您负责的群，正在传达的可能差几秒。</p>
${
  shown.length === 0
    ? emptyState(number > 1 ? '后面没有了。' : '还没有通知。点“写通知”发第一个，或在聊天里发送“通知 正文”。')
    : html`<div class="card"><ul class="plain">${shown.map(notice => listItem(notice, reach.get(notice.id), rt.clock.now()))}</ul></div>`
}
${pager('/console/notices', {}, number, found.length > LIST_SIZE)}`,
  })
}

function listItem(
  notice: ListedNotice,
  reach: { groups: number; posted: number } | undefined,
  now: Date,
): Html {
  const { groups, posted } = reach ?? { groups: 0, posted: 0 }
  const none = reach === undefined ? tag('正在数，过一会儿刷新') : tag('您负责的群不在范围内')
  const dry = groups - posted
  const about = notice.aboutId === null ? '' : ` · 针对通知 ${notice.aboutId}`
  return html`<li class="listed-notice"><a href="/console/notices/${notice.id}">${firstWords(notice.body)}</a>
<span class="soft">通知 ${notice.id} · ${notice.unitName} · ${notice.category} · ${moment(notice.issuedAt, now)}发 · ${moment(notice.deadlineAt, now)}截止${about}</span>
<span class="deeds-line">${kindTag(notice)} ${groups > 0 ? progress(posted, groups, `通知 ${notice.id} 到达的群`) : notice.withdrawnAt ? '' : none} ${groups > 0 ? dryTag(notice, dry, now) : ''} ${notice.ask ? html`<a href="/console/notices/${notice.id}/answers">看答复</a>` : ''}</span></li>`
}

/** How many groups are without it; what was taken back waits for nobody. */
function dryTag(notice: Pick<ListedNotice, 'deadlineAt' | 'withdrawnAt'>, dry: number, now: Date): Html {
  if (dry === 0) return tag('全部传达到位', 'good')
  if (notice.withdrawnAt) return tag(`${dry} 个群没有确认`)
  return notice.deadlineAt < now ? tag(`过期未到 ${dry} 个群`, 'bad') : tag(`还差 ${dry} 个群`, 'wait')
}

/** The beginning of a text in one line. */
function firstWords(body: string): string {
  const line = body.replace(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length > 48 ? `${characters.slice(0, 48).join('')}……` : line
}

// one notice

async function noticePage(view: View<NoticeInView>) {
  const { rt, thing: notice } = view
  const { page: number, show } = view.read(asked)
  const now = rt.clock.now()
  const scope = await scopeOf(view)
  const { top, query } = scope
  const [waterline, wake, found, following, files] = await Promise.all([
    waterlineOf(rt, notice, top),
    wakeOf(rt, notice.id, top.path),
    deliveriesWithReceipts(rt.db, notice.id, top.path, show, {
      now,
      limit: PAGE_SIZE + 1,
      offset: (number - 1) * PAGE_SIZE,
      withReaders: true,
    }),
    followingOf(rt.db, notice.id),
    filesOfNotice(rt.db, notice.id),
  ])
  const { all } = waterline
  const isDone = all === null || all.posted === all.groups
  const fragment = progressFragment(notice, waterline, now)
  const own = `/console/notices/${notice.id}`
  const live = addressOf(`${own}/live`, { ...query, seen: versionOf(fragment) })
  const isPart = 'unit' in query
  return page(view, {
    title: isPart ? top.name : `通知 ${notice.id}`,
    part: 'notices',
    above: [
      ['通知', '/console/notices'],
      ...(isPart ? [[`通知 ${notice.id}`, own] as [string, string]] : []),
      ...scope.above.slice(1).map(({ id, name }): [string, string] => [name, `${own}?unit=${id}`]),
    ],
    body: html`<section class="card"><h2>进度</h2>${
      isDone || notice.withdrawnAt
        ? fragment
        : html`<div hx-ext="sse" sse-connect="${live}" sse-close="done"><div sse-swap="progress" aria-live="polite">${fragment}</div></div>
<p class="soft">有群转发，这里会自动更新；没有动静时可以<a href="${addressOf(own, query)}">刷新</a>。</p>`
    }${notice.ask ? html`<div class="deeds"><a class="button second" href="${addressOf(`${own}/answers`, query)}">看答复（${all?.answered ?? 0}/${all?.asked ?? 0}）</a></div>` : ''}</section>
${isPart ? '' : html`${bodyCard(notice, following, files, now)}${changeLinks(view, notice)}`}
<section class="card"><h2>到群的快慢</h2><picture><source media="(max-width: 40rem)" srcset="${addressOf(`${own}/curve.svg`, { ...query, size: 'phone' })}" width="340" height="240"><img class="curve" src="${addressOf(`${own}/curve.svg`, query)}" width="760" height="280" alt="${curveWords(notice, all, now)}"></picture>
<dl class="facts"><dt>最早到群</dt><dd>${all?.first ? moment(all.first, now) : '还没有'}</dd><dt>最近到群</dt><dd>${all?.last ? moment(all.last, now) : '还没有'}</dd>
<dt>过半的群用时</dt><dd>${all ? tookWords(all) : '—'}</dd></dl></section>
${unitsTable(notice, waterline, wake, top.id, now)}
${await groupsPart(view, scope, show, found, number, all)}
<div class="deeds">${isDone ? '' : html`<a class="button second" href="${addressOf(`${own}/deliveries.xlsx`, { ...query, which: 'dry' })}">导出未到的群</a>`}<a class="button second" href="${addressOf(`${own}/deliveries.xlsx`, { ...query, which: 'all' })}">导出送达明细</a></div>
<p class="soft">导出会记入操作留痕。</p>`,
  })
}

function bodyCard(
  notice: NoticeInView,
  following: { id: number; kind: string; body: string; link: string | null; issuedAt: Date }[],
  files: NoticeFile[],
  now: Date,
): Html {
  const { ask } = notice
  return html`${whatFollows(notice, following, '/console/notices', now)}
<section class="card"><h2>正文 ${kindTag(notice)}</h2>${noticeText(notice, following)}${linkLine(linkNow(notice, following))}${fileList(files, `/console/notices/${notice.id}/files`)}
<dl class="facts"><dt>发出</dt><dd>${notice.unitName} ${notice.authorName}，${moment(notice.issuedAt, now)}</dd>
<dt>截止</dt><dd>${moment(notice.deadlineAt, now)}</dd><dt>类别</dt><dd>${notice.category}</dd>
${notice.mode === 'by-level' ? html`<dt>怎样下发</dt><dd>逐级：上一级转完，或过了时间，再发下一级</dd>` : ''}
${ask ? html`<dt>要各单位答复</dt><dd>${ask.question}（${answerHint(ask)}）</dd>` : ''}</dl></section>`
}

async function liveState(rt: Runtime, notice: NoticeInView, { top }: Scope): Promise<LiveState> {
  const waterline = await waterlineOf(rt, notice, top)
  const { all } = waterline
  return {
    content: progressFragment(notice, waterline, rt.clock.now()),
    isDone: all === null || all.posted === all.groups,
  }
}

/** The part that is kept up to date. Holds no word that changes by time alone, but for the deadline's passing. */
function progressFragment(notice: NoticeInView, { all, levels }: WaterlineView, now: Date): Html {
  if (all === null)
    return notice.withdrawnAt
      ? emptyState('这个通知已经撤回，没有群要等。')
      : emptyState('您负责的群不在这个通知的范围内。')
  const dry = all.groups - all.posted
  const isAsked = notice.ask !== null
  return html`<p class="big-progress">${progress(all.posted, all.groups, '到达的群')} ${dryTag(notice, dry, now)}</p>
<div class="figures">${figure(`${all.reached}/${all.groups}`, '已送到群主或群')}${figure(all.received, '群主已看到，还没转', undefined, all.received > 0 ? 'wait' : 'quiet')}${figure(all.opened, `人打开过，${all.acknowledged} 人点了“我已阅读”`)}${isAsked ? figure(`${all.answered}/${all.asked}`, '个单位已答复', undefined, all.answered < all.asked ? 'wait' : 'good') : ''}${all.unknown > 0 ? figure(all.unknown, '个群不确定，请到群里看一眼', undefined, 'bad') : ''}</div>
${table(
  '各级进度',
  [
    '层级',
    '到群',
    { name: '送到', isNumber: true },
    { name: '已看到未转', isNumber: true },
    { name: '打开过', isNumber: true },
    ...(isAsked ? [{ name: '已答单位', isNumber: true }] : []),
    '过半用时',
    { name: '无法送达', isNumber: true },
  ],
  levels.map(
    level =>
      html`<tr><td>${level.name}</td><td>${progress(level.posted, level.groups, `${level.name}到达的群`)}</td><td class="number">${level.reached}</td><td class="number">${level.received}</td><td class="number nowrap">${readWords(level)}</td>${isAsked ? html`<td class="number">${level.answered}/${level.asked}</td>` : ''}<td class="nowrap">${tookWords(level)}</td><td class="number">${level.failed > 0 ? tag(String(level.failed), 'bad') : 0}</td></tr>`,
  ),
  '',
)}`
}

function readWords({ opened }: PartProgress): string {
  return `${opened} 人`
}

function tookWords({ medianSeconds }: PartProgress): string {
  if (medianSeconds === null) return '—'
  return medianSeconds < 60 ? '1 分钟内' : agoWords(medianSeconds * 1000)
}

/** The units right below, those with most groups without it first: how far each is, since when it waits, who can wake it. */
function unitsTable(
  notice: NoticeInView,
  { children }: WaterlineView,
  wake: { children: Map<number | null, Wake> },
  topId: number,
  now: Date,
): Html {
  // a unit without any below it has only its own groups, and they are listed anyway
  if (children.every(child => child.unitId === topId)) return html``
  const isAsked = notice.ask !== null
  return html`<h2>各单位</h2>
${table(
  '各单位进度',
  [
    '单位',
    '到群',
    { name: '送到', isNumber: true },
    { name: '打开过', isNumber: true },
    ...(isAsked ? [{ name: '已答', isNumber: true }] : []),
    '最近到群',
    '没到的等了',
    '没到的还能叫谁',
  ],
  children.slice(0, CHILDREN).map(child => {
    const dry = child.groups - child.posted
    const isOwn = child.unitId === topId
    const since = child.drySince && Math.max(child.drySince.getTime(), notice.issuedAt.getTime())
    return html`<tr><td>${isOwn ? child.name : html`<a href="/console/notices/${notice.id}?unit=${child.unitId}">${child.name}</a>`}</td><td>${progress(child.posted, child.groups, `${child.name}到达的群`)}</td><td class="number">${child.reached}</td><td class="number nowrap">${readWords(child)}</td>${isAsked ? html`<td class="number">${child.answered}/${child.asked}</td>` : ''}<td class="nowrap">${child.last ? moment(child.last, now) : '—'}</td><td class="nowrap">${dry > 0 && since !== null ? agoWords(now.getTime() - since) : '—'}</td><td>${wakeWords(wake.children.get(isOwn ? null : child.unitId))}</td></tr>`
  }),
  '',
)}${children.length > CHILDREN ? html`<p class="soft">只列差得最多的 ${CHILDREN} 个单位，全部请看导出。</p>` : ''}`
}

/** 企业微信 3 · 公众号 1 · 只能模板消息 2 · 本单位其他人 1 · 叫不到 1 */
function wakeWords(wake: Wake | undefined): Html | string {
  if (!wake) return '—'
  const ways = [
    [wake.byWecom, '企业微信叫得到'],
    [wake.byMessage, '公众号叫得到'],
    [wake.byTemplate, '只能模板消息'],
    [wake.byContact, '找本单位其他人'],
  ] as const
  return html`${ways
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${words} ${count}`)
    .join('，')} ${wake.byNobody > 0 ? tag(`都叫不到 ${wake.byNobody}`, 'bad') : ''}`
}

// the groups, each with its proofs

const showWords: Record<(typeof shows)[number], string> = {
  dry: '还没有到的群',
  posted: '已到的群',
  withdrawn: '撤回没发的群',
  all: '全部的群',
}

async function groupsPart(
  view: View<NoticeInView>,
  { query }: Scope,
  show: (typeof shows)[number],
  found: DeliveryShown[],
  number: number,
  all: PartProgress | null,
): Promise<Html> {
  const { rt, thing: notice } = view
  const now = rt.clock.now()
  const own = `/console/notices/${notice.id}`
  const rows = found.slice(0, PAGE_SIZE)
  const deaf = rows.filter(row => row.status !== 'posted' && !row.byWecom && !row.byMessage)
  const contacts = await answerersOfUnits(
    rt.db,
    notice.id,
    [...new Set(deaf.map(row => row.unitId))],
    managingPairs(rt.templates),
    now,
  )
  const tabs = shows.filter(each => each !== 'withdrawn' || notice.withdrawnAt || show === each)
  return html`<h2 id="groups">${showWords[show]}</h2>
<nav class="tabs" aria-label="看哪些群">${tabs.map(
    each =>
      html`<a href="${addressOf(own, { ...query, show: each })}#groups"${each === show ? html` aria-current="page"` : ''}>${showWords[each]}${countOf(each, all)}</a>`,
  )}</nav>
${table(
  showWords[show],
  show === 'posted'
    ? ['群', '单位', '群主', '回执和凭据', '读过、答过']
    : ['群', '单位', '群主', '能不能叫到', '方式和状态', '回执和凭据', '读过、答过', '等了'],
  rows.map(row =>
    show === 'posted'
      ? html`<tr><td><a href="/console/groups/${row.groupId}">${row.groupName}</a></td><td>${row.unitName}</td><td>${row.ownerName ?? '—'}</td><td class="words">${proofs(row, now)}</td><td>${readingOf(row, notice, now)}</td></tr>`
      : html`<tr><td><a href="/console/groups/${row.groupId}">${row.groupName}</a></td><td>${row.unitName}</td><td>${row.ownerName ?? tag('没有群主', 'bad')}</td><td>${row.status === 'posted' || row.status === 'withdrawn' ? '—' : whoCanBeCalled(row, contacts)}</td><td>${routeNames[row.route as Route] ?? row.route}，${statusWords(row, now)}</td><td class="words">${proofs(row, now)}</td><td>${readingOf(row, notice, now)}</td><td class="nowrap">${row.status === 'posted' || row.status === 'withdrawn' ? '—' : agoWords(now.getTime() - Math.max(row.since.getTime(), notice.issuedAt.getTime()))}</td></tr>`,
  ),
  number > 1 ? '后面没有了。' : show === 'dry' ? '全部到位，没有等着的群。' : '没有这样的群。',
)}
${pager(own, { ...query, show }, number, found.length > PAGE_SIZE)}`
}

function countOf(show: (typeof shows)[number], all: PartProgress | null): string {
  if (all === null || show === 'withdrawn') return ''
  return ` ${show === 'dry' ? all.groups - all.posted : show === 'posted' ? all.posted : all.groups}`
}

function statusWords(row: DeliveryShown, now: Date): string {
  const received = row.receipts.find(receipt => receipt.kind === 'received')
  if (received && row.status !== 'posted' && row.status !== 'withdrawn')
    return `群主${momentWords(received.at, now)}说已看到`
  return deliveryWords[row.status] ?? row.status
}

/** Each receipt with its time and what proves it. */
function proofs(row: DeliveryShown, now: Date): Html | string {
  if (row.receipts.length === 0) return '还没有'
  return html`${row.receipts.map(
    receipt =>
      html`<div>${receiptKinds[receipt.kind] ?? receipt.kind} ${moment(receipt.at, now)} <span class="soft">${proofWords(receipt)}</span></div>`,
  )}`
}

function readingOf({ readers, answer }: DeliveryShown, notice: NoticeInView, now: Date): Html {
  const read =
    readers.opened === 0
      ? '还没有人打开'
      : html`${readers.opened} 人打开过，${readers.acknowledged} 人说已读 <span class="soft">最早${readers.first ? moment(readers.first, now) : ''}</span>`
  if (notice.ask === null) return html`${read}`
  return html`${read}<div>${answer ? html`${answer.by}${moment(answer.at, now)}答了` : tag('单位没答', 'wait')}</div>`
}

/** The owner, if the platforms let anybody call them now; else somebody else of the unit. */
function whoCanBeCalled(row: DeliveryShown, contacts: Answerer[]): Html {
  const other = contacts.find(
    each =>
      each.unitId === row.unitId && each.role !== null && each.name !== row.ownerName && canBeCalled(each),
  )
  const instead = other ? html`<div class="soft">可找本单位${other.title ?? ''}${other.name}</div>` : ''
  if (row.ownerName === null) return html`${tag('请先指定群主', 'bad')}${instead}`
  return html`${callTag(row)}${row.byWecom || row.byMessage ? '' : instead}`
}

const canBeCalled = (ways: CallWays): boolean => ways.byWecom || ways.byMessage || ways.byTemplate

/** Whether somebody can be woken: what the platforms allow now. */
export function callTag(ways: CallWays): Html {
  if (ways.byWecom) return tag('企业微信叫得到', 'good')
  if (ways.byMessage) return tag('公众号叫得到', 'good')
  if (ways.byTemplate) return tag('只能发模板消息叫', 'wait')
  return tag('叫不到：没绑定或已取关', 'bad')
}

// the curve

function curveWords(notice: NoticeInView, all: PartProgress | null, now: Date): string {
  const first = all?.first ? `，最早 ${momentWords(all.first, now)}` : ''
  const last = all?.last ? `，最近 ${momentWords(all.last, now)}` : ''
  return `曲线：${momentWords(notice.issuedAt, now)}发出，到现在 ${all?.posted ?? 0}/${all?.groups ?? 0} 个群已到${first}${last}`
}

async function curveOf(rt: Runtime, notice: NoticeInView, path: string): Promise<Curve> {
  const now = rt.clock.now()
  const lines = await waterlines(rt.db, notice, path)
  const { groups = 0, posted = 0, last } = lines.find(line => line.of.kind === 'all') ?? {}
  const begun = notice.issuedAt.getTime()
  const latest = Math.max(last?.getTime() ?? begun, posted === groups ? begun : notice.deadlineAt.getTime())
  // what lies long behind is drawn as far as anything happened, not up to today
  const until = Math.max(begun + 10 * MINUTE_MS, Math.min(now.getTime(), begun + (latest - begun) * 1.08))
  const stretchMs = Math.max(1000, Math.ceil((until - begun) / STRETCHES))
  const rows = await receiptsOverTime(rt.db, notice.id, path, notice.issuedAt, stretchMs)
  const grown = (count: (row: (typeof rows)[number]) => number): [Date, number][] => {
    let sum = 0
    const points: [Date, number][] = [[notice.issuedAt, 0]]
    for (const row of rows) {
      sum += count(row)
      points.push([new Date(Math.min(until, begun + (row.stretch + 1) * stretchMs)), sum])
    }
    return [...points, [new Date(until), sum]]
  }
  return {
    issuedAt: notice.issuedAt,
    deadlineAt: notice.deadlineAt,
    until: new Date(until),
    groups,
    posted: grown(row => row.posted),
    received: grown(row => row.received),
  }
}
