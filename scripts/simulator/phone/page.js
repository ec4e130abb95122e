// The page's state and when it is read again. What is shown lies in screens.js.

import { consoleScreen } from './console.js'
import { avatar, el, load, timeOf, toast } from './dom.js'
import { chatScreen, groupScreen, groupsScreen } from './screens.js'

const at = id => document.getElementById(id)
const current = {
  personId: null,
  tab: 'chat',
  via: null,
  groupId: null,
  section: 'faults',
  logGroup: 'all',
  logText: '',
}
let state
let drawing = false
let again = false

/** Reads what the current screen needs and shows it. Calls that come meanwhile are served by one more round. */
async function draw() {
  if (drawing) {
    again = true
    return
  }
  drawing = true
  try {
    do {
      again = false
      await drawOnce()
    } while (again)
  } catch (error) {
    toast(error.message)
  } finally {
    drawing = false
  }
}

async function drawOnce() {
  const { personId, tab, groupId } = current
  state = await load('/phone/state')
  document.body.classList.toggle('read-only', !state.control)
  document.body.classList.toggle('has-person', personId !== null || tab === 'simulator')
  const person = personId === null ? null : await load(`/phone/persons/${encodeURIComponent(personId)}`)
  const group =
    groupId !== null && tab === 'groups' ? await load(`/phone/groups/${encodeURIComponent(groupId)}`) : null
  const { section, logGroup, logText } = current
  const details = tab === 'simulator' ? await loadSection(section, logGroup, logText) : null
  // the choice may have changed while the answers were on their way
  const asked = { personId, tab, groupId, section, logGroup, logText }
  if (Object.entries(asked).some(([name, value]) => current[name] !== value)) {
    again = true
    return
  }
  at('phone').classList.toggle('wide', tab === 'simulator')
  at('task-dot').hidden = !person?.tasks.some(task => task.status === 'waiting')
  for (const button of at('tabs').children) button.classList.toggle('on', button.dataset.tab === tab)
  at('back').classList.toggle('in-group', group !== null)
  show(
    screenFor({ person, group, details }),
    tab === 'simulator' ? `simulator ${section}` : `${personId} ${tab} ${groupId} ${current.via}`,
  )
}

/** What a section of the simulator's screen needs beside the state. */
function loadSection(section, group, text) {
  if (section === 'log') return load(`/phone/log?${new URLSearchParams({ group, q: text })}`)
  return section === 'board' ? load('/phone/board') : null
}

function screenFor({ person, group, details }) {
  if (current.tab === 'simulator') return consoleScreen({ state, current, details, go })
  if (!person) return { title: '模拟手机', body: [el('p', { class: 'empty' }, '先在名单里选一个人。')] }
  if (group) return groupScreen({ person, state, group })
  if (current.tab === 'groups') return groupsScreen({ person, openGroup: id => go({ groupId: id }) })
  return chatScreen({ person, state, via: current.via, setVia: via => go({ via }) })
}

let shown = ''
let focusedBefore = null

/** Puts a screen up; on the same screen what was typed and where it was scrolled to are kept. */
function show({ title, body }, key) {
  const screen = at('screen')
  const same = key === shown
  const oldScroll = screen.querySelector('.scroll')
  const oldInput = screen.querySelector('.composer input')
  const kept = {
    top: oldScroll?.scrollTop ?? 0,
    atEnd: oldScroll ? oldScroll.scrollHeight - oldScroll.scrollTop - oldScroll.clientHeight < 60 : true,
    typed: oldInput?.value ?? '',
    focused: oldInput !== null && document.activeElement === oldInput,
    fields: new Map([...screen.querySelectorAll('[data-keep]')].map(node => [node.dataset.keep, node])),
    chosen: [...screen.querySelectorAll('.card-question input:checked')].map(input => [
      input.name,
      input.value,
    ]),
  }
  focusedBefore = document.activeElement
  shown = key
  at('title').textContent = title
  screen.replaceChildren(...body.filter(Boolean))
  const scroll = screen.querySelector('.scroll')
  const input = screen.querySelector('.composer input')
  if (same && input) {
    input.value = kept.typed
    if (kept.focused) input.focus()
    for (const [name, value] of kept.chosen) {
      const option = [...screen.querySelectorAll('.card-question input')].find(
        one => one.name === name && one.value === value,
      )
      if (option) option.checked = true
    }
  }
  if (same) keepFields(screen, kept.fields)
  if (scroll?.id === 'scroll' && (!same || kept.atEnd)) scroll.scrollTop = scroll.scrollHeight
  else if (scroll && same) scroll.scrollTop = kept.top
}

