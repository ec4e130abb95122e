import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Channel, Update } from '../channels/channel.ts'
import { ChannelError } from '../channels/errors.ts'
import type { Runtime } from '../runtime.ts'
import type { UpdateHandler } from '../updates.ts'

/** A callback is small; the largest, a long forwarded text, is a few kilobytes. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * The only door for platforms: `GET` and `POST /webhooks/wecom` and `/webhooks/official-account`.
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
    for (const channel of [rt.channels.wecom, rt.channels.officialAccount]) {
      if (!channel) continue
      scope.get(`/webhooks/${channel.name}`, (request, reply) => {
        const reception = receive(rt, channel, request)
        if (reception.kind !== 'verification') throw new ChannelError('malformed', 'echostr is missing')
        // bare text: a quote, a BOM or a line end makes the platform refuse the address
        return reply.type('text/plain').send(reception.answer)
      })
      scope.post(`/webhooks/${channel.name}`, async (request, reply) => {
        const reception = receive(rt, channel, request)
        if (reception.kind !== 'update') throw new ChannelError('malformed', 'a verification is a GET')
        const { update } = reception
        return acknowledge(rt, channel, reply, update, await updates.accept(update))
      })
    }
  })
}

function receive(rt: Runtime, channel: Channel, request: FastifyRequest) {
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.query as Record<string, unknown>)) {
    if (typeof value !== 'string') throw new ChannelError('malformed', 'a query parameter is repeated')
    query[name] = value
  }
  const body = typeof request.body === 'string' ? request.body : ''
  return channel.receive({ query, body }, rt.clock.now())
}

function acknowledge(
  rt: Runtime,
  channel: Channel,
  reply: FastifyReply,
  update: Update,
  answer: string | null,
) {
  const { contentType, body } = channel.acknowledge(update, answer, rt.clock.now())
  return reply.type(contentType).send(body)
}
