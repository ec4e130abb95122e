import { deleteConversation, saveConversation } from '../db/queries/identities.ts'
import type { Context } from './context.ts'

export type Answers = Record<string, string>

/** One question of a dialogue. */
export interface Field {
  name: string
  /** Not asked when it says so, such as a robot's address for an ordinary group. */
  isNeeded?(answers: Answers): boolean
  ask(ctx: Context, answers: Answers): Promise<string> | string
  /** Turns what was typed into the answer that is kept; `error` asks again and says why. */
  read(ctx: Context, text: string, answers: Answers): Promise<{ value: string } | { error: string }>
}

/**
 * A dialogue that collects answers one by one and then acts. What was given on one line is not asked again.
 *
 * Answers are kept in the clear until it ends, so the last field is the place for anything secret or personal.
 */
export interface Conversation {
  name: string
  /** Raised when the fields change, so that a stored dialogue of the old form is dropped and not misread. */
  version: number
  fields: Field[]
  finish(ctx: Context, answers: Answers): Promise<string>
}

const MINUTES = 30

/** Asks the next open question, or finishes when there is none. */
export async function advance(ctx: Context, conversation: Conversation, answers: Answers): Promise<string> {
  const next = conversation.fields.find(
    field => !(field.name in answers) && (field.isNeeded === undefined || field.isNeeded(answers)),
  )
  if (!next) {
    await leave(ctx)
    return conversation.finish(ctx, answers)
  }
  ctx.isInConversation = true
  await saveConversation(
    ctx.rt.db,
    ctx.actor.identityId,
    { name: conversation.name, version: conversation.version, step: next.name, answers },
    new Date(ctx.rt.clock.now().getTime() + MINUTES * 60_000),
  )
  return next.ask(ctx, answers)
}

/** Reads an answer to the question at `step` and goes on. null when the stored dialogue is of another form. */
export async function resume(
  ctx: Context,
  conversation: Conversation,
  stored: { version: number; step: string; answers: Answers },
): Promise<string | null> {
  const field = conversation.fields.find(each => each.name === stored.step)
  if (!field || stored.version !== conversation.version) return null
  const read = await field.read(ctx, ctx.text, stored.answers)
  if ('error' in read) return `${read.error}\n（不办了请回复：取消）`
  return advance(ctx, conversation, { ...stored.answers, [field.name]: read.value })
}

/** Ends whatever dialogue the account is in. */
export async function leave(ctx: Context): Promise<void> {
  if (!ctx.isInConversation) return
  ctx.isInConversation = false
  await deleteConversation(ctx.rt.db, ctx.actor.identityId)
}
