import type { NoticeContent } from '../../../db/queries/notices.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { type ScheduledStep, stepsOfSchedules, workScheduleOf } from '../../../db/queries/work-schedule.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Schedule, ScheduleStep } from '../../templates.ts'
import { planReach } from '../notices/issue.ts'
import { type Days, fillPlaces, type Occurrence, occurrencesOf, type Sending, sendingOf } from './days.ts'
import { scheduleRules } from './rules.ts'

/** What an officer wants otherwise than the template has it. */
export interface ScheduleChanges {
  /** By the ids of the occurrences. */
  days: ReadonlyMap<string, Days>
  /** By the ids of the steps: texts with places in braces. */
  texts: ReadonlyMap<string, string>
}

export const noChanges: ScheduleChanges = { days: new Map(), texts: new Map() }

/** A step as it would be adopted now. */
export interface PreviewedStep extends Occurrence {
  key: string
  /** With its places. */
  text: string
  content: NoticeContent
  /** null: too late for it. */
  sending: Sending | null
  /** That its notice would reach. */
  groups: number
  /** What it is already, where the schedule is adopted and the step not dropped. */
  adopted: ScheduledStep | null
}

/** `xibu-2020:2026:medical-check` */
export function stepKey(schedule: Schedule, year: number, occurrenceId: string): string {
  return `${schedule.id}:${year}:${occurrenceId}`
}

/** All steps of a schedule for a unit and a year with their real days, in the order of these. */
export async function previewSchedule(
  rt: DomainRuntime,
  unit: UnitRow,
  schedule: Schedule,
  year: number,
  changes: ScheduleChanges = noChanges,
): Promise<PreviewedStep[]> {
  const now = rt.clock.now()
  const own = await workScheduleOf(rt.db, unit.id, schedule.id, year)
  const existing = own ? await stepsOfSchedules(rt.db, [own.id]) : []
  // before a schedule is let pass its steps can still be chosen anew
  const open = own?.status === 'adopted' ? ['dropped'] : ['dropped', 'draft']
  const kept = new Map(existing.filter(each => !open.includes(each.status)).map(each => [each.key, each]))
  const reaches = new Map<string, number>()
  for (const { audience } of schedule.steps) {
    const written = JSON.stringify(audience)
    if (!reaches.has(written)) reaches.set(written, (await planReach(rt, unit, audience)).groups)
  }
  return occurrencesOf(scheduleRules, schedule, year, changes.days).map(occurrence => {
    const { step } = occurrence
    const text = changes.texts.get(step.id) ?? step.text
    const key = stepKey(schedule, year, occurrence.id)
    return {
      ...occurrence,
      key,
      text,
      content: contentOf(step, text, occurrence, year),
      sending: sendingOf(scheduleRules, step, occurrence, now),
      groups: reaches.get(JSON.stringify(step.audience)) ?? 0,
      adopted: kept.get(key) ?? null,
    }
  })
}

/** The notice of a step. */
function contentOf(step: ScheduleStep, text: string, days: Days, year: number): NoticeContent {
  return {
    body: bodyOf(step, text, days, year),
    category: step.category,
    importance: step.importance,
    audience: step.audience,
    mode: 'at-once',
    link: null,
    ask: step.ask ?? null,
  }
}

/** The words of a notice: title, text with the real days, and the document that asks for it. */
export function bodyOf(
  { title, source }: { title: string; source: string },
  text: string,
  days: Days,
  year: number,
): string {
  const basis = source === 'project assumption' ? '' : `\n（依据：${source}）`
  return `【${title}】${fillPlaces(text, days, year).trim()}${basis}`
}

/** Years that can be adopted: this one and the next. */
export function isYearToAdopt(year: number, today: string): boolean {
  const now = Number(today.slice(0, 4))
  return year === now || year === now + 1
}

/** @throws DomainError `schedule.day` for what is no day, or lies too far from the year */
export function checkDays({ fromOn, toOn }: Days, year: number, title: string): void {
  for (const day of [fromOn, toOn])
    if (!isRealDay(day) || day < `${year - 1}-12-01` || day > `${year + 1}-06-30`)
      throw new DomainError('schedule.day', `“${title}”的日期不对，请填 ${year} 年前后的日期。`)
  if (toOn < fromOn) throw new DomainError('schedule.day', `“${title}”的结束日期在开始日期之前，请检查。`)
}

function isRealDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`)
  return Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === day
}
