import { unclaimedChatsOf } from '../../../db/queries/groups.ts'
import {
  bindIdentity,
  countAttempt,
  identitiesOf,
  releaseIdentities,
  useBindingCode,
} from '../../../db/queries/identities.ts'
import { personById, rolesOf } from '../../../db/queries/persons.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { endOtherSessions } from '../../../db/queries/sessions.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { sendToIdentity } from '../outgoing/enqueue.ts'

/** Wrong codes that an account may try within an hour. */
const MAX_TRIES = 10
const WINDOW_MS = 3600_000

export type Binding =
  | {
      name: string
      duties: string[]
      /** Customer groups that this account made before it was known. */
      toClaim: { id: number; name: string }[]
    }
  | { refused: string }

/**
 * Binds the actor's account to the person of a one-time code. A person has one account a channel: a former one lets go,
 * and is told, in case somebody else used the code.
 *
 * A wrong code is a result and not an error: the count of tries must be kept, and an error would undo it.
 */
export async function bindByCode(rt: DomainRuntime, actor: Actor, code: string): Promise<Binding> {
  const now = rt.clock.now()
  const tries = await countAttempt(rt.db, `bind:${actor.identityId}`, now, WINDOW_MS)
  if (tries > MAX_TRIES) return { refused: '试的次数太多了，请一小时后再试，或请上级重新发码。' }
  const used = await useBindingCode(
    rt.db,
    rt.vault.indexes('binding-code', code.trim().toUpperCase()),
    actor.identityId,
    now,
  )
  if (!used) return { refused: '绑定码不对、已经用过或过期了。绑定码一次有效，请向上级组织再要一个。' }
  for (const former of await identitiesOf(rt.db, used.personId))
    if (former.channel === actor.channel && former.id !== actor.identityId)
      await sendToIdentity(
        rt,
        former.id,
        'task',
        '【账号改绑】您在群阵的身份已用新的绑定码改绑到另一个账号，本账号不再有权限。如果不是您本人操作，请马上联系上级组织。',
      )
  await releaseIdentities(rt.db, actor.channel, used.personId)
  // a new code is asked for when an account was lost, or taken: whoever is signed in with it is out
  await endOtherSessions(rt.db, used.personId, 0, rt.clock.now())
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
    toClaim: actor.channel === 'wecom' ? await unclaimedChatsOf(rt.db, actor.address) : [],
    duties: roles.map(
      role => `${role.unitName}${role.title ?? rt.templates.role(role.programme, role.role).name}`,
    ),
  }
}
