import { describeError } from '../../db/errors.ts'
import { updateJoinPass } from '../../db/queries/groups.ts'
import { waysToDelete } from '../../db/queries/join-passes.ts'
import { ChannelError } from '../channels/errors.ts'
import { lookAfterRequests } from '../domain/join-requests/look-after.ts'
import { MustWait, takePlace } from '../limits.ts'
import type { Runtime } from '../runtime.ts'

const DELETE_JOIN_WAY = '/cgi-bin/externalcontact/groupchat/del_join_way'
/** Join ways deleted in one run; the rest at the next. */
const AT_ONCE = 200

/** Everything about join requests that happens by itself. @returns how much was done */
export async function runRequests(rt: Runtime): Promise<number> {
  let count = 0
  try {
    count += await lookAfterRequests(rt)
  } finally {
    // a way that lets nobody in goes, whatever else went wrong
    count += await deleteEndedWays(rt)
  }
  return count
}

/**
 * Deletes join ways that let nobody in any more: used, past their time, or of an approval that was taken back. What should
 * go stands in the rows, so a crash on the way only means that it is asked for again; the corp has 500,000 in all.
 */
export async function deleteEndedWays(rt: Runtime): Promise<number> {
  const { wecom } = rt.channels
  if (!wecom) return 0
  let count = 0
  for (const { id, configId } of await waysToDelete(rt.db, AT_ONCE)) {
    try {
      await takePlace(rt, { to: 'wecom-api', path: DELETE_JOIN_WAY })
      await wecom.deleteJoinWay(configId as string)
    } catch (error) {
      if (error instanceof MustWait) return count
      // one that the platform knows no more is gone; anything else is tried again at the next run
      if (!(error instanceof ChannelError) || error.retryable || error.mayBeRepaired) {
        rt.log.warn(describeError(error), 'a join way could not be deleted')
        return count
      }
    }
    await updateJoinPass(rt.db, id, { configId: null })
    count++
  }
  return count
}
