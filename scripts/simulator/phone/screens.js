// The three screens of the phone. Each takes what the server said and gives back the elements to show.

import { conversation } from './bubbles.js'
import { avatar, chooseFrom, el, send, timeOf, toast } from './dom.js'

const KINDS = { wechat: '微信群', customer: '客户群', internal: '内部群', appchat: '应用群' }
const VIAS = { wecom: '企业微信', officialAccount: '公众号' }

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

function extras(person, via, menu) {
  const base = { person: person.id, via }
  const quick = [
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
    { label: '链接', run: () => send('link', { ...base, title: '一条链接', url: 'https://example.org/' }) },
  ]
  return el(
    'div',
    { class: 'quick' },
    quick.map(({ label, run }) => el('button', { type: 'button', click: run }, label)),
  )
}

/** The chat with the bot, in the WeCom app or the Official Account. */
export function chatScreen({ person, state, via, setVia }) {
  const vias = ['wecom', 'officialAccount'].filter(one => person[one] && state[one])
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
  const say = text => send('say', { person: person.id, text, via: current })
  const messages = person.messages.filter(message => message.via === current)
  const rows = conversation(messages, message => ({
    mine: message.from === 'person',
    name: message.from === 'person' ? person.name : bot.name,
    say,
    tap: (key, choices) => send('tap', { person: person.id, message: message.id, key, choices }),
    forward: message.from === 'bot' ? () => forwardChoice(person, message) : null,
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
export function groupScreen({ person, group }) {
  const rows = conversation(group.posts, post => ({
    mine: post.by === person.id,
    name: post.author,
    showName: post.by !== person.id,
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
            composer('在群里发言', text => send('post', { person: person.id, group: group.id, text })),
          )
        : el('p', { class: 'empty' }, group.dismissed ? '群已解散' : '不在这个群里'),
    ],
  }
}

const LOG_NAMES = {
  said: '发出',
  replied: '被动回复',
  delivered: '主动消息',
  dropped: '丢弃',
  group_post: '群消息',
  group_join: '入群',
  group_leave: '退群',
  api: '接口',
  callback: '回调',
  bad_reply: '回复不合规',
  callback_lost: '回调失败',
  cut: '截断',
  error: '错误',
  fault: '故障',
  tapped: '点卡片',
  menu_click: '点菜单',
  card_updated: '卡片更新',
  recalled: '撤回',
  follow: '关注',
  unfollow: '取消关注',
  scan: '扫码',
  befriended: '加好友',
  verify: '验证地址',
  menu: '设菜单',
  group_created: '建群',
  group_renamed: '群改名',
  group_owner: '换群主',
  group_notice: '群公告',
  group_dismissed: '解散群',
  robot_added: '加机器人',
  robot_removed: '移机器人',
  mass_task: '群发任务',
  mass_confirmed: '确认群发',
  mass_ignored: '未确认',
  mass_remind: '提醒群发',
  mass_cancelled: '取消群发',
  out_of_service: '服务异常',
}

function logLine(entry) {
  const words = Object.entries(entry.detail).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const bad =
    ['bad_reply', 'dropped', 'error', 'callback_lost'].includes(entry.kind) ||
    (entry.kind === 'api' && entry.detail.errcode !== 0)
  return el(
    'li',
    { class: bad ? 'log-line bad' : 'log-line' },
    el('time', {}, timeOf(entry.at)),
    el('b', {}, LOG_NAMES[entry.kind] ?? entry.kind),
    el('span', {}, words.join('  ').slice(0, 300)),
  )
}

/** Faults and what happened last. */
export function simulatorScreen({ state, log }) {
  const { counts } = state
  return {
    title: '模拟器',
    body: [
      el(
        'div',
        { class: 'scroll' },
        el(
          'p',
          { class: 'as' },
          `平台时间 ${timeOf(state.now)} · ${counts.persons} 人 · ${counts.groups} 个群 · ${counts.log} 条记录`,
        ),
        el('h3', {}, '故障'),
        el(
          'ul',
          { class: 'faults' },
          state.faults.map(fault =>
            el(
              'li',
              {},
              el(
                'label',
                {},
                el('span', {}, fault.label),
                el('input', {
                  type: 'checkbox',
                  class: 'toggle',
                  checked: fault.on,
                  disabled: !state.control,
                  change: event => send(event.target.checked ? 'faultOn' : 'faultOff', { name: fault.name }),
                }),
              ),
            ),
          ),
        ),
        el('h3', {}, '最近记录'),
        el('ul', { class: 'log' }, log.toReversed().map(logLine)),
      ),
    ],
  }
}
