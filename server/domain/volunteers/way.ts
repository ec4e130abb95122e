import type { VolunteerTermRow as RosterTerm } from '../../../db/queries/volunteers.ts'

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
}

export interface Way {
  stage: Stage
  points: WayPoint[]
  /** The row by which somebody serves today or served last; null: none. */
  last: RosterTerm | null
  /** When the service that lasts today began; null: they do not serve, or the roster does not say. */
  servingSince: string | null
  isServing: boolean
}

/** Rows of one stretch of service: who leads the branch has two of one term. */
interface Term {
  startsOn: string | null
  endsOn: string | null
  status: string
  isExtension: boolean
  /** An import no longer had it before its last day. */
  wasCut: boolean
  row: RosterTerm
}

const SERVING = '在岗'
const AHEAD = '待派遣'
const GONE = '离岗'

/**
 * Somebody's whole way: the steps that offices wrote, and what the rosters of all years give. What the roster says goes
 * before a step: who serves has not dropped out.
 * @param terms rows of the person's service, standing ones and those that imports have closed
 * @param today `YYYY-MM-DD` @param extendedCategory the category by which a row says itself that it is an extension
 */
export function wayOf(
  steps: readonly StepOnWay[],
  terms: readonly RosterTerm[],
  today: string,
  extendedCategory = '延期',
): Way {
  const served = termsOf(terms, extendedCategory)
  const serving = served.findLast(term => isServing(term, today))
  const last = serving ?? served.findLast(term => isOver(term, today)) ?? served.at(-1)
  const stage = stageOf(steps, served, serving, today)
  return {
    stage,
    points: [...steps.toSorted(byDay).flatMap(stepPoint), ...served.flatMap(term => termPoints(term, today))]
      .sort((a, b) => (a.on ?? '9999').localeCompare(b.on ?? '9999'))
      .concat(stage === 'alumni' ? [{ what: 'alumni', on: last?.endsOn ?? null, place: null }] : []),
    last: last?.row ?? null,
    servingSince: serving?.startsOn ?? null,
    isServing: serving !== undefined,
  }
}

function stageOf(
  steps: readonly StepOnWay[],
  served: readonly Term[],
  serving: Term | undefined,
  today: string,
): Stage {
  if (serving) return serving.isExtension ? 'extended' : 'in_service'
  const over = served.findLast(term => isOver(term, today))
  const ahead = served.some(term => !isOver(term, today))
  if (ahead) return over ? 'ended' : 'assigned'
  if (over) return isLeft(over, today) ? 'dropped' : 'alumni'
  const written = new Set(steps.map(each => each.step))
  return WRITTEN_STEPS.findLast(step => written.has(step)) ?? 'candidate'
}

/** The stretches of service in order. A row that follows one that is over is an extension. */
function termsOf(rows: readonly RosterTerm[], extendedCategory: string): Term[] {
  const found: Term[] = []
  for (const row of rows.filter(each => each.goneOn === null).toSorted(byStart)) {
    const before = found.at(-1)
    const follows =
      before !== undefined &&
      ((row.category === extendedCategory && before.row.category !== extendedCategory) ||
        (before.endsOn !== null && row.startsOn !== null && row.startsOn > before.endsOn))
    if (before && !follows) join(before, row)
    else found.push(termFrom(row))
  }
  // an import closes a row also when it changes it: what stands, or was written later, is what was meant
  for (const row of rows.filter(wasServed).toSorted((a, b) => b.id - a.id)) {
    const closed = closedTerm(row, row.goneOn as string)
    if (!found.some(term => overlap(term, closed))) found.push(closed)
  }
  found.sort((a, b) => byStart(a, b))
  for (const [index, term] of found.entries())
    term.isExtension = index > 0 || term.row.category === extendedCategory
  return found
}

function termFrom(row: RosterTerm): Term {
  const { startsOn, endsOn, status } = row
  return { startsOn, endsOn, status, isExtension: false, wasCut: false, row }
}

function closedTerm(row: RosterTerm, goneOn: string): Term {
  const wasCut = row.endsOn !== null && row.endsOn > goneOn
  return { ...termFrom(row), status: GONE, endsOn: wasCut ? goneOn : (row.endsOn ?? goneOn), wasCut }
}

function join(term: Term, row: RosterTerm): void {
  if (row.endsOn === null || term.endsOn === null) term.endsOn = null
  else if (row.endsOn > term.endsOn) term.endsOn = row.endsOn
  if (row.status !== SERVING || term.status === SERVING) return
  term.status = SERVING
  term.row = row
}

/** Closed rows of somebody who never came are no service. */
function wasServed({ goneOn, status, startsOn }: RosterTerm): boolean {
  return goneOn !== null && status !== AHEAD && (startsOn === null || startsOn <= goneOn)
}

function isServing({ status, startsOn, endsOn }: Term, today: string): boolean {
  return status === SERVING && (startsOn ?? '') <= today && (endsOn ?? '9999') >= today
}

function isOver({ status, endsOn }: Term, today: string): boolean {
  return status === GONE || (endsOn !== null && endsOn < today)
}

/** Went before the end of the term. */
function isLeft({ status, endsOn, wasCut }: Term, today: string): boolean {
  return wasCut || (status === GONE && endsOn !== null && endsOn >= today)
}

function overlap(a: Term, b: Term): boolean {
  return (a.startsOn ?? '') <= (b.endsOn ?? '9999') && (b.startsOn ?? '') <= (a.endsOn ?? '9999')
}

function stepPoint({ step, on }: StepOnWay): WayPoint[] {
  const what = WRITTEN_STEPS.find(each => each === step)
  return what ? [{ what, on, place: null }] : []
}

function termPoints(term: Term, today: string): WayPoint[] {
  const place = [term.row.county, term.row.branch, term.row.post].filter(Boolean).join(' · ')
  const begun: WayPoint = {
    what:
      isServing(term, today) || isOver(term, today)
        ? term.isExtension
          ? 'extended'
          : 'in_service'
        : 'assigned',
    on: term.startsOn,
    place,
  }
  if (!isOver(term, today)) return [begun]
  const isEarly = isLeft(term, today)
  return [
    begun,
    {
      what: isEarly ? 'dropped' : 'ended',
      on: isEarly && (term.endsOn ?? '') > today ? null : term.endsOn,
      place: null,
    },
  ]
}

const byStart = (a: { startsOn: string | null }, b: { startsOn: string | null }) =>
  (a.startsOn ?? '').localeCompare(b.startsOn ?? '')
const byDay = (a: StepOnWay, b: StepOnWay) =>
  a.on.localeCompare(b.on) ||
  WRITTEN_STEPS.indexOf(a.step as WrittenStep) - WRITTEN_STEPS.indexOf(b.step as WrittenStep)
