import { addDays, dayOf, shanghaiMoment } from '../../clock.ts'
import type { Schedule, ScheduleStep } from '../../templates.ts'
import type { ScheduleRules } from './rules.ts'

/** A stretch of days in Asia/Shanghai as `YYYY-MM-DD`, both inclusive; one day is its own beginning and end. */
export interface Days {
  fromOn: string
  toOn: string
}

/** A step of a schedule in a year; of a step that comes every month or two, one of its times. */
export interface Occurrence extends Days {
  /** Unique in the year: the step's id, with the month where it has several. */
  id: string
  step: ScheduleStep
}

/** When a notice and its reminders leave. */
export interface Sending {
  sendAt: Date
  reminders: { daysBefore: number; dueAt: Date }[]
}

type WorkRules = Omit<ScheduleRules, 'proposeOn'>

/** Whether it is worked on a day: the year's arrangement of holidays first, else weekends and the fixed holidays. */
export function isWorkingDay(rules: WorkRules, day: string): boolean {
  const arrangement = rules.arrangements.find(each => each.year === Number(day.slice(0, 4)))
  if (arrangement?.workdays.includes(day)) return true
  if (arrangement?.holidays.some(([first = '', last = first]) => first <= day && day <= last)) return false
  if (!arrangement && rules.fixedHolidays.includes(day.slice(5))) return false
  return !rules.weekend.includes(weekdayOf(day))
}

/** So many working days after a day, or before it where `count` is below zero; the day itself is not counted. */
export function addWorkingDays(rules: WorkRules, day: string, count: number): string {
  const step = Math.sign(count)
  let at = day
  for (let left = Math.abs(count); left > 0; ) {
    at = addDays(at, step)
    if (isWorkingDay(rules, at)) left--
  }
  return at
}

/** When something leaves that is to leave on a day: at the hour of the rules, and not on a day of rest. */
export function sendingMoment(rules: WorkRules, day: string): Date {
  const moved =
    rules.restDay === 'same-day' || isWorkingDay(rules, day)
      ? day
      : addWorkingDays(rules, day, rules.restDay === 'working-day-before' ? -1 : 1)
  return shanghaiMoment(moved, rules.sendAt)
}

/** The first moment after `now` at which something may leave. */
export function nextSending(rules: WorkRules, now: Date): Date {
  const today = dayOf(now)
  const isStillToday = isWorkingDay(rules, today) && shanghaiMoment(today, rules.sendAt) > now
  return shanghaiMoment(isStillToday ? today : addWorkingDays(rules, today, 1), rules.sendAt)
}

/**
 * Works out the days of every step of a year, in the order of their beginnings.
 * @param changes other days for some of them, by their ids; steps that count from one of them follow it
 */
export function occurrencesOf(
  rules: WorkRules,
  schedule: Schedule,
  year: number,
  changes: ReadonlyMap<string, Days> = new Map(),
): Occurrence[] {
  const steps = new Map(schedule.steps.map(step => [step.id, step]))
  const daysOf = (step: ScheduleStep): Days => {
    const changed = changes.get(step.id)
    if (changed) return changed
    const { when } = step
    if ('by' in when) return oneDay(dayIn(year, when.by))
    if ('from' in when)
      return { fromOn: dayIn(year, when.from), toOn: dayIn(when.to < when.from ? year + 1 : year, when.to) }
    if ('months' in when) throw new Error(`${step.id} has several days`)
    const other = steps.get(when.of)
    if (!other) throw new Error(`unknown step ${when.of}`)
    const days = daysOf(other)
    const edge = when.edge === 'from' ? days.fromOn : days.toOn
    return oneDay('days' in when ? addDays(edge, when.days) : addWorkingDays(rules, edge, when.workingDays))
  }
  return schedule.steps
    .flatMap(step => {
      const { when } = step
      if (!('months' in when)) return [{ id: step.id, step, ...daysOf(step) }]
      return when.months.map(month => {
        const written = `${String(month).padStart(2, '0')}-${String(when.day).padStart(2, '0')}`
        const id = `${step.id}-${written.slice(0, 2)}`
        return { id, step, ...(changes.get(id) ?? oneDay(dayIn(year, written))) }
      })
    })
    .toSorted((a, b) => (a.fromOn < b.fromOn ? -1 : a.fromOn > b.fromOn ? 1 : 0))
}

/**
 * When the notice of a step and its reminders leave, seen from now: what should have left already leaves at the next
 * working hour. Reminders that would not come after the notice are left out, and of two on the same day the earlier.
 * @returns null: too late for the step
 */
export function sendingOf(
  rules: WorkRules,
  step: Pick<ScheduleStep, 'noticeDays' | 'reminders' | 'remindOf'>,
  days: Days,
  now: Date,
): Sending | null {
  const planned = sendingMoment(rules, addDays(days.fromOn, -step.noticeDays))
  const sendAt = planned > now ? planned : nextSending(rules, now)
  if (dayOf(sendAt) > days.toOn) return null
  const edge = step.remindOf === 'from' ? days.fromOn : days.toOn
  const reminders = step.reminders
    .map(daysBefore => ({ daysBefore, dueAt: sendingMoment(rules, addDays(edge, -daysBefore)) }))
    .filter(({ dueAt }) => dueAt > sendAt && dayOf(dueAt) <= days.toOn)
    .toSorted((a, b) => b.daysBefore - a.daysBefore)
    .filter((each, index, all) => each.dueAt.getTime() !== all[index + 1]?.dueAt.getTime())
  return { sendAt, reminders }
}

/** Puts the days of a step into the places of a text. */
export function fillPlaces(text: string, days: Days, year: number): string {
  const month = (away: number) => {
    const at = new Date(`${days.toOn.slice(0, 7)}-01T00:00:00Z`)
    at.setUTCMonth(at.getUTCMonth() + away)
    return `${at.getUTCMonth() + 1}月`
  }
  const places: Record<string, string> = {
    日期: shortDay(days.toOn, year),
    起: shortDay(days.fromOn, year),
    止: shortDay(days.toOn, year),
    本月: month(0),
    上月: month(-1),
    年: String(year),
    下年: String(year + 1),
  }
  return text.replace(/\{([^}]*)\}/g, (whole, place: string) => places[place] ?? whole)
}

/** 6月10日; with its year where that is not the schedule's. */
export function shortDay(day: string, year: number): string {
  const words = `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日`
  return day.startsWith(`${year}-`) ? words : `${Number(day.slice(0, 4))}年${words}`
}

/** 6月10日前, or 7月20日至7月31日. */
export function daysWords({ fromOn, toOn }: Days, year: number): string {
  return fromOn === toOn ? `${shortDay(toOn, year)}前` : `${shortDay(fromOn, year)}至${shortDay(toOn, year)}`
}

const oneDay = (day: string): Days => ({ fromOn: day, toOn: day })

/** A day of a year; one that its month does not have is the last of the month. @param written `MM-DD` */
function dayIn(year: number, written: string): string {
  const [month = 0, day = 0] = written.split('-').map(Number)
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return `${year}-${written.slice(0, 2)}-${String(Math.min(day, last)).padStart(2, '0')}`
}

/** 1 Monday to 7 Sunday. */
function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7
}
