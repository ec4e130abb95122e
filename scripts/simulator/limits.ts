import type { Clock } from '../../server/clock.ts'
import type { LimitName } from './types.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
const SHANGHAI_OFFSET = 8 * HOUR

/** `YYYY-MM-DD` in China. */
export function chinaDay(moment: Date): string {
  return new Date(moment.getTime() + SHANGHAI_OFFSET).toISOString().slice(0, 10)
}

/** The calendar month in China and how many days it has. */
export function chinaMonth(moment: Date): { month: string; days: number } {
  const month = chinaDay(moment).slice(0, 7)
  const [year = 0, number = 1] = month.split('-').map(Number)
  return { month, days: new Date(Date.UTC(year, number, 0)).getUTCDate() }
}

export interface Limits {
  has(name: LimitName): boolean
  set(name: LimitName, on: boolean): void
  /** Counts `amount` more within the last `ms`; false, and nothing counted, when that would pass `limit`. */
  take(key: string, limit: number, ms: number, amount?: number): boolean
  /** The same for a calendar day in China. */
  takeToday(key: string, limit: number, amount?: number): boolean
  /** How much was counted today. */
  usedToday(key: string): number
}

interface Window {
  /** Moment of each use, with how many. */
  uses: { at: number; amount: number }[]
  sum: number
}

interface Block {
  start: number
  sum: number
}

/** Above this a sliding window would hold too much; the block then runs from its first call, as the platform's does. */
const LARGEST_SLIDING = 1000

export function createLimits(clock: Clock, switches: Partial<Record<LimitName, boolean>> = {}): Limits {
  const startOfToday = () => Date.parse(`${chinaDay(clock.now())}T00:00:00+08:00`)
  const off = new Set<LimitName>()
  for (const [name, on] of Object.entries(switches)) if (on === false) off.add(name as LimitName)
  const windows = new Map<string, Window>()
  const blocks = new Map<string, Block>()

  function takeSliding(key: string, limit: number, ms: number, amount: number): boolean {
    const now = clock.now().getTime()
    const window = windows.get(key) ?? { uses: [], sum: 0 }
    windows.set(key, window)
    let gone = 0
    for (const use of window.uses) {
      // a clock that was set back would otherwise keep uses "from the future" for ever
      if (use.at > now - ms && use.at <= now) break
      window.sum -= use.amount
      gone += 1
    }
    if (gone > 0) window.uses.splice(0, gone)
    if (window.sum + amount > limit) return false
    window.sum += amount
    const last = window.uses[window.uses.length - 1]
    if (last?.at === now) last.amount += amount
    else window.uses.push({ at: now, amount })
    return true
  }

  function takeBlock(key: string, limit: number, ms: number, amount: number): boolean {
    const now = clock.now().getTime()
    const block = blocks.get(key)
    if (!block || now >= block.start + ms || now < block.start) {
      blocks.set(key, { start: now, sum: amount })
      return amount <= limit
    }
    if (block.sum + amount > limit) return false
    block.sum += amount
    return true
  }

  return {
    has: name => !off.has(name),
    set(name, on) {
      if (on) off.delete(name)
      else off.add(name)
    },
    take: (key, limit, ms, amount = 1) =>
      limit <= LARGEST_SLIDING ? takeSliding(key, limit, ms, amount) : takeBlock(key, limit, ms, amount),
    takeToday(key, limit, amount = 1) {
      const today = startOfToday()
      const block = blocks.get(key)
      if (block?.start !== today) {
        blocks.set(key, { start: today, sum: amount })
        return amount <= limit
      }
      if (block.sum + amount > limit) return false
      block.sum += amount
      return true
    },
    usedToday(key) {
      const block = blocks.get(key)
      return block?.start === startOfToday() ? block.sum : 0
    },
  }
}
