import { z } from 'zod'
import {
  type JoinRequestRow,
  listRequests,
  nextWaitingRequest,
  stepsOf,
} from '../../../db/queries/join-requests.ts'
import { personsByIds } from '../../../db/queries/persons.ts'
import { reachOf } from '../../domain/access/groups.ts'
import { joinRequestPolicy } from '../../domain/access/join-requests.ts'
import {
  answerTo,
  type RequestReason,
  requestReasonLabel,
  requestReasons,
} from '../../domain/join-requests/admission.ts'
import { approveRequest, rejectRequest } from '../../domain/join-requests/decide.ts'
import { FACTOR_WORDS, NAME_WORDS } from '../../domain/join-requests/explain.ts'
import type { FactorMatch } from '../../domain/join-requests/identity.ts'
import { type ReviewedCandidate, reviewRequest } from '../../domain/join-requests/review.ts'
import { shownRequest } from '../../domain/join-requests/shown-request.ts'
import { undoDecision } from '../../domain/join-requests/undo.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import {
  agoWords,
  dayWords,
  emptyState,
  field,
  moment,
  momentWords,
  pager,
  select,
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
  { id: 'room', name: '等空位', none: '没有通过审核、在等群里空位的人。' },
  { id: 'approved', name: '已同意', none: '还没有同意过的申请。' },
  { id: 'rejected', name: '未通过', none: '还没有未通过的申请。' },
] as const

/** Why a request is where it is, for the filter. */
const reasonChoices = requestReasons.map(reason => [reason, requestReasonLabel(reason)] as const)

const asked = z.object({
  state: z.enum(['waiting', 'room', 'approved', 'rejected']).catch('waiting'),
  reason: z.string().max(40).catch(''),
  search: z.string().trim().max(40).catch(''),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})

/** What was filled in before a refusal. */
interface Filled {
  note?: string
  why?: string
}

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
      const choice = candidate === undefined ? null : { personId: candidate }
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
      if ([...note].length > MAX_NOTE) throw tooLong(note)
      const { groupName } = await inTransaction(rt, tx =>
        rejectRequest(tx, viewer.actor, thing.request.id, note),
      )
      return `已拒绝申请 ${thing.request.id}（${groupName}），理由已经告诉本人，本人可以重新申请。`
    })
  })

  routes.post('/console/join-requests/:requestId/undo', joinRequestPolicy, async view => {
    const { rt, viewer, thing } = view
    const { why } = view.read(z.object({ why: z.string().trim().max(5000).catch('') }))
    try {
      if (why === '') throw new DomainError('join_request.note', '请写明为什么撤销，会留在记录里。')
      if ([...why].length > MAX_NOTE) throw tooLong(why)
      const { was, isToRemove } = await inTransaction(rt, tx =>
        undoDecision(tx, viewer.actor, thing.request.id, why),
      )
      const words =
        was === 'rejected'
          ? '已撤回拒绝，请重新处理。'
          : `已撤回同意：入群码作废，由这份申请认定的身份和绑定一并撤回。${isToRemove ? '此人已在群里，已请群主移出。' : ''}请重新处理。`
      return view.goTo(`/console/join-requests/${thing.request.id}`, words)
    } catch (error) {
      return refused(view, error, { why })
    }
  })
}

function tooLong(words: string): DomainError {
  return new DomainError(
    'join_request.note',
    `理由请写在 ${MAX_NOTE} 字以内，现在有 ${[...words].length} 字。`,
  )
}

/** Words of the chat that say what to reply there, put as a page says them. */
const pageWords: Record<string, string> = {
  'join_request.nobody': '名册里没有对应的人，不能同意。请先更正名册，再请本人重新申请；或者拒绝并写明理由。',
  'group.unknown': '这个群已经解散，不能再入群。请拒绝，理由写“群已解散”。',
}

/** Decides and goes on to the next that waits; a refusal of the rules shows the page again with what was filled in. */
async function decide(view: Shown, filled: Filled, deed: () => Promise<string>) {
  const { rt, viewer, thing } = view
  try {
    const words = await deed()
    const next = await nextWaitingRequest(rt.db, reachOf(rt.templates, viewer), thing.request.id)
    return next === null
      ? view.goTo('/console/join-requests', `${words}没有等您处理的申请了。`)
      : view.goTo(`/console/join-requests/${next}`, `${words}这是下一个。`)
  } catch (error) {
    return refused(view, error, filled)
  }
}

