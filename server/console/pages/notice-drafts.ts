import { z } from 'zod'
import type { Reach, Route } from '../../../db/queries/cascade.ts'
import { namesOfPersons } from '../../../db/queries/composition.ts'
import {
  draftsToApprove,
  type NoticeDraft,
  openDraftsOf,
  plannedDrafts,
} from '../../../db/queries/notice-drafts.ts'
import { filesOfDraft, filesOfNotice, type NoticeFile } from '../../../db/queries/notice-files.ts'
import type { ApprovalCall } from '../../../db/queries/notices.ts'
import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { noticeDraftPolicy } from '../../domain/access/notice-drafts.ts'
import { noticePolicy, ownNoticePolicy } from '../../domain/access/notices.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { CATEGORIES } from '../../domain/messages/categories.ts'
import {
  approvalReason,
  approversToAsk,
  levelOfAuthor,
  mayApprove,
  needsApproval,
  revisionOf,
} from '../../domain/notices/approval.ts'
import { describeAudience } from '../../domain/notices/audience.ts'
import { checkOutgoing, isWebLink } from '../../domain/notices/check.ts'
import { approveDraft, dropDraft, mayChange, returnDraft } from '../../domain/notices/drafts.ts'
import { unreadFiles } from '../../domain/notices/file-text.ts'
import { openNoticeFile } from '../../domain/notices/files.ts'
import { planReach } from '../../domain/notices/issue.ts'
import { copyOf, markWords } from '../../domain/notices/mark.ts'
import { askWords } from '../../domain/notices/relay-request.ts'
import { routeNames } from '../../domain/notices/routes.ts'
import {
  type Importance,
  type ImportanceRule,
  importanceRule,
  noticeRules,
} from '../../domain/notices/rules.ts'
import { groupsTogether } from '../../domain/notices/split.ts'
import { isLateForToday, timingOf } from '../../domain/notices/timing.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import {
  deed,
  emptyState,
  figure,
  moment,
  momentWords,
  pager,
  select,
  table,
  tag,
  textArea,
  token,
} from '../parts.ts'
import { type Answer, NotFound, type Routes, type View } from '../routes.ts'
import { claimButton } from './false-alarms.ts'

const PAGE = 30
/** What waits for somebody, and what is planned, is seldom more. */
const MANY = 100
/** Characters of a text that stands for the whole. */
const TITLE = 32

const paged = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) })

/**
 * `GET /console/notices/drafts`: what one has written and not sent, what waits for one's approval, and what is planned. A
 * draft's page is its preview: who gets it, in which shape, when, and who still has to agree.
 */
export function noticeDraftPages(routes: Routes): void {
  routes.get('/console/notices/drafts', 'manager', listPage)

  routes.get('/console/notices/drafts/:noticeDraftId', noticeDraftPolicy, view => draftPage(view, view.thing))

  routes.post('/console/notices/drafts/:noticeDraftId/approve', noticeDraftPolicy, view =>
    orRefuse(view, async () => {
      const { seen } = view.read(z.object({ seen: z.string().max(64).catch('') }))
      const result = await inTransaction(view.rt, tx =>
        approveDraft(tx, view.viewer.actor, view.thing.id, seen),
      )
      return result.outcome === 'sent'
        ? view.goTo(`/console/notices/${result.noticeId}`, `已同意，通知 ${result.noticeId} 已发出。`)
        : view.goTo(
            `/console/notices/drafts/${view.thing.id}`,
            `已同意，${momentWords(result.sendAt, view.rt.clock.now())}发出。`,
          )
    }),
  )

  routes.post('/console/notices/drafts/:noticeDraftId/return', noticeDraftPolicy, view =>
    orRefuse(view, async () => {
      const { reason } = view.read(z.object({ reason: z.string().catch('') }))
      if (reason.trim() === '') throw new DomainError('draft.reason', '请写上退回的理由，作者才知道怎么改。')
      await inTransaction(view.rt, tx => returnDraft(tx, view.viewer.actor, view.thing.id, reason))
      return view.goTo(
        '/console/notices/drafts',
        `草稿 ${view.thing.id} 已退回，理由已经告诉${view.thing.authorName}。`,
      )
    }),
  )

  routes.post('/console/notices/drafts/:noticeDraftId/drop', noticeDraftPolicy, view =>
    orRefuse(view, async () => {
      await inTransaction(view.rt, tx => dropDraft(tx, view.viewer.actor, view.thing.id))
      return view.goTo('/console/notices/drafts', `草稿 ${view.thing.id} 已作废，附件已删除。`)
    }),
  )

  routes.get('/console/notices/drafts/:noticeDraftId/files/:draftFileId', noticeDraftPolicy, async view =>
    sendFile(view, 'draftFileId', await filesOfDraft(view.rt.db, view.thing.id)),
  )
  routes.get('/console/notices/:noticeId/files/:fileId', noticePolicy, async view =>
    sendFile(view, 'fileId', await filesOfNotice(view.rt.db, view.thing.id)),
  )
  routes.get('/me/notices/:noticeId/files/:fileId', ownNoticePolicy, async view =>
    sendFile(view, 'fileId', await filesOfNotice(view.rt.db, view.thing.id)),
  )
}

