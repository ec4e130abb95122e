import { type GroupWithUnit, groupById } from '../../../db/queries/groups.ts'
import { endOldPasses } from '../../../db/queries/join-passes.ts'
import {
  changeRequest,
  dueEscalations,
  insertStep,
  type JoinRequestRow,
  lockRequest,
  requestsWithRoom,
} from '../../../db/queries/join-requests.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'
import { admission, afterQuietHours } from './admission.ts'
import { admitPerson } from './admit.ts'
import { askReview, escalationTime, reviewersAbove } from './ask-review.ts'
import { candidatesAmong } from './find-candidates.ts'
import { serviceState } from './service.ts'

/** Requests that are looked after in one transaction. */
const AT_ONCE = 20

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
  for (const id of await requestsWithRoom(rt.db, 200))
    if (await inTransaction(rt, tx => admitWaiting(tx, id))) count++
  return count
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
  if (!(await isStillFor(rt, group, request.personId))) return giveUp(rt, request, group.name)
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

/** The roster may have changed while somebody waited for room. */
async function isStillFor(rt: DomainRuntime, group: GroupWithUnit, personId: number): Promise<boolean> {
  const today = dayOf(rt.clock.now())
  const rows = await candidatesAmong(rt, group, [personId])
  return rows.some(row => row.inScope && serviceState(row, today) === 'active')
}

async function giveUp(rt: DomainRuntime, request: JoinRequestRow, groupName: string): Promise<boolean> {
  const now = rt.clock.now()
  const reason = 'service_ended'
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
    `您在等“${groupName}”的空位，名册现在显示您不在本群范围内，不能入群了。如有出入，请联系本单位负责同志更正名册后重新申请。`,
  )
  return true
}
