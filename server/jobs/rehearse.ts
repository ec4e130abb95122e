import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { addressOf } from '../../db/client.ts'
import { describeError } from '../../db/errors.ts'
import { endRehearsal, failRunning, takeWaiting } from '../../db/queries/rehearsals.ts'
import { playedPlatforms } from '../domain/rehearsals/settings.ts'
import type { Runtime } from '../runtime.ts'

const PROGRAM = join(import.meta.dirname, '../../scripts/rehearse.ts')
/** A matrix of two thousand groups takes three minutes on two idle cores. */
const LIMIT_MS = 15 * 60_000
/** Behind everything that people wait for. */
const NICE = 15
/** After the word to stop: it lets go of its database. */
const STOP_MS = 10_000
const MOST_OUTPUT = 4 * 1024 * 1024
const NO_REASON = '演练没有做成，请再试一次；一直这样请告诉系统管理员。'

/** A rehearsal has come to nothing, with the reason in words for the office. */
class Failed extends Error {
  /** What its process said of it, for the log: it has met nobody's data. */
  readonly complaint: string
  constructor(reason: string, complaint = '') {
    super(reason)
    this.complaint = complaint
  }
}

/**
 * Runs the rehearsals that wait, one at a time, each in a process of its own: an accident there is none here. It gets the
 * database's address and no key, so that it could not read anything sealed.
 * @param how.program the command line, or what stands for it
 * @returns how many were taken
 */
export async function runRehearsals(
  rt: Runtime,
  signal: AbortSignal,
  how: { program?: string; limitMs?: number; nice?: number } = {},
): Promise<number> {
  await failRunning(rt.db, '服务中途停止，请再演练一次。', rt.clock.now())
  let taken = 0
  while (!signal.aborted) {
    const next = await takeWaiting(rt.db)
    if (!next) break
    taken++
    const order = { unitId: next.unitId, settings: next.settings, platforms: playedPlatforms(rt.config) }
    try {
      const result = await runChild(addressOf(rt.db), order, signal, {
        program: PROGRAM,
        limitMs: LIMIT_MS,
        nice: NICE,
        ...how,
      })
      await endRehearsal(rt.db, next.id, { status: 'done', result, reason: null, endedAt: rt.clock.now() })
    } catch (error) {
      // a server that stops lets the next one do it
      const isStopped = signal.aborted
      const failure = error instanceof Failed ? error : null
      if (!isStopped)
        rt.log.warn(
          { rehearsalId: next.id, ...describeError(error), complaint: failure?.complaint },
          'a rehearsal came to nothing',
        )
      await endRehearsal(rt.db, next.id, {
        status: isStopped ? 'waiting' : 'failed',
        result: null,
        reason: isStopped ? null : (failure?.message ?? NO_REASON),
        endedAt: isStopped ? null : rt.clock.now(),
      })
    }
  }
  return taken
}

/** @throws Failed */
async function runChild(
  databaseUrl: string,
  order: unknown,
  signal: AbortSignal,
  { program, limitMs, nice }: { program: string; limitMs: number; nice: number },
): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [program, '--job'], {
    env: { DATABASE_URL: databaseUrl, TZ: 'Asia/Shanghai' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  })
  bePatient(child.pid, nice)
  let output = ''
  let complaint = ''
  child.stdout.on('data', chunk => {
    output = (output + chunk).slice(-MOST_OUTPUT)
  })
  child.stderr.on('data', chunk => {
    complaint = (complaint + chunk).slice(-2000)
  })
  // its end closes the pipe, which is no accident of ours
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(order)}\n`)
  let isTooLong = false
  const stop = () => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), STOP_MS).unref()
  }
  const timer = setTimeout(() => {
    isTooLong = true
    stop()
  }, limitMs)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    const status = await ended
    if (isTooLong) throw new Failed('演练太久，停下了：请选下级单位，或少抽一些群。')
    if (status === null) throw new Failed('演练的进程中途没了（可能内存不足），请再试一次。', complaint)
    const answer = lastLineOf(output)
    if (status !== 0 || answer === null || typeof answer.reason === 'string')
      throw new Failed(typeof answer?.reason === 'string' ? answer.reason : NO_REASON, complaint)
    return answer
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function bePatient(pid: number | undefined, nice: number): void {
  try {
    if (pid !== undefined) setPriority(pid, nice)
  } catch {
    // it is over already, and how it ended is told by itself
  }
}

/** What the process has answered, or the reason why not; null when it has not. */
function lastLineOf(output: string): Record<string, unknown> | null {
  try {
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
  } catch {
    return null
  }
}
