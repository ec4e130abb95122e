import {
  approversOf,
  changeNoticeDraft,
  type NoticeDraft,
  takeDueDraft,
  takeLateDrafts,
} from '../../../db/queries/notice-drafts.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { managesUnit } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { type Purpose, sendToPersons } from '../outgoing/enqueue.ts'
import { draftUrl, settleApprovals } from './approval.ts'
import { absentActor } from './author.ts'
import { noteDeed, passOn } from './pass-on.ts'
import { importanceRule, noticeRules } from './rules.ts'
import { nextWakingMoment } from './timing.ts'

/** Persons who are told that a notice did not go out. */
const MAX_TOLD = 10
/** Drafts that are looked at in one go. */
const PORTION = 100
/** After a standstill what is later than this is not sent any more: what it says may be over (project assumption). */
const MAX_LATE_MS = 2 * 3_600_000

/**
 * Sends the drafts whose time has come, each in a transaction of its own, by its author's rights of this moment; and says
 * once of those that still wait for a second person that their time is over.
 * @returns how many were sent
 */
export async function sendDueDrafts(rt: DomainRuntime, signal?: AbortSignal): Promise<number> {
  let sent = 0
  const seen: number[] = []
  const faults: unknown[] = []
  while (!signal?.aborted) {
    const taken = { id: null as number | null }
    try {
      const isSent = await inTransaction(rt, async tx => {
        const draft = await takeDueDraft(tx.db, tx.clock.now(), seen)
        taken.id = draft?.id ?? null
        return draft !== null && (await sendDue(tx, draft))
      })
      if (isSent) sent++
    } catch (error) {
      // what breaks on one draft must not hold up the others; it is tried again with the next run
      if (taken.id === null) throw error
      faults.push(error)
    }
    if (taken.id === null) break
    seen.push(taken.id)
  }
  while (!signal?.aborted && (await inTransaction(rt, tellLate)) === PORTION);
  if (faults.length > 0) throw faults[0]
  return sent
}

/** @returns whether it went out */
async function sendDue(rt: DomainRuntime, draft: NoticeDraft): Promise<boolean> {
  const author = await absentActor(rt, draft.authorId)
  const now = rt.clock.now()
  try {
    if (draft.sendAt && now.getTime() - draft.sendAt.getTime() > MAX_LATE_MS)
      throw new DomainError(
        'draft.late',
        `定在${chineseMoment(draft.sendAt)}，服务停过，到${chineseMoment(now)}才恢复，晚了 2 小时以上`,
      )
    if (!author || !managesUnit(rt.templates, author, draft.unitPath))
      throw new DomainError('draft.author_gone', `${draft.authorName}现在不负责${draft.unitName}了`)
    // a rule that says no takes back what was begun, and no more
    const outcome = await inTransaction(rt, tx => passOn(tx, author, draft))
    if (outcome.outcome === 'waiting')
      await tell(
        rt,
        draft,
        [draft.authorId],
        'decision',
        `您定时的通知（草稿 ${draft.id}）现在要发到的群多了，要先有第二人审核，还没有发出。已请人审核，同意后马上发出。`,
      )
    return outcome.outcome === 'sent'
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    await noteFailure(rt, draft, error.message)
    return false
  }
}

async function noteFailure(rt: DomainRuntime, draft: NoticeDraft, reason: string): Promise<void> {
  await changeNoticeDraft(rt.db, draft.id, { status: 'failed', reason })
  await noteDeed(rt, null, 'failed', draft, { reason })
  const others = await approversOf(rt.db, draft.unitPath, managingPairs(rt.templates), draft.authorId)
  const told = others.filter(each => each.unitId === draft.unitId && each.isReachable).slice(0, MAX_TOLD)
  const words = `${draft.unitName}定时的通知（草稿 ${draft.id}，${draft.authorName}写的）没有发出：${reason.replace(/。$/, '')}。可以打开草稿改好再提交：${draftUrl(rt, draft.id)}`
  await tell(rt, draft, [draft.authorId, ...told.map(each => each.personId)], 'decision', words)
}

/** @returns how many drafts were late */
async function tellLate(rt: DomainRuntime): Promise<number> {
  const late = await takeLateDrafts(rt.db, rt.clock.now(), PORTION)
  for (const draft of late) {
    await noteDeed(rt, null, 'failed', draft, { reason: draft.reason })
    await settleApprovals(rt, draft.id, '定的时间已过，等作者重新提交')
    const what = `通知草稿 ${draft.id}（${draft.unitName}，${draft.authorName}写的）定的时间已经过了，第二人还没有审核，所以没有发出`
    await tell(
      rt,
      draft,
      [draft.authorId],
      'decision',
      `${what}。还要发请打开草稿重新提交，不用发了请作废：${draftUrl(rt, draft.id)}`,
    )
    const approvers = await approversOf(rt.db, draft.unitPath, managingPairs(rt.templates), draft.authorId)
    const nearest = approvers.find(each => each.isReachable)?.unitId
    const asked = approvers.filter(each => each.isReachable && each.unitId === nearest).slice(0, MAX_TOLD)
    await tell(
      rt,
      draft,
      asked.map(each => each.personId),
      'review',
      `${what}。不用再审核；${draft.authorName}重新提交时会再请您看。`,
    )
  }
  return late.length
}

/** Tells persons about a draft: at night only where it is urgent. */
function tell(
  rt: DomainRuntime,
  { content }: NoticeDraft,
  personIds: number[],
  purpose: Purpose,
  text: string,
): Promise<void> {
  return sendToPersons(
    rt,
    personIds.map(personId => ({ personId, text })),
    purpose,
    nextWakingMoment(noticeRules, importanceRule(content.importance), rt.clock.now()),
  )
}
