import { lockNoticeDraft, sameDraftSince } from '../../../db/queries/notice-drafts.ts'
import { lockAuthor, type NoticeContent, sameNoticeSince } from '../../../db/queries/notices.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { Category } from '../messages/categories.ts'
import { saveDraft, submitDraft } from './drafts.ts'
import type { SubmitOutcome } from './pass-on.ts'
import type { Importance } from './rules.ts'

/** Within this time the same words from the same hand and unit are one notice, sent twice by a doubled form. */
const SAME_MS = 10 * 60_000

/** A notice as it was written on a page: a draft that is there, with what was chosen last of all, or one to be made of it. */
export type WrittenNotice =
  | { draftId: number; category?: Category; importance?: Importance; filesAreRead?: boolean }
  | { unitId: number; content: NoticeContent; sendAt: Date | null }

/**
 * Submits a notice, unless it was just submitted: a form that was sent twice, or reloaded, submits once. Two at the same
 * moment wait for each other.
 * @throws DomainError as `saveDraft` and `submitDraft`
 */
export function submitOnce(
  rt: DomainRuntime,
  actor: KnownActor,
  written: WrittenNotice,
): Promise<{ outcome: SubmitOutcome; isNew: boolean }> {
  return inTransaction(rt, async tx => {
    await lockAuthor(tx.db, actor.person.id)
    if ('draftId' in written) {
      const { draftId, filesAreRead = false, ...chosen } = written
      const draft = await lockNoticeDraft(tx.db, draftId)
      const isNew = draft?.status === 'draft' || draft?.status === 'failed'
      if (draft && isNew) {
        const content = { ...draft.content, ...chosen }
        const { category, importance } = draft.content
        if (content.category !== category || content.importance !== importance)
          await saveDraft(tx, actor, { draftId, unitId: draft.unitId, content, sendAt: draft.sendAt })
      }
      return { outcome: await submitDraft(tx, actor, draftId, { filesAreRead }), isNew }
    }
    const { unitId, content } = written
    const same = { authorId: actor.person.id, unitId }
    const since = new Date(tx.clock.now().getTime() - SAME_MS)
    const noticeId = await sameNoticeSince(
      tx.db,
      { ...same, body: content.body, audience: content.audience },
      since,
    )
    if (noticeId !== null) return { outcome: { outcome: 'sent', noticeId }, isNew: false }
    const before = await sameDraftSince(tx.db, { ...same, content }, ['waiting', 'ready'], since)
    const draftId = before ?? (await saveDraft(tx, actor, written))
    return { outcome: await submitDraft(tx, actor, draftId), isNew: before === null }
  })
}
