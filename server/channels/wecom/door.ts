import { randomInt } from 'node:crypto'
import type { WecomConfig } from '../../config.ts'
import { requiredField } from '../callback/fields.ts'
import { sealedXml, textReplyXml } from '../callback/reply.ts'
import { createCallbackSeal } from '../callback/seal.ts'
import { readXml } from '../callback/xml.ts'
import type { Door } from '../channel.ts'
import type { ChannelServices } from '../services.ts'
import { readWecomUpdate } from './receive.ts'

/** UTF-8 bytes; longer text is cut without a word. @see https://developer.work.weixin.qq.com/document/path/90236 */
const MAX_TEXT_BYTES = 2048

/** Where the WeCom app's callbacks come in. */
export function createWecomDoor(
  config: WecomConfig,
  services: Pick<ChannelServices, 'freshnessSeconds'>,
): Door & { name: 'wecom' } {
  const { token, aesKey, corpId } = config
  const seal = createCallbackSeal({ token, aesKey, receiveId: corpId }, services.freshnessSeconds)
  return {
    name: 'wecom',
    maxTextBytes: MAX_TEXT_BYTES,
    asksAgain: false,

    receive({ query, body }, now) {
      if (query.echostr !== undefined)
        return { kind: 'verification', answer: seal.openEcho(query, query.echostr, now) }
      const plain = seal.open(query, requiredField(readXml(body), 'Encrypt'), now)
      return { kind: 'update', update: readWecomUpdate(plain, now) }
    },

    acknowledge(_request, about, { reply }, now) {
      if (reply === null) return { contentType: 'text/plain', body: '' }
      const from = about.recipient === '' ? { ...about, recipient: corpId } : about
      const sealed = seal.close(textReplyXml(from, reply, now), now, String(randomInt(1e9)))
      return { contentType: 'application/xml', body: sealedXml(sealed) }
    },
  }
}
