import { z } from 'zod'
import { id, monthDay, repeated, source } from './common.ts'
import type { Programme } from './programme.ts'

/** `MM-DD`; a day that a month of the year does not have is its last day. */
const day = z.string().regex(monthDay, 'must be a day such as 06-10')

/**
 * When a step is to be done:
 * - `by`: before the end of this day (6月10日前)
 * - `from`, `to`: in this stretch of days; one that ends before it begins ends in the next year
 * - `months`, `day`: by this day of each of these months; 31 is the last day of every month
 * - `of`, `edge`: so many days or working days after (below zero: before) the beginning or the end of another step
 */
const when = z.union(
  [
    z.strictObject({ by: day }),
    z.strictObject({ from: day, to: day }),
    z.strictObject({
      months: z.array(z.int().min(1).max(12)).min(1),
      day: z.int().min(1).max(31),
    }),
    z.strictObject({ of: id, edge: z.enum(['from', 'to']), days: z.int().min(-180).max(180) }),
    z.strictObject({ of: id, edge: z.enum(['from', 'to']), workingDays: z.int().min(-60).max(60) }),
  ],
  {
    error:
      'must be {by}, {from, to}, {months, day}, {of, edge, days} or {of, edge, workingDays}; days are MM-DD',
  },
)

const ask = z
  .strictObject({
    kind: z.enum(['text', 'number', 'choice', 'file']),
    question: z.string().min(1),
    choices: z.array(z.string().min(1)).min(2).optional(),
    measure: z.string().min(1).optional(),
  })
  .refine(({ kind, choices }) => (kind === 'choice') === (choices !== undefined), {
    error: 'choices belong to a choice, and a choice needs them',
  })

const step = z.strictObject({
  id,
  title: z.string().min(1),
  /** Our own words with the facts of the source. Places for the days in braces, see `PLACES`. */
  text: z.string().min(1),
  when,
  /** Which levels and group kinds it concerns; a part that is left out does not narrow it. */
  audience: z.strictObject({
    levels: z.array(id).min(1).optional(),
    groupKinds: z.array(id).min(1).optional(),
  }),
  importance: z.enum(['normal', 'same-day', 'urgent']),
  category: z.enum(['政策法规', '致富信息', '新闻娱乐', '便民服务', '其他']),
  /** So many days before its day (of a stretch: its first) the notice goes out. */
  noticeDays: z.int().min(0).max(90),
  /** So many days before its day those who have not answered are reminded, or, where nothing is asked, all concerned. */
  reminders: z.array(z.int().min(0).max(60)),
  /** Which end of a stretch the reminders come before; its last day when left out. */
  remindOf: z.enum(['from', 'to']).optional(),
  ask: ask.optional(),
  /** Left out unless the officer chooses it: no notice fixes its rhythm, and not every office wants it. */
  isOptional: z.boolean().optional(),
  /** Of what is to be done. */
  source,
  /** Of its day, where the document that says what is to be done does not say when. */
  whenSource: source.optional(),
  note: z.string().optional(),
})

export const scheduleSchema = z.strictObject({
  id,
  programme: id,
  title: z.string().min(1),
  /** Kinds of units that may run it, the highest first. */
  runBy: z.array(id).min(1),
  note: z.string().optional(),
  steps: z.array(step).min(1),
})

export type Schedule = z.infer<typeof scheduleSchema>
export type ScheduleStep = Schedule['steps'][number]
export type ScheduleWhen = z.infer<typeof when>

/** What may stand in braces in a text: the day, first and last day, month, month before, year and next year of the step. */
export const PLACES = ['日期', '起', '止', '本月', '上月', '年', '下年'] as const

/** A question is among those that people are shown for so long (`server/domain/notices/answers.ts`). */
const MAX_ASKING_DAYS = 14

/** What a step is called within a year; a step of several months has one for each of them. */
export function occurrenceIds(each: ScheduleStep): string[] {
  return 'months' in each.when
    ? each.when.months.map(month => `${each.id}-${String(month).padStart(2, '0')}`)
    : [each.id]
}

/** What a schema cannot see: ids that occur twice, days that no year has, steps that wait for each other, unknown places. */
export function checkSchedule(schedule: Schedule): string[] {
  const problems: string[] = []
  for (const each of repeated(schedule.steps.flatMap(occurrenceIds)))
    problems.push(`steps: ${each} occurs twice`)
  const byId = new Map(schedule.steps.map(each => [each.id, each]))
  for (const each of schedule.steps) {
    const report = (reason: string) => problems.push(`step ${each.id}: ${reason}`)
    const { when: rule } = each
    for (const written of 'by' in rule ? [rule.by] : 'from' in rule ? [rule.from, rule.to] : [])
      if (!isDayOfSomeYear(written)) report(`${written} is no day of any year`)
    if ('of' in rule) {
      const other = byId.get(rule.of)
      if (!other) report(`unknown step ${rule.of}`)
      else if ('months' in other.when) report(`${rule.of} has several days, none to count from`)
      else if (waitsForItself(each, byId)) report('its day depends on itself')
    }
    if ('months' in rule && repeated(rule.months.map(String)).length > 0) report('a month occurs twice')
    if (each.ask && each.noticeDays > MAX_ASKING_DAYS)
      report(`asks something ${each.noticeDays} days before its day, ${MAX_ASKING_DAYS} at most`)
    if (repeated(each.reminders.map(String)).length > 0) report('a reminder occurs twice')
    for (const [, place = ''] of each.text.matchAll(/\{([^}]*)\}/g))
      if (!(PLACES as readonly string[]).includes(place))
        report(`{${place}} is none of ${PLACES.map(known => `{${known}}`).join(' ')}`)
  }
  return problems
}

/** Checks what a schedule says about its programme: levels, group kinds, unit kinds, and the documents that it cites. */
export function checkScheduleWith(schedule: Schedule, programme: Programme): string[] {
  const problems: string[] = []
  const levels = new Set(programme.levels.map(level => level.id))
  const groupKinds = new Set(programme.groupKinds.map(kind => kind.id))
  const unitKinds = new Set(programme.unitKinds.map(kind => kind.id))
  const documents = programme.documents.map(document => document.number)
  const isSource = (written: string) =>
    written === 'project assumption' || documents.some(number => written.startsWith(`${number} `))
  for (const kind of schedule.runBy)
    if (!unitKinds.has(kind)) problems.push(`runBy: unknown unit kind ${kind}`)
  for (const each of schedule.steps) {
    const report = (reason: string) => problems.push(`step ${each.id}: ${reason}`)
    for (const level of each.audience.levels ?? []) if (!levels.has(level)) report(`unknown level ${level}`)
    for (const kind of each.audience.groupKinds ?? [])
      if (!groupKinds.has(kind)) report(`unknown group kind ${kind}`)
    for (const written of [each.source, each.whenSource ?? each.source])
      if (!isSource(written)) report(`source ${written} names no listed document of ${programme.id}`)
  }
  return problems
}

function isDayOfSomeYear(written: string): boolean {
  const at = Date.parse(`2024-${written}T00:00:00Z`)
  return Number.isFinite(at) && new Date(at).toISOString().slice(5, 10) === written
}

function waitsForItself(from: ScheduleStep, byId: ReadonlyMap<string, ScheduleStep>): boolean {
  const seen = new Set<string>()
  for (let at: ScheduleStep | undefined = from; at && 'of' in at.when; at = byId.get(at.when.of)) {
    if (seen.has(at.id)) return true
    seen.add(at.id)
  }
  return false
}
