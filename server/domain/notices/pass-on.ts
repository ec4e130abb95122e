import { changeNoticeDraft, countWaitingOf, type NoticeDraft } from '../../../db/queries/notice-drafts.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { unitById } from '../../../db/queries/units.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { Category } from '../messages/categories.ts'
import { approversToAsk, levelOfAuthor, needsApproval } from './approval.ts'
import { callFirst } from './call-approvers.ts'
import { changingOf } from './changing.ts'
import { correctNotice, groupsToCorrect } from './correct.ts'
import { issueNotice, planReach } from './issue.ts'
import { type Importance, noticeRules } from './rules.ts'
import { groupsTogether } from './split.ts'

/** What has become of a draft that was submitted. */
export type SubmitOutcome =
  | { outcome: 'sent'; noticeId: number }
  | { outcome: 'waiting'; askedIds: number[] }
  | { outcome: 'ready'; sendAt: Date }

/**
 * Where a draft goes that is whole: to a second person unless one has let it pass (`decidedBy`), to wait for its time, or
 * out in the name of its author.
 * @throws DomainError `notice.no_groups`, `notice.superseded`, `notice.too_many_waiting`, as `approversToAsk` and `issueNotice`
 */
export async function passOn(
  rt: DomainRuntime,
  author: KnownActor,
  draft: NoticeDraft,
): Promise<SubmitOutcome> {
  const now = rt.clock.now()
  const unit = await unitById(rt.db, draft.unitId)
  if (!unit) throw new Error(`the unit of draft ${draft.id} is gone`)
  const { gotNotice } = draft.content.audience
  const reach = await planReach(rt, unit, draft.content.audience)
  if (gotNotice !== undefined) {
    await requireNewest(rt, draft, gotNotice)
    // a correction changes what has not gone out as well
    reach.groups = await groupsToCorrect(rt, gotNotice)
  }
  if (reach.groups === 0)
    throw new DomainError('notice.no_groups', `${unit.name}及下级没有这样的群，没有地方可发。`)
  const level = levelOfAuthor(rt.templates, author, unit)
  const groups =
    gotNotice === undefined
      ? (
          await groupsTogether(
            rt,
            { authorId: draft.authorId, body: draft.content.body, sendAt: draft.sendAt, draftId: draft.id },
            reach.groups,
          )
        ).groups
      : reach.groups
  if (draft.decidedBy === null && needsApproval(noticeRules, { level, groups })) {
    const approvers = await approversToAsk(rt, draft)
    // a correction puts right what is out, a schedule was looked at as a whole: they do not stand in line
    if (gotNotice === undefined && draft.scheduleStep === null) await requireRoom(rt, draft)
    await changeNoticeDraft(rt.db, draft.id, { status: 'waiting', ...decisionOf(draft) })
    await callFirst(rt, draft, approvers, reach)
    return { outcome: 'waiting', askedIds: approvers.map(each => each.personId) }
  }
  if (draft.sendAt !== null && draft.sendAt > now) {
    await changeNoticeDraft(rt.db, draft.id, { status: 'ready', ...decisionOf(draft) })
    return { outcome: 'ready', sendAt: draft.sendAt }
  }
  return { outcome: 'sent', noticeId: await send(rt, author, draft) }
}

/** Nobody floods those who look at drafts. */
async function requireRoom(rt: DomainRuntime, { id, authorId }: NoticeDraft): Promise<void> {
  const most = noticeRules.floods.draftsWaiting
  if ((await countWaitingOf(rt.db, authorId, id)) < most) return
  throw new DomainError(
    'notice.too_many_waiting',
    `您已经有 ${most} 份通知在等第二人审核，请等审核后再提交这一份，或先作废不用的。这一份还在草稿里。`,
  )
}

/** A correction that was written before the newest one was sent would undo it. */
async function requireNewest(rt: DomainRuntime, draft: NoticeDraft, noticeId: number): Promise<void> {
  const correction = (await changingOf(rt, noticeId))?.correction
  if (!correction || correction.issuedAt <= draft.updatedAt) return
  throw new DomainError(
    'notice.superseded',
    `草稿 ${draft.id} 写好以后又有了新的更正（通知 ${correction.id}），这一份没有发出。还要改，请对照新的内容改好再提交。`,
  )
}

const decisionOf = ({ decidedBy, decidedAt, reason }: NoticeDraft) => ({ decidedBy, decidedAt, reason })

async function send(rt: DomainRuntime, author: KnownActor, draft: NoticeDraft): Promise<number> {
  const { id, unitId, content } = draft
  const { body, importance, category, audience, link, ask, mode } = content
  const shared = {
    body,
    importance: importance as Importance,
    link,
    draftId: id,
    approvedBy: draft.decidedBy,
  }
  const notice =
    audience.gotNotice === undefined
      ? await issueNotice(rt, author, {
          ...shared,
          unitId,
          category: category as Category,
          audience,
          mode: mode === 'by-level' ? 'by-level' : 'at-once',
          ask,
        })
      : await correctNotice(rt, author, { ...shared, noticeId: audience.gotNotice })
  await changeNoticeDraft(rt.db, id, { status: 'sent', noticeId: notice.id, ...decisionOf(draft) })
  return notice.id
}

/** Puts down who did what with a draft. @param actor null: it happened by itself */
export function noteDeed(
  rt: DomainRuntime,
  actor: KnownActor | null,
  deed: 'submitted' | 'approved' | 'returned' | 'dropped' | 'changed' | 'failed',
  draft: NoticeDraft,
  details: Record<string, unknown> = {},
): Promise<void> {
  return appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor?.person.id ?? null,
    action: `notice_draft.${deed}`,
    subjectKind: 'unit',
    subjectId: draft.unitId,
    details: { draft: draft.id, ...details },
  })
}
