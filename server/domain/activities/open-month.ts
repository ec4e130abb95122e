import { addMonths, dayOf, monthOf } from '../../clock.ts'

/**
 * Whether what happened in a month can still be registered or put right: this month and the one before, so that the sheet
 * of a month is settled a month after it ended. Source: project assumption.
 */
export function isOpenMonth(month: string, now: Date): boolean {
  const current = monthOf(now)
  return month === current || month === addMonths(current, -1)
}

/** Whether a day (`YYYY-MM-DD`) has come and lies in an open month. */
export function isOpenDay(day: string, now: Date): boolean {
  return day <= dayOf(now) && isOpenMonth(day.slice(0, 7), now)
}
