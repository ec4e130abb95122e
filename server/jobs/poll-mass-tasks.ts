import { describeError } from '../../db/errors.ts'
import { identitiesOf } from '../../db/queries/identities.ts'
import { openMassTasks } from '../../db/queries/notices.ts'
import { noteMassConfirmed } from '../domain/notices/settle.ts'
import { MustWait, takePlace } from '../limits.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

const SEND_RESULT = '/cgi-bin/externalcontact/get_groupmsg_send_result'
/** A task can be confirmed for as long as the platform keeps it; after a week nobody does. */
const MAX_AGE_MS = 7 * 86_400_000

/** Asks the platform which mass tasks their owners have confirmed: it tells nobody by itself. Returns new receipts. */
export async function pollMassTasks(rt: Runtime): Promise<number> {
  const { wecom } = rt.channels
  if (!wecom) return 0
  let count = 0
  for (const task of await openMassTasks(rt.db, new Date(rt.clock.now().getTime() - MAX_AGE_MS))) {
    const owner = (await identitiesOf(rt.db, task.personId as number)).find(
      account => account.channel === 'wecom',
    )
    if (!owner || !task.platformId) continue
    try {
      await takePlace(rt, { to: 'wecom-api', path: SEND_RESULT })
      const confirmed = await wecom.readMassTask(task.platformId, owner.address)
      if (confirmed.length > 0) count += await inTransaction(rt, tx => noteMassConfirmed(tx, task, confirmed))
    } catch (error) {
      // the others are asked about at the next run
      if (error instanceof MustWait) return count
      rt.log.warn({ outgoingId: task.id, ...describeError(error) }, 'a mass task could not be read')
    }
  }
  return count
}
