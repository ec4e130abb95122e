import type { PassiveFields } from './channel.ts'
import type { Core } from './core.ts'
import { byteLength, cutToBytes, excerpt } from './text.ts'
import type { Card, ChatMessage, Via } from './types.ts'
import type { Content, PersonRecord } from './world.ts'
import { type ParsedXml, textOf } from './xml.ts'

const TEXT_BYTES = 2048

const asFields = (value: ParsedXml | ParsedXml[] | undefined): PassiveFields =>
  typeof value === 'object' && !Array.isArray(value) ? value : {}

const asList = (value: ParsedXml | ParsedXml[] | undefined): ParsedXml[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

function readNews(fields: PassiveFields): Content {
  const articles = asList(asFields(fields.Articles).item).map(item => {
    const article = asFields(item)
    const url = textOf(article, 'Url')
    return {
      name: textOf(article, 'Title') ?? '',
      value: textOf(article, 'Description') ?? '',
      ...(url ? { url } : {}),
    }
  })
  const [first, ...rows] = articles
  const card: Card = {
    cardType: 'news',
    title: first?.name ?? '',
    rows,
    buttons: [],
    questions: [],
    ...(first?.value ? { description: first.value } : {}),
    ...(first?.url ? { url: first.url } : {}),
  }
  return { kind: 'news', text: articles.map(article => article.name).join('\n'), card }
}

const MEDIA: Record<string, [tag: string, name: string]> = {
  image: ['Image', '[图片]'],
  voice: ['Voice', '[语音]'],
  video: ['Video', '[视频]'],
  music: ['Music', '[音乐]'],
}

function readContent(core: Core, fields: PassiveFields): Content {
  const type = textOf(fields, 'MsgType') ?? ''
  if (type === 'news') return readNews(fields)
  const media = MEDIA[type]
  if (media) {
    const mediaId = textOf(asFields(fields[media[0]]), 'MediaId')
    return { kind: type, text: media[1], ...(mediaId ? { mediaId } : {}) }
  }
  if (type === 'transfer_customer_service') return { kind: type, text: '[转人工客服]' }
  const text = textOf(fields, 'Content') ?? ''
  const bytes = byteLength(text)
  if (!core.limits.has('contentSize') || bytes <= TEXT_BYTES) return { kind: 'text', text }
  core.log.add('cut', { where: 'passive reply', bytes, limit: TEXT_BYTES })
  return { kind: 'text', text: cutToBytes(text, TEXT_BYTES) }
}

/** A passive update changes the card of the person who tapped, and only that one. */
function updateCard(fields: PassiveFields, tapped: ChatMessage | undefined): ChatMessage | undefined {
  if (!tapped?.card) return undefined
  const isButton = textOf(fields, 'MsgType') === 'update_button'
  const replaced = isButton
    ? textOf(asFields(fields.Button), 'ReplaceName')
    : textOf(asFields(fields.TemplateCard), 'ReplaceText')
  if (replaced !== undefined) tapped.card.replacedText = replaced
  if (isButton) return tapped
  const update = asFields(fields.TemplateCard)
  const main = asFields(update.MainTitle)
  const title = textOf(main, 'Title')
  const description = [textOf(main, 'Desc'), textOf(update, 'SubTitleText')].filter(Boolean).join('\n')
  if (title !== undefined) tapped.card.title = title
  if (description !== '') tapped.card.description = description
  const rows = asList(update.HorizontalContentList).map(asFields)
  if (rows.length > 0) {
    tapped.card.rows = rows.map(row => ({
      name: textOf(row, 'KeyName') ?? '',
      value: textOf(row, 'Value') ?? '',
    }))
  }
  return tapped
}

/** Puts a passive reply, already checked, into the person's chat. */
export function recordReply(
  core: Core,
  person: PersonRecord,
  via: Via,
  fields: PassiveFields,
  tapped?: ChatMessage,
): ChatMessage | undefined {
  const type = textOf(fields, 'MsgType') ?? ''
  let message: ChatMessage | undefined
  if (type === 'update_button' || type === 'update_template_card') {
    message = updateCard(fields, tapped)
    if (!message) core.log.add('bad_reply', { which: via, label: type, reason: 'no card was tapped' })
  } else {
    const content = readContent(core, fields)
    message = core.world.addMessage(person, {
      at: core.clock.now(),
      from: 'bot',
      via,
      passive: true,
      ...content,
    })
  }
  if (message) {
    core.log.add('replied', {
      personId: person.id,
      via,
      replyKind: type,
      messageId: message.id,
      text: excerpt(message.text, 500),
    })
  }
  return message
}
