import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { insertJoinRequest, supersedeRequest, waitingRequestOf } from '../../../db/queries/join-requests.ts'
import { personsByIds, rolesOf } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { managersFor, standingOwner } from '../groups/managers.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { admitPerson } from './admit.ts'
import { findCandidates } from './find-candidates.ts'
import { judgeJoinRequest } from './judge.ts'
import { messageToApplicant } from './policy.ts'
import { readClaims } from './read-claims.ts'
import type { Decision } from './types.ts'

/** Requests that one account may make within a day, so that nobody guesses their way in. */
const MAX_REQUESTS = 8
const WINDOW_MS = 86_400_000

export interface SubmittedRequest {
  id: number
  decision: Decision
  /** What the applicant is told. */
  answer: string
}

/**
 * Audits a request to be let into a group (严格入群人员的审核, 全国项目办发〔2018〕1号 三.3): matched with the roster, decided
 * by the policy, stored with its evidence. Approved people are let in, referred ones land with the owner, or with those
 * who run the unit where the group has none. Who asks again while a request waits takes the earlier one back.
 * @throws DomainError `join_request.too_many`
 */
export async function submitJoinRequest(
  rt: DomainRuntime,
  actor: Actor,
  group: GroupWithUnit,
  text: string,
): Promise<SubmittedRequest> {
  const now = rt.clock.now()
  const waiting = await waitingRequestOf(rt.db, actor.identityId, group.id)
  if (waiting && rt.vault.open(waiting.textSealed) === text)
    return {
      id: waiting.id,
      decision: 'referred',
      answer: `您的申请（编号 ${waiting.id}）正在等群主处理，有结果会告诉您，不用重复提交。`,
    }
  if ((await countAttempt(rt.db, `join:${actor.identityId}`, now, WINDOW_MS)) > MAX_REQUESTS)
    throw new DomainError(
      'join_request.too_many',
      '今天申请的次数太多了，请明天再试，或直接联系本单位的群主。',
    )

  const claims = readClaims(text)
  const candidates = await findCandidates(rt, actor, group, claims)
  const judgement = judgeJoinRequest({
    request: { text, at: now, senderAccount: actor.address },
    claims,
    candidates,
    // who registered in an open group was taken at their word, which says nothing against what they prove now
    senderIs: actor.person && actor.boundBy !== 'registration' ? String(actor.person.id) : null,
  })
  const personOf = new Map(candidates.map(candidate => [candidate.id, Number(candidate.personKey)]))
  const personId = judgement.row === null ? null : (personOf.get(judgement.row) ?? null)
  const candidateIds = [...new Set(judgement.candidates.flatMap(row => personOf.get(row) ?? []))]
  const isApproved = judgement.decision === 'approved' && personId !== null
  const id = await insertJoinRequest(rt.db, {
    groupId: group.id,
    identityId: actor.identityId,
    textSealed: rt.vault.seal(text),
    decision: judgement.decision,
    reason: judgement.reason,
    explanation: judgement.explanation,
    candidateIds,
    personId: isApproved ? personId : null,
    createdAt: now,
    decidedAt: judgement.decision === 'referred' ? null : now,
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person?.id ?? null,
    action: `join_request.${judgement.decision}`,
    subjectKind: 'join_request',
    subjectId: id,
    details: { groupId: group.id, reason: judgement.reason, by: 'policy' },
  })
  if (waiting) await supersedeRequest(rt.db, waiting.id, `本人已重新申请（编号 ${id}）`, now)
  if (isApproved)
    return { id, decision: 'approved', answer: await admitPerson(rt, group, personId, actor.identityId) }
  const hint = messageToApplicant(judgement.reason)
  if (judgement.decision === 'rejected') {
    const again = judgement.reason === 'already_member' && actor.person?.id === personId ? wayIn(group) : null
    return { id, decision: 'rejected', answer: again ?? hint }
  }
  const slip = [
    `【入群申请 ${id}】${group.name}`,
    `申请：${shownRequest(text)}`,
    `核对：${judgement.explanation}`,
    ...(await candidateLines(rt, candidateIds)),
    candidateIds.length === 0
      ? `请核实后回复：拒绝 ${id} 理由（名册上没有这个人，要先由项目办更新名册）`
      : `请核实后回复：同意 ${id}${candidateIds.length > 1 ? '（同意第 2 位：同意 编号 2）' : ''}，或 拒绝 ${id} 理由`,
  ].join('\n')
  const owner = await standingOwner(rt, group)
  const reviewers = owner === null ? await managersFor(rt, group) : [owner]
  for (const reviewer of reviewers) await sendToPerson(rt, reviewer, 'review', slip)
  return {
    id,
    decision: 'referred',
    answer: `申请（编号 ${id}）已转${owner === null ? '本单位负责同志' : '群主'}核实，有结果会告诉您。\n也可以补充后再发一次“入群 ${group.id} ……”：${hint}`,
  }
}

/** What was written, for those who decide: every longer number is masked, also one that has a digit too few. */
export function shownRequest(text: string): string {
  const masked = maskPersonalData(text).replace(/\d(?:[ -]?\d){4,}[Xx]?/g, number => {
    const kept = number.length > 8 ? number.slice(-4) : number.slice(-2)
    return `${'*'.repeat(number.length - kept.length)}${kept}`
  })
  return [...masked.replace(/\s*\n\s*/g, '；')].slice(0, 150).join('')
}

/** Whom a request may mean, numbered, with what tells people of one name apart. */
export async function candidateLines(rt: DomainRuntime, personIds: number[]): Promise<string[]> {
  const persons = new Map((await personsByIds(rt.db, personIds.slice(0, 5))).map(each => [each.id, each]))
  const lines: string[] = []
  for (const id of personIds.slice(0, 5)) {
    const person = persons.get(id)
    const [role] = await rolesOf(rt.db, id)
    const where = role
      ? `${role.unitName}${role.title ?? rt.templates.role(role.programme, role.role).name}`
      : '不在岗'
    const tail = person?.phoneSealed ? `，手机尾号 ${rt.vault.open(person.phoneSealed).slice(-4)}` : ''
    lines.push(
      `名册${personIds.length > 1 ? ` ${lines.length + 1}` : ''}：${person?.name ?? ''}（${where}${tail}）`,
    )
  }
  return lines
}

/** Somebody is let in already and asks again: the way in got lost, which is told to their own account only. */
function wayIn(group: GroupWithUnit): string | null {
  return group.platform !== 'customer' && group.joinCode
    ? `您已通过审核。入群方式：${group.joinCode}（已在群内的不用理会）`
    : null
}
