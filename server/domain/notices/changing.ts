import { type Following, followingOf } from '../../../db/queries/notice-changes.ts'
import { noticeById } from '../../../db/queries/notices.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'

export type Notice = NonNullable<Awaited<ReturnType<typeof noticeById>>>

/** A notice that is to be corrected or withdrawn, and what has followed it. */
export interface Changing {
  original: Notice
  following: Following[]
  /** The newest; what it says stands in the place of the original. */
  correction: Following | null
  withdrawal: Following | null
}

/** The notice that a number means: of a correction the original that it corrects. null: there is none. */
export async function changingOf(rt: DomainRuntime, noticeId: number): Promise<Changing | null> {
  const named = await noticeById(rt.db, noticeId)
  const original =
    named?.kind === 'correction' && named.aboutId !== null ? await noticeById(rt.db, named.aboutId) : named
  if (!original) return null
  const following = await followingOf(rt.db, original.id)
  return {
    original,
    following,
    correction: following.findLast(each => each.kind === 'correction') ?? null,
    withdrawal: following.find(each => each.kind === 'withdrawal') ?? null,
  }
}

/**
 * The same for somebody who is about to change it: who may send in the name of its unit.
 * @throws DomainError `notice.unknown`, `rights.missing`, `notice.withdrawn`, `notice.is_withdrawal`
 */
export async function requireChanging(
  rt: DomainRuntime,
  actor: KnownActor,
  noticeId: number,
  deed: '更正' | '撤回',
): Promise<Changing> {
  const changing = await changingOf(rt, noticeId)
  if (!changing) throw new DomainError('notice.unknown', `没有编号是 ${noticeId} 的通知。`)
  const { original } = changing
  if (!managesUnit(rt.templates, actor, original.unitPath))
    throw notAllowed(`${deed}${original.unitName}发的通知`)
  if (original.kind === 'withdrawal')
    throw new DomainError('notice.is_withdrawal', `通知 ${noticeId} 本身就是撤回，不能再${deed}。`)
  if (original.withdrawnAt !== null) throw isWithdrawn(original.id, original.withdrawnAt)
  return changing
}

/** The notice whose text holds now: the original, or its newest correction. */
export const newestOf = ({ original, correction }: Changing): { id: number; link: string | null } =>
  correction ?? original

/** Says that nothing more is to be done about a notice. */
export function isWithdrawn(noticeId: number, withdrawnAt: Date): DomainError {
  return new DomainError(
    'notice.withdrawn',
    `通知 ${noticeId} 已在${chineseMoment(withdrawnAt)}撤回，不用再转、再答复。已经转到群里的，请在群里撤回或告知大家。`,
  )
}
