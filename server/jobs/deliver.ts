import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { batched } from '../../db/batch.ts'
import { describeError } from '../../db/errors.ts'
import { claim, type DueMessage, inTurn, noteCalling, platforms } from '../../db/queries/outgoing.ts'
import { unrepeatable } from '../domain/outgoing/kinds.ts'
import { MustWait } from '../limits.ts'
import type { Runtime } from '../runtime.ts'
import { type Breaker, breakerOf } from './deliver/breaker.ts'
import { ClaimLost, type Message, type Sent } from './deliver/message.ts'
import { send } from './deliver/send.ts'
import { putBack, recordSent, settleFailure } from './deliver/settle.ts'
import { messageUnderWay } from './deliver/under-way.ts'

/** Messages under way at once in one process; the platforms allow far more, PostgreSQL shares our two cores. */
const SLOTS = 40
/**
 * Of these for one platform that has answered a moment ago: many under way share what is read and written for each. Four
 * processes together have no more under way than the `slack` of the interfaces' windows (`server/limits.ts`).
 */
const SLOTS_PER_PLATFORM = 24
/** The same while it has not: few find out that it does not answer, and the others go on. */
const SLOTS_UNTRIED = 12
/**
 * Slots that come free one by one are filled together, so that what their messages need is read and written together: so
 * many of them at once, or those that there are after this long.
 */
const WAVE = 12
const WAVE_MS = 20
/** Messages that are looked for at once, for each platform: enough for as long as a list lasts. */
const MOST_IN_TURN = 600
/** What is more urgent must not wait until a long list is through. */
const LIST_LASTS_MS = 2000
/** A run takes no more messages after this long: it is asked for again soon. */
const RUN_MS = 60_000
/** While all that is left waits for places that come free in moments. */
const HELD_PAUSE_MS = 100
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
  let claimedAt = 0
  let taken = 0

  const look = async () => {
    const started = performance.now()
    const called = platforms.filter(platform => breaker.mayCall(platform))
    waiting = await inTurn(rt.db, rt.clock.now(), MOST_IN_TURN, called)
    const now = performance.now()
    // with very many open messages a look takes long: it gets a tenth of the time
    listEndsAt = now + Math.max(LIST_LASTS_MS, 10 * (now - started))
  }
  const noteCall = batched(async (ids: number[]) => {
    const own = await noteCalling(rt.db, ids, rt.processNumber, rt.clock.now())
    return ids.map(id => own.has(id))
  })
  const begin = (message: Message, due: DueMessage) => {
    if (unrepeatable.has(message.kind))
      message.noteCall = async () => {
        if (!(await noteCall(message.id))) throw new ClaimLost()
      }
    const work = deliver(rt, message, due, breaker).finally(() => underWay.delete(work))
    underWay.set(work, due.channel)
  }

  try {
    await look()
    while (!signal?.aborted && performance.now() < endsAt) {
      const { chosen, rest } = choose(waiting, [...underWay.values()], breaker)
      const pause = claimedAt + WAVE_MS - performance.now()
      if (underWay.size > 0 && chosen.length > 0 && chosen.length < WAVE && rest.length > 0 && pause > 0) {
        await sleep(pause)
        continue
      }
      waiting = rest
      if (chosen.length > 0) {
        claimedAt = performance.now()
        // no more than go out at once: what is claimed and not begun would look sent after a crash
        const ids = chosen.map(due => due.id)
        const byId = new Map(
          (await claim(rt.db, ids, rt.clock.now(), rt.processNumber)).map(row => [row.id, row]),
        )
        taken += byId.size
        for (const due of chosen) {
          const message = byId.get(due.id)
          if (message) begin(message, due)
        }
        if (byId.size > 0 && performance.now() < listEndsAt) continue
      }
      if (underWay.size > 0 && chosen.length === 0) {
        await Promise.race(underWay.keys())
        // what has ended together is followed by as many, claimed together
        await turn()
      }
      if (waiting.length > 0 && performance.now() < listEndsAt) {
        // what is left goes to platforms that are not asked for the time being, or there is no place for it yet
        if (underWay.size === 0 && chosen.length === 0 && !(await breaker.anyPlaceSoon(HELD_PAUSE_MS))) break
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
    const most = breaker.hasAnswered(due.channel) ? SLOTS_PER_PLATFORM : SLOTS_UNTRIED
    const hasSlot = busy.length + chosen.length < SLOTS && ofPlatform < most
    if (hasSlot && breaker.mayCall(due.channel) && breaker.mayHavePlace(due)) {
      usedBy.set(due.channel, ofPlatform + 1)
      chosen.push(due)
    } else rest.push(due)
  }
  return { chosen, rest }
}

async function deliver(rt: Runtime, message: Message, due: DueMessage, breaker: Breaker): Promise<void> {
  let sent: Sent
  try {
    sent = await messageUnderWay.run({ id: message.id, onRequest: null }, () => send(rt, message))
  } catch (error) {
    if (error instanceof ClaimLost) return
    breaker.note(due.channel, error)
    if (error instanceof MustWait) breaker.hold(due, error)
    return record(rt, message, () =>
      error instanceof MustWait ? putBack(rt, message, error) : settleFailure(rt, message, error),
    )
  }
  breaker.note(due.channel, null)
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
