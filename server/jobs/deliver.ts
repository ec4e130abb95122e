import { describeError } from '../../db/errors.ts'
import { staleOutgoing, updateOutgoing } from '../../db/queries/notices.ts'
import { claim, inTurn } from '../../db/queries/outgoing.ts'
import { MustWait } from '../limits.ts'
import type { Runtime } from '../runtime.ts'
import type { Message, Sent } from './deliver/message.ts'
import { send } from './deliver/send.ts'
import { markUnknown, putBack, recordSent, settleFailure, unrepeatable } from './deliver/settle.ts'

/** Messages under way at once in one process; the platforms allow far more, PostgreSQL shares our two cores. */
const CONCURRENCY = 12
/** Messages that are looked for at once. */
const MOST_IN_TURN = 500
/** A claim older than this lost its process: no dozen of calls, one after the other, takes so long. */
const STALE_MS = 15 * 60_000

/**
 * Sends what is due and writes down what became of it. Any number of processes may run it at once; a message is with
 * one of them.
 * @returns how many messages were taken
 */
export async function deliverDue(rt: Runtime): Promise<number> {
  let taken = 0
  for (;;) {
    const ids = await inTurn(rt.db, rt.clock.now(), MOST_IN_TURN)
    // no more than go out at once: what is claimed and not begun would look sent after a crash
    const next = () => claim(rt.db, ids, rt.clock.now(), CONCURRENCY)
    let batch = await next()
    if (batch.length === 0) return taken
    for (; batch.length > 0; batch = await next()) {
      taken += batch.length
      await Promise.all(batch.map(message => deliver(rt, message)))
    }
  }
}

async function deliver(rt: Runtime, message: Message): Promise<void> {
  let sent: Sent
  try {
    sent = await send(rt, message)
  } catch (error) {
    return error instanceof MustWait ? putBack(rt, message, error) : settleFailure(rt, message, error)
  }
  // it is out: whatever goes wrong from here on must not send it again
  try {
    await recordSent(rt, message, sent)
  } catch (error) {
    rt.log.error({ outgoingId: message.id, ...describeError(error) }, 'a sent message could not be recorded')
    await recordSent(rt, message, sent).catch(() => {
      // it stays `sending` and `recoverInFlight` finds it
    })
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
