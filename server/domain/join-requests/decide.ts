import { type GroupWithUnit, groupById } from '../../../db/queries/groups.ts'
import { identityById } from '../../../db/queries/identities.ts'
import {
  changeRequest,
  insertStep,
  type JoinRequestRow,
  joinRequestById,
  type SeenCandidate,
  waitingRequests,
} from '../../../db/queries/join-requests.ts'
import { personsByIds } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesGroup, managingRoles } from '../actor.ts'
import { settleCards } from '../outgoing/card.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'
import { admitPerson } from './admit.ts'
import { seenInReview } from './review.ts'
import { candidateLines, shownCandidates, shownRequest } from './shown-request.ts'

export interface WaitingRequest {
  id: number
  groupName: string
  /** What was written, with personal data masked. */
  text: string
  explanation: string
}

/** The requests that wait for this person: of the groups they own and those below the units they run. */
export async function listWaiting(rt: DomainRuntime, actor: KnownActor): Promise<WaitingRequest[]> {
  const paths = managingRoles(rt.templates, actor).map(role => role.unitPath)
  const rows = await waitingRequests(rt.db, actor.person.id, paths)
  return rows
    .filter(row => managesGroup(rt.templates, actor, row))
    .map(({ request, groupName }) => ({
      id: request.id,
      groupName,
      text: shownRequest(rt.vault.open(request.textSealed)),
      explanation: request.explanation,
    }))
}

/** Which of the candidates: their number in the list, counted from 1, or the person that was picked; null: the only one. */
export type Choice = { place: number } | { personId: number } | null

/**
 * Approves a referred request as one of its candidates. Where it may mean several people nobody is chosen silently,
 * because the account will be taken for that person's.
 * @throws DomainError `join_request.unknown`, `join_request.decided`, `join_request.own`, `join_request.nobody`, `join_request.which`,
 *   `group.unknown`, `rights.missing`
 */
export async function approveRequest(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  choice: Choice,
): Promise<{ name: string; groupName: string }> {
  const { request, group } = await requireReferred(rt, actor, id)
  const asker = await identityById(rt.db, request.identityId)
  if (asker?.id === actor.identityId || asker?.personId === actor.person.id)
    throw new DomainError('join_request.own', '自己的申请不能自己同意，请由本单位其他负责同志或上级处理。')
  if (group.dissolvedAt)
    throw new DomainError('group.unknown', `“${group.name}”已经解散，不能再入群。请回复：拒绝 ${id} 群已解散`)
  const { candidateIds } = request
  const personId = chosen(candidateIds, choice)
  const isClear =
    choice !== null ||
    candidateIds.length === 1 ||
    (request.reason !== 'ambiguous' && isSetApart(candidateIds, await seenInReview(rt, request, group)))
  if (candidateIds.length > 0 && (!isClear || personId === undefined))
    throw new DomainError(
      'join_request.which',
      [
        `申请 ${id} 可能是这几位，请写明是第几位：`,
        ...candidateLines(await shownCandidates(rt, candidateIds)),
        `如：同意 ${id} 1`,
      ].join('\n'),
    )
  if (personId === undefined)
    throw new DomainError(
      'join_request.nobody',
      `申请 ${id} 在名册里没有对应的人，不能同意。请先由项目办更正名册，再请本人重新申请；或回复“拒绝 ${id} 理由”。`,
    )
  await close(rt, actor, { request, group }, { decision: 'approved', personId, note: '' })
  const { identityId, reason } = request
  const answer = await admitPerson(rt, { requestId: id, group, personId, identityId, reason })
  await sendToIdentity(rt, identityId, 'decision', answer)
  const [person] = await personsByIds(rt.db, [personId])
  return { name: person?.name ?? '', groupName: group.name }
}

/** Whether nobody but the first candidate can be meant: only theirs are the name and a number as the roster has them. */
export function isSetApart(candidateIds: readonly number[], seen: readonly SeenCandidate[]): boolean {
  const proven = seen.filter(
    ({ name, phone, idNumber, idTail }) => name === 'exact' && [phone, idNumber, idTail].includes('right'),
  )
  return proven.length === 1 && proven[0]?.personId === candidateIds[0]
}

