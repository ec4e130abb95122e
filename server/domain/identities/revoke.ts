import { appendAuditOnce } from '../../../db/queries/events.ts'
import { clearAuthorized, lockIdentity } from '../../../db/queries/identities.ts'
import type { DomainRuntime } from '../../runtime.ts'

/**
 * Somebody took back what they had authorised on a page of ours: what it gave is deleted at once, as the law asks
 * (个人信息保护法 第十五条、第四十七条). Of an OAuth login nothing is stored but the unionid; the binding is made by a code or an
 * audit and stays. The audit log keeps that it was done, also for an account we do not know.
 * @param event.openId the follower; the event's sender is the platform
 * @param event.revoked the platform's codes of what was authorised
 * @see https://developers.weixin.qq.com/doc/service/guide/h5/authorization_change.html
 */
export async function revokeAuthorization(
  rt: DomainRuntime,
  event: { channel: string; openId: string; revoked: string[]; at: Date },
): Promise<void> {
  const account = await lockIdentity(rt.db, event.channel, event.openId)
  if (account) await clearAuthorized(rt.db, account.id)
  await appendAuditOnce(rt.db, {
    at: rt.clock.now(),
    actorId: null,
    action: 'authorization.revoked',
    subjectKind: 'identity',
    subjectId: account?.id ?? null,
    details: { channel: event.channel, revoked: event.revoked, at: event.at.toISOString() },
  })
}
