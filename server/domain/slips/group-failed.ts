import { groupById } from '../../../db/queries/groups.ts'
import { outgoingTexts } from '../../../db/queries/outgoing.ts'
import { lockSlip, slipStepOfMessage } from '../../../db/queries/slips.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { askOwner, note } from './deal.ts'

/**
 * What should have told a group an answer did not arrive: the robot was removed, the owner cannot be reached, or nobody
 * knows. The owner is asked to relay it, unless it was they who could not be reached; whoever answered hears of it and
 * sees it with the slip. In the caller's transaction.
 */
export async function followFailedTelling(rt: DomainRuntime, outgoingId: number): Promise<void> {
  const step = await slipStepOfMessage(rt.db, outgoingId)
  if (!step) return
  const slip = await lockSlip(rt.db, step.slipId)
  if (!slip) return
  const group = slip.groupId === null ? null : await groupById(rt.db, slip.groupId)
  const ownerId = group && !group.dissolvedAt && step.outgoingKind === 'robot' ? group.ownerId : null
  const sealed = await outgoingTexts(rt.db, outgoingId)
  const [words] = sealed ? (JSON.parse(rt.vault.open(sealed)) as string[]) : []
  const isAsked = ownerId !== null && words !== undefined
  const relayId = isAsked ? await askOwner(rt, ownerId, group?.name ?? '', words) : null
  await note(rt, slip, {
    kind: relayId === null ? 'group_failed' : 'group_relayed',
    actorId: null,
    officeId: step.officeId,
    ...(relayId === null ? {} : { outgoingId: relayId }),
  })
  if (step.actorId === null) return
  const done = isAsked ? '已改请群主转发' : '也没有群主能转告，请您另想办法告诉群里'
  await sendToPerson(
    rt,
    step.actorId,
    'decision',
    `【上报 ${slip.id}】答复没有发进“${group?.name ?? '群'}”，${done}。答复本人不受影响。`,
  )
}
