import { hash } from 'node:crypto'
import type { ChannelName, Update, UpdateBase } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import { type Fields, field, momentOf, smallField } from './fields.ts'

/** What is particular to a kind of update: all of it but the head. */
export type UpdateContent = Update extends infer Each
  ? Each extends Update
    ? Omit<Each, keyof UpdateBase>
    : never
  : never

/** Of a body that is signed for us and that we cannot read. */
export const UNREADABLE = 'unreadable'

/** Reads a body without its NULs, which no database holds as text; null when it cannot be read. */
export function readIfPossible(read: (body: string) => Fields, body: string): Fields | null {
  try {
    return read(body.includes('\0') ? body.replaceAll('\0', '') : body)
  } catch (error) {
    if (error instanceof ChannelError) return null
    throw error
  }
}

/**
 * Turns a body that is signed for us into an update. It is never refused: what cannot be read is an `unknown` update
 * that keeps the body.
 * @param fields of the body; null when it could not be read
 * @param interpret gives null for what it does not know
 */
export function readUpdate(
  channel: ChannelName,
  fields: Fields | null,
  body: string,
  now: Date,
  interpret: (fields: Fields) => UpdateContent | null,
): Update {
  if (!fields) return unreadable(channel, body, now)
  const address = field(fields, 'FromUserName') || 'sys'
  // apps of third parties get another head
  const recipient = field(fields, 'ToUserName') || field(fields, 'AuthCorpId') || field(fields, 'SuiteId')
  if (!isAccountId(address) || !isAccountId(recipient)) return unreadable(channel, body, now)
  const head = {
    channel,
    addressSpace: channel,
    dedupeKey: dedupeKeyOf(fields, body),
    address,
    recipient,
    at: momentOf(fields, 'CreateTime') ?? momentOf(fields, 'TimeStamp') ?? now,
  }
  return { ...head, ...(interpret(fields) ?? { kind: 'unknown', name: nameOf(fields), body }) }
}

/** An update of which nothing is known but when it came. */
export function unreadable(channel: ChannelName, body: string, now: Date): Update {
  return {
    channel,
    addressSpace: channel,
    dedupeKey: hashKey(body),
    address: 'sys',
    recipient: '',
    at: now,
    kind: 'unknown',
    name: UNREADABLE,
    body,
  }
}

/** How an unknown update is called: its type, `event:NAME`, `event:NAME/CHANGE` or `info:NAME`. */
function nameOf(fields: Fields): string {
  const type = field(fields, 'MsgType')
  const event = field(fields, 'Event')
  const info = field(fields, 'InfoType')
  const change = field(fields, 'ChangeType')
  if (type === 'event' || (type === '' && event !== ''))
    return event === '' ? UNREADABLE : safeName(`event:${event}${change === '' ? '' : `/${change}`}`)
  if (type !== '') return safeName(type)
  return info === '' ? UNREADABLE : safeName(`info:${info}`)
}

/** Names go into logs and pages. */
export function safeName(name: string): string {
  return name.slice(0, 100).replace(/[^\w:/.-]/g, '_')
}

/** An id that a database can hold and an index can find. */
export function isAccountId(value: string): boolean {
  // what ids are made of, first: the other question takes longer
  return value.length <= 128 && (/^[\w@.-]*$/.test(value) || !/\p{Cc}/u.test(value))
}

/**
 * What tells two updates apart: of texts the platform's message id, of anything else a hash of the decrypted body, which
 * is the same when the platform sends it again. Sender and second would not do for events: several can come from one
 * sender within a second. An id alone would not do for other kinds: an event names the message that it is about, and
 * samples of different kinds share one id.
 */
function dedupeKeyOf(fields: Fields, body: string): string {
  const messageId = field(fields, 'MsgId')
  const isOwn = /^\d{1,20}$/.test(messageId) && smallField(fields, 'MsgType') === 'text'
  return isOwn ? `id:${messageId}` : hashKey(body)
}

export function hashKey(body: string): string {
  return `hash:${hash('sha256', body, 'base64url')}`
}
