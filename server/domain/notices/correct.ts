import {
  cancelUnsent,
  changeOutlook,
  holdUnsent,
  listMassTasks,
  lockNotice,
  stopChasing,
} from '../../../db/queries/notice-changes.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { Category } from '../messages/categories.ts'
import { type FalseAlarms, falseAlarmsFor, noFalseAlarms } from '../messages/false-alarms.ts'
import { correctionText } from './change-words.ts'
import { type Changing, newestOf, requireChanging } from './changing.ts'
import { checkNotice } from './check.ts'
import { type IssuedNotice, issueNotice } from './issue.ts'
import type { Importance } from './rules.ts'

export interface CorrectionInput {
  /** Of the notice, or of an earlier correction of it. */
  noticeId: number
  /** The whole text as it is to be. */
  body: string
  /** As the original's where left out. */
  importance?: Importance
  /** null: there is none any more; as it is where left out. */
  link?: string | null
  draftId?: number
  /** The second person, where one was needed. */
  approvedBy?: number | null
}

export interface CorrectedNotice extends IssuedNotice {
  /** The notice that it corrects. */
  originalId: number
}

/**
 * Corrects a notice (更正): exactly those whom it has reached get the corrected text, with receipts of their own. What has
 * not gone out carries the corrected text from now on; an earlier correction is sent and chased no more.
 * @throws DomainError as `requireChanging`, `checkNotice` and `issueNotice`, and `notice.unchanged`
 */
export function correctNotice(
  rt: DomainRuntime,
  actor: KnownActor,
  input: CorrectionInput,
): Promise<CorrectedNotice> {
  return inTransaction(rt, async tx => {
    const changing = await lockedChanging(tx, actor, input.noticeId)
    const { original, following } = changing
    const link = input.link === undefined ? newestOf(changing).link : input.link
    checkCorrection(changing, { body: input.body, link }, await falseAlarmsFor(tx, [input.body]))
    const now = tx.clock.now()
    const earlier = following.map(each => each.id)
    await holdUnsent(tx.db, original.id)
    await cancelUnsent(tx.db, earlier, '又有了新的更正', now)
    const issued = await issueNotice(tx, actor, {
      unitId: original.unitId,
      body: correctionText(original, input.body),
      category: original.category as Category,
      importance: input.importance ?? (original.importance as Importance),
      audience: { gotNotice: original.id },
      link,
      follows: { kind: 'correction', noticeId: original.id },
      ...(input.draftId === undefined ? {} : { draftId: input.draftId }),
      approvedBy: input.approvedBy ?? null,
    })
    await stopChasing(tx.db, [original.id, ...earlier], issued.id)
    await listMassTasks(tx.db, [original.id, ...earlier], issued.id, now)
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'notice.corrected',
      subjectKind: 'notice',
      subjectId: original.id,
      details: { correction: issued.id, groups: issued.groups },
    })
    return { ...issued, originalId: original.id }
  })
}

/**
 * Checks what a correction says, with the line that names the original above it.
 * @param written the address too: the correction may change nothing else
 * @throws DomainError as `checkNotice`, and `notice.unchanged`
 */
export function checkCorrection(
  changing: Changing,
  { body, link }: { body: string; link: string | null },
  passed: FalseAlarms = noFalseAlarms,
): void {
  const { original, correction } = changing
  checkNotice({ body, link }, passed)
  const whole = correctionText(original, body)
  checkNotice({ body: whole, link }, passed)
  const isSameText = correction ? correction.body === whole : original.body === body.trim()
  if (isSameText && newestOf(changing).link === link)
    throw new DomainError(
      'notice.unchanged',
      '更正后的正文和链接都和现在的一样，没有发出。请写上改好的全文。',
    )
}

/** How many groups the text of a correction goes to: those whom the notice has reached, and those it has still to reach. */
export async function groupsToCorrect(rt: DomainRuntime, noticeId: number): Promise<number> {
  const { posted, asked, unconfirmed, unsent } = await changeOutlook(rt.db, noticeId, rt.clock.now())
  return posted + asked + unconfirmed + unsent
}

/** One person corrects at a time; the state is read behind the lock. */
async function lockedChanging(rt: DomainRuntime, actor: KnownActor, noticeId: number) {
  const { original } = await requireChanging(rt, actor, noticeId, '更正')
  await lockNotice(rt.db, original.id)
  return requireChanging(rt, actor, original.id, '更正')
}
