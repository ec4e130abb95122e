import { addMonths, monthOf, shanghaiMoment } from '../../clock.ts'
import type { FormDue } from '../../templates.ts'
import {
  periodAt as dutyPeriodAt,
  periodWords as dutyPeriodWords,
  dutyReportRules,
} from '../duty-reports/rules.ts'
import type { FormRhythm } from './form.ts'

const shapes: Record<FormRhythm, RegExp> = {
  month: /^20\d\d-(0[1-9]|1[0-2])$/,
  'two-months': /^20\d\d-(0[1-9]|1[0-2])$/,
  year: /^20\d\d$/,
}

/** What a period of that rhythm looks like. */
export function periodShape(rhythm: FormRhythm): RegExp {
  return shapes[rhythm]
}

/** Whether a text names a period of that rhythm that has begun. */
export function isPeriod(rhythm: FormRhythm, text: string, now: Date): boolean {
  if (!shapes[rhythm].test(text)) return false
  if (rhythm === 'year') return text <= monthOf(now).slice(0, 4)
  if (rhythm === 'month') return text <= monthOf(now)
  return text <= dutyPeriodAt(now).period && endsTwoMonths(text)
}

/** The period that is to be sent now: the year that runs, the month (or the two months) that is over. */
export function periodToSend(rhythm: FormRhythm, now: Date): string {
  if (rhythm === 'year') return monthOf(now).slice(0, 4)
  return rhythm === 'month' ? addMonths(monthOf(now), -1) : dutyPeriodAt(now).period
}

/** The periods that a list offers, the newest first: what runs, and so many before. */
export function recentPeriods(rhythm: FormRhythm, now: Date, count: number): string[] {
  if (rhythm === 'year') {
    const year = Number(monthOf(now).slice(0, 4))
    return Array.from({ length: count }, (_, back) => String(year - back))
  }
  const [first, step] =
    rhythm === 'month' ? ([monthOf(now), -1] as const) : ([dutyPeriodAt(now).period, -2] as const)
  return Array.from({ length: count }, (_, back) => addMonths(first, back * step))
}

/** The period before or after. */
export function addPeriods(rhythm: FormRhythm, period: string, count: number): string {
  if (rhythm === 'year') return String(Number(period) + count)
  return addMonths(period, rhythm === 'month' ? count : 2 * count)
}

/** `2026-09` as 2026年9月, two months as 2026年9—10月, `2026` as 2026年. */
export function periodWords(rhythm: FormRhythm, period: string): string {
  if (rhythm === 'year') return `${period}年`
  if (rhythm === 'two-months') return dutyPeriodWords(period)
  return `${period.slice(0, 4)}年${Number(period.slice(5, 7))}月`
}

/** The day (`YYYY-MM-DD`) by which the form of a period is to be sent; null: it is not sent up. */
export function dueOn(due: FormDue | undefined, period: string): string | null {
  if (!due) return null
  if ('day' in due) return `${Number(period.slice(0, 4)) + due.yearsAfter}-${due.day}`
  return `${addMonths(period, 1)}-${String(due.dayAfter).padStart(2, '0')}`
}

/** The moment at which a period ends. @param period the last month of two */
export function endOf(rhythm: FormRhythm, period: string): Date {
  return shanghaiMoment(rhythm === 'year' ? `${Number(period) + 1}-01-01` : `${addMonths(period, 1)}-01`)
}

function endsTwoMonths(month: string): boolean {
  return dutyReportRules.months.value.includes(Number(addMonths(month, 1).slice(5)))
}
