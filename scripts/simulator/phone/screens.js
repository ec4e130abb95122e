// The chat and the groups of a person. Each screen takes what the server said and gives back the elements to show.

import { billCard } from './bills.js'
import { conversation } from './bubbles.js'
import { avatar, chooseFrom, el, send, timeOf, toast } from './dom.js'

const KINDS = { wechat: '微信群', customer: '客户群', internal: '内部群', appchat: '应用群' }
const VIAS = { wecom: '企业微信', officialAccount: '公众号', aibot: '智能机器人' }

function composer(placeholder, run) {
  const input = el('input', {
    type: 'text',
    placeholder,
    'aria-label': placeholder,
    autocomplete: 'off',
    maxlength: 2000,
    name: 'text',
  })
  return el(
    'form',
    {
      class: 'composer',
      submit: event => {
        event.preventDefault()
        const text = input.value.trim()
        if (text === '') return
        input.value = ''
        run(text)
      },
    },
    input,
    el('button', { type: 'submit' }, '发送'),
  )
}

function forwardChoice(person, message) {
  if (person.groups.length === 0) return toast('没有可以转发的群')
  chooseFrom(
    '转发到哪个群',
    person.groups.map(group => ({
      label: group.name,
      run: async () => {
        if (await send('forward', { person: person.id, message: message.id, group: group.id }))
          toast('已转发')
      },
    })),
  )
}

/** What a tap beside the input sends; the chat robot has no menu and is only talked to. */
function extras(person, via, menu) {
  const base = { person: person.id, via }
  const quick =
    via === 'aibot'
      ? [
          { label: '进入会话', run: () => send('aibotEnter', base) },
          { label: '帮助', run: () => send('aibotSay', { ...base, text: '帮助' }) },
        ]
      : [
          ...menu.map(button => ({
            label: button.name,
            run: () =>
              button.key
                ? send('menu', { ...base, key: button.key })
                : window.open(button.url, '_blank', 'noopener'),
          })),
          { label: '帮助', run: () => send('say', { ...base, text: '帮助' }) },
          { label: '图片', run: () => send('image', base) },
          { label: '位置', run: () => send('location', { ...base, text: '榆林市榆阳区镇川镇' }) },
          {
            label: '链接',
            run: () => send('link', { ...base, title: '一条链接', url: 'https://example.org/' }),
          },
        ]
  return el(
    'div',
    { class: 'quick' },
    quick.map(({ label, run }) => el('button', { type: 'button', click: run }, label)),
  )
}

/** The chat with the bot: the WeCom app, the Official Account or the chat robot. */
export function chatScreen({ person, state, via, setVia }) {
  const vias = ['wecom', 'aibot', 'officialAccount'].filter(one => person[one] && state[one])
  if (vias.length === 0) {
    return {
      title: person.name,
      body: [el('p', { class: 'empty' }, '这个人既不在企业微信，也没有关注公众号，无法和机器人对话。')],
    }
  }
  const current = vias.includes(via) ? via : vias[0]
  const bot = state[current]
  const switcher =
    vias.length > 1
      ? el(
          'div',
          { class: 'switcher' },
          vias.map(one =>
            el(
              'button',
              { type: 'button', class: one === current ? 'on' : '', click: () => setVia(one) },
              VIAS[one],
            ),
          ),
        )
      : null
  const isRobot = current === 'aibot'
  const say = text => send(isRobot ? 'aibotSay' : 'say', { person: person.id, text, via: current })
  const messages = person.messages.filter(message => message.via === current)
  const rows = conversation(messages, message => ({
    mine: message.from === 'person',
    name: message.from === 'person' ? person.name : bot.name,
    say,
    tap: (key, choices) =>
      send(isRobot ? 'aibotTap' : 'tap', { person: person.id, message: message.id, key, choices }),
    forward: message.from === 'bot' && !isRobot ? () => forwardChoice(person, message) : null,
  }))
  const away = current === 'officialAccount' && !person.follows
  const toggle =
    current === 'officialAccount'
      ? el(
          'button',
          {
            type: 'button',
            class: 'plain',
            click: () => send(person.follows ? 'unfollow' : 'follow', { person: person.id }),
          },
          person.follows ? '取消关注' : '关注公众号',
        )
      : null
  return {
    title: bot.name,
    body: [
      switcher,
      el(
        'div',
        { class: 'scroll', id: 'scroll' },
        el(
          'p',
          { class: 'as' },
          `以「${person.name}${person.note ? ` · ${person.note}` : ''}」的身份`,
          toggle,
        ),
        rows,
        rows.length === 0 ? el('p', { class: 'empty' }, '还没有消息，说一句试试。') : null,
        current === 'officialAccount' ? person.bills.map(bill => billCard(bill)) : null,
      ),
      away
        ? el('p', { class: 'empty' }, '关注后才能发消息')
        : el('div', { class: 'foot' }, extras(person, current, bot.menu), composer('发消息', say)),
    ],
  }
}

