import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { startEmbeddedPostgres } from '../db/embedded.ts'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { officersByLevel, sampleThings } from '../db/queries/overview.ts'
import { insertAdministrator } from '../db/queries/sessions.ts'
import { systemClock } from '../server/clock.ts'
import { readConfig } from '../server/config.ts'
import { registerConsole } from '../server/console/console.ts'
import { signInForDemo } from '../server/domain/sign-in/sessions.ts'
import { createLog } from '../server/log.ts'
import { botFor } from '../server/main.ts'
import { type RunningServer, randomDataKey, startServer } from '../server/start.ts'
import { nationalTree } from './bench/national-tree.ts'
import { median } from './bench/statistics.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const HELP = `用法: npm run bench:console [-- --rounds 5]

量控制台每一页的服务端时间：在演示的全部数据上（先跑一次 npm run demo -- --once），以市、县、群主和管理员的身份打开每一个
页面；再在 44,704 个单位的全国体系上打开矩阵图、展开一层。时间从请求到收完答复。对照是同一次运行里的 GET /healthz
（一次最小的数据库查询）。最后一行是 JSON；目标全部达到时退出码 0。

  --rounds   每页的次数（默认 5），取中位数`

const DEMO = '.data/demo'
const DEMO_SETTINGS = 'demo-output/demo.env'

interface Timed {
  page: string
  as: string
  ms: number
  bytes: number
}

runCommandLine(HELP, async args => {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string', default: '5' } } })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds 要是大于 0 的整数：${values.rounds}`)
  if (!existsSync(DEMO_SETTINGS)) throw new UsageError('没有演示的数据：请先运行 npm run demo -- --once')

  const demo = await measureDemo(rounds)
  const national = await measureNational(rounds)
  const slowest = [...demo.pages].sort((a, b) => b.ms - a.ms)
  console.log('\n最慢的页面：')
  for (const { page, as, ms, bytes } of slowest.slice(0, 12))
    console.log(`  ${ms.toFixed(1).padStart(7)} ms  ${String(bytes).padStart(7)} 字节  ${page}（${as}）`)
  console.log(`  对照 GET /healthz：${demo.baselineMs.toFixed(1)} ms`)
  console.log(
    `全国 44,704 个单位：打开 ${national.openMs.toFixed(1)} ms，展开一省 ${national.unfoldMs.toFixed(1)} ms\n`,
  )
  const targets = [
    target('slowest_page_ms', slowest[0]?.ms ?? Number.NaN, '<300'),
    target('slowest_page_vs_healthz', (slowest[0]?.ms ?? Number.NaN) / demo.baselineMs, null),
    target('national_map_ms', national.openMs, '<1000'),
    target('national_unfold_ms', national.unfoldMs, '<300'),
    target('first_page_bytes', demo.firstPageBytes, '<50000'),
    target('failed_pages', demo.failed.length, '<1'),
  ]
  for (const page of demo.failed) console.error(`打不开：${page}`)
  console.log(JSON.stringify({ bench: 'console', targets }))
  return targets.some(each => each.holds === false) ? 1 : 0
})

function target(name: string, value: number, bound: string | null) {
  const limit = bound === null ? null : Number(bound.slice(1))
  return {
    name,
    value: Math.round(value * 10) / 10,
    target: bound ?? 'shown only',
    holds: limit === null ? null : value < limit,
  }
}

async function measureDemo(rounds: number) {
  const settings = Object.fromEntries(
    readFileSync(DEMO_SETTINGS, 'utf8')
      .split('\n')
      .map(line => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? [])
      .filter(pair => pair.length === 2),
  )
  const embedded = await startEmbeddedPostgres({ folder: join(DEMO, 'postgres'), throwAway: true })
  const databaseUrl = await createDatabase(embedded.url, 'qunzhen')
  const server = await openServer(databaseUrl, String(settings.DATA_KEY))
  try {
    const { rt } = server
    const pages: Timed[] = []
    const failed: string[] = []
    const managing = rt.templates
      .programme('qingnong')
      .roles.filter(role => role.manages)
      .map(role => role.id)
    const officers = await officersByLevel(rt.db, 'qingnong', managing)
    const [first] = officers
    if (!first) throw new Error('the demo has no officers')
    await insertAdministrator(rt.db, first.personId, rt.clock.now())
    let firstPageBytes = 0
    for (const officer of officers) {
      const cookie = `qz=${(await signInForDemo(rt, officer.personId, 'bench')).token}`
      const ids = { ...(await sampleThings(rt.db, officer.unitId)), unitId: officer.unitId, month: '2026-09' }
      for (const url of await pagesOf(server)) {
        const address = addressOf(url, ids)
        // a stream lasts
        if (address === null || url.endsWith('/live')) continue
        const timed = await timePage(server, address, cookie, rounds)
        if (timed.status >= 500) failed.push(`${address}: ${timed.status}`)
        else if (timed.status === 200)
          pages.push({ page: url, as: officer.unitName, ms: timed.ms, bytes: timed.bytes })
      }
      if (officer === first) firstPageBytes = await bytesOfFirstPage(server, cookie)
    }
    const baseline = await timePage(server, '/healthz', '', rounds * 4)
    return { pages, failed, baselineMs: baseline.ms, firstPageBytes }
  } finally {
    await server.stop()
    await embedded.stop()
  }
}

