import { createHash } from 'node:crypto'
import { isRecord } from '../api/fields.ts'
import { readTemplateCard } from '../api/template-card.ts'
import type { Core } from '../core.ts'
import { isPicture } from '../media.ts'
import { byteLength } from '../text.ts'
import type { Card } from '../types.ts'
import type { Robot } from './robot.ts'

/** UTF-8 bytes. @see developer.work.weixin.qq.com/document/path/101031 */
export const CONTENT_BYTES = 20_480
const FEEDBACK_ID_BYTES = 256
const MOST_PICTURES = 10
const PICTURE_BYTES = 10 * 1024 * 1024

/** What an answer is given to; each allows other kinds of answers. */
export type Occasion =
  | { kind: 'message' }
  /** The platform asks for the rest of a stream. */
  | { kind: 'poll'; streamId: string; hasCard: boolean }
  | { kind: 'enter_chat' }
  | { kind: 'card'; taskId: string }
  | { kind: 'feedback' }

export interface StreamPart {
  id: string
  finish: boolean
  content: string
  pictureCount: number
  feedbackId?: string
}

export interface AibotReply {
  text?: string
  stream?: StreamPart
  card?: Card
  cardFeedbackId?: string
  /** Undefined userIds: everybody who sees the card. */
  update?: { card: Card; userIds?: string[] }
}

type Fields = Record<string, unknown>

const ALLOWED: Record<Occasion['kind'], string[]> = {
  message: ['stream', 'template_card', 'stream_with_template_card'],
  poll: ['stream', 'stream_with_template_card'],
  enter_chat: ['text', 'template_card'],
  card: [],
  feedback: [],
}

/**
 * Checks the decrypted answer of the server and says what people get to see.
 * @throws Error saying what the platform would refuse.
 */
export function readReply(core: Core, robot: Robot, occasion: Occasion, answer: Fields): AibotReply {
  if (occasion.kind === 'feedback') throw new Error('feedback must be answered with nothing')
  if (occasion.kind === 'card') return { update: readUpdate(answer, occasion.taskId) }
  const type = answer.msgtype
  if (typeof type !== 'string' || !ALLOWED[occasion.kind].includes(type))
    throw new Error(`msgtype "${String(type)}" is no answer to ${occasion.kind}`)
  if (type === 'text') {
    const content = inner(answer, 'text').content
    if (typeof content !== 'string' || content === '') throw new Error('text.content is missing or empty')
    return { text: content }
  }
  const reply: AibotReply = {}
  if (type !== 'template_card') {
    reply.stream = readStream(core, inner(answer, 'stream'))
    if (occasion.kind === 'poll' && reply.stream.id !== occasion.streamId)
      throw new Error(`stream.id is "${reply.stream.id}", asked for was "${occasion.streamId}"`)
  }
  if (type !== 'stream') {
    if (occasion.kind === 'poll' && occasion.hasCard) throw new Error('a message takes one template_card')
    const fields = inner(answer, 'template_card')
    const card = readTemplateCard(fields, 'all')
    if (card.taskId !== undefined && robot.taskIds.has(card.taskId))
      throw new Error(`task_id "${card.taskId}" was used before`)
    if (card.taskId !== undefined) robot.taskIds.add(card.taskId)
    const feedbackId = readFeedbackId(fields)
    Object.assign(reply, { card }, feedbackId === undefined ? {} : { cardFeedbackId: feedbackId })
  }
  return reply
}

function inner(fields: Fields, name: string): Fields {
  const value = fields[name]
  if (!isRecord(value)) throw new Error(`${name} is missing`)
  return value
}

function readFeedbackId(fields: Fields): string | undefined {
  if (fields.feedback === undefined) return undefined
  const { id } = inner(fields, 'feedback')
  if (typeof id !== 'string' || id === '') throw new Error('feedback.id is missing or empty')
  if (byteLength(id) > FEEDBACK_ID_BYTES)
    throw new Error(`feedback.id is longer than ${FEEDBACK_ID_BYTES} bytes`)
  return id
}

function readStream(core: Core, stream: Fields): StreamPart {
  const { id, finish = false, content = '' } = stream
  if (typeof id !== 'string' || id === '') throw new Error('stream.id is missing or empty')
  if (typeof finish !== 'boolean') throw new Error('stream.finish is not true or false')
  if (typeof content !== 'string') throw new Error('stream.content is not a string')
  if (core.limits.has('contentSize') && byteLength(content) > CONTENT_BYTES)
    throw new Error(`stream.content is longer than ${CONTENT_BYTES} bytes`)
  const pictureCount = readPictures(stream.msg_item, finish)
  const feedbackId = readFeedbackId(stream)
  return { id, finish, content, pictureCount, ...(feedbackId === undefined ? {} : { feedbackId }) }
}

function readPictures(items: unknown, finish: boolean): number {
  if (items === undefined) return 0
  if (!Array.isArray(items)) throw new Error('stream.msg_item is not a list')
  if (items.length === 0) return 0
  if (!finish) throw new Error('stream.msg_item comes with finish=true only')
  if (items.length > MOST_PICTURES) throw new Error(`stream.msg_item holds more than ${MOST_PICTURES}`)
  for (const item of items) {
    const image = isRecord(item) && item.msgtype === 'image' ? inner(item, 'image') : undefined
    if (!image || typeof image.base64 !== 'string')
      throw new Error('stream.msg_item holds something else than images')
    const bytes = Buffer.from(image.base64, 'base64')
    if (bytes.length > PICTURE_BYTES) throw new Error('a picture is larger than 10 MB')
    if (!isPicture(bytes)) throw new Error('a picture is neither JPG nor PNG')
    if (image.md5 !== createHash('md5').update(bytes).digest('hex'))
      throw new Error("a picture's md5 is wrong")
  }
  return items.length
}

function readUpdate(answer: Fields, taskId: string): NonNullable<AibotReply['update']> {
  if (answer.response_type !== 'update_template_card')
    throw new Error('response_type is not update_template_card')
  const fields = inner(answer, 'template_card')
  const card = readTemplateCard(fields, 'all')
  if (card.taskId !== taskId) throw new Error(`task_id must stay "${taskId}"`)
  const { userids } = answer
  if (userids !== undefined && !(Array.isArray(userids) && userids.every(id => typeof id === 'string')))
    throw new Error('userids is not a list of strings')
  const replaced = fields.replace_text
  return {
    card: typeof replaced === 'string' && replaced !== '' ? { ...card, replacedText: replaced } : card,
    // an empty list means the same as none
    ...(userids === undefined || userids.length === 0 ? {} : { userIds: userids }),
  }
}
