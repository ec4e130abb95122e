import { type Core, unixSeconds } from '../core.ts'
import { HOUR, MINUTE } from '../limits.ts'
import type { Push } from '../push.ts'
import type { PersonRecord } from '../world.ts'
import { openJson, sealJson, sealJsonEcho } from './envelope.ts'
import { type AibotReply, type Occasion, readReply } from './replies.ts'
import { responseUrlOf } from './response-url.ts'
import {
  type AibotMessage,
  type AibotRecord,
  changeMessage,
  type Robot,
  showMessage,
  userIdFor,
} from './robot.ts'

const TRIES = 3
const POLL_MS = 1000
const STREAM_MINUTES = 6
/** Of one person with one robot. @see developer.work.weixin.qq.com/document/path/100719 */
const MOST_UNFINISHED = 3
const RESPONSE_URL_LIFE = HOUR

export interface Talk {
  core: Core
  push: Push
  robot: Robot
}

/** Who speaks to the robot, and where. */
export interface Speaker {
  person: PersonRecord
  groupId?: string
}

/** The part that every callback has: a fresh id, the robot, the chat and the person. */
export function head({ core, robot }: Talk, { person, groupId }: Speaker): Record<string, unknown> {
  return {
    msgid: Buffer.from(core.ids.bigNumber()).toString('base64'),
    aibotid: robot.settings.botId,
    ...(groupId === undefined ? {} : { chatid: groupId }),
    chattype: groupId === undefined ? 'single' : 'group',
    from: { userid: userIdFor(robot, person) },
  }
}

/**
 * Sends one callback and reads the answer.
 *
 * A message is tried three times; an event of a card once only. An answer that the platform would refuse is in the log
 * as `bad_reply` and nobody sees it.
 */
export async function callServer(
  { core, push, robot }: Talk,
  label: string,
  message: object,
  occasion: Occasion,
  tries = TRIES,
): Promise<AibotReply | undefined> {
  let reply: AibotReply | undefined
  const { url: address } = robot
  if (address === undefined) {
    core.log.add('dropped', { what: 'callback', which: 'aibot', label, reason: 'no callback url' })
    return undefined
  }
  await push.underFaults('aibot', label, async () => {
    const nonce = core.ids.letters(10)
    const envelope = sealJson(robot.key, message, String(unixSeconds(core.clock.now())), nonce)
    const url = new URL(address)
    for (const [name, value] of envelope.query) url.searchParams.set(name, value)
    for (let attempt = 1; attempt <= tries && !push.stopped; attempt += 1) {
      const began = performance.now()
      const log = (status: number | string) =>
        core.log.add('callback', {
          which: 'aibot',
          label,
          try: attempt,
          status,
          ms: Math.round(performance.now() - began),
        })
      let body: string
      try {
        const headers = { 'content-type': 'application/json' }
        const timeout = core.options.callbackTimeoutMs ?? 5000
        const answer = await push.request(url, { headers, body: envelope.body }, timeout)
        log(answer.status)
        if (answer.status !== 200) {
          if (core.options.retryNon200 === false) return
          continue
        }
        body = answer.body
      } catch (error) {
        log(error instanceof Error ? error.message : 'failed')
        continue
      }
      try {
        const opened = openJson(robot.key, nonce, body)
        // of a callback that came twice the first answer counts
        if (opened && !reply) reply = readReply(core, robot, occasion, opened)
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unreadable'
        core.log.add('bad_reply', { which: 'aibot', label, reason })
      }
      return
    }
    if (!push.stopped) core.log.add('callback_lost', { which: 'aibot', label })
  })
  return reply
}

/** The GET that checks the address when it is saved in the console. */
export async function verifyAddress({ core, push, robot }: Talk): Promise<boolean> {
  if (robot.url === undefined) return false
  const echo = core.ids.bigNumber()
  const url = new URL(robot.url)
  const query = sealJsonEcho(robot.key, echo, String(unixSeconds(core.clock.now())), core.ids.letters(10))
  for (const [name, value] of query) url.searchParams.set(name, value)
  let status: number | string
  let verified = false
  try {
    const answer = await push.request(url, {}, core.options.verifyTimeoutMs ?? 1000)
    status = answer.status
    verified = answer.status === 200 && answer.body === echo
  } catch (error) {
    status = error instanceof Error ? error.message : 'failed'
  }
  core.log.add('verify', { which: 'aibot', status, verified })
  return verified
}

function newResponseUrl({ core, robot }: Talk, { person, groupId }: Speaker, original: string): string {
  const code = core.ids.letters(48)
  robot.responseUrls.set(code, {
    personId: person.id,
    original,
    expiresAt: core.clock.now().getTime() + RESPONSE_URL_LIFE,
    used: false,
    ...(groupId === undefined ? {} : { groupId }),
  })
  return responseUrlOf(core, code)
}

