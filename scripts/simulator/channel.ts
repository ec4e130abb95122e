import { type CallbackKey, decryptMessage, encryptMessage, signatureOf } from './crypto.ts'
import { parseJson, toJson } from './json.ts'
import type { Via } from './types.ts'
import { type ParsedXml, parseXml, textOf, toXml, type XmlFields } from './xml.ts'

/** One callback address of the server under test, with what is needed to speak to it. */
export interface Channel {
  which: Via
  key: CallbackKey
  mode: 'plain' | 'compatible' | 'secure'
  /** corpid or gh_… */
  toUserName: string
  agentId?: number
  url?: string
}

/** How an Official Account's callbacks are written; WeCom's are always XML. */
export type PushFormat = 'xml' | 'json'

export interface Envelope {
  query: URLSearchParams
  body: string
  contentType: string
}

const CONTENT_TYPES: Record<PushFormat, string> = { xml: 'text/xml', json: 'application/json' }

/**
 * Wraps one message as the platform sends it.
 *
 * WeCom always encrypts and signs the ciphertext; an Official Account signs token, timestamp and nonce, and adds the
 * ciphertext's own signature in compatible and secure mode.
 * @see developer.work.weixin.qq.com/document/path/90238
 */
export function seal(
  channel: Channel,
  fields: XmlFields,
  timestamp: string,
  nonce: string,
  format: PushFormat = 'xml',
): Envelope {
  const write = format === 'json' ? toJson : toXml
  const plain = write(fields)
  const contentType = CONTENT_TYPES[format]
  const { token } = channel.key
  const query = new URLSearchParams()
  if (channel.which === 'wecom') {
    const encrypted = encryptMessage(channel.key, plain)
    query.set('msg_signature', signatureOf(token, timestamp, nonce, encrypted))
    query.set('timestamp', timestamp)
    query.set('nonce', nonce)
    const agent = fields.AgentID
    return {
      query,
      body: toXml({
        ToUserName: channel.toUserName,
        AgentID: agent === undefined ? undefined : String(agent),
        Encrypt: encrypted,
      }),
      contentType,
    }
  }
  query.set('signature', signatureOf(token, timestamp, nonce))
  query.set('timestamp', timestamp)
  query.set('nonce', nonce)
  query.set('openid', String(fields.FromUserName))
  if (channel.mode === 'plain') return { query, body: plain, contentType }
  const encrypted = encryptMessage(channel.key, plain)
  query.set('encrypt_type', 'aes')
  query.set('msg_signature', signatureOf(token, timestamp, nonce, encrypted))
  const head = channel.mode === 'compatible' ? fields : { ToUserName: channel.toUserName }
  return { query, body: write({ ...head, Encrypt: encrypted }), contentType }
}

/** The query of the GET that checks a callback address, and the answer it must get. */
export function sealEcho(channel: Channel, echo: string, timestamp: string, nonce: string): URLSearchParams {
  const { token } = channel.key
  if (channel.which === 'wecom') {
    const encrypted = encryptMessage(channel.key, echo)
    const signature = signatureOf(token, timestamp, nonce, encrypted)
    return new URLSearchParams({ msg_signature: signature, timestamp, nonce, echostr: encrypted })
  }
  return new URLSearchParams({
    signature: signatureOf(token, timestamp, nonce),
    timestamp,
    nonce,
    echostr: echo,
  })
}

export type PassiveFields = { [tag: string]: ParsedXml | ParsedXml[] }

const MESSAGE_TYPES: Record<Via, Record<string, string[]>> = {
  wecom: {
    text: ['Content'],
    image: ['Image'],
    voice: ['Voice'],
    video: ['Video'],
    news: ['ArticleCount', 'Articles'],
    update_button: ['Button'],
    update_template_card: ['TemplateCard'],
  },
  officialAccount: {
    text: ['Content'],
    image: ['Image'],
    voice: ['Voice'],
    video: ['Video'],
    music: ['Music'],
    news: ['ArticleCount', 'Articles'],
    transfer_customer_service: [],
  },
}

/**
 * Opens and checks the answer to a callback.
 *
 * An account with JSON pushes may answer in either form: the official pages show both.
 * @returns undefined for "no reply".
 * @throws Error saying what the platform would refuse: form, signature, receive id, swapped names, unknown type.
 */
export function openReply(
  channel: Channel,
  body: string,
  sent: XmlFields,
  format: PushFormat = 'xml',
): PassiveFields | undefined {
  if (body === '') return undefined
  if (channel.which === 'officialAccount' && body.trim() === 'success') return undefined
  const read = (source: string) =>
    format === 'json' && source.trimStart().startsWith('{') ? parseJson(source) : parseXml(source)
  let fields = read(body)
  const encrypted = textOf(fields, 'Encrypt')
  if (encrypted !== undefined && channel.mode !== 'plain') {
    const [signature, timestamp, nonce] = ['MsgSignature', 'TimeStamp', 'Nonce'].map(tag =>
      textOf(fields, tag),
    )
    if (!signature || !timestamp || !nonce) throw new Error('MsgSignature, TimeStamp or Nonce is missing')
    if (!/^\d{1,12}$/.test(timestamp)) throw new Error('TimeStamp is not a number')
    if (signature !== signatureOf(channel.key.token, timestamp, nonce, encrypted))
      throw new Error('wrong signature')
    fields = read(decryptMessage(channel.key, encrypted))
  } else if (channel.mode === 'secure') {
    throw new Error('the answer is not encrypted')
  }
  if (textOf(fields, 'ToUserName') !== sent.FromUserName)
    throw new Error('ToUserName is not the sender of the message')
  if (textOf(fields, 'FromUserName') !== sent.ToUserName)
    throw new Error('FromUserName is not the receiver of the message')
  if (!/^\d{1,12}$/.test(textOf(fields, 'CreateTime') ?? '')) throw new Error('CreateTime is not a number')
  const type = textOf(fields, 'MsgType') ?? ''
  const needed = MESSAGE_TYPES[channel.which][type]
  if (!needed) throw new Error(`unknown MsgType "${type}"`)
  for (const tag of needed)
    if (fields[tag] === undefined || fields[tag] === '') throw new Error(`${tag} is missing or empty`)
  return fields
}
