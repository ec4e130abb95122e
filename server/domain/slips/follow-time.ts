import {
  beginSlipRound,
  dueSlips,
  lockSlip,
  overdueOffices,
  type SlipRow,
  stepsOfSlip,
  updateSlip,
} from '../../../db/queries/slips.ts'
import { addDays, dayOf, shanghaiMoment } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPerson, sendToPersons } from '../outgoing/enqueue.ts'
import { moveUp, note } from './deal.ts'
import { slipRules } from './rules.ts'
import { tellOffice } from './tell.ts'
import { HOUR_MS, wakingMoment } from './timing.ts'

const AT_ONCE = 100
const DAY_MS = 24 * HOUR_MS

/**
 * Slips whose time for an answer is over go a level up; at the top the office is asked again. Each in a transaction of its
 * own: one that fails is logged, tried at the next run, and stops no other.
 * @returns how many
 */
export async function raiseDueSlips(rt: DomainRuntime): Promise<number> {
  const failed: number[] = []
  let raised = 0
  for (;;) {
    const ids = await dueSlips(rt.db, rt.clock.now(), failed, AT_ONCE)
    if (ids.length === 0) return raised
    for (const id of ids)
      try {
        if (await inTransaction(rt, tx => raiseOne(tx, id))) raised += 1
      } catch (error) {
        failed.push(id)
        const name = error instanceof Error ? error.name : typeof error
        rt.log.error({ slipId: id, error: name }, 'a slip could not go up')
      }
  }
}

/** @returns false when it waits for the morning, or another process had it */
async function raiseOne(rt: DomainRuntime, id: number): Promise<boolean> {
  const now = rt.clock.now()
  const slip = await lockSlip(rt.db, id)
  if (!slip?.dueAt || slip.dueAt > now) return false
  const morning = wakingMoment(slip.kind, now)
  if (morning > now) {
    await updateSlip(rt.db, id, { dueAt: morning })
    return false
  }
  if (!(await moveUp(rt, slip, null, `${slip.officeName}到时没有答复`))) await askAgain(rt, slip)
  return true
}

/** There is nobody above: the office is asked again, ever more seldom, and the reporter hears of it the first time. */
async function askAgain(rt: DomainRuntime, slip: SlipRow): Promise<void> {
  const steps = await stepsOfSlip(rt.db, slip.id)
  const times = steps.length - 1 - steps.findLastIndex(step => step.kind !== 'late')
  const { days } = slipRules.again
  const wait = days[Math.min(times, days.length - 1)] as number
  await note(rt, slip, { kind: 'late', actorId: null })
  await updateSlip(rt.db, slip.id, {
    dueAt: wakingMoment(slip.kind, new Date(rt.clock.now().getTime() + wait * DAY_MS)),
  })
  const told = await tellOffice(rt, slip.id, 'late')
  if (times > 0) return
  const words =
    told > 0
      ? `${slip.officeName}还没有答复，已再次催办，以后会接着催；不再逐次告诉您。`
      : `${slip.officeName}已没有负责同志，上面也没有，请直接向团组织反映。`
  await sendToPerson(rt, slip.reporterId, 'decision', `【上报 ${slip.id}】${words}`)
}

/**
 * Once a week each level hears how many slips below it wait for too long: of offices, with numbers and ages only, as it
 * stood when the week ended (midnight in Shanghai). Looked at every day, so that a day without the server is made up for.
 * @returns how many persons were told
 */
export async function tellOverdueSlips(rt: DomainRuntime): Promise<number> {
  const { days, weekday } = slipRules.overdue
  const now = rt.clock.now()
  return inTransaction(rt, async tx => {
    const begins = lastWeekday(dayOf(now), weekday)
    if (!(await beginSlipRound(tx.db, begins, now))) return 0
    const ended = shanghaiMoment(begins)
    const rows = await overdueOffices(tx.db, { at: ended, over: new Date(ended.getTime() - days * DAY_MS) })
    const byAbove = Map.groupBy(rows, row => row.aboveId)
    const answerers = await answerersFor(tx, [...byAbove.keys()])
    const messages = [...byAbove].flatMap(([aboveId, offices]) => {
      const lines = offices.slice(0, 10).map(({ officeName, count, oldestAt }) => {
        const age = Math.floor((ended.getTime() - oldestAt.getTime()) / DAY_MS)
        return `· ${officeName}：${count} 件，最久 ${age} 天`
      })
      const more = offices.length > lines.length ? [`……共 ${offices.length} 个单位`] : []
      const text = [
        `【上报周报】到${weekEndWords(begins)}，下级超过 ${days} 天没有办结的上报（只有件数，内容由办理的单位和本人可见）：`,
        ...lines,
        ...more,
        '请督促答复。',
      ].join('\n')
      return (answerers.get(aboveId) ?? []).map(personId => ({ personId, text }))
    })
    await sendToPersons(tx, messages, 'report')
    return messages.length
  })
}

/** `2026-09-14`, with which a week begins: the one before ended on 9月13日. */
function weekEndWords(begins: string): string {
  const last = addDays(begins, -1)
  return `${Number(last.slice(5, 7))}月${Number(last.slice(8, 10))}日`
}

/** The last day up to this one that was such a weekday. @param weekday 1 is Monday, 7 Sunday */
function lastWeekday(day: string, weekday: number): string {
  const today = new Date(`${day}T00:00:00Z`).getUTCDay()
  return addDays(day, -((today - weekday + 7) % 7))
}
