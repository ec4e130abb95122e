import type { PairFigure, ProvinceRoster } from '../../../db/queries/quota-figures.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { scaleNumberIds } from '../../templates/quota.ts'
import type { FreeFormLayout, Quota } from '../../templates.ts'
import { checkProvince, type Known, knownWords, percent } from '../quotas/check-province.ts'
import { provinceCodeOf, type Thresholds } from '../quotas/rules.ts'
import type { SheetPlan } from '../reports/sheet-plan.ts'
import { buildPlan, type CellToPlace, chineseDay, labelOf, type PlanBuilder } from './build-plan.ts'

export interface QuotaCheck {
  /** Null: no document at hand has quotas for the year. */
  quota: Quota | null
  thresholds: Thresholds
  year: number
  unit: Pick<UnitRow, 'level' | 'name' | 'code'>
  /** `YYYY-MM-DD` */
  countedOn: string
  filledOn: string
  filledBy: string
  provinces: readonly ProvinceRoster[]
  pairs: readonly PairFigure[]
}

type Area = Quota['scale']['areas'][number]
type Paired = Quota['pairs']['halves'][number][number]
/** Columns of one half of each table of pairs, in columns of the sheet. */
interface Half {
  area: number
  from: number
  numbers: readonly number[]
  note: number
}

const YUAN_PER_WAN = 10_000
/** 附件2 stands in two halves: seven columns of the sheet each. */
const PRINTED: readonly Half[] = [
  { area: 1, from: 2, numbers: [2], note: 2 },
  { area: 2, from: 2, numbers: [2], note: 1 },
]
const COMPARED: readonly Half[] = [
  { area: 1, from: 2, numbers: [1, 1], note: 2 },
  { area: 2, from: 2, numbers: [1, 1], note: 1 },
]

/** Places a year's check in cells; for the nation the two annexes follow as they are printed. */
export function planQuotaCheck(layout: FreeFormLayout, check: QuotaCheck): SheetPlan {
  const { quota, unit } = check
  const build = buildPlan(layout)
  build.head({
    unitName: unit.name,
    period: `${check.year}—${check.year + 1}`,
    filledOn: chineseDay(check.filledOn),
    filledBy: check.filledBy,
  })
  checkTable(build, layout, check)
  build.notes(noteValues(check))
  if (quota) comparedPairs(build, layout, check, quota)
  if (quota && unit.level === 'national') {
    printedScale(build, quota)
    printedPairs(build, quota)
  }
  build.stamp()
  return build.plan()
}

function noteValues({ quota, thresholds, year, countedOn }: QuotaCheck): Record<string, string | null> {
  const wan = (yuan: number) => String(yuan / YUAN_PER_WAN)
  return {
    noQuota: quota ? null : String(year),
    countedOn: chineseDay(countedOn),
    inProvince: percent(thresholds.inProvince),
    bachelor: percent(thresholds.bachelor),
    before: String(thresholds.daysBefore),
    after: String(thresholds.daysAfter),
    accident: wan(thresholds.accident),
    hospital: wan(thresholds.hospital),
    medical: wan(thresholds.medical),
  }
}

