import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import type { Simulator } from '../simulator.ts'
import type { LogEntry } from '../types.ts'
import { act } from './actions.ts'
import { viewBoard } from './board.ts'
import { viewLog } from './log-view.ts'
import { viewGroup, viewPerson, viewPersons, viewState } from './view.ts'

const FILES: Record<string, [file: string, type: string]> = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/phone': ['page.html', 'text/html; charset=utf-8'],
  '/phone/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/phone/console.css': ['console.css', 'text/css; charset=utf-8'],
  '/phone/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/phone/dom.js': ['dom.js', 'text/javascript; charset=utf-8'],
  '/phone/bubbles.js': ['bubbles.js', 'text/javascript; charset=utf-8'],
  '/phone/bills.js': ['bills.js', 'text/javascript; charset=utf-8'],
  '/phone/screens.js': ['screens.js', 'text/javascript; charset=utf-8'],
  '/phone/console.js': ['console.js', 'text/javascript; charset=utf-8'],
  '/phone/console-log.js': ['console-log.js', 'text/javascript; charset=utf-8'],
  '/phone/console-board.js': ['console-board.js', 'text/javascript; charset=utf-8'],
}
const POLICY =
  "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
/** Changes are told together this often, so that a busy run does not drown the page. */
const TELL_MS = 200
const MOST_TOLD = 200

interface PhoneServer {
  /** The page works once there is a simulator to act on. */
  connect(simulator: Simulator): void
  close(): void
}

/** Serves the phone page, its JSON and its event stream. */
export function servePhone(app: FastifyInstance, core: Core): PhoneServer {
  let simulator: Simulator | undefined
  const stream = createEventStream(core)

  for (const [path, [file, type]] of Object.entries(FILES)) {
    const body = readFileSync(join(import.meta.dirname, file))
    app.get(path, (_request, reply) =>
      reply
        .type(type)
        .header('content-security-policy', POLICY)
        .header('x-content-type-options', 'nosniff')
        .header('referrer-policy', 'no-referrer')
        .header('cache-control', 'no-cache')
        .send(body),
    )
  }

  const json = (reply: FastifyReply, value: unknown, status = 200) =>
    reply
      .code(status)
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(JSON.stringify(value))
  const view =
    (make: (request: FastifyRequest, sim: Simulator) => unknown) =>
    (request: FastifyRequest, reply: FastifyReply) => {
      if (!isLocal(core, request)) return json(reply, { error: '只能从本机打开' }, 403)
      if (!simulator) return json(reply, { error: '还没有启动好' }, 503)
      try {
        return json(reply, make(request, simulator))
      } catch (error) {
        return json(reply, { error: error instanceof Error ? error.message : '出错了' }, 404)
      }
    }
  const idOf = (request: FastifyRequest) => (request.params as { id: string }).id
  const textOf = (request: FastifyRequest, name: string) =>
    String((request.query as Record<string, unknown>)[name] ?? '')

  app.get(
    '/phone/state',
    view((_request, sim) => viewState(core, sim)),
  )
  app.get(
    '/phone/persons',
    view(request => viewPersons(core, textOf(request, 'q'))),
  )
  app.get(
    '/phone/persons/:id',
    view((request, sim) => viewPerson(core, sim, idOf(request))),
  )
  app.get(
    '/phone/groups/:id',
    view((request, sim) => viewGroup(core, sim, idOf(request))),
  )
  app.get(
    '/phone/log',
    view(request => viewLog(core, textOf(request, 'group'), textOf(request, 'q'))),
  )
  app.get(
    '/phone/board',
    view((_request, sim) => viewBoard(core, sim)),
  )
  app.get('/phone/events', (request, reply) => {
    if (!isLocal(core, request)) return json(reply, { error: '只能从本机打开' }, 403)
    reply.hijack()
    stream.add(reply.raw)
  })
  app.post('/phone/act', async (request, reply) => {
    if (!isLocal(core, request) || !isSameOrigin(request))
      return json(reply, { error: '不接受其他网站发来的操作' }, 403)
    if (core.options.phoneControl === false || !simulator)
      return json(reply, { error: '这个模拟器只能看，不能操作' }, 403)
    try {
      await act(simulator, JSON.parse(String(request.body)))
      return json(reply, { ok: true })
    } catch (error) {
      return json(reply, { error: error instanceof Error ? error.message : '出错了' }, 400)
    }
  })
  return {
    connect(running) {
      simulator = running
    },
    close: () => stream.close(),
  }
}

/** Listening on this machine only, it must be called by this machine's name: another name means a rebound DNS entry. */
function isLocal(core: Core, request: FastifyRequest): boolean {
  const bound = core.options.host ?? '127.0.0.1'
  if (bound !== '127.0.0.1' && bound !== 'localhost' && bound !== '::1') return true
  const name = (request.headers.host ?? '').replace(/:\d+$/, '')
  return name === '127.0.0.1' || name === 'localhost' || name === '[::1]'
}

/** Browsers say where a request comes from; one that does not say is not from our page. */
function isSameOrigin(request: FastifyRequest): boolean {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host
}

function createEventStream(core: Core) {
  const clients = new Set<ServerResponse>()
  const persons = new Set<string>()
  const groups = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  function tell(): void {
    timer = undefined
    const news = {
      persons: [...persons].slice(0, MOST_TOLD),
      groups: [...groups].slice(0, MOST_TOLD),
      many: persons.size > MOST_TOLD || groups.size > MOST_TOLD,
      log: core.log.total(),
    }
    persons.clear()
    groups.clear()
    for (const client of clients) client.write(`data: ${JSON.stringify(news)}\n\n`)
  }
  core.log.subscribe((entry: LogEntry) => {
    if (clients.size === 0) return
    if (typeof entry.personId === 'string') persons.add(entry.personId)
    if (typeof entry.groupId === 'string') groups.add(entry.groupId)
    timer ??= setTimeout(tell, TELL_MS)
  })
  return {
    add(client: ServerResponse) {
      client.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
      })
      client.write('retry: 1000\n\n')
      clients.add(client)
      client.on('close', () => clients.delete(client))
    },
    close() {
      clearTimeout(timer)
      for (const client of clients) client.end()
      clients.clear()
    },
  }
}
