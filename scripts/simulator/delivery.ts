import type { Core } from './core.ts'
import { DAY, HOUR, MINUTE } from './limits.ts'
import { excerpt } from './text.ts'
import type { ChatMessage, Via } from './types.ts'
import type { Content, PersonRecord, ResponseCode, SentMessage } from './world.ts'

/** Per app and member; the excess vanishes and nobody is told. @see developer.work.weixin.qq.com/document/path/90236 */
const MEMBER_PER_MINUTE = 30
const MEMBER_PER_HOUR = 1000
const RESPONSE_CODE_LIFE = 3 * DAY

/** Puts a message that the server sent by itself into a person's chat. */
export function deliver(
  core: Core,
  person: PersonRecord,
  via: Via,
  content: Content,
  how: string,
): ChatMessage {
  const message = core.world.addMessage(person, {
    at: core.clock.now(),
    from: 'bot',
    via,
    kind: content.kind,
    text: content.text,
    // the clicking person's card may change, so nobody shares one
    ...(content.card ? { card: structuredClone(content.card) } : {}),
    ...(content.mediaId ? { mediaId: content.mediaId } : {}),
  })
  core.log.add('delivered', {
    personId: person.id,
    via,
    how,
    messageId: message.id,
    messageKind: message.kind,
    text: excerpt(message.text, 500),
  })
  return message
}

/** Whether a member still takes a message of this app; the loss is in the log and nowhere else. */
export function memberTakes(core: Core, agentId: number, person: PersonRecord): boolean {
  if (!core.limits.has('memberFrequency')) return true
  const key = `member|${agentId}|${person.id}`
  const taken =
    core.limits.take(`${key}|m`, MEMBER_PER_MINUTE, MINUTE) &&
    core.limits.take(`${key}|h`, MEMBER_PER_HOUR, HOUR)
  if (!taken) core.log.add('dropped', { what: 'message', personId: person.id, reason: 'member frequency' })
  return taken
}

export function newResponseCode(core: Core, agentId: number, copies: SentMessage['copies']): string {
  const code = core.ids.letters(48)
  core.world.responseCodes.set(code, {
    agentId,
    copies,
    expiresAt: core.clock.now().getTime() + RESPONSE_CODE_LIFE,
    used: false,
  })
  return code
}

/** @returns the code's card copies, and uses it up; undefined when unknown, old, used or another app's. */
export function useResponseCode(core: Core, agentId: number, code: string): ResponseCode | undefined {
  const known = core.world.responseCodes.get(code)
  if (!known || known.used || known.agentId !== agentId || known.expiresAt < core.clock.now().getTime())
    return undefined
  known.used = true
  return known
}
