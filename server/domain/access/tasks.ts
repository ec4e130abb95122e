import { type GroupWithUnit, type TaskRow, taskById } from '../../../db/queries/groups.ts'
import { groupPolicy } from './groups.ts'
import type { Policy } from './policy.ts'
import { unitPolicy } from './units.ts'

/** Something that the owner of a group is asked to do, of a group that one looks after. */
export const taskPolicy: Policy<{ task: TaskRow; group: GroupWithUnit }> = {
  name: 'task',
  param: 'taskId',
  async find(rt, viewer, id) {
    const task = await taskById(rt.db, id)
    if (task?.groupId == null) return null
    const group = await groupPolicy.find(rt, viewer, task.groupId)
    return group && { task, group }
  },
}

/** Something that the reconcile has found, about a group that one looks after or a unit that one runs. */
export const findingPolicy: Policy<TaskRow> = {
  name: 'finding',
  param: 'findingId',
  async find(rt, viewer, id) {
    const task = await taskById(rt.db, id)
    if (!task) return null
    const thing =
      task.groupId !== null
        ? await groupPolicy.find(rt, viewer, task.groupId)
        : task.unitId !== null && (await unitPolicy.find(rt, viewer, task.unitId))
    return thing ? task : null
  },
}
