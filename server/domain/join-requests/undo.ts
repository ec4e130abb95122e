import { type GroupWithUnit, groupById, openTask, updateMember } from '../../../db/queries/groups.ts'
import { closeInvitations, endPasses, membershipIn } from '../../../db/queries/join-passes.ts'
import {
  changeRequest,
  hasLaterRequest,
  insertStep,
  type JoinRequestRow,
  lockAdmission,
  lockRequest,
  stepsOf,
  unbindRequested,
} from '../../../db/queries/join-requests.ts'
import { personById } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { settleCards } from '../outgoing/card.ts'
import { sendToIdentity, sendToPerson } from '../outgoing/enqueue.ts'
import { escalationTime, firstReviewers } from './ask-review.ts'
import { requireRequest } from './decide.ts'

/** Days that an owner has to remove somebody. Source: project assumption. */
const TASK_DAYS = 1

export interface UndoneDecision {
  groupName: string
  /** What was taken back. */
  was: 'approved' | 'rejected'
  /** The person is in the group already, and the owner is asked to remove them. */
  isToRemove: boolean
}

/**
 * Takes the decision on a request back, whoever made it: the request waits for one again. With an approval goes what it has
 * brought about: the way in, the membership known by it, the binding of the account; who is in the group already is to be
 * removed by the owner.
 * @throws DomainError `join_request.unknown`, `join_request.waiting`, `join_request.asked_again`, `rights.missing`
 */
export async function undoDecision(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  note: string,
): Promise<UndoneDecision> {
  const { group } = await requireRequest(rt, actor, id)
  const request = await lockRequest(rt.db, id)
  if (!request || request.decision === 'referred')
    throw new DomainError('join_request.waiting', `申请 ${id} 还在等人处理，没有结论可以撤销。`)
  if (await hasLaterRequest(rt.db, request))
    throw new DomainError('join_request.asked_again', `申请 ${id} 的本人后来又申请过，请处理后来的申请。`)
  const now = rt.clock.now()
  const was = request.decision === 'approved' ? 'approved' : 'rejected'
  const isToRemove = was === 'approved' && (await takeBack(rt, request, group, now))
  const reviewers = await firstReviewers(rt, group)
  await changeRequest(rt.db, id, request.decision, {
    decision: 'referred',
    personId: null,
    decidedBy: null,
    decidedAt: null,
    awaitsRoomSince: null,
    admittedTo: null,
    reviewUnitId: reviewers?.unitId ?? null,
    escalateAt: reviewers && escalationTime(reviewers, now),
    explanation: `${request.explanation}；${actor.person.name}撤销了结论${note ? `：${note}` : ''}`,
  })
  await insertStep(rt.db, {
    requestId: id,
    step: 'undone',
    at: now,
    actorId: actor.person.id,
    personId: request.personId,
    reason: request.reason,
    noteSealed: note === '' ? null : rt.vault.seal(note),
    seen: [],
    effects: {},
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: 'join_request.undone',
    subjectKind: 'join_request',
    subjectId: id,
    details: { groupId: request.groupId, was },
  })
  await sendToIdentity(
    rt,
    request.identityId,
    'decision',
    was === 'approved'
      ? `您加入“${group.name}”的审核结论已撤销，原来的入群方式不再有效。正在重新核实，有结果会告诉您。`
      : `您加入“${group.name}”的申请正在重新核实，有结果会告诉您。`,
  )
  return { groupName: group.name, was, isToRemove }
}

/** @returns whether the person is in the group, as far as is known, and has to be removed */
async function takeBack(
  rt: DomainRuntime,
  request: JoinRequestRow,
  asked: GroupWithUnit,
  now: Date,
): Promise<boolean> {
  const { personId, identityId } = request
  if (personId === null) return false
  await lockAdmission(rt.db, personId)
  const steps = await stepsOf(rt.db, request.id)
  if (steps.some(({ step }) => step.effects.hasBound)) await unbindRequested(rt.db, identityId, personId)
  const into = request.admittedTo === null ? asked : await groupById(rt.db, request.admittedTo)
  if (!into || request.awaitsRoomSince !== null) return false
  await endPasses(rt.db, { personId, groupId: into.id, identityId }, 'undone', now)
  const member = await membershipIn(rt.db, into.id, personId)
  if (!member || (member.knownBy !== 'join_pass' && member.knownBy !== 'join_request')) return false
  const invited = await closeInvitation(rt, into, personId, now)
  const isIn = member.address !== null || !invited
  // the account in the group is nobody's we know; where only the person was known, nobody is left to know
  await updateMember(
    rt.db,
    member.id,
    member.address === null ? { leftAt: now } : { personId: null, knownBy: null },
  )
  if (isIn) await askRemoval(rt, into, { personId, address: member.address }, now)
  return isIn
}

/** Nobody need be pulled in any more. @returns whether somebody was still to be */
async function closeInvitation(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personId: number,
  now: Date,
): Promise<boolean> {
  const closed = await closeInvitations(rt.db, group.id, personId, now)
  for (const taskId of closed) await settleCards(rt, { kind: 'task', id: taskId }, '审核结论已撤销，不用拉了')
  return closed.length > 0
}

async function askRemoval(
  rt: DomainRuntime,
  group: GroupWithUnit,
  who: { personId: number; address: string | null },
  now: Date,
): Promise<void> {
  const name = (await personById(rt.db, who.personId))?.name ?? ''
  const why = `以“${name}”的名义入群，审核结论已撤销，请核实后移出`
  const taskId = await openTask(rt.db, {
    kind: 'remove_member',
    groupId: group.id,
    personId: who.address === null ? who.personId : null,
    address: who.address,
    why,
    dueOn: dayOf(new Date(now.getTime() + TASK_DAYS * 86_400_000)),
    createdAt: now,
  })
  if (taskId !== null && group.ownerId !== null)
    await sendToPerson(
      rt,
      group.ownerId,
      'task',
      `【请移出成员】${group.name}（群号 ${group.id}）：${why}。发送“任务”可看全部。`,
    )
}
