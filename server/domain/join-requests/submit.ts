import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { insertJoinRequest, waitingRequestOf } from '../../../db/queries/join-requests.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { admitPerson } from './admit.ts'
import { findCandidates } from './find-candidates.ts'
import { judgeJoinRequest } from './judge.ts'
import { messageToApplicant, reasonLabel } from './policy.ts'
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
 * by the policy, stored with its evidence. Approved people are let in, referred ones land with the owner.
 * @throws DomainError `join_request.too_many`, `join_request.waiting`
 */
export async function submitJoinRequest(
  rt: DomainRuntime,
  actor: Actor,
  group: GroupWithUnit,
  text: string,
): Promise<SubmittedRequest> {
  const now = rt.clock.now()
  const waiting = await waitingRequestOf(rt.db, actor.identityId, group.id)
  if (waiting !== null)
    throw new DomainError(
      'join_request.waiting',
      `您的申请（编号 ${waiting}）正在等群主处理，有结果会告诉您，不用重复提交。`,
    )
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
    senderIs: actor.person ? String(actor.person.id) : null,
  })
  const personOf = new Map(candidates.map(candidate => [candidate.id, Number(candidate.personKey)]))
  const personId = judgement.row === null ? null : (personOf.get(judgement.row) ?? null)
  const isApproved = judgement.decision === 'approved' && personId !== null
  const id = await insertJoinRequest(rt.db, {
    groupId: group.id,
    identityId: actor.identityId,
    textSealed: rt.vault.seal(text),
    decision: judgement.decision,
    reason: judgement.reason,
    explanation: judgement.explanation,
    candidateIds: judgement.candidates.flatMap(row => personOf.get(row) ?? []),
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
  if (isApproved)
    return { id, decision: 'approved', answer: await admitPerson(rt, group, personId, actor.identityId) }
  if (judgement.decision === 'referred' && group.ownerId !== null)
    await sendToPerson(
      rt,
      group.ownerId,
      'review',
      [
        `【入群申请 ${id}】${group.name}`,
        `申请：${maskPersonalData(text).slice(0, 200)}`,
        `核对：${judgement.explanation}（${reasonLabel(judgement.reason)}）`,
        `请回复：同意 ${id} 或 拒绝 ${id} 理由`,
      ].join('\n'),
    )
  return { id, decision: judgement.decision, answer: messageToApplicant(judgement.reason) }
}
