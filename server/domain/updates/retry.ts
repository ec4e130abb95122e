import { appendAudit } from '../../../db/queries/platform.ts'
import { retryAllSetAside, retrySetAside } from '../../../db/queries/troubles.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'

/**
 * Has an update that was given up handled once more.
 * @param actor null: whoever may run command lines on the server
 * @throws DomainError `update.not_set_aside`, also for one whose content has been deleted meanwhile
 */
export function retryUpdate(rt: DomainRuntime, actor: KnownActor | null, id: number): Promise<void> {
  return inTransaction(rt, async tx => {
    if (!(await retrySetAside(tx.db, id)))
      throw new DomainError('update.not_set_aside', `没有搁置的回调 ${id}。`)
    await noteRetry(tx, actor, 'update.retried', id, {})
  })
}

/** The same for all that were given up. @returns how many */
export function retryAllUpdates(rt: DomainRuntime, actor: KnownActor | null): Promise<number> {
  return inTransaction(rt, async tx => {
    const count = await retryAllSetAside(tx.db)
    await noteRetry(tx, actor, 'updates.retried', null, { count })
    return count
  })
}

function noteRetry(
  tx: DomainRuntime,
  actor: KnownActor | null,
  action: string,
  subjectId: number | null,
  details: Record<string, unknown>,
): Promise<void> {
  return appendAudit(tx.db, {
    at: tx.clock.now(),
    actorId: actor?.person.id ?? null,
    action,
    subjectKind: 'update',
    subjectId,
    details,
  })
}
