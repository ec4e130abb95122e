import {
  closeHandOver,
  type HandOverRow,
  handOverById,
  handOverItemById,
  itemsOfHandOver,
  tickItem,
} from '../../../db/queries/hand-overs.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'

export interface Ticked {
  handOver: HandOverRow
  /** Items by hand that are still open. */
  left: number
  /** false: it was ticked off before. */
  isNew: boolean
}

/** Whether somebody may see a hand-over and tick its items off: who takes over, and who runs the unit. */
export function mayTick(
  rt: Pick<DomainRuntime, 'templates'>,
  actor: KnownActor,
  handOver: HandOverRow,
): boolean {
  return handOver.toId === actor.person.id || managesUnit(rt.templates, actor, handOver.unitPath)
}

/**
 * An item of the checklist is done, by the word of who takes over. The hand-over is closed with the last one.
 * @throws DomainError `hand_over.unknown`, also for one that is none of the actor's
 */
export function tick(rt: DomainRuntime, actor: KnownActor, itemId: number): Promise<Ticked> {
  return inTransaction(rt, async tx => {
    const item = await handOverItemById(tx.db, itemId)
    const handOver = item && (await handOverById(tx.db, item.handOverId))
    if (!item?.isByHand || !handOver || !mayTick(tx, actor, handOver))
      throw new DomainError('hand_over.unknown', '没有这一项。发送“交接”可以看到清单和编号。')
    const isNew = await tickItem(tx.db, itemId, actor.person.id, tx.clock.now())
    if (isNew)
      await appendAudit(tx.db, {
        at: tx.clock.now(),
        actorId: actor.person.id,
        action: 'hand_over.item_done',
        subjectKind: 'person',
        subjectId: handOver.fromId,
        details: { handOver: handOver.id, item: item.kind, groupId: item.groupId },
      })
    const left = await closeIfDone(tx, handOver.id)
    return { handOver, left, isNew }
  })
}

/** Closes a hand-over when nothing of it is open. @returns how many items are */
export async function closeIfDone(rt: DomainRuntime, handOverId: number): Promise<number> {
  const left = (await itemsOfHandOver(rt.db, handOverId)).filter(
    item => item.isByHand && item.doneAt === null,
  ).length
  if (left > 0 || !(await closeHandOver(rt.db, handOverId, rt.clock.now()))) return left
  const handOver = (await handOverById(rt.db, handOverId)) as HandOverRow
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: null,
    action: 'hand_over.closed',
    subjectKind: 'person',
    subjectId: handOver.fromId,
    details: { handOver: handOver.id },
  })
  if (handOver.startedBy !== null && handOver.startedBy !== handOver.toId)
    await sendToPerson(
      rt,
      handOver.startedBy,
      'decision',
      `【交接办完】${handOver.unitName}${handOver.fromName}的工作已由${handOver.toName ?? ''}接手，清单都办好了。`,
    )
  return 0
}
