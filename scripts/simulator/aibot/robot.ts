import { createHash } from 'node:crypto'
import type { Core } from '../core.ts'
import { type CallbackKey, callbackKey } from '../crypto.ts'
import type { Card, GroupPost } from '../types.ts'
import type { PersonRecord } from '../world.ts'

export interface AibotSettings {
  token: string
  aesKey: string
  botId: string
  /** As it stands after the @ in a group. */
  name: string
  callbackUrl?: string
  /** `encrypted`: who made the robot is no super-administrator, so the platform hides the userids. */
  userIds: 'plain' | 'encrypted'
  /** Real milliseconds between two questions for the rest of a stream. Default 1000. */
  pollMs?: number
  /** How long the platform goes on asking, on the clock. The callback page says 6, the socket's page 10. Default 6. */
  streamMinutes?: number
  /** Whether customer groups have the robot too; the official pages name internal groups only. Default false. */
  worksInCustomerGroups?: boolean
}

export type AibotMessageKind =
  | 'text'
  | 'markdown'
  | 'image'
  | 'mixed'
  | 'voice'
  | 'file'
  | 'video'
  | 'template_card'

/** One bubble of the robot's chat or of a group, as people see it now. */
export interface AibotMessage {
  id: string
  at: Date
  from: 'person' | 'bot'
  personId: string
  groupId?: string
  kind: AibotMessageKind
  text: string
  card?: Card
  /** How many pictures a stream ended with. */
  pictureCount?: number
  /** What it answers. */
  quote?: string
  /** Lets people rate the answer. */
  feedbackId?: string
  /** false while a stream is growing. */
  isFinished: boolean
}

/** A message with what only the platform knows of it. */
export interface AibotRecord {
  message: AibotMessage
  /** The same in a group. */
  post?: GroupPost
  /** Cards that single persons see instead, after an update that named them. */
  personalCards: Map<string, Card>
}

/** Lets the server answer one message once more within the hour. */
export interface ResponseUrl {
  personId: string
  groupId?: string
  /** Text of the message that it belongs to. */
  original: string
  expiresAt: number
  used: boolean
}

export interface AibotMedia {
  bytes: Buffer
  fileName: string
  expiresAt: number
}

/** The robot and everything the platform remembers of it. */
export interface Robot {
  settings: AibotSettings
  key: CallbackKey
  url?: string
  /** By message id. */
  records: Map<string, AibotRecord>
  responseUrls: Map<string, ResponseUrl>
  media: Map<string, AibotMedia>
  /** Interactions under way, by person. */
  unfinished: Map<string, number>
  /** `personId day` of each entering that was told. */
  entered: Set<string>
  taskIds: Set<string>
}

export function createRobot(settings: AibotSettings): Robot {
  return {
    settings,
    // the receive id of a corp's own robot is empty
    key: callbackKey(settings.token, settings.aesKey, ''),
    ...(settings.callbackUrl === undefined ? {} : { url: settings.callbackUrl }),
    records: new Map(),
    responseUrls: new Map(),
    media: new Map(),
    unfinished: new Map(),
    entered: new Set(),
    taskIds: new Set(),
  }
}

/** The userid as the robot's callbacks give it: the same person always has the same one. */
export function userIdFor(robot: Robot, person: PersonRecord): string {
  if (person.wecomUserId === undefined) throw new Error(`${person.name} is not a WeCom member`)
  if (robot.settings.userIds === 'plain') return person.wecomUserId
  const digest = createHash('sha256')
    .update(`${robot.settings.botId}|${person.wecomUserId}`)
    .digest('base64url')
  return `wo${digest.slice(0, 30)}`
}

/** Puts a message into the robot's chat with a person or, when `groupId` is given, into the group. */
export function showMessage(core: Core, robot: Robot, message: Omit<AibotMessage, 'id' | 'at'>): AibotRecord {
  const at = core.clock.now()
  const { groupId, from, personId, kind, text, card, quote } = message
  const post =
    groupId === undefined
      ? undefined
      : core.world.addPost(core.world.group(groupId), {
          at,
          by: personId,
          via: from === 'bot' ? 'aibot' : 'person',
          kind,
          text,
          ...(card ? { card } : {}),
          ...(quote === undefined ? {} : { quote }),
        })
  const record: AibotRecord = {
    message: { id: post?.id ?? `b${core.ids.counter()}`, at, ...message },
    personalCards: new Map(),
    ...(post ? { post } : {}),
  }
  robot.records.set(record.message.id, record)
  core.log.add(from === 'bot' ? 'aibot_replied' : 'aibot_said', {
    personId,
    ...(groupId === undefined ? {} : { groupId }),
    messageId: record.message.id,
    messageKind: kind,
    text: text.slice(0, 500),
  })
  return record
}

/** Changes what everybody sees of a message: a stream's content is replaced, never added to. */
export function changeMessage(
  record: AibotRecord,
  change: Partial<Pick<AibotMessage, 'text' | 'card'>>,
): void {
  Object.assign(record.message, change)
  if (record.post) Object.assign(record.post, change)
}
