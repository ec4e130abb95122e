import type { FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import { chinaDay } from '../limits.ts'
import type { Push } from '../push.ts'
import type { Card } from '../types.ts'
import {
  callServer,
  converse,
  head,
  type Speaker,
  showReply,
  type Talk,
  verifyAddress,
} from './interaction.ts'
import { keepMedia, serveMedia } from './media.ts'
import { serveResponseUrl } from './response-url.ts'
import {
  type AibotMessage,
  type AibotMessageKind,
  type AibotRecord,
  type AibotSettings,
  changeMessage,
  createRobot,
  type Robot,
  showMessage,
  userIdFor,
} from './robot.ts'

export type { AibotMessage, AibotSettings } from './robot.ts'

/** A part of a message with pictures between the text. A picture without bytes is the simulator's own. */
export type MixedPart = { text: string } | { picture: Buffer | null }

/** The message that somebody answers. */
export type Quote = { kind: 'text' | 'voice'; text: string } | { kind: 'image' | 'file' }

/** What people do with the chat robot (智能机器人). Each act of talking resolves with what the person finally sees. */
export interface AibotActors {
  /** There is one robot. */
  add(settings: AibotSettings): void
  settings(): AibotSettings | undefined
  setCallbackUrl(url: string): void
  verifyUrl(): Promise<boolean>
  /** In the single chat. */
  say(personId: string, text: string, how?: { quote?: Quote }): Promise<AibotMessage[]>
  sendMixed(personId: string, parts: MixedPart[]): Promise<AibotMessage[]>
  sendImage(personId: string, bytes?: Buffer): Promise<AibotMessage[]>
  /** The platform has written down what was said. */
  sendVoice(personId: string, text: string): Promise<AibotMessage[]>
  sendFile(personId: string, file: { name: string; bytes: Buffer }): Promise<AibotMessage[]>
  sendVideo(personId: string, bytes?: Buffer): Promise<AibotMessage[]>
  /** Writes `@robot text` in a group; with pictures it is a mixed message. */
  mention(
    groupId: string,
    personId: string,
    text: string,
    how?: { quote?: Quote; pictures?: Buffer[] },
  ): Promise<AibotMessage[]>
  /** Opens the chat; the server is told the first time each day. */
  enterChat(personId: string): Promise<AibotMessage[]>
  /** Resolves with the card as the person sees it afterwards. The server is told once, whatever it answers. */
  tapCard(personId: string, messageId: string, key: string, choices?: Record<string, string[]>): Promise<Card>
  /** 1 good, 2 bad, 3 taken back; reasons 1 to 4 go with bad. */
  feedback(
    personId: string,
    messageId: string,
    rating: { type: 1 | 2 | 3; content?: string; reasons?: number[] },
  ): Promise<void>
  /** The single chat. */
  chat(personId: string): AibotMessage[]
}

const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)

