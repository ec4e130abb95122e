import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { candidatesAmong } from './find-candidates.ts'
import { serviceState } from './service.ts'

/** The person's rows of the roster as they bear on a group, to be held against those of another day. */
export async function termsOf(rt: DomainRuntime, group: GroupWithUnit, personId: number): Promise<string> {
  const rows = await candidatesAmong(rt, group, [personId])
  return JSON.stringify(
    rows.map(({ id, status, startsOn, endsOn, inScope }) => [id, status, startsOn, endsOn, inScope]),
  )
}

/** Whether the roster has the person as one of those whom the group is for, today. */
export async function isStillFor(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personId: number,
): Promise<boolean> {
  const today = dayOf(rt.clock.now())
  const rows = await candidatesAmong(rt, group, [personId])
  return rows.some(row => row.inScope && serviceState(row, today) === 'active')
}
