import type { SendResult } from '../channel.ts'

/** A message to a follower within their window; media ids come from `uploadMedia`. */
export type ServiceMessage =
  | { kind: 'text'; text: string }
  | { kind: 'image' | 'voice'; mediaId: string }
  | { kind: 'video'; mediaId: string; title: string; description: string }
  /** One article that opens a page. */
  | { kind: 'news'; title: string; description: string; url: string; pictureUrl: string | null }
  /** A question with answers to tap; a tap comes back as a message whose menu id names the command. */
  | { kind: 'menu'; head: string; items: { command: string; text: string }[]; tail: string }

/** 客服消息: within 48 hours of a message of theirs, a minute of other acts. `window.ts` counts. */
export interface ServiceMessages {
  /** @throws ChannelError `window_closed` outside the window or when its messages are used up; `rejected` over a limit. */
  sendServiceMessage(address: string, message: ServiceMessage): Promise<SendResult>
}

/** Where a tap on a notice leads: a page, or a mini-program with the page as its substitute in old clients. */
export interface NoticeTarget {
  url?: string
  miniProgram?: { appId: string; path: string }
}

export interface TemplateMessage extends NoticeTarget {
  address: string
  templateId: string
  /** By the template's field names, such as `thing1`, `time2`: the letters are the kind, which limits form and length. */
  data: Record<string, string>
  /** The same number again sends nothing again; without one a lost answer leaves it uncertain. At most 64 characters. */
  clientMessageId?: string
}

/** 模板消息 of any template. `sendTemplate` of the channel is the one for notices. */
export interface Templates {
  /** @throws ChannelError `rejected` for a field that breaks its kind's rule; `recipient` for who does not follow. */
  sendTemplateMessage(message: TemplateMessage): Promise<SendResult>
  /** The account's templates with the names of their fields, such as `thing1`. */
  templates(): Promise<{ templateId: string; title: string; fields: string[] }[]>
}

export interface SubscriptionNotice extends NoticeTarget {
  address: string
  templateId: string
  data: Record<string, string>
}

/** 订阅通知: needs the person's consent, of which `consent.ts` keeps the count; follower or not makes no difference. */
export interface SubscriptionNotices {
  /** The platform gives no id. @throws ChannelError `window_closed` without (further) consent */
  sendSubscriptionNotice(notice: SubscriptionNotice): Promise<SendResult>
  subscriptionTemplates(): Promise<{ templateId: string; title: string; isLongTerm: boolean }[]>
}

export type MassContent =
  | { kind: 'text'; text: string }
  | { kind: 'article'; mediaId: string }
  | { kind: 'images'; mediaIds: string[] }
  | { kind: 'voice'; mediaId: string }

/** All followers, those with a tag, or a list of 2 to 10 000 (服务号 only). */
export type MassAudience = { to: 'all' } | { to: 'tag'; tagId: number } | { to: 'list'; addresses: string[] }

export interface MassJob {
  /** Null when the platform had this `clientMessageId` before and names no id again. */
  messageId: string | null
  /** For statistics; null where there is none. */
  dataId: string | null
  /** The platform had it already; nothing new was sent. */
  isRepeat: boolean
  /**
   * Where API群发保护 is on, an administrator must confirm on their phone until then, otherwise nobody gets it. The
   * platform does not say whether it is on: only the result (`mass_result` update) tells that it went out.
   */
  confirmBefore: Date
}

export type MassState =
  /** Being sent, or waiting until `confirmBefore` for an administrator's word; the platform answers the same. */
  'sending_or_awaiting_confirmation' | 'sending' | 'sent' | 'failed' | 'deleted' | 'unknown'

/** 群发. */
export interface MassMessages {
  /** @throws ChannelError `throttled` when the quota is used up (订阅号: one a day; 服务号: four a month to each person). */
  sendMass(audience: MassAudience, content: MassContent, clientMessageId: string): Promise<MassJob>
  /** Shows it to one person, for approval; about 100 a day. */
  previewMass(address: string, content: MassContent): Promise<SendResult>
  readMass(job: { messageId: string; confirmBefore: Date }): Promise<MassState>
  /** Takes articles back out of the chats. Only what has been sent can be deleted. */
  deleteMass(messageId: string): Promise<void>
}

/** What the first level of a menu holds: up to three, each an entry or a list of up to five entries. */
export type MenuEntry = { name: string } & ({ command: string } | { url: string })
export type MenuButton = MenuEntry | { name: string; entries: MenuEntry[] }

/** 自定义菜单. A tap on a `command` comes back as a `tapped` update with it as its key. */
export interface Menus {
  /** @throws ChannelError `rejected` for a menu that the platform would refuse */
  setMenu(buttons: MenuButton[]): Promise<void>
  /** Empty when there is none. Entries that we never make (mini-programs, cameras) are left out. */
  readMenu(): Promise<MenuButton[]>
  deleteMenu(): Promise<void>
}

