import { randomBytes } from 'node:crypto'
import { connectDatabase, type Db } from '../../../db/client.ts'
import { systemClock } from '../../../server/clock.ts'
import { createLog } from '../../../server/log.ts'
import type { DomainRuntime } from '../../../server/runtime.ts'
import { loadTemplates } from '../../../server/templates.ts'
import { createVault } from '../../../server/vault.ts'
import { chance } from '../../demo/chance.ts'
import { freePort, type ServerProcess, sleep, startServerProcess } from '../server-process.ts'
import { deliveryRows, judge, messageStates, type NoticeVerdict, postsInFlight } from './ledger.ts'
import { fillMatrix, sendNotice } from './matrix.ts'
import type { GroupCounts } from './platform.ts'
import { startPlatform } from './platform-process.ts'

export interface KillNoticeOptions {
  /** A migrated database with nothing in it. */
  databaseUrl: string
  kills: number
  groups: number
  seed: number
  tell?: (line: string) => void
}

export interface KillNoticeResult extends NoticeVerdict {
  kills: number
  /** Kills while something of the notice was still to be sent. */
  killsUnderWay: number
  /** Messages still open when the time was over. Must be 0. */
  open: number
  /** Posts of which a killed process had noted that it calls, and not yet what came of it. */
  inFlight: number
  /** The same as the platform has seen it: not answered at a kill, or answered shortly before. */
  seenInFlight: number
  seconds: number
}

export const app = {
  corpId: 'wwchaos0notice',
  agentId: 1,
  secret: 'chaos',
  token: 'chaosToken',
  aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
}

/** Beyond what is under way at the last kill: heartbeats, claims that are left alone for a while, tries put off. */
const SETTLE_LIMIT_MS = 180_000
/** The mean span from one kill to the next, while both servers are up for some of it. */
const KILL_EVERY_MS = 2000
/** So soon PostgreSQL sees that a process is gone; nobody takes over what it had for far longer. */
const SEEN_AFTER_MS = 500
/** Calls that two servers have under way at once. */
const UNDER_WAY = 24

/** As in a matrix: many robots, some groups that the app made (it may post into few of them in a minute), the rest by hand. */
export function shareOut(groups: number): GroupCounts {
  const robots = Math.floor(groups * 0.4)
  const appchats = Math.min(Math.floor(groups * 0.1), 60)
  const customers = Math.floor(groups * 0.2)
  return { robots, appchats, customers, relayed: groups - robots - appchats - customers }
}

/**
 * Sends a notice with two server processes, kills either of them with SIGKILL again and again, starts it anew each time,
 * and holds what the platform has got against what the database says.
 */
