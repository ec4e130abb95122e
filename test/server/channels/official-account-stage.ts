import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import {
  type OfficialAccountSettings,
  type SimulatorOptions,
  startSimulator,
} from '../../../scripts/simulator/index.ts'
import type { OfficialAccountChannel } from '../../../server/channels/channel.ts'
import { ChannelError } from '../../../server/channels/errors.ts'
import type { CallTrace } from '../../../server/channels/http.ts'
import { createOfficialAccountChannel } from '../../../server/channels/official-account/index.ts'
import type { ChannelServices } from '../../../server/channels/services.ts'
import { movableClock } from '../../../server/clock.ts'

export const account = {
  appId: 'wxb11529c136998cb6',
  originalId: 'gh_0123456789ab',
  secret: 'account-secret',
  token: 'pamtest',
  aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
}

/** A PNG of one dot. */
export const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)

export interface Push {
  query: Record<string, string>
  contentType: string
  body: string
}

/** Answers every callback with `body` and keeps what came. */
export async function startListener(body = '') {
  const pushes: Push[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      const query = Object.fromEntries(new URL(request.url ?? '', 'http://localhost').searchParams)
      pushes.push({ query, contentType: request.headers['content-type'] ?? '', body: text })
      response.end(body)
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { pushes, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback` }
}

type Settings = Partial<OfficialAccountSettings> & { noticeTemplate?: string | null }

/** The simulator with one Official Account in plain mode, our client for it, and a listener for its callbacks. */
export async function openAccount(settings: Settings = {}, options: Partial<SimulatorOptions> = {}) {
  const { noticeTemplate = 'notice', ...own } = settings
  const clock = movableClock(new Date('2026-03-05T10:00:00+08:00'))
  const sim = await startSimulator({ clock, seed: 1, callbackTimeoutMs: 3000, ...options })
  onTestFinished(() => sim.stop())
  const listener = await startListener()
  sim.addOfficialAccount({
    ...account,
    mode: 'plain',
    kind: 'service',
    templates: {
      notice: ['thing1', 'time2', 'thing3'],
      all: ['thing1', 'number2', 'character_string3', 'date4', 'phrase5', 'name6'],
    },
    subscriptionTemplates: {
      once: { title: '会议通知', fields: ['thing1', 'time2'] },
      always: { title: '办件进度', fields: ['thing1'], longTerm: true },
    },
    callbackUrl: listener.url,
    ...own,
  })
  const traces: CallTrace[] = []
  const tokens = new Map<string, { token: string; expiresAt: Date }>()
  const services: ChannelServices = {
    now: () => clock.now(),
    freshnessSeconds: 600,
    trace: entry => void traces.push(entry),
    tokens: {
      async tokenFor(name, rejected, refresh) {
        const stored = tokens.get(name)
        if (stored && stored.token !== rejected && stored.expiresAt > clock.now()) return stored
        const fresh = await refresh()
        tokens.set(name, fresh)
        return fresh
      },
    },
  }
  const channel: OfficialAccountChannel = createOfficialAccountChannel(
    {
      ...account,
      baseUrl: sim.baseUrls.officialAccount,
      mode: own.mode ?? 'plain',
      kind: own.kind ?? 'service',
      isVerified: own.verified ?? true,
      noticeTemplate,
    },
    services,
  )
  const fang = sim.addPerson({ name: '王芳', openId: 'oWangFang', unionId: 'uWang' })
  /** What the account was told, in plain XML: the values of these tags, event by event. */
  const told = async (...tags: string[]) => {
    await sim.idle()
    return listener.pushes.map(({ body }) =>
      tags.map(
        tag => new RegExp(`<${tag}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${tag}>`, 's').exec(body)?.[1],
      ),
    )
  }
  const post = async (path: string, body: unknown) =>
    (await (
      await fetch(`${sim.baseUrls.officialAccount}${path}`, { method: 'POST', body: JSON.stringify(body) })
    ).json()) as Record<string, unknown>
  let token = ''
  /** A call of our own, past the client. */
  const raw = async (path: string, body?: unknown, query: Record<string, string> = {}) => {
    const call = async () => {
      const url = `${sim.baseUrls.officialAccount}${path}?${new URLSearchParams({ access_token: token, ...query })}`
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      return (await (await fetch(url, init)).json()) as Record<string, unknown> & { errcode: number }
    }
    const answer = await call()
    if (![40001, 41001, 42001].includes(answer.errcode)) return answer
    const { appId: appid, secret } = account
    const grant = { grant_type: 'client_credential', appid, secret }
    token = String((await post('/cgi-bin/stable_token', grant)).access_token)
    return call()
  }
  return { sim, clock, channel, listener, traces, tokens, fang, told, raw }
}

/** Why the channel refused, and the platform's code if it came to that. */
export async function refusal(work: () => unknown): Promise<[reason: string, code: number | null]> {
  try {
    await work()
  } catch (error) {
    if (error instanceof ChannelError) return [error.reason, error.platformCode]
    throw error
  }
  throw new Error('it was not refused')
}
