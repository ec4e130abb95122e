import { beginMonth, closeMonth, isClosedMonth } from '../../db/queries/months.ts'
import { addMonths, monthOf } from '../clock.ts'
import { askOwners, remindOwners } from '../domain/months/ask-owners.ts'
import { askUnits, remindUnits } from '../domain/months/ask-units.ts'
import { closeAt, draftAt, lateByOf, remindAt } from '../domain/months/rules.ts'
import { reportingProgrammes } from '../domain/months/state.ts'
import { noticeRules } from '../domain/notices/rules.ts'
import { afterQuiet } from '../domain/notices/timing.ts'
import { inTransaction, type Runtime } from '../runtime.ts'
import { sendMonthlyReports } from './monthly-reports.ts'

/**
 * Runs the month that is over (`templates/policies/months.json`): lays it before owners and units, reminds them, closes it,
 * and sends the sheets. Everything that has happened stands in rows, so whoever runs it again, or a day late, does what is
 * left. A month that is begun late, because the service stood still, has all its days later by as much (`lateStart`).
 * Nothing happens in the quiet hours.
 */
export async function runMonth(rt: Runtime, signal?: AbortSignal): Promise<void> {
  const now = rt.clock.now()
  if (afterQuiet(noticeRules.quiet, now) > now) return
  const month = addMonths(monthOf(now), -1)
  if (now < draftAt(month)) return
  let isClosed = false
  for (const programme of reportingProgrammes(rt)) {
    if (await isClosedMonth(rt.db, programme, month)) {
      isClosed = true
      continue
    }
    const begunAt = await inTransaction(rt, tx => beginMonth(tx.db, programme, month, tx.clock.now()))
    const lateBy = lateByOf(month, begunAt)
    if (now >= closeAt(month, lateBy)) {
      await inTransaction(rt, tx => closeMonth(tx.db, programme, month, tx.clock.now()))
      isClosed = true
      continue
    }
    await askOwners(rt, programme, month, signal)
    if (now >= remindAt(month, lateBy)) await remindOwners(rt, programme, month, signal)
    await askUnits(rt, programme, month, signal)
    await remindUnits(rt, programme, month, signal)
  }
  if (isClosed) await sendMonthlyReports(rt, signal)
}
