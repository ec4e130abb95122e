import { outgoingById } from '../../../db/queries/outgoing.ts'
import type { Policy } from './policy.ts'

/** What goes out, for whoever looks after the server: to whom, and what became of it; not what it says. */
export const outgoingPolicy: Policy<NonNullable<Awaited<ReturnType<typeof outgoingById>>>> = {
  name: 'outgoing message',
  param: 'outgoingId',
  async find(rt, viewer, id) {
    return viewer.isAdministrator ? outgoingById(rt.db, id) : null
  },
}
