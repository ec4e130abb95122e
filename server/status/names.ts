/** How operators are told of what the tables call by short names, on the command line and on the pages. */
export const channelNames: Readonly<Record<string, string>> = {
  wecom: '企业微信',
  'official-account': '公众号',
  aibot: '智能机器人',
}

export const statusNames: Readonly<Record<string, string>> = {
  pending: '待发',
  sending: '正在发',
  retrying: '重试中',
  waiting: '等对方开口',
  failed: '没发出',
  unknown: '不知是否发出',
  sent: '已发',
  cancelled: '已取消，不再发',
}

export const kindNames: Readonly<Record<string, string>> = {
  person: '给个人',
  robot: '群机器人',
  appchat: '应用群',
  mass: '客户群群发',
  join_pass: '入群码',
  create_appchat: '建应用群',
  add_to_appchat: '把人加进应用群',
  card_update: '更新卡片',
  welcome: '欢迎语',
  response: '智能机器人回答',
}

export const purposeNames: Readonly<Record<string, string>> = {
  reply: '答复',
  relay: '请转发',
  reminder: '提醒',
  danger: '有人有危险',
  escalation: '请协助',
  task: '任务',
  review: '待审',
  decision: '审核结果',
  notice: '通知',
  pass: '入群码',
  report: '报表',
  welcome: '欢迎',
}

export const updateStatusNames: Readonly<Record<string, string>> = {
  received: '还没处理',
  handled: '已处理',
  set_aside: '搁置',
}

/** The kinds of updates (`server/channels/update.ts`). */
export const updateKindNames: Readonly<Record<string, string>> = {
  text: '文字',
  media: '图片、文件等',
  place: '位置',
  followed: '关注',
  unfollowed: '取消关注',
  entered: '进入应用',
  tapped: '点菜单或卡片',
  opened: '点菜单链接',
  scanned: '扫码',
  pictured: '拍照',
  group: '客户群变动',
  customer: '外部联系人变动',
  tag: '标签变动',
  contact: '通讯录变动',
  job: '异步任务结果',
  app_state: '应用状态',
  corp_change: '审批、上下游变动',
  template_result: '模板消息结果',
  mass_result: '群发结果',
  publish_result: '发布结果',
  subscription: '订阅授权',
  authorization_revoked: '撤回授权',
  feedback: '评价',
  unknown: '不认识的',
}

/** The name that operators know; the table's own where there is none. */
export function nameIn(names: Readonly<Record<string, string>>, key: string): string {
  return names[key] ?? key
}