async function measureNational(rounds: number) {
  const embedded = await startEmbeddedPostgres({ folder: '.data/bench-national/postgres', throwAway: true })
  const databaseUrl = await createDatabase(embedded.url, `national_${process.pid}`)
  await migrateDatabase(databaseUrl)
  const server = await openServer(databaseUrl, randomDataKey())
  try {
    const { officerId, provinceId } = await nationalTree(server.rt)
    const cookie = `qz=${(await signInForDemo(server.rt, officerId, 'bench')).token}`
    const open = await timePage(server, '/console', cookie, rounds)
    const unfold = await timePage(server, `/console/units/${provinceId}/children`, cookie, rounds)
    if (open.status !== 200 || unfold.status !== 200) throw new Error(`${open.status} ${unfold.status}`)
    return { openMs: open.ms, unfoldMs: unfold.ms }
  } finally {
    await server.stop()
    await embedded.stop()
  }
}

function openServer(databaseUrl: string, dataKey: string): Promise<RunningServer> {
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: databaseUrl,
    DATA_KEY: dataKey,
    WECOM_BASE_URL: 'http://127.0.0.1:9',
    WECOM_CORP_ID: 'bench',
    WECOM_AGENT_ID: '1',
    WECOM_SECRET: 'bench',
    WECOM_TOKEN: 'bench',
    WECOM_AES_KEY: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
  })
  return startServer({
    config,
    createBot: botFor,
    clock: systemClock,
    log: createLog('warn'),
    withSchedule: false,
    databaseUrl,
    isDemo: true,
  })
}

/** The addresses of all pages that are looked at, as the server has them. */
async function pagesOf({ rt }: RunningServer): Promise<string[]> {
  const found: string[] = []
  const app = Fastify()
  app.addHook('onRoute', ({ method, url, config }) => {
    if (method === 'GET' && config?.policy && config.policy !== 'public') found.push(url)
  })
  await registerConsole(app, rt)
  await app.close()
  return found
}

function addressOf(url: string, ids: Record<string, number | string>): string | null {
  let isWhole = true
  const address = url.replace(/:(\w+)/g, (_all, name: string) => {
    const id = ids[name]
    if (id === undefined) isWhole = false
    return String(id)
  })
  return isWhole ? address : null
}

async function timePage(server: RunningServer, path: string, cookie: string, rounds: number) {
  const times: number[] = []
  let status = 0
  let bytes = 0
  // the first time loads code and fills caches, as it does once after a start
  for (let round = -1; round < rounds; round++) {
    const started = performance.now()
    const response = await fetch(`${server.url}${path}`, { headers: { cookie }, redirect: 'manual' })
    bytes = (await response.arrayBuffer()).byteLength
    status = response.status
    if (round >= 0) times.push(performance.now() - started)
    if (status !== 200) break
  }
  return { status, bytes, ms: times.length === 0 ? 0 : median(times) }
}

/** What a browser that was never here loads for the first page, compressed as it is sent. */
async function bytesOfFirstPage(server: RunningServer, cookie: string): Promise<number> {
  const page = Buffer.from(
    await (await fetch(`${server.url}/console`, { headers: { cookie } })).arrayBuffer(),
  )
  let bytes = gzipSync(page).byteLength
  for (const [, path] of page.toString().matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    const asset = Buffer.from(await (await fetch(`${server.url}${path}`)).arrayBuffer())
    bytes += brotliCompressSync(asset).byteLength
  }
  return bytes
}
