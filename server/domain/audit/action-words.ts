type Details = Record<string, unknown>

const channelNames: Record<string, string> = {
  wecom: '企业微信',
  'official-account': '公众号',
  aibot: '智能机器人',
}
const wayNames: Record<string, string> = {
  wecom: '企业微信',
  scan: '企业微信扫码',
  'official-account': '微信',
  link: '聊天里的链接',
  demo: '演示',
}
const leaveNames: Record<string, string> = {
  unfollowed: '取消关注',
  left: '离开企业',
}

const erasedNames: Record<string, string> = {
  request: '本人要求',
  office: '已离任，由单位删除',
  retention: '保存期满',
  consent: '撤回同意',
}

const named = (names: Record<string, string>, value: unknown, other: string) => names[String(value)] ?? other
const numbered = (value: unknown) => (typeof value === 'number' ? ` ${value} ` : '')
const because = (details: Details) =>
  typeof details.reason === 'string' && details.reason !== '' ? `，理由：${details.reason}` : ''
const counted = (details: Details) =>
  (
    [
      ['new', '新增'],
      ['changed', '变动'],
      ['gone', '离开'],
    ] as const
  )
    .filter(([key]) => typeof details[key] === 'number')
    .map(([key, name]) => `${name} ${details[key]}`)
    .join('、')
const inBrackets = (words: string) => (words === '' ? '' : `（${words}）`)
const titled = (name: unknown) => (typeof name === 'string' && name !== '' ? `“${name}”` : '')
const formDetails = ({ name, period, month }: Details) =>
  inBrackets([name, period ?? month].filter(each => typeof each === 'string').join(' '))
const decided = (details: Details) => (details.by === 'policy' ? '（系统按规则）' : '')

