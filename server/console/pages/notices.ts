import { z } from 'zod'
import type { Reach, Route } from '../../../db/queries/cascade.ts'
import { readersOf } from '../../../db/queries/notice-readings.ts'
import {
  type DryGroup,
  dryGroups,
  type ListedNotice,
  noticesInLine,
  reachOfNotices,
  receiptSpan,
  receiptsOverTime,
} from '../../../db/queries/notices.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { type NoticeInView, noticePolicy } from '../../domain/access/notices.ts'
import { topUnits, viewPathOf } from '../../domain/access/policy.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { managingRoles } from '../../domain/actor.ts'
import { CATEGORIES, isCategory } from '../../domain/messages/categories.ts'
import { classifyMessage } from '../../domain/messages/classify.ts'
import { shippedClassifier } from '../../domain/messages/shipped.ts'
import { deliveryWords, exportDeliveries } from '../../domain/notices/export-deliveries.ts'
import { checkNotice, planReach, planTiming } from '../../domain/notices/issue.ts'
import { issueNoticeOnce } from '../../domain/notices/issue-once.ts'
import { type LevelProgress, levelsOf } from '../../domain/notices/progress.ts'
import { routeNames } from '../../domain/notices/routes.ts'
import { type Importance, type ImportanceRule, noticeRules } from '../../domain/notices/rules.ts'
import { defaultImportance, isLateForToday } from '../../domain/notices/timing.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import type { Runtime } from '../../runtime.ts'
import { page } from '../layout.ts'
import { type LiveState, streamLive, versionOf } from '../live.ts'
import { type Curve, drawCurve } from '../notice-curve.ts'
import {
  agoWords,
  emptyState,
  figure,
  moment,
  momentWords,
  pager,
  progress,
  select,
  table,
  tag,
  textArea,
  token,
} from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

/** Each notice of the list is counted over all of its groups: fewer of them than of lines. */
const LIST_SIZE = 20
const PAGE_SIZE = 50
/** Points of the curve at most. */
const STRETCHES = 120
const MINUTE_MS = 60_000
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

const paged = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) })

/**
 * `GET /console/notices`: what was sent, from above and from below, and how far it has come. Sending takes two steps:
 * writing (`…/new`), then seeing what will happen (`…/preview`) before it does.
 */
