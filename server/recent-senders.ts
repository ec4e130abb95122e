import type { AccountKey, KnownSender } from '../db/queries/senders.ts'

/** Some megabytes; whoever is not among the last so many is read from the database, as if they had never written. */
const MAX_REMEMBERED = 4_000

/** Senders as they were read last. What is remembered may have changed since: see `KnownSender.digest`. */
export interface RecentSenders {
  get(account: AccountKey): KnownSender | undefined
  set(account: AccountKey, sender: KnownSender): void
  forget(account: AccountKey): void
}

/** Remembers the senders that were set last: two generations, of which the older one is dropped when the younger is full. */
export function createRecentSenders(max = MAX_REMEMBERED): RecentSenders {
  let young = new Map<string, KnownSender>()
  let old = new Map<string, KnownSender>()

  function set(key: string, sender: KnownSender): void {
    if (young.size >= max / 2 && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, sender)
  }

  return {
    get(account) {
      const key = keyOf(account)
      const sender = young.get(key)
      if (sender) return sender
      const earlier = old.get(key)
      if (earlier) set(key, earlier)
      return earlier
    },
    set: (account, sender) => set(keyOf(account), sender),
    forget(account) {
      const key = keyOf(account)
      young.delete(key)
      old.delete(key)
    },
  }
}

function keyOf({ channel, address }: AccountKey): string {
  return `${channel} ${address}`
}
