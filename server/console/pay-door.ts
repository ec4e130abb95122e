import type { FastifyInstance } from 'fastify'
import { billsOfPerson } from '../../db/queries/pay-bills.ts'
import type { Runtime } from '../runtime.ts'
import { viewerOfRequest } from './session.ts'
import { shortestWayIn } from './sign-in.ts'

/**
 * `GET /pay`: the address in the message that money waits. Inside WeChat whoever opens it is known by the platform's own
 * login, and comes straight to the payment that waits for them, or to all of theirs.
 */
export function registerPayDoor(app: FastifyInstance, rt: Runtime): void {
  app.get('/pay', { config: { policy: 'public' as const } }, async (request, reply) => {
    const signedIn = await viewerOfRequest(rt, request)
    if (!signedIn) return reply.redirect(shortestWayIn(rt, request, '/pay'), 303)
    const own = await billsOfPerson(rt.db, signedIn.viewer.actor.person.id)
    const [one, ...others] = own.filter(({ bill }) => bill.state === 'waiting')
    const only = one && others.length === 0 ? `/${one.bill.id}` : ''
    return reply.redirect(`/me/payments${only}`, 303)
  })
}
