import type { Readable } from 'node:stream'
import { type CountyReport, countyReports, dutySums } from '../../../db/queries/duty-reports.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { dayOf, timeOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { streamWorkbook } from '../reports/stream-workbook.ts'
import { dutyReportRules, periodWords } from './rules.ts'

const PORTION = 1000
const figures = ['在岗', '离岗', '请假', '重大安全事故']

/** The two-monthly report of a subtree as a workbook: the sums of the units below, and every county with who is late. */
export async function exportDutyReports(
  rt: DomainRuntime,
  actor: KnownActor,
  top: UnitRow,
  period: string,
): Promise<{ name: string; file: Readable }> {
  const { unitLevel } = dutyReportRules
  const sums = await dutySums(rt.db, top, period, unitLevel)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'duty_report.exported',
    subjectKind: 'unit',
    subjectId: top.id,
    details: { period },
  })
  const all = sums.reduce(
    (total, sum) => ({
      counties: total.counties + sum.counties,
      reported: total.reported + sum.reported,
      onDuty: total.onDuty + sum.onDuty,
      left: total.left + sum.left,
      onLeave: total.onLeave + sum.onLeave,
      incidents: total.incidents + sum.incidents,
    }),
    { counties: 0, reported: 0, onDuty: 0, left: 0, onLeave: 0, incidents: 0 },
  )
  const line = (name: string, { counties, reported, onDuty, left, onLeave, incidents }: typeof all) => [
    name,
    counties,
    reported,
    onDuty,
    left,
    onLeave,
    incidents,
  ]
  return {
    name: `${top.name}${periodWords(period)}双月报告.xlsx`,
    file: streamWorkbook([
      {
        name: '汇总',
        heads: ['单位', '县区数', '已报', ...figures],
        widths: [24, 10, 10, 10, 10, 10, 14],
        rows: [[...sums.map(sum => line(sum.unitName, sum)), line('合计', all)]],
      },
      {
        name: '各县区',
        heads: ['县区', '上级', '报送时间', ...figures, '情况说明'],
        widths: [24, 24, 18, 10, 10, 10, 14, 60],
        rows: portions(rt, top, period),
      },
    ]),
  }
}

async function* portions(
  rt: DomainRuntime,
  top: UnitRow,
  period: string,
): AsyncGenerator<(string | number | null)[][]> {
  const { unitLevel, programme } = dutyReportRules
  for (let offset = 0; ; offset += PORTION) {
    const rows = await countyReports(rt.db, top.path, period, unitLevel, programme, {
      limit: PORTION,
      offset,
    })
    yield rows.map(row => cellsOf(rt, row))
    if (rows.length < PORTION) return
  }
}

function cellsOf(
  rt: DomainRuntime,
  { unitName, parentName, report }: CountyReport,
): (string | number | null)[] {
  if (!report) return [unitName, parentName, '没有报', null, null, null, null, null]
  const { onDuty, left, onLeave, incidents, noteSealed, at } = report
  const note = noteSealed === null ? null : rt.vault.open(noteSealed)
  return [unitName, parentName, `${dayOf(at)} ${timeOf(at)}`, onDuty, left, onLeave, incidents, note]
}
