import type { OfficialAccountPorts } from './official-account/ports.ts'
import type { ChannelName, Update, UpdateBase } from './update.ts'
import type { PayClient } from './wechat-pay/client.ts'
import type { PayPort } from './wechat-pay/port.ts'
import type { PayReceipts } from './wechat-pay/receipts.ts'
import type { WecomPorts } from './wecom/ports.ts'

export type { ChannelName, GroupChange, Update, UpdateBase } from './update.ts'

/** A callback as it came over HTTP. `query` holds single values only: a repeated parameter is refused before. */
export interface CallbackRequest {
  query: Record<string, string>
  body: string
}

/** What a callback turned out to be. */
export type Reception =
  | { kind: 'verification'; answer: string }
  | { kind: 'update'; update: Update }
  /** The platform asks for the rest of an answer that was not ready; `about` names the update it belongs to. */
  | { kind: 'poll'; about: UpdateBase }

/** What a callback is answered with. */
export interface Answer {
  /** null: nothing to say. */
  reply: string | null
  /** The answer is not ready; where the platform asks again it gets it then, elsewhere it goes out as a message. */
  isPending: boolean
}

export interface CallbackResponse {
  contentType: string
  body: string
}

export interface SendResult {
  /** The platform's id of what was sent; empty where it gives none. */
  platformId: string
}

/** Where a platform's callbacks come in. */
export interface Door {
  readonly name: ChannelName
  /** UTF-8 bytes of text that one message may carry. Longer text must be split before. */
  readonly maxTextBytes: number
  /** Whether the platform asks again for an answer that was not ready (`poll`). */
  readonly asksAgain: boolean
  /**
   * Verifies and decrypts a callback and turns it into an update. What is signed for us is never refused: what cannot be
   * read is an `unknown` update.
   * @throws ChannelError `signature` (also: stale, wrong receive id, bad padding) or `malformed`.
   */
  receive(request: CallbackRequest, now: Date): Reception
  /** The body that answers a callback: a passive text reply, or the platform's empty acknowledgement. */
  acknowledge(request: CallbackRequest, about: UpdateBase, answer: Answer, now: Date): CallbackResponse
}

/** Everything the rest of the server may ask of any platform account that it can write to. */
export interface Channel extends Door {
  /** What the account cannot do, why, and what to do instead, in words for people. */
  readonly lacks: string[]
  /** @throws ChannelError; `window_closed` when this account may not be written to now. */
  sendText(address: string, text: string): Promise<SendResult>
}

/** Channels that can write to somebody outside the customer-service window, with fixed fields only (服务号). */
export interface TemplateMessages {
  sendTemplate(
    address: string,
    /** With the same `clientMessageId` twice the platform sends once. */
    message: { title: string; time: string; note: string; clientMessageId?: string },
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
export type WecomChannel = Channel & Robots & AppChats & CustomerGroups & WecomPorts
export type OfficialAccountChannel = Channel & TemplateMessages & OfficialAccountPorts

/** The WeCom chat robot (智能机器人): it answers when spoken to and never speaks first. */
export interface AibotChannel extends Door {
  /** Answers one update afterwards, by the address that it brought. @throws ChannelError */
  respond(responseUrl: string, markdown: string): Promise<void>
  /**
   * Fetches what somebody has sent to the robot, by the address of its callback: it lives five minutes.
   * @throws ChannelError `rejected` when it is larger than `maxBytes`, gone, or cannot be decrypted
   */
  fetchMedia(address: string, maxBytes: number): Promise<Buffer>
}

export interface Channels {
  wecom: WecomChannel | null
  officialAccount: OfficialAccountChannel | null
  aibot: AibotChannel | null
  wechatPay: WechatPay | null
}

/** WeChat Pay for one merchant: payments go out by the port, notifications come in by `openNotice`. */
export interface WechatPay {
  port: PayPort
  /** null: the interface of before 2025 has others, which are fetched at the merchant's own pages. */
  receipts: PayReceipts | null
  openNotice: PayClient['openNotice']
}
