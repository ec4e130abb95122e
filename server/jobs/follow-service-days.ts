import { lastFollowedDay, noteFollowedDay, touchByDay } from '../../db/queries/follow-roster.ts'
import { dayOf, shanghaiMoment } from '../clock.ts'
import { followDayChanges } from '../domain/roster/follow-roster.ts'
import { holdRosters } from '../domain/roster/hold-rosters.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/** Nobody is written to earlier in the day about what a night has changed. */
const MORNING = '08:00'

/**
 * Services that the roster lets begin or end on a day of their own take effect on it (Asia/Shanghai): rights, groups and
 * tasks follow as behind an import. A day is followed once; days that were missed are followed together. It
 * waits for imports, and they for it: both decide from the entries which roles stand.
 * @returns false when today is followed already
 */
export function followServiceDays(rt: Runtime): Promise<boolean> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const today = dayOf(now)
    await holdRosters(tx)
    const since = await lastFollowedDay(tx.db)
    if (!(await noteFollowedDay(tx.db, today, now))) return false
    const morning = shanghaiMoment(today, MORNING)
    await followDayChanges(tx, db => touchByDay(db, since, today), morning > now ? morning : now)
    return true
  })
}
