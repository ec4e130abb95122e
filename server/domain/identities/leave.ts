import { settleWaiting } from '../../../db/queries/events.ts'
import {
  cameBackAfter,
  deleteConversation,
  type IdentityRow,
  markGone,
  unbindIdentity,
} from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { rememberRegistration } from './registered-account.ts'

/** Why an account stopped being somebody's. */
export type Leaving = 'unfollowed' | 'left_corp' | 'renamed'

const said: Record<Leaving, string> = {
  unfollowed: '对方已取消关注',
  left_corp: '对方已离开企业微信',
  renamed: '对方的企业微信账号已改名',
}

/**
 * The platforms stamp events in whole seconds and ours are the moments of handling: only what lies further apart has an
 * order. In doubt an account lets go, for a binding that was lost can be made again and one that stays gives rights.
 * Two events of the platform are held against each other by their own times.
 */
export const SLACK_MS = 5000

/** Whether something of ours happened after an event of the platform. */
export function isAfter(moment: Date | null, eventAt: Date): boolean {
  return moment !== null && moment.getTime() > eventAt.getTime() + SLACK_MS
}

/** Whether somebody has been here since an event said that they went: came back, as the platform says, or wrote. */
export async function hasReturned(
  rt: DomainRuntime,
  account: { id: number; lastSeenAt: Date | null },
  eventAt: Date,
): Promise<boolean> {
  return isAfter(account.lastSeenAt, eventAt) || cameBackAfter(rt.db, account.id, eventAt)
}

/** Whether an account that is gone went after an event happened; `lastSeenAt` is then the moment of its going. */
export function hasLeftSince(
  account: { isReachable: boolean; lastSeenAt: Date | null },
  eventAt: Date,
): boolean {
  return !account.isReachable && account.lastSeenAt !== null && account.lastSeenAt > eventAt
}

/**
 * Somebody is gone from the platform: their account is unbound, cannot be written to, and its running dialogue is
 * deleted. Roster, records and audit log stay as they are. Who has come back since (the event is late) stays reachable;
 * a binding that is younger than the event stays.
 * @returns the person whose account it was; null when nothing was unbound
 */
export async function leave(
  rt: DomainRuntime,
  account: IdentityRow,
  at: Date,
  why: Leaving,
): Promise<number | null> {
  const isBack = await hasReturned(rt, account, at)
  if (!isBack) {
    await settleWaiting(rt.db, account, said[why], rt.clock.now())
    await markGone(rt.db, account.id, at)
    await deleteConversation(rt.db, account.id)
  }
  // had the event come in time, coming back would have bound a registration again
  const isKept =
    isAfter(account.boundAt, at) || (isBack && why === 'unfollowed' && account.boundBy === 'registration')
  if (isKept) return null
  // an openid is one person's for ever; a userid may be given to somebody else
  if (why === 'unfollowed') await rememberRegistration(rt, account)
  await unbindIdentity(rt.db, account.id)
  await auditUnbound(rt, account, why)
  return account.personId
}

/** Writes that a person's account was unbound: whose and where, not which account it was. */
export async function auditUnbound(
  rt: DomainRuntime,
  account: Pick<IdentityRow, 'channel' | 'personId' | 'boundBy'>,
  why: Leaving,
): Promise<void> {
  if (account.personId === null) return
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: null,
    action: 'identity.unbound',
    subjectKind: 'person',
    subjectId: account.personId,
    details: { channel: account.channel, why, boundBy: account.boundBy },
  })
}
