import { randomBytes } from 'node:crypto'
import { connectDatabase } from '../../db/client.ts'
import { recordedMessages, updateStates } from '../../db/queries/overview.ts'
import { systemClock } from '../../server/clock.ts'
import { issueCodeByOperator } from '../../server/domain/identities/issue-code.ts'
import { importRoster } from '../../server/domain/roster/import.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import { createLog } from '../../server/log.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { loadTemplates } from '../../server/templates.ts'
import { createVault } from '../../server/vault.ts'
import { chance } from '../demo/chance.ts'
import { serverEnvironment } from './doors.ts'
import { anyCallback, type KillCallback, ownerText, post } from './kill-callbacks.ts'
import { freePort, sleep, startServerProcess } from './server-process.ts'
import { storedUpdates } from './stored-updates.ts'

export interface KillOptions {
  /** A migrated database with nothing in it. */
  databaseUrl: string
  kills: number
  /** Callbacks under way at once. */
  lanes: number
  seed: number
  tell?: (line: string) => void
}

export interface KillResult {
  kills: number
  sent: number
  acknowledged: number
  /** Acknowledged and not in the database, or there without its effect. Must be 0. */
  lost: number
  /** There more than once, by key or by effect. Must be 0. */
  doubled: number
  /** Stored and never handled. Must be 0. */
  unhandled: number
}

/** What a process leaves behind is another's after 15 s; ten more until the schedule looks, and some to do it. */
const SETTLE_LIMIT_MS = 60_000
/** As the platforms do: a callback without an answer is sent again, three times in all. */
const TRIES = 3
const TRY_AGAIN_MS = 300

/**
 * Kills the server with SIGKILL at random moments under load and counts what became of every callback. A process that
 * is up already takes its place, as behind a reverse proxy, so that the load never ends.
 *
 * Half of the callbacks are an owner's 登记 of one message, so that their effect can be counted: one row for each. The
 * others are texts that are answered outright, and group events; all are found again by their keys.
 */
export async function killUnderLoad(options: KillOptions): Promise<KillResult> {
  const { kills, lanes, seed, tell = () => {} } = options
  const luck = chance(seed)
  const dataKey = randomBytes(32).toString('base64')
  const environment = serverEnvironment({
    databaseUrl: options.databaseUrl,
    dataKey,
    mode: 'secure',
    logLevel: 'error',
  })
  const startOne = async () => startServerProcess({ port: await freePort(), environment })
  const { db, close } = connectDatabase(options.databaseUrl, 2)
  const rt: DomainRuntime = {
    db,
    vault: createVault(dataKey),
    templates: loadTemplates(),
    clock: systemClock,
    log: createLog('error'),
    publicUrl: '',
  }
  let server = await startOne()
  try {
    const before = await prepareOwner(rt, server.port)
    const sent = new Map<string, KillCallback>(before.map(each => [each.key, each]))
    const acknowledged = new Set<string>()
    let isOver = false
    const client = async (_: unknown, lane: number) => {
      const mood = chance(seed * 1000 + lane)
      while (!isOver) {
        const callback = anyCallback(mood, OWN_GROUP)
        sent.set(callback.key, callback)
        for (let attempt = 0; attempt < TRIES; attempt++) {
          if (await post(server.port, callback)) {
            acknowledged.add(callback.key)
            break
          }
          await sleep(TRY_AGAIN_MS)
        }
      }
    }
    const clients = Array.from({ length: lanes }, client)
    for (let kill = 1; kill <= kills; kill++) {
      // the next process is up before this one dies, so that callbacks never stop coming
      const next = await startOne()
      await sleep(luck.between(20, 700))
      const dying = server
      server = next
      await dying.kill()
      if (kill % 20 === 0) tell(`${kill}/${kills} kills, ${acknowledged.size} callbacks acknowledged`)
    }
    isOver = true
    await Promise.all(clients)

    tell('what was left behind is waited for')
    // what was stored and left behind is made good by the schedule, in its own time
    const giveUpAt = performance.now() + SETTLE_LIMIT_MS
    while (((await updateStates(db)).received ?? 0) > 0 && performance.now() < giveUpAt) await sleep(500)

    const stored = new Map<string, string>()
    for await (const row of storedUpdates(db)) stored.set(row.dedupe_key, row.status)
    const recorded = await recordedMessages(db)
    const withEffect = new Set(recorded.storedIds)
    const isLost = (key: string) =>
      !stored.has(key) || (sent.get(key)?.isRecord === true && !withEffect.has(key))
    return {
      kills,
      sent: sent.size - before.length,
      acknowledged: acknowledged.size,
      lost: [...acknowledged].filter(isLost).length,
      doubled:
        recorded.messages -
        recorded.storedIds.length +
        [...stored.keys()].filter(key => !sent.has(key)).length,
      unhandled: [...stored.values()].filter(status => status !== 'handled').length,
    }
  } finally {
    await server.kill()
    await close()
  }
}

/** The number that the only group of the prepared owner gets. */
const OWN_GROUP = 1

/** One owner with one group, brought aboard through the server under test. @returns the callbacks that did it */
async function prepareOwner(rt: DomainRuntime, port: number): Promise<KillCallback[]> {
  await importUnits(rt, 'qingnong', [
    { code: '610800', name: '榆林市', kind: 'city-committee', parentCode: null },
    { code: '610802', name: '榆阳区', kind: 'county-committee', parentCode: '610800' },
    { code: '610802101', name: '镇川镇', kind: 'township-committee', parentCode: '610802' },
  ])
  const roster = '单位编码,姓名,手机号,角色,状态\n610802101,王镇川,13900000011,乡镇团委成员,在岗\n'
  await importRoster(
    rt,
    { name: 'roster.csv', bytes: Buffer.from(roster) },
    { programme: 'qingnong', isDryRun: false, actorId: null },
  )
  const { code } = await issueCodeByOperator(rt, {
    programme: 'qingnong',
    unitCode: '610802101',
    name: '王镇川',
  })
  const steps = [`绑定 ${code}`, '建群 团青群 微信群 30人 镇川青年 入群码 https://example.cn/q'].map(text =>
    ownerText(text),
  )
  for (const step of steps) if (!(await post(port, step))) throw new Error('the owner could not be prepared')
  return steps
}
