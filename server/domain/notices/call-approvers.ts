import {
  type Approver,
  approversOf,
  callsSince,
  changeNoticeDraft,
  type NoticeDraft,
  takeDraftsToCall,
} from '../../../db/queries/notice-drafts.ts'
import type { ApprovalCall } from '../../../db/queries/notices.ts'
import { chineseMoment } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { managingPairs } from '../groups/managers.ts'
import { sendCard, sendToPersons } from '../outgoing/enqueue.ts'
import { draftUrl, MAX_ASKED, requestFor } from './approval.ts'
import { importanceRule, noticeRules } from './rules.ts'
import { deadlineOf, laterWaking, nextWakingMoment } from './timing.ts'

/** Drafts in one transaction: what is due for the same person goes in one message. */
const PORTION = 100
/** Characters of a text that stands for the whole. */
const LINE = 24
/** Drafts that are named in one message. */
const MAX_NAMED = 10
/** Nobody is called again sooner. */
const SOONEST_MS = 10 * 60_000

/**
 * Asks approvers to look at a draft that was just submitted: an urgent one at once, also at night. Who has been asked about
 * many of late gets the rest of them in one message (`callAgain`).
 */
export async function callFirst(
  rt: DomainRuntime,
  draft: NoticeDraft,
  approvers: readonly Approver[],
  reach: { groups: number },
): Promise<void> {
  const now = rt.clock.now()
  const rule = importanceRule(draft.content.importance)
  const { callsAnHour, bundleMinutes } = noticeRules.floods
  const had = await callsSince(rt.db, new Date(now.getTime() - 3_600_000), draft.id)
  const called = approvers.filter(each => (had.get(each.personId) ?? 0) < callsAnHour)
  const notBefore = nextWakingMoment(noticeRules, rule, now)
  const { card, text } = await requestFor(rt, draft, reach)
  const messageIds: number[] = []
  for (const { personId } of called)
    messageIds.push(await sendCard(rt, personId, purposeOf(draft), card, text, notBefore))
  const bundleAt = laterWaking(noticeRules, rule, now, bundleMinutes * 60_000)
  await changeNoticeDraft(rt.db, draft.id, {
    calls: called.length === 0 ? [] : [callOf(called, now, false, messageIds)],
    callAgainAt: called.length < approvers.length ? bundleAt : nextCallAt(draft, now),
  })
}

/** What is urgent passes by what waits for the morning. */
const purposeOf = ({ content }: NoticeDraft) =>
  importanceRule(content.importance).keepsQuiet ? ('review' as const) : ('escalation' as const)

const callOf = (
  called: readonly Approver[],
  now: Date,
  isReminder: boolean,
  messageIds: number[] = [],
): ApprovalCall => ({
  at: now.toISOString(),
  personIds: called.map(each => each.personId),
  unitName: called[0]?.unitName ?? '',
  isReminder,
  messageIds,
})

/** When whoever was asked is reminded: after some hours, or a share of the time that the notice has. */
export function nextCallAt({ content, sendAt }: Pick<NoticeDraft, 'content' | 'sendAt'>, now: Date): Date {
  const rule = importanceRule(content.importance)
  const { hours, share } = noticeRules.approvalCalls
  const leftMs = (sendAt ?? deadlineOf(rule.deadline, now)).getTime() - now.getTime()
  const waitMs = Math.max(SOONEST_MS, Math.min(hours * 3_600_000, leftMs * share))
  return laterWaking(noticeRules, rule, now, waitMs)
}

/** What is next for a draft that waits: somebody is called, or everybody has been. */
export interface NextCall {
  called: Approver[]
  isReminder: boolean
}

/**
 * Whom to call next: those of the office that was asked who have not been told yet; then the same once more; then those of
 * the next office above. null: all have been called and reminded.
 * @param approvers who can be written to, those of the unit itself first
 */
export function nextCall(calls: readonly ApprovalCall[], approvers: readonly Approver[]): NextCall | null {
  const told = new Set(calls.flatMap(call => call.personIds))
  const offices = [...Map.groupBy(approvers, each => each.unitId).values()].map(office =>
    office.slice(0, MAX_ASKED),
  )
  for (const office of offices) {
    const untold = office.filter(each => !told.has(each.personId))
    if (untold.length > 0) return { called: untold, isReminder: false }
    const reminded = new Set(calls.filter(call => call.isReminder).flatMap(call => call.personIds))
    if (office.some(each => !reminded.has(each.personId))) return { called: office, isReminder: true }
  }
  return null
}

