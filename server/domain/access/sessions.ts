import { type SessionRow, sessionsOf } from '../../../db/queries/sessions.ts'
import type { Policy } from './policy.ts'

/** A session of one's own that stands. */
export const ownSessionPolicy: Policy<SessionRow> = {
  name: 'own session',
  param: 'sessionId',
  async find(rt, viewer, id) {
    const sessions = await sessionsOf(rt.db, viewer.actor.person.id, rt.clock.now())
    return sessions.find(session => session.id === id) ?? null
  },
}
