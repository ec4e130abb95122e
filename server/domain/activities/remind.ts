import {
  type ActivityInUnit,
  type Attendance,
  activitiesWithAttendance,
  activityById,
  takeToRemind,
  takeToSettle,
} from '../../../db/queries/activities.ts'
import { addDays, chineseMoment, dayOf, shanghaiMoment, timeOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { recordRules } from '../messages/record-rules.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import type { ActionCard } from '../outgoing/card.ts'
import { sendCards } from '../outgoing/enqueue.ts'
import { tellPeople } from './settle.ts'
import { activityLine } from './words.ts'

/** Announcers asked in one transaction. */
const PORTION = 100

/**
 * On the evening before, reminds those who signed up for tomorrow's activities; not at night, and each activity once.
 * @returns how many activities
 */
export async function remindOfActivities(rt: DomainRuntime): Promise<number> {
  const now = rt.clock.now()
  if (timeOf(now) < recordRules.activities.remindFrom.value || afterQuiet(noticeRules.quiet, now) > now)
    return 0
  const until = shanghaiMoment(addDays(dayOf(now), 2))
  let count = 0
  while (
    await inTransaction(rt, async tx => {
      const id = await takeToRemind(tx.db, now, until, now)
      const activity = id === null ? null : await activityById(tx.db, id)
      if (!activity) return false
      await tellPeople(tx, activity.id, reminder(tx, activity))
      return true
    })
  )
    count++
  return count
}

function reminder(tx: DomainRuntime, activity: ActivityInUnit): string {
  const day = activity.startsAt === null ? '' : `${chineseMoment(activity.startsAt)}，`
  return `【活动提醒】${day}您报名的${activityLine(tx.templates, activity)}就要开始了（${activity.unitName}发起）。去不了请回复：取消报名 ${activity.id}，好让出位子。到了现场请按签到码签到。`
}

/**
 * From the morning after on, asks announcers whether their activity was held and how many came: only then it counts.
 * @returns how many were asked
 */
export async function askForOutcomes(rt: DomainRuntime): Promise<number> {
  const now = rt.clock.now()
  if (afterQuiet(noticeRules.quiet, now) > now) return 0
  const today = shanghaiMoment(dayOf(now))
  let count = 0
  for (;;) {
    const asked = await inTransaction(rt, async tx => {
      const ids = await takeToSettle(tx.db, today, now, PORTION)
      const ended = await activitiesWithAttendance(tx.db, ids)
      await sendCards(
        tx,
        ended.flatMap(each => (each.reportedBy === null ? [] : [outcomeCard(tx, each, each.reportedBy)])),
        'task',
      )
      return ids.length
    })
    count += asked
    if (asked < PORTION) return count
  }
}

function outcomeCard(
  { templates }: DomainRuntime,
  activity: ActivityInUnit & Attendance,
  personId: number,
): { personId: number; card: ActionCard; text: string } {
  const { id, signedUp, came } = activity
  const line = activityLine(templates, activity)
  const offered = came > 0 ? `办完 ${id} ${came}人` : `办完 ${id} 35人`
  return {
    personId,
    card: {
      about: { kind: 'activity', id },
      title: '活动办了吗？',
      description: line,
      rows: [
        { name: '报名', value: `${signedUp} 人` },
        { name: '签到', value: `${came} 人` },
        { name: '为什么问', value: '您说办完了才计入报表' },
      ],
      buttons: [
        {
          text: came > 0 ? `办了，${came} 人` : '办了',
          isMain: true,
          command: came > 0 ? offered : `办完 ${id}`,
        },
        { text: '没办', command: `没办 ${id}` },
      ],
    },
    text: `【活动办了吗】活动 ${id}：${line}。报名 ${signedUp} 人，签到 ${came} 人。办了请回复：${offered}（人数不同请改；之后 ${recordRules.pictures.minutes.value} 分钟内发来的图片存为照片）；没办请回复：没办 ${id}。您说办完了才计入报表。`,
  }
}
