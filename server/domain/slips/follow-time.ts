import { lockSlip, overdueOffices, takeDueSlips, updateSlip } from '../../../db/queries/slips.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { answerersFor } from '../groups/managers.ts'
import { sendToPerson, sendToPersons } from '../outgoing/enqueue.ts'
import { moveUp } from './deal.ts'
import { slipRules } from './rules.ts'
import { HOUR_MS } from './send-up.ts'
import { tellOffice } from './tell.ts'

const AT_ONCE = 100
/** Where there is nobody above, the office itself is asked again after so long. */
const AGAIN_MS = 24 * HOUR_MS

/** Slips whose time for an answer is over go a level up; at the top the office is asked again. @returns how many */
export async function raiseDueSlips(rt: DomainRuntime): Promise<number> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const ids = await takeDueSlips(tx.db, now, AT_ONCE)
    for (const id of ids) {
      const slip = await lockSlip(tx.db, id)
      if (!slip || (await moveUp(tx, slip, null))) continue
      await updateSlip(tx.db, id, { dueAt: new Date(now.getTime() + AGAIN_MS) })
      await tellOffice(tx, id, slip.officeId, 'late')
      await sendToPerson(
        tx,
        slip.reporterId,
        'decision',
        `【上报 ${id}】${slip.officeName}还没有答复，已再次催办。`,
      )
    }
    return ids.length
  })
}

/**
 * Once a week each level hears how many slips below it wait for too long: of offices, with numbers and ages only.
 * @returns how many persons were told
 */
export async function tellOverdueSlips(rt: DomainRuntime): Promise<number> {
  const { days } = slipRules.overdue
  const now = rt.clock.now()
  return inTransaction(rt, async tx => {
    const rows = await overdueOffices(tx.db, new Date(now.getTime() - days * 24 * HOUR_MS))
    const byAbove = Map.groupBy(rows, row => row.aboveId)
    const answerers = await answerersFor(tx, [...byAbove.keys()])
    const messages = [...byAbove].flatMap(([aboveId, offices]) => {
      const lines = offices.slice(0, 10).map(({ officeName, count, oldestAt }) => {
        const age = Math.floor((now.getTime() - oldestAt.getTime()) / (24 * HOUR_MS))
        return `· ${officeName}：${count} 件，最久 ${age} 天`
      })
      const more = offices.length > lines.length ? [`……共 ${offices.length} 个单位`] : []
      const text = [
        `【上报周报】下级超过 ${days} 天没有办结的上报（只有件数，内容由办理的单位和本人可见）：`,
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
