// The log with its filters.
import { el, timeOf } from './dom.js'

const GROUPS = { all: '全部', callback: '回调', api: '接口', chat: '消息', pay: '支付', trouble: '异常' }
const TYPING_MS = 250

const NAMES = {
  said: '发出',
  replied: '被动回复',
  delivered: '主动消息',
  dropped: '丢弃',
  group_post: '群消息',
  group_join: '入群',
  group_leave: '退群',
  group_admin: '群管理员',
  api: '接口',
  answer_lost: '应答丢失',
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
  login: '登录',
  revoked: '撤回授权',
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
  mass: '群发',
  mass_task: '群发任务',
  mass_confirmed: '确认群发',
  mass_ignored: '未确认',
  mass_remind: '提醒群发',
  mass_cancelled: '取消群发',
  out_of_service: '服务异常',
  aibot_said: '问机器人',
  aibot_replied: '机器人答',
  aibot_stream: '流式更新',
  aibot_stream_expired: '流式超时',
  pay_bill: '转账单',
  pay_batch: '转账批次',
  pay_confirmed: '确认收款',
}

/** Names of the details, as people read them; others stay as they are. */
const FIELDS = {
  host: '域名',
  path: '接口',
  method: '方法',
  errcode: '错误码',
  code: '错误码',
  status: '状态',
  state: '状态',
  ms: '毫秒',
  which: '渠道',
  label: '种类',
  try: '第几次',
  reason: '原因',
  failReason: '原因',
  message: '说明',
  what: '什么',
  where: '在哪',
  name: '名称',
  on: '打开',
  text: '内容',
  messageKind: '类型',
  outBillNo: '单号',
  outBatchNo: '批次号',
  verified: '通过',
  probe: '探测',
  finish: '结束',
}

const asText = value => (typeof value === 'string' ? value : JSON.stringify(value))

function line(entry) {
  const words = Object.entries(entry.detail).map(([name, value]) =>
    el('span', {}, el('i', {}, FIELDS[name] ?? name), ` ${asText(value).slice(0, 300)}`),
  )
  return el(
    'li',
    { class: entry.isTrouble ? 'log-line bad' : 'log-line' },
    el('time', {}, timeOf(entry.at)),
    el('b', {}, NAMES[entry.kind] ?? entry.kind),
    el('div', { class: 'log-words' }, words),
  )
}

let typing

export function logSection(entries, { logGroup, logText }, go) {
  return [
    el(
      'div',
      { class: 'console-head filters' },
      el(
        'div',
        { class: 'chips' },
        Object.entries(GROUPS).map(([name, label]) =>
          el(
            'button',
            {
              type: 'button',
              class: name === logGroup ? 'on' : '',
              'aria-pressed': name === logGroup ? 'true' : 'false',
              click: () => go({ logGroup: name }),
            },
            label,
          ),
        ),
      ),
      el('input', {
        type: 'search',
        value: logText,
        placeholder: '查找：人名、接口、错误码…',
        'aria-label': '查找记录',
        autocomplete: 'off',
        'data-keep': 'log.text',
        input: event => {
          const text = event.target.value
          clearTimeout(typing)
          typing = setTimeout(() => go({ logText: text }), TYPING_MS)
        },
      }),
    ),
    entries.length === 0
      ? el('p', { class: 'empty' }, '没有这样的记录。')
      : el('ul', { class: 'log' }, entries.toReversed().map(line)),
  ]
}
