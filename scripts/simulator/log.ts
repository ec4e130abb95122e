import { createWriteStream } from 'node:fs'
import type { Clock } from '../../server/clock.ts'
import type { LogEntry } from './types.ts'

export interface Log {
  entries: LogEntry[]
  /** How many entries were ever written; entries[i] has the number total - entries.length + i. */
  total(): number
  add(kind: string, detail: Record<string, unknown>): void
  /** @returns a function that ends the subscription. */
  subscribe(listener: (entry: LogEntry) => void): () => void
  close(): Promise<void>
}

/** The record of everything that happened; in memory and, when asked, line by line in a file. */
export function openLog(clock: Clock, file?: string, limit = Number.POSITIVE_INFINITY): Log {
  const entries: LogEntry[] = []
  const listeners = new Set<(entry: LogEntry) => void>()
  const stream = file === undefined ? undefined : createWriteStream(file, { flags: 'a' })
  let failure: Error | undefined
  stream?.on('error', error => {
    failure = error
  })
  let total = 0
  return {
    entries,
    total: () => total,
    add(kind, detail) {
      const entry: LogEntry = { at: clock.now(), kind, ...detail }
      total += 1
      entries.push(entry)
      // letting go of a tenth at a time keeps this cheap
      if (entries.length > limit * 1.1) entries.splice(0, entries.length - limit)
      stream?.write(`${JSON.stringify(entry)}\n`)
      for (const listener of listeners) listener(entry)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      listeners.clear()
      if (!stream) return
      if (!failure) await new Promise<void>(resolve => stream.end(resolve))
      if (failure) throw failure
    },
  }
}