interface Due extends NextCall {
  draft: NoticeDraft
}

/**
 * Calls again whoever has not looked at the drafts that wait for them; each person gets one message. The authors are told
 * when the next office is asked, and when nobody is left.
 * @returns how many drafts were due
 */
export async function callAgain(rt: DomainRuntime, signal?: AbortSignal): Promise<number> {
  let drafts = 0
  for (let taken = PORTION; taken === PORTION && !signal?.aborted; drafts += taken)
    taken = await inTransaction(rt, callPortion)
  return drafts
}

async function callPortion(rt: DomainRuntime): Promise<number> {
  const now = rt.clock.now()
  const drafts = await takeDraftsToCall(rt.db, now, PORTION)
  const due: Due[] = []
  for (const draft of drafts) {
    const all = await approversOf(rt.db, draft.unitPath, managingPairs(rt.templates), draft.authorId)
    const next = nextCall(
      draft.calls,
      all.filter(each => each.isReachable),
    )
    await tellAuthor(rt, draft, next)
    await changeNoticeDraft(rt.db, draft.id, {
      calls: next === null ? draft.calls : [...draft.calls, callOf(next.called, now, next.isReminder)],
      callAgainAt: next === null ? null : nextCallAt(draft, now),
    })
    if (next !== null) due.push({ ...next, draft })
  }
  const ofPerson = Map.groupBy(
    due.flatMap(each => each.called.map(({ personId }) => ({ personId, due: each }))),
    each => each.personId,
  )
  for (const [personId, theirs] of ofPerson) {
    const own = theirs.map(each => each.due)
    const purpose = own.some(({ draft }) => purposeOf(draft) === 'escalation') ? 'escalation' : 'review'
    await sendToPersons(rt, [{ personId, text: callWords(rt, personId, own) }], purpose)
  }
  return drafts.length
}

/** What somebody is called for, in one message: why, and what is expected. */
function callWords(rt: DomainRuntime, personId: number, own: readonly Due[]): string {
  const lines = own.slice(0, MAX_NAMED).map(({ draft, isReminder }) => {
    const call = draft.calls.find(each => each.personIds.includes(personId))
    const since = call ? new Date(call.at) : draft.updatedAt
    const why = isReminder
      ? `${chineseMoment(since)}请您看的，还没有答复`
      : draft.calls.length > 0
        ? `${draft.calls[0]?.unitName}的同志还没有答复`
        : `${chineseMoment(draft.updatedAt)}提交的`
    return `· 草稿 ${draft.id}（${draft.unitName}${draft.authorName}写的，${importanceRule(draft.content.importance).name}；${why}）：${beginningOf(draft.content.body)}`
  })
  const more = own.length > lines.length ? [`……共 ${own.length} 份，发送“草稿”看全部。`] : []
  const [first] = own
  const where =
    own.length === 1 && first ? draftUrl(rt, first.draft.id) : `${rt.publicUrl}/console/notices/drafts`
  return [
    `【请审核】有 ${own.length} 份通知在等第二人审核才能发出：`,
    ...lines,
    ...more,
    `看全文并同意请回复：批 ${first?.draft.id}；不同意：退 ${first?.draft.id} 理由。也可以在网页上办：${where}`,
  ].join('\n')
}

function beginningOf(body: string): string {
  const line = [...body.replace(/\s+/g, ' ').trim()]
  return line.length > LINE ? `${line.slice(0, LINE).join('')}……` : line.join('')
}

/** The author hears when it lies with another office, and when nobody is left to be asked. */
async function tellAuthor(rt: DomainRuntime, draft: NoticeDraft, next: NextCall | null): Promise<void> {
  if (draft.calls.length === 0 || next?.isReminder) return
  const before = draft.calls.at(-1)?.unitName ?? ''
  const [called] = next?.called ?? []
  if (next !== null && called?.unitName === before) return
  const text =
    next === null
      ? `您写的通知（草稿 ${draft.id}）还没有第二人审核：能审核的同志都请过、提醒过了，还没有答复，所以没有发出。请直接联系他们：${draftUrl(rt, draft.id)}`
      : `您写的通知（草稿 ${draft.id}）还没有第二人审核：${before}的同志没有答复，已再请${called?.unitName}的${next.called.map(each => each.name).join('、')}看。`
  await sendToPersons(rt, [{ personId: draft.authorId, text }], 'decision')
}
