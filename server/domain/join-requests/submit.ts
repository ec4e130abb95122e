import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import {
  countAskers,
  earlierRequests,
  insertJoinRequest,
  lockAdmission,
  standingOf,
} from '../../../db/queries/join-requests.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { settleCards } from '../outgoing/card.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { admission, answerTo, kindPolicy, overrule, type RequestReason } from './admission.ts'
import { admitPerson } from './admit.ts'
import { askReview, escalationTime, firstReviewers } from './ask-review.ts'
import { type FoundCandidate, findCandidates } from './find-candidates.ts'
import { comparePeople } from './identity.ts'
import { judgeJoinRequest } from './judge.ts'
import { readClaims } from './read-claims.ts'
import type { Claims, Decision, Judgement } from './types.ts'

const HOUR_MS = 3_600_000
/** How many candidates a step keeps as seen. */
const MAX_SEEN = 20

export interface SubmittedRequest {
  id: number
  decision: Decision
  /** What the applicant is told. */
  answer: string
}

/** What the matcher and the policy made of a request. */
interface Verdict {
  decision: Decision
  reason: RequestReason
  explanation: string
  /** Whom an approval is for, or would have been. */
  personId: number | null
  candidateIds: number[]
}

/**
 * Audits a request to be let into a group (严格入群人员的审核, 全国项目办发〔2018〕1号 三.3): matched with the roster, decided
 * by the policy of the group's kind, stored with its evidence. Approved people are let in, referred ones land with the owner,
 * or with those who answer for the unit where the group has none. Who asks again while a request waits takes the earlier one
 * back, unless the new one comes to nothing.
 * @throws DomainError `join_request.too_many`
 */
export async function submitJoinRequest(
  rt: DomainRuntime,
  actor: Actor,
  group: GroupWithUnit,
  text: string,
): Promise<SubmittedRequest> {
  const now = rt.clock.now()
  const { account } = admission.limits
  const since = new Date(now.getTime() - account.hours * HOUR_MS)
  const claims = readClaims(text)
  const [attempts, earlier, candidates] = await Promise.all([
    countAttempt(rt.db, `join:${actor.identityId}`, now, account.hours * HOUR_MS),
    earlierRequests(rt.db, actor.identityId, group.id, since),
    findCandidates(rt, actor, group, claims),
  ])
  if (attempts > account.requests)
    throw new DomainError(
      'join_request.too_many',
      '今天申请的次数太多了，请明天再试，或直接联系本单位的群主。',
    )
  const verdict = await reachVerdict(rt, actor, group, { text, claims, candidates, now })

  // the same words again on the same day: the same answer, whether somebody looks at them or not
  const same = earlier.find(each => each.createdAt > since && rt.vault.open(each.textSealed) === text)
  if (same && verdict.decision !== 'approved')
    if (same.decision === 'referred' || same.reason === verdict.reason) {
      const decision = same.decision as 'referred' | 'rejected'
      const reason = same.reason as RequestReason
      return { id: same.id, decision, answer: answerTo({ id: same.id, groupId: group.id, decision, reason }) }
    }

  const reviewers = verdict.decision === 'referred' ? await firstReviewers(rt, group) : null
  const waiting = earlier.find(each => each.decision === 'referred')
  const replaces = waiting && verdict.decision !== 'rejected' ? waiting : null
  const id = await insertJoinRequest(rt.db, {
    groupId: group.id,
    identityId: actor.identityId,
    textSealed: rt.vault.seal(text),
    decision: verdict.decision,
    reason: verdict.reason,
    explanation: verdict.explanation,
    candidateIds: verdict.candidateIds,
    personId: verdict.decision === 'approved' ? verdict.personId : null,
    seen: seenOf(candidates, claims, verdict.candidateIds),
    reviewUnitId: reviewers?.unitId ?? null,
    escalateAt: reviewers && escalationTime(reviewers, now),
    actorId: actor.person?.id ?? null,
    auditDetails: { groupId: group.id, reason: verdict.reason, by: 'policy' },
    replaces: replaces && { id: replaces.id, explanation: '本人已重新申请（编号 {id}）' },
    now,
  })
  if (replaces) await settleCards(rt, { kind: 'join_request', id: replaces.id }, '本人已重新申请')
  if (verdict.decision === 'approved' && verdict.personId !== null) {
    const { personId, reason } = verdict
    const answer = await admitPerson(rt, {
      requestId: id,
      group,
      personId,
      identityId: actor.identityId,
      reason,
    })
    return { id, decision: 'approved', answer }
  }
  const decision = verdict.decision === 'referred' ? 'referred' : 'rejected'
  if (reviewers) await askReview(rt, reviewers, group, { id, text, ...verdict })
  await warnOfTargeting(rt, group, verdict.candidateIds[0], candidates)
  const again =
    verdict.reason === 'already_member' && actor.person?.id === verdict.personId ? wayIn(group) : null
  return {
    id,
    decision,
    answer: again ?? answerTo({ id, groupId: group.id, decision, reason: verdict.reason }),
  }
}

