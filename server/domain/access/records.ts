import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { type RecordRow, recordById } from '../../../db/queries/records.ts'
import { groupPolicy } from './groups.ts'
import type { Policy } from './policy.ts'

/** A message record of a group that one looks after. */
export const recordPolicy: Policy<{ record: RecordRow; group: GroupWithUnit }> = {
  name: 'record',
  param: 'recordId',
  async find(rt, viewer, id) {
    const record = await recordById(rt.db, id)
    if (!record) return null
    const group = await groupPolicy.find(rt, viewer, record.groupId)
    return group && { record, group }
  },
}
