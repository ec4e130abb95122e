import { setTimeout } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { describeError } from '../db/errors.ts'
import {
  type KnownSender,
  loadSender,
  type OpenedWindow,
  type SenderRow,
  seenRecorder,
  senderReader,
} from '../db/queries/senders.ts'
import {
  markHandled,
  recordFailure,
  takeUpdate,
  type UpdateState,
  unhandledUpdates,
  updateByKey,
  updateRecorder,
  updateState,
} from '../db/queries/updates.ts'
import type { Answer, Update, UpdateBase } from './channels/channel.ts'
import { sendResponse, sendToIdentity } from './domain/outgoing/enqueue.ts'
import { DomainError } from './errors.ts'
import { inStep } from './in-step.ts'
import { createLanes } from './lanes.ts'
import { createRecentSenders } from './recent-senders.ts'
import { type DomainRuntime, inTransaction, type Runtime } from './runtime.ts'
import { accountOf, openedBy } from './sender.ts'

/** What the server needs of the bot. It is handed in by `main.ts`: nothing in server/ imports bot/. */
export interface Handler {
  /** The answer to an update that needs neither rows nor a transaction; undefined: `handle` must have it. */
  answerAtOnce?(update: Update, sender: SenderRow | null): { reply: string | null } | undefined
  handle(rt: DomainRuntime, update: Update, updateId: number): Promise<string | null>
  /** What to answer when a rule has said no; its message when left out. */
  afterRefusal?(rt: DomainRuntime, update: Update, updateId: number, error: DomainError): Promise<string>
}

export interface UpdateHandler {
  /** Stores an update once, handles it, and returns what to answer within the deadline. */
  accept(update: Update): Promise<Answer>
  /** What there is to answer by now to an update that was accepted before: the platform asks again (`poll`). */
  lookUp(about: UpdateBase): Promise<Answer>
  /**
   * Handles updates that were stored and then left behind by a crash or a failure: all that are due, each by one of the
   * processes that do this at the same time.
   * @param signal finish what is under way and take no more
   * @returns how many were looked at
   */
  handleLeftBehind(signal?: AbortSignal): Promise<number>
}

const MAX_ATTEMPTS = 5
/** An update that is still unhandled after this long has lost its process. */
const LEFT_BEHIND_MS = 15_000
/** How many of those are taken up together. */
const AT_ONCE = 24
/** How often a repeated callback looks whether another process has the answer by now. */
const LOOK_AGAIN_MS = 100
const KEPT_REPLIES = 500
/** Connections that handling leaves to storing, reading and sending. */
const KEPT_FREE = 4
/** A sender's row is brought up to date no more often than this. */
const SEEN_EVERY_MS = 60_000
const NOTHING: Answer = { reply: null, isPending: false }
const PENDING: Answer = { reply: null, isPending: true }
const SORRY = '系统正忙，您的话已经收下，稍后会答复您。'

/** An answer that needed no work, and to whom it goes: null for an account never seen. */
interface AnswerAtOnce {
  reply: string | null
  sender: KnownSender | null
  /** The sender was not read for this update: whether they are as remembered is asked when the answer is stored. */
  isFromMemory: boolean
}

/** Which way a reply goes: with the callback's answer, or as a message when that has gone out without it. */
interface ReplyWay {
  /** The callback has been answered: the reply must be a message. */
  isLate: boolean
  /** The process that took the callback is gone: nobody asks again for the rest of its answer. */
  isLeftBehind: boolean
  /** The transaction that ends the handling has taken its decision by `isLate`. */
  isDecided: boolean
}

/**
 * The way of an update: stored, then handled once.
 *
 * Most of what people write needs no work: it is answered from what is known of the sender and stored as handled, in one
 * statement for many updates. Whoever wrote a moment ago is not read again: that statement stores the answer only while
 * the sender is as remembered. For the rest, handling, the mark that it is done and a late reply are one transaction, so
 * that an update takes effect and is answered exactly once, however often it arrives and whoever handles it. A rule that
 * says no (DomainError) undoes the transaction and answers with its words; any other error leaves the update for
 * `handleLeftBehind`.
 */
