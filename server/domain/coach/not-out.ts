import { outgoingTexts } from '../../../db/queries/outgoing.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { offeredPosts, takeBackUse, usesOfMessage } from '../../../db/queries/ready-posts.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { figureOfCategory } from '../messages/record-rules.ts'
import { noteLateChange } from '../months/late-change.ts'
import { monthState } from '../months/state.ts'
import { copyOf } from '../notices/mark.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { coachedProgrammes } from './rules.ts'

/**
 * A ready post that was to go into a group by itself is not there, or nobody knows: it counts no more, and who had asked for
 * it gets the text to forward. What they say then counts as any other. In the caller's transaction.
 */
export async function followFailedPost(rt: DomainRuntime, outgoingId: number): Promise<void> {
  const found = await usesOfMessage(rt.db, outgoingId)
  if (found.length === 0) return
  const sealed = await outgoingTexts(rt.db, outgoingId)
  const [text] = sealed ? (JSON.parse(rt.vault.open(sealed)) as string[]) : []
  const use = found.find(each => copyOf(each, null) === text)
  if (!use || text === undefined) return
  const record = await takeBackUse(rt.db, use, maskPersonalData(use.body))
  if (record && (await monthState(rt, use.programme, record.month)) !== 'open')
    await noteLateChange(
      rt,
      { person: { id: use.usedBy } },
      {
        unitId: record.unitId,
        month: record.month,
        subjectKind: 'record',
        subjectId: record.id,
        effect: { [figureOfCategory(rt.templates, record.category)]: -record.count },
        reason: '备选消息没有发进群，收回登记',
      },
    )
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: null,
    action: 'ready_post.not_out',
    subjectKind: 'ready_post',
    subjectId: use.postId,
    details: { group: use.groupId },
  })
  const now = rt.clock.now()
  const [offered] = await offeredPosts(rt.db, [use.usedBy], coachedProgrammes(rt.templates), now, use.postId)
  const canForward = offered?.groupIds.includes(use.groupId) ?? false
  const what = use.isUnknown
    ? `备选 ${use.postId} 不知道有没有发进“${use.groupName}”`
    : `备选 ${use.postId} 没有发进“${use.groupName}”`
  const head = `【备选消息】${what}，记的 1 条先收回了。`
  if (!canForward) return void (await sendToPerson(rt, use.usedBy, 'relay', head))
  const answer = `转备选 ${use.postId} ${use.groupId}`
  const how = use.isUnknown
    ? `请看一眼群里：已经有的，请回复：${answer}；没有的，请把上面这段话转进去，再这样回复。`
    : `请把上面这段话转发到群里，转好后回复：${answer}`
  await sendToPerson(rt, use.usedBy, 'relay', text, `${head}${how}`)
}
