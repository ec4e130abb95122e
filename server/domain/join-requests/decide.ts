import { type GroupWithUnit, groupById } from '../../../db/queries/groups.ts'
import {
  decideRequest,
  type JoinRequestRow,
  joinRequestById,
  waitingRequests,
} from '../../../db/queries/join-requests.ts'
import { personsByIds } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesGroup, managingRoles } from '../actor.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'
import { admitPerson } from './admit.ts'
import { candidateLines, shownRequest } from './submit.ts'

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

/**
 * Approves a referred request as one of its candidates. Where it may mean several people nobody is chosen silently,
 * because the account will be taken for that person's.
 * @param choice which of the candidates, counted from 1; null: the only one
 * @throws DomainError `join_request.unknown`, `join_request.decided`, `join_request.nobody`, `join_request.which`,
 *   `group.unknown`, `rights.missing`
 */
export async function approveRequest(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  choice: number | null,
): Promise<{ name: string; groupName: string }> {
  const { request, group } = await requireReferred(rt, actor, id)
  if (group.dissolvedAt)
    throw new DomainError('group.unknown', `“${group.name}”已经解散，不能再入群。请回复：拒绝 ${id} 群已解散`)
  const { candidateIds } = request
  const isClear = candidateIds.length === 1 || request.reason !== 'ambiguous'
  if (candidateIds.length > 0 && (choice === null ? !isClear : candidateIds[choice - 1] === undefined))
    throw new DomainError(
      'join_request.which',
      [
        `申请 ${id} 可能是这几位，请写明是第几位：`,
        ...(await candidateLines(rt, candidateIds)),
        `如：同意 ${id} 1`,
      ].join('\n'),
    )
  const candidateId = candidateIds[(choice ?? 1) - 1]
  if (candidateId === undefined)
    throw new DomainError(
      'join_request.nobody',
      `申请 ${id} 在名册里没有对应的人，不能同意。请先由项目办更正名册，再请本人重新申请；或回复“拒绝 ${id} 理由”。`,
    )
  await close(rt, actor, request, { decision: 'approved', personId: candidateId, note: '' })
  const answer = await admitPerson(rt, group, candidateId, request.identityId)
  await sendToIdentity(rt, request.identityId, 'decision', answer)
  const [person] = await personsByIds(rt.db, [candidateId])
  return { name: person?.name ?? '', groupName: group.name }
}

/** Refuses a referred request; the applicant is told the reason and may ask again. @throws DomainError as above */
export async function rejectRequest(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
  note: string,
): Promise<{ groupName: string }> {
  const { request, group } = await requireReferred(rt, actor, id)
  await close(rt, actor, request, { decision: 'rejected', personId: null, note })
  await sendToIdentity(
    rt,
    request.identityId,
    'decision',
    `您加入“${group.name}”的申请没有通过${note ? `，群主说：${note}` : '。'}\n如有出入，请核对姓名、手机号后重新申请，或联系本单位负责同志更正名册。`,
  )
  return { groupName: group.name }
}

async function requireReferred(
  rt: DomainRuntime,
  actor: KnownActor,
  id: number,
): Promise<{ request: JoinRequestRow; group: GroupWithUnit }> {
  const request = await joinRequestById(rt.db, id)
  const group = request ? await groupById(rt.db, request.groupId) : null
  if (!request || !group) throw new DomainError('join_request.unknown', `没有编号是 ${id} 的入群申请。`)
  if (!managesGroup(rt.templates, actor, group)) throw notAllowed(`处理申请 ${id}`)
  if (request.decision !== 'referred') throw decided(id)
  return { request, group }
}

async function close(
  rt: DomainRuntime,
  actor: KnownActor,
  request: JoinRequestRow,
  outcome: { decision: 'approved' | 'rejected'; personId: number | null; note: string },
): Promise<void> {
  const now = rt.clock.now()
  const verb = outcome.decision === 'approved' ? '同意' : '拒绝'
  const isMine = await decideRequest(rt.db, request.id, {
    decision: outcome.decision,
    decidedBy: actor.person.id,
    decidedAt: now,
    personId: outcome.personId,
    explanation: `${request.explanation}；${actor.person.name}${verb}${outcome.note ? `：${outcome.note}` : ''}`,
  })
  if (!isMine) throw decided(request.id)
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: `join_request.${outcome.decision}`,
    subjectKind: 'join_request',
    subjectId: request.id,
    details: { groupId: request.groupId, reason: request.reason, by: 'person' },
  })
}

function decided(id: number): DomainError {
  return new DomainError('join_request.decided', `申请 ${id} 已经处理过了。`)
}
