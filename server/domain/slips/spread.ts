import { appendAudit } from '../../../db/queries/platform.ts'
import { insertSlipStep, lockSlip, stepsOfSlip } from '../../../db/queries/slips.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { classifyMessage } from '../messages/classify.ts'
import { shippedClassifier } from '../messages/shipped.ts'
import { saveDraft } from '../notices/drafts.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { isForActor } from './offices.ts'

/**
 * A practice that an office finds worth sharing becomes the draft of a notice to all groups below it, with its source
 * (中少办发〔2017〕4号 一 最鲜活的做法能够及时反映、充分交流). Who wrote it is named when they asked for it. The office still
 * reads it over, and sends it like any notice; once.
 * @returns the draft's number
 * @throws DomainError `slip.unknown`, `slip.not_practice`, `slip.spread`, and as `saveDraft`
 */
export function spreadPractice(rt: DomainRuntime, actor: KnownActor, slipId: number): Promise<number> {
  return inTransaction(rt, async tx => {
    const slip = await lockSlip(tx.db, slipId)
    if (!slip || !isForActor(tx, actor, slip))
      throw new DomainError('slip.unknown', `没有编号是 ${slipId} 的上报，或不归您办。`)
    if (slip.kind !== 'practice') throw new DomainError('slip.not_practice', '只有“经验做法”可以推广。')
    if ((await stepsOfSlip(tx.db, slipId)).some(step => step.kind === 'spread'))
      throw new DomainError('slip.spread', `上报 ${slipId} 已经写成过通知，请看通知草稿。`)
    const text = tx.vault.open(slip.bodySealed)
    const isNamed = slip.isSigned && !slip.isAnonymous
    const source = isNamed ? `${slip.unitName} ${slip.reporterName}` : slip.unitName
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
    await appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'slip.spread',
      subjectKind: 'slip',
      subjectId: slipId,
      details: { draftId },
    })
    await sendToPerson(
      tx,
      slip.reporterId,
      'decision',
      `【上报 ${slipId}】${slip.officeName}觉得您写的做法值得推广，正在准备发给各群（${isNamed ? '写上您的名字' : '不写您的名字'}）。`,
    )
    return draftId
  })
}
