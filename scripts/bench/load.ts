import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Measured, Mode } from './statistics.ts'

/** What the load generator signs with; every server is configured with the same. */
export const secrets = {
  token: 'benchToken',
  aesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
  /** The corp id and the app id. */
  receiveId: 'wx5823bf96d3bd56c7',
}

/**
 * The generator waits while it collects its own garbage, and what it waits counts as the server's latency. All that it
 * sends and hears it keeps to the end: with these, V8 looks at the young objects only, often and briefly. As it comes, it
 * stops for 20 to 60 ms every second or two.
 */
const QUIET = [
  '--max-semi-space-size=1',
  '--no-parallel-scavenge',
  '--initial-old-space-size=4000',
  '--max-old-space-size=8000',
  '--external-memory-accounted-in-global-limit',
]

export interface LoadOptions {
  /** The folder that holds `load.mjs`. */
  folder: string
  url: string
  mode: Mode
  /** At most. */
  requests: number
  /** At most. */
  seconds: number
  /** Sent first and not measured. */
  warmup: number
  connections: number
  /** Requests a second, coming evenly; null: as fast as they are answered. */
  rate: number | null
  /** What each reply must say: `{content}` for an echo, or `any` text. */
  expect: string
  /** The server's process, whose CPU time is counted. */
  pid: number
  /** The core to keep the load on; null: any. */
  core: number | null
  /** Awaited before the load begins. */
  settle: () => Promise<void>
}

export type LoadResult = Omit<Measured, 'server' | 'round' | 'peak_mb'> & {
  /** Requests that were sent, without the warm-up. */
  n: number
}

/** Runs the load generator of the peers' folder and returns what it measured. A failed run comes back as errors. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { core } = options
  const args = [
    ...[process.execPath, ...QUIET, join(options.folder, 'load.mjs')],
    ...['--url', options.url, '--mode', options.mode],
    ...['--token', secrets.token, '--aeskey', secrets.aesKey, '--receiveid', secrets.receiveId],
    ...[
      '-n',
      String(options.requests),
      '--seconds',
      String(options.seconds),
      '-c',
      String(options.connections),
    ],
    ...['--warmup', String(options.warmup), '--reply', '--expect', options.expect, '--forged'],
    ...['--pid', String(options.pid), ...(options.rate === null ? [] : ['--rate', String(options.rate)])],
  ]
  const [command = '', ...rest] = core === null ? args : ['taskset', '-c', String(core), ...args]
  await options.settle()
  return new Promise((done, fail) => {
    execFile(command, rest, { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      const result = readResult(stdout)
      if (result === null) fail(error ?? new Error(`the load generator says nothing: ${stderr}`))
      else done(result)
    })
  })
}

/** The figures of a run that never began. */
export const nothingMeasured: Omit<LoadResult, 'mode' | 'errors'> = {
  n: 0,
  rps: 0,
  p50_ms: 0,
  p99_ms: 0,
  max_ms: 0,
  server_us: 0,
}

/** The generator's one line of JSON; a run that broke off has only its errors. null: no such line */
export function readResult(stdout: string): LoadResult | null {
  try {
    return { ...nothingMeasured, ...(JSON.parse(stdout) as LoadResult) }
  } catch {
    return null
  }
}
