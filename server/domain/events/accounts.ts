import { lockIdentity, markBack, markGone } from '../../../db/queries/identities.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { hasLeftSince, hasReturned, leave } from '../identities/leave.ts'
import { recallRegistration } from '../identities/registered-account.ts'
import type { EventBase } from './types.ts'

/** Somebody unfollowed the Official Account: their openid is nobody's any more. */
export async function noteUnfollowed(rt: DomainRuntime, event: EventBase): Promise<void> {
  const account = await lockIdentity(rt.db, event.addressSpace, event.address)
  if (account) await leave(rt, account, event.at, 'unfollowed')
}

/**
 * The app is no longer visible to a member (WeCom's `unsubscribe`). They cannot be written to, yet the account is still
 * theirs: it belongs to the corp, which says by `delete_user` when somebody leaves. So the binding stays, and nobody
 * needs a new code because an administrator moved a department out of the app's range and back.
 */
export async function noteHidden(rt: DomainRuntime, event: EventBase): Promise<void> {
  const account = await lockIdentity(rt.db, event.addressSpace, event.address)
  if (account && !(await hasReturned(rt, account, event.at))) await markGone(rt.db, account.id, event.at)
}

/**
 * Somebody follows, or the app has become visible to them. Whoever had registered themselves is known again.
 * @returns whether they are to be greeted: not when they have left since (the event is late)
 */
export async function noteFollowed(rt: DomainRuntime, event: EventBase): Promise<boolean> {
  const account = await lockIdentity(rt.db, event.addressSpace, event.address)
  if (!account) return true
  if (hasLeftSince(account, event.at)) return false
  await markBack(rt.db, account.id, event.at)
  if (account.personId === null) await recallRegistration(rt, account)
  return true
}

/**
 * Somebody opened the app, or a chat with the robot. WeCom tells of the app each time, so only an account that was never
 * seen is greeted; of the robot it tells once a day, and expects a greeting.
 * @see https://developer.work.weixin.qq.com/document/path/90240 (enter_agent), /100719 (enter_chat)
 * @returns whether they are to be greeted
 */
export async function noteEntered(rt: DomainRuntime, event: EventBase): Promise<boolean> {
  if (event.channel === 'aibot') return true
  const account = await lockIdentity(rt.db, event.addressSpace, event.address)
  if (account && !account.isReachable && !hasLeftSince(account, event.at))
    await markBack(rt.db, account.id, event.at)
  return account === null
}
