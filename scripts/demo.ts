import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { removeEmbeddedData, startEmbeddedPostgres } from '../db/embedded.ts'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { insertPersons } from '../db/queries/persons.ts'
import { nameKey, soundKey } from '../server/domain/names/name-key.ts'
import type { TrackingSheet } from '../server/domain/reports/tracking-sheet.ts'
import { writeTrackingSheet } from '../server/domain/reports/write-form.ts'
import { makeAdministrator } from '../server/domain/sign-in/sessions.ts'
import { startSchedule } from '../server/jobs/schedule.ts'
import { createLog } from '../server/log.ts'
import { type RunningServer, randomDataKey } from '../server/start.ts'
import { loadTemplates } from '../server/templates.ts'
import { inventCast, type Scale, wholeYulin } from './demo/cast.ts'
import { differences } from './demo/check.ts'
import { recount } from './demo/recount.ts'
import { MONTH, openDemo } from './demo/stage.ts'
import { playMonth } from './demo/story.ts'
import { summarise } from './demo/summary.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const HELP = `用法: npm run demo [-- --once] [-- --port 8800]

用模拟的企业微信和公众号，在真实的榆林市（12 个县区、全部乡镇）上演一个月：逐级绑定、建群、青年登记、志愿者入群审核、
通知传达与催办、消息登记、线下活动、月末报表。结果在 demo-output/。演完后服务不退出，可以在浏览器里扮演任何人和机器人聊天。

  --once       演完就退出（退出码 0 表示数字全部核对一致）
  --port       手机页面的端口（默认 8800；被占用时自动换一个）
  --counties   只演前几个县区（默认 12）
  --help       显示本说明`

const OUTPUT = 'demo-output'
const DATA = '.data/demo'

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean', default: false },
      port: { type: 'string', default: '8800' },
      counties: { type: 'string', default: '12' },
    },
  })
  const [port, countyCount] = [Number(values.port), Number(values.counties)]
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new UsageError(`端口不对：${values.port}`)
  if (!Number.isInteger(countyCount) || countyCount < 1 || countyCount > 12)
    throw new UsageError(`县区数要在 1 到 12 之间：${values.counties}`)

  const stops: (() => Promise<void>)[] = []
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
  // PostgreSQL lives in a process group of its own: an interrupted play must stop it, too
  let interrupt: () => void = () => void stopAll().finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt())
  const interrupted = () =>
    new Promise<void>(done => {
      interrupt = done
    })
  try {
    return await play({ isOnce: values.once, port, countyCount, stops, interrupted })
  } finally {
    await stopAll()
  }
})

interface PlayOptions {
  isOnce: boolean
  port: number
  countyCount: number
  /** What must be stopped at the end, in the order of starting. */
  stops: (() => Promise<void>)[]
  /** Resolves when the person at the keyboard has had enough. */
  interrupted: () => Promise<void>
}

/** Plays the month, writes what came of it, and stays up when asked. @returns the exit status */
async function play({ isOnce, port, countyCount, stops, interrupted }: PlayOptions): Promise<number> {
  const started = Date.now()
  const tell = (line: string) =>
    console.log(`[${String(Math.round((Date.now() - started) / 1000)).padStart(3)} 秒] ${line}`)
  rmSync(OUTPUT, { recursive: true, force: true })
  removeEmbeddedData(join(DATA, 'postgres'))
  mkdirSync(OUTPUT, { recursive: true })

  tell('启动内置 PostgreSQL、平台模拟器和服务……')
  // the people are invented: their data may be lost in a power cut, and the play goes faster
  const embedded = await startEmbeddedPostgres({ folder: join(DATA, 'postgres'), throwAway: true })
  stops.push(() => embedded.stop())
  const databaseUrl = await createDatabase(embedded.url, 'qunzhen')
  await migrateDatabase(databaseUrl)
  const dataKey = randomDataKey()
  const stage = await openDemo({
    databaseUrl,
    dataKey,
    log: createLog('warn'),
    phonePort: await portOrAny(port),
    serverPort: await portOrAny(3000),
    host: '127.0.0.1',
    logFile: join(OUTPUT, 'simulator-log.jsonl'),
  })
  stops.push(() => stage.stop())
  const scale: Scale = { ...wholeYulin, counties: countyCount }
  const templates = loadTemplates()
  const cast = inventCast(templates.regions, scale)
  tell(`手机页面：${stage.sim.url}　　服务：${stage.server.url}`)
  const players = await playMonth({ stage, cast, scale, tell })

  await addAdministrator(stage.server.rt)
  const { summary, sheets } = await summarise(stage.server.rt)
  for (const { name, officer } of cast.counties) {
    const sheet = { ...(sheets.get(name) as TrackingSheet), filledBy: officer.name, contact: officer.phone }
    writeFileSync(
      join(OUTPUT, `跟踪摸底表-${name}-${MONTH}.xlsx`),
      await writeTrackingSheet(templates.form('tracking-sheet'), sheet),
    )
  }
  writeFileSync(join(OUTPUT, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
  writeFileSync(join(OUTPUT, 'demo.env'), `DATA_FOLDER=${DATA}\nDATA_KEY=${dataKey}\n`)
  const wrong = differences(cast, summary, sheets, recount(stage.sim, cast, players))
  report(summary, wrong, tell)

  if (isOnce) return wrong.length === 0 ? 0 : 1
  const schedule = await startSchedule(stage.server.rt, stage.server.updates, databaseUrl)
  console.log(`