/** The matcher's judgement, and over it the policy: a human looks where the kind of group or what else is known says so. */
async function reachVerdict(
  rt: DomainRuntime,
  actor: Actor,
  group: GroupWithUnit,
  asked: { text: string; claims: Claims; candidates: FoundCandidate[]; now: Date },
): Promise<Verdict> {
  const { text, claims, candidates, now } = asked
  const judgement = judgeJoinRequest({
    request: { text, at: now, senderAccount: actor.address },
    claims,
    candidates,
    // who registered in an open group was taken at their word, which says nothing against what they prove now
    senderIs: actor.person && actor.boundBy !== 'registration' ? String(actor.person.id) : null,
  })
  const personOf = new Map(candidates.map(candidate => [candidate.id, Number(candidate.personKey)]))
  const personId = judgement.row === null ? null : (personOf.get(judgement.row) ?? null)
  const verdict: Verdict = {
    decision: judgement.decision,
    reason: judgement.reason,
    explanation: judgement.explanation,
    personId,
    candidateIds: [...new Set(judgement.candidates.flatMap(row => personOf.get(row) ?? []))],
  }
  if (
    judgement.decision === 'rejected' &&
    judgement.reason === 'already_member' &&
    actor.person?.id !== personId
  )
    return refer(verdict, 'second_account', admission.reasons.second_account.toReviewer)
  if (judgement.decision !== 'approved' || personId === null) return verdict
  const overruled = await overrulingOf(rt, actor, group, { judgement, personId, candidates, now })
  return overruled === null ? verdict : refer(verdict, overruled.reason, overruled.toReviewer)
}

async function overrulingOf(
  rt: DomainRuntime,
  actor: Actor,
  group: GroupWithUnit,
  found: { judgement: Judgement; personId: number; candidates: FoundCandidate[]; now: Date },
) {
  const { judgement, personId, candidates, now } = found
  // their own account was proven to be theirs before: what others do in their name is not held against them
  const isOwn = actor.person?.id === personId && actor.boundBy !== 'registration'
  // two accounts that ask at once to be the same person: the second sees what the first has got
  await lockAdmission(rt.db, personId)
  const { isAccountDoubted, isDoubted, ...standing } = await standingOf(rt.db, {
    personId,
    identityId: actor.identityId,
    groupId: group.id,
    since: new Date(now.getTime() - admission.limits.target.hours * HOUR_MS),
  })
  const roles = candidates
    .filter(each => Number(each.personKey) === personId && each.inScope && !each.isByMerger)
    .map(each => each.role)
  return overrule(
    judgement,
    kindPolicy(group.programme, group.kind),
    {
      ...standing,
      roles,
      isDoubted: isAccountDoubted || (isDoubted && !isOwn),
      ...(isOwn && { otherAskers: 0 }),
    },
    rt.templates.programme(group.programme),
  )
}

function refer(verdict: Verdict, reason: RequestReason, why: string): Verdict {
  return { ...verdict, decision: 'referred', reason, explanation: `${why}。` }
}

/** How the candidates agree with what was written, as a step keeps it. */
export function seenOf(candidates: FoundCandidate[], claims: Claims, candidateIds: number[]) {
  const compared = new Map(
    comparePeople(candidates, claims).map(person => [Number(person.personKey), person]),
  )
  return candidateIds.slice(0, MAX_SEEN).flatMap(personId => {
    const person = compared.get(personId)
    if (!person) return []
    const { name, phone, idNumber, idTail } = person
    return [{ personId, name: name.match, phone, idNumber, idTail }]
  })
}

/**
 * Several accounts that ask in one person's name and are not let in: somebody is guessing. The owner is told, once a day; the
 * askers are told nothing, and whoever proves to be that person is looked at by a human.
 */
async function warnOfTargeting(
  rt: DomainRuntime,
  group: GroupWithUnit,
  target: number | undefined,
  candidates: FoundCandidate[],
): Promise<void> {
  if (target === undefined) return
  const now = rt.clock.now()
  const { accounts, hours } = admission.limits.target
  const askers = await countAskers(rt.db, target, new Date(now.getTime() - hours * HOUR_MS))
  if (askers < accounts) return
  if ((await countAttempt(rt.db, `targeted:${target}`, now, hours * HOUR_MS)) > 1) return
  const reviewers = await firstReviewers(rt, group)
  // somebody of another unit is not named to this one
  const named = candidates.find(each => each.inScope && Number(each.personKey) === target)
  const whom = named ? `“${named.name}”` : '外单位一位同志'
  for (const personId of reviewers?.personIds ?? [])
    await sendToPerson(
      rt,
      personId,
      'review',
      `【请留意】近一天有 ${askers} 个账号以${whom}的名义申请进“${group.name}”，核对不上，没有放行。以其名义的申请今后一天即使核对相符也先请您核实，请向本人确认后再同意。发送“待审”可看等您处理的申请。`,
    )
}

/** Somebody is let in already and asks again: the way in got lost, which is told to their own account only. */
function wayIn(group: GroupWithUnit): string | null {
  return group.platform !== 'customer' && group.joinCode
    ? `您已通过审核。入群方式：${group.joinCode}（已在群内的不用理会）`
    : null
}
