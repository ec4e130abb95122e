import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { countWaiting } from '../../../db/queries/join-requests.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { answerersFor, standingOwner } from '../groups/managers.ts'
import type { ActionCard } from '../outgoing/card.ts'
import { sendCard, sendToPerson } from '../outgoing/enqueue.ts'
import { admission, afterQuietHours, requestReasonLabel } from './admission.ts'
import { candidateLines, type ShownCandidate, shownCandidates, shownRequest } from './shown-request.ts'

const HOUR_MS = 3_600_000

/** Those who are asked to decide a request. */
export interface Reviewers {
  /** The unit that they answer for; null: the group's owner. */
  unitId: number | null
  personIds: number[]
}

/** The owner while they stand on the roster, else those who answer for the unit. */
export async function firstReviewers(rt: DomainRuntime, group: GroupWithUnit): Promise<Reviewers | null> {
  const owner = await standingOwner(rt, group)
  return owner === null ? reviewersAbove(rt, group, null) : { unitId: null, personIds: [owner] }
}

/**
 * Who is asked next when nobody has decided: those who answer for the group's unit, then those of each unit above it, as
 * far as they are others than before. null: there is nobody above.
 * @param from the unit whose turn it was; null: the owner's
 */
export async function reviewersAbove(
  rt: DomainRuntime,
  group: GroupWithUnit,
  from: number | null,
): Promise<Reviewers | null> {
  // /1/17/203/ from below: 203, 17, 1
  const line = group.unitPath.split('/').filter(Boolean).map(Number).reverse()
  const answerers = await answerersFor(rt, line)
  const asked = new Set([
    ...(group.ownerId === null ? [] : [group.ownerId]),
    ...(from === null ? [] : (answerers.get(from) ?? [])),
  ])
  const rest = from === null ? line : line.slice(line.indexOf(from) + 1)
  for (const unitId of rest) {
    const personIds = (answerers.get(unitId) ?? []).filter(personId => !asked.has(personId))
    if (personIds.length > 0) return { unitId, personIds }
  }
  return null
}

/** When a request that waits for these goes on to the unit above; nobody is disturbed at night. */
export function escalationTime(reviewers: Reviewers, now: Date): Date {
  const { ownerHours, unitHours } = admission.review
  const hours = reviewers.unitId === null ? ownerHours : unitHours
  return afterQuietHours(new Date(now.getTime() + hours * HOUR_MS))
}

/** A request as reviewers are asked about it. */
export interface AskedRequest {
  id: number
  text: string
  reason: string
  explanation: string
  candidateIds: number[]
}

/**
 * Asks reviewers to decide: a card with buttons in WeCom, a slip to answer elsewhere. A group that is flooded with requests
 * is told so once a day, and the rest wait in the list.
 * @param why in front of it when it was not theirs to begin with
 */
export async function askReview(
  rt: DomainRuntime,
  reviewers: Reviewers,
  group: GroupWithUnit,
  request: AskedRequest,
  why: string | null = null,
): Promise<void> {
  const { waiting, hours } = admission.limits.group
  const now = rt.clock.now()
  const isOwn = why === null
  // requests of one group that went on to one unit today, or those that wait
  const count = isOwn
    ? await countWaiting(rt.db, group.id)
    : await countAttempt(rt.db, `escalated:${group.id}:${reviewers.unitId}`, now, hours * HOUR_MS)
  if (count > waiting) {
    const key = `flood:${group.id}:${reviewers.unitId ?? 'owner'}`
    if ((await countAttempt(rt.db, key, now, hours * HOUR_MS)) > 1) return
    const many = isOwn ? `${count} 个申请等您处理` : `${count} 个以上的申请没有人处理，都转到了您这里`
    const words = `【入群申请】“${group.name}”有 ${many}，今天不再逐条提醒。请发送“待审”，或发送“网页”后在“入群申请”里逐个处理。`
    for (const personId of reviewers.personIds) await sendToPerson(rt, personId, 'review', words)
    return
  }
  const shown = await shownCandidates(rt, request.candidateIds)
  const slip = [
    ...(why === null ? [] : [why]),
    `【入群申请 ${request.id}】${group.name}`,
    `申请：${shownRequest(request.text)}`,
    `核对：${request.explanation}`,
    ...candidateLines(shown),
    shown.length === 0
      ? `请核实后回复：拒绝 ${request.id} 理由（名册上没有这个人，要先由项目办更新名册）`
      : `请核实后回复：同意 ${request.id}${shown.length > 1 ? '（同意第 2 位：同意 编号 2）' : ''}，或 拒绝 ${request.id} 理由`,
  ].join('\n')
  const card = reviewCard(rt, group, request, shown, why)
  for (const personId of reviewers.personIds) await sendCard(rt, personId, 'review', card, slip)
}

/** The key by which a card's list says which candidate was chosen. */
export const CHOICE_KEY = 'candidate'

function reviewCard(
  rt: DomainRuntime,
  group: GroupWithUnit,
  request: AskedRequest,
  shown: ShownCandidate[],
  why: string | null,
): ActionCard {
  const named = shown.map(each => ({
    id: String(each.personId),
    text: `${each.name}（${[each.where, each.tail].filter(Boolean).join('，')}）`,
  }))
  const [only] = named
  return {
    about: { kind: 'join_request', id: request.id },
    title: `【入群申请 ${request.id}】${group.name}`,
    description: [
      ...(why === null ? [] : [why]),
      request.explanation,
      `也可以回复：同意 ${request.id}，或 拒绝 ${request.id} 理由`,
    ].join('\n'),
    rows: [
      { name: '申请人写的', value: shownRequest(request.text) },
      { name: '为什么请您看', value: requestReasonLabel(request.reason) },
      ...(named.length === 1 && only ? [{ name: '名册上', value: only.text }] : []),
      ...(named.length === 0 ? [{ name: '名册上', value: '没有对得上的人' }] : []),
    ],
    ...(named.length > 1 && { choice: { key: CHOICE_KEY, title: '名册上可能是', options: named } }),
    buttons: [
      ...(named.length > 0 ? [{ text: '同意', isMain: true, command: `同意 ${request.id}` }] : []),
      { text: '拒绝', command: `拒绝 ${request.id}` },
      { text: '看详情', url: `${rt.publicUrl}/console/join-requests/${request.id}` },
    ],
  }
}
