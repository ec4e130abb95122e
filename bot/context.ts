import type { Update } from '../server/channels/channel.ts'
import type { Actor, KnownActor } from '../server/domain/actor.ts'
import { makePage } from '../server/domain/pages/make-page.ts'
import type { DomainRuntime } from '../server/runtime.ts'
import type { Templates } from '../server/templates.ts'

/** What was said and by whom. Enough for an answer that reads and writes nothing. */
export interface Heard {
  templates: Templates
  update: Update
  actor: Omit<Actor, 'identityId'>
  /** The text as typed, normalised: full-width letters, digits and spaces are plain ones. */
  text: string
  /** What the account in use cannot do, in words; empty for one that can do all. */
  lacks: string[]
}

/** What a command or a conversation step works with: one update and who sent it, within one transaction. */
export interface Context extends Heard {
  rt: DomainRuntime
  updateId: number
  actor: Actor
  /** The dialogue of this account that is stored; another object once another one has begun. */
  dialogue: { name: string; answers?: Record<string, string> } | null
  /** UTF-8 bytes that one answer may have on this channel. */
  maxReplyBytes: number
}

/** A context whose account is bound to a person. Commands for `known` people and above get it. */
export type KnownContext = Context & { actor: KnownActor }

/** How many lines of a list are shown in the chat before it becomes a link. */
const LINES_IN_CHAT = 12

/** A list as a short text; a longer one as its first lines and a link to the whole. */
export async function listReply(ctx: Context, head: string, lines: string[], foot = ''): Promise<string> {
  const end = foot === '' ? [] : [foot]
  if (lines.length <= LINES_IN_CHAT) return [head, ...lines, ...end].join('\n')
  const link = await makePage(ctx.rt, { personId: ctx.actor.person?.id ?? null }, head, lines.join('\n'))
  return [
    head,
    ...lines.slice(0, LINES_IN_CHAT - 4),
    `……共 ${lines.length} 条，全部见：${link}`,
    ...end,
  ].join('\n')
}

/** Full-width forms become plain, line ends `\n`, and the spaces around go; the text itself stays. */
export function normaliseText(text: string): string {
  return text
    .replace(/[\uFF10-\uFF19\uFF21-\uFF3A\uFF41-\uFF5A]/g, character =>
      String.fromCharCode(character.charCodeAt(0) - 0xfee0),
    )
    .replace(/[\u3000\u00A0]/g, ' ')
    .replace(/\r\n?/g, '\n')
    .trim()
}