/** Form fields and folded parts stay as the person left them. */
function keepFields(screen, before) {
  for (const node of screen.querySelectorAll('[data-keep]')) {
    const old = before.get(node.dataset.keep)
    if (!old) continue
    if (node.tagName === 'DETAILS') node.open = old.open
    else node.value = old.value
    if (old === focusedBefore) {
      node.focus()
      if (node.type === 'text' || node.type === 'search')
        node.setSelectionRange(node.value.length, node.value.length)
    }
  }
}

function go(change) {
  Object.assign(current, change)
  location.hash =
    current.tab === 'simulator'
      ? `${current.personId ?? ''}/simulator/${current.section}`
      : current.personId === null
        ? ''
        : `${current.personId}/${current.tab}`
  draw()
  markPerson()
}

function markPerson() {
  for (const button of at('person-list').querySelectorAll('button')) {
    button.classList.toggle('on', button.dataset.person === current.personId)
  }
}

let searching = 0
async function drawPeople() {
  searching += 1
  const mine = searching
  const { total, persons } = await load(`/phone/persons?q=${encodeURIComponent(at('search').value)}`)
  if (mine !== searching) return
  at('person-list').replaceChildren(
    ...persons.map(person =>
      el(
        'li',
        {},
        el(
          'button',
          {
            type: 'button',
            'data-person': person.id,
            click: () =>
              go({
                personId: person.id,
                groupId: null,
                via: null,
                tab: current.tab === 'simulator' ? 'chat' : current.tab,
              }),
          },
          avatar(person.name),
          el(
            'span',
            { class: 'line' },
            el(
              'span',
              { class: 'line-top' },
              el('b', {}, person.name),
              el('small', {}, person.last ? timeOf(person.last.at) : ''),
            ),
            el('span', { class: 'line-bottom' }, person.note || person.last?.text || ''),
          ),
        ),
      ),
    ),
  )
  at('person-count').textContent =
    total > persons.length ? `共 ${total} 人，只列出前 ${persons.length} 人，请搜索` : `共 ${total} 人`
  markPerson()
}

for (const button of at('tabs').children)
  button.addEventListener('click', () => go({ tab: button.dataset.tab, groupId: null }))
at('to-console').addEventListener('click', () => go({ tab: 'simulator', groupId: null }))
at('back').addEventListener('click', () => {
  if (current.groupId !== null && current.tab === 'groups') return go({ groupId: null })
  go({ personId: null, tab: 'chat', groupId: null })
})
let typing
at('search').addEventListener('input', () => {
  clearTimeout(typing)
  typing = setTimeout(drawPeople, 150)
})

let peopleTimer
const events = new EventSource('/phone/events')
events.addEventListener('message', event => {
  const news = JSON.parse(event.data)
  const mine = news.many || news.persons.includes(current.personId) || news.groups.length > 0
  if (mine || current.tab === 'simulator') draw()
  if (peopleTimer === undefined) {
    peopleTimer = setTimeout(() => {
      peopleTimer = undefined
      drawPeople()
    }, 1000)
  }
})

const [personId, tab, section] = decodeURIComponent(location.hash.slice(1)).split('/')
if (personId) current.personId = personId
if (personId || tab === 'simulator') current.tab = ['groups', 'simulator'].includes(tab) ? tab : 'chat'
if (['faults', 'limits', 'board', 'log'].includes(section)) current.section = section
draw()
drawPeople().catch(error => toast(error.message))