export interface QrCode {
  ticket: string
  /** What the code says; for drawing it oneself. */
  url: string
  /** The picture, served by the platform. */
  imageUrl: string
  /** Null for one that lasts. */
  expiresAt: Date | null
}

/** 带参数二维码: who scans it comes with `scene`. */
export interface QrCodes {
  /**
   * @param scene 1 to 64 characters, or a number of 32 bits (1 to 100 000 in a code that lasts)
   * @param lastsSeconds up to 2 592 000 (30 days); null for one that lasts, of which an account has 100 000 in all
   */
  createQrCode(scene: string | number, lastsSeconds: number | null): Promise<QrCode>
}

export interface Follower {
  address: string
  /** Of somebody who does not follow nothing else is known. */
  isFollowing: boolean
  /** Only when the account is bound to an open platform account; the same person in WeCom has the same. */
  unionId: string | null
  followedAt: Date | null
  remark: string
  tagIds: number[]
  /** How they came, in the platform's words (ADD_SCENE_…). */
  source: string
  /** The scene of the code they came by. */
  scene: string | null
}

export interface FollowerTag {
  tagId: number
  name: string
  /** How many have it. */
  count: number
}

/** 用户管理. */
export interface Followers {
  /** Up to 10 000 in one page; go on with `next` until it is null. */
  listFollowers(after: string | null): Promise<{ total: number; addresses: string[]; next: string | null }>
  readFollower(address: string): Promise<Follower>
  /** Any number, read a hundred at a time. */
  readFollowers(addresses: string[]): Promise<Follower[]>
  /** At most 30 characters; empty takes it away. */
  remarkFollower(address: string, remark: string): Promise<void>
  createTag(name: string): Promise<FollowerTag>
  listTags(): Promise<FollowerTag[]>
  deleteTag(tagId: number): Promise<void>
  /** Any number, fifty at a time. */
  tagFollowers(tagId: number, addresses: string[]): Promise<void>
  untagFollowers(tagId: number, addresses: string[]): Promise<void>
}

export interface LoggedIn {
  address: string
  unionId: string | null
  /** A visitor of a page snapshot: the ids are invented by the platform. Never bind them to a person. */
  isSnapshot: boolean
  /** For `readProfile`; null when only the id was asked for. */
  profileToken: string | null
}

/** 网页授权 and JS-SDK. */
export interface Login {
  /**
   * The address that leads to `redirectUrl` with `code` and `state`.
   * @param scope `snsapi_base` asks nobody and gives the id; `snsapi_userinfo` asks and gives name and picture too
   * @param state up to 128 letters and digits
   */
  loginUrl(redirectUrl: string, state: string, scope: 'snsapi_base' | 'snsapi_userinfo'): string
  /** A code serves once, within five minutes. @throws ChannelError `rejected` for one that is old, used or unknown */
  readLogin(code: string): Promise<LoggedIn>
  readProfile(login: {
    address: string
    profileToken: string
  }): Promise<{ nickname: string; pictureUrl: string; unionId: string | null }>
  /** What `wx.config` needs in the page at `pageUrl` (with its query, without its `#…`). */
  signPage(
    pageUrl: string,
  ): Promise<{ appId: string; timestamp: number; nonceStr: string; signature: string }>
}

export interface MediaFile {
  name: string
  bytes: Uint8Array
}

/** 素材. */
export interface Media {
  /** For messages, for three days. */
  uploadMedia(type: 'image' | 'voice' | 'video' | 'thumb', file: MediaFile): Promise<{ mediaId: string }>
  /** A picture that stays, JPG or PNG up to 10 MB, with an address for pages and articles. */
  uploadLastingImage(file: MediaFile): Promise<{ mediaId: string; url: string }>
  /** What a follower sent, or was uploaded in the last three days. @throws ChannelError `rejected` when it is gone */
  fetchMedia(mediaId: string): Promise<{ contentType: string; bytes: Uint8Array }>
}

/** How often an interface was called today, and may be. */
export interface CallQuota {
  limit: number
  used: number
}

/** The platform's own count of our calls (API 调用额度). */
export interface Quotas {
  /** @param path of the interface, such as `/cgi-bin/message/custom/send` */
  readQuota(path: string): Promise<CallQuota>
}

export interface PlatformAddresses {
  /** Where callbacks come from: single addresses and ranges such as `101.226.103.0/25`. Changes; ask daily. */
  callbackAddresses(): Promise<string[]>
}

/** Everything that an Official Account can do beyond what every channel does. What an account lacks throws `config`. */
export interface OfficialAccountPorts
  extends ServiceMessages,
    Templates,
    SubscriptionNotices,
    MassMessages,
    Menus,
    QrCodes,
    Followers,
    Login,
    Media,
    Quotas,
    PlatformAddresses {}
