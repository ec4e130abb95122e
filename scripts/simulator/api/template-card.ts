import { refuse } from '../api-error.ts'
import { byteLength } from '../text.ts'
import type { Card, CardButton, CardQuestion } from '../types.ts'
import { type Body, isRecord, optionalText, record, text } from './fields.ts'

// The official list gives template cards the codes 42014 to 42052; which means what was not to be had, so each check
// has one code of its own within that range.
const CODES = {
  taskId: 42014,
  cardType: 42015,
  buttonKey: 42017,
  buttons: 42018,
  buttonText: 42020,
  optionId: 42023,
  question: 42024,
  questionKey: 42025,
  submit: 42026,
  title: 42028,
  list: 42030,
  image: 42032,
  source: 42034,
  action: 42036,
  quote: 42038,
  url: 42040,
}
const TITLE_BYTES = 1024
const KEY_BYTES = 1024
const URL_BYTES = 2048

const NOTICES = ['text_notice', 'news_notice']
const INTERACTIVE = ['button_interaction', 'vote_interaction', 'multiple_interaction']
const TASK_ID = /^[0-9A-Za-z_\-@]+$/

function list(card: Body, name: string, max: number, code: number): Body[] {
  const value = card[name] ?? []
  if (!Array.isArray(value) || !value.every(isRecord))
    refuse(code, `template_card: ${name} must be a list of objects`)
  if (value.length > max) refuse(code, `template_card: ${name} holds more than ${max}`)
  return value
}

/** Where a row leads: a page, or a file by its media id. */
function rowTarget(item: Body): string | undefined {
  if (item.type === 1) return readUrl(item)
  text(item, 'media_id', { code: CODES.list })
  return undefined
}

function inner(card: Body, name: string): Body {
  const value = card[name]
  return isRecord(value) ? value : {}
}

/** A key that comes back in an event. */
function readKey(part: Body, name: string): string {
  const key = text(part, name, { code: CODES.buttonKey })
  if (byteLength(key) > KEY_BYTES) refuse(CODES.buttonKey, `template_card: ${name} longer than 1024 bytes`)
  return key
}

function readUrl(part: Body, code = CODES.url): string {
  const url = text(part, 'url', { code })
  if (byteLength(url) > URL_BYTES) refuse(CODES.url, 'template_card: url longer than 2048 bytes')
  return url
}

function readButtons(card: Body): CardButton[] {
  const buttons = list(card, 'button_list', 6, CODES.buttons)
  return buttons.map(button => {
    const style = button.style ?? 1
    if (typeof style !== 'number' || ![1, 2, 3, 4].includes(style))
      refuse(CODES.buttons, 'template_card: button style must be 1 to 4')
    if (button.type !== undefined && button.type !== 0 && button.type !== 1)
      refuse(CODES.buttons, 'template_card: button type must be 0 or 1')
    const label = text(button, 'text', { code: CODES.buttonText })
    if (button.type === 1) return { text: label, url: readUrl(button), style }
    return { text: label, key: readKey(button, 'key'), style }
  })
}

function readQuestion(question: Body, multiple: boolean, most: number): CardQuestion {
  const options = list(question, 'option_list', most, CODES.question).map(option => {
    const id = text(option, 'id', { code: CODES.optionId })
    if (byteLength(id) > 128) refuse(CODES.optionId, 'template_card: option id longer than 128 bytes')
    return { id, text: text(option, 'text', { code: CODES.question }) }
  })
  if (options.length === 0) refuse(CODES.question, 'template_card: option_list missing')
  if (new Set(options.map(option => option.id)).size < options.length)
    refuse(CODES.optionId, 'template_card: option ids repeat')
  const selected = optionalText(question, 'selected_id')
  if (selected !== undefined && !options.some(option => option.id === selected))
    refuse(CODES.optionId, 'template_card: selected_id is not among the options')
  const title = optionalText(question, 'title')
  const questionKey = text(question, 'question_key', { code: CODES.questionKey })
  if (byteLength(questionKey) > KEY_BYTES)
    refuse(CODES.questionKey, 'template_card: question_key longer than 1024 bytes')
  return { questionKey, multiple, options, ...(title === undefined ? {} : { title }) }
}

/**
 * Checks a template card field by field and turns it into what a person sees.
 * @see developer.work.weixin.qq.com/document/path/90236
 * @param types card types allowed here: a webhook takes only the two notices.
 */