function taskCard(person, task) {
  const words = { waiting: '待确认', sent: '已发送', cancelled: '已取消' }
  const targets = task.targets.map(target => target.name)
  const more = targets.length > 3 ? `等 ${targets.length} 个群` : ''
  return el(
    'div',
    { class: `task ${task.status}` },
    el('div', { class: 'task-head' }, el('b', {}, '群发任务'), el('span', {}, words[task.status])),
    el(
      'p',
      { class: 'task-text' },
      [task.text, ...task.attachments.map(attachment => attachment.text)].filter(Boolean).join('\n'),
    ),
    el('p', { class: 'hint' }, `发到：${targets.slice(0, 3).join('、') || '（自选）'}${more}`),
    task.reminded > 0 ? el('p', { class: 'hint' }, `已提醒 ${task.reminded} 次`) : null,
    task.status === 'waiting'
      ? el(
          'button',
          {
            type: 'button',
            click: async () => {
              if (await send('confirm', { person: person.id, msgid: task.msgid })) toast('已确认')
            },
          },
          '确认发送',
        )
      : null,
  )
}

/** A person's groups, what waits for the owner, and joining by a code. */
export function groupsScreen({ person, openGroup }) {
  const code = composer('粘贴入群码或链接', async text => {
    if (await send('joinByCode', { person: person.id, code: text })) toast('已入群')
  })
  code.querySelector('button').textContent = '扫码入群'
  const tasks = [...person.tasks].sort(
    (a, b) => (a.status === 'waiting' ? 0 : 1) - (b.status === 'waiting' ? 0 : 1),
  )
  return {
    title: `群聊（${person.groups.length}）`,
    body: [
      el(
        'div',
        { class: 'scroll' },
        tasks.slice(0, 6).map(task => taskCard(person, task)),
        el(
          'ul',
          { class: 'group-list' },
          person.groups.map(group =>
            el(
              'li',
              {},
              el(
                'button',
                { type: 'button', click: () => openGroup(group.id) },
                avatar(group.name, 'group'),
                el(
                  'span',
                  { class: 'line' },
                  el(
                    'span',
                    { class: 'line-top' },
                    el('b', {}, group.name),
                    el('small', {}, group.last ? timeOf(group.last.at) : ''),
                  ),
                  el(
                    'span',
                    { class: 'line-bottom' },
                    el('em', { class: `kind-${group.kind}` }, KINDS[group.kind]),
                    group.owns ? el('em', { class: 'owner' }, '群主') : null,
                    group.last ? `${group.last.by}：${group.last.text}` : `${group.members} 人`,
                  ),
                ),
              ),
            ),
          ),
        ),
        person.groups.length === 0 ? el('p', { class: 'empty' }, '还没有加入任何群。') : null,
      ),
      el('div', { class: 'foot' }, code),
    ],
  }
}

/** One group: its posts, and writing in it as a person does. */
export function groupScreen({ person, state, group }) {
  const robot = group.kind === 'internal' ? state.aibot : null
  const write = text => {
    const base = { person: person.id, group: group.id }
    const mention = robot ? `@${robot.name}` : null
    if (mention && text.startsWith(mention))
      return send('aibotMention', { ...base, text: text.slice(mention.length).trim() })
    return send('post', { ...base, text })
  }
  const rows = conversation(group.posts, post => ({
    mine: post.by === person.id && post.via !== 'aibot',
    name: post.author,
    showName: post.by !== person.id || post.via === 'aibot',
    tap:
      post.via === 'aibot'
        ? (key, choices) => send('aibotTap', { person: person.id, message: post.id, key, choices })
        : undefined,
  }))
  const inside = person.groups.some(one => one.id === group.id)
  return {
    title: `${group.name}（${group.memberCount}）`,
    body: [
      el(
        'div',
        { class: 'scroll', id: 'scroll' },
        el(
          'p',
          { class: 'as' },
          `${KINDS[group.kind]} · 群主 ${group.owner}${group.kind === 'appchat' || group.kind === 'internal' ? '' : ' · 程序读不到群里的发言'}`,
        ),
        group.notice ? el('div', { class: 'notice' }, `群公告：${group.notice}`) : null,
        rows,
        rows.length === 0 ? el('p', { class: 'empty' }, '群里还没有消息。') : null,
      ),
      inside && !group.dismissed
        ? el(
            'div',
            { class: 'foot' },
            composer(robot ? `在群里发言，@${robot.name} 可以问机器人` : '在群里发言', write),
          )
        : el('p', { class: 'empty' }, group.dismissed ? '群已解散' : '不在这个群里'),
    ],
  }
}
