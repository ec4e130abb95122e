import { closingsOf, isClosedMonth, monthStartOf } from '../../../db/queries/months.ts'
import { addMonths, monthOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { isOpenMonth } from '../activities/open-month.ts'

/**
 * What may be done in a month of a programme: `open` for everybody who has the say; `closed`: who manages the unit may put
 * right what is wrong, with a reason (`noteLateChange`); `settled`: older than that, it stands.
 */
export type MonthState = 'open' | 'closed' | 'settled'

export async function monthState(rt: DomainRuntime, programme: string, month: string): Promise<MonthState> {
  const now = rt.clock.now()
  if (!isOpenMonth(month, now))
    return month === addMonths(monthOf(now), -2) ? stateOfLateMonth(rt, programme, month) : 'settled'
  return (await isClosedMonth(rt.db, programme, month)) ? 'closed' : 'open'
}

/** A month that was begun so late that it ends in the month after the next (`lateStart`), and is put right until that is over. */
async function stateOfLateMonth(rt: DomainRuntime, programme: string, month: string): Promise<MonthState> {
  if ((await monthStartOf(rt.db, programme, month)) === null) return 'settled'
  const closedAt = (await closingsOf(rt.db, programme, [month])).get(month)
  if (closedAt === undefined) return 'open'
  return monthOf(closedAt) === monthOf(rt.clock.now()) ? 'closed' : 'settled'
}

/** The programmes whose months are reported. */
export function reportingProgrammes(rt: DomainRuntime): string[] {
  return rt.templates.programmes.filter(each => each.messageCategories).map(each => each.id)
}
