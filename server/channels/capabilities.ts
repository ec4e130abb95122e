import type { OfficialAccountConfig, WecomConfig } from '../config.ts'
import { ChannelError } from './errors.ts'

/** Kinds of platform accounts that differ in what they may do. */
export type AccountType =
  | 'wecom_verified'
  | 'wecom_unverified'
  | 'service_verified'
  | 'service_unverified'
  | 'subscription_verified'
  | 'subscription_unverified'

export type Capability =
  /** Answering within the callback. */
  | 'passiveReply'
  /** Writing to a member of the corp. */
  | 'appMessage'
  /** Posting into a group that the app made. */
  | 'appchat'
  /** Posting into an internal group by its webhook. */
  | 'robot'
  /** Reading customer groups and hearing of their changes. */
  | 'customerGroups'
  /** Codes that lead into one customer group. */
  | 'joinWays'
  /** Posts into customer groups that the owner confirms. */
  | 'massTasks'
  /** Welcoming a new customer. */
  | 'welcome'
  /** Remarks and tags of customers. */
  | 'customerTags'
  /** Writing to a follower within the window after they wrote. */
  | 'customerService'
  /** Writing to a follower at any time, in fixed fields. */
  | 'template'
  /** Notices that the follower has agreed to. */
  | 'subscription'
  /** One message to all followers, or to those with a tag. */
  | 'mass'
  /** One message to a list of followers. */
  | 'massToList'
  | 'menu'
  /** QR codes that say where a follower came from. */
  | 'qrScene'
  /** Pages that know who opens them. */
  | 'oauth'
  /** Signed use of WeChat's functions in pages. */
  | 'jssdk'
  | 'media'
  /** The list of followers and what is known of them. */
  | 'userList'
  | 'tags'

/** 'yes', or in words for people what is missing, why, and what to do instead. */
export type Support = 'yes' | `${string}：${string}`

const onlyOfficialAccount = (what: string): Support =>
  `${what}：企业微信应用没有这项功能，请另配置公众号（OFFICIAL_ACCOUNT_…）`
const onlyWecom = (what: string, instead: string): Support =>
  `${what}：公众号没有这项功能，请另配置企业微信应用（WECOM_…），或${instead}`
const needsVerification = (what: string, instead: string): Support =>
  `${what}：公众号尚未认证，平台不开放；${instead}，认证之后即可使用`
const needsCorpVerification = (what: string, instead: string): Support =>
  `${what}：企业尚未认证，平台不开放对外部联系人的接口（610016）；${instead}，认证之后即可使用`
const onlyService = (what: string, instead: string): Support => `${what}：只有认证的服务号才有；${instead}`

/** What an Official Account of any kind cannot do. */
const notInOfficialAccounts = {
  appMessage: onlyWecom('应用消息', '请对方关注公众号后对话'),
  appchat: onlyWecom('应用群聊', '登记为普通微信群，由群主转发'),
  robot: onlyWecom('群机器人', '登记为普通微信群，由群主转发'),
  customerGroups: onlyWecom('客户群', '登记为普通微信群，由群主报人数'),
  joinWays: onlyWecom('入群码', '由群主把人拉进群'),
  massTasks: onlyWecom('客户群群发', '登记为普通微信群，由群主转发'),
  welcome: onlyWecom('新客户欢迎语', '用关注后的自动回复'),
  customerTags: onlyWecom('客户备注和标签', '用公众号的粉丝标签'),
} satisfies Partial<Record<Capability, Support>>

const notInWecom = {
  customerService: onlyOfficialAccount('客服消息'),
  template: onlyOfficialAccount('模板消息'),
  subscription: onlyOfficialAccount('订阅通知'),
  mass: onlyOfficialAccount('公众号群发'),
  massToList: onlyOfficialAccount('公众号按名单群发'),
  qrScene: onlyOfficialAccount('带参数二维码'),
  userList: onlyOfficialAccount('粉丝列表'),
  tags: onlyOfficialAccount('粉丝标签'),
} satisfies Partial<Record<Capability, Support>>

const inEveryOfficialAccount = { passiveReply: 'yes', jssdk: 'yes' } satisfies Partial<
  Record<Capability, Support>
>

/** What only a verified service account has, as a subscription account's people are told it. */
const onlyInServiceAccounts = {
  template:
    '模板消息：超过 48 小时没有发言的群主，公众号无法主动提醒，请其每天给公众号回一个字，或改用企业微信',
  subscription: onlyService('订阅通知', '请对方先给公众号发一句话，48 小时内用客服消息'),
  massToList: onlyService('按名单群发', '请改为发给全部粉丝或某个标签的粉丝'),
  qrScene: '带参数二维码：请把群号告诉申请人，由其发送“入群 群号”',
  oauth: '网页授权登录：请用机器人发出的一次性链接',
} satisfies Partial<Record<Capability, Support>>

