import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { registerApi } from './api/api.ts'
import { registerConsole } from './console/console.ts'
import { logError, routeOf, sendError } from './http/errors.ts'
import { registerHealth } from './http/health.ts'
import { registerMetrics } from './http/metrics.ts'
import { registerPages } from './http/pages.ts'
import { registerPayNotices } from './http/pay-notices.ts'
import { registerVerifyFiles } from './http/verify-files.ts'
import { createWebhooks, type Webhooks } from './http/webhooks.ts'
import type { Runtime } from './runtime.ts'
import type { UpdateHandler } from './updates.ts'

/** The HTTP side: every route there is. Does not listen. */
export async function buildApp(rt: Runtime, updates: UpdateHandler): Promise<FastifyInstance> {
  const webhooks = createWebhooks(rt, updates)
  const app = Fastify({
    serverFactory: handler => serverFor(handler, rt.log.isLevelEnabled('debug') ? null : webhooks),
    loggerInstance: rt.log,
    logController: new LogController({ disableRequestLogging: true }),
    // nobody logs by the request: a logger of its own for each would cost every callback some microseconds
    childLoggerFactory: logger => logger,
    return503OnClosing: true,
    // an address that cannot be decoded: fastify's own answer would repeat it, query and all
    frameworkErrors: (error, _request, reply) => void sendError(reply, error),
  }) as unknown as FastifyInstance

  if (rt.log.isLevelEnabled('debug'))
    app.addHook('onResponse', (request, reply, done) => {
      rt.log.debug(
        {
          method: request.method,
          route: routeOf(request),
          status: reply.statusCode,
          tookMs: Math.round(reply.elapsedTime),
        },
        'request',
      )
      done()
    })
  app.setErrorHandler((error, request, reply) => {
    logError(rt.log, { method: request.method, route: routeOf(request) }, error)
    return sendError(reply, error)
  })
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'route.unknown', message: '没有这个地址' }),
  )

  registerMetrics(app, rt)
  registerVerifyFiles(app, rt)
  registerHealth(app, rt)
  webhooks.register(app)
  registerPayNotices(app, rt)
  registerPages(app, rt)
  await registerApi(app, rt)
  await registerConsole(app, rt)
  return app
}

/**
 * Whoever sends a byte a minute would otherwise hold a connection, and our stop, for ever. An upload from a slow phone
 * takes longer; the console's own limit is on its size.
 */
const REQUEST_TIMEOUT_MS = 60_000
/** Longer than proxies keep a connection, so that it is not closed while a request is on its way. */
const KEEP_ALIVE_MS = 72_000

/** @param webhooks null: fastify sees every request, and notes it in the log */
function serverFor(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  webhooks: Webhooks | null,
): Server {
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS }
  const server: Server = createServer(limits, (request, response) => {
    // what comes while the server stops is fastify's to refuse
    if (!(webhooks && server.listening && webhooks.takePost(request, response))) handler(request, response)
  })
  return server
}
