import {
  type OpenTakeBack,
  RECALL_WITHIN_MS,
  type TakeBackOutcome,
} from '../../../db/queries/notice-changes.ts'

/** What is to be done about a message of a notice that was corrected or withdrawn while it was out or on its way. */
export type TakeBackStep =
  /** A worker has it in its hands: look again. */
  | { do: 'wait' }
  /** It has come back unsent: it is cancelled. */
  | { do: 'cancel' }
  /** The app takes its messages back. */
  | { do: 'recall'; messageIds: string[] }
  /** The mass task is stopped, and who has confirmed it is read. */
  | { do: 'stop_task'; taskId: string }
  /** Nothing can be done. `isOut`: it has reached somebody, who is to get what follows. */
  | { do: 'note'; outcome: TakeBackOutcome; isOut: boolean }

type Standing = Pick<OpenTakeBack, 'kind' | 'status' | 'followKind' | 'platformId' | 'recallIds' | 'outAt'>

/** Decides by how the message stands now. */
export function takeBackStep(message: Standing, now: Date): TakeBackStep {
  const { kind, status, followKind, platformId, recallIds, outAt } = message
  const isWithdrawal = followKind === 'withdrawal'
  switch (status) {
    case 'sending':
      return { do: 'wait' }
    case 'pending':
    case 'retrying':
    case 'waiting':
      // it leaves with the corrected text
      return isWithdrawal ? { do: 'cancel' } : { do: 'note', outcome: 'corrected', isOut: false }
    case 'unknown':
      return { do: 'note', outcome: 'not_possible', isOut: true }
    case 'sent':
      if (kind === 'mass' && platformId) return { do: 'stop_task', taskId: platformId }
      break
    default:
      // cancelled or failed: out at most in part
      if (!recallIds) return { do: 'note', outcome: 'cancelled', isOut: false }
  }
  if (!isWithdrawal || !recallIds || recallIds.length === 0)
    return { do: 'note', outcome: 'not_possible', isOut: true }
  const isTooLate = outAt !== null && now.getTime() - outAt.getTime() >= RECALL_WITHIN_MS
  return isTooLate
    ? { do: 'note', outcome: 'too_late', isOut: true }
    : { do: 'recall', messageIds: recallIds }
}
