import { z } from 'zod'
import { type JoinRequestRow, listRequests, nextWaitingRequest } from '../../../db/queries/join-requests.ts'
import { personsByIds } from '../../../db/queries/persons.ts'
import { reachOf } from '../../domain/access/groups.ts'
import { joinRequestPolicy } from '../../domain/access/join-requests.ts'
import { approveRequest, rejectRequest } from '../../domain/join-requests/decide.ts'
import { FACTOR_WORDS, NAME_WORDS } from '../../domain/join-requests/explain.ts'
import type { FactorMatch } from '../../domain/join-requests/identity.ts'
import { messageToApplicant, reasonLabel } from '../../domain/join-requests/policy.ts'
import { type ReviewedCandidate, reviewRequest } from '../../domain/join-requests/review.ts'
import { shownRequest } from '../../domain/join-requests/submit.ts'
import type { Reason } from '../../domain/join-requests/types.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import {
  agoWords,
  dayWords,
  emptyState,
  moment,
  momentWords,
  pager,
  type Tone,
  tag,
  textArea,
  token,
} from '../parts.ts'
import type { Routes, View } from '../routes.ts'

const PAGE = 50
/** As long as the chat takes it. */
const MAX_NOTE = 100

const states = [
  { id: 'waiting', name: '等待审核', none: '没有等您处理的入群申请。' },
  { id: 'approved', name: '已同意', none: '还没有同意过的申请。' },
  { id: 'rejected', name: '未通过', none: '还没有未通过的申请。' },
] as const

const asked = z.object({
  state: z.enum(['waiting', 'approved', 'rejected']).catch('waiting'),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})

type Shown = View<{ request: JoinRequestRow; group: Parameters<typeof reviewRequest>[2] }>

/** `GET /console/join-requests`, and one request with whom it may mean, to be decided. */
export function joinRequestPages(routes: Routes): void {
  routes.get('/console/join-requests', 'keeper', list)
  routes.get('/console/join-requests/:requestId', joinRequestPolicy, view => detail(view))

  routes.post('/console/join-requests/:requestId/approve', joinRequestPolicy, async view => {
    const { rt, viewer, thing } = view
    const { candidate } = view.read(
      z.object({ candidate: z.coerce.number().int().positive().optional().catch(undefined) }),
    )
    return decide(view, {}, async () => {
      const { candidateIds } = thing.request
      // nobody is chosen silently: the account will be taken for that person's
      if (candidateIds.length > 0 && (candidate === undefined || !candidateIds.includes(candidate)))
        throw new DomainError('join_request.which', '请先选择申请人是名册里的哪一位。')
      const choice = candidate === undefined ? null : candidateIds.indexOf(candidate) + 1
      const { name, groupName } = await inTransaction(rt, tx =>
        approveRequest(tx, viewer.actor, thing.request.id, choice),
      )
      return `已同意${name}加入“${groupName}”，入群方式已经发给本人。`
    })
  })

  routes.post('/console/join-requests/:requestId/reject', joinRequestPolicy, async view => {
    const { rt, viewer, thing } = view
    const { note } = view.read(z.object({ note: z.string().trim().max(5000).catch('') }))
    return decide(view, { note }, async () => {
      if (note === '') throw new DomainError('join_request.note', '请写明理由，会原样告诉申请人。')
      if ([...note].length > MAX_NOTE)
        throw new DomainError(
          'join_request.note',
          `理由请写在 ${MAX_NOTE} 字以内，现在有 ${[...note].length} 字。`,
        )
      const { groupName } = await inTransaction(rt, tx =>
        rejectRequest(tx, viewer.actor, thing.request.id, note),
      )
      return `已拒绝申请 ${thing.request.id}（${groupName}），理由已经告诉本人，本人可以重新申请。`
    })
  })
}

/** Words of the chat that say what to reply there, put as a page says them. */
const pageWords: Record<string, string> = {
  'join_request.nobody': '名册里没有对应的人，不能同意。请先更正名册，再请本人重新申请；或者拒绝并写明理由。',
  'group.unknown': '这个群已经解散，不能再入群。请拒绝，理由写“群已解散”。',
}

