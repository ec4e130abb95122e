import { lastFactsOf } from '../../../db/queries/records.ts'
import { childUnits, type UnitRow } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { collectFigures } from '../reports/collect-figures.ts'
import { noFigures, TRACKING_FIGURES, type TrackingFigures } from '../reports/tracking-sheet.ts'

/** A unit's month: what lies below each child, what is its own, and all together. */
export interface RollUp {
  rows: { unit: UnitRow; figures: TrackingFigures }[]
  own: TrackingFigures
  total: TrackingFigures
  byMachine: number
  byHand: number
}

/** Counts a month of a unit by its children, from the branch to the nation in the same way (`collectFigures`). */
export async function rollUp(rt: DomainRuntime, unit: UnitRow, month: string): Promise<RollUp> {
  const [children, at] = await Promise.all([childUnits(rt.db, unit.id), collectFigures(rt, unit, month)])
  const counted = [...children.map(child => at(child.id)), at(unit.id)]
  return {
    rows: children.map(child => ({ unit: child, figures: at(child.id).figures })),
    own: at(unit.id).figures,
    total: sumFigures(counted.map(each => each.figures)),
    byMachine: counted.reduce((sum, each) => sum + each.byMachine, 0),
    byHand: counted.reduce((sum, each) => sum + each.byHand, 0),
  }
}

export function sumFigures(all: readonly TrackingFigures[]): TrackingFigures {
  const sum = noFigures()
  for (const figures of all) for (const id of TRACKING_FIGURES) sum[id] += figures[id]
  return sum
}

/** What a unit signs: its month with all below it. */
export async function unitFigures(rt: DomainRuntime, unit: UnitRow, month: string): Promise<TrackingFigures> {
  return (await rollUp(rt, unit, month)).total
}

/** What has changed since a unit signed: each figure that is another now, with its difference; empty: nothing. */
export function differences(
  signed: Readonly<Record<string, number>>,
  now: TrackingFigures,
): Record<string, number> {
  return Object.fromEntries(
    TRACKING_FIGURES.map(id => [id, now[id] - (signed[id] ?? 0)] as const).filter(([, count]) => count !== 0),
  )
}

/** What a unit said of itself last, and for which month; null: nothing ever. */
export type LastFacts = NonNullable<Awaited<ReturnType<typeof lastFactsOf>>>

export async function lastFacts(rt: DomainRuntime, unitId: number, month: string): Promise<LastFacts | null> {
  return (await lastFactsOf(rt.db, unitId, month)) ?? null
}
