import { endApiToken, type TokenInList } from '../../../db/queries/api-tokens.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { notAllowed } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'

/** Ends a token at once. @returns false: it had ended before. @throws DomainError `rights.missing` */
export async function endToken(rt: DomainRuntime, actor: KnownActor, token: TokenInList): Promise<boolean> {
  if (!managesUnit(rt.templates, actor, token.unitPath)) throw notAllowed('停用这个令牌')
  return inTransaction(rt, async tx => {
    const now = tx.clock.now()
    const isEnded = await endApiToken(tx.db, token.id, now)
    if (isEnded)
      await appendAudit(tx.db, {
        at: now,
        actorId: actor.person.id,
        action: 'api_token.ended',
        subjectKind: 'api_token',
        subjectId: token.id,
        details: { name: token.name, unitId: token.unitId },
      })
    return isEnded
  })
}
