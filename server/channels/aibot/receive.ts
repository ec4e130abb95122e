import { tapped } from '../callback/contents.ts'
import { branch, branchList, type Fields, field, fieldList, momentOf } from '../callback/fields.ts'
import { readJson } from '../callback/json.ts'
import {
  hashKey,
  isAccountId,
  readIfPossible,
  safeName,
  UNREADABLE,
  type UpdateContent,
  unreadable,
} from '../callback/update.ts'
import type { ChannelName, Reception, UpdateBase } from '../channel.ts'

/**
 * Turns a decrypted callback of the chat robot into an update, or into the platform's question for the rest of an answer.
 * @param addressSpace whose ids its users have
 * @see https://developer.work.weixin.qq.com/document/path/100719
 */
export function readAibotCallback(
  body: string,
  now: Date,
  addressSpace: ChannelName,
): Exclude<Reception, { kind: 'verification' }> {
  const fields = readIfPossible(readJson, body)
  const address = fields ? field(branch(fields, 'from'), 'userid') || 'sys' : ''
  const recipient = fields ? field(fields, 'aibotid') : ''
  if (!fields || !isAccountId(address) || !isAccountId(recipient))
    return { kind: 'update', update: { ...unreadable('aibot', body, now), addressSpace } }
  const responseUrl = field(fields, 'response_url')
  const head: UpdateBase = {
    channel: 'aibot',
    addressSpace,
    dedupeKey: dedupeKeyOf(fields, body),
    address,
    recipient,
    at: momentOf(fields, 'create_time') ?? now,
    ...(responseUrl === '' ? {} : { responseUrl }),
  }
  const streamId = field(branch(fields, 'stream'), 'id')
  // the id of a stream is the key of the update that it answers: we gave it out so
  if (field(fields, 'msgtype') === 'stream' && streamId !== '')
    return { kind: 'poll', about: { ...head, dedupeKey: streamId } }
  const content = readContent(fields) ?? { kind: 'unknown', name: nameOf(fields), body }
  return { kind: 'update', update: { ...head, ...content } }
}

/** Of texts the platform's id, of anything else a hash of the body: samples of different kinds share one id. */
function dedupeKeyOf(fields: Fields, body: string): string {
  const messageId = field(fields, 'msgid')
  // anything else could be too long or too odd for the database's index
  const isOwn = field(fields, 'msgtype') === 'text' && /^[\w+/=.:@-]{1,100}$/.test(messageId)
  return isOwn ? `id:${messageId}` : hashKey(body)
}

function nameOf(fields: Fields): string {
  const type = field(fields, 'msgtype')
  const event = field(branch(fields, 'event'), 'eventtype')
  if (type !== 'event') return type === '' ? UNREADABLE : safeName(type)
  return event === '' ? UNREADABLE : safeName(`event:${event}`)
}

function readContent(fields: Fields): UpdateContent | null {
  const type = field(fields, 'msgtype')
  const place = placeOf(fields)
  switch (type) {
    case 'text':
      return { kind: 'text', text: wordsOf(fields), ...place }
    case 'image':
    case 'voice':
    case 'file':
    case 'video':
    case 'mixed':
      return {
        kind: 'media',
        mediaType: type,
        mediaId: null,
        url: urlOf(type, fields),
        text: wordsOf(fields),
        ...place,
      }
    case 'event':
      return readEvent(branch(fields, 'event'), place)
    default:
      return null
  }
}

interface Place {
  isPublic?: boolean
  chatId?: string
}

/** Only a group's callbacks name a chat: where the type of the chat is missing, that decides. */
function isInGroup(fields: Fields): boolean {
  const type = field(fields, 'chattype')
  return type === 'group' || (type === '' && field(fields, 'chatid') !== '')
}

/** In a group everybody reads along. */
function placeOf(fields: Fields): Place {
  if (!isInGroup(fields)) return {}
  const chatId = field(fields, 'chatid')
  return { isPublic: true, ...(chatId === '' ? {} : { chatId }) }
}

/** What somebody says without the name they call the robot by; what they quote, when they say nothing else. */
function wordsOf(fields: Fields): string {
  const said = spokenIn(fields)
  // only a mention brings a group's message here. The robot's name is not known to it
  const own = isInGroup(fields) ? said.replace(/^\s*@\S+/, '') : said
  return own.trim() || spokenIn(branch(fields, 'quote')).trim()
}

/** The words of a message or of a quoted one: typed, recognised from a voice, or between pictures. */
function spokenIn(fields: Fields): string {
  switch (field(fields, 'msgtype')) {
    case 'text':
      return field(branch(fields, 'text'), 'content')
    case 'voice':
      return field(branch(fields, 'voice'), 'content')
    case 'mixed':
      return mixedItems(fields)
        .map(spokenIn)
        .filter(text => text !== '')
        .join('\n')
    default:
      return ''
  }
}

/** Addresses live five minutes, and what is behind them is encrypted with the callback's key. */
function urlOf(type: string, fields: Fields): string | null {
  const image = mixedItems(fields).find(item => field(item, 'msgtype') === 'image')
  const holder = type === 'mixed' ? (image ? branch(image, 'image') : undefined) : branch(fields, type)
  return (holder && field(holder, 'url')) || null
}

function mixedItems(fields: Fields): Fields[] {
  return branchList(branch(fields, 'mixed'), 'msg_item')
}

/** @see https://developer.work.weixin.qq.com/document/path/101027 */
function readEvent(event: Fields, place: Place): UpdateContent | null {
  const type = field(event, 'eventtype')
  // the platform's own samples have the branch; the same without it has been met
  const about = event.has(type) ? branch(event, type) : event
  switch (type) {
    case 'enter_chat':
      return { kind: 'entered' }
    case 'template_card_event':
      return {
        ...tapped(field(about, 'event_key')),
        taskId: field(about, 'task_id') || null,
        cardType: field(about, 'card_type') || null,
        selected: branchList(branch(about, 'selected_items'), 'selected_item').map(item => ({
          question: field(item, 'question_key'),
          options: fieldList(branch(item, 'option_ids'), 'option_id'),
        })),
        ...place,
      }
    case 'feedback_event':
      return {
        kind: 'feedback',
        feedbackId: field(about, 'id'),
        rating: field(about, 'type'),
        reasons: fieldList(about, 'inaccurate_reason_list'),
        text: field(about, 'content'),
      }
    default:
      return null
  }
}
