import { closeTask, groupById, requestReading, taskById } from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesGroup } from '../actor.ts'

export interface FinishedTask {
  groupName: string
  /** `word`: closed on the actor's word; `was_closed`: before; `platform`: the group is read, which will show. */
  outcome: 'word' | 'was_closed' | 'platform'
}

/**
 * Somebody says that a task is done. Where the platform tells who is in the group their word is not taken: the group is
 * read at once, and the task closes when the reading shows it.
 * @throws DomainError `task.unknown`, also for a task of a group that the actor does not look after
 */
export async function finishTask(
  rt: DomainRuntime,
  actor: KnownActor,
  taskId: number,
): Promise<FinishedTask> {
  const task = await taskById(rt.db, taskId)
  const group = task && (await groupById(rt.db, task.groupId))
  // another county's task is none, whatever its number
  if (!task || !group || group.dissolvedAt || !managesGroup(rt.templates, actor, group))
    throw new DomainError('task.unknown', '没有这个编号的任务。发送“任务”可以看到编号。')
  const now = rt.clock.now()
  if (group.chatId) {
    await requestReading(rt.db, group.chatId, now)
    return { groupName: group.name, outcome: 'platform' }
  }
  if (!(await closeTask(rt.db, task.id, 'word', now))) return { groupName: group.name, outcome: 'was_closed' }
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: 'task.done',
    subjectKind: 'group',
    subjectId: group.id,
    details: { task: task.id, kind: task.kind, by: 'word' },
  })
  return { groupName: group.name, outcome: 'word' }
}
