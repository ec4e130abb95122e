import { isClosedMonth } from '../../../db/queries/months.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { isOpenMonth } from '../activities/open-month.ts'

/**
 * What may be done in a month of a programme: `open` for everybody who has the say; `closed`: who manages the unit may put
 * right what is wrong, with a reason (`noteLateChange`); `settled`: older than that, it stands.
 */
export type MonthState = 'open' | 'closed' | 'settled'

export async function monthState(rt: DomainRuntime, programme: string, month: string): Promise<MonthState> {
  if (!isOpenMonth(month, rt.clock.now())) return 'settled'
  return (await isClosedMonth(rt.db, programme, month)) ? 'closed' : 'open'
}

/** The programmes whose months are reported. */
export function reportingProgrammes(rt: DomainRuntime): string[] {
  return rt.templates.programmes.filter(each => each.messageCategories).map(each => each.id)
}
