// The simulator's own screen: faults, limits, what waits for somebody, and the log.
import { boardSection } from './console-board.js'
import { logSection } from './console-log.js'
import { el, send, timeOf, toast } from './dom.js'

const SECTIONS = { faults: '故障', limits: '限额', board: '待办', log: '记录' }

/** The options that a fault is on with, in words. */
function optionWords({ path, times, rate, ms }) {
  return [
    path === undefined ? null : `路径含 ${path}`,
    times === undefined ? null : `还有 ${times} 次`,
    rate === undefined ? null : `${Math.round(rate * 1000) / 10}% 的调用`,
    ms === undefined ? null : `${ms} 毫秒`,
  ].filter(Boolean)
}

const FIELDS = [
  { name: 'path', label: '路径含', placeholder: '例如 message/send', type: 'text' },
  { name: 'times', label: '次数', placeholder: '不限', type: 'number', min: 1, step: 1 },
  { name: 'rate', label: '比例', placeholder: '0 到 1', type: 'number', min: 0.01, max: 1, step: 0.01 },
  { name: 'ms', label: '毫秒', placeholder: '默认', type: 'number', min: 0, step: 100 },
]

function faultRow(fault, control) {
  const inputs = {}
  const fields = FIELDS.map(({ name, label, ...attributes }) => {
    inputs[name] = el('input', {
      ...attributes,
      value: fault.options?.[name] ?? '',
      disabled: !control,
      'data-keep': `${fault.name}.${name}`,
    })
    return el('label', { class: 'field' }, el('span', { class: 'field-name' }, label), inputs[name])
  })
  const options = () => Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value]))
  const turnOn = () => send('faultOn', { name: fault.name, options: options() })
  const words = fault.on ? optionWords(fault.options ?? {}) : []
  return el(
    'li',
    { class: fault.on ? 'fault on' : 'fault' },
    el(
      'label',
      { class: 'switch' },
      el(
        'span',
        {},
        fault.label,
        el('small', {}, fault.name),
        words.length > 0 ? el('small', { class: 'active' }, words.join(' · ')) : null,
      ),
      el('input', {
        type: 'checkbox',
        class: 'toggle',
        checked: fault.on,
        disabled: !control,
        change: event => (event.target.checked ? turnOn() : send('faultOff', { name: fault.name })),
      }),
    ),
    el(
      'details',
      { 'data-keep': `${fault.name}.options` },
      el('summary', {}, '选项'),
      el(
        'form',
        {
          class: 'fields',
          submit: async event => {
            event.preventDefault()
            if (await turnOn()) toast('已打开')
          },
        },
        fields,
        el('button', { type: 'submit', disabled: !control }, fault.on ? '按这些选项更新' : '按这些选项打开'),
      ),
    ),
  )
}

function faultsSection({ faults, control }) {
  const active = faults.filter(fault => fault.on)
  return [
    el(
      'div',
      { class: 'console-head' },
      el(
        'p',
        {},
        active.length === 0 ? '没有打开的故障。' : `打开着：${active.map(fault => fault.label).join('、')}`,
      ),
      active.length > 0 && control
        ? el('button', { type: 'button', class: 'plain', click: () => send('faultsClear', {}) }, '全部关闭')
        : null,
    ),
    el(
      'ul',
      { class: 'faults' },
      faults.map(fault => faultRow(fault, control)),
    ),
  ]
}

function limitsSection({ limits, control }) {
  return [
    el('div', { class: 'console-head' }, el('p', {}, '关闭后模拟器不再按平台的限额拒绝或丢弃。')),
    el(
      'ul',
      { class: 'faults' },
      limits.map(({ name, label, on }) =>
        el(
          'li',
          { class: on ? 'fault' : 'fault on' },
          el(
            'label',
            { class: 'switch' },
            el('span', {}, label, el('small', {}, name)),
            el('input', {
              type: 'checkbox',
              class: 'toggle',
              checked: on,
              disabled: !control,
              change: event => send(event.target.checked ? 'limitOn' : 'limitOff', { name }),
            }),
          ),
        ),
      ),
    ),
  ]
}

/** @param details what the section was loaded with. */
export function consoleScreen({ state, current, details, go }) {
  const { counts } = state
  const { section } = current
  const sections = {
    faults: () => faultsSection(state),
    limits: () => limitsSection(state),
    board: () => boardSection(details, state.control),
    log: () => logSection(details, current, go),
  }
  return {
    title: '模拟器',
    body: [
      el(
        'div',
        { class: 'switcher' },
        Object.entries(SECTIONS).map(([name, label]) =>
          el(
            'button',
            { type: 'button', class: name === section ? 'on' : '', click: () => go({ section: name }) },
            label,
            name === 'faults' && state.faults.some(fault => fault.on) ? el('i', { class: 'mark' }) : null,
          ),
        ),
      ),
      el(
        'div',
        { class: 'scroll console' },
        el(
          'p',
          { class: 'as' },
          `平台时间 ${timeOf(state.now)} · ${counts.persons} 人 · ${counts.groups} 个群 · ${counts.log} 条记录`,
        ),
        sections[section](),
      ),
    ],
  }
}
