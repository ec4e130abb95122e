import { median } from '../bench/statistics.ts'

export interface MemoryReport {
  /** MB: the middle of the samples after the warm-up, the middle of the last ones, the highest of all. */
  first: number
  last: number
  peak: number
  isFlat: boolean
}

/** How much a process that leaks nothing may still grow, as its heap finds its size. */
const GROWTH = 1.2
const SLACK_MB = 30

/**
 * Whether memory stays flat: the first fifth of the samples is warm-up, the next tenth is held against the last.
 * @param samples resident memory in MB, at even intervals
 * @returns null when there are too few samples to tell
 */
export function memoryReport(samples: number[]): MemoryReport | null {
  if (samples.length < 10) return null
  const tenth = Math.ceil(samples.length / 10)
  const warm = samples.slice(Math.floor(samples.length / 5))
  const first = median(warm.slice(0, tenth))
  const last = median(warm.slice(-tenth))
  return {
    first: Math.round(first),
    last: Math.round(last),
    peak: Math.round(Math.max(...samples)),
    isFlat: last <= first * GROWTH + SLACK_MB,
  }
}
