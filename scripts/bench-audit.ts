import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { connectDatabase } from '../db/client.ts'
import { createDatabase, migrateDatabase } from '../db/migrate.ts'
import { systemClock } from '../server/clock.ts'
import { importUnits } from '../server/domain/units/import-units.ts'
import type { DomainRuntime } from '../server/runtime.ts'
import { randomDataKey } from '../server/start.ts'
import { loadTemplates } from '../server/templates.ts'
import { createVault } from '../server/vault.ts'
import { decide } from './bench/audit/decide.ts'
import { diffPart } from './bench/audit/diff.ts'
import { importPart, measureImport } from './bench/audit/import.ts'
import type { AuditPart, AuditTarget, LoadedRoster } from './bench/audit/part.ts'
import { reconcilePart } from './bench/audit/reconcile.ts'
import { nationalOffices } from './bench/audit/roster-file.ts'
import { withDurablePostgres } from './chaos/durable-postgres.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const PARTS: Record<string, AuditPart> = {
  import: importPart,
  diff: diffPart,
  decide,
  reconcile: reconcilePart,
}

const HELP = `用法: npm run bench:audit [-- --only import,diff,decide,reconcile] [-- --rows 1000000]

量名册和成员核对：
  import     一百万行 CSV 用 import-roster 导入空的全国名册：秒数、进程（连同线程）的内存最高值，与单纯 COPY 同样的行的倍数
  diff       名册的十分之一全部变动的文件，核对（不导入）的秒数
  decide     在这份名册上审核一次入群申请的 p99
  reconcile  4.5 万个群、一百万名成员全部核对一遍的秒数
PostgreSQL 是这一次专用的，落盘设置与生产相同（fsync、synchronous_commit、full_page_writes 都开）。最后一行是 JSON；
目标全部达到时退出码 0。

  --only   只量其中几项，逗号分开（默认全部）
  --rows   名册的行数（默认 1000000）；导入的秒数折算成每百万行`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: Object.keys(PARTS).join(',') },
      rows: { type: 'string', default: '1000000' },
    },
  })
  const rows = Number(values.rows)
  if (!Number.isInteger(rows) || rows < 300)
    throw new UsageError(`--rows 要是不小于 300 的整数：${values.rows}`)
  const names = values.only.split(',').map(name => name.trim())
  for (const name of names)
    if (!PARTS[name]) throw new UsageError(`没有 ${name} 这一项，可选：${Object.keys(PARTS).join('、')}`)
  const targets = await withDurablePostgres(url => measure(url, rows, names))
  for (const { name, value, target, holds } of targets)
    console.log(`${holds === false ? '✗' : ' '} ${name.padEnd(32)} ${String(value).padStart(12)}  ${target}`)
  console.log(JSON.stringify({ bench: 'audit', targets }))
  return targets.some(each => each.holds === false) ? 1 : 0
})

async function measure(maintenanceUrl: string, rows: number, names: string[]): Promise<AuditTarget[]> {
  let loaded: Promise<LoadedRoster & { close(): Promise<void> }> | null = null
  const say = (line: string) => console.error(line)
  const stage = {
    maintenanceUrl,
    rows,
    say,
    loadedRoster() {
      loaded ??= loadRoster(maintenanceUrl, rows, say)
      return loaded
    },
  }
  const targets: AuditTarget[] = []
  try {
    for (const name of names) targets.push(...(await (PARTS[name] as AuditPart)(stage)))
    return targets
  } finally {
    const opened = loaded as Promise<{ close(): Promise<void> }> | null
    await opened?.then(
      roster => roster.close(),
      () => {},
    )
  }
}

/** A database with the offices of the nation, and the roster imported into it. */
async function loadRoster(
  maintenanceUrl: string,
  rows: number,
  say: (line: string) => void,
): Promise<LoadedRoster & { close(): Promise<void> }> {
  const url = await createDatabase(maintenanceUrl, 'audit')
  await migrateDatabase(url)
  const database = connectDatabase(url, 4)
  const dataKey = randomDataKey()
  const rt: DomainRuntime = {
    db: database.db,
    vault: createVault(dataKey),
    templates: loadTemplates(),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    publicUrl: '',
  }
  try {
    await importUnits(rt, 'xibu', nationalOffices().units)
    const targets = await measureImport(
      { maintenanceUrl, rows, say, loadedRoster: () => Promise.reject() },
      url,
      dataKey,
    )
    await database.db.execute('vacuum analyze')
    return { url, dataKey, rt, targets, close: () => database.close() }
  } catch (error) {
    await database.close()
    throw error
  }
}