/** The page as it stands by now, with the fault and what was filled in. @throws what is no refusal of the rules */
async function refused(view: Shown, error: unknown, filled: Filled): Promise<Html> {
  if (!(error instanceof DomainError)) throw error
  const { rt, viewer, thing } = view
  view.reply.code(422)
  const now = await joinRequestPolicy.find(rt, viewer, thing.request.id)
  const fault =
    error.code === 'join_request.decided' && now
      ? `这个申请${await decisionWords(view, now.request)}，没有再办。`
      : (pageWords[error.code] ?? error.message)
  return detail({ ...view, thing: now ?? thing }, { ...filled, fault })
}

async function list(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { state, reason, search, page: current } = view.read(asked)
  const filter = {
    reach: reachOf(rt.templates, viewer),
    state,
    reason: reason === '' ? undefined : reason,
    search,
  }
  const found = await listRequests(rt.db, filter, PAGE + 1, (current - 1) * PAGE)
  const isFiltered = reason !== '' || search !== ''
  return page(view, {
    title: '入群申请',
    part: 'requests',
    body: html`<nav class="tabs" aria-label="看哪些申请">${states.map(
      each =>
        html`<a href="/console/join-requests?state=${each.id}"${each.id === state ? html` aria-current="page"` : ''}>${each.name}</a>`,
    )}</nav>
<form class="card row" method="get" action="/console/join-requests"><input type="hidden" name="state" value="${state}">
${field('search', '群或单位', { value: search, type: 'search', placeholder: '名称、群号或申请编号' })}
${select('reason', '为什么', [['', '全部'], ...reasonChoices], { value: reason })}
<button class="second">筛选</button>${isFiltered ? html` <a href="/console/join-requests?state=${state}">看全部</a>` : ''}</form>
${
  found.length === 0
    ? emptyState(isFiltered ? '没有符合条件的申请。' : (states.find(each => each.id === state)?.none ?? ''))
    : html`<section class="card"><ul class="plain">${found.slice(0, PAGE).map(row => listed(view, row))}</ul></section>`
}
${pager('/console/join-requests', { state, ...(reason && { reason }), ...(search && { search }) }, current, found.length > PAGE)}`,
  })
}

function listed({ rt }: View<unknown>, row: Awaited<ReturnType<typeof listRequests>>[number]): Html {
  const { request, groupName, unitName, reviewUnitName, personName, deciderName } = row
  const now = rt.clock.now()
  const since = (at: Date) => agoWords(now.getTime() - at.getTime())
  const state =
    request.decision === 'referred'
      ? html`已等 ${since(request.createdAt)}，${withWhom(reviewUnitName)}`
      : html`${deciderName ?? '系统按规则'}处理，${moment(request.decidedAt ?? request.createdAt, now)}${personName ? `，入群的是${personName}` : ''}${request.awaitsRoomSince ? `，等空位已 ${since(request.awaitsRoomSince)}` : ''}`
  return html`<li><a href="/console/join-requests/${request.id}">申请 ${request.id}</a> ${reasonTag(request)} <span class="soft">${state}</span><br>
${shownRequest(rt.vault.open(request.textSealed))}<br>
<span class="soft">${groupName}（${unitName}）；${request.explanation}</span></li>`
}

/** Whose turn it is. */
function withWhom(reviewUnitName: string | null): string {
  return reviewUnitName === null ? '在群主处' : `已转${reviewUnitName}`
}

function reasonTag(request: JoinRequestRow): Html {
  return tag(requestReasonLabel(request.reason), request.reason === 'matched' ? 'good' : 'wait')
}

