import { lockNotice } from '../../../db/queries/notice-changes.ts'
import { lockNoticeDraft, openCorrectionOf } from '../../../db/queries/notice-drafts.ts'
import { lockAuthor, type NoticeContent } from '../../../db/queries/notices.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { falseAlarmsFor } from '../messages/false-alarms.ts'
import { draftUrl } from './approval.ts'
import { correctionText } from './change-words.ts'
import { type Changing, newestOf, requireChanging } from './changing.ts'
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
  /** null: there is none any more; as it is where left out. */
  link?: string | null
  /** The draft that a second person has sent back. */
  draftId?: number
  /** The notice whose text was before the writer's eyes: the original, or its newest correction. */
  against?: number
}

/**
 * Has a correction sent: at once, or when a second person has looked at it, as for a notice that reaches as many groups.
 * Sent twice it is sent once.
 * @throws DomainError `notice.superseded`, `notice.correction_open`, as `requireChanging`, `checkCorrection` and `submitDraft`
 */
export function submitCorrection(
  rt: DomainRuntime,
  actor: KnownActor,
  written: WrittenCorrection,
): Promise<{ outcome: SubmitOutcome; isNew: boolean }> {
  return inTransaction(rt, async tx => {
    await lockAuthor(tx.db, actor.person.id)
    const named = await requireChanging(tx, actor, written.noticeId, '更正')
    // in the order in which approving takes them
    if (written.draftId !== undefined) await lockNoticeDraft(tx.db, written.draftId)
    await lockNotice(tx.db, named.original.id)
    const changing = await requireChanging(tx, actor, named.original.id, '更正')
    const { original, correction } = changing
    const since = tx.clock.now().getTime() - SAME_MS
    if (
      correction?.authorId === actor.person.id &&
      correction.issuedAt.getTime() > since &&
      correction.body === correctionText(original, written.body) &&
      (written.link === undefined || written.link === correction.link)
    )
      return { outcome: { outcome: 'sent', noticeId: correction.id }, isNew: false }
    checkAgainst(changing, written.against)
    const link = written.link === undefined ? newestOf(changing).link : written.link
    checkCorrection(changing, { body: written.body, link }, await falseAlarmsFor(tx, [written.body]))
    const open = await openCorrectionOf(tx.db, original.unitId, original.id)
    if (open && open.id !== written.draftId) {
      const isSame =
        open.authorId === actor.person.id &&
        open.content.body === written.body.trim() &&
        open.content.link === link
      if (isSame && open.status === 'waiting')
        return { outcome: await submitDraft(tx, actor, open.id), isNew: false }
      throw new DomainError(
        'notice.correction_open',
        `通知 ${original.id} 已经有一个没发出的更正（草稿 ${open.id}，${open.authorName}写的）。请先改它、发出或作废：${draftUrl(tx, open.id)}`,
      )
    }
    const draftId = await saveDraft(tx, actor, {
      ...(written.draftId === undefined ? {} : { draftId: written.draftId }),
      unitId: original.unitId,
      content: contentOf(original, { ...written, link }),
      sendAt: null,
    })
    return { outcome: await submitDraft(tx, actor, draftId), isNew: true }
  })
}

/**
 * Nobody undoes a correction that they have not seen.
 * @param against the notice whose text they had before their eyes; undefined: not known
 * @throws DomainError `notice.superseded`
 */
export function checkAgainst(changing: Changing, against: number | undefined): void {
  const { original, correction } = changing
  const newest = newestOf(changing).id
  if (against === undefined || against === newest) return
  throw new DomainError(
    'notice.superseded',
    `刚才又有了新的更正（通知 ${newest}，${correction?.authorName ?? original.authorName}发的），您写的还没有发出。请对照它的内容改好再发。`,
  )
}

/** A draft whose audience are those whom a notice has reached is the correction of that notice (`pass-on.ts`). */
function contentOf(
  original: { id: number; category: string },
  { body, importance, link }: Pick<WrittenCorrection, 'body' | 'importance'> & { link: string | null },
): NoticeContent {
  return {
    body: body.trim(),
    category: original.category,
    importance,
    audience: { gotNotice: original.id },
    mode: 'at-once',
    link,
    ask: null,
  }
}
