import { type GroupWithUnit, groupById } from '../../../db/queries/groups.ts'
import { endOldPasses, requestsWithRoom } from '../../../db/queries/join-passes.ts'
import {
  changeRequest,
  dueEscalations,
  insertStep,
  type JoinRequestRow,
  lockRequest,
  stepsOf,
  unbindRequested,
} from '../../../db/queries/join-requests.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { sendToIdentity, sendToPerson } from '../outgoing/enqueue.ts'
import { admission, afterQuietHours } from './admission.ts'
import { admitPerson } from './admit.ts'
import { askReview, escalationTime, reviewersAbove } from './ask-review.ts'
import { isStillFor, termsOf } from './terms.ts'

/** Requests that are looked after in one transaction. */
const AT_ONCE = 20
/** Those who wait for room, looked up at once. */
const PAGE = 200

/**
 * What waiting requests need as time goes by: those that nobody has decided go on to the unit above, approved people get
 * in when there is room, and ways in that are past their time end. At night nobody is disturbed.
 * @returns how many requests and ways in something was done about
 */
export async function lookAfterRequests(rt: DomainRuntime): Promise<number> {
  let count = await inTransaction(rt, tx => endOldPasses(tx.db, tx.clock.now()))
  const now = rt.clock.now()
  if (afterQuietHours(now) > now) return count
  for (let more = AT_ONCE; more === AT_ONCE; count += more) more = await inTransaction(rt, escalateDue)
  return count + (await admitAllWaiting(rt))
}

/** @returns how many; one that cannot be seen to holds up none behind it */
async function admitAllWaiting(rt: DomainRuntime): Promise<number> {
  let count = 0
  for (let after = 0; ; ) {
    const ids = await requestsWithRoom(rt.db, after, PAGE)
    for (const id of ids)
      try {
        if (await inTransaction(rt, tx => admitWaiting(tx, id))) count++
      } catch (error) {
        const why = error instanceof Error ? error.name : 'unknown'
        rt.log.error({ joinRequestId: id, why }, 'a request that waits for room failed')
      }
    const last = ids.at(-1)
    if (last === undefined || ids.length < PAGE) return count
    after = last
  }
}

async function escalateDue(rt: DomainRuntime): Promise<number> {
  const due = await dueEscalations(rt.db, rt.clock.now(), AT_ONCE)
  for (const request of due) await escalate(rt, request)
  return due.length
}

/** Nobody has decided: those above are asked, too. The owner may decide all the same; whoever is first decides. */
async function escalate(rt: DomainRuntime, request: JoinRequestRow): Promise<void> {
  const now = rt.clock.now()
  const group = await groupById(rt.db, request.groupId)
  const reviewers = group && !group.dissolvedAt ? await reviewersAbove(rt, group, request.reviewUnitId) : null
  await changeRequest(rt.db, request.id, 'referred', {
    escalateAt: reviewers && escalationTime(reviewers, now),
    ...(reviewers && { reviewUnitId: reviewers.unitId }),
  })
  if (!group || !reviewers) return
  await insertStep(rt.db, {
    requestId: request.id,
    step: 'escalated',
    at: now,
    unitId: reviewers.unitId,
    reason: request.reason,
    seen: [],
    effects: {},
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'join_request.escalated',
    subjectKind: 'join_request',
    subjectId: request.id,
    details: { groupId: group.id, unitId: reviewers.unitId },
  })
  const { ownerHours, unitHours } = admission.review
  const silent =
    request.reviewUnitId === null
      ? `群主${group.ownerName ?? ''} ${ownerHours} 小时没有处理这个申请`
      : `下级单位 ${unitHours} 小时没有处理这个申请`
  const why = `${silent}，按规定转请您审核；原来的同志也还能处理，谁先处理算谁的。`
  await askReview(rt, reviewers, group, { ...request, text: rt.vault.open(request.textSealed) }, why)
}

/** There is room: the person gets the way in, if the request still stands. */
async function admitWaiting(rt: DomainRuntime, id: number): Promise<boolean> {
  const request = await lockRequest(rt.db, id)
  if (!request?.awaitsRoomSince || request.decision !== 'approved' || request.personId === null) return false
  const group = await groupById(rt.db, request.groupId)
  if (!group || group.dissolvedAt) {
    await changeRequest(rt.db, id, 'approved', { awaitsRoomSince: null })
    await sendToIdentity(
      rt,
      request.identityId,
      'decision',
      '您在等空位的群已经解散，请向本单位负责同志问新的群号。',
    )
    return true
  }
  if (await hasLostPlace(rt, request, group, request.personId)) return giveUp(rt, request, group)
  const answer = await admitPerson(rt, {
    requestId: id,
    group,
    personId: request.personId,
    identityId: request.identityId,
    reason: request.reason,
    isWaiting: true,
  })
  if (answer === null) return false
  await sendToIdentity(rt, request.identityId, 'decision', `“${group.name}”有空位了。${answer}`)
  return true
}

/**
 * Whether the roster no longer has somebody who waits for room. What a human approved in spite of the roster stands until
 * the roster changes.
 */
async function hasLostPlace(
  rt: DomainRuntime,
  request: JoinRequestRow,
  group: GroupWithUnit,
  personId: number,
): Promise<boolean> {
  if (await isStillFor(rt, group, personId)) return false
  if (request.decidedBy === null) return true
  const steps = await stepsOf(rt.db, request.id)
  const seen = steps.findLast(({ step }) => step.step === 'awaits_room')?.step.effects.terms
  return seen !== (await termsOf(rt, group, personId))
}

async function giveUp(rt: DomainRuntime, request: JoinRequestRow, group: GroupWithUnit): Promise<boolean> {
  const now = rt.clock.now()
  const { identityId, personId, decidedBy } = request
  const reason = 'service_ended'
  const steps = await stepsOf(rt.db, request.id)
  if (personId !== null && steps.some(({ step }) => step.effects.hasBound))
    await unbindRequested(rt.db, identityId, personId)
  await changeRequest(rt.db, request.id, 'approved', {
    decision: 'rejected',
    reason,
    decidedBy: null,
    decidedAt: now,
    personId: null,
    awaitsRoomSince: null,
    explanation: `${request.explanation}；等空位时名册已有变动，不再属于本群`,
  })
  await insertStep(rt.db, {
    requestId: request.id,
    step: 'rejected',
    at: now,
    personId: request.personId,
    reason,
    seen: [],
    effects: {},
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'join_request.rejected',
    subjectKind: 'join_request',
    subjectId: request.id,
    details: { groupId: request.groupId, reason, by: 'policy' },
  })
  await sendToIdentity(
    rt,
    request.identityId,
    'decision',
    `您在等“${group.name}”的空位，名册现在显示您不在本群范围内，不能入群了。如有出入，请联系本单位负责同志更正名册后重新申请。`,
  )
  if (decidedBy !== null)
    await sendToPerson(
      rt,
      decidedBy,
      'review',
      `【入群申请 ${request.id}】您同意后在等“${group.name}”的空位；名册已有变动，本人不再属于本群，没有放行，已告诉本人。如有出入，请先更正名册，再请本人重新申请。`,
    )
  return true
}
