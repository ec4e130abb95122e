import { deleteConversation, saveConversation } from '../db/queries/identities.ts'
import { plainWords } from './command.ts'
import type { Context } from './context.ts'

export type Answers = Record<string, string>

/** One question of a dialogue. */
export interface Field {
  name: string
  /** Not asked when it says so, such as a robot's address for an ordinary group. */
  isNeeded?(answers: Answers): boolean
  ask(ctx: Context, answers: Answers): Promise<string> | string
  /** The answer is a text of its own, so that only a bare command word interrupts it and no mark of it is dropped. */
  isText?: boolean
  /** Whether a text is an answer although it begins with a command word (改 便民 to the question for a category). */
  isAnswer?(text: string): boolean
  /**
   * Turns what was typed into the answer that is kept, with answers to other questions that follow from it; `error`
   * asks again and says why; `instead` changes other answers and asks this again.
   */
  read(
    ctx: Context,
    text: string,
    answers: Answers,
  ): Promise<{ value: string; also?: Answers } | { error: string } | { instead: Answers }>
}

/**
 * A dialogue that collects answers one by one and then acts. What was given on one line is not asked again.
 *
 * Answers are kept in the clear until it ends, so the last field is the place for anything secret or personal.
 */
export interface Conversation {
  name: string
  /** What people call it, such as 建群. */
  title: string
  /** The bot began it by itself: a command in its middle drops it without a word. */
  isOffer?: boolean
  /** An offer that stands for its time, whatever else is said or done meanwhile. */
  staysOpen?: boolean
  /** Raised when the fields change, so that a stored dialogue of the old form is dropped and not misread. */
  version: number
  fields: Field[]
  finish(ctx: Context, answers: Answers): Promise<string>
}

const MINUTES = 30

/** How long a dialogue that is kept now waits for an answer. */
export function expiryOf(ctx: Context): Date {
  return new Date(ctx.rt.clock.now().getTime() + MINUTES * 60_000)
}

/** Asks the next open question, or finishes when there is none. */
export async function advance(ctx: Context, conversation: Conversation, answers: Answers): Promise<string> {
  const next = conversation.fields.find(
    field => !(field.name in answers) && (field.isNeeded === undefined || field.isNeeded(answers)),
  )
  if (!next) {
    await leave(ctx)
    return conversation.finish(ctx, answers)
  }
  ctx.dialogue = { name: conversation.name }
  await saveConversation(
    ctx.rt.db,
    ctx.actor.identityId,
    { name: conversation.name, version: conversation.version, step: next.name, answers },
    expiryOf(ctx),
  )
  return next.ask(ctx, answers)
}

/** The question that a stored dialogue waits at; null when the dialogue is of another form than ours. */
export function openField(
  conversation: Conversation,
  stored: { version: number; step: string },
): Field | null {
  const field = conversation.fields.find(each => each.name === stored.step)
  return field && stored.version === conversation.version ? field : null
}

/** Reads an answer to the open question and goes on; `error` when it is no answer. */
export async function resume(
  ctx: Context,
  conversation: Conversation,
  field: Field,
  answers: Answers,
): Promise<{ reply: string } | { error: string }> {
  const read = await field.read(ctx, field.isText ? ctx.text : plainWords(ctx.text), answers)
  if ('error' in read) return read
  if ('instead' in read) return { reply: await advance(ctx, conversation, { ...answers, ...read.instead }) }
  return {
    reply: await advance(ctx, conversation, { ...answers, ...read.also, [field.name]: read.value }),
  }
}

/** Ends whatever dialogue the account is in. */
export async function leave(ctx: Context): Promise<void> {
  if (!ctx.dialogue) return
  ctx.dialogue = null
  await deleteConversation(ctx.rt.db, ctx.actor.identityId)
}
