import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connectDatabase } from '../db/client.ts'
import { createDatabase } from '../db/migrate.ts'
import { settleDisk, undurableSettings } from './bench/database-checks.ts'
import type { LoadOptions } from './bench/load.ts'
import { type Peer, peersFolder, peersWith, quickPeers } from './bench/peers.ts'
import { OURS, tablesOf, targetsOf, targetTable } from './bench/report.ts'
import { measureOurs, type Prepared, prepareDatabase } from './bench/run-ours.ts'
import { measurePeer } from './bench/run-peer.ts'
import { type Measured, type Mode, median } from './bench/statistics.ts'
import { withDurablePostgres } from './chaos/durable-postgres.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const root = join(import.meta.dirname, '..')
const HELP = `用法: npm run bench:webhook [-- --rounds 3] [--quick] [--only ours] [--peers 目录]

同一次运行里比较：本服务（验签、解密、落盘、由机器人答复），不存任何东西的同类服务，手写的落盘服务。同样的加密消息，各一个进程，
被量的服务独占 0 号核，压力在 1 号核，数据库也不上 0 号核；轮流多轮，取中位数；每个答复都核对。数据库的 fsync、synchronous_commit、
full_page_writes 有一项没开就不量。每次先把准备时写的落到盘上；压力发生器自己停下来收拾内存的时候很短。每轮之后核对：应答过的消息
都在库里恰好一次、处理完、带着答复。最后一行是 JSON；目标全部达到时退出码 0。

  --rounds       轮数（默认 5；--quick 时 1）
  --quick        一轮，只和最快的对照服务比，请求少
  --only         ours：只量本服务；或用逗号隔开的服务名
  --modes        wecom,oa-aes（默认两样都量）
  --peers        对照服务的目录（默认环境变量 BENCH_PEERS，再默认 ../shared/bench）
  --requests     每次的请求数上限（默认 60000；--quick 时 10000）
  --seconds      每次的秒数上限（默认 3）
  --connections  连接数（默认 128）
  --warmup       先发而不计的请求（默认 20000）：服务一跑几个星期，量的是编译好以后的；每个服务一样多`

const allModes: readonly Mode[] = ['wecom', 'oa-aes']

interface Settings {
  rounds: number
  modes: Mode[]
  /** Names of servers; null: all. */
  only: ReadonlySet<string> | null
  load: Omit<LoadOptions, 'url' | 'pid' | 'expect' | 'mode' | 'settle'>
  /** The core of the server; the load has the next one. null: they are not kept apart. */
  core: number | null
}

runCommandLine(HELP, async args => {
  const settings = readSettings(args)
  if (settings.core !== null) stayOffCore(settings.core)
  return withDurablePostgres(async serverUrl => {
    const off = await settingsThatAreOff(serverUrl)
    if (off.length > 0) {
      console.error(`数据库没有真正落盘（${off.join('，')}），量出来的不算数，所以不量。`)
      return 1
    }
    console.error('数据库：fsync、synchronous_commit、full_page_writes 都开着')
    const prepared = await prepareDatabase(serverUrl)
    const peers = peersWith(await createDatabase(serverUrl, 'hand_written')).filter(
      peer => settings.only === null || settings.only.has(peer.name),
    )
    const { runs, faults } = await measureAtFullLoad(settings, prepared, peers)
    const atHalf = await measureAtHalfRate(settings, prepared, runs)
    for (const fault of [...faults, ...atHalf.faults]) console.error(`不成立：${fault}`)
    const targets = targetsOf({
      runs,
      halfRate: atHalf.runs,
      storageFaults: faults.length + atHalf.faults.length,
    })
    console.log(`\n${tablesOf(runs)}\n`)
    for (const run of atHalf.runs)
      console.log(
        `一半的速率（${run.mode}，每秒 ${run.rps} 个，第 ${run.round} 轮）：p50 ${run.p50_ms} ms，p99 ${run.p99_ms} ms`,
      )
    console.log()
    console.log(`${targetTable(targets)}\n`)
    console.log(JSON.stringify({ bench: 'webhook', targets }))
    return targets.some(each => each.holds === false) ? 1 : 0
  })
})

