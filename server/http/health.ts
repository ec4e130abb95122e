import type { FastifyInstance } from 'fastify'
import { ping } from '../../db/queries/platform.ts'
import type { Runtime } from '../runtime.ts'

/** `GET /healthz`: 200 while the database answers, 503 otherwise. */
export function registerHealth(app: FastifyInstance, rt: Runtime): void {
  app.get('/healthz', async (_request, reply) => {
    const database = await ping(rt.db).then(
      () => true,
      () => false,
    )
    return reply.code(database ? 200 : 503).send({ status: database ? 'ok' : 'unavailable', database })
  })
}
