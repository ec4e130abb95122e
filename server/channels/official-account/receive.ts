import { createdAt, dedupeKeyOf, field, requiredField, type XmlFields } from '../callback.ts'
import type { Update } from '../channel.ts'

/** Turns a plain or decrypted Official Account callback into an update. */
export function readOfficialAccountUpdate(fields: XmlFields, body: string): Update {
  const base = {
    channel: 'official-account' as const,
    dedupeKey: dedupeKeyOf(fields, body),
    address: requiredField(fields, 'FromUserName'),
    recipient: requiredField(fields, 'ToUserName'),
    at: createdAt(fields),
  }
  const type = requiredField(fields, 'MsgType')
  switch (type) {
    case 'text':
      return { ...base, kind: 'text', text: field(fields, 'Content') }
    case 'image':
    case 'voice':
    case 'video':
    case 'shortvideo':
      return {
        ...base,
        kind: 'media',
        mediaType: type,
        mediaId: field(fields, 'MediaId') || null,
        text: field(fields, 'Recognition'),
      }
    case 'link':
      return {
        ...base,
        kind: 'media',
        mediaType: type,
        mediaId: null,
        text: [field(fields, 'Title'), field(fields, 'Description')].filter(part => part !== '').join('\n'),
      }
    case 'location':
      return { ...base, kind: 'media', mediaType: type, mediaId: null, text: field(fields, 'Label') }
    case 'event':
      break
    default:
      return { ...base, kind: 'unknown', name: type }
  }
  const event = requiredField(fields, 'Event')
  const key = field(fields, 'EventKey')
  switch (event) {
    case 'subscribe':
      return {
        ...base,
        kind: 'followed',
        scene: key.startsWith('qrscene_') ? key.slice('qrscene_'.length) : null,
      }
    case 'SCAN':
      return { ...base, kind: 'followed', scene: key || null }
    case 'unsubscribe':
      return { ...base, kind: 'unfollowed' }
    case 'CLICK':
      return { ...base, kind: 'tapped', key, responseCode: null }
    default:
      return { ...base, kind: 'unknown', name: `event:${event}` }
  }
}