/** Wires the robot's addresses on the simulator's server; to be called before it listens. */
export function serveAibot(app: FastifyInstance, core: Core, push: Push): AibotActors {
  let made: Robot | undefined
  serveMedia(app, core, () => made)
  serveResponseUrl(app, core, () => made)

  const talk = (): Talk => {
    if (!made) throw new Error('the simulator has no chat robot yet: call aibot.add')
    return { core, push, robot: made }
  }
  const alone = (personId: string): Speaker => ({ person: member(core.world.person(personId)) })
  const mediaUrl = (bytes: Buffer, name: string) => keepMedia(core, talk().robot, bytes, name)

  /** The fields of one part of a message, and what people see of it. */
  const picture = (bytes: Buffer | null) => ({ url: mediaUrl(bytes ?? PICTURE, 'picture.png') })

  function speak(
    speaker: Speaker,
    kind: AibotMessageKind,
    content: unknown,
    shown: string,
    quote?: Quote,
  ): Promise<AibotMessage[]> {
    const all = talk()
    showMessage(core, all.robot, {
      from: 'person',
      personId: speaker.person.id,
      kind,
      text: shown,
      isFinished: true,
      ...(speaker.groupId === undefined ? {} : { groupId: speaker.groupId }),
      ...(quote ? { quote: 'text' in quote ? quote.text : `[${quote.kind}]` } : {}),
    })
    const fields = { msgtype: kind, [kind]: content, ...(quote ? { quote: quoted(quote) } : {}) }
    return push.busy(() => converse(all, speaker, `aibot/${kind}`, fields, shown))
  }
  function quoted(quote: Quote): Record<string, unknown> {
    const part =
      'text' in quote ? { content: quote.text } : { url: mediaUrl(PICTURE, `quoted.${quote.kind}`) }
    return { msgtype: quote.kind, [quote.kind]: part }
  }

  function find(personId: string, messageId: string): { record: AibotRecord; speaker: Speaker } {
    const record = talk().robot.records.get(messageId)
    if (record?.message.from !== 'bot') throw new Error(`the robot has no message ${messageId}`)
    const { groupId } = record.message
    if (groupId === undefined && record.message.personId !== personId)
      throw new Error(`message ${messageId} is in another chat`)
    if (groupId !== undefined && !core.world.group(groupId).members.has(personId))
      throw new Error(`message ${messageId} is in a group that the person is not in`)
    return { record, speaker: { ...alone(personId), ...(groupId === undefined ? {} : { groupId }) } }
  }

  async function tapCard(
    personId: string,
    messageId: string,
    key: string,
    choices: Record<string, string[]> = {},
  ): Promise<Card> {
    const { record, speaker } = find(personId, messageId)
    const all = talk()
    const card = record.personalCards.get(personId) ?? record.message.card
    const button = card?.buttons.find(candidate => candidate.key === key)
    if (!card || !button) throw new Error(`message ${messageId} has no button ${key}`)
    if (card.replacedText !== undefined) throw new Error('the card was answered before')
    const selected = card.questions.map(({ questionKey, options, multiple }) => {
      const ids = choices[questionKey] ?? []
      const known = ids.every(id => options.some(option => option.id === id))
      if (!known || (ids.length > 1 && !multiple)) throw new Error(`wrong choice for ${questionKey}`)
      return { question_key: questionKey, option_ids: { option_id: ids } }
    })
    core.log.add('tapped', { personId, messageId, key })
    const body = {
      card_type: card.cardType,
      event_key: key,
      task_id: card.taskId ?? '',
      ...(selected.length > 0 ? { selected_items: { selected_item: selected } } : {}),
    }
    const occasion = { kind: 'card' as const, taskId: card.taskId ?? '' }
    const reply = await push.busy(() => sendEvent(all, speaker, 'template_card_event', body, occasion, 1))
    if (reply?.update) {
      const { card: next, userIds } = reply.update
      if (userIds === undefined) {
        record.personalCards.clear()
        changeMessage(record, { card: next })
      } else {
        for (const person of core.world.persons.values())
          if (person.wecomUserId !== undefined && userIds.includes(userIdFor(all.robot, person)))
            record.personalCards.set(person.id, next)
      }
      core.log.add('card_updated', { personId, messageId })
    }
    return record.personalCards.get(personId) ?? record.message.card ?? card
  }

  return {
    add(settings) {
      if (made) throw new Error('the simulator has a chat robot already')
      made = createRobot(settings)
    },
    settings: () => made?.settings,
    setCallbackUrl(url) {
      talk().robot.url = new URL(url).href
    },
    verifyUrl: () => push.busy(() => verifyAddress(talk())),
    say: async (personId, text, how = {}) =>
      speak(alone(personId), 'text', { content: text }, text, how.quote),
    sendMixed: async (personId, parts) =>
      speak(alone(personId), 'mixed', mixed(parts, picture), shownMixed(parts)),
    sendImage: async (personId, bytes) => speak(alone(personId), 'image', picture(bytes ?? null), '[图片]'),
    sendVoice: async (personId, text) => speak(alone(personId), 'voice', { content: text }, `[语音]${text}`),
    sendFile: async (personId, { name, bytes }) =>
      speak(alone(personId), 'file', { url: mediaUrl(bytes, name) }, `[文件]${name}`),
    sendVideo: async (personId, bytes) =>
      speak(alone(personId), 'video', { url: mediaUrl(bytes ?? Buffer.alloc(64), 'video.mp4') }, '[视频]'),
    async mention(groupId, personId, text, how = {}) {
      const { settings } = talk().robot
      const group = core.world.group(groupId)
      const works = group.kind === 'internal' || (group.kind === 'customer' && settings.worksInCustomerGroups)
      if (!works) throw new Error(`a ${group.kind} group has no chat robot`)
      if (!group.members.has(personId)) throw new Error(`the person is not in group ${group.name}`)
      const speaker = { ...alone(personId), groupId }
      const content = `@${settings.name} ${text}`
      const { pictures = [], quote } = how
      if (pictures.length === 0) return speak(speaker, 'text', { content }, content, quote)
      const parts: MixedPart[] = [{ text: content }, ...pictures.map(bytes => ({ picture: bytes }))]
      return speak(speaker, 'mixed', mixed(parts, picture), shownMixed(parts), quote)
    },
    async enterChat(personId) {
      const all = talk()
      const speaker = alone(personId)
      const day = `${personId} ${chinaDay(core.clock.now())}`
      if (all.robot.entered.has(day)) return []
      all.robot.entered.add(day)
      const reply = await push.busy(() => sendEvent(all, speaker, 'enter_chat', {}, { kind: 'enter_chat' }))
      return reply ? showReply(all, speaker, reply).map(record => record.message) : []
    },
    tapCard,
    async feedback(personId, messageId, { type, content, reasons }) {
      const { record, speaker } = find(personId, messageId)
      const { feedbackId } = record.message
      if (feedbackId === undefined) throw new Error(`message ${messageId} cannot be rated`)
      const body = {
        id: feedbackId,
        type,
        ...(content === undefined ? {} : { content }),
        ...(type === 2 && reasons ? { inaccurate_reason_list: reasons } : {}),
      }
      await push.busy(() => sendEvent(talk(), speaker, 'feedback_event', body, { kind: 'feedback' }))
    },
    chat: personId =>
      made
        ? [...made.records.values()]
            .map(record => record.message)
            .filter(message => message.personId === personId && message.groupId === undefined)
        : [],
  }
}

function member<Person extends { name: string; wecomUserId?: string }>(person: Person): Person {
  if (person.wecomUserId === undefined) throw new Error(`${person.name} is not a WeCom member`)
  return person
}

function sendEvent(
  talk: Talk,
  speaker: Speaker,
  type: string,
  body: object,
  occasion: Parameters<typeof callServer>[3],
  tries?: number,
): ReturnType<typeof callServer> {
  const message = {
    ...head(talk, speaker),
    create_time: Math.floor(talk.core.clock.now().getTime() / 1000),
    msgtype: 'event',
    event: { eventtype: type, [type]: body },
  }
  return callServer(talk, `aibot/event/${type}`, message, occasion, tries)
}

function mixed(parts: MixedPart[], picture: (bytes: Buffer | null) => object): object {
  return {
    msg_item: parts.map(part =>
      'text' in part
        ? { msgtype: 'text', text: { content: part.text } }
        : { msgtype: 'image', image: picture(part.picture) },
    ),
  }
}

function shownMixed(parts: MixedPart[]): string {
  return parts.map(part => ('text' in part ? part.text : '[图片]')).join('')
}
