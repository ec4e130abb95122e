import {
  closeTask,
  endMembership,
  type GroupWithUnit,
  groupById,
  insertMember,
  requestReading,
  type TaskRow,
  taskById,
} from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesGroup, managesUnit } from '../actor.ts'
import { isReadByPlatform } from './check-composition.ts'
import { isFindingKind } from './findings.ts'
import { restingKinds } from './keep-findings.ts'
import { reconcileUnit } from './reconcile-units.ts'

export interface FinishedTask {
  /** Of the group, or of the unit that it is about. */
  placeName: string
  /**
   * `word`: closed on the actor's word; `was_closed`: before; `platform`: the group is read, which will show; `checked`: the
   * system looked, and it is done; `stands`: it looked, and it is not.
   */
  outcome: 'word' | 'was_closed' | 'platform' | 'checked' | 'stands'
}

/** Who is in a group: where nobody can read it, the owner's word is all there is. */
const memberKinds = ['remove_member', 'identify_member', 'invite_member', 'contact_absent']

/**
 * Somebody says that a task is done. Their word is taken only where nothing can be read, and marked as such: what the
 * system can see for itself it looks at at once, and where the platform tells who is in the group it is read.
 * @throws DomainError `task.unknown`, also for a task of a group that the actor does not look after
 */
export async function finishTask(
  rt: DomainRuntime,
  actor: KnownActor,
  taskId: number,
): Promise<FinishedTask> {
  const task = await taskById(rt.db, taskId)
  const place = task && (await placeOf(rt, actor, task))
  // another county's task is none, whatever its number
  if (!task || !place) throw new DomainError('task.unknown', '没有这个编号的任务。发送“任务”可以看到编号。')
  const { name: placeName, group, unitId } = place
  if (task.closedAt !== null) return { placeName, outcome: 'was_closed' }
  const now = rt.clock.now()
  const isOfMembers = memberKinds.includes(task.kind)
  if (isOfMembers && group?.chatId && isReadByPlatform(group)) {
    await requestReading(rt.db, group.chatId, now)
    return { placeName, outcome: 'platform' }
  }
  if (!isOfMembers && isFindingKind(task.kind) && !restingKinds.includes(task.kind)) {
    await reconcileUnit(rt, unitId)
    const isClosed = (await taskById(rt.db, taskId))?.closedAt !== null
    return { placeName, outcome: isClosed ? 'checked' : 'stands' }
  }
  if (!(await closeTask(rt.db, task.id, 'word', now))) return { placeName, outcome: 'was_closed' }
  if (group && isOfMembers) await noteWord(rt, group, task, now)
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: 'task.done',
    subjectKind: group ? 'group' : 'unit',
    subjectId: group?.id ?? unitId,
    details: { task: task.id, kind: task.kind, by: 'word' },
  })
  return { placeName, outcome: 'word' }
}

/** What the word says of who is in the group, so that the next night does not ask again. */
async function noteWord(rt: DomainRuntime, group: GroupWithUnit, task: TaskRow, now: Date): Promise<void> {
  if (task.kind === 'remove_member' || task.kind === 'identify_member')
    return endMembership(
      rt.db,
      { groupId: group.id, personId: task.personId, address: task.address, nickname: task.about },
      now,
    )
  if (task.personId !== null)
    await insertMember(rt.db, {
      groupId: group.id,
      personId: task.personId,
      address: null,
      nickname: null,
      knownBy: 'word',
      joinedAt: now,
    })
}

async function placeOf(
  rt: DomainRuntime,
  actor: KnownActor,
  task: TaskRow,
): Promise<{ name: string; group: GroupWithUnit | null; unitId: number } | null> {
  if (task.groupId !== null) {
    const group = await groupById(rt.db, task.groupId)
    if (!group || group.dissolvedAt || !managesGroup(rt.templates, actor, group)) return null
    return { name: group.name, group, unitId: group.unitId }
  }
  const unit = task.unitId === null ? null : await unitById(rt.db, task.unitId)
  if (!unit) return null
  const mayFinish = task.askedId === actor.person.id || managesUnit(rt.templates, actor, unit.path)
  return mayFinish ? { name: unit.name, group: null, unitId: unit.id } : null
}
