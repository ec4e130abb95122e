import { giveSchedule } from '../../../db/queries/work-schedule.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { draftUrl, settleApprovals } from '../notices/approval.ts'
import { submitDraft } from '../notices/drafts.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'

/**
 * Makes a schedule somebody's, with what those have left behind who have gone. What has to be looked at again is submitted
 * at once; where that cannot be, its new author is told why.
 */
export async function takeSchedule(rt: DomainRuntime, actor: KnownActor, scheduleId: number): Promise<void> {
  const now = rt.clock.now()
  const { id: personId } = actor.person
  const undone = await giveSchedule(rt.db, scheduleId, {
    personId,
    managing: managingPairs(rt.templates),
    now,
  })
  for (const draftId of undone) {
    await settleApprovals(rt, draftId, '写的同志已不负责，由接手的同志重新提交')
    try {
      // a rule that says no takes back what was begun, and no more
      await inTransaction(rt, tx => submitDraft(tx, actor, draftId))
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      const text = `转给您的通知草稿 ${draftId} 还要重新提交：${error.message.replace(/。$/, '')}。请打开看看：${draftUrl(rt, draftId)}`
      await sendToPersons(rt, [{ personId, text }], 'task', afterQuiet(noticeRules.quiet, now))
    }
  }
}
