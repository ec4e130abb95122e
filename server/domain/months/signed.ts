import { unitMonthOf } from '../../../db/queries/months.ts'
import type { DomainRuntime } from '../../runtime.ts'

export async function isSigned(rt: DomainRuntime, unitId: number, month: string): Promise<boolean> {
  return (await unitMonthOf(rt.db, unitId, month))?.signedAt != null
}
