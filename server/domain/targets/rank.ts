import type { InspectedUnit } from '../../../db/queries/targets.ts'

/** What is wanted of an inspected unit, after the programme's duties. */
export interface Wanted {
  groupsATownship: number
  youthACadre: number
}

export interface RankedUnit extends InspectedUnit {
  /** Places by subject: 建群情况, 联系团员青年数量, 发送内容及频次, 线上线下活动情况 (榆林团市委 2014 三.(三)). */
  places: [groups: number, youth: number, content: number, activities: number]
  /** Of all: equal ones share a place. */
  place: number
  wantedGroups: number
  /** Null: it is not known how many cadres there are. */
  wantedYouth: number | null
  /** Messages of a group in a month. */
  frequency: number
}

/**
 * Ranks units by the four subjects of the inspection: places are added up, because the notice gives no weights (project
 * assumption). What nothing is known of comes last; nobody gains by more groups or youth than are asked for.
 * @param months how many the figures are of
 */
export function rankUnits(units: readonly InspectedUnit[], wanted: Wanted, months: number): RankedUnit[] {
  const seen = units.map(unit => ({
    unit,
    wantedGroups: Math.max(unit.townships, 1) * wanted.groupsATownship,
    wantedYouth: unit.cadres === null ? null : unit.cadres * wanted.youthACadre,
    frequency: unit.groups === 0 ? 0 : unit.messages / unit.groups / months,
  }))
  const places = [
    placesBy(seen, each => [Math.min(1, each.unit.youthGroups / each.wantedGroups)]),
    placesBy(seen, each => [
      each.wantedYouth === null ? -1 : Math.min(1, each.unit.youth / each.wantedYouth),
    ]),
    placesBy(seen, each => [each.unit.categories, each.frequency]),
    placesBy(seen, each => [each.unit.activities / Math.max(each.unit.townships, 1)]),
  ]
  const sums = seen.map((_, index) => places.reduce((sum, list) => sum + (list[index] as number), 0))
  const overall = placesBy(sums, sum => [-sum])
  return seen
    .map(({ unit, ...more }, index) => ({
      ...unit,
      ...more,
      places: places.map(list => list[index]) as RankedUnit['places'],
      place: overall[index] as number,
    }))
    .sort((a, b) => a.place - b.place)
}

/** The place of each, from 1: one more than there are better ones. @param worth the greater the better, the first that differs decides */
function placesBy<T>(list: readonly T[], worth: (each: T) => number[]): number[] {
  const values = list.map(worth)
  return values.map(own => 1 + values.filter(other => isBetter(other, own)).length)
}

function isBetter(one: number[], other: number[]): boolean {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] as number)
    if (Math.abs(difference) > 1e-9) return difference > 0
  }
  return false
}
