import type { AibotConfig } from '../../config.ts'
import { requiredField } from '../callback/fields.ts'
import { readJson } from '../callback/json.ts'
import { legal } from '../callback/reply.ts'
import { createCallbackSeal } from '../callback/seal.ts'
import type { Answer, CallbackRequest, CallbackResponse, Door, Reception } from '../channel.ts'
import type { ChannelServices } from '../services.ts'
import { readAibotCallback } from './receive.ts'

/** UTF-8 bytes of one answer. @see https://developer.work.weixin.qq.com/document/path/101031 */
const MAX_TEXT_BYTES = 20_480

const PENDING = '正在办理……'
/** Ends an answer that was announced as pending and then had nothing to say. */
const DONE = '已收到。'

/** Where the chat robot's callbacks (智能机器人, by URL) come in. */
export function createAibotDoor(
  config: AibotConfig,
  services: Pick<ChannelServices, 'freshnessSeconds'>,
): Door & { name: 'aibot' } {
  const { token, aesKey } = config
  const seal = createCallbackSeal({ token, aesKey, receiveId: '' }, services.freshnessSeconds)
  // its users are the app's members unless the platform hides who they are
  const addressSpace = config.userIds === 'plain' ? 'wecom' : 'aibot'

  /** What `receive` found: an answer may come later than a callback may be opened. */
  const receptions = new WeakMap<CallbackRequest, Reception>()

  function receive(request: CallbackRequest, now: Date): Reception {
    const reception = open(request, now)
    receptions.set(request, reception)
    return reception
  }

  function open({ query, body }: CallbackRequest, now: Date): Reception {
    if (query.echostr !== undefined)
      return { kind: 'verification', answer: seal.openEcho(query, query.echostr, now) }
    const plain = seal.open(query, requiredField(readJson(body), 'encrypt'), now)
    return readAibotCallback(plain, now, addressSpace)
  }

  function sealed(request: CallbackRequest, reply: unknown, now: Date): CallbackResponse {
    const { encrypted, signature, timestamp, nonce } = seal.close(
      JSON.stringify(reply),
      now,
      request.query.nonce ?? '',
    )
    const body = { encrypt: encrypted, msgsignature: signature, timestamp, nonce }
    return { contentType: 'application/json', body: JSON.stringify(body) }
  }

  return {
    name: 'aibot',
    maxTextBytes: MAX_TEXT_BYTES,
    asksAgain: true,
    receive,

    /**
     * A message is answered by a stream, which the platform asks for again until it is finished, and the opening of a
     * chat by a text. Other events take no words at all.
     * @param request the one that `receive` has taken
     */
    acknowledge(request, about, answer, now) {
      const reception = receptions.get(request) ?? open(request, now)
      const isPoll = reception.kind === 'poll'
      const kind = reception.kind === 'update' ? reception.update.kind : null
      const empty = { contentType: 'text/plain', body: '' }
      if (kind === 'entered')
        return answer.reply === null
          ? empty
          : sealed(request, { msgtype: 'text', text: { content: legal(answer.reply) } }, now)
      if (!isPoll && kind !== 'text' && kind !== 'media') return empty
      const stream = streamOf(answer, isPoll)
      if (!stream) return empty
      return sealed(request, { msgtype: 'stream', stream: { id: about.dedupeKey, ...stream } }, now)
    },
  }
}

/** What to say and whether that is all; null for nothing. What was begun must be ended: until then the person waits. */
function streamOf(
  { reply, isPending }: Answer,
  isPoll: boolean,
): { finish: boolean; content: string } | null {
  if (reply !== null) return { finish: true, content: legal(reply) }
  if (isPending) return { finish: false, content: PENDING }
  return isPoll ? { finish: true, content: DONE } : null
}
