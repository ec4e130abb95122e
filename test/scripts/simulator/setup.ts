import { afterEach } from 'vitest'
import { type SimulatorOptions, startSimulator } from '../../../scripts/simulator/index.ts'
import { movableClock } from '../../../server/clock.ts'
import type { Settings } from './receiver.ts'

export const wecomSettings: Settings = {
  token: 'QDG6eK',
  aesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
  receiveId: 'ww5823bf96d3bd56c7',
}

export const officialSettings: Settings = {
  token: 'pamtest',
  aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  receiveId: 'wxb11529c136998cb6',
}

const stops: (() => Promise<unknown>)[] = []

/** Stops `thing` when the test is over. */
export function stopLater<Thing extends { stop(): Promise<unknown> }>(thing: Thing): Thing {
  stops.push(() => thing.stop())
  return thing
}

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

export type Json = Record<string, unknown> & { errcode: number; errmsg: string }

/** A simulator with one WeCom app and one Official Account, and a client for its two hosts. */
export async function simulate(
  options: Partial<SimulatorOptions> = {},
  account: { mode?: 'plain' | 'compatible' | 'secure'; kind?: 'service' | 'subscription' } = {},
) {
  const clock = movableClock(new Date('2026-03-05T10:00:00+08:00'))
  const sim = stopLater(await startSimulator({ clock, callbackTimeoutMs: 3000, seed: 1, ...options }))
  sim.addWecomApp({
    corpId: wecomSettings.receiveId,
    agentId: 1000002,
    secret: 'app-secret',
    token: wecomSettings.token,
    aesKey: wecomSettings.aesKey,
  })
  sim.addOfficialAccount({
    appId: officialSettings.receiveId,
    originalId: 'gh_0123456789ab',
    secret: 'account-secret',
    token: officialSettings.token,
    aesKey: officialSettings.aesKey,
    mode: account.mode ?? 'secure',
    kind: account.kind ?? 'service',
    templates: { 'notice-template': ['thing1', 'time2'] },
  })

  async function call(
    base: string,
    path: string,
    query: Record<string, string>,
    body?: unknown,
  ): Promise<Json> {
    const url = `${base}/cgi-bin/${path}?${new URLSearchParams(query)}`
    const init =
      body === undefined
        ? {}
        : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }
    return (await (await fetch(url, init)).json()) as Json
  }
  const wecomToken = async () =>
    String(
      (
        await call(sim.baseUrls.wecom, 'gettoken', {
          corpid: wecomSettings.receiveId,
          corpsecret: 'app-secret',
        })
      ).access_token,
    )
  const officialToken = async () =>
    String(
      (
        await call(
          sim.baseUrls.officialAccount,
          'stable_token',
          {},
          { grant_type: 'client_credential', appid: officialSettings.receiveId, secret: 'account-secret' },
        )
      ).access_token,
    )
  return {
    sim,
    clock,
    wecomToken,
    officialToken,
    rawWecom: (path: string, query: Record<string, string>, body?: unknown) =>
      call(sim.baseUrls.wecom, path, query, body),
    rawOfficial: (path: string, query: Record<string, string>, body?: unknown) =>
      call(sim.baseUrls.officialAccount, path, query, body),
    /** A call with a fresh token; without a body it is a GET. */
    wecom: async (path: string, body?: unknown, query: Record<string, string> = {}) =>
      call(sim.baseUrls.wecom, path, { access_token: await wecomToken(), ...query }, body),
    official: async (path: string, body?: unknown, query: Record<string, string> = {}) =>
      call(sim.baseUrls.officialAccount, path, { access_token: await officialToken(), ...query }, body),
  }
}
