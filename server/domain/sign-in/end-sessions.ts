import { endApiToken, standingTokensOf } from '../../../db/queries/api-tokens.ts'
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

/**
 * Signs a person out everywhere but here. Whoever fears that somebody else was at their account ends the API tokens that
 * were made from it as well: those outlive every session.
 */
export function endSessionsBut(
  rt: DomainRuntime,
  actor: KnownActor,
  { keptId, withTokens }: { keptId: number; withTokens: boolean },
): Promise<{ sessions: number; tokens: number }> {
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const count = await endOtherSessions(tx.db, actor.person.id, keptId, now)
    if (count > 0) await audit(tx, actor, { count })
    const tokens = withTokens ? await standingTokensOf(tx.db, actor.person.id, now) : []
    for (const { id, name, unitId } of tokens) {
      await endApiToken(tx.db, id, now)
      await appendAudit(tx.db, {
        at: now,
        actorId: actor.person.id,
        action: 'api_token.ended',
        subjectKind: 'api_token',
        subjectId: id,
        details: { name, unitId },
      })
    }
    return { sessions: count, tokens: tokens.length }
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