function chosen(candidateIds: number[], choice: Choice): number | undefined {
  if (choice === null) return candidateIds[0]
  return 'place' in choice
    ? candidateIds[choice.place - 1]
    : candidateIds.find(personId => personId === choice.personId)
}

/** Refuses a referred request; the applicant is told the reason and may ask again. @throws DomainError as above */
export async function rejectRequest(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  note: string,
): Promise<{ groupName: string }> {
  const { request, group } = await requireReferred(rt, actor, id)
  await close(rt, actor, { request, group }, { decision: 'rejected', personId: null, note })
  const who = group.ownerId === actor.person.id ? '群主' : '本单位负责同志'
  await sendToIdentity(
    rt,
    request.identityId,
    'decision',
    `您加入“${group.name}”的申请没有通过${note ? `，${who}说：${note}` : '。'}\n如有出入，请核对姓名、手机号后重新申请，或联系本单位负责同志更正名册。`,
  )
  return { groupName: group.name }
}

/** A request whose group the actor looks after. @throws DomainError `join_request.unknown`, `rights.missing` */
export async function requireRequest(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
): Promise<{ request: JoinRequestRow; group: GroupWithUnit }> {
  const request = await joinRequestById(rt.db, id)
  const group = request ? await groupById(rt.db, request.groupId) : null
  if (!request || !group) throw new DomainError('join_request.unknown', `没有编号是 ${id} 的入群申请。`)
  if (!managesGroup(rt.templates, actor, group)) throw notAllowed(`处理申请 ${id}`)
  return { request, group }
}

async function requireReferred(rt: DomainRuntime, actor: KnownActor, id: number) {
  const found = await requireRequest(rt, actor, id)
  if (found.request.decision !== 'referred') throw await alreadyDecided(rt, found.request)
  return found
}

async function close(
  rt: DomainRuntime,
  actor: KnownActor,
  { request, group }: { request: JoinRequestRow; group: GroupWithUnit },
  outcome: { decision: 'approved' | 'rejected'; personId: number | null; note: string },
): Promise<void> {
  const now = rt.clock.now()
  const { decision, personId, note } = outcome
  const verb = decision === 'approved' ? '同意' : '拒绝'
  const seen = await seenInReview(rt, request, group)
  const isMine = await changeRequest(rt.db, request.id, 'referred', {
    decision,
    decidedBy: actor.person.id,
    decidedAt: now,
    personId,
    escalateAt: null,
    // what was said for it stands sealed in the step: people write names and numbers
    explanation: `${request.explanation}；${actor.person.name}${verb}`,
  })
  if (!isMine) throw await alreadyDecided(rt, (await joinRequestById(rt.db, request.id)) ?? request)
  await insertStep(rt.db, {
    requestId: request.id,
    step: decision,
    at: now,
    actorId: actor.person.id,
    personId,
    reason: request.reason,
    noteSealed: note === '' ? null : rt.vault.seal(note),
    seen,
    effects: {},
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: `join_request.${decision}`,
    subjectKind: 'join_request',
    subjectId: request.id,
    details: { groupId: request.groupId, reason: request.reason, by: 'person' },
  })
  await settleCards(rt, { kind: 'join_request', id: request.id }, `${actor.person.name}已${verb}`)
}

/** Whoever comes second is told who was first. */
async function alreadyDecided(rt: DomainRuntime, request: JoinRequestRow): Promise<DomainError> {
  const { id, decision, decidedBy, decidedAt } = request
  const [decider] = decidedBy === null ? [] : await personsByIds(rt.db, [decidedBy])
  const how = decision === 'approved' ? '同意' : '拒绝'
  const by = decider ? `，${decider.name}${decidedAt ? `${chineseMoment(decidedAt)}` : ''}${how}` : ''
  return new DomainError(
    'join_request.decided',
    `申请 ${id} 已经处理过了${by}。要改的，请回复：撤销 ${id} 理由`,
  )
}
