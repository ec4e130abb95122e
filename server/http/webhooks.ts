import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CallbackRequest, Door, Reception } from '../channels/channel.ts'
import { ChannelError } from '../channels/errors.ts'
import type { Runtime } from '../runtime.ts'
import type { UpdateHandler } from '../updates.ts'

/** A callback is small; the largest, a long forwarded text, is a few kilobytes. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * The only door for platforms: `GET` and `POST /webhooks/wecom`, `/webhooks/official-account` and `/webhooks/aibot`.
 *
 * A callback is verified, stored, and only then answered. What the bot has to say goes back with the answer when it is
 * ready in time, and as a message of its own when it is not.
 */
export function registerWebhooks(app: FastifyInstance, rt: Runtime, updates: UpdateHandler): void {
  app.register(async scope => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      '*',
      { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
      (_request, body, done) => done(null, body),
    )
    for (const door of [rt.channels.wecom, rt.channels.officialAccount, rt.channels.aibot]) {
      if (!door) continue
      scope.get(`/webhooks/${door.name}`, (request, reply) => {
        const reception = receive(rt, door, callbackOf(request))
        if (reception.kind !== 'verification') throw new ChannelError('malformed', 'echostr is missing')
        // bare text: a quote, a BOM or a line end makes the platform refuse the address
        return reply.type('text/plain').send(reception.answer)
      })
      scope.post(`/webhooks/${door.name}`, async (request, reply) => {
        const callback = callbackOf(request)
        const reception = receive(rt, door, callback)
        if (reception.kind === 'verification') throw new ChannelError('malformed', 'a verification is a GET')
        const about = reception.kind === 'poll' ? reception.about : reception.update
        const answer =
          reception.kind === 'poll' ? await updates.lookUp(about) : await updates.accept(reception.update)
        const response = door.acknowledge(callback, about, answer, rt.clock.now())
        return reply.type(response.contentType).send(response.body)
      })
    }
  })
}

function receive(rt: Runtime, door: Door, callback: CallbackRequest): Reception {
  return door.receive(callback, rt.clock.now())
}

/** @throws ChannelError `malformed` for a repeated parameter: which of the two was signed cannot be told */
function callbackOf(request: FastifyRequest): CallbackRequest {
  const query = request.query as Record<string, string>
  for (const name in query)
    if (typeof query[name] !== 'string') throw new ChannelError('malformed', 'a query parameter is repeated')
  return { query, body: typeof request.body === 'string' ? request.body : '' }
}
