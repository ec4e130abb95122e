import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import { type MetricsRuntime, queueMetrics } from './queue-metrics.ts'
import { RequestStats } from './request-stats.ts'

/**
 * `GET /metrics` for Prometheus: queues, alarms, calls to the platforms, requests, and the process. Counts and codes only.
 *
 * For who shows the bearer token `METRICS_TOKEN`. Without the setting there is no such route and nothing is counted: where
 * a request comes from proves nothing, because behind a proxy everybody comes from the machine itself.
 *
 * To be registered before the routes that it counts.
 */
export function registerMetrics(
  app: FastifyInstance,
  rt: MetricsRuntime & { config: Pick<Config, 'metricsToken'> },
): void {
  const { metricsToken } = rt.config
  if (metricsToken === null) return
  const stats = new RequestStats()
  app.addHook('onResponse', (request, reply, done) => {
    // the pattern, never the address: that holds tokens
    stats.count(request.method, request.routeOptions.url ?? '(none)', reply.statusCode, reply.elapsedTime)
    done()
  })
  app.register(async scope => {
    // loaded where it is asked for: it takes some megabytes
    const prometheus = await import('prom-client')
    const ofProcess = new prometheus.Registry()
    prometheus.collectDefaultMetrics({ register: ofProcess })
    const expected = digestOf(`Bearer ${metricsToken}`)
    scope.get('/metrics', async (request, reply) => {
      // digests are of one length, whatever was sent, and tell nothing by how far they agree
      if (!timingSafeEqual(digestOf(request.headers.authorization ?? ''), expected))
        return reply
          .code(401)
          .header('www-authenticate', 'Bearer')
          .send({ code: 'request.refused', message: '请求不合要求' })
      const parts = [await queueMetrics(rt, prometheus), stats.text(), await ofProcess.metrics()]
      return reply.header('cache-control', 'no-store').type(ofProcess.contentType).send(parts.join('\n'))
    })
  })
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
