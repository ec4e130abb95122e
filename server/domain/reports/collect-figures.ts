import { activityFigures, groupFigures, messageFigures, saidFigures } from '../../../db/queries/records.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { addMonths, shanghaiMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { monthRules } from '../months/rules.ts'
import { noFigures, type TrackingFigure, type TrackingFigures } from './tracking-sheet.ts'

/** The figures of one row, and by whom its messages were sorted. */
export interface CountedFigures {
  figures: TrackingFigures
  byMachine: number
  byHand: number
}

/**
 * Counts the figures of the tracking sheet for a month below a unit, by its children; what is the unit's own stands under
 * the unit itself.
 *
 * Messages and activities are those of the month, in the unit where the group stood when they were recorded; groups and
 * members those that stood at its end. What units said of themselves is taken from those that have a row on the sheet.
 * @param month `YYYY-MM` in Asia/Shanghai; of the running month what stands now
 * @source 榆林团市委 2014 附件3
 */
export async function collectFigures(
  rt: DomainRuntime,
  unit: Pick<UnitRow, 'path' | 'programme'>,
  month: string,
): Promise<(unitId: number) => CountedFigures> {
  const monthEnd = shanghaiMoment(`${addMonths(month, 1)}-01`)
  const now = rt.clock.now()
  const end = monthEnd < now ? monthEnd : new Date(now.getTime() + 1)
  const { messageCategories = [] } = rt.templates.programme(unit.programme)
  const columnOf = new Map(messageCategories.map(each => [each.name, each.figure]))
  const counted = new Map<number, CountedFigures>()
  const at = (unitId: number): CountedFigures => {
    const row = counted.get(unitId) ?? { figures: noFigures(), byMachine: 0, byHand: 0 }
    counted.set(unitId, row)
    return row
  }
  const add = (unitId: number, figure: string | undefined, count: number) => {
    if (figure !== undefined && figure in noFigures()) at(unitId).figures[figure as TrackingFigure] += count
  }
  const { path } = unit
  const { rowLevel } = monthRules
  const [said, groups, messages, activities] = await Promise.all([
    saidFigures(rt.db, path, month, end, rowLevel),
    groupFigures(rt.db, path, end),
    messageFigures(rt.db, path, month),
    activityFigures(rt.db, path, month),
  ])
  for (const row of said) add(row.unitId, row.figure, row.count)
  for (const row of groups) add(row.unitId, 'groups', row.count)
  for (const row of activities) add(row.unitId, row.kind, row.count)
  for (const row of messages) {
    add(row.unitId, columnOf.get(row.category), row.count)
    at(row.unitId).byMachine += row.byMachine
    at(row.unitId).byHand += row.count - row.byMachine
  }
  return at
}
