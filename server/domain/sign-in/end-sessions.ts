import { appendAudit } from '../../../db/queries/platform.ts'
import { endOtherSessions, endSession } from '../../../db/queries/sessions.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'

/** Signs a person out on one of their browsers. false: it was over already. */
export function endOwnSession(rt: DomainRuntime, actor: KnownActor, sessionId: number): Promise<boolean> {
  return inTransaction(rt, async tx => {
    const isMine = await endSession(tx.db, actor.person.id, sessionId, tx.clock.now())
    if (isMine) await audit(tx, actor, { sessionId })
    return isMine
  })
}

/** Signs a person out everywhere but here. @returns on how many browsers */
export function endSessionsBut(rt: DomainRuntime, actor: KnownActor, keptId: number): Promise<number> {
  return inTransaction(rt, async tx => {
    const count = await endOtherSessions(tx.db, actor.person.id, keptId, tx.clock.now())
    if (count > 0) await audit(tx, actor, { count })
    return count
  })
}

async function audit(rt: DomainRuntime, actor: KnownActor, details: Record<string, unknown>): Promise<void> {
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: actor.person.id,
    action: 'session.ended',
    subjectKind: 'person',
    subjectId: actor.person.id,
    details,
  })
}