export function createUpdateHandler(rt: Runtime, bot: Handler): UpdateHandler {
  const record = updateRecorder(rt.db)
  const readSender = senderReader(rt.db, () => rt.clock.now())
  const noteSeen = seenRecorder(rt.db)
  const recent = createRecentSenders()
  const lanes = createLanes(Math.max(1, rt.config.databasePool - KEPT_FREE))
  const asksAgain = new Set(
    [rt.channels.wecom, rt.channels.officialAccount, rt.channels.aibot]
      .filter(door => door?.asksAgain)
      .map(door => door?.name),
  )
  const sealedReplies = new Map<string, string>()
  /** What this process is answering now: the same callback again gets the same answer. */
  const answers = new Map<number, Promise<Answer>>()
  /** What this process is handling now, late ones included. */
  const inHand = new Set<number>()

  /**
   * What one account says is handled in the order it came, and holds one connection at most; connections stay free for
   * storing what others say.
   * @returns the reply; undefined when it failed and will be tried again
   */
  async function handle(update: Update, id: number, way: ReplyWay): Promise<string | null | undefined> {
    inHand.add(id)
    return lanes.run(laneOf(update), () => handleInTurn(update, id, way)).finally(() => inHand.delete(id))
  }

  async function handleInTurn(update: Update, id: number, way: ReplyWay): Promise<string | null | undefined> {
    // what it does may change who they are
    recent.forget(accountOf(update))
    try {
      return await inTransaction(rt, async tx => {
        // a process that takes long is not one that died: another does not do the same beside it
        const isFree = await takeUpdate(tx.db, id)
        if (way.isLeftBehind && !(isFree && (await isUnhandled(tx.db, id)))) throw new AlreadyHandled()
        return finish(tx, update, id, await bot.handle(tx, update, id), way)
      }).catch(error => {
        if (!(error instanceof DomainError)) throw error
        return inTransaction(rt, async tx => {
          const words = bot.afterRefusal ? await bot.afterRefusal(tx, update, id, error) : error.message
          return finish(tx, update, id, isFromPerson(update) ? words : null, way)
        })
      })
    } catch (error) {
      if (error instanceof AlreadyHandled) return null
      await noteFailure(id, error)
      return undefined
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
    if (reply !== null && update.responseUrl && (way.isLeftBehind || !takesWords(update))) {
      if (!(await markHandled(tx.db, id, null, rt.clock.now()))) throw new AlreadyHandled()
      await sendResponse(tx, update.responseUrl, reply, update.at)
      return null
    }
    const asMessage = way.isLate && reply !== null && !asksAgain.has(update.channel)
    // a reply that goes as a message is not kept for repeated callbacks: they would say it a second time
    const sealed = reply === null || asMessage ? null : rt.vault.seal(reply)
    if (!(await markHandled(tx.db, id, sealed, rt.clock.now()))) throw new AlreadyHandled()
    if (asMessage) {
      // a rule that said no to somebody's first words has undone the making of their account, too
      const { identityId } = await loadSender(tx.db, accountOf(update), rt.clock.now())
      await sendToIdentity(tx, identityId, 'reply', reply)
    }
    return reply
  }

  async function isUnhandled(db: Db, id: number): Promise<boolean> {
    return (await updateState(db, id))?.status === 'received'
  }

  async function noteFailure(id: number, error: unknown): Promise<void> {
    const about = describeError(error)
    rt.log.error({ updateId: id, ...about }, 'an update could not be handled')
    await recordFailure(rt.db, id, JSON.stringify(about), MAX_ATTEMPTS)
  }

  /** Answers at once are few texts for many people: each is sealed once, which is dear. */
  function sealOnce(reply: string): string {
    let sealed = sealedReplies.get(reply)
    if (sealed === undefined) {
      sealed = rt.vault.seal(reply)
      if (sealedReplies.size >= KEPT_REPLIES) sealedReplies.clear()
      sealedReplies.set(reply, sealed)
    }
    return sealed
  }

  /** @returns what to answer when nothing else is to be done; undefined when there is work, or when in doubt */
  function answerFrom(
    update: Update,
    sender: KnownSender | null,
    isFromMemory: boolean,
  ): AnswerAtOnce | undefined {
    const outright = bot.answerAtOnce?.(update, sender)
    return outright && { ...outright, sender, isFromMemory }
  }

  /** As `answerFrom`, for a sender who is remembered, at once, or else read. */
  function answerAtOnce(update: Update): AnswerAtOnce | undefined | Promise<AnswerAtOnce | undefined> {
    if (!bot.answerAtOnce || update.address === 'sys' || !takesWords(update)) return undefined
    // what they said before may change the answer to this
    if (lanes.isBusy(laneOf(update))) return undefined
    try {
      const remembered = recent.get(accountOf(update))
      return remembered && isUpToDate(remembered, openedBy(update, rt.clock.now()))
        ? answerFrom(update, remembered, true)
        : answerOnceRead(update).catch(inDoubt)
    } catch (error) {
      return inDoubt(error)
    }
  }

  async function answerOnceRead(update: Update): Promise<AnswerAtOnce | undefined> {
    const account = accountOf(update)
    const sender = await readSender(account)
    if (sender) recent.set(account, sender)
    return answerFrom(update, sender, false)
  }

  function inDoubt(error: unknown): undefined {
    rt.log.error(describeError(error), 'an update could not be answered at once')
  }

  /** Brings the row of somebody who was answered at once up to date; null where it is. */
  function noteIfStale(update: Update, sender: KnownSender | null): Promise<void> | null {
    const now = rt.clock.now()
    const opened = openedBy(update, now)
    const isFresh =
      sender !== null &&
      isUpToDate(sender, opened) &&
      now.getTime() - (sender.lastSeenAt?.getTime() ?? 0) < SEEN_EVERY_MS &&
      (opened === null || opened.endsAt.getTime() - (sender.windowEndsAt?.getTime() ?? 0) < SEEN_EVERY_MS)
    return isFresh || !isFromPerson(update) ? null : noteAsSeen(update, sender, now, opened)
  }

  async function noteAsSeen(
    update: Update,
    sender: KnownSender | null,
    now: Date,
    opened: OpenedWindow | null,
  ): Promise<void> {
    try {
      await noteSeen({ ...accountOf(update), at: now, opened })
      if (sender && isUpToDate(sender, opened))
        recent.set(accountOf(update), {
          ...sender,
          lastSeenAt: now,
          windowEndsAt: opened?.endsAt ?? sender.windowEndsAt,
        })
      else recent.forget(accountOf(update))
    } catch (error) {
      // the next message says it again
      rt.log.warn(describeError(error), 'a sender could not be noted as seen')
    }
  }

  async function answerNew(update: Update, id: number, started: number): Promise<Answer> {
    const way: ReplyWay = { isLate: false, isLeftBehind: false, isDecided: false }
    const work = handle(update, id, way)
    const isInTime = await settlesBefore(work, started + rt.config.callbackDeadlineMs)
    // once decided, only the commit is missing: the reply is on its way into the answer
    if (isInTime || way.isDecided) {
      const reply = await work
      return reply === undefined ? sorry(update) : { reply, isPending: false }
    }
    way.isLate = true
    work
      .catch(error => rt.log.error({ updateId: id, ...describeError(error) }, 'a late update failed'))
      .finally(() => {
        const tookMs = Math.round(performance.now() - started)
        rt.log.warn({ updateId: id, tookMs }, 'a callback was answered late')
      })
    return PENDING
  }

  /** What was answered, or will be; null: not decided yet. */
  function answerOf(state: UpdateState): Answer | null {
    if (state.status !== 'handled') return null
    const reply = state.replySealed === null ? null : rt.vault.open(state.replySealed)
    return { reply, isPending: false }
  }

  /** The platform asks again when our answer got lost. Another process may still be working on it. */
  async function answerAgain(update: Update, stored: UpdateState, started: number): Promise<Answer> {
    const deadline = started + rt.config.callbackDeadlineMs
    for (let state: UpdateState | null = stored; state; state = await updateState(rt.db, stored.id)) {
      const answer = answerOf(state)
      if (answer) return answer
      if (state.attempts > 0 || performance.now() + LOOK_AGAIN_MS > deadline) break
      await setTimeout(LOOK_AGAIN_MS)
    }
    return sorry(update)
  }

  async function handleLeft({ id, payloadSealed }: { id: number; payloadSealed: string }): Promise<void> {
    try {
      const way = { isLate: true, isLeftBehind: true, isDecided: false }
      await handle(storedUpdate(rt.vault.open(payloadSealed)), id, way)
    } catch (error) {
      // one that cannot even be read must not keep the others waiting
      await noteFailure(id, error)
    }
  }

  return {
    async accept(update) {
      const started = performance.now()
      const found = answerAtOnce(update)
      const outright = found instanceof Promise ? await found : found
      await inStep
      const storing = record({
        channel: update.channel,
        dedupeKey: update.dedupeKey,
        kind: update.kind,
        // as a date would be written by itself, in half the time
        payloadSealed: rt.vault.seal(JSON.stringify({ ...update, at: update.at.toISOString() })),
        receivedAt: rt.clock.now(),
        outright: outright
          ? {
              replySealed: outright.reply === null ? null : sealOnce(outright.reply),
              expects:
                outright.isFromMemory && outright.sender
                  ? { sender: accountOf(update), digest: outright.sender.digest }
                  : null,
            }
          : null,
      })
      const noting = outright ? noteIfStale(update, outright.sender) : null
      const stored = await storing
      if (noting) await noting
      if (!stored.isNew) return answers.get(stored.id) ?? answerAgain(update, stored, started)
      if (outright && stored.status === 'handled') return { reply: outright.reply, isPending: false }
      if (outright) recent.forget(accountOf(update))
      const answer = answerNew(update, stored.id, started)
      answers.set(stored.id, answer)
      return answer.finally(() => answers.delete(stored.id))
    },

    async lookUp(about) {
      const state = await updateByKey(rt.db, about.channel, about.dedupeKey)
      if (!state) return NOTHING
      return answerOf(state) ?? (state.attempts > 0 ? { reply: SORRY, isPending: false } : PENDING)
    },

    async handleLeftBehind(signal) {
      let count = 0
      let after = 0
      while (!signal?.aborted) {
        const left = await unhandledUpdates(rt.db, rt.clock.now(), {
          leaveMs: LEFT_BEHIND_MS,
          after,
          limit: AT_ONCE,
        })
        const ours = left.filter(({ id }) => !inHand.has(id))
        // side by side, but for those of one account: whoever left them behind had many under way
        await Promise.all(ours.map(each => handleLeft(each)))
        count += ours.length
        const last = left.at(-1)
        if (!last) break
        after = last.id
      }
      return count
    },
  }
}

function storedUpdate(payload: string): Update {
  const update = JSON.parse(payload) as Update
  // what version 0.1 stored did not say whose id the address is
  return { ...update, addressSpace: update.addressSpace ?? update.channel, at: new Date(update.at) }
}

/** Another process has handled the update meanwhile; what this one did is undone. */
class AlreadyHandled extends Error {}

/** Whether hearing of the sender would change no more of their row than times. */
function isUpToDate(sender: KnownSender, opened: OpenedWindow | null): boolean {
  return sender.isReachable && (opened === null || sender.windowLeft === opened.left)
}

/** Whether somebody waits for an answer; what the platform itself says wants none. */
function isFromPerson(update: Update): boolean {
  return (
    update.address !== 'sys' &&
    ['text', 'media', 'place', 'followed', 'tapped', 'entered'].includes(update.kind)
  )
}

/** Events of the platform itself have no order among each other, but for those of one group. */
function laneOf(update: Update): string {
  const who = update.address === 'sys' && update.kind === 'group' ? update.chatId : update.address
  return who === 'sys' ? `${update.dedupeKey}` : `${update.addressSpace} ${who}`
}

/** Whether the answer to this callback may hold words: a tap on the chat robot's card takes none. */
function takesWords(update: Update): boolean {
  return !(update.channel === 'aibot' && update.kind === 'tapped')
}

function sorry(update: Update): Answer {
  return { reply: isFromPerson(update) ? SORRY : null, isPending: false }
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
