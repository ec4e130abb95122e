import { setImmediate as breathe } from 'node:timers/promises'
import { insertOutgoing } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Attachment } from './attach-file.ts'
import type { ActionCard } from './card.ts'

/** Why a message goes out; shown to operators, and what is urgent goes first (`db/queries/outgoing.ts`). */
export type Purpose =
  | 'reply'
  | 'relay'
  | 'reminder'
  | 'escalation'
  | 'task'
  | 'review'
  | 'decision'
  | 'notice'
  | 'pass'
  | 'report'
  | 'welcome'
  | 'danger'

/** How long a new customer can be welcomed. @see https://developer.work.weixin.qq.com/document/path/92137 */
const WELCOME_MS = 20_000

/** How long a callback of the chat robot can be answered. @see https://developer.work.weixin.qq.com/document/path/101138 */
const RESPONSE_MS = 3_600_000

/**
 * Puts a message to a person on its way, in the caller's transaction. Which of their accounts it reaches is decided
 * when it is sent.
 * @param texts sent one after the other as messages of their own
 */
export async function sendToPerson(
  rt: DomainRuntime,
  personId: number,
  purpose: Purpose,
  ...texts: string[]
): Promise<number> {
  return send(rt, { kind: 'person', personId, purpose, texts })
}

/** Messages written with one statement; then others get their turn, because sealing takes the processor. */
const PORTION = 500

/**
 * The same for many persons at once, each with a text of their own.
 * @param notBefore nothing is sent earlier: nobody is woken for what can wait
 */
export async function sendToPersons(
  rt: DomainRuntime,
  messages: { personId: number; text: string }[],
  purpose: Purpose,
  notBefore: Date = rt.clock.now(),
): Promise<void> {
  await sendInPortions(rt, messages, purpose, notBefore)
}

/** One text for each person or account, in portions. */
async function sendInPortions(
  rt: DomainRuntime,
  messages: ({ personId: number; text: string } | { identityId: number; text: string })[],
  purpose: Purpose,
  notBefore: Date,
): Promise<void> {
  const createdAt = rt.clock.now()
  for (let from = 0; from < messages.length; from += PORTION) {
    if (from > 0) await breathe()
    await insertOutgoing(
      rt.db,
      messages.slice(from, from + PORTION).map(({ text, ...receiver }) => ({
        kind: 'person',
        ...receiver,
        purpose,
        textsSealed: rt.vault.seal(JSON.stringify([text])),
        status: 'pending',
        nextAttemptAt: notBefore,
        createdAt,
      })),
    )
  }
}

/**
 * The same as a card with buttons where the person is a member of the corp, as the text elsewhere.
 * @param notBefore nothing is sent earlier: nobody is woken for what can wait
 */
export async function sendCard(
  rt: DomainRuntime,
  personId: number,
  purpose: Purpose,
  card: ActionCard,
  text: string,
  notBefore: Date = rt.clock.now(),
): Promise<number> {
  return send(rt, { kind: 'person', personId, purpose, texts: [text], card, nextAttemptAt: notBefore })
}

/**
 * Cards for many persons at once, each with the text for where there are no cards.
 * @param expiresAt nothing is sent from then on; null: it can always be sent
 */
export async function sendCards(
  rt: DomainRuntime,
  messages: { personId: number; card: ActionCard; text: string }[],
  purpose: Purpose,
  expiresAt: Date | null = null,
): Promise<void> {
  const now = rt.clock.now()
  for (let from = 0; from < messages.length; from += PORTION) {
    if (from > 0) await breathe()
    await insertOutgoing(
      rt.db,
      messages.slice(from, from + PORTION).map(({ personId, card, text }) => ({
        kind: 'person',
        personId,
        purpose,
        textsSealed: rt.vault.seal(JSON.stringify([text])),
        cardSealed: rt.vault.seal(JSON.stringify(card)),
        status: 'pending',
        nextAttemptAt: now,
        expiresAt,
        createdAt: now,
      })),
    )
  }
}

/** Puts messages to accounts on their way, whether or not they are bound to persons. */
export async function sendToIdentities(
  rt: DomainRuntime,
  messages: { identityId: number; text: string }[],
  purpose: Purpose,
  notBefore: Date = rt.clock.now(),
): Promise<void> {
  await sendInPortions(rt, messages, purpose, notBefore)
}

/** Has the buttons of a card that was sent replaced by a word. */
export async function askCardChange(
  rt: DomainRuntime,
  change: { address: string; responseCode: string; words: string },
): Promise<number> {
  const { address, responseCode, words } = change
  return send(rt, { kind: 'card_update', purpose: 'decision', texts: [responseCode, address, words] })
}

/** Puts a message to one account on its way: the answer to somebody who may not be bound to a person. */
export async function sendToIdentity(
  rt: DomainRuntime,
  identityId: number,
  purpose: Purpose,
  ...texts: string[]
): Promise<number> {
  return send(rt, { kind: 'person', identityId, purpose, texts })
}

/** The same with files behind the texts (`attachFile`): as files where the platform can, as links elsewhere. */
export async function sendWithFiles(
  rt: DomainRuntime,
  to: { personId: number } | { identityId: number },
  purpose: Purpose,
  content: { texts: string[]; files: Attachment[] },
): Promise<number> {
  return send(rt, { kind: 'person', ...to, purpose, ...content })
}

/**
 * Welcomes somebody who has just added a member of staff: once, and within 20 seconds or not at all.
 * @param welcomeCode of the event
 * @param since when the event says it happened; now when left out
 */
export async function sendWelcome(
  rt: DomainRuntime,
  welcomeCode: string,
  text: string,
  since: Date = rt.clock.now(),
): Promise<number> {
  const expiresAt = new Date(since.getTime() + WELCOME_MS)
  return send(rt, { kind: 'welcome', purpose: 'welcome', texts: [welcomeCode, text], expiresAt })
}

/**
 * Answers afterwards by the address that a chat robot's callback brought, within the hour or not at all.
 * @param responseUrl as good as a password: kept sealed with the text
 */
export async function sendResponse(
  rt: DomainRuntime,
  responseUrl: string,
  text: string,
  since: Date = rt.clock.now(),
): Promise<number> {
  const expiresAt = new Date(since.getTime() + RESPONSE_MS)
  return send(rt, { kind: 'response', purpose: 'reply', texts: [responseUrl, text], expiresAt })
}

/** Asks for something that only a platform can do, such as making a group or a person's own way into it. */
export async function askPlatform(
  rt: DomainRuntime,
  request: {
    kind: 'join_pass' | 'create_appchat' | 'add_to_appchat'
    groupId: number
    personId: number
    identityId?: number
  },
): Promise<number> {
  return send(rt, { ...request, purpose: 'pass', texts: [] })
}

async function send(
  rt: DomainRuntime,
  message: {
    kind: string
    personId?: number
    identityId?: number
    groupId?: number
    purpose: Purpose
    texts: string[]
    files?: Attachment[]
    card?: ActionCard
    expiresAt?: Date
    nextAttemptAt?: Date
  },
): Promise<number> {
  const now = rt.clock.now()
  const { texts, files = [], card, ...row } = message
  const [id] = await insertOutgoing(rt.db, [
    {
      nextAttemptAt: now,
      ...row,
      textsSealed: rt.vault.seal(JSON.stringify(texts)),
      filesSealed: files.length > 0 ? rt.vault.seal(JSON.stringify(files)) : null,
      cardSealed: card ? rt.vault.seal(JSON.stringify(card)) : null,
      status: 'pending',
      createdAt: now,
    },
  ])
  return id as number
}