async function detail(view: Shown, filled: Filled & { fault?: string } = {}): Promise<Html> {
  const { rt, thing } = view
  const { request, group } = thing
  const now = rt.clock.now()
  const isWaiting = request.decision === 'referred'
  const { text, candidates } = await reviewRequest(rt, request, group)
  const steps = await stepsOf(rt.db, request.id)
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
<dt>${reasonTag(request)}</dt><dd class="soft">${toldWords(request)}</dd>
${isWaiting ? html`<dt>轮到谁</dt><dd>${turnWords(view, steps)}</dd>` : ''}
${request.awaitsRoomSince ? html`<dt>${tag('等空位', 'wait')}</dt><dd>同单位同类的群都满了，已等 ${agoWords(now.getTime() - request.awaitsRoomSince.getTime())}；有空位时自动放行。</dd>` : ''}
${request.admittedTo !== null && request.admittedTo !== group.id ? html`<dt>改进了</dt><dd><a href="/console/groups/${request.admittedTo}">群号 ${request.admittedTo}</a>（要进的群满了）</dd>` : ''}
</dl></section>
<h2>名册里可能是谁</h2>
${candidates.length === 0 ? emptyState('名册里没有对得上的人。确应入群的，请先更正名册，再请本人重新申请。') : html`<p class="soft">按今天的名册核对，最像的在前；对不上的字段标出。号码只显示头尾。</p>`}
${isWaiting ? decisionForms(view, candidates, filled.note ?? '') : html`<div class="cards">${candidates.map(each => html`<section class="card">${candidateCard(each)}</section>`)}</div>`}
<h2>经过</h2>
<section class="card"><ol class="plain steps">${steps.map(step => stepLine(view, step, candidates))}</ol></section>
${isWaiting ? '' : undoForm(view, filled.why ?? '')}`,
  })
}

type Step = Awaited<ReturnType<typeof stepsOf>>[number]

/** What the applicant has been told by the system, which is the same for all who did not prove who they are. */
function toldWords({ reason, id, groupId }: JoinRequestRow): string {
  return reason === 'matched'
    ? '核对相符，系统已把入群方式发给申请人。'
    : `系统告诉申请人的是：${answerTo({ id, groupId, decision: 'referred', reason: reason as RequestReason })}`
}

function turnWords({ rt, thing }: Shown, steps: Step[]): Html {
  const { escalateAt, reviewUnitId } = thing.request
  const last = steps.findLast(({ step }) => step.step === 'escalated')
  const who =
    reviewUnitId === null
      ? `群主${thing.group.ownerName ?? ''}`
      : `${last?.unitName ?? thing.group.unitName}的负责同志`
  return html`${who}${last ? '（已经转过来，原来的同志也还能处理）' : ''}${escalateAt ? html`；没人处理的话，${moment(escalateAt, rt.clock.now())} 转到上一级` : ''}`
}

const stepWords: Record<string, string> = {
  approved: '同意',
  rejected: '不同意',
  referred: '转人工核实',
  escalated: '没有人处理，转到',
  awaits_room: '群已满，等空位',
  admitted: '给了入群方式',
  superseded: '本人重新申请，这一份不再处理',
  undone: '撤销结论，重新处理',
}

/** One step with who took it, when, and what they saw. */
function stepLine({ rt }: Shown, { step, actorName, unitName }: Step, candidates: ReviewedCandidate[]): Html {
  // of two of one name the place in the list above tells which
  const places = candidates.map((each, index) => {
    const isAlone = candidates.filter(other => other.name === each.name).length === 1
    return [each.personId, isAlone ? each.name : `${each.name}（第 ${index + 1} 位）`] as const
  })
  const names = new Map(places)
  const note = step.noteSealed === null ? '' : `：${rt.vault.open(step.noteSealed)}`
  const whom = step.personId === null ? '' : `（${names.get(step.personId) ?? '名册里的人'}）`
  const seen = step.seen
    .slice(0, 3)
    .map(each => `${names.get(each.personId) ?? '（名册里已没有）'}：${seenWords(each)}`)
  return html`<li><b>${actorName ?? '系统按规则'}</b> ${stepWords[step.step] ?? step.step}${unitName ?? ''}${whom}${note} <span class="soft">${moment(step.at, rt.clock.now())}</span>${
    seen.length > 0 ? html`<br><span class="soft">当时看到的：${seen.join('；')}</span>` : ''
  }</li>`
}

function seenWords(seen: Step['step']['seen'][number]): string {
  const factors = [
    ['手机号', seen.phone],
    ['身份证号', seen.idNumber],
    ['身份证号后六位', seen.idTail],
  ] as const
  return [
    NAME_WORDS[seen.name as keyof typeof NAME_WORDS],
    ...factors.flatMap(([field, how]) =>
      how === 'absent' ? [] : [`${field}${FACTOR_WORDS[how as keyof typeof FACTOR_WORDS]}`],
    ),
  ].join('，')
}

function undoForm(view: Shown, why: string): Html {
  const { id, decision } = view.thing.request
  const words =
    decision === 'approved'
      ? '入群码作废，由这份申请认定的成员身份和账号绑定一并撤回；已在群里的，请群主移出。申请回到等待审核。'
      : '申请回到等待审核。'
  return html`<h2>撤销这个结论</h2>
<form class="card" method="post" action="/console/join-requests/${id}/undo">${token(view.formToken)}<p class="soft">${words}</p>
${textArea('why', '为什么撤销', { value: why, rows: 2, isRequired: true, hint: `留在记录里，${MAX_NOTE} 字以内，如：认错人了` })}
<button class="grave">撤销结论</button></form>`
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
      html`<span>${term.unitName} ${term.category} ${tag(term.status, term.status === '在岗' ? 'good' : 'quiet')}${term.isInScope ? '' : tag('不在本群范围', 'wait')} <span class="soft">${termWords(term)}</span></span>`,
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
