import { dayOf, shanghaiMoment, timeOf } from '../../clock.ts'
import type { Programme } from '../../templates.ts'
import type { DeadlineRule, Importance, ImportanceRule, NoticeRules, StepTo } from './rules.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** One step of the escalation (催办) of a notice. */
export interface PlannedStep {
  at: Date
  to: StepTo
}

/** When a notice goes out, when it must be in the groups, and who is asked when where it is not. */
export interface NoticeTiming {
  /** Later than it was issued only in the quiet hours. */
  startsAt: Date
  deadlineAt: Date
  steps: PlannedStep[]
}

type Quiet = NoticeRules['quiet']

/**
 * Works out the moments of a notice. Shares of the time count waking hours only, so that no step falls into the quiet
 * hours and the last steps do not crowd together at seven in the morning.
 */
export function timingOf(policy: NoticeRules, rule: ImportanceRule, issuedAt: Date): NoticeTiming {
  const quiet = rule.keepsQuiet ? policy.quiet : null
  const startsAt = afterQuiet(quiet, issuedAt)
  const deadlineAt = deadlineOf(rule.deadline, issuedAt)
  const spanMs = wakingMs(quiet, startsAt, deadlineAt)
  const steps = policy.escalation.steps.map(({ share, to }) => ({
    at: addWaking(quiet, startsAt, spanMs * share),
    to,
  }))
  return { startsAt, deadlineAt, steps }
}

/**
 * When each level of a notice that goes level by level begins at the latest: spread evenly within the policy's share of
 * the time, so that the last has begun before anybody is asked after it.
 * @param levels those that have groups, from the top downwards
 */
export function latestStartsOf(
  policy: NoticeRules,
  rule: ImportanceRule,
  { startsAt, deadlineAt }: Pick<NoticeTiming, 'startsAt' | 'deadlineAt'>,
  levels: readonly string[],
): Map<string, Date> {
  const quiet = rule.keepsQuiet ? policy.quiet : null
  const spanMs = wakingMs(quiet, startsAt, deadlineAt) * policy.byLevel.share
  return new Map(
    levels.map((level, index) => [level, addWaking(quiet, startsAt, (spanMs * index) / levels.length)]),
  )
}

/** The moment itself, or the end of the quiet hours that it falls into, where a notice of this importance keeps them. */
export function nextWakingMoment(policy: NoticeRules, rule: ImportanceRule, moment: Date): Date {
  return afterQuiet(rule.keepsQuiet ? policy.quiet : null, moment)
}

/** The moment so much later, where a notice of this importance keeps the quiet hours counted without them. */
export function laterWaking(policy: NoticeRules, rule: ImportanceRule, from: Date, ms: number): Date {
  return addWaking(rule.keepsQuiet ? policy.quiet : null, from, ms)
}

/** What a notice of a programme is unless its writer says otherwise. */
export function defaultImportance(programme: Programme): Importance {
  return programme.notices.importantSameDay.value ? 'same-day' : 'normal'
}

/** A same-day notice that is issued late is due at noon of the next day; its writer may choose 紧急 instead. */
export function isLateForToday(rule: DeadlineRule, issuedAt: Date): boolean {
  return 'at' in rule && timeOf(issuedAt) >= rule.issuedBefore
}

export function deadlineOf(rule: DeadlineRule, issuedAt: Date): Date {
  if ('hours' in rule) return new Date(issuedAt.getTime() + rule.hours * HOUR_MS)
  return isLateForToday(rule, issuedAt)
    ? shanghaiMoment(dayOf(new Date(issuedAt.getTime() + DAY_MS)), rule.otherwiseNextDayAt)
    : shanghaiMoment(dayOf(issuedAt), rule.at)
}

/** The moment itself, or the end of the quiet hours that it falls into. @param quiet null: nothing is quiet */
export function afterQuiet(quiet: Quiet | null, moment: Date): Date {
  return quiet === null ? moment : (quietSpanAround(quiet, moment)?.end ?? moment)
}

/** The quiet hours that hold this moment; they end before `to` begins a new day's work. */
function quietSpanAround(quiet: Quiet, moment: Date): { start: Date; end: Date } | null {
  for (const day of [moment.getTime() - DAY_MS, moment.getTime()].map(ms => dayOf(new Date(ms)))) {
    const span = quietSpanFrom(quiet, day)
    if (span.start <= moment && moment < span.end) return span
  }
  return null
}

/** @param day on which the quiet hours begin */
function quietSpanFrom({ from, to }: Quiet, day: string): { start: Date; end: Date } {
  const start = shanghaiMoment(day, from)
  const sameDay = shanghaiMoment(day, to)
  return { start, end: sameDay > start ? sameDay : new Date(sameDay.getTime() + DAY_MS) }
}

/** How long of the time between two moments is not quiet. */
function wakingMs(quiet: Quiet | null, from: Date, until: Date): number {
  let total = 0
  let at = from
  while (at < until) {
    const span = quiet && quietSpanAround(quiet, at)
    if (span) {
      at = span.end
      continue
    }
    const next = quiet ? nextQuiet(quiet, at) : until
    const end = next < until ? next : until
    total += end.getTime() - at.getTime()
    at = end
  }
  return total
}

/** The moment after so much waking time. */
function addWaking(quiet: Quiet | null, from: Date, ms: number): Date {
  let left = ms
  let at = afterQuiet(quiet, from)
  if (quiet === null) return new Date(at.getTime() + left)
  for (;;) {
    const next = nextQuiet(quiet, at)
    const room = next.getTime() - at.getTime()
    if (left < room) return new Date(at.getTime() + left)
    left -= room
    at = afterQuiet(quiet, next)
  }
}

/** When it becomes quiet next, after a moment that is not. */
function nextQuiet(quiet: Quiet, moment: Date): Date {
  const today = quietSpanFrom(quiet, dayOf(moment)).start
  return today > moment ? today : quietSpanFrom(quiet, dayOf(new Date(moment.getTime() + DAY_MS))).start
}