function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      modes: { type: 'string', default: allModes.join(',') },
      peers: { type: 'string' },
      requests: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '128' },
      warmup: { type: 'string' },
    },
  })
  const { quick } = values
  const count = (name: string, text: string) => {
    const number = Number(text)
    if (!Number.isInteger(number) || number < 1) throw new UsageError(`--${name} 要是大于 0 的整数：${text}`)
    return number
  }
  const modes = values.modes.split(',') as Mode[]
  for (const mode of modes) if (!allModes.includes(mode)) throw new UsageError(`没有这种模式：${mode}`)
  const only =
    values.only === undefined
      ? quick
        ? new Set([OURS, ...quickPeers])
        : null
      : new Set(values.only.split(',').map(name => (name === 'ours' ? OURS : name)))
  const canPin = spawnSync('taskset', ['-V']).status === 0 && availableParallelism() >= 2
  if (!canPin) console.error('没有 taskset 或只有一个核：服务和压力不分核，数字会偏低')
  const given = values.peers ?? process.env.BENCH_PEERS ?? join(root, '../shared/bench')
  return {
    rounds: count('rounds', values.rounds ?? (quick ? '1' : '5')),
    modes,
    only,
    load: {
      folder: peersFolder(given),
      requests: count('requests', values.requests ?? (quick ? '10000' : '60000')),
      seconds: count('seconds', values.seconds),
      connections: count('connections', values.connections),
      warmup: count('warmup', values.warmup ?? '20000'),
      rate: null,
      core: canPin ? 1 : null,
    },
    core: canPin ? 0 : null,
  }
}

/** Keeps this process, and PostgreSQL, which it starts, on the other cores: a server that is measured has one of its own. */
function stayOffCore(core: number): void {
  const others = Array.from({ length: availableParallelism() }, (_, at) => at).filter(each => each !== core)
  spawnSync('taskset', ['-a', '-p', '-c', others.join(','), String(process.pid)])
}

async function settingsThatAreOff(databaseUrl: string): Promise<string[]> {
  const { db, close } = connectDatabase(databaseUrl, 1)
  try {
    return await undurableSettings(db)
  } finally {
    await close()
  }
}

function loadOf({ load }: Settings, { serverUrl }: Prepared, mode: Mode) {
  return { ...load, mode, settle: () => settleDisk(serverUrl) }
}

/** Every server in every mode, round by round, each time in another order. */
async function measureAtFullLoad(settings: Settings, prepared: Prepared, peers: Peer[]) {
  const runs: Measured[] = []
  const faults: string[] = []
  const withOurs = settings.only === null || settings.only.has(OURS)
  for (let round = 1; round <= settings.rounds; round++)
    for (const mode of settings.modes) {
      const servers: (Peer | null)[] = peers.filter(peer => peer.modes.includes(mode))
      if (withOurs) servers.push(null)
      const turned = [...servers.slice(round % servers.length), ...servers.slice(0, round % servers.length)]
      for (const peer of turned) {
        const load = loadOf(settings, prepared, mode)
        const name = peer?.name ?? OURS
        if (peer !== null) {
          runs.push({ server: name, round, ...(await measurePeer(peer, load, settings.core)) })
        } else {
          const { faults: found, ...result } = await measureOurs(prepared, load, settings.core)
          faults.push(...found.map(fault => `${mode}，第 ${round} 轮：${fault}`))
          runs.push({ server: name, round, ...result })
        }
        tell(runs.at(-1) as Measured)
      }
    }
  return { runs, faults }
}

/** Ours at half of what it can do, requests coming evenly: what people would wait on a busy day. */
async function measureAtHalfRate(settings: Settings, prepared: Prepared, full: readonly Measured[]) {
  const runs: Measured[] = []
  const faults: string[] = []
  for (let round = 1; round <= settings.rounds; round++)
    for (const mode of settings.modes) {
      const own = full.filter(run => run.server === OURS && run.mode === mode && run.errors === 0)
      if (own.length === 0) continue
      const rate = Math.max(1, Math.round(median(own.map(run => run.rps)) / 2))
      const seconds = settings.load.seconds * 2
      const { faults: found, ...result } = await measureOurs(
        prepared,
        {
          ...loadOf(settings, prepared, mode),
          rate,
          requests: rate * seconds,
          seconds,
        },
        settings.core,
      )
      faults.push(...found.map(fault => `${mode}，一半的速率，第 ${round} 轮：${fault}`))
      runs.push({ server: OURS, round, ...result })
      tell(runs.at(-1) as Measured)
    }
  return { runs, faults }
}

function tell({ round, mode, server, rps, p99_ms, server_us, peak_mb, first_error }: Measured): void {
  console.error(
    `第 ${round} 轮 ${mode} ${server}：${rps} 个/秒，p99 ${p99_ms} ms，${server_us} µs，${Math.round(peak_mb)} MB ${first_error ?? ''}`,
  )
}
