import { foldRecordCounts } from '../../db/queries/record-counts.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

/** Changes in one transaction: a fraction of a second. */
const PORTION = 20_000

/** Adds up what has been recorded since, portion after portion. @returns how many changes were folded in */
export async function foldCounts(rt: Runtime, signal?: AbortSignal): Promise<number> {
  let folded = 0
  for (let more = 1; more > 0 && !signal?.aborted; folded += more)
    more = await inTransaction(rt, tx => foldRecordCounts(tx.db, PORTION))
  return folded
}
