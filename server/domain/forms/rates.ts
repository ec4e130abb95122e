import { dayOf } from '../../clock.ts'

/** The five rates of reporting (五率): 应报, 实报, 按时, 上报率, 按时率. A rate of nothing that is expected is null. */
export interface ReportingRates {
  expected: number
  received: number
  onTime: number
  /** Received of expected, 0..1. */
  rate: number | null
  /** On time of expected, 0..1. */
  onTimeRate: number | null
}

/** @throws RangeError for counts that cannot be: more on time than received, more received than expected */
export function reportingRates(counts: {
  expected: number
  received: number
  onTime: number
}): ReportingRates {
  const { expected, received, onTime } = counts
  if (onTime < 0 || onTime > received || received > expected)
    throw new RangeError(`no rates of ${expected} expected, ${received} received, ${onTime} on time`)
  const of = (part: number) => (expected === 0 ? null : part / expected)
  return { expected, received, onTime, rate: of(received), onTimeRate: of(onTime) }
}

/** Whether something sent at a moment came by its day: the whole day counts, in Asia/Shanghai. No day: always. */
export function isOnTime(sentAt: Date, dueOn: string | null): boolean {
  return dueOn === null || dayOf(sentAt) <= dueOn
}

/** `0.9166` as 91.7%; what is not the whole is never rounded up to 100%. */
export function rateWords(rate: number | null): string {
  if (rate === null) return '—'
  const tenths = rate === 1 ? 1000 : Math.min(Math.round(rate * 1000), 999)
  return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)}%`
}
