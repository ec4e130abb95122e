import { type CountyReport, countyReports, type DutySum, dutySums } from '../../../db/queries/duty-reports.ts'
import { dayOf, timeOf } from '../../clock.ts'
import type { FreeFormLayout } from '../../templates.ts'
import { dutyReportRules, periodWords } from '../duty-reports/rules.ts'
import { buildPlan, type CellToPlace, chineseDay, labelOf } from './build-plan.ts'
import type { OfficialForm } from './form.ts'

/** Counties that stand on the sheet one by one; of more there are only the sums (the workbook of 双月报告 has them all). */
const MAX_COUNTIES = 200
/** Late ones that are named in the note. */
const MAX_NAMED = 30

/**
 * 志愿者在岗情况及重大安全事故双月报告 (全国项目办发〔2020〕3号 三.7): a level's sheet has the sums of the units just below it and
 * its counties, those without a report first; a county's own has its line. No layout is printed for it.
 */
export const bimonthlyReportForm: OfficialForm = {
  id: 'bimonthly-report',
  name: '双月报告',
  programme: dutyReportRules.programme,
  levels: ['national', 'province', 'city', 'county'],
  senders: [dutyReportRules.unitLevel],
  rhythm: 'two-months',
  async plan(rt, unit, period, filledBy) {
    const { unitLevel, programme } = dutyReportRules
    const layout = rt.templates.freeForm('bimonthly-report')
    const [sums, counties] = await Promise.all([
      dutySums(rt.db, unit, period, unitLevel),
      countyReports(rt.db, unit.path, period, unitLevel, programme, { limit: MAX_COUNTIES, offset: 0 }),
    ])
    const build = buildPlan(layout)
    build.head({
      unitName: unit.name,
      period: periodWords(period),
      filledOn: chineseDay(dayOf(rt.clock.now())),
      filledBy: filledBy.name,
    })
    const isCounty = unit.level === unitLevel
    const all = total(sums)
    if (!isCounty) {
      build.header('parts')
      for (const sum of sums) build.row(sumCells(sum.unitName, sum, sum.unitPath, period, layout))
      build.row(sumCells(labelOf(layout, 'total'), all, unit.path, period, layout, true))
    }
    if (isCounty || all.counties <= MAX_COUNTIES) {
      build.header('counties')
      for (const county of counties)
        build.row(countyCells(layout, county, period, note => (note === null ? '' : rt.vault.open(note))))
    }
    build.notes({ late: lateWords(layout, counties, all) })
    build.stamp()
    return build.plan()
  },
  fillIn: (unit, period) => ({
    path: `/console/duty-reports?${new URLSearchParams({ unit: String(unit.id), period })}`,
    words: unit.level === dutyReportRules.unitLevel ? '填报或更改' : '看各县区报送和事故情况',
  }),
}

type Sum = Omit<DutySum, 'unitId' | 'unitName' | 'unitPath'>

function total(sums: readonly DutySum[]): Sum {
  const add = (of: (sum: DutySum) => number) => sums.reduce((all, sum) => all + of(sum), 0)
  return {
    counties: add(sum => sum.counties),
    reported: add(sum => sum.reported),
    onDuty: add(sum => sum.onDuty),
    left: add(sum => sum.left),
    onLeave: add(sum => sum.onLeave),
    incidents: add(sum => sum.incidents),
  }
}

function sumCells(
  name: string,
  { counties, reported, onDuty, left, onLeave, incidents }: Sum,
  path: string,
  period: string,
  layout: FreeFormLayout,
  isBold = false,
): CellToPlace[] {
  const unitId = path.split('/').at(-2) ?? ''
  const late = counties - reported
  return [
    { value: name, part: 'rowHead', isBold },
    { value: counties },
    { value: reported, behind: behind(unitId, period) },
    ...[onDuty, left, onLeave, incidents].map(value => ({ value, behind: behind(unitId, period) })),
    { value: late > 0 ? `${late} 个${labelOf(layout, 'late')}` : '' },
  ]
}

function countyCells(
  layout: FreeFormLayout,
  { unitId, unitName, parentName, report }: CountyReport,
  period: string,
  open: (sealed: string | null) => string,
): CellToPlace[] {
  const link = behind(String(unitId), period)
  const name: CellToPlace = { value: unitName, part: 'rowHead' }
  if (!report)
    return [
      name,
      { value: parentName ?? '' },
      { value: labelOf(layout, 'late'), isBold: true, behind: link },
      ...Array.from({ length: 4 }, () => ({ value: null })),
      { value: '' },
    ]
  return [
    name,
    { value: parentName ?? '' },
    { value: `${dayOf(report.at).slice(5)} ${timeOf(report.at)}` },
    ...[report.onDuty, report.left, report.onLeave, report.incidents].map(value => ({ value, behind: link })),
    { value: open(report.noteSealed), align: 'left' },
  ]
}

function lateWords(layout: FreeFormLayout, counties: readonly CountyReport[], all: Sum): string | null {
  const late = counties.filter(county => !county.report).map(county => county.unitName)
  const count = all.counties - all.reported
  if (count === 0) return null
  const named = late.slice(0, MAX_NAMED).join('、')
  return count > MAX_NAMED
    ? `${named}等，${labelOf(layout, 'others').replace('{count}', String(count))}`
    : named
}

function behind(unitId: string, period: string): string {
  return `/console/duty-reports?${new URLSearchParams({ unit: unitId, period })}`
}