export async function killUnderNotice(options: KillNoticeOptions): Promise<KillNoticeResult> {
  const { kills, groups, seed, tell = () => {} } = options
  const began = performance.now()
  const luck = chance(seed)
  const counts = shareOut(groups)
  const calls = counts.robots + counts.appchats + counts.customers / 2 + 2 * counts.relayed
  // slow enough that the notice lasts as long as the kills
  const latencyMs = Math.min(1500, Math.max(60, Math.round((kills * KILL_EVERY_MS * UNDER_WAY) / calls)))
  const platform = await startPlatform({
    app,
    seed,
    latencyMs,
    limitsOff: ['callFrequency', 'memberFrequency', 'appDailyQuota', 'webhookFrequency', 'appchatFrequency'],
  })
  const dataKey = randomBytes(32).toString('base64')
  const { db, close } = connectDatabase(options.databaseUrl, 2)
  const rt: DomainRuntime = {
    db,
    vault: createVault(dataKey),
    templates: loadTemplates(),
    clock: systemClock,
    log: createLog('error'),
    publicUrl: '',
  }
  const environment = environmentOf({
    databaseUrl: options.databaseUrl,
    dataKey,
    wecomUrl: platform.wecomUrl,
  })
  const startOne = async () => startServerProcess({ port: await freePort(), environment, onLine: complain })
  const complaints: Record<string, number> = {}
  function complain(line: string): void {
    const what = /"msg":"([^"]+)"/.exec(line)?.[1] ?? line.slice(0, 80)
    complaints[what] = (complaints[what] ?? 0) + 1
  }
  const servers: (ServerProcess | null)[] = [null, null]
  const starting = new Map<number, Promise<void>>()
  const start = (place: number) =>
    starting.set(
      place,
      startOne().then(server => {
        servers[place] = server
        starting.delete(place)
      }),
    )
  let killsUnderWay = 0
  const inFlight = new Set<string>()
  try {
    const sender = await fillMatrix(rt, await platform.make(counts))
    for (const place of [0, 1]) start(place)
    await Promise.all(starting.values())
    const { mark } = await sendNotice(rt, sender)
    tell(`${groups} groups, a call takes about ${latencyMs} ms`)

    let done = 0
    for (let kill = 1; kill <= kills; kill++) {
      done = await waitForMore(db, done)
      await sleep(luck.between(50, KILL_EVERY_MS))
      // one that is just starting may be the one; what has not come up yet is waited for only when both are down
      while (servers.every(server => server === null)) await Promise.race(starting.values())
      const first = luck.between(0, 1)
      const place = servers[first] === null ? 1 - first : first
      const dying = servers[place] as ServerProcess
      servers[place] = null
      if (isOpen(await messageStates(db))) killsUnderWay++
      await dying.kill()
      start(place)
      for (const claim of await inFlightAfter(db)) inFlight.add(claim)
      if (kill % 10 === 0) tell(`${kill}/${kills} kills: ${JSON.stringify(await messageStates(db))}`)
    }
    await Promise.all(starting.values())

    tell('what was left behind is waited for')
    const giveUpAt = performance.now() + SETTLE_LIMIT_MS + calls * latencyMs
    let states = await messageStates(db)
    while (isOpen(states) && performance.now() < giveUpAt) {
      await sleep(500)
      states = await messageStates(db)
    }
    const ledger = await platform.ledger(mark)
    const rows = await deliveryRows(db, sealed => rt.vault.open(sealed))
    if (Object.keys(complaints).length > 0) tell(`logged: ${JSON.stringify(complaints)}`)
    return {
      kills,
      killsUnderWay,
      open: openOf(states),
      inFlight: inFlight.size,
      seenInFlight: ledger.calls.unanswered + ledger.calls.justAnswered,
      ...judge(rows, ledger, mark),
      seconds: Math.round((performance.now() - began) / 1000),
    }
  } finally {
    await Promise.allSettled(starting.values())
    for (const server of servers) await server?.kill()
    await platform.stop()
    await close()
  }
}

/**
 * Waits until something more has been sent than at the last kill: on a busy machine a server takes long to come up, and
 * killing it before it has done anything would show nothing. @returns how much has been settled by now
 */
async function waitForMore(db: Db, done: number): Promise<number> {
  const giveUpAt = performance.now() + SETTLE_LIMIT_MS
  for (;;) {
    const states = await messageStates(db)
    const settled = Object.values(states).reduce((sum, count) => sum + count, 0) - openOf(states)
    if (settled > done || !isOpen(states) || performance.now() > giveUpAt) return settled
    await sleep(100)
  }
}

/** What the killed one had in flight: the database needs a moment to see that it is gone. */
async function inFlightAfter(db: Db): Promise<string[]> {
  await sleep(SEEN_AFTER_MS)
  return postsInFlight(db)
}

/** Whether everything that must be so is so. */
export function holds(result: KillNoticeResult): boolean {
  const { forgotten, doubled, untrue, open, unknown, inFlight } = result
  return forgotten + doubled + untrue + open === 0 && unknown <= inFlight
}

const openOf = (states: Record<string, number>) =>
  (states.pending ?? 0) + (states.retrying ?? 0) + (states.sending ?? 0)
const isOpen = (states: Record<string, number>) => openOf(states) > 0

/** The environment of a server that has the WeCom app only. */
export function environmentOf(given: {
  databaseUrl: string
  dataKey: string
  wecomUrl: string
}): Record<string, string> {
  return {
    NODE_ENV: 'production',
    // one address for all processes, as it must be: a notice's link is part of the text by which a task is found again
    PUBLIC_URL: 'http://127.0.0.1:9',
    DATABASE_URL: given.databaseUrl,
    DATA_KEY: given.dataKey,
    LOG_LEVEL: 'error',
    WECOM_BASE_URL: given.wecomUrl,
    WECOM_CORP_ID: app.corpId,
    WECOM_AGENT_ID: String(app.agentId),
    WECOM_SECRET: app.secret,
    WECOM_TOKEN: app.token,
    WECOM_AES_KEY: app.aesKey,
    WECOM_ACCOUNT_CAP: '100000',
  }
}