/** Decides and goes on to the next that waits; a refusal of the rules shows the page again with what was filled in. */
async function decide(view: Shown, filled: { note?: string }, deed: () => Promise<string>) {
  const { rt, viewer, thing } = view
  try {
    const words = await deed()
    const next = await nextWaitingRequest(rt.db, reachOf(rt.templates, viewer), thing.request.id)
    return next === null
      ? view.goTo('/console/join-requests', `${words}没有等您处理的申请了。`)
      : view.goTo(`/console/join-requests/${next}`, `${words}这是下一个。`)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    const now = await joinRequestPolicy.find(rt, viewer, thing.request.id)
    const fault =
      error.code === 'join_request.decided' && now
        ? `这个申请${await decisionWords(view, now.request)}，没有再办。`
        : (pageWords[error.code] ?? error.message)
    return detail({ ...view, thing: now ?? thing }, { ...filled, fault })
  }
}

async function list(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { state, page: current } = view.read(asked)
  const found = await listRequests(
    rt.db,
    reachOf(rt.templates, viewer),
    state,
    PAGE + 1,
    (current - 1) * PAGE,
  )
  return page(view, {
    title: '入群申请',
    part: 'requests',
    body: html`<nav class="tabs" aria-label="看哪些申请">${states.map(
      each =>
        html`<a href="/console/join-requests?state=${each.id}"${each.id === state ? html` aria-current="page"` : ''}>${each.name}</a>`,
    )}</nav>
${
  found.length === 0
    ? emptyState(states.find(each => each.id === state)?.none ?? '')
    : html`<section class="card"><ul class="plain">${found.slice(0, PAGE).map(row => listed(view, row))}</ul></section>`
}
${pager('/console/join-requests', { state }, current, found.length > PAGE)}`,
  })
}

function listed(
  { rt }: View<unknown>,
  { request, groupName, unitName, personName, deciderName }: Awaited<ReturnType<typeof listRequests>>[number],
): Html {
  const now = rt.clock.now()
  const state =
    request.decision === 'referred'
      ? html`已等 ${agoWords(now.getTime() - request.createdAt.getTime())}`
      : html`${deciderName ?? '系统按规则'}处理，${moment(request.decidedAt ?? request.createdAt, now)}${personName ? `，入群的是${personName}` : ''}`
  return html`<li><a href="/console/join-requests/${request.id}">申请 ${request.id}</a> ${reasonTag(request)} <span class="soft">${state}</span><br>
${shownRequest(rt.vault.open(request.textSealed))}<br>
<span class="soft">${groupName}（${unitName}）；${request.explanation}</span></li>`
}

function reasonTag(request: JoinRequestRow): Html {
  return tag(reasonLabel(request.reason as Reason), request.reason === 'matched' ? 'good' : 'wait')
}

async function detail(view: Shown, filled: { fault?: string; note?: string } = {}): Promise<Html> {
  const { rt, thing } = view
  const { request, group } = thing
  const now = rt.clock.now()
  const isWaiting = request.decision === 'referred'
  const { text, candidates } = await reviewRequest(rt, request, group)
  return page(view, {
    title: `入群申请 ${request.id}`,
    part: 'requests',
    above: [['入群申请', '/console/join-requests']],
    fault: filled.fault ?? null,
    body: html`${isWaiting ? '' : html`<p class="said">这个申请${await decisionWords(view, request)}。</p>`}
<section class="card"><dl class="facts">
<dt>要进的群</dt><dd><a href="/console/groups/${group.id}">${group.name}</a> <span class="soft">${group.unitName} · 群号 ${group.id}</span>${group.dissolvedAt ? html` ${tag('已解散', 'bad')}` : ''}</dd>
<dt>申请人写的</dt><dd class="prose">${text}</dd>
<dt>什么时候</dt><dd>${moment(request.createdAt, now)}${isWaiting ? html`，已等 ${agoWords(now.getTime() - request.createdAt.getTime())}` : ''}</dd>
<dt>系统核对</dt><dd>${request.explanation}</dd>
<dt>${reasonTag(request)}</dt><dd class="soft">这一类申请，系统告诉申请人的是：${messageToApplicant(request.reason as Reason)}</dd>
</dl></section>
<h2>名册里可能是谁</h2>
${candidates.length === 0 ? emptyState('名册里没有对得上的人。确应入群的，请先更正名册，再请本人重新申请。') : html`<p class="soft">按今天的名册核对。号码只显示头尾。</p>`}
${isWaiting ? decisionForms(view, candidates, filled.note ?? '') : html`<div class="cards">${candidates.map(each => html`<section class="card">${candidateCard(each)}</section>`)}</div>`}`,
  })
}