const afterVerification = {
  customerService: needsVerification('客服消息', '机器人只能当场回复，其他消息请发“任务”来取'),
  mass: needsVerification('群发', '请在公众号后台手动群发'),
  media: needsVerification('图片等素材', '请用文字和链接代替'),
  userList: needsVerification('粉丝列表', '粉丝给公众号发消息后才认得'),
  tags: needsVerification('粉丝标签', '请在公众号后台手动设置'),
} satisfies Partial<Record<Capability, Support>>

/**
 * Who may do what.
 * @see https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Explanation_of_interface_privileges.html
 * @see https://developer.work.weixin.qq.com/document/path/90313 610016: the corp is not verified
 */
const table: Record<AccountType, Record<Capability, Support>> = {
  wecom_verified: {
    ...notInWecom,
    passiveReply: 'yes',
    appMessage: 'yes',
    appchat: 'yes',
    robot: 'yes',
    customerGroups: 'yes',
    joinWays: 'yes',
    massTasks: 'yes',
    welcome: 'yes',
    customerTags: 'yes',
    menu: 'yes',
    oauth: 'yes',
    jssdk: 'yes',
    media: 'yes',
  },
  wecom_unverified: {
    ...notInWecom,
    passiveReply: 'yes',
    appMessage: 'yes',
    appchat: 'yes',
    robot: 'yes',
    menu: 'yes',
    oauth: 'yes',
    jssdk: 'yes',
    media: 'yes',
    customerGroups: needsCorpVerification('客户群', '请登记为普通微信群，由群主报人数'),
    joinWays: needsCorpVerification('入群码', '请由群主把人拉进群'),
    massTasks: needsCorpVerification('客户群群发', '请由群主转发'),
    welcome: needsCorpVerification('新客户欢迎语', '请在企业微信后台设置欢迎语'),
    customerTags: needsCorpVerification('客户备注和标签', '请在企业微信里手动设置'),
  },
  service_verified: {
    ...notInOfficialAccounts,
    ...inEveryOfficialAccount,
    customerService: 'yes',
    template: 'yes',
    subscription: 'yes',
    mass: 'yes',
    massToList: 'yes',
    menu: 'yes',
    qrScene: 'yes',
    oauth: 'yes',
    media: 'yes',
    userList: 'yes',
    tags: 'yes',
  },
  service_unverified: {
    ...notInOfficialAccounts,
    ...inEveryOfficialAccount,
    ...afterVerification,
    menu: 'yes',
    template: needsVerification('模板消息', '公众号无法主动提醒，请群主每天给公众号发“任务”'),
    subscription: needsVerification('订阅通知', '请群主每天给公众号发“任务”'),
    massToList: needsVerification('按名单群发', '请在公众号后台手动群发'),
    qrScene: needsVerification('带参数二维码', '请把群号告诉申请人，由其发送“入群 群号”'),
    oauth: needsVerification('网页授权登录', '请用机器人发出的一次性链接'),
  },
  subscription_verified: {
    ...notInOfficialAccounts,
    ...inEveryOfficialAccount,
    ...onlyInServiceAccounts,
    customerService: 'yes',
    mass: 'yes',
    menu: 'yes',
    media: 'yes',
    userList: 'yes',
    tags: 'yes',
  },
  subscription_unverified: {
    ...notInOfficialAccounts,
    ...inEveryOfficialAccount,
    ...onlyInServiceAccounts,
    ...afterVerification,
    template: '模板消息：公众号无法主动提醒，请群主每天给公众号发“任务”，或改用企业微信',
    subscription: onlyService('订阅通知', '请群主每天给公众号发“任务”'),
    massToList: onlyService('按名单群发', '请在公众号后台手动群发'),
    menu: needsVerification('自定义菜单', '请发“帮助”看能办的事'),
  },
}

/** What the persons who chat with the bot notice; the rest is the operators' business. */
const noticed: Record<'wecom' | 'officialAccount', Capability[]> = {
  wecom: ['customerGroups', 'joinWays', 'massTasks', 'welcome'],
  officialAccount: ['customerService', 'template', 'qrScene', 'oauth'],
}

/** As much of a configuration as decides; an Official Account is the one with a `kind`. */
export type AccountConfig =
  | Pick<WecomConfig, 'isVerified'>
  | Pick<OfficialAccountConfig, 'kind' | 'isVerified'>

export function accountTypeOf(config: AccountConfig): AccountType {
  const kind = 'kind' in config ? config.kind : 'wecom'
  return `${kind}_${config.isVerified ? 'verified' : 'unverified'}`
}

/** Everything that an account can do, or why it cannot. */
export function capabilitiesOf(config: AccountConfig): Readonly<Record<Capability, Support>> {
  return table[accountTypeOf(config)]
}

/** What the account lacks, in words for the persons who chat with the bot. */
export function lacksOf(config: AccountConfig): string[] {
  const all = capabilitiesOf(config)
  return noticed['kind' in config ? 'officialAccount' : 'wecom']
    .map(capability => all[capability])
    .filter(support => support !== 'yes')
}

/** @throws ChannelError `config` with the reason and what to do instead, so that no call is wasted on a refusal */
export function requireCapability(config: AccountConfig, capability: Capability): void {
  const support = capabilitiesOf(config)[capability]
  if (support !== 'yes') throw new ChannelError('config', support)
}
