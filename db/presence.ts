import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'

/** The first half of the advisory locks by which processes show that they live; the second is the process's number. */
export const PRESENCE_LOCKS = 7_341_002

/** A process that shows that it lives. */
export interface Presence {
  /** Its number, which what it has in hand is marked with. */
  readonly number: number
  leave(): Promise<void>
}

/** How long to wait before the connection is made again; far less than a claim is left alone (`lostOutgoing`). */
const AGAIN_MS = 500

/**
 * Shows for as long as this process lives, and no longer, that it does: a connection of its own holds an advisory lock.
 *
 * A process that is killed drops its connection with it, so what it had in hand is known to be lost at once, not when
 * some span of time has passed that must be longer than any work and is therefore always too long. A heartbeat would
 * come to the same, later, and be wrong about a process that is only slow. A machine that vanishes from the network
 * keeps its connection until the system gives it up: for that, `recoverInFlight` has a span of time after all.
 *
 * A connection that breaks while the process lives is made again at once, under the same number.
 */
export async function showPresence(url: string): Promise<Presence> {
  let number = 0
  let hasLeft = false
  const client = postgres(url, {
    max: 1,
    // no pause and no age closes it, as they would a connection of the pool
    idle_timeout: 0,
    max_lifetime: null,
    onnotice: () => {},
    onclose: () => void again(),
  })

  async function take(): Promise<boolean> {
    const [row] = await client<{ taken: boolean }[]>`
      select pg_try_advisory_lock(${PRESENCE_LOCKS}, ${number}) as taken`
    return row?.taken === true
  }

  async function again(): Promise<void> {
    while (!hasLeft) {
      // the database may be away, or not have noticed yet that the old connection is gone
      await sleep(AGAIN_MS, undefined, { ref: false })
      if (!hasLeft && (await take().catch(() => false))) return
    }
  }

  do number = randomInt(1, 2 ** 31 - 1)
  while (!(await take()))
  return {
    number,
    async leave() {
      hasLeft = true
      await client.end({ timeout: 5 })
    },
  }
}
