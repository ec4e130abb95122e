import policy from '../../../templates/policies/duty-reports.json' with { type: 'json' }
import { addMonths, dayOf, monthOf } from '../../clock.ts'

/** `templates/policies/duty-reports.json`, after 全国项目办发〔2020〕3号 三.7. */
export interface DutyReportRules {
  programme: string
  unitLevel: string
  branchKind: string
  months: { value: readonly number[] }
  days: { ask: number; remind: number; due: number; late: number }
}

export const dutyReportRules: DutyReportRules = policy

/** The period that is to be reported now: the later of its two months, and the day by which (`YYYY-MM-DD`). */
export function periodAt(now: Date): { period: string; dueOn: string; firstDay: string; lastDay: string } {
  const { months, days } = dutyReportRules
  let month = monthOf(now)
  while (!months.value.includes(Number(month.slice(5)))) month = addMonths(month, -1)
  const period = addMonths(month, -1)
  return {
    period,
    dueOn: `${month}-${String(days.due).padStart(2, '0')}`,
    firstDay: `${addMonths(month, -2)}-01`,
    lastDay: dayOf(new Date(Date.parse(`${month}-01T00:00:00+08:00`) - 1)),
  }
}

/** The period that is asked for where it is one that has been to report; else the one of now. */
export function periodOr(asked: string | undefined, now: Date): string {
  const { period } = periodAt(now)
  if (asked === undefined || asked > period) return period
  return dutyReportRules.months.value.includes(Number(addMonths(asked, 1).slice(5))) ? asked : period
}

/** `2026-10` as 2026年9—10月. */
export function periodWords(period: string): string {
  const first = addMonths(period, -1)
  return `${first.slice(0, 4)}年${Number(first.slice(5))}—${Number(period.slice(5))}月`
}

/** `2026-10-31` as 10月31日. */
export function dateWords(day: string): string {
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日`
}

/** The step that is to be done on a day of a month in which reports are asked for; null: none. */
export function roundOn(now: Date): 'ask' | 'remind' | 'late' | null {
  const { months, days } = dutyReportRules
  const day = dayOf(now)
  if (!months.value.includes(Number(day.slice(5, 7)))) return null
  const date = Number(day.slice(8))
  if (date >= days.late) return 'late'
  if (date >= days.remind) return 'remind'
  return date >= days.ask ? 'ask' : null
}
