import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { identityOf } from '../../db/queries/identities.ts'
import { isLinkOpen, playablePersons } from '../../db/queries/sessions.ts'
import { capabilitiesOf } from '../channels/capabilities.ts'
import { ChannelError } from '../channels/errors.ts'
import type { Viewer } from '../domain/access/policy.ts'
import { type NewSession, signInByLink, signInForDemo, startSession } from '../domain/sign-in/sessions.ts'
import { DomainError } from '../errors.ts'
import { type Html, html } from '../http/html.ts'
import type { Runtime } from '../runtime.ts'
import { barePage } from './layout.ts'
import { field } from './parts.ts'
import { isOf } from './routes.ts'
import { checkOrigin, keepForReturn, keepSession, takeKept, viewerOfRequest } from './session.ts'

const open = { config: { policy: 'public' as const } }
/** Persons shown to be played in a demo. */
const PLAYABLE = 60

/**
 * Signing in: through the platforms' own login inside WeChat and WeCom, by a code to scan on a desk, by a one-time link
 * from the bot (all that a 订阅号 allows), and under the simulator as anybody.
 */
export function registerSignIn(app: FastifyInstance, rt: Runtime): void {
  app.get('/', open, async (request, reply) => {
    const signedIn = await viewerOfRequest(rt, request)
    if (!signedIn) return reply.redirect('/sign-in', 303)
    return reply.redirect(firstPage(rt, signedIn.viewer), 303)
  })

  app.get('/sign-in', open, (request, reply) => send(reply, waysIn(rt, request)))

  app.get('/sign-in/link/:token', open, async (request, reply) => {
    const { token } = request.params as { token: string }
    // the link is not used by being looked at: chat programs open links by themselves to show what is behind
    if (!(await isLinkOpen(rt.db, rt.vault.indexes('sign-in-link', token), rt.clock.now())))
      return send(reply.code(410), gone())
    return send(
      reply,
      barePage(
        '登录',
        html`<p>请确认这是您本人的微信或电脑。登录后 7 天内有效，可随时在“我的”里退出。</p>
<form method="post" action="/sign-in/link/${token}"><button>登录</button></form>`,
      ),
    )
  })
  app.post('/sign-in/link/:token', open, async (request, reply) => {
    checkOrigin(rt, request)
    const { token } = request.params as { token: string }
    try {
      const session = await signInByLink(rt, token, deviceOf(request))
      keepSession(rt, reply, session)
      return reply.redirect(ownPath(session.path), 303)
    } catch (error) {
      if (error instanceof DomainError && error.code === 'sign_in.link') return send(reply.code(410), gone())
      throw error
    }
  })

  for (const way of ['wecom', 'scan', 'official-account'] as const) {
    app.get(`/sign-in/${way}`, open, (request, reply) => {
      const state = randomBytes(16).toString('hex')
      keepForReturn(rt, reply, `${state} ${toOf(request)}`)
      return reply.redirect(loginAddress(rt, way, state), 303)
    })
    app.get(`/sign-in/${way}/back`, open, async (request, reply) => {
      const query = request.query as { code?: string; state?: string }
      const [state, to = '/'] = takeKept(request, reply)?.split(' ') ?? []
      if (!query.code || !state || query.state !== state)
        return send(reply.code(400), refused('登录没有完成，请重新进入。'))
      const account = await accountBehind(rt, way, query.code).catch(error => {
        // a code that is used, old or forged; anything else is the platform's trouble
        if (error instanceof ChannelError && error.reason === 'rejected') return null
        throw error
      })
      const identity = account && (await identityOf(rt.db, account.channel, account.address))
      if (!identity?.personId)
        return send(
          reply.code(403),
          to.startsWith('/n/')
            ? notBound()
            : to.startsWith('/a/')
              ? toSignUpInChat(to)
              : refused(
                  '没有认出您：登录页可能已经过期，或者这个账号还没有绑定到人。没有绑定的，请先向上级组织要一个绑定码，在聊天里发送“绑定 绑定码”，再来登录。',
                ),
        )
      const session = await startSession(
        rt,
        { personId: identity.personId, identityId: identity.id },
        { way, device: deviceOf(request) },
      )
      return goIn(rt, reply, session, to)
    })
  }

  if (rt.isDemo) registerDemo(app, rt)
}

