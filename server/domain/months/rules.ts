import { z } from 'zod'
import policy from '../../../templates/policies/months.json' with { type: 'json' }
import { addDays, addMonths, dayOf, shanghaiMoment } from '../../clock.ts'

const time = z.string().regex(/^\d\d:\d\d$/)
const day = z.number().int().min(1).max(28)
const note = z.string().min(1)
const DAY_MS = 86_400_000

/** `templates/policies/months.json`: when a month is checked, signed and closed. */
export const monthRules = z
  .strictObject({
    id: z.literal('months'),
    name: z.string(),
    source: z.string().min(1),
    note,
    rowLevel: z.string(),
    draft: z.strictObject({ day, at: time, note }),
    remind: z.strictObject({ day, at: time, afterHours: z.number().positive(), note }),
    levels: z.array(z.strictObject({ level: z.string(), day })).min(1),
    levelsNote: note,
    remindUnits: z.strictObject({ at: time, note }),
    close: z.strictObject({ day, at: time, note }),
    lateStart: z.strictObject({ note }),
    longestLate: z.strictObject({ value: z.number().int().positive(), note }),
  })
  .parse(policy)

/** The levels that sign, from below upwards. */
export const signingLevels: readonly string[] = monthRules.levels.map(each => each.level)

const dayIn = (month: string, date: number, lateBy = 0) =>
  addDays(`${addMonths(month, 1)}-${String(date).padStart(2, '0')}`, lateBy)

/** From when on a month that is over is checked and signed. @param month `YYYY-MM` */
export const draftAt = (month: string) =>
  shanghaiMoment(dayIn(month, monthRules.draft.day), monthRules.draft.at)

/*
 * The days that follow move when a month was begun late (`lateStart`), so that nobody is late who could not be in time:
 * `lateBy` is by how many days.
 */

/** By how many days the days of a month move. @param begunAt when it was first asked for; null: it has not been yet */
export function lateByOf(month: string, begunAt: Date | null): number {
  if (begunAt === null) return 0
  const from = dayIn(month, monthRules.draft.day)
  const days = Math.round((Date.parse(dayOf(begunAt)) - Date.parse(from)) / DAY_MS)
  return Math.max(days, 0)
}

/** From when on owners who have said nothing are asked again. */
export const remindAt = (month: string, lateBy = 0) =>
  shanghaiMoment(dayIn(month, monthRules.remind.day, lateBy), monthRules.remind.at)

/** The last day (`YYYY-MM-DD`) on which a level signs in time; null: it does not sign. */
export function dueOn(month: string, level: string, lateBy = 0): string | null {
  const rule = monthRules.levels.find(each => each.level === level)
  return rule ? dayIn(month, rule.day, lateBy) : null
}

/** The last moment of that day. @throws Error for a level that does not sign */
export function dueAt(month: string, level: string, lateBy = 0): Date {
  const on = dueOn(month, level, lateBy)
  if (on === null) throw new Error(`units of the level ${level} sign no month`)
  return new Date(shanghaiMoment(addDays(on, 1)).getTime() - 1)
}

export const closeAt = (month: string, lateBy = 0) =>
  shanghaiMoment(dayIn(month, monthRules.close.day, lateBy), monthRules.close.at)

/** From when on those who sign on this level by today are reminded. */
export const remindUnitsAt = (month: string, level: string, lateBy = 0) =>
  shanghaiMoment(dueOn(month, level, lateBy) ?? dayIn(month, 1, lateBy), monthRules.remindUnits.at)

/** The first and the last moment of a month; the last is the first of the next. */
export const monthSpan = (month: string) => ({
  start: shanghaiMoment(`${month}-01`),
  end: shanghaiMoment(`${addMonths(month, 1)}-01`),
})
