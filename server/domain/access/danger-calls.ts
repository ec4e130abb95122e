import { type DangerCall, dangerCallById } from '../../../db/queries/danger.ts'
import { wasCalled } from '../danger/phone.ts'
import type { Policy } from './policy.ts'

/** A call for help, for the officers who were told of it. */
export const dangerCallPolicy: Policy<DangerCall> = {
  name: 'danger call',
  param: 'callId',
  async find(rt, viewer, id) {
    const call = await dangerCallById(rt.db, id)
    return call && (await wasCalled(rt, call, viewer.actor.person.id)) ? call : null
  },
}