function checkTable(build: PlanBuilder, layout: FreeFormLayout, check: QuotaCheck): void {
  const word = (name: string) => labelOf(layout, name)
  const title = (name: string, more: Partial<CellToPlace> = {}) => columnHead(word(name), more)
  const tall = ['inProvince', 'bachelor', 'insurance', 'posts', 'flags'] as const
  build.row([
    title('province', { down: 2 }),
    ...(['scale', 'graduateTeaching', 'extended', 'recruits'] as const).map(name =>
      title(name, { across: 2 }),
    ),
    ...tall.map(name => title(name, { down: 2 })),
  ])
  build.row(Array.from({ length: 4 }, () => [title('planned'), title('actual')]).flat())
  const rows = rowsOf(check)
  for (const { name, area, roster } of rows) {
    const planned = (number: (typeof scaleNumberIds)[number]) => (area ? area[number] : word('none'))
    const counts = scaleNumberIds.flatMap(number => [
      planned(number),
      { value: roster ? roster[number] : 0, behind: rosterOf(roster) },
    ])
    build.row([{ value: name, part: 'rowHead' }, ...counts, ...judged(roster, check, word)])
  }
  if (rows.length === 1) return
  const total = (number: (typeof scaleNumberIds)[number]) =>
    check.provinces.reduce((sum, roster) => sum + roster[number], 0)
  build.row([
    { value: word('total'), part: 'rowHead', isBold: true },
    ...scaleNumberIds.flatMap(number => [
      check.quota ? check.quota.scale.total[number] : word('none'),
      total(number),
    ]),
    ...totalJudged(check, word),
  ])
}

interface Row {
  name: string
  area: Area | null
  roster: ProvinceRoster | null
}

/** The areas in the order of 附件1, also those of which the roster has nobody; then what it has elsewhere. */
function rowsOf({ quota, provinces, unit }: QuotaCheck): Row[] {
  const own = unit.level === 'national' ? null : provinceCodeOf(unit)
  const areas = (quota?.scale.areas ?? []).filter(area => own === null || area.code === own)
  const listed = areas.map(area => ({
    name: area.name,
    area,
    roster: provinces.find(each => each.code === area.code) ?? null,
  }))
  const others = provinces
    .filter(
      each =>
        !areas.some(area => area.code === each.code) && (quota === null || own !== null || each.planned > 0),
    )
    .map(roster => ({ name: roster.unitName, area: null, roster }))
  return [...listed, ...others]
}

function judged(
  roster: ProvinceRoster | null,
  { quota, pairs, thresholds }: QuotaCheck,
  word: (name: string) => string,
): (CellToPlace | string | number)[] {
  if (!roster || roster.planned === 0) return Array.from({ length: 5 }, () => word('none'))
  const { inProvince, bachelor, insuredDays, cover, flags } = checkProvince(roster, quota, pairs, thresholds)
  const said = (known: Known | null) => (known ? knownWords(known) : word('noData'))
  return [
    said(inProvince),
    said(bachelor),
    insuranceWords(insuredDays, cover, word),
    { value: roster.forbiddenPosts, behind: roster.forbiddenPosts > 0 ? rosterOf(roster) : undefined },
    { value: flags.length > 0 ? flags.join('；') : word('none'), align: 'left' },
  ]
}

function totalJudged(
  { provinces }: QuotaCheck,
  word: (name: string) => string,
): (CellToPlace | string | number)[] {
  const sum = (of: (roster: ProvinceRoster) => number) =>
    provinces.reduce((all, roster) => all + of(roster), 0)
  const known = (count: number, of: number) => (of > 0 ? knownWords({ count, of }) : word('noData'))
  const all = (count: number, of: number): Known | null => (of > 0 ? { count, of } : null)
  return [
    known(
      sum(each => each.inProvince),
      sum(each => each.recruitedInKnown),
    ),
    known(
      sum(each => each.bachelor),
      sum(each => each.degreeKnown),
    ),
    insuranceWords(
      all(
        sum(each => each.insuredDays),
        sum(each => each.insuredDaysKnown),
      ),
      all(
        sum(each => each.cover),
        sum(each => each.coverKnown),
      ),
      word,
    ),
    sum(each => each.forbiddenPosts),
    { value: '', align: 'left' },
  ]
}

function insuranceWords(
  insuredDays: Known | null,
  cover: Known | null,
  word: (name: string) => string,
): string {
  if (!insuredDays && !cover) return word('noData')
  const part = (name: string, known: Known | null) => `${name} ${known ? `${known.count}/${known.of}` : '无'}`
  return `${part('日期', insuredDays)}，${part('保额', cover)}`
}

