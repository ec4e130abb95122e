import { insertLateChange } from '../../../db/queries/months.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'

/** A reason that says nothing is none. */
const SHORTEST_REASON = 2
const LONGEST_REASON = 200

/** What was put right in a month that is closed. */
export interface LateChange {
  /** The unit whose figures it changes. */
  unitId: number
  /** `YYYY-MM` */
  month: string
  subjectKind: 'record' | 'activity' | 'facts'
  subjectId: number | null
  /** What it does to the figures of the sheet: figure to difference, such as `messages.income` to -3. */
  effect: Record<string, number>
  reason: string
}

/**
 * Notes, in the caller's transaction, that a closed month was put right and why: the sheet and the page of the month say so.
 * Whether the actor may, and whether the month is closed, the caller has asked (`monthState`).
 * @throws DomainError `late_change.reason`
 */
export async function noteLateChange(
  tx: DomainRuntime,
  actor: { person: { id: number } },
  change: LateChange,
): Promise<void> {
  const reason = lateReason(change.reason)
  const at = tx.clock.now()
  await insertLateChange(tx.db, { ...change, reason, changedBy: actor.person.id, at })
  await appendAudit(tx.db, {
    at,
    actorId: actor.person.id,
    action: 'month.changed_late',
    subjectKind: 'unit',
    subjectId: change.unitId,
    details: { month: change.month, of: change.subjectKind, effect: change.effect, reason },
  })
}

/** @throws DomainError `late_change.reason` */
export function lateReason(written: string): string {
  const reason = written.trim()
  if ([...reason].length < SHORTEST_REASON)
    throw new DomainError('late_change.reason', '这个月已经关账，更正要写明理由。')
  if ([...reason].length > LONGEST_REASON)
    throw new DomainError('late_change.reason', `理由请写在 ${LONGEST_REASON} 字以内。`)
  return reason
}
