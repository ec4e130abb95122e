import {
  type ActivityInUnit,
  activityById,
  attendanceOf,
  listPeople,
  lockActivity,
  peopleSignedUp,
  settleAnnounced,
} from '../../../db/queries/activities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { addDays, dayOf } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { monthState } from '../months/state.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { settleCards } from '../outgoing/card.ts'
import { sendToIdentities } from '../outgoing/enqueue.ts'
import { activityLine } from './words.ts'

export const MAX_HEADS = 100_000
/** People told in one statement. */
const PORTION = 500

/** An activity that one announced, or of a unit that one runs. @throws DomainError `activity.none` */
async function requireOwnActivity(
  rt: DomainRuntime,
  actor: KnownActor,
  activityId: number,
): Promise<ActivityInUnit> {
  const activity = await activityById(rt.db, activityId)
  const isTheirs =
    activity &&
    (activity.reportedBy === actor.person.id || managesUnit(rt.templates, actor, activity.unitPath))
  if (!isTheirs) throw new DomainError('activity.none', `没有编号是 ${activityId} 的活动，或者不是您发起的。`)
  return activity
}

/**
 * Notes that an announced activity was held: from now on it counts, in the month in which it was.
 * @param how.heads how many were there; null: those who checked in
 * @param how.heldOn `YYYY-MM-DD`; null: the day that was announced
 * @throws DomainError `activity.none`, `activity.settled`, `activity.day`, `activity.heads`, `record.closed`
 */
export async function confirmHeld(
  rt: DomainRuntime,
  actor: KnownActor,
  activityId: number,
  how: { heads: number | null; heldOn: string | null },
): Promise<{ activity: ActivityInUnit; heads: number; heldOn: string }> {
  return inTransaction(rt, async tx => {
    await requireOwnActivity(tx, actor, activityId)
    const activity = (await lockActivity(tx.db, activityId)) as ActivityInUnit
    requireAnnounced(activity)
    const now = tx.clock.now()
    const today = dayOf(now)
    const heldOn = how.heldOn ?? (activity.startsAt ? dayOf(activity.startsAt) : activity.heldOn)
    const isBefore = how.heldOn === null && activity.startsAt !== null && activity.startsAt > now
    if (
      isBefore ||
      heldOn > today ||
      (activity.startsAt !== null && heldOn < addDays(dayOf(activity.startsAt), -31))
    )
      throw new DomainError(
        'activity.day',
        '活动日期还没到，或者不对。办完以后再登记；改了日子请写在后面，如：9月21日。',
      )
    if ((await monthState(tx, activity.programme, heldOn.slice(0, 7))) !== 'open')
      throw new DomainError('record.closed', `${heldOn.slice(0, 7)} 的报表已经定了，不能再登记那个月的活动。`)
    const heads = how.heads ?? (await attendanceOf(tx.db, activityId)).came
    if (heads < 1 || heads > MAX_HEADS)
      throw new DomainError('activity.heads', `请写上参加人数，如：办完 ${activityId} 35人`)
    await settleAnnounced(tx.db, activityId, {
      status: 'held',
      heldOn,
      month: heldOn.slice(0, 7),
      heads,
      confirmedAt: now,
    })
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'activity.held',
      subjectKind: 'activity',
      subjectId: activityId,
      details: { day: heldOn, heads },
    })
    await settleCards(tx, { kind: 'activity', id: activityId }, `已办完，${heads} 人`)
    return { activity, heads, heldOn }
  })
}

/**
 * An announced activity does not take place, or did not; before its time everybody who signed up is told.
 * @returns how many were told
 * @throws DomainError `activity.none`, `activity.settled`
 */
export async function cancelActivity(
  rt: DomainRuntime,
  actor: KnownActor,
  activityId: number,
): Promise<{ activity: ActivityInUnit; told: number }> {
  return inTransaction(rt, async tx => {
    await requireOwnActivity(tx, actor, activityId)
    const activity = (await lockActivity(tx.db, activityId)) as ActivityInUnit
    requireAnnounced(activity)
    const now = tx.clock.now()
    await settleAnnounced(tx.db, activityId, { status: 'cancelled' })
    const { startsAt } = activity
    const told =
      startsAt !== null && startsAt > now
        ? await tellPeople(
            tx,
            activityId,
            `【活动取消】您报名的${activityLine(tx.templates, activity)}不办了，请不要前往。有疑问请问群主。`,
            whenToTell(now, startsAt),
          )
        : 0
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'activity.cancelled',
      subjectKind: 'activity',
      subjectId: activityId,
      details: { told },
    })
    await settleCards(tx, { kind: 'activity', id: activityId }, '没有办')
    return { activity, told }
  })
}

/** Not at night, unless the activity would have begun before anybody reads it. */
function whenToTell(now: Date, startsAt: Date): Date {
  const morning = afterQuiet(noticeRules.quiet, now)
  return morning < startsAt ? morning : now
}

/** Writes to everybody who signed up. @param at not before; absent: now. @returns how many */
export async function tellPeople(
  tx: DomainRuntime,
  activityId: number,
  text: string,
  at = tx.clock.now(),
): Promise<number> {
  let count = 0
  for (let after = 0; ; ) {
    const people = await peopleSignedUp(tx.db, activityId, after, PORTION)
    const last = people.at(-1)
    if (!last) return count
    await sendToIdentities(
      tx,
      people.map(each => ({ identityId: each.identityId, text })),
      'reminder',
      at,
    )
    count += people.length
    after = last.id
  }
}

function requireAnnounced({ id, status }: ActivityInUnit): void {
  if (status === 'held') throw new DomainError('activity.settled', `活动 ${id} 已经登记办完了。`)
  if (status === 'cancelled') throw new DomainError('activity.settled', `活动 ${id} 已经登记没办了。`)
}

/** Who signed up and who came, for the announcer; that it was looked at is noted. */
export async function peopleOfActivity(
  rt: DomainRuntime,
  actor: KnownActor,
  activityId: number,
  most: number,
) {
  const activity = await requireOwnActivity(rt, actor, activityId)
  const [attendance, people] = await Promise.all([
    attendanceOf(rt.db, activityId),
    listPeople(rt.db, activityId, most, 0),
  ])
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'activity.viewed',
    subjectKind: 'activity',
    subjectId: activityId,
    details: attendance as unknown as Record<string, unknown>,
  })
  return { activity, attendance, people }
}
