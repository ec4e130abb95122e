import { linkText, readPlace } from '../callback/contents.ts'
import { type Fields, field } from '../callback/fields.ts'
import type { UpdateContent } from '../callback/update.ts'

/** A member's message to the app. @see https://developer.work.weixin.qq.com/document/path/90239 */
export function readMessage(type: string, fields: Fields): UpdateContent | null {
  switch (type) {
    case 'text':
      return { kind: 'text', text: field(fields, 'Content') }
    case 'image':
    case 'voice':
    case 'video':
    // these two are missing from the platform's list, and have been met
    case 'shortvideo':
    case 'file':
      return {
        kind: 'media',
        mediaType: type,
        mediaId: field(fields, 'MediaId') || null,
        url: field(fields, 'PicUrl') || null,
        text: '',
      }
    case 'link':
      return {
        kind: 'media',
        mediaType: type,
        mediaId: null,
        url: field(fields, 'Url') || null,
        text: linkText(fields),
      }
    case 'location':
      return readPlace('sent', fields)
    default:
      return null
  }
}
