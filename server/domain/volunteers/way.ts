import type { VolunteerTermRow as RosterTerm } from '../../../db/queries/volunteers.ts'
import { addDays } from '../../clock.ts'

export type { RosterTerm }
/** A step that an office writes, in the order of a way. */
export const WRITTEN_STEPS = ['candidate', 'applied', 'selected', 'trained', 'dropped'] as const
export type WrittenStep = (typeof WRITTEN_STEPS)[number]

/** Where somebody stands; the later ones are the roster's. */
export type Stage = WrittenStep | 'assigned' | 'in_service' | 'extended' | 'ended' | 'alumni'

/** Source of the first words: 山科大党发〔2021〕52号 三(二)–(四); of the others: the roster. */
export const stageWords: Readonly<Record<Stage, string>> = {
  candidate: '低年级培育',
  applied: '预报名',
  selected: '录用',
  trained: '岗前培训',
  assigned: '待派遣',
  in_service: '在岗',
  extended: '延期',
  ended: '服务期满',
  alumni: '校友',
  dropped: '退出',
}

export interface StepOnWay {
  step: string
  /** `YYYY-MM-DD` */
  on: string
}

export interface WayPoint {
  what: Stage
  /** null: nobody knows the day. */
  on: string | null
  /** Where, of what the roster says. */
  place: string | null
  /** An office wrote it; otherwise the roster gives it. */
  isWritten: boolean
}

export interface Way {
  stage: Stage
  points: WayPoint[]
  /** The row by which somebody serves today or served last; null: none. */
  last: RosterTerm | null
  /**
   * When the service that lasts today began, in whatever county and with the term that it extends; null: they do not
   * serve, or the roster does not say.
   */
  servingSince: string | null
  isServing: boolean
}

/** By what an extension and an early end are told, beside what rows say themselves. */
export interface WayRule {
  today: string
  /** The category by which a row says itself that it is an extension. */
  extendedCategory: string
  /** A term that begins within so many days of the end of another extends it; later it is another service. */
  followsWithinDays: number
  /** Gone from the roster more than so many days before the end is an early end: less is the file of the next year. */
  earlyByDays: number
}

/** Rows of one stretch of service: who leads the branch has two of one term. */
interface Term {
  /** '' and '9999': not limited. */
  startsOn: string
  endsOn: string
  status: string
  isExtension: boolean
  wasEarly: boolean
  rows: Served[]
}

/** A row that counts, with the last day that it was served at most. */
interface Served {
  row: RosterTerm
  startsOn: string
  endsOn: string
  status: string
  wasEarly: boolean
}

const SERVING = '在岗'
const AHEAD = '待派遣'
const GONE = '离岗'
const NEVER = '9999-12-31'

/**
 * Somebody's whole way: the steps that offices wrote, and what the rosters of all years give. What the roster says goes
 * before a step: who serves has not dropped out. The stage is told once more in SQL, for lists (`stagedFiles`,
 * `db/queries/volunteers.ts`).
 * @param terms rows of the person's service, standing ones and those that imports have closed
 */
export function wayOf(steps: readonly StepOnWay[], terms: readonly RosterTerm[], rule: WayRule): Way {
  const { today } = rule
  const { counted, moved } = servedOf(terms)
  const served = termsOf(counted, rule)
  const serving = served.findLast(term => isServing(term, today))
  const last = serving ?? served.findLast(term => isOver(term, today)) ?? served.at(-1)
  const stage = stageOf(steps, served, serving, today)
  const over = last && !serving ? lastDay(last) : null
  return {
    stage,
    points: [
      ...steps.toSorted(byDay).flatMap(stepPoint),
      ...moved.map(row => ({
        what: 'in_service' as const,
        on: row.startsOn,
        place: placeOf(row),
        isWritten: false,
      })),
      ...served.flatMap(term => termPoints(term, today)),
    ]
      .sort((a, b) => (a.on ?? NEVER).localeCompare(b.on ?? NEVER))
      .concat(stage === 'alumni' ? [{ what: 'alumni', on: over, place: null, isWritten: false }] : []),
    last: last ? rowOf(last) : null,
    servingSince: (serving && firstDay(serving, terms, rule)) || null,
    isServing: serving !== undefined,
  }
}

/** The first day of a service with what it follows. '': the roster does not say. */
function firstDay({ startsOn }: Term, rows: readonly RosterTerm[], { followsWithinDays }: WayRule): string {
  if (startsOn === '') return ''
  const since = addDays(startsOn, -followsWithinDays)
  const starts = rows
    .filter(row => (row.goneOn === null || wasServed(row)) && (row.endsOn ?? NEVER) >= since)
    .flatMap(row => (row.startsOn !== null && row.startsOn < startsOn ? [row.startsOn] : []))
  return [...starts, startsOn].sort()[0] as string
}

function stageOf(
  steps: readonly StepOnWay[],
  served: readonly Term[],
  serving: Term | undefined,
  today: string,
): Stage {
  if (serving) return serving.isExtension ? 'extended' : 'in_service'
  const over = served.findLast(term => isOver(term, today))
  if (served.some(term => !isOver(term, today))) return over ? 'ended' : 'assigned'
  if (over) return over.wasEarly || saysDropped(steps, over) ? 'dropped' : 'alumni'
  const written = new Set(steps.map(each => each.step))
  return WRITTEN_STEPS.findLast(step => written.has(step)) ?? 'candidate'
}

/** An office wrote since the service began that it was broken off: a row that is over does not say why. */
function saysDropped(steps: readonly StepOnWay[], { startsOn }: Term): boolean {
  return steps.some(({ step, on }) => step === 'dropped' && on >= startsOn)
}

