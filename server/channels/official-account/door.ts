import { randomInt } from 'node:crypto'
import type { OfficialAccountConfig } from '../../config.ts'
import { readDocument } from '../callback/document.ts'
import { requiredField } from '../callback/fields.ts'
import { isJson } from '../callback/json.ts'
import { sealedJson, sealedXml, textReplyJson, textReplyXml } from '../callback/reply.ts'
import { createCallbackSeal } from '../callback/seal.ts'
import { checkFreshness, checkSignature, requiredQuery } from '../callback/signature.ts'
import { readIfPossible } from '../callback/update.ts'
import type { CallbackRequest, Door, Update } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import type { ChannelServices } from '../services.ts'
import { readOfficialAccountUpdate } from './receive.ts'

/** UTF-8 bytes of one text message. */
const MAX_TEXT_BYTES = 2048

/** Where the Official Account's callbacks come in. */
export function createOfficialAccountDoor(
  config: OfficialAccountConfig,
  services: Pick<ChannelServices, 'freshnessSeconds'>,
): Door & { name: 'official-account' } {
  const { token, aesKey, appId: receiveId, mode } = config
  const seal = aesKey ? createCallbackSeal({ token, aesKey, receiveId }, services.freshnessSeconds) : null

  /** The signature of the query alone, which is all there is in plain mode. */
  function checkQuery(query: Record<string, string>, now: Date): void {
    const timestamp = requiredQuery(query, 'timestamp')
    const nonce = requiredQuery(query, 'nonce')
    checkFreshness(timestamp, now, services.freshnessSeconds)
    checkSignature(requiredQuery(query, 'signature'), [token, timestamp, nonce])
  }

  function readRequest({ query, body }: CallbackRequest, now: Date): Update {
    if (mode !== 'secure') checkQuery(query, now)
    const outer = readDocument(body)
    // compatible mode has the fields in the clear beside the ciphertext. Nobody signs them, so that whoever has seen one
    // address could send their own: they are never read, and a callback without the ciphertext is refused
    const content = mode === 'plain' ? body : openSealed(query, requiredField(outer, 'Encrypt'), now)
    return readOfficialAccountUpdate(readIfPossible(readDocument, content), content, now)
  }

  function openSealed(query: Record<string, string>, encrypted: string, now: Date): string {
    if (!seal) throw new ChannelError('signature', `no key for ${mode} mode`)
    return seal.open(query, encrypted, now)
  }

  return {
    name: 'official-account',
    maxTextBytes: MAX_TEXT_BYTES,
    asksAgain: false,

    receive(request, now) {
      const { echostr } = request.query
      if (echostr === undefined) return { kind: 'update', update: readRequest(request, now) }
      checkQuery(request.query, now)
      return { kind: 'verification', answer: echostr }
    },

    acknowledge({ body }, about, { reply }, now) {
      if (reply === null) return { contentType: 'text/plain', body: 'success' }
      const isInJson = isJson(body)
      const contentType = isInJson ? 'application/json' : 'application/xml'
      const message = isInJson ? textReplyJson(about, reply, now) : textReplyXml(about, reply, now)
      if (!seal || mode === 'plain') return { contentType, body: message }
      const sealed = seal.close(message, now, String(randomInt(1e9)))
      return { contentType, body: isInJson ? sealedJson(sealed) : sealedXml(sealed) }
    },
  }
}