/** Sends one of these files; any other is not there. Its kind was read from its content, so browsers need not guess. */
async function sendFile(view: View<unknown>, param: string, files: readonly NoticeFile[]): Promise<Answer> {
  const id = Number((view.request.params as Record<string, string>)[param])
  const file = files.find(each => each.id === id)
  if (!file) throw new NotFound()
  return view.reply
    .type(file.mime)
    .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`)
    .send(await openNoticeFile(view.rt, file))
}

async function orRefuse(view: View<NoticeDraft>, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    view.remedy = claimButton(view, error)
    const draft = await noticeDraftPolicy.find(view.rt, view.viewer, view.thing.id)
    if (!draft) throw error
    const { reason } = view.read(z.object({ reason: z.string().catch('') }))
    return draftPage(view, draft, error.message, reason)
  }
}

// the list

async function listPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { page: number } = view.read(paged)
  const now = rt.clock.now()
  const paths = topUnits(rt.templates, viewer.actor).map(top => top.path)
  const [toApprove, own, planned] = await Promise.all([
    draftsToApprove(rt.db, paths, viewer.actor.person.id, MANY),
    openDraftsOf(rt.db, viewer.actor.person.id, paths, { limit: PAGE + 1, offset: (number - 1) * PAGE }),
    plannedDrafts(rt.db, paths, MANY),
  ])
  return page(view, {
    title: '草稿和待审',
    part: 'notices',
    above: [['通知', '/console/notices']],
    body: html`<div class="deeds"><a class="button" href="/console/notices/new">写通知</a></div>
${
  toApprove.length === 0
    ? ''
    : html`<h2>等您审核</h2><div class="card"><ul class="plain">${toApprove.map(draft => draftItem(draft, now))}</ul></div>`
}
<h2>我写的</h2>
${
  own.length === 0
    ? emptyState(number > 1 ? '后面没有了。' : '没有没发出的通知。写到一半可以“存为草稿”，以后接着写。')
    : html`<div class="card"><ul class="plain">${own.slice(0, PAGE).map(draft => draftItem(draft, now))}</ul></div>`
}
${pager('/console/notices/drafts', {}, number, own.length > PAGE)}
<h2>定好时间的</h2>
${table(
  '定好时间的通知',
  ['什么时候', '通知', '单位', '谁写的'],
  planned.map(
    draft =>
      html`<tr><td class="nowrap">${draft.sendAt ? moment(draft.sendAt, now) : ''}</td><td class="about"><a href="/console/notices/drafts/${draft.id}">${titleOf(draft)}</a></td><td>${draft.unitName}</td><td class="nowrap">${draft.authorName}</td></tr>`,
  ),
  '没有定时要发的通知。',
)}`,
  })
}

function draftItem(draft: NoticeDraft, now: Date): Html {
  const returned = draft.status === 'draft' && draft.reason
  return html`<li class="listed-notice"><a href="/console/notices/drafts/${draft.id}">${titleOf(draft)}</a>
<span class="soft">草稿 ${draft.id} · ${draft.unitName} · ${draft.authorName} · ${moment(draft.updatedAt, now)}写的${draft.sendAt ? html` · 定在${moment(draft.sendAt, now)}发` : ''}</span>
<span class="deeds-line">${statusTag(draft)}${returned || draft.status === 'failed' ? html` <span class="soft">${draft.reason}</span>` : ''}</span></li>`
}

function titleOf({ content }: NoticeDraft): string {
  const line = [...content.body.replace(/\s+/g, ' ').trim()]
  if (line.length === 0) return '（还没有正文）'
  return line.length > TITLE ? `${line.slice(0, TITLE).join('')}……` : line.join('')
}

function statusTag({ status, reason, deciderName }: NoticeDraft): Html {
  switch (status) {
    case 'waiting':
      return tag('等第二人审核', 'wait')
    case 'ready':
      return tag('等时间到', 'good')
    case 'failed':
      return tag('没有发成', 'bad')
    case 'sent':
      return tag('已发出', 'good')
    default:
      return reason ? tag(`${deciderName ?? ''}退回`, 'bad') : tag('草稿')
  }
}

// one draft

/** The whole of a draft, and what the viewer can do about it. */
export async function draftPage(
  view: View<unknown>,
  draft: NoticeDraft,
  fault: string | null = null,
  reason = '',
): Promise<Html> {
  const { rt, viewer } = view
  const { content } = draft
  const now = rt.clock.now()
  const [unit, files] = await Promise.all([unitById(rt.db, draft.unitId), filesOfDraft(rt.db, draft.id)])
  if (!unit) throw new NotFound()
  const isOpen = !['sent', 'dropped'].includes(draft.status)
  const plan = isOpen ? await planOf(view, draft, unit, files) : null
  const own = `/console/notices/drafts/${draft.id}`
  const isMine = draft.authorId === viewer.actor.person.id
  const canDecide = mayApprove(rt, viewer.actor, draft) && draft.status === 'waiting'
  return page(view, {
    title: canDecide
      ? `审核通知草稿 ${draft.id}`
      : draft.status === 'draft'
        ? '确认后发出'
        : `通知草稿 ${draft.id}`,
    part: 'notices',
    above: [
      ['通知', '/console/notices'],
      ['草稿和待审', '/console/notices/drafts'],
    ],
    fault: fault ?? plan?.fault ?? null,
    body: html`${standing(draft, isMine, now)}
${draft.status === 'waiting' ? await whereItLies(view, draft, now) : ''}
${plan?.reach ? reachFigures(plan.reach) : ''}
<section class="card"><h2>正文</h2><p class="prose">${content.body === '' ? '（还没有正文）' : content.body}</p>
${content.link === null ? '' : html`<p>${isWebLink(content.link) ? html`<a href="${content.link}" rel="noopener noreferrer">${content.link}</a>` : content.link}</p>`}
<p class="soft">${[...content.body].length} 字，${Buffer.byteLength(content.body)} 字节</p>
${fileList(files, `${own}/files`)}</section>
<section class="card"><h2>怎样送达</h2><dl class="facts"><dt>名义</dt><dd>${draft.unitName}（${draft.authorName}写的，${moment(draft.updatedAt, now)}）</dd>
<dt>发给谁</dt><dd>${plan?.audience ?? ''}</dd>
<dt>先后</dt><dd>${content.mode === 'by-level' ? '逐级：上一级转完（或等够时间）再发下一级' : '各级同时'}</dd>
${plan?.reach ? html`<dt>送达方式</dt><dd>${routeWords(plan.reach)}</dd>` : ''}
<dt>什么时候</dt><dd>${draft.sendAt ? html`${moment(draft.sendAt, now)}` : draft.status === 'waiting' ? '同意后马上发出' : '确认后马上发出'}</dd>
<dt>紧要程度</dt><dd>${importanceWords(importanceRule(content.importance as Importance), draft.sendAt, now)}</dd>
<dt>类别</dt><dd>${content.category}</dd>
${content.ask === null ? '' : html`<dt>要回答</dt><dd>${content.ask.question}</dd>`}
${plan?.approval ? html`<dt>审核</dt><dd>${plan.approval}</dd>` : ''}
<dt>催办</dt><dd>到时前先提醒还没转的群主，再请本单位、上级单位协助；22:00 到 7:00 不打扰（紧急除外）</dd></dl></section>
${plan?.reach ? looksPart(draft, plan.reach, rt.publicUrl, files.length) : ''}
${canDecide ? decisionPart(view, draft, files, reason) : ''}
${mayChange(rt, viewer.actor, draft) ? changePart(view, draft, plan, files) : ''}
${draft.status === 'ready' && mayApprove(rt, viewer.actor, draft) ? returnPart(view, draft, reason) : ''}`,
  })
}

interface Plan {
  reach: Reach | null
  audience: string
  /** Who has to agree; null: nobody. */
  approval: string | null
  /** Why it cannot go as it is. */
  fault: string | null
  needsApproval: boolean
}

async function planOf(
  { rt, viewer }: View<unknown>,
  draft: NoticeDraft,
  unit: UnitRow,
  files: readonly NoticeFile[],
): Promise<Plan> {
  const { content } = draft
  const plan: Plan = { reach: null, audience: '', approval: null, fault: null, needsApproval: false }
  try {
    plan.audience = await describeAudience(rt, unit.programme, content.audience)
    await checkOutgoing(rt, { ...content, fileNames: files.map(file => file.name) })
    const reach = await planReach(rt, unit, content.audience)
    plan.reach = reach
    if (reach.groups === 0)
      throw new DomainError('notice.no_groups', `${unit.name}及下级没有这样的群，没有地方可发。`)
    const isAuthor = draft.authorId === viewer.actor.person.id
    const level = isAuthor ? levelOfAuthor(rt.templates, viewer.actor, unit) : unit.level
    const isNotice = content.audience.gotNotice === undefined
    const { authorId, sendAt, id } = draft
    const together = isNotice
      ? await groupsTogether(rt, { authorId, body: content.body, sendAt, draftId: id }, reach.groups)
      : reach
    const facts = { level, groups: together.groups }
    plan.needsApproval =
      draft.status === 'waiting' || (needsApproval(noticeRules, facts) && draft.status !== 'ready')
    if (draft.status === 'ready' && draft.deciderName) plan.approval = `${draft.deciderName}已同意`
    if (plan.needsApproval && draft.status !== 'waiting') {
      const asked = await approversToAsk(rt, draft)
      const names = asked.map(each => `${each.unitName}${each.name}`).join('、')
      plan.approval = `${approvalReason(facts, reach.groups)}，提交后请${names}看`
    }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    plan.fault = error.message
  }
  return plan
}

/** What has become of it so far. */
function standing(draft: NoticeDraft, isMine: boolean, now: Date): Html | string {
  const { status, reason, deciderName, sendAt, noticeId } = draft
  switch (status) {
    case 'sent':
      return html`<p class="said" role="status">已经发出：<a href="/console/notices/${noticeId}">通知 ${noticeId}</a>${deciderName ? `，${deciderName}审核的` : ''}。</p>`
    case 'failed':
      return html`<p class="fault" role="alert">定的时间到了，没有发出：${reason}</p>`
    case 'waiting':
      return html`<p>${tag('等第二人审核', 'wait')} <span class="soft">${isMine ? '还没有发出；同意或退回都会告诉您。' : '同意后发出；自己写的不能自己审。'}</span></p>`
    case 'ready':
      return html`<p>${tag('等时间到', 'good')} <span class="soft">${sendAt ? momentWords(sendAt, now) : ''}发出，之前都可以改或作废。</span></p>`
    default:
      return reason
        ? html`<p class="fault" role="status">${deciderName ?? ''}退回了，理由：${reason}</p>`
        : ''
  }
}

/** With whom a draft lies that waits, since when, and what happens next. */
async function whereItLies({ rt }: View<unknown>, draft: NoticeDraft, now: Date): Promise<Html> {
  const names = await namesOfPersons(
    rt.db,
    draft.calls.flatMap(call => call.personIds),
  )
  const said = ({ personIds }: ApprovalCall) => personIds.map(id => names.get(id) ?? '').join('、')
  const next = draft.callAgainAt
    ? html`到${momentWords(draft.callAgainAt, now)}还没有人看，会再提醒，或请上一级。`
    : '能审核的同志都请过了，请直接联系他们。'
  return html`<section class="card"><h2>现在在谁那里</h2>${
    draft.calls.length === 0
      ? html`<p>要审核的同志手上通知多，稍后合成一条一起请。</p>`
      : html`<ul class="plain">${draft.calls.map(
          call =>
            html`<li>${moment(new Date(call.at), now)} ${call.isReminder ? '提醒了' : '请了'}${call.unitName}的${said(call)}</li>`,
        )}</ul>`
  }<p class="soft">${next}</p></section>`
}

function reachFigures(reach: Reach): Html {
  return html`<div class="figures">
${figure(reach.groups, '个群会收到')}
${figure(reach.people, '人在这些群里')}
${figure(reach.owners, '位群主要动手', undefined, reach.owners > 0 ? 'wait' : 'good')}
${figure(reach.ownerless, '个群没有群主，送不到', undefined, reach.ownerless > 0 ? 'bad' : 'good')}
</div>`
}

export function routeWords(reach: Reach): string {
  return (Object.keys(routeNames) as Route[])
    .filter(route => reach.routes[route] > 0)
    .map(route => `${routeNames[route]} ${reach.routes[route]} 个群`)
    .join('、')
}

/** 当天：今天 22:00 前 @param sendAt null: it is issued now */
export function importanceWords(
  { name, deadline, id }: ImportanceRule,
  sendAt: Date | null,
  now: Date,
): string {
  const issuedAt = sendAt !== null && sendAt > now ? sendAt : now
  const { startsAt, deadlineAt } = timingOf(noticeRules, importanceRule(id), issuedAt)
  const late = isLateForToday(deadline, issuedAt) ? '，这时已过 20:00，算第二天' : ''
  const quiet = startsAt > issuedAt ? `，${momentWords(startsAt, now)}发出` : ''
  return `${name}：${momentWords(deadlineAt, now)}前${late}${quiet}`
}

/** What each channel will show, for those channels that carry it. */
function looksPart(draft: NoticeDraft, { routes }: Reach, publicUrl: string, files: number): Html {
  const { body, link, ask } = draft.content
  const more = files === 0 ? '' : `\n（后面跟着 ${files} 个图片或文件）`
  // its number is known when it goes
  const door = `${publicUrl}/n/编号`
  const plain = copyOf({ body, link }, null, door)
  // each of them a message of its own
  const looks: [Route, string, string[]][] = [
    ['robot', '机器人发在群里', [plain + more]],
    ['appchat', '应用发在群里', [plain + more]],
    [
      'mass',
      '群主在企业微信里点“发送”后，以群主名义出现在群里',
      [`${copyOf({ body, link: null }, null, door)}${link === null ? '' : `\n［链接］${link}`}${more}`],
    ],
    [
      'relay',
      '发给群主两条：要转的话，和请其转到哪些群；末尾的记号每份不同，认得出是哪一份',
      [
        copyOf({ body, link }, { province: '川', number: 731 }, door) + more,
        [
          `【通知】${draft.unitName}：请把上面这段话转发到……群，……前完成。`,
          // its number is known when it goes
          ...(ask === null
            ? []
            : [askWords(0, ask, `${publicUrl}/me/notices/…`).replace('答 0 ', '答 编号 ')]),
          '转好后回复：转。先告知收到请回：收',
        ].join('\n'),
      ],
    ],
  ]
  const used = looks.filter(([route]) => routes[route] > 0)
  return html`<details open><summary>各渠道看到的样子</summary><div class="cards">${used.map(
    ([route, words, look]) =>
      html`<section class="card"><h3>${routeNames[route]}（${routes[route]} 个群）</h3><p class="soft">${words}</p>${look.map(message => html`<p class="prose look">${message}</p>`)}</section>`,
  )}</div>
<p class="soft">记号如 ${markWords({ province: '川', number: 731 })}，只加在请群主转发的那份上。</p></details>`
}

// what can be done about it

function decisionPart(
  view: View<unknown>,
  draft: NoticeDraft,
  files: readonly NoticeFile[],
  reason: string,
): Html {
  const own = `/console/notices/drafts/${draft.id}`
  const unread = unreadFiles(files)
  const seen = revisionOf(draft, files)
  return html`<section class="card"><h2>您的意见</h2>
${unread.length > 0 ? html`<p class="said">附件${unread.map(file => `“${file.name}”`).join('、')}里的字系统读不到，${draft.authorName}说看过。同意前请您也打开看一遍。</p>` : ''}
<div class="deeds">${deed(`${own}/approve`, view.formToken, draft.sendAt ? '同意，到时发出' : '同意，马上发出', { fields: { seen } })}</div>
${returnForm(view, draft, reason)}</section>`
}

function returnPart(view: View<unknown>, draft: NoticeDraft, reason: string): Html {
  return html`<details><summary>不让它发出</summary><div class="card">${returnForm(view, draft, reason)}</div></details>`
}

function returnForm(view: View<unknown>, draft: NoticeDraft, value: string): Html {
  return html`<form method="post" action="/console/notices/drafts/${draft.id}/return">${token(view.formToken)}
${textArea('reason', '不同意的理由', { value, rows: 2, isRequired: true, hint: `会告诉${draft.authorName}，改好可以再提交。` })}
<div class="deeds"><button class="grave">退回</button></div></form>`
}

function changePart(
  view: View<unknown>,
  draft: NoticeDraft,
  plan: Plan | null,
  files: readonly NoticeFile[],
): Html {
  const own = `/console/notices/drafts/${draft.id}`
  const canGo = (draft.status === 'draft' || draft.status === 'failed') && plan?.reach && plan.fault === null
  return html`${canGo && plan ? confirmForm(view, draft, plan, files) : ''}
<div class="deeds"><a class="button second" href="${own}/edit">修改</a>${deed(`${own}/drop`, view.formToken, '作废', { isGrave: true, sure: '作废后不会发出，附件一起删除。确定吗？' })}</div>
${draft.status === 'waiting' || draft.status === 'ready' ? html`<p class="soft">改了要重新提交${draft.status === 'waiting' ? '、重新审核' : ''}。</p>` : ''}
${draft.authorId === view.viewer.actor.person.id ? '' : html`<p class="soft">这是${draft.authorName}写的；您修改或提交后，就由您接着办，${draft.authorName}会收到告知。</p>`}`
}

function confirmForm(
  view: View<unknown>,
  draft: NoticeDraft,
  plan: Plan,
  files: readonly NoticeFile[],
): Html {
  const now = view.rt.clock.now()
  const { content, sendAt } = draft
  const issuedAt = sendAt !== null && sendAt > now ? sendAt : now
  const rule = importanceRule(content.importance as Importance)
  const words = plan.needsApproval ? '提交审核' : issuedAt > now ? '确认，到时发出' : '确认发出'
  return html`<form class="card" method="post" action="/console/notices">${token(view.formToken)}<input type="hidden" name="draft" value="${draft.id}">
${
  isLateForToday(rule.deadline, issuedAt)
    ? html`<p class="fault">这时已过 20:00：“当天”的通知算到第二天 12:00；今晚就要到群里，请改选“紧急”（夜里也发）。</p>`
    : ''
}
<div class="pair">${select(
    'category',
    '类别',
    CATEGORIES.map(name => [name, name] as const),
    { value: content.category, hint: '月末报表按它计数，不对请改。' },
  )}
${select(
  'importance',
  '紧要程度',
  noticeRules.importances.map(each => [each.id, importanceWords(each, sendAt, now)] as const),
  { value: content.importance },
)}</div>
${readPart(unreadFiles(files))}
<div class="deeds"><button>${words}</button></div></form>`
}

/** What the system cannot read its writer looks through. */
function readPart(unread: readonly NoticeFile[]): Html {
  if (unread.length === 0) return html``
  return html`<p class="field"><label><input type="checkbox" name="filesRead" value="yes" required> 附件${unread.map(file => `“${file.name}”`).join('、')}我看过，里面没有涉密、内部内容和个人信息</label><small>这种格式里的字系统读不到（PDF、doc、xls、ppt），要请您自己看。docx、xlsx、pptx 已经查过。</small></p>`
}

// files

/** Pictures to be seen and files to be saved. @param path in front of a file's number */
export function fileList(files: readonly NoticeFile[], path: string): Html {
  if (files.length === 0) return html``
  const pictures = files.filter(file => file.kind === 'picture')
  const others = files.filter(file => file.kind !== 'picture')
  return html`${
    pictures.length === 0
      ? ''
      : html`<p class="pictures">${pictures.map(file => html`<a href="${path}/${file.id}"><img src="${path}/${file.id}" alt="${file.name}" loading="lazy"></a>`)}</p>`
  }${
    others.length === 0
      ? ''
      : html`<ul class="plain">${others.map(file => html`<li><a href="${path}/${file.id}">${file.name}</a> <span class="soft">${fileSize(file.size)}</span></li>`)}</ul>`
  }`
}

/** 1.4 MB, 312 KB */
export function fileSize(bytes: number): string {
  return bytes >= 1024 * 1024
    ? `${(bytes / 1024 / 1024).toFixed(1)} MB`
    : `${Math.max(1, Math.round(bytes / 1024))} KB`
}
