import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CallbackRequest, Door, Reception } from '../channels/channel.ts'
import { ChannelError } from '../channels/errors.ts'
import type { Runtime } from '../runtime.ts'
import type { UpdateHandler } from '../updates.ts'
import { errorBody, logError, statusOf } from './errors.ts'

/** A callback is small; the largest, a long forwarded text, is a few kilobytes. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * The only door for platforms: `GET` and `POST /webhooks/wecom`, `/webhooks/official-account` and `/webhooks/aibot`.
 *
 * A callback is verified, stored, and only then answered. What the bot has to say goes back with the answer when it is
 * ready in time, and as a message of its own when it is not.
 */
export function registerWebhooks(app: FastifyInstance, rt: Runtime, updates: UpdateHandler): void {
  for (const door of [rt.channels.wecom, rt.channels.officialAccount, rt.channels.aibot]) {
    if (!door) continue
    app.get(`/webhooks/${door.name}`, (request, reply) => {
      const reception = receive(rt, door, callbackOf(request, ''))
      if (reception.kind !== 'verification') throw new ChannelError('malformed', 'echostr is missing')
      // bare text: a quote, a BOM or a line end makes the platform refuse the address
      return reply.type('text/plain').send(reception.answer)
    })
    app.post(
      `/webhooks/${door.name}`,
      {
        // taken from fastify as soon as it has found the route: how it reads a body and writes an answer costs a callback
        // as much as verifying it does (docs/performance.md)
        onRequest(request, reply) {
          reply.hijack()
          void answerPost(rt, updates, door, request, reply.raw)
        },
      },
      () => {
        throw new Error('a callback is answered before it comes here')
      },
    )
  }
}

async function answerPost(
  rt: Runtime,
  updates: UpdateHandler,
  door: Door,
  request: FastifyRequest,
  response: ServerResponse,
): Promise<void> {
  try {
    const callback = callbackOf(request, await bodyOf(request.raw))
    const reception = receive(rt, door, callback)
    if (reception.kind === 'verification') throw new ChannelError('malformed', 'a verification is a GET')
    const about = reception.kind === 'poll' ? reception.about : reception.update
    const answer =
      reception.kind === 'poll' ? await updates.lookUp(about) : await updates.accept(reception.update)
    const { contentType, body } = door.acknowledge(callback, about, answer, rt.clock.now())
    write(response, 200, contentType, body)
  } catch (error) {
    logError(rt.log, request, error)
    // what is left of a body that is too long is not read
    if (statusOf(error) === 413) response.setHeader('connection', 'close')
    write(response, statusOf(error), 'application/json', JSON.stringify(errorBody(error)))
  }
}

function write(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': `${contentType}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

/** @throws Error with the status 413 when it is longer than a callback is, 400 when the rest does not come */
function bodyOf(request: IncomingMessage): Promise<string> {
  return new Promise((done, fail) => {
    let body = ''
    let bytes = 0
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      bytes += Buffer.byteLength(chunk)
      if (bytes <= MAX_BODY_BYTES) body += chunk
      else {
        request.pause()
        fail(Object.assign(new Error('the body is too long'), { statusCode: 413 }))
      }
    })
    request.on('end', () => done(body))
    request.on('close', () => fail(Object.assign(new Error('the body was broken off'), { statusCode: 400 })))
    request.on('error', fail)
  })
}

function receive(rt: Runtime, door: Door, callback: CallbackRequest): Reception {
  return door.receive(callback, rt.clock.now())
}

/** @throws ChannelError `malformed` for a repeated parameter: which of the two was signed cannot be told */
function callbackOf(request: FastifyRequest, body: string): CallbackRequest {
  const query = request.query as Record<string, string>
  for (const name in query)
    if (typeof query[name] !== 'string') throw new ChannelError('malformed', 'a query parameter is repeated')
  return { query, body }
}
