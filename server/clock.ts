/** Where the time comes from. Injected everywhere, so that a test or the demo can move it. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that runs on from `start` as real time does and can be moved forward (tests, the demo, rehearsals). */
export interface MovableClock extends Clock {
  /** Moves the clock forward by `ms` milliseconds. */
  advance(ms: number): void
  /** Moves the clock to `moment`; earlier moments are allowed, so that a test can begin where it likes. */
  set(moment: Date): void
}

/** @param running false: time stands still between moves, as most tests want it. */
export function movableClock(start: Date, running = false): MovableClock {
  let base = start.getTime()
  let since = performance.now()
  const elapsed = () => (running ? performance.now() - since : 0)
  return {
    now: () => new Date(base + elapsed()),
    advance(ms) {
      base += ms
    },
    set(moment) {
      base = moment.getTime()
      since = performance.now()
    },
  }
}

const SHANGHAI_OFFSET_MS = 8 * 3600_000

/** The day in Asia/Shanghai as `YYYY-MM-DD`. China has had no daylight saving time since 1991, so a fixed +08:00 holds. */
export function dayOf(moment: Date): string {
  return new Date(moment.getTime() + SHANGHAI_OFFSET_MS).toISOString().slice(0, 10)
}

/** The month in Asia/Shanghai as `YYYY-MM`. */
export function monthOf(moment: Date): string {
  return dayOf(moment).slice(0, 7)
}

/** Hour and minute in Asia/Shanghai as `HH:MM`. */
export function timeOf(moment: Date): string {
  return new Date(moment.getTime() + SHANGHAI_OFFSET_MS).toISOString().slice(11, 16)
}

/** As people write it in a message: `3月5日 14:05`. */
export function chineseMoment(moment: Date): string {
  const day = dayOf(moment)
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日 ${timeOf(moment)}`
}

/** The moment at which a wall clock in Asia/Shanghai shows `day` (`YYYY-MM-DD`) and `time` (`HH:MM`). */
export function shanghaiMoment(day: string, time = '00:00'): Date {
  return new Date(`${day}T${time}:00+08:00`)
}

/** The month before or after, as `YYYY-MM`. */
export function addMonths(month: string, count: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number - 1 + count, 1)).toISOString().slice(0, 7)
}

/** The day before or after, as `YYYY-MM-DD`. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * 86_400_000).toISOString().slice(0, 10)
}
