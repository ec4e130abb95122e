// What the simulator shows to its users (tests, the demo, the phone page). Nothing here depends on the rest of the project.
import type { Clock } from '../../server/clock.ts'

export type Via = 'wecom' | 'officialAccount'

/** One kind of platform limit; each can be switched off, for example for a load test. */
export type LimitName =
  | 'tokenExpiry'
  | 'callFrequency'
  | 'contentSize'
  | 'memberFrequency'
  | 'appDailyQuota'
  | 'webhookFrequency'
  | 'appchatFrequency'
  | 'massQuota'
  | 'massRemind'
  | 'transferQuota'
  | 'ticketFrequency'
  | 'pictureQuota'
  | 'groupCapacity'
  | 'welcomeDeadline'
  | 'serviceWindow'
  | 'templateQuota'
  | 'officialQuota'
  | 'aibotInteractions'
  | 'payAmounts'
  | 'payFrequency'

export type FaultName =
  | 'slow-answers'
  | 'http-500'
  | 'token-void'
  | 'duplicate-callbacks'
  | 'reorder-callbacks'
  | 'drop-callbacks'
  | 'owners-never-confirm'
  | 'quota-exhausted'
  | 'robot-removed'
  | 'ip-refused'
  | 'no-permission'
  | 'answers-lost'
  | 'busy'
  | 'pay-balance-short'
  | 'pay-answer-lost'
  | 'pay-http-500'
  | 'pay-not-found'
  | 'pay-frequency'
  | 'pay-sign-test'

export interface FaultOptions {
  /** Part of the API path, or of the callback's label such as `wecom/event/change_external_chat/update`. */
  path?: string
  /** How many times it strikes before it goes off by itself; `token-void` strikes once unless told otherwise. */
  times?: number
  /** Share of matching calls that it strikes, 0 to 1. */
  rate?: number
  /** Milliseconds of real time, for slow answers (default 6000) and held-back callbacks (default 150). */
  ms?: number
}

export interface SimulatorOptions {
  clock: Clock
  /** Default 0: any free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  limits?: Partial<Record<LimitName, boolean>>
  /** A JSONL copy of the log. */
  logFile?: string
  /** For ids and chance; without one every run differs. Runs with the same seed repeat their message ids. */
  seed?: number
  /** false: the phone page shows everything and changes nothing. Default true. */
  phoneControl?: boolean
  /** Whether an answer other than 200 makes the platform try again; the official pages differ. Default true. */
  retryNon200?: boolean
  /** Real milliseconds the platform waits for an answer to a POST. Default 5000, as the platforms do. */
  callbackTimeoutMs?: number
  /** Real milliseconds for the GET that verifies a callback URL. Default 1000. */
  verifyTimeoutMs?: number
  /** Callbacks under way at once. Default 64. */
  callbackConcurrency?: number
  /** By how much groupchat/get lags behind the member events, on the clock. The platform's is about 2000; default 0. */
  detailLagMs?: number
  /** How long a new mass message answers 41063 ("being dispatched"), on the clock. Default 0. */
  massDispatchMs?: number
  /** How often senders may be called on in 24 hours; the official page gives no number. Default 3. */
  massRemindsPerDay?: number
  /** Mass messages that one customer or group may get: a setting of the corp. Default: as many a month as it has days. */
  massReceiptRule?: 'month' | 'seven-a-week' | 'one-a-day'
  /** Person-times that app chats take in an hour, by the size of the corp; an appendix says 300 000. Default 150 000. */
  appchatPerHour?: number
  /** JoinScene of somebody who was invited: 0 by the text, 1 in the official sample. Default 0. */
  inviteScene?: 0 | 1
  /** How events name the members concerned: `commas` is the form of older clients. Default `items`. */
  memberChanges?: 'items' | 'commas' | 'absent'
  /** How events spell the options chosen; one published sample has it wrong. Default `OptionIds`. */
  optionSpelling?: 'OptionIds' | 'OpitonIds'
  /** Whether add_join_way answers with qr_code or, as in the older form, with the id alone. Default true. */
  joinWayAnswersCode?: boolean
  /** Contact ways and join ways together that a corp may have. Default 500 000. */
  contactWayCap?: number
  /** 客服消息 that one message of a follower allows: 5 now, 20 in older guides. Default 5. */
  serviceMessagesPerMessage?: number
  /** Real milliseconds until an Official Account tells the result of a template or mass message. Default 20. */
  jobFinishMs?: number
  /** The largest number of log entries kept in memory; older ones are let go. Default: all are kept. */
  logLimit?: number
}

export interface WecomAppSettings {
  corpId: string
  agentId: number
  secret: string
  token: string
  aesKey: string
  callbackUrl?: string
  name?: string
  /** Messages per day = account cap × 200. Default 200. */
  accountCap?: number
  /** The userids that the app may see (可见范围). Default: every member. */
  visible?: string[]
  /** Whether the corp is verified (已认证); without it customers are out of reach (610016). Default true. */
  verified?: boolean
  /** Whether the app is one of those that may call 客户联系 (48002 otherwise). Default true. */
  customerContact?: boolean
  /** Corps that the app is shared with (上下游). */
  downstream?: DownstreamSettings[]
}

