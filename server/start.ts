import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { batched } from '../db/batch.ts'
import { connectDatabase } from '../db/client.ts'
import { describeError } from '../db/errors.ts'
import { openDatabase } from '../db/open.ts'
import { showPresence } from '../db/presence.ts'
import {
  insertChannelLog,
  lockAccessToken,
  openConnections,
  saveAccessToken,
} from '../db/queries/platform.ts'
import { buildApp } from './app.ts'
import { createChannels } from './channels/index.ts'
import type { TokenStore } from './channels/token.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { messageUnderWay } from './jobs/deliver/under-way.ts'
import { startSchedule } from './jobs/schedule.ts'
import { createLog } from './log.ts'
import { inTransaction, type Runtime } from './runtime.ts'
import { loadTemplates, type Templates } from './templates.ts'
import { createUpdateHandler, type Handler, type UpdateHandler } from './updates.ts'
import { createVault } from './vault.ts'

export interface StartOptions {
  config: Config
  createBot: (channels: Runtime['channels'], templates: Templates) => Handler
  clock?: Clock
  log?: Logger
  /** false: nothing happens by itself; a test or the demo runs the jobs. */
  withSchedule?: boolean
  /** Set when the database is there already and migrated. */
  databaseUrl?: string
  /** Lets anybody sign in as anybody. Refused unless both platforms are on this very machine. */
  isDemo?: boolean
}

export interface RunningServer {
  rt: Runtime
  updates: UpdateHandler
  url: string
  /** Takes no more requests, finishes what is under way, then lets go of the database. */
  stop(): Promise<void>
}

/**
 * Starts a server: database, migrations, channels, bot, HTTP, schedule; stopped in the reverse order.
 * @throws ConfigError | TemplatesError with every problem, before anything was started
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config, clock = systemClock, withSchedule = true } = options
  const log = options.log ?? createLog(config.logLevel)
  const templates = loadTemplates()
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const step of stops.splice(0).reverse())
      await step().catch(error => log.error(describeError(error), 'a step of stopping failed'))
  }
  try {
    const {
      db,
      url: databaseUrl,
      close,
    } = options.databaseUrl
      ? { ...connectDatabase(options.databaseUrl, config.databasePool), url: options.databaseUrl }
      : await openDatabase(config)
    stops.push(close)
    log.info({ embedded: config.databaseUrl === null }, 'database ready')

    if (withSchedule) await openConnections(db, config.databasePool)
    const presence = withSchedule ? await showPresence(databaseUrl) : null
    if (presence) stops.push(() => presence.leave())

    // nobody waits for these, and one statement for many costs little more than one for one
    const logCall = batched(
      async (entries: Parameters<typeof insertChannelLog>[1]) => {
        await insertChannelLog(db, entries)
        return entries.map(() => null)
      },
      { paceMs: 50 },
    )
    const vault = createVault(config.dataKey, config.otherDataKeys)
    const base = { config, db, vault, templates, clock, log }
    const rt: Runtime = {
      ...base,
      publicUrl: config.publicUrl ?? '',
      processNumber: presence?.number ?? null,
      isDemo: options.isDemo === true && arePlayed(config),
      channels: createChannels(config, {
        now: () => clock.now(),
        tokens: tokenStore(() => rt),
        trace: entry => {
          const outgoingId = messageUnderWay.getStore()?.id ?? null
          logCall({ at: clock.now(), outgoingId, ...entry }).catch(() =>
            log.warn('a channel log entry was lost'),
          )
        },
        beforeCall: async () => messageUnderWay.getStore()?.onRequest?.(),
        freshnessSeconds: config.callbackFreshnessSeconds,
      }),
    }
    const updates = createUpdateHandler(rt, options.createBot(rt.channels, templates))
    const app = await buildApp(rt, updates)
    const address = await app.listen({ host: config.host, port: config.port })
    stops.push(() => app.close())
    rt.publicUrl ||= address
    if (withSchedule) {
      const schedule = await startSchedule(rt, updates, databaseUrl)
      stops.push(() => schedule.stop())
    }
    return { rt, updates, url: address, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Whether every platform is played on this machine: no setting of an operator opens the demo's door. */
function arePlayed(config: Config): boolean {
  const addresses = [
    config.wecom && config.wecomBaseUrl,
    config.officialAccount?.baseUrl,
    config.wechatPay?.baseUrl,
  ]
  return addresses.every(
    address => !address || ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(address).hostname),
  )
}

/** Tokens in the database, refreshed by one process while the others wait for its lock. */
function tokenStore(runtime: () => Runtime): TokenStore {
  return {
    async tokenFor(account, rejected, refresh) {
      return inTransaction(runtime(), async ({ db, vault, clock }) => {
        const stored = await lockAccessToken(db, account)
        if (stored && stored.expiresAt > clock.now()) {
          const token = vault.open(stored.tokenSealed)
          if (token !== rejected) return { token, expiresAt: stored.expiresAt }
        }
        const fresh = await refresh()
        await saveAccessToken(db, account, vault.seal(fresh.token), fresh.expiresAt)
        return fresh
      })
    },
  }
}

/** A key for demos and tests, where the data does not outlive the run. */
export function randomDataKey(): string {
  return randomBytes(32).toString('base64')
}
