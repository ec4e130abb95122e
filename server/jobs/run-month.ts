import { beginMonth, closeMonth, closingsOf, monthStartOf } from '../../db/queries/months.ts'
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
 * left. A month that is begun late, because the service stood still, has all its days later by as much (`lateStart`): it may
 * end in the month after the next. Nothing happens in the quiet hours.
 */
export async function runMonth(rt: Runtime, signal?: AbortSignal): Promise<void> {
  const now = rt.clock.now()
  if (afterQuiet(noticeRules.quiet, now) > now) return
  const last = addMonths(monthOf(now), -1)
  for (const month of [addMonths(last, -1), last]) {
    if (now < draftAt(month)) continue
    let isClosed = false
    for (const programme of reportingProgrammes(rt))
      if (await runProgramme(rt, programme, month, { isLast: month === last }, signal)) isClosed = true
    if (isClosed) await sendMonthlyReports(rt, signal, month)
  }
}

/** @returns whether the month is closed, and its sheets are to be sent now */
async function runProgramme(
  rt: Runtime,
  programme: string,
  month: string,
  { isLast }: { isLast: boolean },
  signal?: AbortSignal,
): Promise<boolean> {
  const now = rt.clock.now()
  const closedAt = (await closingsOf(rt.db, programme, [month])).get(month)
  if (closedAt !== undefined) return isLast || monthOf(closedAt) === monthOf(now)
  // one before the last goes on when it was begun, and is not begun any more
  const begunAt = isLast
    ? await inTransaction(rt, tx => beginMonth(tx.db, programme, month, tx.clock.now()))
    : await monthStartOf(rt.db, programme, month)
  if (begunAt === null) return false
  const lateBy = lateByOf(month, begunAt)
  if (now >= closeAt(month, lateBy)) {
    await inTransaction(rt, tx => closeMonth(tx.db, programme, month, tx.clock.now()))
    return true
  }
  await askOwners(rt, programme, month, signal)
  if (now >= remindAt(month, lateBy)) await remindOwners(rt, programme, month, signal)
  await askUnits(rt, programme, month, signal)
  await remindUnits(rt, programme, month, signal)
  return false
}
