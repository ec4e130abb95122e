import { requestReading } from '../../../db/queries/groups.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import { DomainError } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { requireManagedGroup } from './register.ts'

/**
 * Has a group's members read from the platform now, instead of waiting for the next event or the nightly reading.
 * @throws DomainError `group.unreadable`, and as `requireManagedGroup`
 */
export async function askForReading(rt: DomainRuntime, actor: KnownActor, groupId: number): Promise<void> {
  const group = await requireManagedGroup(rt, actor, groupId)
  if (group.platform !== 'customer' || !group.chatId)
    throw new DomainError('group.unreadable', '只有企业微信客户群能读取成员，这个群读不到。')
  const now = rt.clock.now()
  await requestReading(rt.db, group.chatId, now)
  await appendAudit(rt.db, {
    at: now,
    actorId: actor.person.id,
    action: 'group.reading_asked',
    subjectKind: 'group',
    subjectId: group.id,
    details: {},
  })
}
