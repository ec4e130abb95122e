import { boundWithoutUnionId, noteUnionId } from '../../db/queries/identities.ts'
import type { OfficialAccountChannel } from '../channels/channel.ts'
import { ChannelError } from '../channels/errors.ts'
import type { Runtime } from '../runtime.ts'

/** Accounts in one run; the platform tells a hundred at a time. */
const AT_ONCE = 2000
/** An account that has no unionid by then has none: the Official Account is bound to no open platform account. */
const ASK_DAYS = 3

/**
 * Asks the Official Account for the unionids of the accounts that were bound of late: by them a member of a customer group
 * is known as the same person (state → unionid → remark → nickname). Run once a night.
 * @returns how many were learned
 */
export async function readUnionIds(rt: Runtime): Promise<number> {
  const { officialAccount } = rt.channels
  if (!officialAccount) return 0
  const since = new Date(rt.clock.now().getTime() - ASK_DAYS * 86_400_000)
  const accounts = await boundWithoutUnionId(rt.db, 'official-account', since, AT_ONCE)
  if (accounts.length === 0) return 0
  const ids = new Map(accounts.map(account => [account.address, account.id]))
  let count = 0
  for (const follower of await followersOf(officialAccount, [...ids.keys()])) {
    const id = ids.get(follower.address)
    if (id === undefined || follower.unionId === null) continue
    await noteUnionId(rt.db, id, follower.unionId)
    count++
  }
  return count
}

/** Nobody where the account may not be asked (订阅号, 未认证). */
async function followersOf(channel: OfficialAccountChannel, addresses: string[]) {
  try {
    return await channel.readFollowers(addresses)
  } catch (error) {
    if (error instanceof ChannelError && !error.retryable) return []
    throw error
  }
}