打开控制台 ${stage.server.url} ，选“演示：扮演任何人”，以市、县、乡镇、群主或系统管理员的身份看同一张矩阵。
打开手机页面 ${stage.sim.url} ，选一个人和机器人聊天。试试：
  · 选“青工农部部长”，发送：回执
  · 选一位群主，发送：我的群　或　统计 9月
  · 选“路人0”，发送：入群 1
按 Ctrl+C 结束。`)
  stops.push(() => schedule.stop())
  await interrupted()
  console.log('正在结束……')
  return 0
}

/** Somebody without any office who looks after the server, for the pages of 运维. */
async function addAdministrator(rt: RunningServer['rt']): Promise<void> {
  const name = '系统管理员'
  const [id] = await insertPersons(rt.db, [
    { name, nameKey: nameKey(name), soundKey: soundKey(name), createdAt: rt.clock.now() },
  ])
  if (id !== undefined) await makeAdministrator(rt, id)
}

function report(
  summary: Awaited<ReturnType<typeof summarise>>['summary'],
  wrong: string[],
  tell: (line: string) => void,
): void {
  const groups = Object.values(summary.groups).reduce((sum, count) => sum + count, 0)
  const messages = Object.values(summary.messages).reduce((sum, count) => sum + count, 0)
  tell(
    `合计：单位 ${summary.units}，群 ${groups}，名册 ${summary.persons.cadresAndVolunteers} 人，登记青年 ${summary.persons.registeredYouth} 人，消息 ${messages} 条`,
  )
  for (const { id, groups: all, posted } of summary.notices) tell(`通知 ${id}：${posted}/${all} 个群已送达`)
  tell(
    `入群申请：${Object.entries(summary.joinRequests)
      .map(([name, count]) => `${name} ${count}`)
      .join('，')}`,
  )
  if (wrong.length === 0) tell('核对：报表和 summary.json 的每个数字都与模拟器的日志一致')
  else for (const line of wrong.slice(0, 20)) tell(`核对不一致：${line}`)
  tell(
    `结果在 ${OUTPUT}/ ：${Object.keys(summary.sheets).length} 张跟踪摸底表（XLSX）、summary.json、simulator-log.jsonl`,
  )
  tell(
    `再导出一张：node_modules/.bin/node --env-file=${OUTPUT}/demo.env scripts/export-form.ts --form tracking-sheet --unit 610802 --month ${MONTH} --out 榆阳区.xlsx`,
  )
}

/** The port when it is free, else 0: any. */
function portOrAny(port: number): Promise<number> {
  return new Promise(done => {
    const probe = createServer()
    probe.once('error', () => done(0))
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(port)))
  })
}
