import { describeError } from '../../db/errors.ts'
import { dueRollCalls } from '../../db/queries/roll-calls.ts'
import { reconcileAll } from '../domain/groups/reconcile-units.ts'
import { endDueRollCall } from '../domain/groups/roll-call.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/** The nightly reconcile (成员核对); asked for again and again, it goes on where it was stopped and is done once a day. */
export async function reconcileGroups(rt: Runtime, signal?: AbortSignal): Promise<number> {
  const { units, opened, closed, open } = await reconcileAll(rt, signal)
  if (units > 0) rt.log.info({ units, opened, closed, open }, 'the groups were held against the roster')
  return units
}

/** Closes the roll calls whose time is over, each by itself. */
export async function endDueRollCalls(rt: Runtime): Promise<number> {
  const due = await dueRollCalls(rt.db, rt.clock.now(), 100)
  for (const row of due) {
    try {
      await inTransaction(rt, tx => endDueRollCall(tx, row))
    } catch (error) {
      rt.log.warn({ rollCallId: row.id, ...describeError(error) }, 'a roll call could not be closed')
    }
  }
  return due.length
}
