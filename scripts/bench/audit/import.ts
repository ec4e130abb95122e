import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../../db/client.ts'
import { undurableSettings } from '../database-checks.ts'
import { type AuditPart, type AuditStage, type AuditTarget, auditTarget, shownOnly } from './part.ts'
import { writeRoster } from './roster-file.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PEAK_MS = 50

/** What an import of a file by the command line has come to. */
export interface MeasuredImport {
  seconds: number
  /** The highest resident memory of the process with its threads, MB. */
  peakMb: number
  output: string
}

/** Imports a file as an operator does: `npm run import-roster` in a process of its own. @throws when it does not end well */
export async function importByCommand(url: string, dataKey: string, args: string[]): Promise<MeasuredImport> {
  const started = performance.now()
  const child = spawn(process.execPath, ['scripts/import-roster.ts', ...args, '--programme', 'xibu'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', DATABASE_URL: url, DATA_KEY: dataKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk
    })
  let peakMb = 0
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid as number))
  }, PEAK_MS)
  const code = await new Promise(done => child.once('close', done))
  clearInterval(timer)
  if (code !== 0) throw new Error(`the import has ended with ${code}:\n${output.slice(-2000)}`)
  return { seconds: (performance.now() - started) / 1000, peakMb, output }
}

/** VmHWM: what the kernel itself has seen as the highest. 0 once the process is gone. */
function peakOf(pid: number): number {
  try {
    const kb = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kb ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Runs `work` with a folder that is gone afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-audit-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const MEGA = 1_000_000
const MOST_SECONDS = 180
const MOST_MB = 400

/**
 * The import of the whole roster into an empty one, and the time of a bare COPY of the same lines into a table without
 * keys on the same disk: what the database takes without anything being checked, sealed, compared or indexed.
 */
export async function measureImport(stage: AuditStage, url: string, dataKey: string): Promise<AuditTarget[]> {
  return withFolder(async folder => {
    const file = join(folder, 'roster.csv')
    await writeRoster(file, stage.rows)
    const off = await undurable(url)
    if (off.length > 0) throw new Error(`the database is not durable: ${off.join(', ')}`)
    stage.say(`导入 ${stage.rows} 行……`)
    const measured = await importByCommand(url, dataKey, [file])
    const bare = await secondsOfBareCopy(url, file)
    stage.say(
      `导入 ${measured.seconds.toFixed(1)} 秒，内存最高 ${measured.peakMb.toFixed(0)} MB；单纯 COPY 同样的行 ${bare.toFixed(1)} 秒`,
    )
    // the limit is of a million rows
    const seconds = (measured.seconds * MEGA) / Math.max(stage.rows, 1)
    return [
      auditTarget('import_seconds_per_million', seconds, '<', MOST_SECONDS),
      auditTarget('import_peak_mb', measured.peakMb, '<', MOST_MB),
      shownOnly('import_rows', stage.rows),
      shownOnly('import_vs_bare_copy', measured.seconds / bare),
    ]
  })
}

async function undurable(url: string): Promise<string[]> {
  const database = connectDatabase(url, 1)
  try {
    return await undurableSettings(database.db)
  } finally {
    await database.close()
  }
}

async function secondsOfBareCopy(url: string, file: string): Promise<number> {
  const { copyInto } = await import('../../../db/copy.ts')
  const database = connectDatabase(url, 1)
  try {
    await database.db.execute('create table bare_copy (line text)')
    const started = performance.now()
    const text = readFileSync(file, 'utf8').replaceAll('\\', '')
    await copyInto(
      database.db,
      'bare_copy',
      ['line'],
      (async function* () {
        yield Buffer.from(text)
      })(),
    )
    const seconds = (performance.now() - started) / 1000
    await database.db.execute('drop table bare_copy')
    return seconds
  } finally {
    await database.close()
  }
}

/** `import`: what the making of the shared roster has come to. */
export const importPart: AuditPart = async stage => (await stage.loadedRoster()).targets
