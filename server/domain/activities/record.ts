import { appendAudit } from '../../../db/queries/platform.ts'
import { insertActivity } from '../../../db/queries/records.ts'
import { unitById } from '../../../db/queries/units.ts'
import { dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { monthState } from '../months/state.ts'
import { isOpenDay } from './open-month.ts'
import { MAX_HEADS } from './settle.ts'

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
 * @throws DomainError `activity.day` for a day to come or in a month that is settled, `activity.heads`, `record.closed`
 */
export async function recordActivity(
  rt: DomainRuntime,
  actor: KnownActor,
  input: ActivityInput,
): Promise<number> {
  const now = rt.clock.now()
  if (input.heldOn > dayOf(now)) throw new DomainError('activity.day', '活动日期还没到，请办完后再登记。')
  if (!isOpenDay(input.heldOn, now)) throw new DomainError('activity.day', '只能登记本月和上月办过的活动。')
  if (input.heads !== null && (input.heads < 1 || input.heads > MAX_HEADS))
    throw new DomainError('activity.heads', '参加人数不对，请重新填写。')
  const month = input.heldOn.slice(0, 7)
  return inTransaction(rt, async tx => {
    const unit = await unitById(tx.db, input.unitId)
    if (unit && (await monthState(tx, unit.programme, month)) !== 'open')
      throw new DomainError('record.closed', `${month} 的报表已经定了，不能再登记那个月的活动。`)
    const id = await insertActivity(tx.db, {
      ...input,
      month,
      reportedBy: actor.person.id,
      createdAt: now,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'activity.held',
      subjectKind: 'activity',
      subjectId: id,
      details: { day: input.heldOn, heads: input.heads },
    })
    return id
  })
}
