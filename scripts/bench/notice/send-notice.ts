import { createDatabase, migrateDatabase } from '../../../db/migrate.ts'
import { systemClock } from '../../../server/clock.ts'
import { readConfig } from '../../../server/config.ts'
import { deliverDue } from '../../../server/jobs/deliver.ts'
import { createLog } from '../../../server/log.ts'
import { botFor } from '../../../server/main.ts'
import { randomDataKey, startServer } from '../../../server/start.ts'
import { app, environmentOf } from '../../chaos/notice/kill-notice.ts'
import { messageStates } from '../../chaos/notice/ledger.ts'
import { fillMatrix, sendNotice } from '../../chaos/notice/matrix.ts'
import type { CallCounts, GroupCounts } from '../../chaos/notice/platform.ts'
import { startPlatform } from '../../chaos/notice/platform-process.ts'
import type { LimitName } from '../../simulator/index.ts'

export interface SentNotice {
  /** Messages of ours: a post, a task, or the texts to one owner. */
  messages: number
  /** Calls by which they went out. */
  calls: number
  seconds: number
  /** Of this process, for each message, in ms. */
  cpuMs: number
  platform: CallCounts
}

export interface SendOptions {
  /** The PostgreSQL in which a database is made. */
  serverUrl: string
  name: string
  counts: GroupCounts
  limitsOff: LimitName[]
  /** Sends for at most this long. */
  forSeconds: number
}

/** Sends one notice from this process to a platform in another, and counts what arrives there. */
export async function sendOneNotice(options: SendOptions): Promise<SentNotice> {
  const databaseUrl = await createDatabase(options.serverUrl, options.name)
  await migrateDatabase(databaseUrl)
  const platform = await startPlatform({ app, seed: 1, latencyMs: 0, limitsOff: options.limitsOff })
  const dataKey = randomDataKey()
  const server = await startServer({
    config: readConfig({
      ...environmentOf({ databaseUrl, dataKey, wecomUrl: platform.wecomUrl }),
      PORT: '0',
    }),
    createBot: botFor,
    clock: systemClock,
    log: createLog('fatal'),
    withSchedule: false,
    databaseUrl,
    isDemo: true,
  })
  try {
    const { rt } = server
    const sender = await fillMatrix(rt, await platform.make(options.counts))
    await sendNotice(rt, sender)
    await rt.db.execute('vacuum analyze outgoing_messages')
    await rt.db.execute('vacuum analyze deliveries')
    const before = sumOf(await platform.calls())
    const cpu = process.cpuUsage()
    const started = performance.now()
    const endsAt = started + options.forSeconds * 1000
    // as the schedule does: a run ends when nothing is due at this moment
    while (performance.now() < endsAt) {
      await deliverDue(rt, { runMs: endsAt - performance.now() })
      if (isDone(await messageStates(rt.db))) break
      await new Promise(done => setTimeout(done, 100))
    }
    const seconds = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const messages = (await messageStates(rt.db)).sent ?? 0
    const counted = await platform.calls()
    return {
      messages,
      calls: sumOf(counted) - before,
      seconds,
      cpuMs: (user + system) / 1000 / Math.max(1, messages),
      platform: counted,
    }
  } finally {
    await server.stop()
    await platform.stop()
  }
}

const isDone = (states: Record<string, number>) =>
  (states.pending ?? 0) + (states.retrying ?? 0) + (states.sending ?? 0) === 0

const sumOf = ({ answered }: CallCounts) => Object.values(answered).reduce((sum, count) => sum + count, 0)
