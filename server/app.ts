import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { registerApi } from './api/api.ts'
import { registerConsole } from './console/console.ts'
import { logError, routeOf, sendError } from './http/errors.ts'
import { registerHealth } from './http/health.ts'
import { registerMetrics } from './http/metrics.ts'
import { registerPages } from './http/pages.ts'
import { registerPayNotices } from './http/pay-notices.ts'
import { registerVerifyFiles } from './http/verify-files.ts'
import { registerWebhooks } from './http/webhooks.ts'
import type { Runtime } from './runtime.ts'
import type { UpdateHandler } from './updates.ts'

/** The HTTP side: every route there is. Does not listen. */
export async function buildApp(rt: Runtime, updates: UpdateHandler): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: rt.log,
    logController: new LogController({ disableRequestLogging: true }),
    // nobody logs by the request: a logger of its own for each would cost every callback some microseconds
    childLoggerFactory: logger => logger,
    return503OnClosing: true,
    // whoever sends a byte a minute would otherwise hold a connection, and our stop, for ever
    // (an upload from a slow phone takes longer; the console's own limit is on its size)
    requestTimeout: 60_000,
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
    logError(rt.log, request, error)
    return sendError(reply, error)
  })
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'route.unknown', message: '没有这个地址' }),
  )

  registerMetrics(app, rt)
  registerVerifyFiles(app, rt)
  registerHealth(app, rt)
  registerWebhooks(app, rt, updates)
  registerPayNotices(app, rt)
  registerPages(app, rt)
  await registerApi(app, rt)
  await registerConsole(app, rt)
  return app
}
