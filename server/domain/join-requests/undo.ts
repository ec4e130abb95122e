import { type GroupWithUnit, groupById, openTask, updateMember } from '../../../db/queries/groups.ts'
import {
  addToSize,
  broughtInBy,
  cancelWaysIn,
  closeInvitations,
  endPasses,
  hasOtherApproval,
  membershipIn,
} from '../../../db/queries/join-passes.ts'
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
import { type AskedRequest, askReview, escalationTime, firstReviewers, type Reviewers } from './ask-review.ts'
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
  if (request.decision === 'rejected' && (await hasLaterRequest(rt.db, request)))
    throw new DomainError('join_request.asked_again', `申请 ${id} 的本人后来又申请过，请处理后来的申请。`)
  const now = rt.clock.now()
  const was = request.decision === 'approved' ? 'approved' : 'rejected'
  const isToRemove = was === 'approved' && (await takeBack(rt, request, group, now))
  const reviewers = await firstReviewers(rt, group)
  const explanation = `${request.explanation}；${actor.person.name}撤销了结论`
  await changeRequest(rt.db, id, request.decision, {
    decision: 'referred',
    personId: null,
    decidedBy: null,
    decidedAt: null,
    awaitsRoomSince: null,
    admittedTo: null,
    reviewUnitId: reviewers?.unitId ?? null,
    escalateAt: reviewers && escalationTime(reviewers, now),
    explanation,
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
  await askOthers(rt, actor, reviewers, group, {
    ...request,
    explanation,
    text: rt.vault.open(request.textSealed),
  })
  return { groupName: group.name, was, isToRemove }
}

/** Those whose turn it is hear of it; whoever took the decision back knows. */
async function askOthers(
  rt: DomainRuntime,
  actor: KnownActor,
  reviewers: Reviewers | null,
  group: GroupWithUnit,
  request: AskedRequest,
): Promise<void> {
  if (!reviewers || group.dissolvedAt) return
  const personIds = reviewers.personIds.filter(personId => personId !== actor.person.id)
  if (personIds.length > 0) await askReview(rt, { ...reviewers, personIds }, group, request)
}

/** @returns whether somebody is in the group by it, as far as is known, and has to be removed */
async function takeBack(
  rt: DomainRuntime,
  request: JoinRequestRow,
  asked: GroupWithUnit,
  now: Date,
): Promise<boolean> {
  const { personId, identityId } = request
  if (personId === null) return false
  await lockAdmission(rt.db, personId)
  const steps = (await stepsOf(rt.db, request.id)).map(({ step }) => step)
  const hasBound = steps.some(step => step.effects.hasBound)
  const into = request.admittedTo === null ? asked : await groupById(rt.db, request.admittedTo)
  const wasLetIn = into !== null && request.awaitsRoomSince === null
  const brought = await broughtInBy(rt.db, {
    personId,
    identityId,
    groupId: wasLetIn ? into.id : null,
    hasBound,
  })
  if (hasBound) await unbindRequested(rt.db, identityId, personId)
  // the accounts in the groups are nobody's we know; in other groups the next reading asks about them
  for (const { id } of brought) await updateMember(rt.db, id, { personId: null, knownBy: null })
  if (!wasLetIn) return false
  await endPasses(rt.db, { personId, groupId: into.id, identityId }, 'undone', now)
  const accounts = brought.filter(each => each.groupId === into.id)
  for (const { address } of accounts) await askRemoval(rt, into, { personId, address }, now)
  const noted = steps.findLast(step => step.step === 'admitted')?.effects.member
  const left = noted ? await takeNotedBack(rt, identityId, { ...noted, personId }, into, now) : null
  if (left) await askRemoval(rt, into, { personId, ...left }, now)
  return accounts.length > 0 || left !== null
}

/** What anybody can write, and the approval itself: the only ground on which an approval's own membership is known. */
const unproved: readonly (string | null)[] = ['join_request', 'remark', 'nickname', null]

/**
 * Ends the membership that an approval has noted, whatever it is known by now, unless another account's approval as the person stands;
 * who was in the list before, by what anybody can write, is known by that again.
 * @returns who is in the group by it, as far as is known; null: nobody
 */
async function takeNotedBack(
  rt: DomainRuntime,
  identityId: number,
  noted: { id: number; was: string | null; personId: number },
  group: GroupWithUnit,
  now: Date,
): Promise<{ address: string | null } | null> {
  const { personId } = noted
  if (await hasOtherApproval(rt.db, identityId, personId, group.id)) return null
  const wasToBePulled = await closeInvitation(rt, group, personId, now)
  const wasToBeAdded = (await cancelWaysIn(rt.db, 'add_to_appchat', { personId, groupId: group.id })) > 0
  const member = await membershipIn(rt.db, group.id, personId)
  // gone again, or taken back by the account
  if (member?.id !== noted.id) return null
  if (member.address !== null) {
    // an account that has proven to be the person's is not there by the approval
    if (!unproved.includes(member.knownBy)) return null
    await updateMember(rt.db, member.id, { personId: null, knownBy: null })
    return { address: member.address }
  }
  await updateMember(rt.db, member.id, noted.was === null ? { leftAt: now } : { knownBy: noted.was })
  if (!wasToBePulled && !wasToBeAdded) return { address: null }
  if (noted.was === null) await addToSize(rt.db, group.id, -1)
  return null
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

/** The owner while they stand on the roster, else whoever answers for the unit, is asked to remove somebody. */
async function askRemoval(
  rt: DomainRuntime,
  group: GroupWithUnit,
  who: { personId: number; address: string | null },
  now: Date,
): Promise<void> {
  const name = (await personById(rt.db, who.personId))?.name ?? ''
  const why = `以“${name}”的名义入群，审核结论已撤销，请核实后移出`
  const reviewers = await firstReviewers(rt, group)
  const taskId = await openTask(rt.db, {
    kind: 'remove_member',
    groupId: group.id,
    personId: who.address === null ? who.personId : null,
    address: who.address,
    why,
    dueOn: dayOf(new Date(now.getTime() + TASK_DAYS * 86_400_000)),
    askedId: reviewers?.personIds[0] ?? null,
    createdAt: now,
  })
  if (taskId === null) return
  for (const personId of reviewers?.personIds ?? [])
    await sendToPerson(
      rt,
      personId,
      'task',
      `【请移出成员】${group.name}（群号 ${group.id}）：${why}。发送“任务”可看全部。`,
    )
}
