import { insertCascade } from '../../../db/queries/cascade.ts'
import { settleFollowed, unfollowed } from '../../../db/queries/notice-changes.ts'
import { noticeById } from '../../../db/queries/notices.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { recalledText } from './change-words.ts'
import { importanceRule, noticeRules } from './rules.ts'
import { nextWakingMoment } from './timing.ts'

/**
 * Those whom a message has reached after all, because it was in flight or could not be taken back, get the correction or
 * withdrawal as well; whoever has it already does not get it twice.
 * @returns how many groups were added
 */
export async function followTakeBacks(rt: DomainRuntime): Promise<number> {
  let added = 0
  for (const { noticeId, aboutId, unitPath, importance, firstStepAt, outgoingIds } of await unfollowed(rt.db))
    added += await inTransaction(rt, async tx => {
      const now = tx.clock.now()
      const startsAt = wakingMoment(tx, importance)
      const { groups } = await insertCascade(
        tx.db,
        { id: noticeId, unitPath, audience: { gotNotice: aboutId }, isAgain: true },
        // somebody who is asked late is not chased in the same breath
        { now, startsAt, firstStepAt: firstStepAt && firstStepAt > startsAt ? firstStepAt : null },
      )
      await settleFollowed(tx.db, noticeId, outgoingIds, now)
      return groups
    })
  return added
}

/**
 * An owner whose request was taken back before they relayed it is told so, in one line: a copy in the WeChat plugin stays.
 * Nobody is woken for it unless the withdrawal is urgent.
 */
export async function tellRecalled(
  rt: DomainRuntime,
  { aboutId, personId, importance }: { aboutId: number; personId: number | null; importance: string },
): Promise<void> {
  const original = await noticeById(rt.db, aboutId)
  if (!original || personId === null) return
  const text = recalledText(original, original.unitName)
  await sendToPersons(rt, [{ personId, text }], 'notice', wakingMoment(rt, importance))
}

function wakingMoment(rt: DomainRuntime, importance: string): Date {
  return nextWakingMoment(noticeRules, importanceRule(importance), rt.clock.now())
}
