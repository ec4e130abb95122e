import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface ServerProcess {
  readonly pid: number
  readonly port: number
  /** How it ended; null while it runs. */
  readonly ended: string | null
  /** Resident memory in MB (2^20 bytes), now or at its highest; null where there is no /proc. */
  memory(which?: 'now' | 'peak'): number | null
  /** At once, and waits until it has gone. */
  kill(): Promise<void>
  /** Asks it to finish what is under way. @returns how it ended: `exit 0` when all went well */
  stop(): Promise<string>
}

export interface ServerProcessOptions {
  /** Its whole environment: nothing of ours is passed on but the path. PORT is set here. */
  environment: Record<string, string>
  port: number
  /** The core to keep it on (`taskset`); null: any. */
  core?: number | null
  /** Gets every line it prints. */
  onLine?: (line: string) => void
}

const root = join(import.meta.dirname, '../..')
const START_LIMIT_MS = 180_000
/** Longer than the server's own limit for stopping. */
const STOP_LIMIT_MS = 45_000

/** Starts `server/main.ts` as a process of its own, and waits until it answers. @throws Error with what it printed */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { port, core = null, onLine = () => {} } = options
  const node = [process.execPath, ...startArguments()]
  const [command = '', ...args] = core === null ? node : ['taskset', '-c', String(core), ...node]
  const child = spawn(command, args, {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...options.environment, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let ended: string | null = null
  const tail: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', line => {
      if (tail.push(line) > 20) tail.shift()
      onLine(line)
    })
  const exited = new Promise<string>(done => {
    child.once('error', error => {
      ended = String(error)
      done(ended)
    })
    child.once('close', (code, signal) => {
      ended ??= signal === null ? `exit ${code}` : `killed by ${signal}`
      done(ended)
    })
  })
  const server: ServerProcess = {
    pid: child.pid ?? 0,
    port,
    get ended() {
      return ended
    },
    memory: which => residentMemory(server.pid, which),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async stop() {
      child.kill('SIGTERM')
      const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
      await exited
      clearTimeout(limit)
      return ended ?? ''
    },
  }
  const giveUpAt = performance.now() + START_LIMIT_MS
  while (!(await isUp(port))) {
    if (ended !== null || performance.now() > giveUpAt) {
      await server.kill()
      throw new Error(`the server did not come up (${ended}):\n${tail.join('\n')}`)
    }
    await sleep(25)
  }
  return server
}

/** What `npm start` gives to node, but for the file of settings. */
function startArguments(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  const [, ...given] = scripts.start.split(' ')
  return given.filter(each => !each.startsWith('--env-file'))
}

async function isUp(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5000) })
    await response.text()
    return response.status === 200
  } catch {
    return false
  }
}

/** In MB; null where the system does not say. */
export function residentMemory(pid: number, which: 'now' | 'peak' = 'now'): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const found = (which === 'now' ? /^VmRSS:\s+(\d+) kB/m : /^VmHWM:\s+(\d+) kB/m).exec(status)
    return found ? Number(found[1]) / 1024 : null
  } catch {
    return null
  }
}

/** A port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer()
    probe.once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}

export function sleep(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}
