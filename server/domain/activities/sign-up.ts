import {
  type ActivityInUnit,
  activityById,
  attendanceOf,
  insertSignUp,
  lockActivity,
  signUpOf,
  updateSignUp,
} from '../../../db/queries/activities.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { recordRules } from '../messages/record-rules.ts'

/** Whoever takes part: an account, and the person behind it where it is bound. */
export interface Participant {
  identityId: number
  personId: number | null
}

export const HOUR_MS = 3600_000

/** What came of it, or why nothing did: a result and no error, so that the count of tries stays. */
export type SignUpResult = { activity: ActivityInUnit; signedUp: number } | { refused: string }

/** Puts somebody on the list of an announced activity; twice is once. */
export function signUp(rt: DomainRuntime, who: Participant, activityId: number): Promise<SignUpResult> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const found = await openActivity(tx, who, activityId)
    if ('refused' in found) return found
    const { activity } = found
    const before = await signUpOf(tx.db, activityId, who)
    if (!before)
      await insertSignUp(tx.db, {
        activityId,
        identityId: who.identityId,
        personId: who.personId,
        signedUpAt: now,
      })
    else if (before.signedUpAt === null || before.withdrawnAt !== null)
      await updateSignUp(tx.db, before.id, {
        signedUpAt: now,
        withdrawnAt: null,
        personId: before.personId ?? who.personId,
      })
    if (!before || before.withdrawnAt !== null) await note(tx, who, 'activity.signed_up', activityId)
    return { activity, signedUp: (await attendanceOf(tx.db, activityId)).signedUp }
  })
}

/** Takes it back; who had not signed up is told so. */
export function withdrawSignUp(
  rt: DomainRuntime,
  who: Participant,
  activityId: number,
): Promise<SignUpResult> {
  return inTransaction(rt, async tx => {
    const found = await openActivity(tx, who, activityId)
    if ('refused' in found) return found
    const before = await signUpOf(tx.db, activityId, who)
    if (!before || before.signedUpAt === null || before.withdrawnAt !== null)
      return { refused: `您没有报名活动 ${activityId}，不用取消。` }
    await updateSignUp(tx.db, before.id, { withdrawnAt: tx.clock.now() })
    await note(tx, who, 'activity.withdrawn', activityId)
    return { activity: found.activity, signedUp: (await attendanceOf(tx.db, activityId)).signedUp }
  })
}

/** An activity that people can still sign up for, held until the transaction ends. */
async function openActivity(
  tx: DomainRuntime,
  who: Participant,
  activityId: number,
): Promise<{ activity: ActivityInUnit } | { refused: string }> {
  const activity = await lockActivity(tx.db, activityId)
  if (!activity) {
    const tries = await countAttempt(tx.db, `activity:${who.identityId}`, tx.clock.now(), HOUR_MS)
    return {
      refused:
        tries > recordRules.activities.wrongCodes.value
          ? '试的次数太多了，请一小时后再试，或问群主活动编号。'
          : `没有编号是 ${activityId} 的活动，请核对群里的预告。`,
    }
  }
  if (activity.status === 'cancelled') return { refused: `活动 ${activityId} 已经取消了。` }
  if (activity.status !== 'announced') return { refused: `活动 ${activityId} 已经办完了。` }
  if (activity.startsAt !== null && activity.startsAt <= tx.clock.now())
    return { refused: `活动 ${activityId} 已经开始，不能再报名、取消了。到了现场请按现场的签到码签到。` }
  return { activity }
}

async function note(tx: DomainRuntime, who: Participant, action: string, activityId: number): Promise<void> {
  await appendAudit(tx.db, {
    at: tx.clock.now(),
    actorId: who.personId,
    action,
    subjectKind: 'activity',
    subjectId: activityId,
    details: {},
  })
}

/** How somebody stands with an activity, for its page; null: there is no such activity to be shown. */
export async function ownSignUp(rt: DomainRuntime, who: Participant, activityId: number) {
  const activity = await activityById(rt.db, activityId)
  if (!activity || activity.startsAt === null) return null
  const mine = await signUpOf(rt.db, activityId, who)
  const isOpen = activity.status === 'announced' && activity.startsAt > rt.clock.now()
  const isIn = mine !== null && mine.signedUpAt !== null && mine.withdrawnAt === null
  return {
    activity: { ...activity, startsAt: activity.startsAt },
    isOpen,
    isIn,
    hasCome: mine?.checkedInAt != null,
  }
}
