import { refuse } from '../api-error.ts'
import type { Core } from '../core.ts'
import type { MediaType } from '../media.ts'
import { byteLength, cutToBytes } from '../text.ts'
import type { Card } from '../types.ts'
import type { Content } from '../world.ts'
import { type Body, integer, optionalText, record, records, text } from './fields.ts'
import { cardText, readTemplateCard } from './template-card.ts'

/** What one interface allows: its message types with their limits in bytes. */
export interface ContentRules {
  types: string[]
  textBytes: number
  /** What happens to a longer text. */
  overlong: 'cut' | 'refuse'
  markdownBytes: number
  cards: 'all' | 'notices'
  /** Who must have uploaded a media_id used here. */
  mediaOwner: string
  /** In the log, where a cut happened. */
  where: string
  /** errcode for an empty text. */
  emptyCode?: number
}

const MEDIA_KINDS: Record<string, MediaType> = {
  image: 'image',
  voice: 'voice',
  video: 'video',
  file: 'file',
}
const MEDIA_NAMES: Record<MediaType, string> = {
  image: '[图片]',
  voice: '[语音]',
  video: '[视频]',
  file: '[文件]',
  thumb: '[图片]',
}
const EMPTY_TEXT = 44004

/** Checks the content of a message under an interface's rules and turns it into what arrives. */
export function readContent(core: Core, body: Body, rules: ContentRules): Content {
  const type = body.msgtype
  if (typeof type !== 'string' || !rules.types.includes(type))
    refuse(40008, `invalid message type ${String(type)}`)
  const part = record(body, type)
  switch (type) {
    case 'text':
      return { kind: 'text', text: bounded(core, readText(part, rules), rules) }
    case 'markdown':
    case 'markdown_v2':
      return { kind: 'markdown', text: capped(core, readText(part, rules), rules.markdownBytes) }
    case 'textcard':
      return readTextCard(core, part, rules)
    case 'news':
      return readNews(core, part, 'articles', rules)
    case 'mpnews':
      return readNews(core, part, 'articles', rules)
    case 'msgmenu':
      return readMenu(part)
    case 'template_card': {
      const card = readTemplateCard(part, rules.cards)
      return { kind: 'template_card', text: cardText(card), card }
    }
    case 'miniprogrampage': {
      const title = text(part, 'title')
      text(part, 'appid')
      text(part, 'pagepath')
      return cardContent('miniprogrampage', { title, source: '小程序' })
    }
    default:
      return readMedia(core, part, type, rules)
  }
}

function readText(part: Body, rules: ContentRules): string {
  return text(part, 'content', { code: rules.emptyCode ?? EMPTY_TEXT })
}

/** Over the limit the WeCom app's interface cuts in silence and others refuse. */
function bounded(core: Core, content: string, rules: ContentRules): string {
  const bytes = byteLength(content)
  if (!core.limits.has('contentSize') || bytes <= rules.textBytes) return content
  if (rules.overlong === 'refuse') refuse(45002, 'content size out of limit')
  core.log.add('cut', { where: rules.where, bytes, limit: rules.textBytes })
  return cutToBytes(content, rules.textBytes)
}

function capped(core: Core, content: string, bytes: number): string {
  if (core.limits.has('contentSize') && byteLength(content) > bytes)
    refuse(45002, 'content size out of limit')
  return content
}

/** Titles and descriptions beyond their number of characters are shortened by the platform. */
function shortened(core: Core, value: string, most: number, where: string): string {
  const characters = [...value]
  if (!core.limits.has('contentSize') || characters.length <= most) return value
  core.log.add('cut', { where, characters: characters.length, limit: most })
  return characters.slice(0, most).join('')
}

function cardContent(
  kind: string,
  card: Omit<Card, 'cardType' | 'rows' | 'buttons' | 'questions'> & Partial<Card>,
): Content {
  const full: Card = { cardType: kind, rows: [], buttons: [], questions: [], ...card }
  return { kind, text: cardText(full), card: full }
}

function readTextCard(core: Core, part: Body, rules: ContentRules): Content {
  const title = shortened(core, text(part, 'title'), 128, `${rules.where}/textcard.title`)
  const description = shortened(core, text(part, 'description'), 512, `${rules.where}/textcard.description`)
  const url = capped(core, text(part, 'url'), 2048)
  const more = optionalText(part, 'btntxt', { max: 4 }) ?? '详情'
  return cardContent('textcard', { title, description, url, buttons: [{ text: more, url }] })
}

function readNews(core: Core, part: Body, name: string, rules: ContentRules): Content {
  const articles = records(part, name, 8)
  const [first, ...others] = articles.map(article => {
    const url = optionalText(article, 'url')
    return {
      name: capped(core, text(article, 'title'), rules.where === 'webhook' ? 128 : 512),
      value: capped(core, optionalText(article, 'description') ?? '', 512),
      ...(url === undefined ? {} : { url }),
    }
  })
  if (!first) refuse(40058, 'invalid parameter: articles missing')
  return cardContent('news', {
    title: first.name,
    ...(first.value ? { description: first.value } : {}),
    ...(first.url ? { url: first.url } : {}),
    rows: others,
  })
}

/** A question with answers to tap; tapping sends the answer's text back. */
function readMenu(part: Body): Content {
  const items = records(part, 'list', 50)
  if (items.length === 0) refuse(40058, 'invalid parameter: list missing')
  const note = optionalText(part, 'tail_content')
  const title = optionalText(part, 'head_content')
  return cardContent('msgmenu', {
    buttons: items.map(item => ({ text: text(item, 'content'), key: String(item.id ?? '') })),
    ...(title ? { title } : {}),
    ...(note ? { note } : {}),
  })
}

function readMedia(core: Core, part: Body, type: string, rules: ContentRules): Content {
  const kind = MEDIA_KINDS[type]
  if (!kind) refuse(40008, `invalid message type ${type}`)
  const media = core.media.take(part.media_id, kind, rules.mediaOwner)
  return { kind, text: `${MEDIA_NAMES[kind]}${kind === 'file' ? media.fileName : ''}`, mediaId: media.id }
}

/** 0 or 1 (2 with mpnews). */
export function checkSafe(body: Body): void {
  integer(body, 'safe', 0, body.msgtype === 'mpnews' ? 2 : 1, 0)
}