function comparedPairs(
  build: PlanBuilder,
  layout: FreeFormLayout,
  { pairs, unit }: QuotaCheck,
  quota: Quota,
): void {
  const word = (name: string) => labelOf(layout, name)
  const halves =
    unit.level === 'national' ? quota.pairs.halves : inHalves(quota.pairs.halves.flat(), provinceCodeOf(unit))
  if (halves.every(half => half.length === 0)) return
  build.heading(word('pairs'))
  if (pairs.length === 0) build.heading(word('noColumn'))
  const heads = [word('area'), word('from'), word('planned'), word('actual'), word('note')]
  const actual = (area: Paired, from: string) =>
    pairs.find(pair => pair.code === area.code && pair.from === from)?.recruits ?? 0
  pairTable(build, COMPARED, heads, halves, (area, pair) => [
    pair.recruits,
    pairs.length === 0 ? word('none') : actual(area, pair.code),
  ])
}

/** The pairs of one service area, half of them on either side. */
function inHalves(areas: readonly Paired[], code: string): Paired[][] {
  const area = areas.find(each => each.code === code)
  if (!area) return [[], []]
  const middle = Math.ceil(area.pairs.length / 2)
  return [area.pairs.slice(0, middle), area.pairs.slice(middle)].map(pairs =>
    pairs.length > 0 ? [{ ...area, pairs }] : [],
  )
}

/** 附件1, as printed. */
function printedScale(build: PlanBuilder, { scale }: Quota): void {
  build.heading(scale.attachment)
  build.heading(scale.title)
  const across = [1, 3, 3, 3, 4]
  const row = (values: (string | number)[], part: Partial<CellToPlace> = {}) =>
    build.row(values.map((value, index) => ({ value, across: across[index] as number, ...part })))
  row([...scale.heads], { part: 'columnHead' })
  for (const area of scale.areas) row([area.name, ...scaleNumberIds.map(number => area[number])])
  row(['合计', ...scaleNumberIds.map(number => scale.total[number])])
}

/** 附件2, as printed. */
function printedPairs(build: PlanBuilder, { pairs }: Quota): void {
  build.heading(pairs.attachment)
  build.heading(pairs.title)
  pairTable(build, PRINTED, pairs.heads, pairs.halves, (_, pair) => [pair.recruits])
}

function pairTable(
  build: PlanBuilder,
  widths: readonly Half[],
  heads: readonly string[],
  halves: readonly (readonly Paired[])[],
  numbersOf: (area: Paired, pair: Paired['pairs'][number]) => (string | number)[],
): void {
  const spans = ({ area, from, numbers, note }: Half) => [area, from, ...numbers, note]
  build.row(
    widths.flatMap(half =>
      spans(half).map((across, index) => columnHead(heads[index] as string, { across })),
    ),
  )
  const lines = halves.map(half =>
    half.flatMap(area =>
      area.pairs.map((pair, index) => ({ area, pair, down: index === 0 ? area.pairs.length : 0 })),
    ),
  )
  const length = Math.max(...lines.map(half => half.length))
  for (let row = 0; row < length; row += 1)
    build.row(
      widths.flatMap((half, side): CellToPlace[] => {
        const line = lines[side]?.[row]
        if (!line) return spans(half).map(across => ({ value: null, across }))
        const { area, pair, down } = line
        return [
          ...(down > 0 ? [{ value: area.name, across: half.area, down, part: 'rowHead' as const }] : []),
          { value: pair.from, across: half.from },
          ...numbersOf(area, pair).map((value, index) => ({ value, across: half.numbers[index] as number })),
          { value: pair.note ?? '', across: half.note },
        ]
      }),
    )
}

function columnHead(value: string, more: Partial<CellToPlace>): CellToPlace {
  return { value, part: 'columnHead', ...more }
}

function rosterOf(roster: ProvinceRoster | null): string | undefined {
  return roster ? `/console/roster?unit=${roster.unitId}` : undefined
}
