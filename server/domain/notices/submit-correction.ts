import { lockAuthor, type NoticeContent } from '../../../db/queries/notices.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { correctionText } from './change-words.ts'
import { requireChanging } from './changing.ts'
import { checkCorrection } from './correct.ts'
import { saveDraft, submitDraft } from './drafts.ts'
import type { SubmitOutcome } from './pass-on.ts'
import type { Importance } from './rules.ts'

/** Within this time the same correction from the same hand is one, sent twice by a doubled form. */
const SAME_MS = 10 * 60_000

export interface WrittenCorrection {
  noticeId: number
  /** The whole text as it is to be. */
  body: string
  importance: Importance
  /** The draft that a second person has sent back. */
  draftId?: number
}

/**
 * Has a correction sent: at once, or when a second person has looked at it, as for a notice that reaches as many groups.
 * Sent twice it is sent once.
 * @throws DomainError as `requireChanging`, `checkCorrection` and `submitDraft`
 */
export function submitCorrection(
  rt: DomainRuntime,
  actor: KnownActor,
  written: WrittenCorrection,
): Promise<{ outcome: SubmitOutcome; isNew: boolean }> {
  return inTransaction(rt, async tx => {
    await lockAuthor(tx.db, actor.person.id)
    const changing = await requireChanging(tx, actor, written.noticeId, '更正')
    const { original, correction } = changing
    const since = tx.clock.now().getTime() - SAME_MS
    if (
      correction?.authorId === actor.person.id &&
      correction.issuedAt.getTime() > since &&
      correction.body === correctionText(original, written.body)
    )
      return { outcome: { outcome: 'sent', noticeId: correction.id }, isNew: false }
    checkCorrection(changing, written.body)
    const draftId = await saveDraft(tx, actor, {
      ...(written.draftId === undefined ? {} : { draftId: written.draftId }),
      unitId: original.unitId,
      content: contentOf(original, written),
      sendAt: null,
    })
    return { outcome: await submitDraft(tx, actor, draftId), isNew: true }
  })
}

/** A draft whose audience are those whom a notice has reached is the correction of that notice (`pass-on.ts`). */
function contentOf(
  original: { id: number; category: string; link: string | null },
  { body, importance }: WrittenCorrection,
): NoticeContent {
  return {
    body: body.trim(),
    category: original.category,
    importance,
    audience: { gotNotice: original.id },
    mode: 'at-once',
    link: original.link,
    ask: null,
  }
}
