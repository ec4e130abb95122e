import type { StandsAt } from '../../../db/queries/form-figures.ts'
import { addMonths, dayOf, shanghaiMoment } from '../../clock.ts'

/**
 * The moment that a sheet of a period shows: the end of the period, or now while it runs.
 * @param period `YYYY` or `YYYY-MM`
 */
export function standsAt(period: string, now: Date): StandsAt {
  const next = period.length === 4 ? `${Number(period) + 1}-01` : addMonths(period, 1)
  const over = shanghaiMoment(`${next}-01`)
  // what was made in this very moment stands
  const end = over <= now ? over : new Date(now.getTime() + 1)
  return { end, day: dayOf(new Date(end.getTime() - 1)) }
}
