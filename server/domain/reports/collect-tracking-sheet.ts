import {
  activityFigures,
  factFigures,
  groupFigures,
  memberFigures,
  messageFigures,
} from '../../../db/queries/records.ts'
import { childUnits, type UnitRow } from '../../../db/queries/units.ts'
import { addMonths, dayOf, shanghaiMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { noFigures, type TrackingFigure, type TrackingFigures, type TrackingSheet } from './tracking-sheet.ts'

/**
 * Counts a county's tracking sheet for a month: one row a township, whatever lies below a township counted in it.
 *
 * Messages and activities are those of the month; groups and members those that stood at its end; branches, cadres and
 * youth what the township last said. Groups led by the county itself, or by an organisation directly below it, go in the
 * line of their own; what is sent in them has no row on the sheet.
 * @param month `YYYY-MM` in Asia/Shanghai
 * @source 榆林团市委 2014 附件3
 */
export async function collectTrackingSheet(
  rt: DomainRuntime,
  county: UnitRow,
  month: string,
  filledBy: { name: string; contact: string },
): Promise<TrackingSheet> {
  const monthEnd = shanghaiMoment(`${addMonths(month, 1)}-01`)
  const now = rt.clock.now()
  // a sheet of the running month counts what stands now
  const end = monthEnd < now ? monthEnd : new Date(now.getTime() + 1)
  const programme = rt.templates.programme(county.programme)
  const messageColumn = new Map((programme.messageCategories ?? []).map(each => [each.name, each.figure]))

  const children = await childUnits(rt.db, county.id)
  const townships = children.filter(unit => unit.level === 'township')
  const direct = [county, ...children.filter(unit => unit.level !== 'township')]
  const hasRow = new Set(townships.map(unit => unit.id))
  const figures = new Map<number, TrackingFigures>()
  const at = (unitId: number): TrackingFigures => {
    const row = figures.get(unitId) ?? noFigures()
    figures.set(unitId, row)
    return row
  }
  const add = (unitId: number, figure: string | undefined, count: number) => {
    if (figure !== undefined && figure in noFigures()) at(unitId)[figure as TrackingFigure] += count
  }
  for (const row of await factFigures(rt.db, county.path, month)) {
    add(row.unitId, 'branches', row.branches)
    add(row.unitId, 'cadres', row.cadres)
    add(row.unitId, 'youth', row.youth)
  }
  for (const row of await groupFigures(rt.db, county.path, end)) add(row.unitId, 'groups', row.count)
  for (const row of await memberFigures(rt.db, county.path, end)) add(row.unitId, row.occupation, row.count)
  const sorted = { byMachine: 0, byHand: 0 }
  for (const row of await messageFigures(rt.db, county.path, month)) {
    add(row.unitId, messageColumn.get(row.category), row.count)
    if (hasRow.has(row.unitId)) {
      sorted.byMachine += row.byMachine
      sorted.byHand += row.count - row.byMachine
    }
  }
  for (const row of await activityFigures(rt.db, county.path, month)) add(row.unitId, row.kind, row.count)

  return {
    countyName: county.name,
    month,
    filledOn: dayOf(now),
    filledBy: filledBy.name,
    contact: filledBy.contact,
    rows: townships.map(unit => ({ township: unit.name, unitId: unit.id, figures: at(unit.id) })),
    countyDirectGroups: direct.reduce((sum, unit) => sum + at(unit.id).groups, 0),
    cityDirectGroups: null,
    messagesSorted: sorted,
  }
}
