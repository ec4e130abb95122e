import { pino } from 'pino'
import { inject } from 'vitest'
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
  type Via,
} from '../../scripts/simulator/index.ts'
import { dayOf, type MovableClock, movableClock, shanghaiMoment } from '../../server/clock.ts'
import { readConfig } from '../../server/config.ts'
import { escalateDue } from '../../server/domain/notices/escalate.ts'
import { deliverDue } from '../../server/jobs/deliver.ts'
import { pollMassTasks } from '../../server/jobs/poll-mass-tasks.ts'
import { readDueGroups } from '../../server/jobs/read-groups.ts'
import { takeBackDue } from '../../server/jobs/take-back.ts'
import { botFor } from '../../server/main.ts'
import { inTransaction, type Runtime } from '../../server/runtime.ts'
import { startServer } from '../../server/start.ts'
import type { UpdateHandler } from '../../server/updates.ts'
import { cloneDatabase, dropDatabase } from './database.ts'

/** The simulator, a server and a clock that only moves when told. */
export interface Stage {
  sim: Simulator
  rt: Runtime
  updates: UpdateHandler
  clock: MovableClock
  serverUrl: string
  databaseUrl: string
  logLines: string[]
  /** Says something to the bot and returns the passive reply. */
  say(personId: string, text: string, via?: Via): Promise<string>
  /** What the bot has sent a person, passive replies left out, the newest last. */
  received(personId: string): string[]
  /** Runs everything that is due, until nothing more happens. */
  settle(): Promise<void>
  close(): Promise<void>
}

export interface StageOptions {
  mode?: 'plain' | 'secure'
  kind?: 'service' | 'subscription'
  start?: string
  simulator?: Partial<SimulatorOptions>
  env?: Record<string, string>
  /** Settings that need what the simulator has made, such as WeChat Pay's key. */
  envFrom?: (sim: Simulator) => Record<string, string>
  /** Whether anybody may sign in as anybody on the pages (true). */
  isDemo?: boolean
}

export const wecomSettings = {
  corpId: 'ww6a112864f8022910',
  agentId: 1000002,
  secret: 'wecom-app-secret-for-tests',
  token: 'kjr2TKI8umCBfVF3wAHk8JiPwma5VBme',
  aesKey: '4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws',
}

export const accountSettings = {
  appId: 'wx1234567890abcdef',
  originalId: 'gh_0123456789ab',
  secret: 'official-account-secret-for-tests',
  token: 'AAAAAofficial',
  aesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
}

export const aibotSettings = {
  token: 'robotToken',
  aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  botId: 'BOT1',
  name: '群阵助手',
  userIds: 'plain',
} as const

export const NOTICE_TEMPLATE = 'notice-template'

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { mode = 'secure', kind = 'service', start = '2026-09-07T09:00:00+08:00' } = options
  const clock = movableClock(new Date(start))
  const sim = await startSimulator({ clock, seed: 7, ...options.simulator })
  const logLines: string[] = []
  const config = readConfig({
    PORT: '0',
    DATA_KEY: inject('dataKey'),
    LOG_LEVEL: 'debug',
    WECOM_BASE_URL: sim.baseUrls.wecom,
    WECOM_CORP_ID: wecomSettings.corpId,
    WECOM_AGENT_ID: String(wecomSettings.agentId),
    WECOM_SECRET: wecomSettings.secret,
    WECOM_TOKEN: wecomSettings.token,
    WECOM_AES_KEY: wecomSettings.aesKey,
    WECOM_BOT_TOKEN: aibotSettings.token,
    WECOM_BOT_AES_KEY: aibotSettings.aesKey,
    OFFICIAL_ACCOUNT_BASE_URL: sim.baseUrls.officialAccount,
    OFFICIAL_ACCOUNT_APP_ID: accountSettings.appId,
    OFFICIAL_ACCOUNT_SECRET: accountSettings.secret,
    OFFICIAL_ACCOUNT_TOKEN: accountSettings.token,
    OFFICIAL_ACCOUNT_AES_KEY: accountSettings.aesKey,
    OFFICIAL_ACCOUNT_MODE: mode,
    OFFICIAL_ACCOUNT_KIND: kind,
    OFFICIAL_ACCOUNT_NOTICE_TEMPLATE: NOTICE_TEMPLATE,
    ...options.env,
    ...options.envFrom?.(sim),
  })
  const databaseUrl = await cloneDatabase()
  const server = await startServer({
    config,
    createBot: botFor,
    clock,
    log: pino({ level: 'debug' }, { write: line => void logLines.push(line) }),
    withSchedule: false,
    databaseUrl,
    isDemo: options.isDemo ?? true,
  })
  sim.addWecomApp({ ...wecomSettings, callbackUrl: `${server.url}/webhooks/wecom` })
  sim.addOfficialAccount({
    ...accountSettings,
    mode,
    kind,
    templates: { [NOTICE_TEMPLATE]: ['thing1', 'time2', 'thing3'] },
    callbackUrl: `${server.url}/webhooks/official-account`,
  })
  sim.aibot.add({ ...aibotSettings, pollMs: 20, callbackUrl: `${server.url}/webhooks/aibot` })
  const { rt, updates } = server
  return {
    sim,
    rt,
    updates,
    clock,
    serverUrl: server.url,
    databaseUrl,
    logLines,
    async say(personId, text, via) {
      const replies = await sim.say(personId, text, via)
      return replies.map(reply => reply.text).join('\n')
    },
    received: personId =>
      sim
        .inbox(personId)
        .filter(message => message.from === 'bot' && !message.passive)
        .map(message => message.text),
    async settle() {
      for (let more = 1; more > 0; ) {
        await sim.idle()
        more = await deliverDue(rt)
        more += await readDueGroups(rt)
        more += await pollMassTasks(rt)
        more += await takeBackDue(rt)
        more += (await inTransaction(rt, escalateDue)).deliveries
      }
    },
    async close() {
      await server.stop()
      await sim.stop()
      await dropDatabase(databaseUrl)
    },
  }
}

/** Moves the clock to nine in the morning of the next day: in the quiet hours nothing goes out. */
export function toMorning(clock: MovableClock): void {
  clock.set(shanghaiMoment(dayOf(new Date(clock.now().getTime() + 24 * 3600_000)), '09:00'))
}
