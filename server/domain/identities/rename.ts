import { renameMember } from '../../../db/queries/events.ts'
import {
  absorbIdentity,
  type IdentityRow,
  lockIdentity,
  renameIdentity,
} from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { auditUnbound, isAfter } from './leave.ts'

/**
 * A member's userid was changed: whatever is known under the old one is theirs under the new one. Who has written under
 * the new one before the event came has an account there by now; the two become one, with the younger binding.
 * @param at when it happened: what came to be under the old userid later belongs to somebody else who got it
 */
export async function renameAccount(
  rt: DomainRuntime,
  channel: string,
  from: string,
  to: string,
  at: Date,
): Promise<void> {
  await renameMember(rt.db, from, to, at, rt.clock.now())
  const account = await lockIdentity(rt.db, channel, from)
  if (!account || isAfter(account.createdAt, at)) return
  const other = await lockIdentity(rt.db, channel, to)
  if (other) await merge(rt, account, other)
  await renameIdentity(rt.db, account.id, to)
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: null,
    action: 'identity.renamed',
    subjectKind: 'identity',
    subjectId: account.id,
    details: { channel, isMerged: other !== null },
  })
}

/** Makes `other` part of `account`, which has the longer history. */
async function merge(rt: DomainRuntime, account: IdentityRow, other: IdentityRow): Promise<void> {
  const isOthersYounger =
    other.personId !== null && (account.personId === null || moment(other.boundAt) > moment(account.boundAt))
  const [bound, lost] = isOthersYounger ? [other, account] : [account, other]
  await absorbIdentity(rt.db, other.id, account.id, {
    personId: bound.personId,
    boundAt: bound.boundAt,
    boundBy: bound.boundBy,
    unionId: account.unionId ?? other.unionId,
    isReachable: account.isReachable || other.isReachable,
    lastSeenAt: moment(other.lastSeenAt) > moment(account.lastSeenAt) ? other.lastSeenAt : account.lastSeenAt,
  })
  if (lost.personId !== bound.personId) await auditUnbound(rt, lost, 'renamed')
}

function moment(at: Date | null): number {
  return at?.getTime() ?? 0
}
