import { onTestFinished } from 'vitest'
import { startSimulator } from '../../../scripts/simulator/index.ts'
import type { SimulatorOptions, WecomAppSettings } from '../../../scripts/simulator/types.ts'
import type { WecomChannel } from '../../../server/channels/channel.ts'
import { ChannelError } from '../../../server/channels/errors.ts'
import type { CallTrace } from '../../../server/channels/http.ts'
import type { TokenStore } from '../../../server/channels/token.ts'
import { createWecomChannel } from '../../../server/channels/wecom/index.ts'
import { movableClock } from '../../../server/clock.ts'

export const START = new Date('2026-03-05T10:00:00+08:00')
export const PNG = Buffer.from('89504e470d0a1a0a00000000', 'hex')

const app: WecomAppSettings = {
  corpId: 'ww5823bf96d3bd56c7',
  agentId: 1000002,
  secret: 'app-secret',
  token: 'QDG6eK',
  aesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
}

/** A store that keeps tokens in memory, as the server's keeps them in the database. */
export function memoryTokens(now: () => Date): TokenStore {
  const stored = new Map<string, { token: string; expiresAt: Date }>()
  return {
    async tokenFor(account, rejected, refresh) {
      const known = stored.get(account)
      if (known && known.token !== rejected && known.expiresAt > now()) return known
      const fresh = await refresh()
      stored.set(account, fresh)
      return fresh
    },
  }
}

/** The client of a WeCom app, and the simulator that it talks to over HTTP. */
export async function openWecom(
  options: Partial<SimulatorOptions> = {},
  settings: Partial<WecomAppSettings> = {},
) {
  const clock = movableClock(START)
  const sim = await startSimulator({ clock, seed: 1, ...options })
  onTestFinished(() => sim.stop())
  sim.addWecomApp({ ...app, ...settings })
  const calls: CallTrace[] = []
  const open = (other: Partial<WecomAppSettings & { isVerified: boolean }> = {}): WecomChannel =>
    createWecomChannel(
      { ...app, isVerified: true, ...other, baseUrl: sim.baseUrls.wecom, accountCap: 200 },
      {
        now: () => clock.now(),
        tokens: memoryTokens(() => clock.now()),
        trace: entry => void calls.push(entry),
        freshnessSeconds: 600,
      },
    )
  /** Another app of the same corp. */
  const openOther = (other: { agentId: number; secret: string }) => {
    sim.addWecomApp({ ...app, ...other })
    return open(other)
  }
  const member = (userId: string, name = userId) => sim.addPerson({ name, wecomUserId: userId })
  const customer = (name: string) =>
    sim.addPerson({
      name,
      externalUserId: `wm${name}`,
      unionId: `u${name}`,
      openId: `o${name}`,
      follows: false,
    })
  /** How often an interface was called, by the end of its path. */
  const countOf = (end: string) => calls.filter(call => call.call.endsWith(end)).length
  return { sim, clock, wecom: open(), open, openOther, calls, countOf, member, customer }
}

/** How a call failed: `reason` and, after a colon, the platform's code where there is one. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    reason => reason,
  )
  if (error === null) return 'no failure'
  if (!(error instanceof ChannelError)) throw error
  return error.platformCode === null ? error.reason : `${error.reason}:${error.platformCode}`
}

/** The words of a failure. */
export async function wordsOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => '',
    reason => (reason instanceof ChannelError ? reason.message : Promise.reject(reason)),
  )
}
