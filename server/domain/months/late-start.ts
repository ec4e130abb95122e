import { monthStartOf } from '../../../db/queries/months.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { lateByOf } from './rules.ts'

/** By how many days the days of a programme's month move because it was begun late. */
export async function lateBy(rt: DomainRuntime, programme: string, month: string): Promise<number> {
  return lateByOf(month, await monthStartOf(rt.db, programme, month))
}
