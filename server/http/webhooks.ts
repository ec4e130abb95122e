import type { IncomingMessage, ServerResponse } from 'node:http'
import { parse } from 'node:querystring'
import type { FastifyInstance } from 'fastify'
import type { CallbackRequest, Door, Reception } from '../channels/channel.ts'
import { ChannelError } from '../channels/errors.ts'
import { gathered, inStep } from '../in-step.ts'
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
export interface Webhooks {
  /**
   * Answers a callback that is posted to one of the doors, before fastify has seen it: what fastify does for a request
   * costs a callback as much as verifying it (docs/performance.md). false: it is something else, and untouched.
   */
  takePost(request: IncomingMessage, response: ServerResponse): boolean
  /** The verifications, and callbacks as well: those that come while the server stops, and in tests without a socket. */
  register(app: FastifyInstance): void
}

export function createWebhooks(rt: Runtime, updates: UpdateHandler): Webhooks {
  const { wecom, officialAccount, aibot } = rt.channels
  const doors = new Map(
    [wecom, officialAccount, aibot]
      .filter(door => door !== null)
      .map((door): [string, Door] => [`/webhooks/${door.name}`, door]),
  )
  return {
    takePost(request, response) {
      if (request.method !== 'POST') return false
      const { path, query } = partsOf(request)
      const door = doors.get(path)
      if (!door) return false
      void answerPost(rt, updates, door, query, request, response)
      return true
    },
    register(app) {
      for (const [path, door] of doors) {
        app.get(path, (request, reply) => {
          const reception = door.receive(callbackOf(partsOf(request.raw).query, ''), rt.clock.now())
          if (reception.kind !== 'verification') throw new ChannelError('malformed', 'echostr is missing')
          // bare text: a quote, a BOM or a line end makes the platform refuse the address
          return reply.type('text/plain').send(reception.answer)
        })
        app.post(
          path,
          {
            onRequest({ raw }, reply) {
              reply.hijack()
              void answerPost(rt, updates, door, partsOf(raw).query, raw, reply.raw)
            },
          },
          () => {
            throw new Error('a callback is answered before it comes here')
          },
        )
      }
    },
  }
}

async function answerPost(
  rt: Runtime,
  updates: UpdateHandler,
  door: Door,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await bodyOf(request)
    await gathered()
    const callback = callbackOf(query, body)
    const reception = receive(rt, door, callback)
    await inStep
    const about = reception.kind === 'poll' ? reception.about : reception.update
    const answer =
      reception.kind === 'poll' ? await updates.lookUp(about) : await updates.accept(reception.update)
    const reply = door.acknowledge(callback, about, answer, rt.clock.now())
    await inStep
    write(response, 200, reply.contentType, reply.body)
  } catch (error) {
    logError(rt.log, { method: 'POST', route: `/webhooks/${door.name}` }, error)
    // what is left of a body that is too long is not read
    if (statusOf(error) === 413) response.setHeader('connection', 'close')
    write(response, statusOf(error), 'application/json', JSON.stringify(errorBody(error)))
  }
}

function receive(rt: Runtime, door: Door, callback: CallbackRequest) {
  const reception: Reception = door.receive(callback, rt.clock.now())
  if (reception.kind === 'verification') throw new ChannelError('malformed', 'a verification is a GET')
  return reception
}

function write(response: ServerResponse, status: number, contentType: string, body: string): void {
  const bytes = Buffer.byteLength(body)
  response.writeHead(status, { 'content-type': `${contentType}; charset=utf-8`, 'content-length': bytes })
  // what is sealed is ASCII, and need not be encoded
  response.end(body, bytes === body.length ? 'latin1' : 'utf8')
}

/** @throws Error with the status 413 when it is longer than a callback is, 400 when the rest does not come */
function bodyOf(request: IncomingMessage): Promise<string> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
      else {
        request.pause()
        fail(refusal(413, 'the body is too long'))
      }
    })
    request.on('end', () => {
      const [first] = chunks
      done((chunks.length === 1 && first ? first : Buffer.concat(chunks)).toString('utf8'))
    })
    request.on('error', () => fail(refusal(400, 'the body was broken off')))
  })
}

function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode })
}

/** The address before the question mark, and what stands behind it. */
function partsOf({ url = '' }: IncomingMessage): { path: string; query: string } {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

/** @throws ChannelError `malformed` for a repeated parameter: which of the two was signed cannot be told */
function callbackOf(text: string, body: string): CallbackRequest {
  // every one of them is looked at; an address is no longer than a header may be
  const query = parse(text, '&', '=', { maxKeys: 0 })
  for (const name in query)
    if (typeof query[name] !== 'string') throw new ChannelError('malformed', 'a query parameter is repeated')
  return { query: query as Record<string, string>, body }
}
