import { lockAuthor, sameNoticeSince } from '../../../db/queries/notices.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { issueNotice, type NoticeInput } from './issue.ts'

/** Within this time the same words from the same hand and unit are one notice, sent twice by a doubled form. */
const SAME_MS = 10 * 60_000

/**
 * Sends a notice, unless the same person has just sent the same words from the same unit: a form that was sent twice, or
 * reloaded, sends once. Two at the same moment wait for each other.
 * @throws DomainError as `issueNotice`
 */
export function issueNoticeOnce(
  rt: DomainRuntime,
  actor: KnownActor,
  input: NoticeInput,
): Promise<{ id: number; isNew: boolean }> {
  return inTransaction(rt, async tx => {
    await lockAuthor(tx.db, actor.person.id)
    const same = { authorId: actor.person.id, unitId: input.unitId, body: input.body.trim() }
    const before = await sameNoticeSince(tx.db, same, new Date(tx.clock.now().getTime() - SAME_MS))
    if (before !== null) return { id: before, isNew: false }
    const { id } = await issueNotice(tx, actor, input)
    return { id, isNew: true }
  })
}
