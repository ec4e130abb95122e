// What waits for somebody: payments, mass messages, and the groups that have a robot.
import { billCard } from './bills.js'
import { el, send, timeOf, toast } from './dom.js'

const STATES = { waiting: '待确认', sent: '已发送', cancelled: '已取消' }

function part(title, cards, empty) {
  return [
    el('h3', {}, title),
    cards.length === 0 ? el('p', { class: 'none' }, empty) : el('div', { class: 'cards' }, cards),
  ]
}

function button(label, action, input, done, className = '') {
  return el(
    'button',
    {
      type: 'button',
      class: className,
      click: async () => {
        if (await send(action, input)) toast(done)
      },
    },
    label,
  )
}

function massCard(task, control) {
  const waits = task.status === 'waiting'
  const targets = task.targets.map(target => target.name)
  return el(
    'div',
    { class: waits ? 'task waiting' : 'task' },
    el('div', { class: 'task-head' }, el('b', {}, task.personName), el('span', {}, STATES[task.status])),
    el(
      'p',
      { class: 'task-text' },
      [task.text, ...task.attachments.map(one => one.text)].filter(Boolean).join('\n'),
    ),
    el(
      'p',
      { class: 'hint' },
      `发到：${targets.slice(0, 3).join('、') || '（自选）'}${targets.length > 3 ? ' 等' : ''}`,
    ),
    waits && control
      ? button('替他确认', 'confirm', { person: task.personId, msgid: task.msgid }, '已确认')
      : null,
  )
}

function officialCard(mass, control) {
  return el(
    'div',
    { class: 'task waiting' },
    el(
      'div',
      { class: 'task-head' },
      el('b', {}, '公众号群发'),
      el('span', {}, `${timeOf(mass.until)} 前确认`),
    ),
    el('p', { class: 'task-text' }, mass.text),
    control
      ? el(
          'div',
          { class: 'task-buttons' },
          button('管理员确认', 'confirmOfficialMass', { msgid: mass.msgId }, '已确认'),
          button('拒绝', 'rejectOfficialMass', { msgid: mass.msgId }, '已拒绝', 'second'),
        )
      : null,
  )
}

function robotCard(group, control) {
  return el(
    'div',
    { class: 'task' },
    el(
      'div',
      { class: 'task-head' },
      el('b', {}, group.name),
      el('span', {}, group.robots.length > 0 ? `${group.robots.length} 个机器人` : '没有机器人'),
    ),
    group.robots.map(key => el('p', { class: 'hint key' }, `key ${key.slice(0, 8)}…`)),
    control
      ? el(
          'div',
          { class: 'task-buttons' },
          button('添加机器人', 'addRobot', { group: group.id }, '已添加', 'second'),
          group.robots[0]
            ? button('移除', 'removeRobot', { key: group.robots[0] }, '已移除', 'second')
            : null,
        )
      : null,
  )
}

export function boardSection(board, control) {
  const { bills, balances, notifications, massTasks, officialMasses, robotGroups } = board
  const money = balances.map(({ mchId, balance }) => `商户 ${mchId} 余额 ¥${(balance / 100).toFixed(2)}`)
  const late = notifications.map(
    ({ event, tries, dueAt }) => `${event} 已试 ${tries} 次，${timeOf(dueAt)} 再试`,
  )
  return [
    part(
      '微信支付转账',
      bills.map(bill => billCard(bill, true)),
      money.length > 0 ? '没有转账单。' : '没有设置商户。',
    ),
    money.concat(late).map(words => el('p', { class: 'none' }, words)),
    part(
      '群发任务',
      massTasks.map(task => massCard(task, control)),
      '没有群发任务。',
    ),
    officialMasses.length > 0
      ? part(
          '公众号群发保护',
          officialMasses.map(mass => officialCard(mass, control)),
          '',
        )
      : null,
    part(
      '内部群的机器人',
      robotGroups.map(group => robotCard(group, control)),
      '没有内部群。',
    ),
  ].flat(2)
}
