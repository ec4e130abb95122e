// Messages of the chat and of groups, as WeChat shows them.
import { avatar, dayAndTimeOf, el, link, linked, marked } from './dom.js'

const GAP_MS = 5 * 60_000
const LONG_PRESS_MS = 500

function cardRows(rows) {
  if (rows.length === 0) return null
  return el(
    'dl',
    { class: 'card-rows' },
    rows.map(row =>
      el(
        'div',
        {},
        el('dt', {}, row.name),
        el('dd', {}, row.url ? link(row.url, row.value || '查看') : row.value),
      ),
    ),
  )
}

/** Options of a card's questions; reads the choice from the form itself. */
function questionFields(card, messageId) {
  return card.questions.map(question =>
    el(
      'fieldset',
      { class: 'card-question', 'data-question': question.questionKey },
      question.title ? el('legend', {}, question.title) : null,
      question.options.map(option =>
        el(
          'label',
          {},
          el('input', {
            type: question.multiple ? 'checkbox' : 'radio',
            name: `${messageId}-${question.questionKey}`,
            value: option.id,
          }),
          option.text,
        ),
      ),
    ),
  )
}

function chosenIn(node) {
  const choices = {}
  for (const set of node.querySelectorAll('fieldset')) {
    choices[set.dataset.question] = [...set.querySelectorAll('input:checked')].map(input => input.value)
  }
  return choices
}

/** @param tap called with a button's key and the choices; left out where a card is only looked at. */
export function cardNode(message, tap) {
  const { card } = message
  const title = card.title ? el('div', { class: 'card-title' }, card.title) : null
  const description = card.description
    ? el('div', { class: 'card-description' }, linked(card.description))
    : null
  const node = el(
    'div',
    { class: `card card-${card.cardType}` },
    card.source ? el('div', { class: 'card-source' }, card.source) : null,
    title,
    description,
    card.emphasis ? el('div', { class: 'card-emphasis' }, card.emphasis) : null,
    card.quote ? el('blockquote', {}, card.quote) : null,
    cardRows(card.rows),
    questionFields(card, message.id),
    card.note ? el('div', { class: 'card-description' }, card.note) : null,
  )
  const done = card.replacedText !== undefined
  const buttons = done
    ? [el('button', { type: 'button', disabled: true }, card.replacedText || '已处理')]
    : card.buttons.map(button => {
        if (button.url) return link(button.url, button.text, 'card-button')
        if (button.key === undefined || !tap) return el('span', { class: 'card-button idle' }, button.text)
        const style = `style-${button.style ?? 1}`
        return el(
          'button',
          { type: 'button', class: style, click: () => tap(button.key, chosenIn(node)) },
          button.text,
        )
      })
  if (buttons.length > 0) node.append(el('div', { class: 'card-buttons' }, buttons))
  else if (card.url) node.append(link(card.url, '查看详情 ›', 'card-more'))
  return node
}

function content(message, tap, say) {
  if (message.quote !== undefined) {
    const { quote, ...rest } = message
    return el('div', { class: 'quoted' }, el('div', { class: 'quote' }, quote), content(rest, tap, say))
  }
  if (message.recalled) return el('div', { class: 'bubble recalled' }, '消息已被撤回')
  if (message.card) return cardNode(message, tap)
  if (message.kind === 'image' && message.mediaId) {
    return el('img', { class: 'picture', src: `/media/${encodeURIComponent(message.mediaId)}`, alt: '图片' })
  }
  if (message.kind === 'markdown') {
    const waits = message.isFinished === false ? el('span', { class: 'growing' }, '…') : null
    const pictures = message.pictureCount ? el('div', {}, `[图片 ${message.pictureCount} 张]`) : null
    return el('div', { class: 'bubble markdown' }, marked(message.text), pictures, waits)
  }
  return el('div', { class: `bubble kind-${message.kind}` }, linked(message.text, say))
}

function withLongPress(node, run) {
  let timer
  const stop = () => clearTimeout(timer)
  node.addEventListener('contextmenu', event => {
    event.preventDefault()
    run()
  })
  node.addEventListener(
    'touchstart',
    () => {
      timer = setTimeout(run, LONG_PRESS_MS)
    },
    { passive: true },
  )
  for (const name of ['touchend', 'touchmove', 'touchcancel'])
    node.addEventListener(name, stop, { passive: true })
  return node
}

/** One line of a chat. `mine`: on the right. */
function row({ message, mine, name, showName, tap, say, forward }) {
  const body = content(message, tap, say)
  const canForward = forward && !message.recalled
  const more = canForward
    ? el('button', { type: 'button', class: 'forward', title: '转发到群', click: forward }, '转发到群')
    : null
  const line = el(
    'div',
    { class: `message ${mine ? 'mine' : 'theirs'}` },
    avatar(name),
    el('div', { class: 'message-body' }, showName ? el('div', { class: 'author' }, name) : null, body, more),
  )
  if (canForward) withLongPress(body, forward)
  return line
}

/** Rows with a time between those that lie apart. */
export function conversation(messages, describe) {
  let before = 0
  return messages.flatMap(message => {
    const at = new Date(message.at).getTime()
    const stamp = at - before > GAP_MS ? [el('div', { class: 'stamp' }, dayAndTimeOf(message.at))] : []
    before = at
    if (message.kind === 'system') return [...stamp, el('div', { class: 'stamp system' }, message.text)]
    return [...stamp, row({ message, ...describe(message) })]
  })
}