function registerDemo(app: FastifyInstance, rt: Runtime): void {
  app.get('/sign-in/demo', open, async (request, reply) => {
    const { search = '' } = request.query as { search?: string }
    const persons = await playablePersons(rt.db, search.slice(0, 20), PLAYABLE)
    return send(
      reply,
      barePage(
        '演示：扮演任何人',
        html`<p class="fault">这是演示：平台由模拟器扮演，人和数据都是虚构的。正式的服务没有这个页面。</p>
<form class="row" method="get" role="search">${field('search', '姓名或单位', { value: search })}<button class="second">查找</button></form>
<ul class="plain">${[...persons].map(
          person => html`<li><form class="row" method="post" action="/sign-in/demo">
<input type="hidden" name="person" value="${person.id}"><input type="hidden" name="to" value="${toOf(request)}">
<span class="field">${person.name}<small>${person.duties ?? '没有职务'}${person.is_administrator ? '（系统管理员）' : ''}</small></span><button class="second">扮演</button></form></li>`,
        )}</ul>`,
      ),
    )
  })
  app.post('/sign-in/demo', open, async (request, reply) => {
    checkOrigin(rt, request)
    const { person = '', to = '/' } = (request.body ?? {}) as { person?: string; to?: string }
    const session = await signInForDemo(rt, Number(person), deviceOf(request))
    return goIn(rt, reply, session, to)
  })
}

function goIn(rt: Runtime, reply: FastifyReply, session: NewSession, to: string): FastifyReply {
  keepSession(rt, reply, session)
  return reply.redirect(ownPath(to), 303)
}

function loginAddress(rt: Runtime, way: 'wecom' | 'scan' | 'official-account', state: string): string {
  const back = `${rt.publicUrl}/sign-in/${way}/back`
  const { wecom, officialAccount } = rt.channels
  if (way === 'official-account' && officialAccount)
    return officialAccount.loginUrl(back, state, 'snsapi_base')
  if (way === 'wecom' && wecom) return wecom.login.pageUrl(back, state)
  if (way === 'scan' && wecom) return wecom.login.scanUrl(back, state)
  throw new DomainError('sign_in.way', '这种登录方式没有开通。')
}

async function accountBehind(rt: Runtime, way: 'wecom' | 'scan' | 'official-account', code: string) {
  const { wecom, officialAccount } = rt.channels
  if (way === 'official-account') {
    const login = await officialAccount?.readLogin(code)
    // a snapshot visit (快照页) is a passer-by without an identity
    return login && !login.isSnapshot ? { channel: 'official-account', address: login.address } : null
  }
  const visitor = await wecom?.login.identify(code)
  if (visitor?.kind === 'member') return { channel: 'wecom', address: visitor.userId }
  return visitor?.customerId ? { channel: 'wecom', address: visitor.customerId } : null
}

/** Where somebody begins. */
function firstPage(rt: Runtime, viewer: Viewer): string {
  if (isOf(rt, viewer, 'keeper')) return '/console'
  return viewer.isAdministrator ? '/console/server' : '/me'
}

/**
 * Where somebody is sent who opens an address of ours inside WeChat or WeCom: straight to the platform's login, which
 * asks them nothing; elsewhere to the page with the ways in.
 */
export function shortestWayIn(rt: Runtime, request: FastifyRequest, to: string): string {
  const { isWecom, isWechat, hasLogin } = placeOf(rt, request)
  const way = rt.channels.wecom && isWecom ? '/wecom' : hasLogin && isWechat ? '/official-account' : ''
  return `/sign-in${way}?to=${encodeURIComponent(to)}`
}

/** Whether a page is opened in WeChat itself: WeCom and other browsers have none of its calls. */
export function isInsideWechat(request: FastifyRequest): boolean {
  const agent = request.headers['user-agent'] ?? ''
  return /micromessenger/i.test(agent) && !/wxwork|windowswechat|macwechat/i.test(agent)
}

