import { addMonths, dayOf, monthOf } from '../../clock.ts'

/**
 * Whether a month is near enough to be registered in or put right at all: this one and the one before. Whether it is closed
 * meanwhile is another question (`monthState`). Source: project assumption.
 */
export function isOpenMonth(month: string, now: Date): boolean {
  const current = monthOf(now)
  return month === current || month === addMonths(current, -1)
}

/** Whether a day (`YYYY-MM-DD`) has come and lies in such a month. */
export function isOpenDay(day: string, now: Date): boolean {
  return day <= dayOf(now) && isOpenMonth(day.slice(0, 7), now)
}
