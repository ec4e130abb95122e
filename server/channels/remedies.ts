import type { ChannelName } from './update.ts'

/** What an operator does about a code that no retry makes better. */
export interface Remedy {
  channel: ChannelName
  errcode: number
  /** Only of this call: elsewhere the code means something that mends itself. */
  call?: string
  /** What is wrong and where to click, in Chinese. */
  words: string
}

const WECOM_CONSOLE = '企业微信管理后台'
const APP_PAGE = `${WECOM_CONSOLE} → 应用管理 → 本应用`
const OFFICIAL_CONSOLE = '公众平台（mp.weixin.qq.com）'
const DEVELOPER_PAGE = '微信开发者平台 → 我的业务 → 公众号 / 服务号 → 开发密钥'

/**
 * @see https://developer.work.weixin.qq.com/document/path/90313
 * @see https://developers.weixin.qq.com/doc/service/guide/dev/errcode.html
 */
const remedies: readonly Remedy[] = [
  {
    channel: 'wecom',
    errcode: 60020,
    words: `服务器的出口 IP 不在可信名单里。${APP_PAGE} → 企业可信 IP → 配置，填入服务器出口 IP，约 1 分钟后生效（须先设好可信域名或接收消息服务器）。`,
  },
  {
    channel: 'wecom',
    errcode: 40001,
    words: `WECOM_SECRET 不对，或应用被停用。${APP_PAGE} → Secret → 查看，改好配置后重启；反复用错会被封 IP 一小时。`,
  },
  {
    channel: 'wecom',
    errcode: 40013,
    words: `WECOM_CORP_ID 不对。${WECOM_CONSOLE} → 我的企业 → 企业信息 → 企业 ID。`,
  },
  {
    channel: 'wecom',
    errcode: 40056,
    words: `WECOM_AGENT_ID 不对。${APP_PAGE} → AgentId。`,
  },
  {
    channel: 'wecom',
    errcode: 301002,
    words: `WECOM_SECRET 和 WECOM_AGENT_ID 不是同一个应用的。${APP_PAGE}，两项都从同一页抄写。`,
  },
  {
    channel: 'wecom',
    errcode: 48002,
    words: `应用没有这个接口的权限。${WECOM_CONSOLE} → 客户与上下游 → 客户联系 → API → 可调用接口的应用，勾选本应用；建应用群还要求可见范围含根部门。`,
  },
  {
    channel: 'wecom',
    errcode: 48009,
    words: `没有读取通讯录详情的权限。${WECOM_CONSOLE} → 安全与管理 → 管理工具 → 通讯录同步，或改用应用的 Secret。`,
  },
  {
    channel: 'wecom',
    errcode: 60011,
    words: `应用无权操作这个成员或部门。${APP_PAGE} → 可见范围，把所有群主和工作人员（或其部门）加进去。`,
  },
  {
    channel: 'wecom',
    errcode: 86008,
    words: '这个群不是本应用建的，应用发不进去。请群主改用群机器人，或由本应用重新建群（建群 … 应用群）。',
  },
  {
    channel: 'wecom',
    errcode: 610016,
    words: `企业没有认证，不能用客户联系接口。${WECOM_CONSOLE} → 我的企业 → 企业信息 → 认证；认证前群主仍可手工转发。`,
  },
  {
    channel: 'wecom',
    errcode: 610023,
    words: `企业的外部联系人数已到上限。${WECOM_CONSOLE} → 我的企业 → 企业信息 → 外部联系人规模，申请扩容。`,
  },
  {
    channel: 'wecom',
    errcode: 41045,
    words: `“联系我”和入群方式的总数已到上限（500,000）。请把本告警报给开发者，清理旧的入群方式。`,
  },
  {
    channel: 'wecom',
    errcode: 50001,
    words: `网页授权的域名不可信。${APP_PAGE} → 网页授权及 JS-SDK，把 PUBLIC_URL 的域名设为可信域名（须完全一致）。`,
  },
  {
    channel: 'wecom',
    errcode: 45009,
    words:
      '企业微信说调用太频繁或额度用完。若只是偶尔，不用处理；若持续，请检查是否有别的程序共用同一应用，并核对 WECOM_ACCOUNT_CAP（帐号上限）。',
  },
  {
    channel: 'official-account',
    errcode: 40164,
    words: `服务器的出口 IP 不在公众号白名单里。${DEVELOPER_PAGE} → API IP 白名单，填入服务器出口 IP。`,
  },
  {
    channel: 'official-account',
    errcode: 89503,
    words: '这个 IP 第一次调用，等公众号管理员确认。请管理员在微信收到的模板消息里点“同意”。',
  },
  {
    channel: 'official-account',
    errcode: 89506,
    words: '管理员拒绝了这个 IP 的调用，24 小时内不能再申请。请核对 IP 后由管理员同意。',
  },
  {
    channel: 'official-account',
    errcode: 89507,
    words: '管理员拒绝了这个 IP 的调用，1 小时内不能再申请。请核对 IP 后由管理员同意。',
  },
  {
    channel: 'official-account',
    errcode: 40001,
    call: '/cgi-bin/stable_token',
    words: `OFFICIAL_ACCOUNT_SECRET 不对。${DEVELOPER_PAGE} → AppSecret → 重置，改好配置后重启。`,
  },
  {
    channel: 'official-account',
    errcode: 40125,
    words: `OFFICIAL_ACCOUNT_SECRET 不对。${DEVELOPER_PAGE} → AppSecret → 重置，改好配置后重启。`,
  },
  {
    channel: 'official-account',
    errcode: 40243,
    words: `AppSecret 被冻结。${DEVELOPER_PAGE} → AppSecret → 解冻。`,
  },
  {
    channel: 'official-account',
    errcode: 40013,
    words: `OFFICIAL_ACCOUNT_APP_ID 不对。${DEVELOPER_PAGE} → AppID。`,
  },
  {
    channel: 'official-account',
    errcode: 40037,
    words: `模板不存在或已删除。${OFFICIAL_CONSOLE} → 广告与服务 → 模板消息 → 我的模板，把模板 ID 填进 OFFICIAL_ACCOUNT_NOTICE_TEMPLATE。`,
  },
  {
    channel: 'official-account',
    errcode: 48001,
    words: `公众号没有这个接口的权限。${OFFICIAL_CONSOLE} → 设置与开发 → 接口权限，看是否要先认证；订阅号请把 OFFICIAL_ACCOUNT_KIND 设为 subscription。`,
  },
  {
    channel: 'official-account',
    errcode: 48004,
    words: `接口被封禁。${OFFICIAL_CONSOLE} → 通知中心，看原因和期限，按提示申诉。`,
  },
  {
    channel: 'official-account',
    errcode: 50002,
    words: `公众号的功能受限。${OFFICIAL_CONSOLE} → 通知中心，看违规记录和处理办法。`,
  },
  {
    channel: 'official-account',
    errcode: 45009,
    words: `公众号今天的调用额度用完，明天零点恢复。急用可在${OFFICIAL_CONSOLE} → 设置与开发 → 接口权限清零（每月 10 次）。`,
  },
]

/** What to do about a code, in our own words; null for one that has none. */
export function remedyFor(channel: string, errcode: number, call: string): Remedy | null {
  return (
    remedies.find(
      each =>
        each.channel === channel &&
        each.errcode === errcode &&
        (each.call === undefined || each.call === call),
    ) ?? null
  )
}
