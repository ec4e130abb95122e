import { readSent } from '../callback/contents.ts'
import { type Fields, field } from '../callback/fields.ts'
import type { UpdateContent } from '../callback/update.ts'

/** A member's message to the app. @see https://developer.work.weixin.qq.com/document/path/90239 */
export function readMessage(type: string, fields: Fields): UpdateContent | null {
  return type === 'text' ? { kind: 'text', text: field(fields, 'Content') } : readSent(type, fields)
}