/** Shows an answer's text, stream or card. */
export function showReply(
  { core, robot }: Talk,
  { person, groupId }: Speaker,
  reply: AibotReply,
): AibotRecord[] {
  const records: AibotRecord[] = []
  const base = { from: 'bot' as const, personId: person.id, ...(groupId === undefined ? {} : { groupId }) }
  if (reply.text !== undefined)
    records.push(showMessage(core, robot, { ...base, kind: 'text', text: reply.text, isFinished: true }))
  if (reply.stream) {
    const { content, finish, feedbackId, pictureCount } = reply.stream
    records.push(
      showMessage(core, robot, {
        ...base,
        kind: 'markdown',
        text: content,
        isFinished: finish,
        ...(pictureCount > 0 ? { pictureCount } : {}),
        ...(feedbackId === undefined ? {} : { feedbackId }),
      }),
    )
  }
  if (reply.card) records.push(showCard(core, robot, base, reply))
  return records
}

function showCard(
  core: Core,
  robot: Robot,
  base: Pick<AibotMessage, 'from' | 'personId' | 'groupId'>,
  { card, cardFeedbackId }: AibotReply,
): AibotRecord {
  return showMessage(core, robot, {
    ...base,
    kind: 'template_card',
    text: card?.title ?? '',
    isFinished: true,
    ...(card ? { card } : {}),
    ...(cardFeedbackId === undefined ? {} : { feedbackId: cardFeedbackId }),
  })
}

/**
 * One message of a person: the callback, the first answer, and the questions for the rest of a stream.
 *
 * @returns what the person finally sees; nothing when the server said nothing or three interactions are unfinished.
 */
export async function converse(
  talk: Talk,
  speaker: Speaker,
  label: string,
  content: Record<string, unknown>,
  original: string,
): Promise<AibotMessage[]> {
  const { core, robot } = talk
  const { id } = speaker.person
  const under = robot.unfinished.get(id) ?? 0
  if (core.limits.has('aibotInteractions') && under >= MOST_UNFINISHED) {
    core.log.add('dropped', {
      what: 'aibot message',
      personId: id,
      reason: 'three interactions are unfinished',
    })
    return []
  }
  robot.unfinished.set(id, under + 1)
  try {
    const deadline = core.clock.now().getTime() + (robot.settings.streamMinutes ?? STREAM_MINUTES) * MINUTE
    const message = {
      ...head(talk, speaker),
      response_url: newResponseUrl(talk, speaker, original),
      ...content,
    }
    const reply = await callServer(talk, label, message, { kind: 'message' })
    if (!reply) return []
    const records = showReply(talk, speaker, reply)
    const streaming = records.find(record => !record.message.isFinished)
    if (streaming && reply.stream) {
      const card = await pollStream(
        talk,
        speaker,
        streaming,
        reply.stream.id,
        reply.card !== undefined,
        deadline,
      )
      if (card) records.push(card)
    }
    return records.map(record => record.message)
  } finally {
    robot.unfinished.set(id, (robot.unfinished.get(id) ?? 1) - 1)
  }
}

/** Asks for the rest until it is there or time is over. @returns the card that came on the way. */
async function pollStream(
  talk: Talk,
  speaker: Speaker,
  record: AibotRecord,
  streamId: string,
  cardShown: boolean,
  deadline: number,
): Promise<AibotRecord | undefined> {
  const { core, push, robot } = talk
  let card: AibotRecord | undefined
  for (;;) {
    await push.pause(robot.settings.pollMs ?? POLL_MS)
    if (push.stopped) return card
    if (core.clock.now().getTime() >= deadline) {
      core.log.add('aibot_stream_expired', { personId: speaker.person.id, messageId: record.message.id })
      record.message.isFinished = true
      return card
    }
    const message = { ...head(talk, speaker), msgtype: 'stream', stream: { id: streamId } }
    const occasion: Occasion = { kind: 'poll', streamId, hasCard: cardShown || card !== undefined }
    // a question that failed is simply asked again the next time
    const reply = await callServer(talk, 'aibot/stream', message, occasion, 1)
    if (reply?.card) [card] = showReply(talk, speaker, { card: reply.card })
    if (!reply?.stream) continue
    const { content, finish, pictureCount, feedbackId } = reply.stream
    if (content !== record.message.text || finish) {
      changeMessage(record, { text: content })
      core.log.add('aibot_stream', {
        personId: speaker.person.id,
        ...(speaker.groupId === undefined ? {} : { groupId: speaker.groupId }),
        messageId: record.message.id,
        finish,
        text: content.slice(0, 500),
      })
    }
    if (pictureCount > 0) record.message.pictureCount = pictureCount
    if (feedbackId !== undefined) record.message.feedbackId ??= feedbackId
    if (finish) {
      record.message.isFinished = true
      return card
    }
  }
}
