import { setTimeout } from 'node:timers/promises'
import { describeError } from '../db/errors.ts'
import { loadSender } from '../db/queries/identities.ts'
import {
  markHandled,
  recordFailure,
  type UpdateState,
  unhandledUpdates,
  updateRecorder,
  updateState,
} from '../db/queries/updates.ts'
import type { Update } from './channels/channel.ts'
import { sendToIdentity } from './domain/outgoing/enqueue.ts'
import { DomainError } from './errors.ts'
import { type DomainRuntime, inTransaction, type Runtime } from './runtime.ts'

/** What the server needs of the bot. It is handed in by `main.ts`: nothing in server/ imports bot/. */
export interface Handler {
  handle(rt: DomainRuntime, update: Update, updateId: number): Promise<string | null>
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
/** How often a repeated callback looks whether another process has the answer by now. */
const LOOK_AGAIN_MS = 100
const SORRY = '系统正忙，您的话已经收下，稍后会答复您。'

/** Which way a reply goes: with the callback's answer, or as a message when that has gone out without it. */
interface ReplyWay {
  /** The callback has been answered: the reply must be a message. */
  isLate: boolean
  /** The transaction that ends the handling has taken its decision by `isLate`. */
  isDecided: boolean
}

/**
 * The way of an update: stored, then handled once.
 *
 * Handling, the mark that it is done and a late reply are one transaction, so that an update takes effect and is
 * answered exactly once, however often it arrives and whoever handles it. A rule that says no (DomainError) undoes the
 * transaction and answers with its words; any other error leaves the update for `handleLeftBehind`.
 */
export function createUpdateHandler(rt: Runtime, bot: Handler): UpdateHandler {
  const record = updateRecorder(rt.db)
  /** What this process is answering now: the same callback again gets the same answer. */
  const answers = new Map<number, Promise<string | null>>()
  /** What this process is handling now, late ones included. */
  const inHand = new Set<number>()

  /** @returns the reply; undefined when it failed and will be tried again */
  async function handle(update: Update, id: number, way: ReplyWay): Promise<string | null | undefined> {
    inHand.add(id)
    try {
      return await inTransaction(rt, async tx =>
        finish(tx, update, id, await bot.handle(tx, update, id), way),
      ).catch(error => {
        if (!(error instanceof DomainError)) throw error
        const reply = isFromPerson(update) ? error.message : null
        return inTransaction(rt, tx => finish(tx, update, id, reply, way))
      })
    } catch (error) {
      if (error instanceof AlreadyHandled) return null
      await noteFailure(id, error)
      return undefined
    } finally {
      inHand.delete(id)
    }
  }

  async function finish(
    tx: DomainRuntime,
    update: Update,
    id: number,
    reply: string | null,
    way: ReplyWay,
  ): Promise<string | null> {
    way.isDecided = true
    const asMessage = way.isLate && reply !== null
    // a reply that goes as a message is not kept for repeated callbacks: they would say it a second time
    const sealed = reply === null || asMessage ? null : rt.vault.seal(reply)
    if (!(await markHandled(tx.db, id, sealed, rt.clock.now()))) throw new AlreadyHandled()
    if (asMessage) {
      // a rule that said no to somebody's first words has undone the making of their account, too
      const { identityId } = await loadSender(tx.db, update.channel, update.address, rt.clock.now())
      await sendToIdentity(tx, identityId, 'reply', reply)
    }
    return reply
  }

  async function noteFailure(id: number, error: unknown): Promise<void> {
    const about = describeError(error)
    rt.log.error({ updateId: id, ...about }, 'an update could not be handled')
    await recordFailure(rt.db, id, JSON.stringify(about), MAX_ATTEMPTS)
  }

  async function answerNew(update: Update, id: number, started: number): Promise<string | null> {
    const way: ReplyWay = { isLate: false, isDecided: false }
    const work = handle(update, id, way)
    const isInTime = await settlesBefore(work, started + rt.config.callbackDeadlineMs)
    // once decided, only the commit is missing: the reply is on its way into the answer
    if (isInTime || way.isDecided) {
      const reply = await work
      return reply === undefined ? sorry(update) : reply
    }
    way.isLate = true
    work
      .catch(error => rt.log.error({ updateId: id, ...describeError(error) }, 'a late update failed'))
      .finally(() => {
        const tookMs = Math.round(performance.now() - started)
        rt.log.warn({ updateId: id, tookMs }, 'a callback was answered late')
      })
    return null
  }

  /** The platform asks again when our answer got lost. Another process may still be working on it. */
  async function answerAgain(update: Update, stored: UpdateState, started: number): Promise<string | null> {
    const deadline = started + rt.config.callbackDeadlineMs
    for (let state: UpdateState | null = stored; state; state = await updateState(rt.db, stored.id)) {
      if (state.status === 'handled')
        return state.replySealed === null ? null : rt.vault.open(state.replySealed)
      if (state.attempts > 0 || performance.now() + LOOK_AGAIN_MS > deadline) break
      await setTimeout(LOOK_AGAIN_MS)
    }
    return sorry(update)
  }

  return {
    async accept(update) {
      const started = performance.now()
      const stored = await record({
        channel: update.channel,
        dedupeKey: update.dedupeKey,
        kind: update.kind,
        payloadSealed: rt.vault.seal(JSON.stringify(update)),
        receivedAt: rt.clock.now(),
      })
      if (!stored.isNew) return answers.get(stored.id) ?? answerAgain(update, stored, started)
      const answer = answerNew(update, stored.id, started)
      answers.set(stored.id, answer)
      return answer.finally(() => answers.delete(stored.id))
    },

    async handleLeftBehind() {
      const before = new Date(rt.clock.now().getTime() - LEFT_BEHIND_MS)
      let count = 0
      for (const { id, payloadSealed } of await unhandledUpdates(rt.db, before, 100)) {
        if (inHand.has(id)) continue
        count++
        try {
          const update = JSON.parse(rt.vault.open(payloadSealed)) as Update
          await handle({ ...update, at: new Date(update.at) }, id, { isLate: true, isDecided: false })
        } catch (error) {
          // one that cannot even be read must not keep the others waiting
          await noteFailure(id, error)
        }
      }
      return count
    },
  }
}

/** Another process has handled the update meanwhile; what this one did is undone. */
class AlreadyHandled extends Error {}

/** Whether somebody waits for an answer; what the platform itself says wants none. */
function isFromPerson(update: Update): boolean {
  return update.address !== 'sys' && ['text', 'media', 'followed', 'tapped'].includes(update.kind)
}

function sorry(update: Update): string | null {
  return isFromPerson(update) ? SORRY : null
}

/** @param moment of `performance.now()` */
async function settlesBefore(work: Promise<unknown>, moment: number): Promise<boolean> {
  const timer = new AbortController()
  const late = setTimeout(Math.max(0, moment - performance.now()), false, { signal: timer.signal })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    timer.abort()
  }
}
