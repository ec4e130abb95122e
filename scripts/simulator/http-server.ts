import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { officialBase } from './api/official-base.ts'
import { officialMessages } from './api/official-messages.ts'
import { type ApiTable, answerCall, type Platform } from './api/platform.ts'
import { wecomAppchats } from './api/wecom-appchats.ts'
import { wecomBase } from './api/wecom-base.ts'
import { wecomContactWays } from './api/wecom-contact-ways.ts'
import { wecomCorpgroup } from './api/wecom-corpgroup.ts'
import { wecomCustomers } from './api/wecom-customers.ts'
import { wecomDirectory } from './api/wecom-directory.ts'
import { wecomGroups } from './api/wecom-groups.ts'
import { wecomJoinWays } from './api/wecom-join-ways.ts'
import { wecomLogin } from './api/wecom-login.ts'
import { wecomMass } from './api/wecom-mass.ts'
import { wecomMedia } from './api/wecom-media.ts'
import { wecomMessages } from './api/wecom-messages.ts'
import { wecomStatistics } from './api/wecom-statistics.ts'
import { wecomTags } from './api/wecom-tags.ts'
import { wecomTransfers } from './api/wecom-transfers.ts'
import { wecomWebhooks } from './api/wecom-webhooks.ts'
import { wecomWelcomes } from './api/wecom-welcomes.ts'
import { refuse } from './api-error.ts'
import type { Core, OfficialAccount, WecomApp } from './core.ts'

/** 客户联系 needs a verified corp (610016) and an app that is listed for it (48002). */
function forCustomerContact(table: ApiTable<WecomApp>): ApiTable<WecomApp> {
  const guarded: ApiTable<WecomApp> = {}
  for (const [path, found] of Object.entries(table)) {
    if ('open' in found) throw new Error(`${path} needs a token`)
    guarded[path] = {
      ...found,
      run(call) {
        if (call.subject.verified === false) refuse(610016, 'the corp is not verified')
        if (call.subject.customerContact === false) refuse(48002, 'api forbidden')
        return found.run(call)
      },
    }
  }
  return guarded
}

const LARGEST_BODY = 25 * 1024 * 1024

const wecom: Platform<WecomApp> = {
  host: 'qyapi.weixin.qq.com',
  table: {
    ...wecomBase,
    ...wecomMessages,
    ...wecomAppchats,
    ...wecomWebhooks,
    ...wecomDirectory,
    ...wecomLogin,
    ...wecomMedia,
    ...wecomCorpgroup,
    ...forCustomerContact({
      ...wecomGroups,
      ...wecomStatistics,
      ...wecomTransfers,
      ...wecomJoinWays,
      ...wecomMass,
      ...wecomWelcomes,
      ...wecomCustomers,
      ...wecomTags,
      ...wecomContactWays,
    }),
  },
  subjectOf: (core, token) => core.tokens.appOf(token),
  nameOf: app => app.corpId,
  codes: { ip: 60020, permission: 48002 },
  ipCheckedOnTokens: false,
  refusesEscapes: true,
}

const officialAccount: Platform<OfficialAccount> = {
  host: 'api.weixin.qq.com',
  table: { ...officialBase, ...officialMessages },
  subjectOf: (core, token) => core.tokens.accountOf(token),
  nameOf: account => account.appId,
  codes: { ip: 40164, permission: 48001 },
  ipCheckedOnTokens: true,
  refusesEscapes: false,
}

/** Fastify with both platforms under their host names; the phone page is added by index.ts. */
export function createHttpServer(core: Core): FastifyInstance {
  const app = Fastify({
    bodyLimit: LARGEST_BODY,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
  })
  // the body is read as the platform would, whatever content type the client names
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  servePlatform(app, core, wecom)
  servePlatform(app, core, officialAccount)
  app.get<{ Params: { configId: string } }>('/qr/:configId', (request, reply) => {
    const { joinWays, corp } = core.world
    const way = joinWays.get(request.params.configId) ?? corp.contactWays.get(request.params.configId)
    if (!way) return reply.code(404).type('text/plain; charset=utf-8').send('这个二维码无效或已失效')
    return reply.type('image/svg+xml').send(codePicture(way.configId))
  })
  app.get<{ Params: { id: string } }>('/media/:id', (request, reply) => {
    const media = core.media.get(request.params.id)
    if (!media) return reply.code(404).send()
    return reply.type(media.type === 'image' ? 'image/png' : 'application/octet-stream').send(media.bytes)
  })
  return app
}

function servePlatform<Subject>(app: FastifyInstance, core: Core, platform: Platform<Subject>): void {
  const prefix = `/${platform.host}`
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const query: Record<string, string> = {}
    for (const [name, value] of Object.entries(request.query as Record<string, unknown>)) {
      if (typeof value === 'string') query[name] = value
    }
    const answer = await answerCall(core, platform, {
      method: request.method,
      path: request.url.slice(prefix.length).split('?')[0] ?? '',
      query,
      raw: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      contentType: request.headers['content-type'] ?? '',
    })
    if (answer.file) {
      const name = encodeURIComponent(answer.file.fileName)
      reply.header('content-disposition', `attachment; filename="${name}"; filename*=utf-8''${name}`)
      return reply.type(answer.file.contentType).send(answer.file.bytes)
    }
    return reply.code(answer.status).type('application/json; charset=UTF-8').send(answer.body)
  }
  app.route({ method: ['GET', 'POST'], url: `${prefix}/*`, handler })
}

/** Stands for the picture of a group's code; it cannot be scanned, its number can be typed on the phone page. */
function codePicture(configId: string): string {
  const cells = [...configId].flatMap((letter, index) => {
    const code = letter.charCodeAt(0)
    return [0, 1, 2, 3, 4, 5].flatMap(bit =>
      (code >> bit) & 1
        ? [
            `<rect x="${20 + (index % 16) * 10}" y="${20 + Math.floor(index / 16) * 66 + bit * 10}" width="10" height="10"/>`,
          ]
        : [],
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="400" height="400"><rect width="200" height="200" fill="#fff"/>${cells.join('')}<text x="100" y="172" font-size="12" text-anchor="middle">模拟器入群码</text><text x="100" y="188" font-size="8" text-anchor="middle">${configId}</text></svg>`
}
