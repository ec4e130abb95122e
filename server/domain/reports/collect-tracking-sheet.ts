import { lateChangesOf } from '../../../db/queries/months.ts'
import { childUnits, type UnitRow } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { lateWords } from '../months/late-words.ts'
import { monthRules } from '../months/rules.ts'
import { collectFigures } from './collect-figures.ts'
import type { TrackingSheet } from './tracking-sheet.ts'

/**
 * Counts a county's tracking sheet for a month: one row a township, whatever lies below a township counted in it
 * (`collectFigures`).
 *
 * Groups led by the county itself, or by an organisation directly below it, go in the line of their own; what is sent in
 * them has no row on the sheet. What was put right after the month was closed is told.
 * @param month `YYYY-MM` in Asia/Shanghai
 * @source 榆林团市委 2014 附件3
 */
export async function collectTrackingSheet(
  rt: DomainRuntime,
  county: UnitRow,
  month: string,
  filledBy: { name: string; contact: string },
): Promise<TrackingSheet> {
  const [children, at, late] = await Promise.all([
    childUnits(rt.db, county.id),
    collectFigures(rt, county, month),
    lateChangesOf(rt.db, county.path, month, monthRules.longestLate.value),
  ])
  const townships = children.filter(unit => unit.level === monthRules.rowLevel)
  const direct = [county, ...children.filter(unit => unit.level !== monthRules.rowLevel)]
  const rows = townships.map(unit => ({ township: unit.name, unitId: unit.id, counted: at(unit.id) }))
  const sum = (of: 'byMachine' | 'byHand') => rows.reduce((all, row) => all + row.counted[of], 0)
  return {
    countyName: county.name,
    month,
    filledOn: dayOf(rt.clock.now()),
    filledBy: filledBy.name,
    contact: filledBy.contact,
    rows: rows.map(({ counted, ...row }) => ({ ...row, figures: counted.figures })),
    countyDirectGroups: direct.reduce((all, unit) => all + at(unit.id).figures.groups, 0),
    cityDirectGroups: null,
    messagesSorted: { byMachine: sum('byMachine'), byHand: sum('byHand') },
    lateChanges: late.total === 0 ? null : lateWords(late),
  }
}
