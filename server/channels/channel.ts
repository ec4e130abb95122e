/** One configured platform account (渠道): a WeCom app or an Official Account. */
export type ChannelName = 'wecom' | 'official-account'

/** A callback as it came over HTTP. `query` holds single values only: a repeated parameter is refused before. */
export interface CallbackRequest {
  query: Record<string, string>
  body: string
}

/** What every update has. */
interface UpdateBase {
  channel: ChannelName
  /** Two callbacks with the same key are the same update: the platform's message id, or a hash of the body. */
  dedupeKey: string
  /** The platform account that wrote or acted; `sys` for what the platform itself says. */
  address: string
  /** Our own id on the platform, which a passive reply names as its sender. */
  recipient: string
  /** When the platform says it happened. */
  at: Date
}

/** One inbound thing: a message or an event (消息与事件). */
export type Update = UpdateBase &
  (
    | { kind: 'text'; text: string }
    /** A picture, voice, file … `text` describes it where the platform gives words (recognised voice, link title). */
    | { kind: 'media'; mediaType: string; mediaId: string | null; text: string }
    /** Somebody began to follow the account or opened the app for the first time; `scene` from a QR code of ours. */
    | { kind: 'followed'; scene: string | null }
    | { kind: 'unfollowed' }
    /** A menu entry or a card's button; `key` is ours and holds a command as a person would type it. */
    | { kind: 'tapped'; key: string; responseCode: string | null }
    | {
        kind: 'group'
        change: GroupChange
        chatId: string
        addresses: string[]
        lastVersion: string
        version: string
      }
    /** Anything else: stored, acknowledged, not acted on. */
    | { kind: 'unknown'; name: string }
  )

export type GroupChange = 'created' | 'dismissed' | 'joined' | 'left' | 'owner_changed' | 'renamed' | 'other'

/** What a callback turned out to be. */
export type Reception =
  | { kind: 'verification'; answer: string }
  | { kind: 'update'; update: Update; body: string }

export interface CallbackResponse {
  contentType: string
  body: string
}

export interface SendResult {
  /** The platform's id of what was sent; empty where it gives none. */
  platformId: string
}

/** Everything the rest of the server may ask of any platform account. */
export interface Channel {
  readonly name: ChannelName
  /** UTF-8 bytes of text that one message may carry. Longer text must be split before. */
  readonly maxTextBytes: number
  /**
   * Verifies and decrypts a callback and turns it into an update.
   * @throws ChannelError `signature` (also: stale, wrong receive id, bad padding) or `malformed`.
   */
  receive(request: CallbackRequest, now: Date): Reception
  /** The body that answers a callback: a passive text reply, or the platform's empty acknowledgement. */
  acknowledge(update: Update, reply: string | null, now: Date): CallbackResponse
  /** @throws ChannelError; `window_closed` when this account may not be written to now. */
  sendText(address: string, text: string): Promise<SendResult>
}

/** Channels that can write to somebody outside the customer-service window, with fixed fields only (服务号). */
export interface TemplateMessages {
  sendTemplate(
    address: string,
    message: { title: string; time: string; note: string },
    url: string | null,
  ): Promise<SendResult>
}

/** Posting straight into an internal group by its robot's webhook (消息推送). */
export interface Robots {
  postToRobot(key: string, text: string): Promise<SendResult>
}

/** Posting into a group that the app made (应用群聊). */
export interface AppChats {
  /** Makes a group of the app's own; `members` are userids, two at least. @returns its chat id, which is `chatId` */
  createAppChat(chat: { chatId: string; name: string; owner: string; members: string[] }): Promise<string>
  postToAppChat(chatId: string, text: string): Promise<SendResult>
}

/** What a member list reading says of one member. */
export interface GroupMember {
  address: string
  isStaff: boolean
  unionId: string | null
  /** The state of the join way that let them in. */
  state: string | null
  nickname: string
  joinedAt: Date
}

export interface GroupReading {
  name: string
  owner: string
  members: GroupMember[]
  version: string
}

/** Customer groups (客户群): readable, but every post must be confirmed by the owner in the client. */
export interface CustomerGroups {
  readGroup(chatId: string): Promise<GroupReading>
  /** A way into one group that carries `state` (≤ 30 characters). */
  createJoinWay(chatId: string, state: string): Promise<{ configId: string; qrCode: string }>
  deleteJoinWay(configId: string): Promise<void>
  /** Makes a task that `sender` confirms; nothing is posted before. */
  createMassTask(sender: string, chatIds: string[], text: string): Promise<SendResult>
  /** The groups in which the task has been confirmed so far. */
  readMassTask(taskId: string, sender: string): Promise<{ chatId: string; sentAt: Date }[]>
}

/** The WeCom app, with all it can do. */
export type WecomChannel = Channel & Robots & AppChats & CustomerGroups
export type OfficialAccountChannel = Channel & TemplateMessages & { readonly lacks: string[] }

export interface Channels {
  wecom: WecomChannel | null
  officialAccount: OfficialAccountChannel | null
}
