import { readDocument } from '../callback/document.ts'
import { type Fields, smallField } from '../callback/fields.ts'
import { readIfPossible, readUpdate, type UpdateContent } from '../callback/update.ts'
import type { Update } from '../channel.ts'
import { readAppEvent } from './receive-app-event.ts'
import { readCorpEvent } from './receive-corp-event.ts'
import { readMessage } from './receive-message.ts'

/** Turns a decrypted WeCom callback into an update. @see https://developer.work.weixin.qq.com/document/path/90239 */
export function readWecomUpdate(body: string, now: Date): Update {
  return readUpdate('wecom', readIfPossible(readDocument, body), body, now, readContent)
}

function readContent(fields: Fields): UpdateContent | null {
  const type = smallField(fields, 'MsgType')
  if (type !== '' && type !== 'event') return readMessage(type, fields)
  // apps of third parties name the event in InfoType
  const event = smallField(fields, 'Event') || smallField(fields, 'InfoType')
  return readAppEvent(event, fields) ?? readCorpEvent(event, fields)
}