/** In which program somebody opens a page, and whether the Official Account can tell who they are. */
function placeOf(rt: Runtime, request: FastifyRequest) {
  const agent = request.headers['user-agent'] ?? ''
  const isWecom = /wxwork/i.test(agent)
  const isWechat = /micromessenger/i.test(agent) && !isWecom
  const account = rt.config.officialAccount
  return { isWecom, isWechat, hasLogin: account !== null && capabilitiesOf(account).oauth === 'yes' }
}

function waysIn(rt: Runtime, request: FastifyRequest): Html {
  const { wecom } = rt.channels
  const to = encodeURIComponent(toOf(request))
  const { isWecom, isWechat, hasLogin } = placeOf(rt, request)
  const ways: Html[] = []
  if (wecom && isWecom) ways.push(html`<a class="button" href="/sign-in/wecom?to=${to}">用企业微信登录</a>`)
  if (hasLogin && isWechat)
    ways.push(html`<a class="button" href="/sign-in/official-account?to=${to}">用微信登录</a>`)
  if (wecom && !isWecom && !isWechat)
    ways.push(html`<a class="button" href="/sign-in/scan?to=${to}">用企业微信扫码登录</a>`)
  if (rt.isDemo) ways.push(html`<a class="button second" href="/sign-in/demo?to=${to}">演示：扮演任何人</a>`)
  return barePage(
    '登录群阵',
    html`<div class="card">${ways.length > 0 ? html`<div class="deeds">${ways}</div>` : ''}
<p>也可以在微信里向机器人发送“<b>网页</b>”，点它回复的链接登录（十分钟内有效，用一次）。</p>
<p class="soft">账号要先用上级组织发的绑定码绑定：在聊天里发送“绑定 绑定码”。</p></div>`,
  )
}

/** To somebody who has opened a notice and whom no account tells apart: nothing is wrong, and the notice counts. */
function notBound(): Html {
  return barePage(
    '还没有认出您',
    html`<div class="card"><p>这个账号还没有绑定到人，所以记不下您读过这个通知；群里的原文照样算数，请按它办。</p>
<p>是志愿者、团员青年：在聊天里发送“入群 群号”登记（群号问群主）。</p>
<p>是群主或组织工作人员：向上级组织要一个绑定码，在聊天里发送“绑定 绑定码”。</p>
<p class="soft">绑定之后再点开群里的链接就行，以后不用再办。</p></div>`,
  )
}

/** Whoever is bound to no person is known in the chat as an account: that is enough to sign up. */
function toSignUpInChat(to: string): Html {
  return barePage(
    '在聊天里报名',
    html`<div class="card"><p>这个账号还没有绑定到人，网页上认不出您。请在聊天里对群阵说：</p><p><b>报名 ${/\d+/.exec(to)?.[0] ?? ''}</b></p></div>`,
  )
}

function gone(): Html {
  return refused('这个登录链接已经用过或过期。请在聊天里再发一次“网页”。')
}

function refused(words: string): Html {
  return barePage('没有登录', html`<p class="fault">${words}</p><p><a href="/sign-in">返回登录</a></p>`)
}

function send(reply: FastifyReply, content: Html): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(content.text)
}

/** Where to go after signing in, from the query. */
function toOf(request: FastifyRequest): string {
  return ownPath((request.query as { to?: unknown }).to)
}

/** A path of ours; whatever would lead elsewhere leads to the first page. */
function ownPath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])[\x21-\x7e]{0,500}$/.test(path) ? path : '/'
}

/** What the browser calls itself, in words that its owner knows. */
function deviceOf(request: FastifyRequest): string {
  const agent = request.headers['user-agent'] ?? ''
  const app = /wxwork/i.test(agent) ? '企业微信' : /micromessenger/i.test(agent) ? '微信' : '浏览器'
  const on = /iphone|ipad/i.test(agent)
    ? '苹果手机'
    : /android|harmony/i.test(agent)
      ? '安卓手机'
      : /windows/i.test(agent)
        ? 'Windows 电脑'
        : /mac os/i.test(agent)
          ? '苹果电脑'
          : '电脑'
  return `${on}上的${app}`
}