/**
 * The rows that count. An import closes a row also when it changes it or moves somebody: what stands for the same days,
 * or was written later, is what was meant. Of those that gave way, the ones of another place are kept apart.
 */
function servedOf(rows: readonly RosterTerm[]): { counted: Served[]; moved: RosterTerm[] } {
  const real = rows.filter(row => row.goneOn === null || wasServed(row))
  const counted: Served[] = []
  const moved: RosterTerm[] = []
  for (const row of real) {
    const instead =
      row.goneOn === null
        ? undefined
        : real.find(
            other =>
              other.id !== row.id && (other.goneOn === null || other.id > row.id) && overlap(other, row),
          )
    if (!instead) counted.push(servedRow(row))
    else if (instead.branch !== row.branch) moved.push(row)
  }
  return { counted, moved }
}

function servedRow(row: RosterTerm): Served {
  const endsOn = [row.endsOn ?? NEVER, row.goneOn ?? NEVER].sort()[0] as string
  return {
    row,
    startsOn: row.startsOn ?? '',
    endsOn,
    status: row.goneOn === null ? row.status : GONE,
    wasEarly: false,
  }
}

/** The stretches of service in order. A row that begins when all before it are over begins another. */
function termsOf(counted: readonly Served[], rule: WayRule): Term[] {
  const found: Term[] = []
  let ends = ''
  let before: Served | undefined
  const rows = counted.toSorted((a, b) => a.startsOn.localeCompare(b.startsOn) || a.row.id - b.row.id)
  for (const each of rows) {
    const saysExtended = each.row.category === rule.extendedCategory
    const begins =
      !before || each.startsOn >= ends || (saysExtended && before.row.category !== rule.extendedCategory)
    const own = { ...each, wasEarly: wasEarly(each.row, rule) }
    if (begins) found.push(termFrom(own))
    else join(found.at(-1) as Term, own)
    ends = ends > each.endsOn ? ends : each.endsOn
    before = each
  }
  for (const [index, term] of found.entries())
    term.isExtension =
      term.rows.some(({ row }) => row.category === rule.extendedCategory) ||
      follows(term, found[index - 1], rule)
  return found
}

function follows(term: Term, before: Term | undefined, { followsWithinDays }: WayRule): boolean {
  if (!before || before.wasEarly) return false
  return before.endsOn === NEVER || term.startsOn <= addDays(before.endsOn, followsWithinDays)
}

/** Whether the roster said more than some days before the end that somebody was gone, or no longer had them. */
function wasEarly({ status, endsOn, saidOn, goneOn }: RosterTerm, { earlyByDays }: WayRule): boolean {
  const leftOn = status === GONE && (goneOn === null || saidOn < goneOn) ? saidOn : goneOn
  return endsOn !== null && leftOn !== null && endsOn > addDays(leftOn, earlyByDays)
}

function termFrom(first: Served): Term {
  return { ...first, isExtension: false, rows: [first] }
}

function join(term: Term, each: Served): void {
  term.rows.push(each)
  if (each.endsOn > term.endsOn) term.endsOn = each.endsOn
  term.wasEarly &&= each.wasEarly
  const ranks = [GONE, AHEAD, SERVING]
  if (ranks.indexOf(each.status) > ranks.indexOf(term.status)) term.status = each.status
}

/** The row that says where somebody is or was: of those that say what the term is the first. */
function rowOf({ rows, status }: Term): RosterTerm {
  return (rows.find(each => each.status === status) ?? (rows[0] as Served)).row
}

/** Closed rows of somebody who never came are no service. */
function wasServed({ goneOn, status, startsOn }: RosterTerm): boolean {
  return goneOn !== null && status !== AHEAD && (startsOn === null || startsOn <= goneOn)
}

function isServing({ status, startsOn, endsOn }: Term, today: string): boolean {
  return status === SERVING && startsOn <= today && endsOn >= today
}

function isOver({ status, endsOn }: Term, today: string): boolean {
  return status === GONE || endsOn < today
}

/** A day on which one ends and the other begins is no overlap: rosters write both. */
function overlap(a: RosterTerm, b: RosterTerm): boolean {
  const end = ({ endsOn, goneOn }: RosterTerm) => endsOn ?? goneOn ?? NEVER
  return (a.startsOn ?? '') < end(b) && (b.startsOn ?? '') < end(a)
}

function stepPoint({ step, on }: StepOnWay): WayPoint[] {
  const what = WRITTEN_STEPS.find(each => each === step)
  return what ? [{ what, on, place: null, isWritten: true }] : []
}

function placeOf({ county, branch, post }: RosterTerm): string {
  return [county, branch, post].filter(Boolean).join(' · ')
}

function termPoints(term: Term, today: string): WayPoint[] {
  const isOverNow = isOver(term, today)
  const begun: WayPoint = {
    what: isServing(term, today) || isOverNow ? (term.isExtension ? 'extended' : 'in_service') : 'assigned',
    on: term.startsOn || null,
    place: placeOf(rowOf(term)),
    isWritten: false,
  }
  if (!isOverNow) return [begun]
  const what = term.wasEarly ? 'dropped' : 'ended'
  return [begun, { what, on: lastDay(term), place: null, isWritten: false }]
}

/** The last day that was served, as far as anybody knows; null: nobody does. */
function lastDay({ endsOn, wasEarly, status, rows }: Term): string | null {
  if (endsOn === NEVER) return null
  return wasEarly && status === GONE && rows.some(each => each.row.goneOn === null) ? null : endsOn
}

const byDay = (a: StepOnWay, b: StepOnWay) =>
  a.on.localeCompare(b.on) ||
  WRITTEN_STEPS.indexOf(a.step as WrittenStep) - WRITTEN_STEPS.indexOf(b.step as WrittenStep)