/** A corp below ours in a chain. Its members are persons with its `corpId`. */
export interface DownstreamSettings {
  corpId: string
  name: string
  /** The app's number there. */
  agentId: number
  /** Default `chain` (上下游). */
  kind?: 'chain' | 'linked'
  /** Its place in the chain. Default 1, the chain's own root group. */
  groupId?: number
  customId?: string
  /** false: invited, and not there yet. Default true. */
  hasJoined?: boolean
}

export interface OfficialAccountSettings {
  appId: string
  /** The account's own id, `gh_…`, as it stands in ToUserName. */
  originalId: string
  secret: string
  token: string
  /** May be empty in plain mode. */
  aesKey: string
  mode: 'plain' | 'compatible' | 'secure'
  kind: 'service' | 'subscription'
  /** Template id → names of its fields. */
  templates?: Record<string, string[]>
  callbackUrl?: string
  name?: string
  /** 微信认证. Default true. */
  verified?: boolean
  /** How callbacks are written; chosen in the console. Default xml. */
  pushFormat?: 'xml' | 'json'
  /** API群发保护: an administrator must confirm a mass message within 30 minutes. Default false. */
  massProtection?: boolean
  /** Subscription notices (订阅通知) by template id. */
  subscriptionTemplates?: Record<string, { title: string; fields: string[]; longTerm?: boolean }>
  /** The only host that a login may lead back to (网页授权域名). Default: any. */
  loginDomain?: string
  /** Template messages a day. Default 100 000, as for an account with up to 100 000 followers. */
  templateDailyCap?: number
}

export interface NewPerson extends MemberSettings {
  name: string
  wecomUserId?: string
  openId?: string
  externalUserId?: string
  unionId?: string
  /** Whether the person follows the Official Account from the start. Default: yes when an openId is given. */
  follows?: boolean
  /** Shown on the phone page, for example 镇川镇团委书记. */
  note?: string
}

/** What an administrator enters of a person; the phone page does not show it. */
export interface MemberSettings {
  /** The corp that the member belongs to, when it is a downstream one. */
  corpId?: string
  /** Departments that the member is in. Default: the root, 1. */
  departmentIds?: number[]
  /** false: the account has no interface licence and gets no message of an app. Default true. */
  isLicensed?: boolean
  mobile?: string
  email?: string
}

export interface SimPerson {
  readonly id: string
  name: string
  wecomUserId?: string
  openId?: string
  externalUserId?: string
  unionId?: string
  follows: boolean
  note?: string
}

export interface CardButton {
  text: string
  /** A button with a key calls the server; one with a url opens a page. */
  key?: string
  url?: string
  style?: number
  /** In the card's upper right menu: its tap is another event. */
  menu?: boolean
}

export interface CardQuestion {
  questionKey: string
  title?: string
  multiple: boolean
  options: { id: string; text: string }[]
}

/** A card as a person sees it, whichever message type it came from. */
export interface Card {
  cardType: string
  title?: string
  description?: string
  source?: string
  emphasis?: string
  quote?: string
  note?: string
  rows: { name: string; value: string; url?: string }[]
  buttons: CardButton[]
  questions: CardQuestion[]
  url?: string
  taskId?: string
  /** Set once a button has been used and the server replaced its text. */
  replacedText?: string
}

export interface ChatMessage {
  id: string
  at: Date
  from: 'person' | 'bot'
  via: Via
  kind: string
  text: string
  card?: Card
  /** A file or picture by its media id on the platform. */
  mediaId?: string
  /** True for an answer inside the callback's own response. */
  passive?: boolean
  /** True when the sender took it back. */
  recalled?: boolean
}

/** A passive reply, as already recorded in the person's chat. */
export type Reply = ChatMessage

export type GroupKind = 'wechat' | 'customer' | 'internal' | 'appchat'

export interface GroupMember {
  personId: string
  /** userid or external_userid in customer and internal groups; the person's id in ordinary groups. */
  memberId: string
  joinedAt: Date
  /** 1 invited by a member, 2 by an invite link, 3 by a QR code. */
  joinScene: number
  state?: string
  invitorId?: string
}

export interface GroupPost {
  id: string
  /** Who did not get it although they are in the group: they had too many that minute or day. Ids of persons. */
  missedBy?: string[]
  /** Userids and mobile numbers that the post calls on, `@all` for everybody. */
  mentions?: string[]
  groupId: string
  at: Date
  by: string
  via: 'robot' | 'appchat' | 'mass' | 'person' | 'aibot'
  kind: string
  text: string
  card?: Card
  /** What it answers, shown above the text. */
  quote?: string
}

export interface SimGroup {
  /** In customer groups and app chats this is the platform's chat id. */
  readonly id: string
  readonly kind: GroupKind
  name: string
  ownerId: string
  adminIds: string[]
  notice: string
  createdAt: Date
  members: Map<string, GroupMember>
  posts: GroupPost[]
  robots: string[]
  dismissed: boolean
  memberVersion: string
}

export interface NewGroup {
  kind: 'wechat' | 'customer' | 'internal'
  name: string
  ownerId: string
  chatId?: string
  memberIds?: string[]
}

export interface MassTask {
  msgid: string
  userId: string
  createdAt: Date
  text: string
  attachments: { msgtype: string; text: string }[]
  chatType: 'group' | 'single'
  /** Groups or customers it would go to. */
  targets: { id: string; name: string }[]
  allowSelect: boolean
  status: 'waiting' | 'sent' | 'cancelled'
  reminded: number
}

export interface LogEntry {
  at: Date
  kind: string
  [detail: string]: unknown
}
