import { readMenuEvent, readReportedPlace, readSent, tapped } from '../callback/contents.ts'
import { type Fields, field, smallField } from '../callback/fields.ts'
import { readUpdate, type UpdateContent } from '../callback/update.ts'
import type { Update } from '../channel.ts'
import { commandOfMenuItem } from './menu-items.ts'
import { readResult } from './receive-result.ts'

/**
 * Turns a plain or decrypted Official Account callback into an update.
 * @param fields of the body; null when it could not be read
 */
export function readOfficialAccountUpdate(fields: Fields | null, body: string, now: Date): Update {
  return readUpdate('official-account', fields, body, now, readContent)
}

function readContent(fields: Fields): UpdateContent | null {
  const type = smallField(fields, 'MsgType')
  switch (type) {
    case 'text': {
      const command = commandOfMenuItem(field(fields, 'bizmsgmenuid'))
      return command === null ? { kind: 'text', text: field(fields, 'Content') } : tapped(command)
    }
    case 'event':
      return readEvent(smallField(fields, 'Event'), fields)
    default:
      return readSent(type, fields)
  }
}

/** Before the scene in the key of somebody who began to follow by scanning a QR code. */
const SCENE = 'qrscene_'

/** @param event in small letters: the platform has some in capitals, and not always the same */
function readEvent(event: string, fields: Fields): UpdateContent | null {
  const key = field(fields, 'EventKey')
  const isScene = key.startsWith(SCENE)
  switch (event) {
    case 'subscribe':
      return { kind: 'followed', scene: isScene ? key.slice(SCENE.length) : null, isScan: false }
    case 'scan':
      return { kind: 'followed', scene: (isScene ? key.slice(SCENE.length) : key) || null, isScan: true }
    case 'unsubscribe':
      return { kind: 'unfollowed' }
    case 'location':
      return readReportedPlace(fields)
    default:
      return readMenuEvent(event, fields) ?? readResult(event, fields)
  }
}
