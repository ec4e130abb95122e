// Small helpers. Every text goes in through textContent, so nothing that people write can become markup.

/** Makes an element; attributes whose value is false, null or undefined are left out, functions become listeners. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue
    if (typeof value === 'function') node.addEventListener(name, value)
    else if (name === 'class') node.className = value
    else node.setAttribute(name, value === true ? '' : value)
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue
    node.append(child)
  }
  return node
}

const isWeb = url => /^https?:\/\//i.test(url)

/** A link that opens beside the phone; anything that is not http(s) stays a text. */
export function link(url, label, className) {
  if (!isWeb(url)) return el('span', { class: className }, label)
  return el('a', { href: url, target: '_blank', rel: 'noopener noreferrer', class: className }, label)
}

const LINKS = /<a\s[^>]*?href=["']([^"']+)["'][^>]*>(.*?)<\/a>|(https?:\/\/[^\s<>"，。；、）】]+)/gi

/** Text with its links: bare addresses and the <a href> that the platforms allow in a text. */
export function linked(text, say) {
  const parts = []
  let from = 0
  for (const match of text.matchAll(LINKS)) {
    parts.push(text.slice(from, match.index))
    const [whole, href, label, bare] = match
    const menu = /^weixin:\/\/bizmsgmenu\?.*?msgmenucontent=([^&]*)/.exec(href ?? '')
    if (menu && say) {
      const answer = decodeURIComponent(menu[1])
      parts.push(el('button', { type: 'button', class: 'as-link', click: () => say(answer) }, label))
    } else parts.push(link(href ?? bare, label ?? bare))
    from = match.index + whole.length
  }
  parts.push(text.slice(from))
  return parts.filter(part => part !== '')
}

const MARKS = /\*\*(.+?)\*\*|<font color=["'](\w+)["']>(.*?)<\/font>|\[([^\]]+)\]\(([^)\s]+)\)|`([^`]+)`/g

function markedLine(line) {
  const parts = []
  let from = 0
  for (const match of line.matchAll(MARKS)) {
    parts.push(...linked(line.slice(from, match.index)))
    const [whole, bold, colour, coloured, label, url, code] = match
    if (bold !== undefined) parts.push(el('b', {}, bold))
    else if (coloured !== undefined) parts.push(el('span', { class: `font-${colour}` }, coloured))
    else if (label !== undefined) parts.push(link(url, label))
    else parts.push(el('code', {}, code))
    from = match.index + whole.length
  }
  parts.push(...linked(line.slice(from)))
  return parts
}

/** The part of Markdown that WeCom shows: headings, bold, colours, links, quotes, code. */
export function marked(text) {
  return text.split('\n').map(line => {
    const heading = /^#{1,6}\s+(.*)$/.exec(line)
    if (heading) return el('div', { class: 'md-head' }, markedLine(heading[1]))
    if (line.startsWith('>')) return el('div', { class: 'md-quote' }, markedLine(line.replace(/^>\s?/, '')))
    return el('div', {}, line === '' ? el('br') : markedLine(line))
  })
}

/** A square with the end of a name, in one of eight colours. */
export function avatar(name, className = '') {
  const sum = [...name].reduce((total, letter) => total + letter.codePointAt(0), 0)
  // of a person's name the given name tells most, of a group's the place it begins with
  const letters = className === 'group' ? name.slice(0, 2) : name.slice(-2)
  return el('span', { class: `avatar c${sum % 8} ${className}`, 'aria-hidden': 'true' }, letters)
}

export function timeOf(moment) {
  return new Date(moment).toLocaleTimeString('zh-CN', {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    timeZone: 'Asia/Shanghai',
  })
}

export function dayAndTimeOf(moment) {
  const date = new Date(moment).toLocaleDateString('zh-CN', {
    month: 'long',
    day: 'numeric',
    timeZone: 'Asia/Shanghai',
  })
  return `${date} ${timeOf(moment)}`
}

let toastTimer
export function toast(text) {
  const node = document.getElementById('toast')
  node.textContent = text
  node.hidden = false
  clearTimeout(toastTimer)
  toastTimer = setTimeout(() => {
    node.hidden = true
  }, 3000)
}

/** A choice that comes up from below. */
export function chooseFrom(title, items) {
  const sheet = document.getElementById('sheet')
  const close = () => {
    sheet.hidden = true
    sheet.replaceChildren()
  }
  const buttons = items.map(({ label, run }) =>
    el(
      'button',
      {
        type: 'button',
        click: () => {
          close()
          run()
        },
      },
      label,
    ),
  )
  const list = el(
    'div',
    { class: 'sheet-list' },
    el('p', {}, title),
    buttons,
    el('button', { type: 'button', class: 'cancel', click: close }, '取消'),
  )
  sheet.replaceChildren(list)
  sheet.onclick = event => {
    if (event.target === sheet) close()
  }
  sheet.hidden = false
}

export async function load(path) {
  const answer = await fetch(path)
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.error ?? '读取失败')
  return body
}

/** Sends one tap; an error is shown and swallowed. @returns whether it went well. */
export async function send(action, input) {
  try {
    const answer = await fetch('/phone/act', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action, ...input }),
    })
    const body = await answer.json()
    if (!answer.ok) throw new Error(body.error ?? '操作失败')
    return true
  } catch (error) {
    toast(error.message)
    return false
  }
}
