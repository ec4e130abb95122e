import { insertActivity } from '../../../db/queries/records.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { isOpenDay } from './open-month.ts'

export interface ActivityInput {
  unitId: number
  groupId: number | null
  /** A figure of the tracking sheet, such as `activities.skillsTraining`. */
  kind: string
  /** `YYYY-MM-DD` */
  heldOn: string
  heads: number | null
  place: string | null
  updateId: number
}

/**
 * Records an offline activity (线下活动开展情况, 榆林团市委 2014 附件3). It counts in the month it was held.
 * @throws DomainError `activity.day` for a day to come or in a month that is settled, `activity.heads`
 */
export async function recordActivity(
  rt: DomainRuntime,
  actor: KnownActor,
  input: ActivityInput,
): Promise<number> {
  const now = rt.clock.now()
  if (input.heldOn > dayOf(now)) throw new DomainError('activity.day', '活动日期还没到，请办完后再登记。')
  if (!isOpenDay(input.heldOn, now)) throw new DomainError('activity.day', '只能登记本月和上月办过的活动。')
  if (input.heads !== null && (input.heads < 1 || input.heads > 100_000))
    throw new DomainError('activity.heads', '参加人数不对，请重新填写。')
  return insertActivity(rt.db, {
    ...input,
    month: input.heldOn.slice(0, 7),
    reportedBy: actor.person.id,
    createdAt: now,
  })
}
