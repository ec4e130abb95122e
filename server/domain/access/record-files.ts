import { activityById } from '../../../db/queries/activities.ts'
import { groupsOfReport, type RecordFileRow, recordFileById } from '../../../db/queries/record-files.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { managesUnit } from '../actor.ts'
import { groupPolicy } from './groups.ts'
import type { Policy, Viewer } from './policy.ts'

/** A picture that belongs to a record or an activity of a group that one looks after, or of a unit that one runs. */
export const recordFilePolicy: Policy<RecordFileRow> = {
  name: 'record file',
  param: 'recordFileId',
  async find(rt, viewer, id) {
    const file = await recordFileById(rt.db, id)
    return file && (await isInView(rt, viewer, file)) ? file : null
  },
}

async function isInView(rt: DomainRuntime, viewer: Viewer, file: RecordFileRow): Promise<boolean> {
  if (file.activityId !== null) {
    const activity = await activityById(rt.db, file.activityId)
    if (!activity) return false
    if (managesUnit(rt.templates, viewer.actor, activity.unitPath)) return true
    return activity.groupId !== null && (await groupPolicy.find(rt, viewer, activity.groupId)) !== null
  }
  if (file.updateId === null) return false
  for (const groupId of await groupsOfReport(rt.db, file.uploadedBy, file.updateId))
    if (await groupPolicy.find(rt, viewer, groupId)) return true
  return false
}