export function readTemplateCard(card: Body, types: 'all' | 'notices'): Card {
  const cardType = text(card, 'card_type', { code: CODES.cardType })
  const allowed = types === 'all' ? [...NOTICES, ...INTERACTIVE] : NOTICES
  if (!allowed.includes(cardType)) refuse(CODES.cardType, `template_card: invalid card_type ${cardType}`)

  const taskId = optionalText(card, 'task_id')
  if (taskId !== undefined && (!TASK_ID.test(taskId) || byteLength(taskId) > 128))
    refuse(CODES.taskId, 'template_card: invalid task_id')
  const menu = card.action_menu === undefined ? undefined : record(card, 'action_menu')
  const actions = menu ? list(menu, 'action_list', 3, CODES.action) : []
  if (menu && actions.length === 0) refuse(CODES.action, 'template_card: action_list must hold 1 to 3')
  if (taskId === undefined && (INTERACTIVE.includes(cardType) || menu))
    refuse(CODES.taskId, 'template_card: task_id missing')

  const main = inner(card, 'main_title')
  const title = optionalText(main, 'title')
  const subtitle = optionalText(card, 'sub_title_text')
  if (cardType === 'text_notice' ? title === undefined && subtitle === undefined : title === undefined) {
    refuse(CODES.title, 'template_card: main_title missing')
  }

  const action = inner(card, 'card_action')
  if (NOTICES.includes(cardType)) {
    if (action.type !== 1 && action.type !== 2) refuse(CODES.action, 'template_card: card_action missing')
    if (action.type === 1) readUrl(action, CODES.action)
    else text(action, 'appid', { code: CODES.action })
  }
  if (cardType === 'news_notice' && card.card_image === undefined && card.image_text_area === undefined) {
    refuse(CODES.image, 'template_card: card_image missing')
  }

  if (title !== undefined && byteLength(title) > TITLE_BYTES)
    refuse(CODES.title, 'template_card: main_title too long')
  if (card.card_image !== undefined) {
    const { aspect_ratio: ratio = 1.5, url } = inner(card, 'card_image')
    if (typeof url !== 'string' || url === '') refuse(CODES.image, 'template_card: card_image.url missing')
    if (typeof ratio !== 'number' || ratio <= 1.3 || ratio >= 2.25)
      refuse(CODES.image, 'template_card: aspect_ratio must be above 1.3 and below 2.25')
  }
  const colour = inner(card, 'source').desc_color ?? 0
  if (typeof colour !== 'number' || ![0, 1, 2, 3].includes(colour))
    refuse(CODES.source, 'template_card: source.desc_color must be 0 to 3')

  const rows = list(card, 'horizontal_content_list', 6, CODES.list).map(item => {
    const url = item.type === 1 || item.type === 2 ? rowTarget(item) : undefined
    if (item.type === 3) text(item, 'userid', { code: CODES.list })
    return {
      name: text(item, 'keyname', { code: CODES.list }),
      value: optionalText(item, 'value') ?? '',
      ...(url ? { url } : {}),
    }
  })
  for (const item of list(card, 'vertical_content_list', 4, CODES.list)) {
    rows.push({ name: text(item, 'title', { code: CODES.list }), value: optionalText(item, 'desc') ?? '' })
  }

  const buttons = readButtons(card)
  for (const jump of list(card, 'jump_list', 3, CODES.list)) {
    const url = jump.type === 1 ? readUrl(jump) : undefined
    if (jump.type === 2) text(jump, 'appid', { code: CODES.list })
    buttons.push({ text: text(jump, 'title', { code: CODES.list }), ...(url ? { url } : {}) })
  }
  for (const item of actions) {
    const key = readKey(item, 'key')
    buttons.push({ text: text(item, 'text', { code: CODES.action }), key, menu: true })
  }

  const questions: CardQuestion[] = []
  if (cardType === 'button_interaction') {
    if (list(card, 'button_list', 6, CODES.buttons).length === 0)
      refuse(CODES.buttons, 'template_card: button_list missing')
    if (card.button_selection !== undefined)
      questions.push(readQuestion(record(card, 'button_selection'), false, 10))
  }
  if (cardType === 'vote_interaction') {
    const box = inner(card, 'checkbox')
    if (box.mode !== undefined && box.mode !== 0 && box.mode !== 1)
      refuse(CODES.question, 'template_card: checkbox.mode must be 0 or 1')
    questions.push(readQuestion(box, box.mode === 1, 20))
  }
  if (cardType === 'multiple_interaction') {
    const selects = list(card, 'select_list', 3, CODES.question)
    if (selects.length === 0) refuse(CODES.question, 'template_card: select_list missing')
    questions.push(...selects.map(select => readQuestion(select, false, 10)))
  }
  if (cardType === 'vote_interaction' || cardType === 'multiple_interaction') {
    const submit = inner(card, 'submit_button')
    buttons.push({ text: text(submit, 'text', { code: CODES.submit }), key: readKey(submit, 'key') })
    const questionKeys = questions.map(question => question.questionKey)
    if (new Set(questionKeys).size < questionKeys.length)
      refuse(CODES.questionKey, 'template_card: question keys repeat')
  }
  const keys = buttons.flatMap(button => (button.key === undefined ? [] : [button.key]))
  if (new Set(keys).size < keys.length) refuse(CODES.buttonKey, 'template_card: button keys repeat')

  const description = [optionalText(main, 'desc'), subtitle].filter(line => line !== undefined).join('\n')
  const source = optionalText(inner(card, 'source'), 'desc')
  const emphasis = inner(card, 'emphasis_content')
  const emphasised = [optionalText(emphasis, 'title'), optionalText(emphasis, 'desc')]
    .filter(Boolean)
    .join(' ')
  const quote = inner(card, 'quote_area')
  if (quote.type === 1) readUrl(quote, CODES.quote)
  const quoted = [optionalText(quote, 'title'), optionalText(quote, 'quote_text')].filter(Boolean).join('\n')
  const url = action.type === 1 ? optionalText(action, 'url') : undefined
  return {
    cardType,
    rows,
    buttons,
    questions,
    ...(title === undefined ? {} : { title }),
    ...(description ? { description } : {}),
    ...(source ? { source } : {}),
    ...(emphasised ? { emphasis: emphasised } : {}),
    ...(quoted ? { quote: quoted } : {}),
    ...(url ? { url } : {}),
    ...(taskId ? { taskId } : {}),
  }
}

/** What the log and a chat's search show of a card. */
export function cardText(card: Card): string {
  const rows = card.rows.map(row => `${row.name}：${row.value}`)
  return [card.title, card.description, card.emphasis, card.quote, ...rows].filter(Boolean).join('\n')
}
