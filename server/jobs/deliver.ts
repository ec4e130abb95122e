import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../../db/errors.ts'
import { staleOutgoing, updateOutgoing } from '../../db/queries/notices.ts'
import { claim, type DueMessage, inTurn } from '../../db/queries/outgoing.ts'
import { unrepeatable } from '../domain/outgoing/kinds.ts'
import { MustWait } from '../limits.ts'
import type { Runtime } from '../runtime.ts'
import { type Breaker, breakerOf } from './deliver/breaker.ts'
import type { Message, Sent } from './deliver/message.ts'
import { send } from './deliver/send.ts'
import { markUnknown, putBack, recordSent, settleFailure } from './deliver/settle.ts'
import { messageUnderWay } from './deliver/under-way.ts'

/** Messages under way at once in one process; the platforms allow far more, PostgreSQL shares our two cores. */
const SLOTS = 24
/** Of these for one platform: when it does not answer, the others go on. */
const SLOTS_PER_PLATFORM = 12
/** Messages that are looked for at once, for each platform. */
const MOST_IN_TURN = 250
/** What is more urgent must not wait until a long list is through. */
const LIST_LASTS_MS = 2000
/** A run takes no more messages after this long: it is asked for again soon. */
const RUN_MS = 60_000
/** A claim older than this lost its process: no dozen of calls, one after the other, takes so long. */
const STALE_MS = 15 * 60_000
/** How long to wait before recording again what became of a message. */
const RECORD_AGAIN_MS = [100, 500]

/**
 * Sends what is due and writes down what became of it. Any number of processes may run it at once; a message is with
 * one of them.
 * @param until.signal ends the run: what is under way is finished and no more is taken
 * @param until.runMs ends it likewise after this long
 * @returns how many messages were taken
 */
export async function deliverDue(
  rt: Runtime,
  { signal, runMs = RUN_MS }: { signal?: AbortSignal; runMs?: number } = {},
): Promise<number> {
  const endsAt = performance.now() + runMs
  const breaker = breakerOf(rt)
  const underWay = new Map<Promise<void>, DueMessage['channel']>()
  let waiting: DueMessage[] = []
  let listEndsAt = 0
  let taken = 0

  const look = async () => {
    const started = performance.now()
    waiting = await inTurn(rt.db, rt.clock.now(), MOST_IN_TURN)
    const now = performance.now()
    // with very many open messages a look takes long: it gets a tenth of the time
    listEndsAt = now + Math.max(LIST_LASTS_MS, 10 * (now - started))
  }
  const begin = (message: Message, channel: DueMessage['channel']) => {
    const work = deliver(rt, message, channel, breaker).finally(() => underWay.delete(work))
    underWay.set(work, channel)
  }

  try {
    await look()
    while (!signal?.aborted && performance.now() < endsAt) {
      const { chosen, rest } = choose(waiting, [...underWay.values()], breaker)
      waiting = rest
      if (chosen.length > 0) {
        // no more than go out at once: what is claimed and not begun would look sent after a crash
        const ids = chosen.map(due => due.id)
        const byId = new Map((await claim(rt.db, ids, rt.clock.now())).map(row => [row.id, row]))
        taken += byId.size
        for (const { id, channel } of chosen) {
          const message = byId.get(id)
          if (message) begin(message, channel)
        }
        if (byId.size > 0 && performance.now() < listEndsAt) continue
      }
      if (underWay.size > 0 && chosen.length === 0) await Promise.race(underWay.keys())
      if (waiting.length > 0 && performance.now() < listEndsAt) {
        // what is left goes to platforms that are not asked for the time being
        if (underWay.size === 0 && chosen.length === 0) break
        continue
      }
      await look()
      if (waiting.length === 0 && underWay.size === 0) break
    }
  } finally {
    await Promise.all(underWay.keys())
  }
  return taken
}

/** The messages that there is a slot for, in their order. Those of a platform that does not answer are left. */
function choose(
  waiting: DueMessage[],
  busy: DueMessage['channel'][],
  breaker: Breaker,
): { chosen: DueMessage[]; rest: DueMessage[] } {
  const used = Map.groupBy(busy, channel => channel)
  const usedBy = new Map([...used].map(([channel, all]) => [channel, all.length]))
  const chosen: DueMessage[] = []
  const rest: DueMessage[] = []
  for (const due of waiting) {
    const ofPlatform = usedBy.get(due.channel) ?? 0
    const hasSlot = busy.length + chosen.length < SLOTS && ofPlatform < SLOTS_PER_PLATFORM
    if (hasSlot && breaker.mayCall(due.channel)) {
      usedBy.set(due.channel, ofPlatform + 1)
      chosen.push(due)
    } else rest.push(due)
  }
  return { chosen, rest }
}

async function deliver(
  rt: Runtime,
  message: Message,
  channel: DueMessage['channel'],
  breaker: Breaker,
): Promise<void> {
  let sent: Sent
  try {
    sent = await messageUnderWay.run(message.id, () => send(rt, message))
  } catch (error) {
    breaker.note(channel, error)
    return record(rt, message, () =>
      error instanceof MustWait ? putBack(rt, message, error) : settleFailure(rt, message, error),
    )
  }
  breaker.note(channel, null)
  // it is out: whatever goes wrong from here on must not send it again
  return record(rt, message, () => recordSent(rt, message, sent))
}

/** Writes down what became of a message; never throws. When that is not to be, `recoverInFlight` finds it `sending`. */
async function record(rt: Runtime, message: Message, write: () => Promise<void>): Promise<void> {
  for (const pause of [...RECORD_AGAIN_MS, null]) {
    try {
      return await write()
    } catch (error) {
      rt.log.error(
        { outgoingId: message.id, ...describeError(error) },
        'what became of a message could not be recorded',
      )
      if (pause !== null) await sleep(pause)
    }
  }
}

/**
 * Looks after messages whose process died with them in flight: those to a person are sent again, since a message twice
 * is better than none; a post in a group whose fate cannot be asked becomes `unknown` and is settled by a person.
 */
export async function recoverInFlight(rt: Runtime): Promise<number> {
  const now = rt.clock.now()
  const stale = await staleOutgoing(rt.db, new Date(now.getTime() - STALE_MS))
  for (const message of stale) {
    if (unrepeatable.has(message.kind)) await markUnknown(rt, message, '发送时服务中断，不知道是否已发出')
    else await updateOutgoing(rt.db, message.id, { status: 'retrying', nextAttemptAt: now, claimedAt: null })
  }
  return stale.length
}
