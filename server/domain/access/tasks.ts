import { type GroupWithUnit, type TaskRow, taskById } from '../../../db/queries/groups.ts'
import { groupPolicy } from './groups.ts'
import type { Policy } from './policy.ts'

/** Something that the owner of a group is asked to do, of a group that one looks after. */
export const taskPolicy: Policy<{ task: TaskRow; group: GroupWithUnit }> = {
  name: 'task',
  param: 'taskId',
  async find(rt, viewer, id) {
    const task = await taskById(rt.db, id)
    if (!task) return null
    const group = await groupPolicy.find(rt, viewer, task.groupId)
    return group && { task, group }
  },
}
