import { renameMember } from '../../../db/queries/events.ts'
import {
  absorbIdentity,
  type IdentityRow,
  identityById,
  lockIdentity,
  renameIdentity,
  setAsideIdentity,
  wasRenamedSince,
} from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { auditUnbound, isAfter, leave, SLACK_MS } from './leave.ts'

/**
 * A member's userid was changed: whatever is known under the old one is theirs under the new one.
 *
 * Userids are given away again, and events get lost or come late, so an account is only taken for the member's where its
 * times say so. Who had the new userid before the event is somebody else, who left it: that account lets go, whether the
 * member has one or not. Who has written under the new userid since is the member: the two accounts become one, with the
 * younger binding. Who has got the old userid since is somebody else again, and is left alone.
 * @param at when it happened
 * @returns the person whose account had the new userid before and let go; null: nobody
 */
export async function renameAccount(
  rt: DomainRuntime,
  channel: string,
  from: string,
  to: string,
  at: Date,
): Promise<number | null> {
  const account = await lockIdentity(rt.db, channel, from)
  const holder = await lockIdentity(rt.db, channel, to)
  // said twice, or overtaken by another who has got the new userid since
  if (holder && (await wasRenamedSince(rt.db, holder.id, at, { orThen: true }))) return null
  const { fresh, former } = await letGoOfFormer(rt, holder, at)
  await renameMember(rt.db, from, to, at, rt.clock.now())
  if (!account || (await isSomebodyElses(rt, account, at))) return former
  if (fresh) await merge(rt, account, fresh)
  await renameIdentity(rt.db, account.id, to)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: null,
    action: 'identity.renamed',
    subjectKind: 'identity',
    subjectId: account.id,
    details: { channel, isMerged: fresh !== null, at: at.toISOString() },
  })
  return former
}

/**
 * Unbinds and sets aside the account of whoever had the new userid before.
 * @returns `fresh`: the account, where it is the renamed member's own by now; `former`: whose it was
 */
async function letGoOfFormer(
  rt: DomainRuntime,
  holder: IdentityRow | null,
  at: Date,
): Promise<{ fresh: IdentityRow | null; former: number | null }> {
  if (!holder || holder.createdAt.getTime() >= at.getTime() - SLACK_MS) return { fresh: holder, former: null }
  const former = await leave(rt, holder, at, 'left_corp')
  const left = await identityById(rt.db, holder.id)
  // bound after the event: by the member, to whom the platform had given the userid
  if (left && left.personId !== null) return { fresh: left, former }
  await setAsideIdentity(rt.db, holder, at)
  return { fresh: null, former }
}

/** Whether the old userid had been given to somebody else by the time we heard of the change. */
async function isSomebodyElses(rt: DomainRuntime, account: IdentityRow, at: Date): Promise<boolean> {
  return (
    isAfter(account.createdAt, at) ||
    (account.boundAt !== null && account.boundAt > at) ||
    wasRenamedSince(rt.db, account.id, at, { orThen: false })
  )
}

/** Makes `fresh` part of `account`, which has the longer history. */
async function merge(rt: DomainRuntime, account: IdentityRow, fresh: IdentityRow): Promise<void> {
  const isFreshBound = fresh.personId !== null
  const [bound, lost] = isFreshBound ? [fresh, account] : [account, fresh]
  await absorbIdentity(rt.db, fresh.id, account.id, {
    personId: bound.personId,
    boundAt: bound.boundAt,
    boundBy: bound.boundBy,
    unionId: account.unionId ?? fresh.unionId,
    isReachable: account.isReachable || fresh.isReachable,
    lastSeenAt: moment(fresh.lastSeenAt) > moment(account.lastSeenAt) ? fresh.lastSeenAt : account.lastSeenAt,
  })
  if (lost.personId !== bound.personId) await auditUnbound(rt, lost, 'renamed')
}

function moment(at: Date | null): number {
  return at?.getTime() ?? 0
}