/** Words for each action of the audit log: what was done, as a person would say it. */
const words: Record<string, (details: Details) => string> = {
  'activity.announced': () => '预告活动',
  'activity.cancelled': () => '登记预告的活动没有办',
  'activity.checked_in': () => '在活动现场签到',
  'activity.held': ({ heads }) => `登记办了活动${typeof heads === 'number' ? `（${heads} 人）` : ''}`,
  'activity.pictured': () => '为活动存了照片',
  'activity.signed_up': () => '报名参加活动',
  'activity.viewed': () => '查看活动的报名和签到名单',
  'activity.withdrawn': () => '取消活动报名',
  'administrator.ended': () => '不再是系统管理员',
  'administrator.made': () => '设为系统管理员',
  'alarm.closed': () => '关闭了运维告警',
  'alert_verdict.false': () => '看过被拦下的话：是误报',
  'alert_verdict.right': () => '看过被拦下的话：不是误报',
  'api_token.ended': details => `停用接口令牌${titled(details.name)}`,
  'api_token.made': details => `发了接口令牌${titled(details.name)}`,
  'api_token.used': ({ action }) =>
    `通过接口令牌办理${typeof action === 'string' && action !== 'api_token.used' ? `：${actionWords(action, {})}` : ''}`,
  'authorization.revoked': ({ channel }) => `撤回了在${named(channelNames, channel, '平台')}的网页授权`,
  'binding_code.issued': () => '发了账号绑定码',
  'consent.given': () => '同意使用身份证号',
  'consent.withdrawn': () => '撤回使用身份证号的同意',
  'contact.assigned': () => '定下长期联系的团支部',
  'contact.ended': () => '不再长期联系团支部',
  'contact.visited': () => '登记到联系的团支部走访',
  'danger.answered': () => '应答：有人有危险，我来处理',
  'danger.closed': () => '登记求助的人已平安',
  'danger.confirmed': () => '核实有人有危险，报告上级',
  'danger.false_alarm': () => '登记求助为误报',
  'danger.reported': () => '有人对机器人说有危险',
  'inspection.exported': ({ from, to }) =>
    `导出检查验收表${typeof from === 'string' ? `（${from} 至 ${String(to)}）` : ''}`,
  'ready_post.written': () => '写备选消息',
  'ready_post.ended': () => '停用备选消息',
  'ready_post.used': () => '转发备选消息',
  'ready_post.not_out': () => '备选消息没有发进群，收回登记',
  'duty_report.exported': ({ period }) => `导出双月报告${typeof period === 'string' ? `（${period}）` : ''}`,
  'duty_report.sent': ({ isChange }) => (isChange === true ? '更改双月报告' : '报送双月报告'),
  'form.sent': details => `${details.isReplaced === true ? '重新报送' : '报送'}报表${formDetails(details)}`,
  'group.dissolved': ({ by }) => `登记群解散${by === 'platform' ? '（平台告知）' : ''}`,
  'group.join_code_set': () => '更换入群码',
  'group.members_listed': ({ by }) => (by === 'roll_call' ? '签到结束，按签到核对成员' : '粘贴名单核对成员'),
  'group.owner_changed': () => '更换群主',
  'group.reading_asked': () => '请平台重新读取群成员',
  'group.registered': () => '登记了群',
  'hand_over.closed': () => '交接办完',
  'hand_over.item_done': () => '办好交接清单里的一项',
  'hand_over.started': () => '开始交接工作',
  'identity.bound': ({ channel, by }) =>
    `绑定${named(channelNames, channel, '')}账号${by === 'code' ? '（凭绑定码）' : by === 'registration' ? '（登记时）' : by === 'join_request' ? '（入群审核通过）' : ''}`,
  'identity.renamed': ({ channel }) => `${named(channelNames, channel, '平台')}账号改了名`,
  'identity.unbound': ({ channel, why }) =>
    `解除${named(channelNames, channel, '')}账号的绑定${inBrackets(named(leaveNames, why, ''))}`,
  'join_request.approved': details => `入群申请通过${decided(details)}`,
  'join_request.referred': details => `入群申请转人工核实${decided(details)}`,
  'join_request.rejected': details => `入群申请没有通过${decided(details)}`,
  'join_request.escalated': () => '入群申请没人处理，转到上一级',
  'join_request.undone': () => '撤销了入群申请的结论',
  'member.joined': () => '凭入群码进了群',
  'messages.retried': () => '让没发出去的消息重发',
  'month.changed_late': ({ month, reason }) =>
    `更正已关账的${typeof month === 'string' ? ` ${month} ` : ''}月度数${because({ reason })}`,
  'month.confirmed': ({ month, groups }) =>
    `核对${typeof month === 'string' ? ` ${month} ` : '月度'}群消息数${typeof groups === 'number' ? `（${groups} 个群）` : ''}`,
  'month.signed': ({ month }) => `签报${typeof month === 'string' ? ` ${month} ` : ''}月度数`,
  'notice.answered': ({ isChange }) => (isChange === true ? '更改对通知的答复' : '答复通知'),
  'notice.corrected': ({ correction, groups }) =>
    `更正通知${typeof correction === 'number' ? `（更正为通知 ${correction}，${groups} 个群）` : ''}`,
  'notice.exported': ({ rows }) => `导出通知的送达名单${typeof rows === 'number' ? `（${rows} 行）` : ''}`,
  'notice.issued': ({ groups }) => `发出通知${typeof groups === 'number' ? `（${groups} 个群）` : ''}`,
  'notice.withdrawn': details => `撤回通知${because(details)}`,
  'notice_answers.exported': ({ rows }) =>
    typeof rows === 'number' ? `导出通知的答复（${rows} 个单位）` : '下载答复通知的文件',
  'notice_draft.approved': ({ draft }) => `同意通知草稿${numbered(draft)}发出`,
  'notice_draft.changed': ({ draft }) => `改别人写的通知草稿${numbered(draft)}`,
  'notice_draft.dropped': ({ draft }) => `作废通知草稿${numbered(draft)}`,
  'notice_draft.failed': ({ draft }) => `定时的通知草稿${numbered(draft)}没有发成`,
  'notice_draft.returned': ({ draft }) => `退回通知草稿${numbered(draft)}`,
  'notice_draft.submitted': ({ draft }) => `提交通知草稿${numbered(draft)}`,
  'person.erased': ({ why }) => `删除了个人信息${inBrackets(named(erasedNames, why, ''))}`,
  'person.unmask_refused': details => `想查看完整的手机号、身份证号，没有给看${because(details)}`,
  'person.unmasked': details => `查看了完整的手机号、身份证号${because(details)}`,
  'record.corrected': () => '更正刚登记的消息',
  'record.proved': () => '为登记的条数存了证明图片',
  'record.question_set': ({ how }) => (how === 'never' ? '不要定时问群里发了什么' : '要定时问群里发了什么'),
  'record.recategorised': () => '更正消息记录的类别',
  'record_file.viewed': () => '打开登记的证明或活动照片',
  'rehearsal.asked': ({ groups }) => `演练通知${typeof groups === 'number' ? `（${groups} 个群）` : ''}`,
  'roll_call.opened': () => '发起群签到',
  'roster.exported': ({ count }) => `导出名册${typeof count === 'number' ? `（${count} 人）` : ''}`,
  'roster.import_undone': () => '撤销一次名册导入',
  'roster.imported': details => `导入名册${inBrackets(counted(details))}`,
  'roster.others_compared': () => '核对名册：有外单位登记的人，信息不一致',
  'roster_draft.given_up': () => '放弃上传的名册',
  'roster_draft.uploaded': () => '上传名册待核对',
  'session.ended': ({ count }) =>
    typeof count === 'number' ? `让其他 ${count} 处登录退出` : '让一处登录退出',
  'session.started': ({ way }) => `登录网页（${named(wayNames, way, '其他方式')}）`,
  'sheet.exported': details => `导出报表${formDetails(details)}`,
  'slip.added': () => '本人补充了上报',
  'slip.answered': () => '答复上报',
  'slip.closed': () => '上报办结',
  'slip.group_failed': () => '上报的答复没有发进群',
  'slip.group_relayed': () => '上报的答复没有发进群，改请群主转发',
  'slip.late': () => '上报到时没有答复，再次催办',
  'slip.leads': () => '合并办理的上报接着办',
  'slip.merged': () => '合并同一件事的上报',
  'slip.raised': () => '上报升到上一级',
  'subsidy.approved': details => `批准补贴名单${peopleIn(details)}`,
  'subsidy.bank_paid': () => '更正：一笔补贴银行没有退回',
  'subsidy.bank_returned': () => '记下一笔补贴被银行退回',
  'subsidy.budget_set': ({ year }) => `设定${typeof year === 'number' ? ` ${year} 年` : ''}补贴预算`,
  'subsidy.cancel_asked': () => '撤销一笔补贴付款',
  'subsidy.compared': ({ differences }) =>
    `与微信支付对账（${typeof differences === 'number' && differences > 0 ? `${differences} 处不一致` : '一致'}）`,
  'subsidy.exported': details =>
    `导出补贴${details.kind === 'bank' ? '银行发放表' : '名单'}${peopleIn(details)}`,
  'subsidy.given_up': () => '放弃一笔被拒的补贴付款',
  'subsidy.left_out': () => '把人移出补贴名单',
  'subsidy.made': details => `制作补贴名单${peopleIn(details)}`,
  'subsidy.put_back': () => '把人放回补贴名单',
  'subsidy.receipt_asked': () => '申请一笔补贴的电子回单',
  'subsidy.receipt_exported': () => '下载一笔补贴的电子回单',
  'subsidy.returned': () => '退回补贴名单',
  'subsidy.sent_again': () => '原样重新提交一笔补贴付款',
  'subsidy.submitted': details => `提交补贴名单复核${peopleIn(details)}`,
  'subsidy.way_changed': ({ way }) => `补贴名单改由${way === 'bank' ? '银行' : '微信'}发放`,
  'subsidy.withdrawn': () => '作废补贴名单',
  'slip.sent': () => '有人上报',
  'slip.spread': () => '把上报的经验做法写成通知',
  'slip.told_group': () => '把上报的答复转告群里',
  'task.done': () => '把群里的待办登记为完成',
  'volunteer.added': () => '把人记入高校志愿者数据库',
  'volunteer.exported': ({ count }) =>
    `导出志愿者数据库${typeof count === 'number' ? `（${count} 人）` : ''}`,
  'volunteer.keep_ended': () => '登记学校不再保留志愿者的户口、档案或入学资格',
  'volunteer.kept': () => '登记学校为志愿者保留户口、档案或入学资格',
  'volunteer.mentor_named': ({ mentorId }) => (mentorId === null ? '免去志愿者的导师' : '为志愿者请导师'),
  'volunteer.placed': () => '改志愿者的院系和毕业年份',
  'volunteer.step_dropped': () => '撤回志愿者的一个阶段',
  'volunteer.step_written': () => '登记志愿者的一个阶段',
  'volunteer.viewed': () => '查看志愿者的联系记录',
  'work_schedule.adopted': ({ year, steps }) =>
    `采用工作日程${typeof year === 'number' ? `（${year}年，${steps} 步）` : ''}`,
  'work_schedule.approved': () => '同意工作日程',
  'work_schedule.returned': details => `退回工作日程${because(details)}`,
  'work_schedule_step.dropped': ({ title }) => `取消工作日程里的一步${titled(title)}`,
  'work_schedule_step.moved': ({ title }) => `改工作日程里的一步${titled(title)}`,
  'unit_account.ended': ({ name }) => `登记公共号${titled(name)}停用`,
  'unit_account.kept': ({ name, isChange }) => `${isChange === true ? '更改' : '登记'}公共号${titled(name)}`,
  'unit_plan.written': ({ year, isChange }) =>
    `${isChange === true ? '更改' : '填报'}建设计划${typeof year === 'number' ? `（${year}年）` : ''}`,
  'unit.manager_appointed': () => '指定专人',
  'unit_facts.reported': ({ month }) => `填报基本数据${typeof month === 'string' ? `（${month}）` : ''}`,
  'update.retried': () => '让一条没办成的消息重新办理',
  'updates.retried': () => '让没办成的消息重新办理',
}

function peopleIn({ people }: Details): string {
  return typeof people === 'number' ? `（${people} 人）` : ''
}

/** The actions that have words, for a filter. */
export const auditActions: readonly string[] = Object.keys(words)

/**
 * What an entry of the audit log says, in words for people. An action without words of its own is shown by its code: that
 * something was done is never hidden.
 */
export function actionWords(action: string, details: Details): string {
  const say = Object.hasOwn(words, action) ? words[action] : undefined
  return say?.(details) ?? `其他操作（${action}）`
}
