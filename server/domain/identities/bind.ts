import {
  bindIdentity,
  countAttempt,
  releaseIdentities,
  useBindingCode,
} from '../../../db/queries/identities.ts'
import { personById, rolesOf } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'

/** Wrong codes that an account may try within an hour. */
const MAX_TRIES = 10
const WINDOW_MS = 3600_000

export type Binding = { name: string; duties: string[] } | { refused: string }

/**
 * Binds the actor's account to the person of a one-time code. A person has one account a channel: a former one lets go.
 *
 * A wrong code is a result and not an error: the count of tries must be kept, and an error would undo it.
 */
export async function bindByCode(rt: DomainRuntime, actor: Actor, code: string): Promise<Binding> {
  const now = rt.clock.now()
  const tries = await countAttempt(rt.db, `bind:${actor.identityId}`, now, WINDOW_MS)
  if (tries > MAX_TRIES) return { refused: '试的次数太多了，请一小时后再试，或请上级重新发码。' }
  const used = await useBindingCode(
    rt.db,
    rt.vault.index('binding-code', code.trim().toUpperCase()),
    actor.identityId,
    now,
  )
  if (!used) return { refused: '绑定码不对、已经用过或过期了。绑定码一次有效，请向上级组织再要一个。' }
  await releaseIdentities(rt.db, actor.channel, used.personId)
  await bindIdentity(rt.db, actor.identityId, used.personId, 'code', now)
  await appendAudit(rt.db, {
    at: now,
    actorId: used.personId,
    action: 'identity.bound',
    subjectKind: 'person',
    subjectId: used.personId,
    details: { channel: actor.channel, by: 'code', issuedBy: used.issuedBy },
  })
  const person = await personById(rt.db, used.personId)
  const roles = await rolesOf(rt.db, used.personId)
  return {
    name: person?.name ?? '',
    duties: roles.map(
      role => `${role.unitName}${role.title ?? rt.templates.role(role.programme, role.role).name}`,
    ),
  }
}
