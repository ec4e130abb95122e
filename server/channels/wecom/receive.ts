import { createdAt, dedupeKeyOf, field, requiredField, type XmlFields, type XmlValue } from '../callback.ts'
import type { GroupChange, Update } from '../channel.ts'

/** Turns a decrypted WeCom callback into an update. @see https://developer.work.weixin.qq.com/document/path/90239 */
export function readWecomUpdate(fields: XmlFields, body: string): Update {
  const base = {
    channel: 'wecom' as const,
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
      return { ...base, kind: 'media', mediaType: type, mediaId: field(fields, 'MediaId') || null, text: '' }
    case 'link':
      return { ...base, kind: 'media', mediaType: type, mediaId: null, text: linkText(fields) }
    case 'location':
      return { ...base, kind: 'media', mediaType: type, mediaId: null, text: field(fields, 'Label') }
    case 'event':
      return readEvent(base, fields)
    default:
      return { ...base, kind: 'unknown', name: type }
  }
}

type Base = Pick<Update, 'dedupeKey' | 'address' | 'recipient' | 'at'> & { channel: 'wecom' }

function readEvent(base: Base, fields: XmlFields): Update {
  const event = requiredField(fields, 'Event')
  switch (event) {
    case 'subscribe':
      return { ...base, kind: 'followed', scene: null }
    case 'unsubscribe':
      return { ...base, kind: 'unfollowed' }
    case 'click':
      return { ...base, kind: 'tapped', key: field(fields, 'EventKey'), responseCode: null }
    case 'template_card_event':
      return {
        ...base,
        kind: 'tapped',
        key: field(fields, 'EventKey'),
        responseCode: field(fields, 'ResponseCode') || null,
      }
    case 'change_external_chat':
      return {
        ...base,
        kind: 'group',
        change: groupChange(field(fields, 'ChangeType'), field(fields, 'UpdateDetail')),
        chatId: requiredField(fields, 'ChatId'),
        addresses: memberList(fields.MemChangeList),
        lastVersion: field(fields, 'LastMemVer'),
        version: field(fields, 'CurMemVer'),
      }
    default:
      return { ...base, kind: 'unknown', name: `event:${event}` }
  }
}

/** @see https://developer.work.weixin.qq.com/document/path/92130 */
function groupChange(changeType: string, detail: string): GroupChange {
  if (changeType === 'create') return 'created'
  if (changeType === 'dismiss') return 'dismissed'
  return changes.get(detail) ?? 'other'
}

const changes: ReadonlyMap<string, GroupChange> = new Map([
  ['add_member', 'joined'],
  ['del_member', 'left'],
  ['change_owner', 'owner_changed'],
  ['change_name', 'renamed'],
])

/** Newer servers send `<Item>`s, older clients one text with commas; it may be missing. */
function memberList(value: XmlValue | undefined): string[] {
  const items = typeof value === 'object' && !Array.isArray(value) ? value.Item : value
  const list = Array.isArray(items) ? items : items === undefined ? [] : [items]
  return list
    .filter(item => typeof item === 'string')
    .flatMap(item => item.split(','))
    .map(item => item.trim())
    .filter(item => item !== '')
}

function linkText(fields: XmlFields): string {
  return [field(fields, 'Title'), field(fields, 'Description')].filter(part => part !== '').join('\n')
}
