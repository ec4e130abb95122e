import multipart from '@fastify/multipart'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { describeError } from '../../db/errors.ts'
import type { Runtime } from '../runtime.ts'
import { faultOf } from './faults.ts'
import { figureRoutes } from './routes/figures.ts'
import { groupRoutes } from './routes/groups.ts'
import { noticeRoutes } from './routes/notices.ts'
import { rosterRoutes } from './routes/roster.ts'
import { unitRoutes } from './routes/units.ts'
import { createApiRoutes } from './routes.ts'

/** All routes of the interface, one file for each noun. */
const all = [unitRoutes, rosterRoutes, groupRoutes, noticeRoutes, figureRoutes]

const headers = {
  'cache-control': 'private, no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
}

/** Swagger UI writes styles of its own into the page; scripts are its files only. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

/** The interface for offices' own systems, `/api/v1`, and its description for people and programs, `/docs`. */
export async function registerApi(app: FastifyInstance, rt: Runtime): Promise<void> {
  await app.register(async described => {
    await described.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: '群阵接口',
          version: '1',
          description:
            '给各级团组织自己的系统用。令牌在网页“接口令牌”里建，只能看到和办理它的单位及下级的事。' +
            '列表用 `after` 和 `limit` 翻页，`next` 为 null 就是末尾。每个令牌每分钟最多 120 次。' +
            '没有办成的，回答都是 `{ code, message }`。',
        },
        components: {
          securitySchemes: { token: { type: 'http', scheme: 'bearer', description: '接口令牌 qz_…' } },
        },
      },
    })
    await described.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: pagePolicy,
      theme: { title: '群阵接口' },
      uiConfig: {
        layout: 'BaseLayout',
        docExpansion: 'list',
        persistAuthorization: false,
        tryItOutEnabled: false,
      },
    })
    await described.register(
      async scope => {
        await scope.register(multipart, { limits: { files: 1, fields: 10 } })
        scope.addContentTypeParser('text/csv', { parseAs: 'buffer' }, (_request, body, done) =>
          done(null, body),
        )
        scope.addHook('onRequest', async (_request, reply) => {
          reply.headers(headers)
        })
        scope.addHook('onRoute', route => {
          if (!route.config?.scope)
            throw new Error(`${route.url} has no scope: say what a token needs for it`)
        })
        scope.setErrorHandler((error, request, reply) => {
          const fault = faultOf(error)
          const about = { method: request.method, route: request.routeOptions.url, ...describeError(error) }
          if (fault.status >= 500) rt.log.error(about, 'a call failed')
          else rt.log.info(about, 'a call was refused')
          return reply
            .code(fault.status)
            .headers(fault.headers)
            .type('application/json; charset=utf-8')
            .send({ code: fault.code, message: fault.message })
        })
        const routes = createApiRoutes(scope, rt)
        for (const register of all) register(routes)
      },
      { prefix: '/api/v1' },
    )
  })
}
