import { refuse } from '../api-error.ts'
import { byteLength } from '../text.ts'
import type { Card, CardButton, CardQuestion } from '../types.ts'
import { type Body, isRecord, optionalText, record, records, text } from './fields.ts'

// The official list gives template cards the codes 42014 to 42052; which means what was not to be had, so each check
// has one code of its own within that range.
const CODES = {
  cardType: 42015,
  taskId: 42014,
  buttons: 42018,
  question: 42024,
  action: 42036,
  title: 42028,
  list: 42030,
}

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

function inner(card: Body, name: string): Body {
  const value = card[name]
  return isRecord(value) ? value : {}
}

function readButtons(card: Body): CardButton[] {
  const buttons = list(card, 'button_list', 6, CODES.buttons)
  return buttons.map(button => {
    const style = typeof button.style === 'number' ? button.style : 1
    if (style < 1 || style > 4) refuse(CODES.buttons, 'template_card: button style must be 1 to 4')
    const label = text(button, 'text', { code: CODES.buttons })
    if (button.type === 1) return { text: label, url: text(button, 'url', { code: CODES.buttons }), style }
    const key = text(button, 'key', { code: CODES.buttons })
    if (byteLength(key) > 1024) refuse(CODES.buttons, 'template_card: button key longer than 1024 bytes')
    return { text: label, key, style }
  })
}

function readQuestion(question: Body, multiple: boolean, most: number): CardQuestion {
  const options = list(question, 'option_list', most, CODES.question).map(option => {
    const id = text(option, 'id', { code: CODES.question })
    if (byteLength(id) > 128) refuse(CODES.question, 'template_card: option id longer than 128 bytes')
    return { id, text: text(option, 'text', { code: CODES.question }) }
  })
  if (options.length === 0) refuse(CODES.question, 'template_card: option_list missing')
  if (new Set(options.map(option => option.id)).size < options.length)
    refuse(CODES.question, 'template_card: option ids repeat')
  const title = optionalText(question, 'title')
  return {
    questionKey: text(question, 'question_key', { code: CODES.question }),
    multiple,
    options,
    ...(title === undefined ? {} : { title }),
  }
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
    if (action.type === 1) text(action, 'url', { code: CODES.action })
  }
  if (cardType === 'news_notice' && card.card_image === undefined && card.image_text_area === undefined) {
    refuse(CODES.title, 'template_card: card_image missing')
  }

  const rows = list(card, 'horizontal_content_list', 6, CODES.list).map(item => {
    const url = optionalText(item, 'url')
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
    const url = optionalText(jump, 'url')
    buttons.push({ text: text(jump, 'title', { code: CODES.list }), ...(url ? { url } : {}) })
  }
  for (const item of actions) {
    const key = text(item, 'key', { code: CODES.action })
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
    const box = record(card, 'checkbox')
    questions.push(readQuestion(box, box.mode === 1, 20))
  }
  if (cardType === 'multiple_interaction') {
    const selects = records(card, 'select_list', 3)
    if (selects.length === 0) refuse(CODES.question, 'template_card: select_list missing')
    questions.push(...selects.map(select => readQuestion(select, false, 10)))
  }
  if (cardType === 'vote_interaction' || cardType === 'multiple_interaction') {
    const submit = record(card, 'submit_button')
    buttons.push({
      text: text(submit, 'text', { code: CODES.buttons }),
      key: text(submit, 'key', { code: CODES.buttons }),
    })
  }
  const keys = buttons.flatMap(button => (button.key === undefined ? [] : [button.key]))
  if (new Set(keys).size < keys.length) refuse(CODES.buttons, 'template_card: button keys repeat')

  const description = [optionalText(main, 'desc'), subtitle].filter(line => line !== undefined).join('\n')
  const source = optionalText(inner(card, 'source'), 'desc')
  const emphasis = inner(card, 'emphasis_content')
  const emphasised = [optionalText(emphasis, 'title'), optionalText(emphasis, 'desc')]
    .filter(Boolean)
    .join(' ')
  const quote = inner(card, 'quote_area')
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
