import { foldNoticeCounts, recountNotices } from '../../db/queries/notice-counts.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/** How far back the daily recount goes: a day, and one more for a server that stood still. */
const RECOUNTED_MS = 2 * 86_400_000

/** Folds what has changed in the deliveries into the counters of their notices. */
export function countNotices(rt: Runtime): Promise<number> {
  return inTransaction(rt, tx => foldNoticeCounts(tx.db))
}

/** Counts once more, from the deliveries, the notices whose time was over lately. */
export function recountEnded(rt: Runtime): Promise<void> {
  const now = rt.clock.now()
  return inTransaction(rt, tx => recountNotices(tx.db, new Date(now.getTime() - RECOUNTED_MS), now))
}
