import {
  type ActivityInUnit,
  activityByCode,
  attendanceOf,
  insertSignUp,
  lockActivity,
  signUpOf,
  updateSignUp,
} from '../../../db/queries/activities.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { chineseMoment, dayOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { recordRules } from '../messages/record-rules.ts'
import { HOUR_MS, type Participant } from './sign-up.ts'

export type CheckIn = { activity: ActivityInUnit; isFirst: boolean; came: number } | { refused: string }

/**
 * Notes that somebody is there, by the code that is shown at the place: from some hours before the activity begins to the
 * end of its day, once, whether or not they had signed up. Guessing is slowed down.
 */
export function checkIn(rt: DomainRuntime, who: Participant, code: string): Promise<CheckIn> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const { checkInHours, wrongCodes } = recordRules.activities
    const tries = await countAttempt(tx.db, `check-in:${who.identityId}`, now, HOUR_MS)
    if (tries > wrongCodes.value) return { refused: '试的次数太多了，请一小时后再试，或请现场的同志登记。' }
    const found = await activityByCode(tx.db, code.trim().toUpperCase())
    const activity = found && (await lockActivity(tx.db, found.id))
    if (activity?.status !== 'announced' || activity.startsAt === null)
      return { refused: '签到码不对，或活动已经结束。请照现场的签到码再输一次。' }
    if (now.getTime() < activity.startsAt.getTime() - checkInHours.value * HOUR_MS)
      return {
        refused: `还没到签到的时候：活动 ${chineseMoment(activity.startsAt)} 开始，前 ${checkInHours.value} 小时起可以签到。`,
      }
    if (dayOf(now) > dayOf(activity.startsAt))
      return { refused: '活动那天已经过了，不能再签到；确实到了的，请告诉发起活动的同志。' }
    const before = await signUpOf(tx.db, activity.id, who)
    const isFirst = !before?.checkedInAt
    if (!before) await insertSignUp(tx.db, { activityId: activity.id, ...who, checkedInAt: now })
    else if (isFirst)
      await updateSignUp(tx.db, before.id, {
        checkedInAt: now,
        personId: before.personId ?? who.personId,
      })
    if (isFirst)
      await appendAudit(tx.db, {
        at: now,
        actorId: who.personId,
        action: 'activity.checked_in',
        subjectKind: 'activity',
        subjectId: activity.id,
        details: {},
      })
    return { activity, isFirst, came: (await attendanceOf(tx.db, activity.id)).came }
  })
}
