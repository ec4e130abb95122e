import { describeError } from '../db/errors.ts'
import { identityOf } from '../db/queries/identities.ts'
import { markHandled, recordFailure, unhandledUpdates, updateRecorder } from '../db/queries/updates.ts'
import type { Update } from './channels/channel.ts'
import { sendToIdentity } from './domain/outgoing/enqueue.ts'
import { DomainError } from './errors.ts'
import { inTransaction, type Runtime } from './runtime.ts'

/** What the server needs of the bot. It is handed in by `main.ts`: nothing in server/ imports bot/. */
export interface Handler {
  handle(
    rt: Pick<Runtime, 'db' | 'vault' | 'templates' | 'clock' | 'log' | 'publicUrl'>,
    update: Update,
    updateId: number,
  ): Promise<string | null>
}

export interface UpdateHandler {
  /** Stores an update once, handles it, and returns what to answer within the deadline; null: acknowledge only. */
  accept(update: Update): Promise<string | null>
  /** Handles updates that were stored and then left behind by a crash or a failure. Returns how many. */
  handleLeftBehind(): Promise<number>
}

const MAX_ATTEMPTS = 5
/** An update that is still unhandled after this long has lost its process. */
const LEFT_BEHIND_MS = 15_000
const SORRY = '系统正忙，您的话已经收下，稍后会答复您。'

/**
 * The way of an update: stored, then handled once.
 *
 * Handling and the mark that it is done are one transaction, so that an update takes effect exactly once, however often
 * it arrives and whoever handles it. A rule that says no (DomainError) undoes the transaction and answers with its
 * words; any other error leaves the update for `handleLeftBehind`.
 */
export function createUpdateHandler(rt: Runtime, bot: Handler): UpdateHandler {
  const record = updateRecorder(rt.db)

  /** @returns the reply; undefined when it failed and will be tried again */
  async function handle(
    update: Update,
    id: number,
    deliverReply: boolean,
  ): Promise<string | null | undefined> {
    try {
      return await inTransaction(rt, async tx => {
        const reply = await bot.handle(tx, update, id)
        await finish(tx as Runtime, update, id, reply, deliverReply)
        return reply
      })
    } catch (error) {
      if (error instanceof AlreadyHandled) return null
      if (error instanceof DomainError) {
        const isMine = await inTransaction(rt, async tx =>
          finish(tx as Runtime, update, id, error.message, deliverReply),
        ).then(
          () => true,
          failure => {
            if (failure instanceof AlreadyHandled) return false
            throw failure
          },
        )
        return isMine ? error.message : null
      }
      rt.log.error({ updateId: id, ...describeError(error) }, 'an update could not be handled')
      await recordFailure(rt.db, id, JSON.stringify(describeError(error)), MAX_ATTEMPTS)
      return undefined
    }
  }

  async function finish(
    tx: Runtime,
    update: Update,
    id: number,
    reply: string | null,
    deliverReply: boolean,
  ): Promise<void> {
    const sealed = reply === null ? null : rt.vault.seal(reply)
    if (!(await markHandled(tx.db, id, sealed, rt.clock.now()))) throw new AlreadyHandled()
    if (deliverReply && reply !== null) await sendLate(tx, update, reply)
  }

  /** A reply that missed its callback becomes a message to the same account. */
  async function sendLate(
    tx: Pick<Runtime, 'db' | 'vault' | 'templates' | 'clock' | 'log' | 'publicUrl'>,
    update: Update,
    reply: string,
  ): Promise<void> {
    const identity = await identityOf(tx.db, update.channel, update.address)
    if (identity) await sendToIdentity(tx, identity.id, 'reply', reply)
  }

  return {
    async accept(update) {
      const stored = await record({
        channel: update.channel,
        dedupeKey: update.dedupeKey,
        kind: update.kind,
        payloadSealed: rt.vault.seal(JSON.stringify(update)),
        receivedAt: rt.clock.now(),
      })
      // the platform asks again when our answer got lost: it gets the same one
      if (!stored.isNew) return stored.replySealed === null ? null : rt.vault.open(stored.replySealed)
      const started = performance.now()
      const work = handle(update, stored.id, false)
      const outcome = await withinDeadline(work, rt.config.callbackDeadlineMs)
      if (outcome.isInTime) return outcome.value === undefined ? SORRY : outcome.value
      void work
        .then(async reply => {
          rt.log.warn(
            { updateId: stored.id, tookMs: Math.round(performance.now() - started) },
            'a callback was answered late',
          )
          if (reply) await sendLate(rt, update, reply)
        })
        .catch(error => rt.log.error(describeError(error), 'a late answer could not be sent'))
      return null
    },

    async handleLeftBehind() {
      const before = new Date(rt.clock.now().getTime() - LEFT_BEHIND_MS)
      let count = 0
      for (const { id, payloadSealed } of await unhandledUpdates(rt.db, before, 100)) {
        const update = JSON.parse(rt.vault.open(payloadSealed)) as Update
        await handle({ ...update, at: new Date(update.at) }, id, true)
        count++
      }
      return count
    },
  }
}

/** Another process has handled the update meanwhile; what this one did is undone. */
class AlreadyHandled extends Error {}

async function withinDeadline<T>(
  work: Promise<T>,
  ms: number,
): Promise<{ isInTime: true; value: T } | { isInTime: false }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ isInTime: false }>(done => {
    timer = setTimeout(() => done({ isInTime: false }), ms)
  })
  try {
    return await Promise.race([work.then(value => ({ isInTime: true as const, value })), late])
  } finally {
    clearTimeout(timer)
  }
}