export function noticePages(routes: Routes): void {
  routes.get('/console/notices', 'manager', listPage)

  routes.get('/console/notices/new', 'manager', async view => {
    const { unit } = view.read(z.object({ unit: z.string().max(15).catch('') }))
    if (unit !== '') await unitInView(view, unit)
    return writingPage(view, { unit, body: '', category: '', importance: '' })
  })
  // back from the preview, with what was written
  routes.post('/console/notices/new', 'manager', view => writingPage(view, readDraft(view)))

  routes.post('/console/notices/preview', 'manager', async view => {
    const draft = readDraft(view)
    try {
      return await previewPage(view, draft)
    } catch (error) {
      return refused(view, error, fault => writingPage(view, draft, fault))
    }
  })

  routes.post('/console/notices', 'manager', async view => {
    const draft = readDraft(view)
    try {
      const unit = await requireUnit(view, draft)
      if (!isCategory(draft.category)) throw new DomainError('notice.category', '请选一个类别。')
      const importance = isImportance(draft.importance)
        ? draft.importance
        : defaultImportance(view.rt.templates.programme(unit.programme))
      const input = { unitId: unit.id, body: draft.body, category: draft.category, importance }
      const { id, isNew } = await issueNoticeOnce(view.rt, view.viewer.actor, input)
      return view.goTo(
        `/console/notices/${id}`,
        isNew
          ? `通知 ${id} 已发出。到时前会提醒还没转的群主，这一页会自动更新。`
          : `这个通知刚才已经发出（通知 ${id}），没有重复发送。`,
      )
    } catch (error) {
      return refused(view, error, fault => writingPage(view, draft, fault))
    }
  })

  routes.get('/console/notices/:noticeId', noticePolicy, noticePage)

  routes.get('/console/notices/:noticeId/live', noticePolicy, view => {
    const notice = view.thing
    return streamLive(view, noticePolicy, {
      key: `notice:${notice.id}:${notice.viewPath}`,
      read: () => liveState(view.rt, notice),
      isSame: again => again.viewPath === notice.viewPath,
    })
  })

  routes.get('/console/notices/:noticeId/curve.svg', noticePolicy, async view => {
    const { size } = view.read(z.object({ size: z.enum(['desk', 'phone']).catch('desk') }))
    const svg = await drawCurve(await curveOf(view.rt, view.thing), size)
    return view.reply.type('image/svg+xml; charset=utf-8').send(svg)
  })

  routes.get('/console/notices/:noticeId/deliveries.xlsx', noticePolicy, async view => {
    const { which } = view.read(z.object({ which: z.enum(['all', 'dry']).catch('all') }))
    const { name, file } = await exportDeliveries(view.rt, view.viewer.actor, view.thing, which)
    return view.reply
      .type(XLSX)
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
      .send(file)
  })
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
    body: html`<div class="deeds"><a class="button" href="/console/notices/new">写通知</a></div>
<p class="soft">本级和下级发的，以及上级发来的；进度只算您负责的群。</p>
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
  const dry = groups - posted
  const isLate = dry > 0 && notice.deadlineAt < now
  return html`<li class="listed-notice"><a href="/console/notices/${notice.id}">${firstWords(notice.body)}</a>
<span class="soft">通知 ${notice.id} · ${notice.unitName} · ${notice.category} · ${moment(notice.issuedAt, now)}发 · ${moment(notice.deadlineAt, now)}截止</span>
<span class="deeds-line">${groups > 0 ? progress(posted, groups, `通知 ${notice.id} 到达的群`) : tag('您负责的群不在范围内')} ${
    isLate
      ? tag(`过期未到 ${dry} 个群`, 'bad')
      : dry > 0
        ? tag(`还差 ${dry} 个群`, 'wait')
        : groups > 0
          ? tag('全部到位', 'good')
          : ''
  }</span></li>`
}

/** The beginning of a text in one line. */
function firstWords(body: string): string {
  const line = body.replace(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length > 48 ? `${characters.slice(0, 48).join('')}……` : line
}

// writing and sending

interface Draft {
  unit: string
  body: string
  category: string
  importance: string
}

function readDraft(view: View<null>): Draft {
  const draft = view.read(
    z.object({
      unit: z.string().catch(''),
      body: z.string().catch(''),
      category: z.string().catch(''),
      importance: z.string().catch(''),
    }),
  )
  // browsers send line ends as two characters
  return { ...draft, body: draft.body.replace(/\r\n?/g, '\n') }
}

/** The unit that a query or a form names, when the viewer runs it. @throws NotFound otherwise */
async function unitInView(view: View<null>, written: string): Promise<UnitRow> {
  const unit = /^\d{1,15}$/.test(written)
    ? await unitPolicy.find(view.rt, view.viewer, Number(written))
    : null
  if (!unit) throw new NotFound()
  return unit
}

async function requireUnit(view: View<null>, { unit }: Draft): Promise<UnitRow> {
  if (unit === '') throw new DomainError('notice.unit', '请选择以哪个单位的名义发。')
  return unitInView(view, unit)
}

/** Shows the form again with its fault; whatever is not the writer's fault goes on. */
function refused(view: View<null>, error: unknown, again: (fault: string) => Promise<Html>): Promise<Html> {
  if (!(error instanceof DomainError)) throw error
  view.reply.code(422)
  return again(error.message)
}

async function writingPage(view: View<null>, draft: Draft, fault: string | null = null): Promise<Html> {
  const choices = await unitChoices(view, draft.unit)
  return page(view, {
    title: '写通知',
    part: 'notices',
    above: [['通知', '/console/notices']],
    fault,
    body: html`<form class="card" method="post" action="/console/notices/preview">${token(view.formToken)}
${select('unit', '以哪个单位的名义', choices, {
  value: draft.unit,
  hint: '发到这个单位和它下级的所有群。',
})}
${textArea('body', '正文', {
  value: draft.body,
  rows: 9,
  isRequired: true,
  hint: '最多约 660 个汉字（2000 字节）。不能有涉密内容、身份证号、多人手机号；文件请改发链接。',
})}
<input type="hidden" name="category" value="${draft.category}"><input type="hidden" name="importance" value="${draft.importance}">
<div class="deeds"><button>下一步：看看发到哪里</button></div>
<p class="soft">下一步只是预览，还不会发出。</p></form>`,
  })
}

/** The units that the viewer runs, and the one asked for below them. */
async function unitChoices(view: View<null>, asked: string): Promise<[value: string, words: string][]> {
  const { rt, viewer } = view
  const roles = managingRoles(rt.templates, viewer.actor)
  const units = new Map(roles.map(role => [role.unitId, { name: role.unitName, programme: role.programme }]))
  if (/^\d{1,15}$/.test(asked) && !units.has(Number(asked))) {
    const unit = await unitPolicy.find(rt, viewer, Number(asked))
    if (unit) units.set(unit.id, unit)
  }
  const isShared = (name: string) => [...units.values()].filter(unit => unit.name === name).length > 1
  return [...units].map(([id, unit]) => [
    String(id),
    isShared(unit.name) ? `${unit.name}（${rt.templates.programme(unit.programme).name}）` : unit.name,
  ])
}

async function previewPage(view: View<null>, draft: Draft): Promise<Html> {
  const { rt } = view
  const unit = await requireUnit(view, draft)
  checkNotice(draft.body.trim())
  const reach = await planReach(rt, unit)
  if (reach.groups === 0)
    throw new DomainError(
      'notice.no_groups',
      `${unit.name}及下级还没有登记过群，没有地方可发。请先登记群，或换一个单位。`,
    )
  const importance = isImportance(draft.importance)
    ? draft.importance
    : defaultImportance(rt.templates.programme(unit.programme))
  const guess = classifyMessage(shippedClassifier(), draft.body).category
  const kept = html`${token(view.formToken)}<input type="hidden" name="unit" value="${unit.id}"><input type="hidden" name="body" value="${draft.body}">`
  return page(view, {
    title: '确认后发出',
    part: 'notices',
    above: [
      ['通知', '/console/notices'],
      ['写通知', `/console/notices/new?unit=${unit.id}`],
    ],
    body: html`<div class="figures">
${figure(reach.groups, '个群会收到')}
${figure(reach.owners, '位群主要动手', undefined, reach.owners > 0 ? 'wait' : 'good')}
${figure(reach.ownerless, '个群没有群主，送不到', undefined, reach.ownerless > 0 ? 'bad' : 'good')}
</div>
<section class="card"><h2>正文</h2><p class="prose">${draft.body.trim()}</p>
<p class="soft">${[...draft.body.trim()].length} 字，${Buffer.byteLength(draft.body.trim())} 字节</p></section>
<section class="card"><h2>怎样送达</h2><dl class="facts"><dt>名义</dt><dd>${unit.name}</dd>
<dt>送达方式</dt><dd>${routeWords(reach)}</dd>
<dt>催办</dt><dd>到时前先提醒还没转的群主，再请本单位、上级单位协助；22:00 到 7:00 不打扰（紧急除外）</dd></dl></section>
<form class="card" method="post" action="/console/notices">${kept}
${select(
  'category',
  '类别',
  CATEGORIES.map(name => [name, name] as const),
  {
    value: isCategory(draft.category) ? draft.category : guess,
    hint: `按正文看像“${guess}”；月末报表按它计数，不对请改。`,
  },
)}
${select(
  'importance',
  '紧要程度',
  noticeRules.importances.map(rule => [rule.id, importanceWords(view, rule)] as const),
  { value: importance },
)}
<div class="deeds"><button>确认发出</button></div></form>
<form method="post" action="/console/notices/new">${kept}<div class="deeds"><button class="second">返回修改</button></div></form>`,
  })
}

/** 当天：今天 22:00 前 */
function importanceWords({ rt }: View<null>, { id, name, deadline }: ImportanceRule): string {
  const now = rt.clock.now()
  const { startsAt, deadlineAt } = planTiming(rt, id)
  const late = isLateForToday(deadline, now) ? '，今天已晚，算明天' : ''
  const quiet = startsAt > now ? `，${momentWords(startsAt, now)}发出` : ''
  return `${name}：${momentWords(deadlineAt, now)}前${late}${quiet}`
}

function isImportance(text: string): text is Importance {
  return noticeRules.importances.some(rule => rule.id === text)
}

function routeWords(reach: Reach): string {
  return (Object.keys(routeNames) as Route[])
    .filter(route => reach.routes[route] > 0)
    .map(route => `${routeNames[route]} ${reach.routes[route]} 个群`)
    .join('、')
}

// one notice

async function noticePage(view: View<NoticeInView>) {
  const { rt, thing: notice } = view
  const { page: number } = view.read(paged)
  const now = rt.clock.now()
  const [levels, span, readers, found] = await Promise.all([
    levelsOf(rt, notice, notice.viewPath),
    receiptSpan(rt.db, notice.id, notice.viewPath),
    readersOf(rt.db, notice.id, notice.viewPath),
    dryGroups(rt.db, notice.id, notice.viewPath, now, {
      limit: PAGE_SIZE + 1,
      offset: (number - 1) * PAGE_SIZE,
    }),
  ])
  const total = totalOf(levels)
  const isDone = total.posted === total.groups
  const fragment = progressFragment(notice, levels, now)
  const own = `/console/notices/${notice.id}`
  return page(view, {
    title: `通知 ${notice.id}`,
    part: 'notices',
    above: [['通知', '/console/notices']],
    body: html`<section class="card"><h2>进度</h2>${
      isDone
        ? fragment
        : html`<div hx-ext="sse" sse-connect="${own}/live?seen=${versionOf(fragment)}" sse-close="done"><div sse-swap="progress" aria-live="polite">${fragment}</div></div>
<p class="soft">有群转发，这里会自动更新；没有动静时可以<a href="${own}">刷新</a>。</p>`
    }</section>
<section class="card"><h2>正文</h2><p class="prose">${notice.body}</p>
<dl class="facts"><dt>发出</dt><dd>${notice.unitName} ${notice.authorName}，${moment(notice.issuedAt, now)}</dd>
<dt>截止</dt><dd>${moment(notice.deadlineAt, now)}</dd><dt>类别</dt><dd>${notice.category}</dd>
<dt>最早到群</dt><dd>${span.first ? moment(span.first, now) : '还没有'}</dd>
<dt>最近到群</dt><dd>${span.last ? moment(span.last, now) : '还没有'}</dd>
<dt>本人网页上</dt><dd>${readers.opened} 人打开过，${readers.acknowledged} 人点了“我已阅读”</dd></dl></section>
<section class="card"><h2>到群的快慢</h2><picture><source media="(max-width: 40rem)" srcset="${own}/curve.svg?size=phone" width="340" height="240"><img class="curve" src="${own}/curve.svg" width="760" height="280" alt="${curveWords(notice, total, span, now)}"></picture></section>
<h2>还没有到的群</h2>
${dryTable(notice, found.slice(0, PAGE_SIZE), now, number)}
${pager(own, {}, number, found.length > PAGE_SIZE)}
<div class="deeds">${isDone ? '' : html`<a class="button second" href="${own}/deliveries.xlsx?which=dry">导出未到的群</a>`}<a class="button second" href="${own}/deliveries.xlsx?which=all">导出送达明细</a></div>
<p class="soft">导出会记入操作留痕。</p>`,
  })
}

async function liveState(rt: Runtime, notice: NoticeInView): Promise<LiveState> {
  const levels = await levelsOf(rt, notice, notice.viewPath)
  const { posted, groups } = totalOf(levels)
  return { content: progressFragment(notice, levels, rt.clock.now()), isDone: posted === groups }
}

function totalOf(levels: LevelProgress[]): Omit<LevelProgress, 'level'> {
  const sum = (of: (level: LevelProgress) => number) => levels.reduce((total, level) => total + of(level), 0)
  return {
    groups: sum(level => level.groups),
    posted: sum(level => level.posted),
    received: sum(level => level.received),
    failed: sum(level => level.failed),
  }
}

/** The part that is kept up to date. Holds no word that changes by time alone, but for the deadline's passing. */
function progressFragment(notice: NoticeInView, levels: LevelProgress[], now: Date): Html {
  const total = totalOf(levels)
  if (total.groups === 0) return emptyState('您负责的群不在这个通知的范围内。')
  const dry = total.groups - total.posted
  const isLate = dry > 0 && notice.deadlineAt < now
  return html`<p class="big-progress">${progress(total.posted, total.groups, '到达的群')} ${
    dry === 0
      ? tag('全部传达到位', 'good')
      : isLate
        ? tag(`过期未到 ${dry} 个群`, 'bad')
        : tag(`还差 ${dry} 个群`, 'wait')
  }</p>
${table(
  '各级进度',
  ['层级', '到群', { name: '已看到未转', isNumber: true }, { name: '无法送达', isNumber: true }],
  levels.map(
    level =>
      html`<tr><td>${level.level}</td><td>${progress(level.posted, level.groups, `${level.level}到达的群`)}</td><td class="number">${level.received}</td><td class="number">${level.failed > 0 ? tag(String(level.failed), 'bad') : 0}</td></tr>`,
  ),
  '',
)}`
}

function dryTable(notice: NoticeInView, rows: DryGroup[], now: Date, number: number): Html {
  return table(
    '还没有到的群',
    ['群', '单位', '群主', '能不能叫到', '方式和状态', '等了'],
    rows.map(
      row =>
        html`<tr><td><a href="/console/groups/${row.groupId}">${row.groupName}</a></td><td>${row.unitName}</td><td>${row.ownerName ?? tag('没有群主', 'bad')}</td><td>${reachTag(row)}</td><td>${routeNames[row.route as Route] ?? row.route}，${statusWords(row, now)}</td><td class="nowrap">${agoWords(now.getTime() - Math.max(row.since.getTime(), notice.issuedAt.getTime()))}</td></tr>`,
    ),
    number > 1 ? '后面没有了。' : '全部到位，没有等着的群。',
  )
}

function statusWords(row: DryGroup, now: Date): string {
  if (row.receivedAt) return `群主${momentWords(row.receivedAt, now)}说已看到`
  return deliveryWords[row.status] ?? row.status
}

/** Whether somebody can wake the owner: what the platforms allow now. */
function reachTag(row: DryGroup): Html {
  if (row.ownerName === null) return tag('请先指定群主', 'bad')
  if (row.byWecom) return tag('企业微信叫得到', 'good')
  if (row.byMessage) return tag('公众号叫得到', 'good')
  if (row.byTemplate) return tag('只能发模板消息叫', 'wait')
  return tag('叫不到：没绑定或已取关', 'bad')
}

function curveWords(
  notice: NoticeInView,
  total: { groups: number; posted: number },
  span: { first: Date | null; last: Date | null },
  now: Date,
): string {
  const first = span.first ? `，最早 ${momentWords(span.first, now)}` : ''
  const last = span.last ? `，最近 ${momentWords(span.last, now)}` : ''
  return `曲线：${momentWords(notice.issuedAt, now)}发出，到现在 ${total.posted}/${total.groups} 个群已到${first}${last}`
}

async function curveOf(rt: Runtime, notice: NoticeInView): Promise<Curve> {
  const now = rt.clock.now()
  const levels = await levelsOf(rt, notice, notice.viewPath)
  const { groups, posted } = totalOf(levels)
  const { last } = await receiptSpan(rt.db, notice.id, notice.viewPath)
  const begun = notice.issuedAt.getTime()
  const latest = Math.max(last?.getTime() ?? begun, posted === groups ? begun : notice.deadlineAt.getTime())
  // what lies long behind is drawn as far as anything happened, not up to today
  const until = Math.max(begun + 10 * MINUTE_MS, Math.min(now.getTime(), begun + (latest - begun) * 1.08))
  const stretchMs = Math.max(1000, Math.ceil((until - begun) / STRETCHES))
  const rows = await receiptsOverTime(rt.db, notice.id, notice.viewPath, notice.issuedAt, stretchMs)
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
