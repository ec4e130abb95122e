import { updateById } from '../../../db/queries/updates.ts'
import type { Policy } from './policy.ts'

/** What came in, for whoever looks after the server. What it says is nobody's but its writer's. */
export const updatePolicy: Policy<NonNullable<Awaited<ReturnType<typeof updateById>>>> = {
  name: 'update',
  param: 'updateId',
  async find(rt, viewer, id) {
    return viewer.isAdministrator ? updateById(rt.db, id) : null
  },
}
