import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { type JoinRequestRow, joinRequestById } from '../../../db/queries/join-requests.ts'
import { groupPolicy } from './groups.ts'
import type { Policy } from './policy.ts'

/** A join request of a group that one looks after. */
export const joinRequestPolicy: Policy<{
  request: JoinRequestRow
  group: GroupWithUnit
}> = {
  name: 'join request',
  param: 'requestId',
  async find(rt, viewer, id) {
    const request = await joinRequestById(rt.db, id)
    if (!request) return null
    const group = await groupPolicy.find(rt, viewer, request.groupId)
    return group && { request, group }
  },
}
