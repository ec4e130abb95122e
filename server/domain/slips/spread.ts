import { insertSlipStep, lockSlip } from '../../../db/queries/slips.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, runsVeryUnit } from '../actor.ts'
import { classifyMessage } from '../messages/classify.ts'
import { shippedClassifier } from '../messages/shipped.ts'
import { saveDraft } from '../notices/drafts.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'

/**
 * A practice that an office finds worth sharing becomes the draft of a notice to all groups below it, with its source
 * (中少办发〔2017〕4号 一 最鲜活的做法能够及时反映、充分交流). Who wants to stay unnamed stays so. The office still reads it
 * over, and sends it like any notice.
 * @returns the draft's number
 * @throws DomainError `slip.unknown`, `slip.not_practice`, and as `saveDraft`
 */
export function spreadPractice(rt: DomainRuntime, actor: KnownActor, slipId: number): Promise<number> {
  return inTransaction(rt, async tx => {
    const slip = await lockSlip(tx.db, slipId)
    if (!slip || !runsVeryUnit(tx.templates, actor, slip.officeId))
      throw new DomainError('slip.unknown', `没有编号是 ${slipId} 的上报，或不归您办。`)
    if (slip.kind !== 'practice') throw new DomainError('slip.not_practice', '只有“经验做法”可以推广。')
    const text = tx.vault.open(slip.bodySealed)
    const source = slip.isAnonymous ? slip.unitName : `${slip.unitName} ${slip.reporterName}`
    const body = `【经验做法】${text}\n（来源：${source}）`
    const draftId = await saveDraft(tx, actor, {
      unitId: slip.officeId,
      content: {
        body,
        category: classifyMessage(shippedClassifier(), text).category,
        importance: 'normal',
        audience: {},
        mode: 'at-once',
        link: null,
        ask: null,
      },
      sendAt: null,
    })
    await insertSlipStep(tx.db, {
      slipId,
      kind: 'spread',
      actorId: actor.person.id,
      officeId: slip.officeId,
      at: tx.clock.now(),
    })
    await sendToPerson(
      tx,
      slip.reporterId,
      'decision',
      `【上报 ${slipId}】${slip.officeName}觉得您写的做法值得推广，正在准备发给各群（${slip.isAnonymous ? '不写您的名字' : '会写明来源'}）。`,
    )
    return draftId
  })
}