function decisionForms(view: Shown, candidates: ReviewedCandidate[], note: string): Html {
  const { request, group } = view.thing
  const path = `/console/join-requests/${request.id}`
  const only = candidates.length === 1 && request.candidateIds.length === 1
  return html`${
    candidates.length === 0 || group.dissolvedAt
      ? ''
      : html`<form method="post" action="${path}/approve">${token(view.formToken)}
<div class="cards">${candidates.map(
          each =>
            html`<label class="card choice"><span class="pick"><input type="radio" name="candidate" value="${each.personId}" required${only ? html` checked` : ''}>${only ? '是这一位' : '选这一位'}</span>${candidateCard(each)}</label>`,
        )}</div>
<div class="deeds"><button>同意入群</button></div></form>`
  }
<h2>不同意</h2>
<form class="card" method="post" action="${path}/reject">${token(view.formToken)}
${textArea('note', '理由', { value: note, rows: 2, isRequired: true, hint: `会原样告诉申请人，${MAX_NOTE} 字以内，如：不是本县志愿者` })}
<button class="grave">拒绝</button></form>`
}

function candidateCard({ name, maskedPhone, terms, isMember, match }: ReviewedCandidate): Html {
  const factors: [string, FactorMatch][] = [
    ['手机号', match.phone],
    ['身份证号', match.idNumber],
    ['身份证号后六位', match.idTail],
  ]
  return html`<b class="candidate">${name}</b>
<span class="matches">${tag(NAME_WORDS[match.name.match], match.name.match === 'exact' ? 'good' : match.name.match === 'absent' ? 'bad' : 'wait')}${factors.map(
    ([field, how]) => (how === 'absent' ? '' : tag(`${field}${FACTOR_WORDS[how]}`, factorTone[how])),
  )}${isMember ? tag('已在群内', 'wait') : ''}</span>
<span class="lines">${terms.map(
    term =>
      html`<span>${term.unitName} ${term.category} ${tag(term.status, term.status === '在岗' ? 'good' : 'quiet')}${term.isInScope ? '' : tag('不在本群单位', 'wait')} <span class="soft">${termWords(term)}</span></span>`,
  )}<span class="soft">手机 ${maskedPhone ?? '名册里没有'}</span></span>`
}

const factorTone: Record<Exclude<FactorMatch, 'absent'>, Tone> = { right: 'good', near: 'wait', wrong: 'bad' }

function termWords({ startsOn, endsOn }: ReviewedCandidate['terms'][number]): string {
  if (!startsOn && !endsOn) return ''
  return `${startsOn ? dayWords(startsOn) : ''} 至 ${endsOn ? dayWords(endsOn) : '没有写'}`
}

/** 已由周支书同意（今天 9:30）. */
async function decisionWords({ rt }: View<unknown>, request: JoinRequestRow): Promise<string> {
  const ids = [request.decidedBy, request.personId].filter(id => id !== null)
  const names = new Map((await personsByIds(rt.db, ids)).map(person => [person.id, person.name]))
  const who = request.decidedBy === null ? '由系统按规则' : `由${names.get(request.decidedBy) ?? ''}`
  const when = momentWords(request.decidedAt ?? request.createdAt, rt.clock.now())
  const whom = request.personId === null ? '' : `，入群的是${names.get(request.personId) ?? ''}`
  return `已${who}${request.decision === 'approved' ? '同意' : '拒绝'}（${when}${whom}）`
}
