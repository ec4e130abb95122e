import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { byteLength } from '../text.ts'
import type { Content } from '../world.ts'
import { type Body, optionalText, record, records, text } from './fields.ts'

const TEXT_BYTES = 4000
const MOST_ATTACHMENTS = 9
const NAMES: Record<string, string> = {
  image: '[图片]',
  link: '[链接]',
  miniprogram: '[小程序]',
  video: '[视频]',
  file: '[文件]',
}
export const ATTACHMENT_TYPES = Object.keys(NAMES)

/** Text and attachments of a mass message or a welcome. @returns one content for each bubble. */
export function readBubbles(core: Core, app: WecomApp, body: Body): Content[] {
  const contents: Content[] = []
  if (body.text !== undefined) {
    const content = optionalText(record(body, 'text'), 'content')
    if (content !== undefined) {
      if (core.limits.has('contentSize') && byteLength(content) > TEXT_BYTES)
        refuse(45002, 'content size out of limit')
      contents.push({ kind: 'text', text: content })
    }
  }
  for (const attachment of records(body, 'attachments', MOST_ATTACHMENTS)) {
    const type = text(attachment, 'msgtype')
    if (!ATTACHMENT_TYPES.includes(type)) refuse(40058, `invalid parameter: attachment msgtype ${type}`)
    contents.push(readAttachment(core, app, type, record(attachment, type)))
  }
  if (contents.length === 0) refuse(40058, 'invalid parameter: text and attachments are both empty')
  return contents
}

/** One attachment by its type and the part that the type names. */
export function readAttachment(core: Core, app: WecomApp, type: string, part: Body): Content {
  const name = NAMES[type] ?? ''
  if (type === 'link') return readLink(core, part, name)
  if (type === 'miniprogram') {
    core.media.take(part.pic_media_id, 'image', app.corpId)
    text(part, 'appid')
    text(part, 'page')
    return { kind: type, text: `${name}${capped(core, text(part, 'title'), 64)}` }
  }
  if (type === 'image' && part.media_id === undefined) {
    text(part, 'pic_url')
    return { kind: type, text: name }
  }
  const media = core.media.take(part.media_id, type as 'image' | 'video' | 'file', app.corpId)
  return { kind: type, text: type === 'file' ? `${name}${media.fileName}` : name, mediaId: media.id }
}

function readLink(core: Core, part: Body, name: string): Content {
  const title = capped(core, text(part, 'title'), 128)
  const url = capped(core, text(part, 'url'), 2048)
  const description = capped(core, optionalText(part, 'desc') ?? '', 512)
  const card = { cardType: 'link', title, url, rows: [], buttons: [], questions: [] }
  return {
    kind: 'link',
    text: `${name}${title}`,
    card: { ...card, ...(description ? { description } : {}) },
  }
}

function capped(core: Core, value: string, bytes: number): string {
  if (core.limits.has('contentSize') && byteLength(value) > bytes) refuse(45002, 'content size out of limit')
  return value
}
