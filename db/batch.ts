import { setTimeout } from 'node:timers'
import type { Db } from './client.ts'

/** A pace for what every callback needs: nobody notices it, and half of the CPU is saved. */
export const PACE_MS = 4
/** While PostgreSQL works at one batch the next can be on its way: a third of the time it was waited for. */
export const IN_FLIGHT = 3

interface Waiting<Input, Result> {
  input: Input
  done: (result: Result) => void
  fail: (error: unknown) => void
}

export interface BatchOptions {
  maxBatch?: number
  /**
   * Time from the start of one batch to the start of the next, at least. The first call after a pause is not kept waiting;
   * under load, batches of some size cost far less than many of one (measured: 0.4 ms of CPU each).
   */
  paceMs?: number
  /** How many batches may be under way at once; beyond the first only ones that are `worthwhile`. */
  inFlight?: number
  /** So many callers are worth a batch of their own, beside one that is under way and before its pace. */
  worthwhile?: number
}

/**
 * Group commit: calls that arrive while a batch is under way go together in the next one.
 *
 * @param run receives the inputs of a batch and resolves with one result for each, in the same order. When it fails,
 *   every caller of that batch gets the error. With several in flight it must not mind another that runs beside it.
 */
export function batched<Input, Result>(
  run: (inputs: Input[]) => Promise<Result[]>,
  { maxBatch = 200, paceMs = 0, inFlight = 1, worthwhile = 24 }: BatchOptions = {},
): (input: Input) => Promise<Result> {
  let waiting: Waiting<Input, Result>[] = []
  let underWay = 0
  let nextStart = 0
  let isTimed = false

  function drain(): void {
    while (waiting.length > 0) {
      const isFull = underWay > 0 && (underWay >= inFlight || waiting.length < worthwhile)
      if (isFull) return
      const wait = underWay > 0 ? 0 : nextStart - performance.now()
      if (wait > 0) {
        if (!isTimed) setTimeout(afterPace, Math.ceil(wait))
        isTimed = true
        return
      }
      nextStart = performance.now() + paceMs
      const batch = waiting.slice(0, maxBatch)
      waiting = waiting.slice(maxBatch)
      underWay++
      void runBatch(batch)
    }
  }

  function afterPace(): void {
    isTimed = false
    drain()
  }

  async function runBatch(batch: Waiting<Input, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map(entry => entry.input))
      if (results.length !== batch.length)
        throw new Error(`a batch of ${batch.length} came back as ${results.length}`)
      for (const [index, entry] of batch.entries()) entry.done(results[index] as Result)
    } catch (error) {
      for (const entry of batch) entry.fail(error)
    } finally {
      underWay--
      drain()
    }
  }

  return input =>
    new Promise((done, fail) => {
      waiting.push({ input, done, fail })
      drain()
    })
}

/** The same with a queue for each database or transaction: what is asked in a transaction is done in it. */
export function batchedOn<Input, Result>(
  run: (db: Db, inputs: Input[]) => Promise<Result[]>,
  options?: BatchOptions,
): (db: Db, input: Input) => Promise<Result> {
  const queues = new WeakMap<Db, (input: Input) => Promise<Result>>()
  return (db, input) => {
    const queue = queues.get(db) ?? batched((inputs: Input[]) => run(db, inputs), options)
    queues.set(db, queue)
    return queue(input)
  }
}
