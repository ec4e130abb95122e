import {
  type ChangeOutlook,
  cancelUnsent,
  changeOutlook,
  listTakeBacks,
  lockNotice,
  markWithdrawn,
  messagesInFlight,
  openAskedPersons,
  withdrawOpen,
} from '../../../db/queries/notice-changes.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import type { Category } from '../messages/categories.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { askClosedText, withdrawalText } from './change-words.ts'
import { requireChanging } from './changing.ts'
import { checkMark, checkSafety } from './check.ts'
import { issueNotice } from './issue.ts'
import { type Importance, type ImportanceRule, importanceRule, noticeRules } from './rules.ts'
import { nextWakingMoment } from './timing.ts'

/** Characters. */
export const MAX_REASON = 40
/** An address of the web or of a mailbox: a withdrawal says why, and leads nowhere. */
const ADDRESS = /:\/\/|www\.|[a-z0-9-]\.(?:[a-z]{2,}|中国|公司|网络)(?![a-z])|@[a-z0-9]/iu

export interface Withdrawn {
  originalId: number
  /** The notice that tells those whom it has reached. */
  withdrawalId: number
  /** Groups that are told. */
  groups: number
  startsAt: Date
  /** How it stood at that moment. */
  found: ChangeOutlook
}

/**
 * Withdraws a notice with all its corrections (撤回). What has not gone out stays unsent, nobody is chased any more, and
 * those whom it has reached are told, with receipts of their own. What the platforms can still take back is listed for
 * `server/jobs/take-back.ts`; those for whom that comes too late are told then.
 *
 * No second person is needed: it says nothing but that, and each minute counts. So it may say no more: a short line why,
 * and urgently only what was urgent.
 * @throws DomainError as `requireChanging` and `checkReason`; `notice.importance`
 */
export function withdrawNotice(
  rt: DomainRuntime,
  actor: KnownActor,
  input: { noticeId: number; reason: string; importance?: Importance },
): Promise<Withdrawn> {
  return inTransaction(rt, async tx => {
    const { original } = await requireChanging(tx, actor, input.noticeId, '撤回')
    await lockNotice(tx.db, original.id)
    const { following } = await requireChanging(tx, actor, original.id, '撤回')
    checkReason(input.reason)
    const now = tx.clock.now()
    const all = [original.id, ...following.map(each => each.id)]
    const importance = input.importance ?? (original.importance as Importance)
    if (!importancesToWithdraw(original).some(rule => rule.id === importance))
      throw new DomainError(
        'notice.importance',
        '原通知不是紧急的，撤回也不能按紧急发，请按原来的紧要程度撤回。没发出的会马上停发。',
      )
    const found = await changeOutlook(tx.db, original.id, now)
    const asked = await openAskedPersons(tx.db, all)
    await markWithdrawn(tx.db, all, now)
    await cancelUnsent(tx.db, all, '通知已撤回', now)
    const inFlight = await messagesInFlight(tx.db, all)
    await withdrawOpen(tx.db, all, now)
    const { id, groups, startsAt } = await issueNotice(tx, actor, {
      unitId: original.unitId,
      body: withdrawalText(original, input.reason),
      category: original.category as Category,
      importance,
      audience: { gotNotice: original.id },
      follows: { kind: 'withdrawal', noticeId: original.id },
    })
    await listTakeBacks(tx.db, all, id, inFlight, now)
    const text = askClosedText(original, original.unitName)
    await sendToPersons(
      tx,
      asked.filter(personId => personId !== actor.person.id).map(personId => ({ personId, text })),
      'notice',
      nextWakingMoment(noticeRules, importanceRule(importance), now),
    )
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'notice.withdrawn',
      subjectKind: 'notice',
      subjectId: original.id,
      details: { withdrawal: id, groups, reason: input.reason.trim() },
    })
    return { originalId: original.id, withdrawalId: id, groups, startsAt, found }
  })
}

/** How urgent a withdrawal may be: urgently only of what was urgent, since no second person has seen it. */
export function importancesToWithdraw(original: { importance: string }): readonly ImportanceRule[] {
  return noticeRules.importances.filter(rule => rule.id !== 'urgent' || original.importance === 'urgent')
}

/** @throws DomainError `notice.reason`, `notice.mark`, `notice.secret`, `notice.privacy` */
export function checkReason(reason: string): void {
  const words = reason.trim()
  const fault = (said: string) => new DomainError('notice.reason', said)
  if (words === '') throw fault('请写明为什么撤回，收到的人会看到。')
  if (/[\p{Zl}\p{Zp}\n\r\v\f\u0085]/u.test(words)) throw fault('原因请写成一行，不要换行。')
  if ([...words].length > MAX_REASON)
    throw fault(`原因最多 ${MAX_REASON} 字，请写短一些。要说别的，请另发通知。`)
  if (ADDRESS.test(words.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '')))
    throw fault('原因里不要写网址或邮箱。要说别的，请另发通知。')
  checkMark('原因', words)
  checkSafety({ body: words })
}
