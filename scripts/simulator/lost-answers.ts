import type { FastifyInstance } from 'fastify'
import type { Core } from './core.ts'
import type { FaultName } from './types.ts'

/** Whose answers each fault loses, by the host that stands first in the path; a response_url has none. */
const LOST: [host: RegExp, fault: FaultName][] = [
  [/^\/(?:qyapi|api)\.weixin\.qq\.com(\/[^?]*)/, 'answers-lost'],
  [/^(\/cgi-bin\/[^?]*)/, 'answers-lost'],
  [/^\/api\.mch\.weixin\.qq\.com(\/[^?]*)/, 'pay-answer-lost'],
]

/**
 * The faults that carry a call out and then close the connection without an answer, so that the caller cannot know.
 *
 * To be called before the server listens. A path in the fault's options is compared with the path after the host.
 */
export function loseAnswers(app: FastifyInstance, core: Core): void {
  app.addHook('onSend', async (request, reply, payload) => {
    for (const [host, fault] of LOST) {
      const path = host.exec(request.url)?.[1]
      if (path === undefined || !core.faults.strikes(fault, path)) continue
      core.log.add('answer_lost', { path, status: reply.statusCode })
      request.raw.socket.destroy()
    }
    return payload
  })
}
