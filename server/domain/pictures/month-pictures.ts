import { messagesByMonth } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type RollUp, rollUp } from '../months/figures.ts'
import { figureName } from '../months/late-words.ts'
import { membersOf } from '../months/words.ts'
import { TRACKING_FIGURES } from '../reports/tracking-sheet.ts'
import { columnChart, type Picture, rowChart } from './chart.ts'

/** The pictures of a unit's month. */
export const pictureKinds = [
  { id: 'messages', name: '近 6 个月发送微信' },
  { id: 'frequency', name: '各单位发送微信' },
  { id: 'coverage', name: '各单位建群和成员' },
  { id: 'activities', name: '各单位线下活动' },
] as const

export type PictureKind = (typeof pictureKinds)[number]['id']

const MONTHS = 6
/** More rows are no picture: the largest are drawn, and the rest together. */
const MOST_ROWS = 20

function monthWords(month: string): string {
  return `${month.slice(0, 4)}年${Number(month.slice(5))}月`
}

/** Draws what a unit and those below it have in a month. @throws Error for a programme without message categories */
export async function drawMonth(
  rt: DomainRuntime,
  unit: UnitRow,
  month: string,
  kind: PictureKind,
): Promise<Picture> {
  const { messageCategories: categories, activityCategories: kinds = [] } = rt.templates.programme(
    unit.programme,
  )
  if (!categories) throw new Error(`${unit.programme} counts no messages`)
  const head = `${unit.name} ${monthWords(month)}`
  if (kind === 'messages') {
    const months = Array.from({ length: MONTHS }, (_, at) => addMonths(month, at + 1 - MONTHS))
    const rows = await messagesByMonth(rt.db, unit.path, months[0] as string, month)
    const count = new Map(rows.map(row => [`${row.month} ${row.category}`, row.count]))
    return columnChart({
      title: `${unit.name} 至${monthWords(month)}发送微信`,
      unit: '条',
      series: categories.map(each => each.name),
      bars: months.map((each, at) => ({
        name: at === 0 || each.endsWith('-01') ? monthWords(each).slice(2) : `${Number(each.slice(5))}月`,
        values: categories.map(category => count.get(`${each} ${category.name}`) ?? 0),
      })),
    })
  }
  const sums = await rollUp(rt, unit, month)
  if (kind === 'coverage')
    return rowChart({
      title: `${head} 群内成员`,
      unit: '人',
      series: ['在乡', '外出'],
      bars: rowsOf(sums, unit, [
        figures => membersOf(pick(figures, 'membersHome')),
        figures => membersOf(pick(figures, 'membersAway')),
      ]).map(bar => ({ ...bar, name: `${bar.name} ${bar.groups} 个群` })),
    })
  const part = kind === 'frequency' ? 'messages' : 'activities'
  const columns = TRACKING_FIGURES.filter(figure => figure.startsWith(`${part}.`))
  // the title says of what they are
  const nameOf = new Map([...categories, ...kinds].map(each => [each.figure, each.name]))
  return rowChart({
    title: `${head} ${part === 'messages' ? '发送微信' : '线下活动'}`,
    unit: part === 'messages' ? '条' : '次',
    series: columns.map(column => nameOf.get(column) ?? figureName(column)),
    bars: rowsOf(
      sums,
      unit,
      columns.map(column => figures => figures[column]),
    ),
  })
}

type Figures = RollUp['total']

function pick(figures: Figures, part: string): Partial<Figures> {
  return Object.fromEntries(Object.entries(figures).filter(([figure]) => figure.startsWith(part)))
}

/** A row for each unit below, the largest first, and for what is the unit's own. */
function rowsOf(sums: RollUp, unit: UnitRow, values: ((figures: Figures) => number)[]) {
  const all = [
    ...sums.rows.map(row => ({ name: row.unit.name, figures: row.figures })),
    { name: sums.rows.length === 0 ? unit.name : '本级', figures: sums.own },
  ].map(({ name, figures }) => ({
    name,
    groups: figures.groups,
    values: values.map(value => value(figures)),
  }))
  const size = (row: (typeof all)[number]) => row.values.reduce((sum, value) => sum + value, 0)
  const sorted = all.filter(row => size(row) > 0 || row.groups > 0).sort((a, b) => size(b) - size(a))
  const rest = sorted.slice(MOST_ROWS)
  if (rest.length === 0) return sorted
  return [
    ...sorted.slice(0, MOST_ROWS),
    {
      name: `其余 ${rest.length} 个`,
      groups: rest.reduce((sum, row) => sum + row.groups, 0),
      values: values.map((_, at) => rest.reduce((sum, row) => sum + (row.values[at] ?? 0), 0)),
    },
  ]
}
