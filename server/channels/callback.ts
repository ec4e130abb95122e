import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { encrypt, getSignature } from '@wecom/crypto'
import { parseString } from 'xml2js'
import { ChannelError } from './errors.ts'

/**
 * The callback scheme that WeCom and the Official Account share: signature, AES and XML.
 * @see https://developer.work.weixin.qq.com/document/path/90968
 */
export interface CallbackSecrets {
  token: string
  aesKey: string
  /** corpid or appid: whom the plaintext must name. */
  receiveId: string
}

/** Checks `signature` against its parts (token included) in constant time. @throws ChannelError `signature` */
export function checkSignature(signature: string, parts: string[]): void {
  const expected = createHash('sha1')
    .update([...parts].sort().join(''))
    .digest()
  // tested before, because a Buffer made from hex stops at the first wrong digit without a word
  const isHex = /^[0-9a-f]{40}$/.test(signature)
  if (!isHex || !timingSafeEqual(Buffer.from(signature, 'hex'), expected))
    throw new ChannelError('signature', 'the signature does not match')
}

/** @throws ChannelError `malformed` for no number, `signature` when `timestamp` (seconds) is too far from `now`. */
export function checkFreshness(timestamp: string, now: Date, toleranceSeconds: number): void {
  if (!/^\d{1,12}$/.test(timestamp)) throw new ChannelError('malformed', 'timestamp is not a number')
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > toleranceSeconds)
    throw new ChannelError('signature', 'the timestamp is too far from now')
}

const KEY_BYTES = 32
/** PKCS#7 blocks of 32 bytes, unlike AES's own 16. */
const BLOCK_BYTES = 32
const RANDOM_BYTES = 16
const HEAD_BYTES = RANDOM_BYTES + 4

/**
 * Decrypts and takes apart `random ‖ length ‖ message ‖ receive id`.
 *
 * By hand rather than with @wecom/crypto's `decrypt`, which looks at the last byte of the padding only, checks no
 * length and leaves the receive id to its caller.
 * @throws ChannelError `signature` for bad padding, a wrong length or another receiver; `malformed` for bad base64.
 */
export function decryptCallback(secrets: CallbackSecrets, encrypted: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encrypted)) throw new ChannelError('malformed', 'not base64')
  const ciphertext = Buffer.from(encrypted, 'base64')
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0)
    throw new ChannelError('signature', 'the ciphertext is not a whole number of blocks')
  const key = Buffer.from(`${secrets.aesKey}=`, 'base64').subarray(0, KEY_BYTES)
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const plain = Buffer.concat([decipher.update(ciphertext), decipher.final()])

  const padding = plain[plain.length - 1] ?? 0
  if (padding < 1 || padding > BLOCK_BYTES || !plain.subarray(-padding).every(byte => byte === padding))
    throw new ChannelError('signature', 'bad padding')
  const content = plain.subarray(0, plain.length - padding)
  if (content.length < HEAD_BYTES) throw new ChannelError('signature', 'the plaintext is too short')
  const end = HEAD_BYTES + content.readUInt32BE(RANDOM_BYTES)
  if (end > content.length) throw new ChannelError('signature', 'the length is wrong')
  const receiveId = content.subarray(end)
  const expected = Buffer.from(secrets.receiveId)
  if (receiveId.length !== expected.length || !timingSafeEqual(receiveId, expected))
    throw new ChannelError('signature', 'meant for another receiver')
  return content.subarray(HEAD_BYTES, end).toString('utf8')
}

/** The encrypted and signed body of a passive reply. `nonce` may be any digits. */
export function encryptReply(secrets: CallbackSecrets, message: string, now: Date, nonce: string): string {
  const encrypted = encrypt(secrets.aesKey, message, secrets.receiveId)
  const timestamp = String(Math.floor(now.getTime() / 1000))
  const signature = getSignature(secrets.token, timestamp, nonce, encrypted)
  return (
    `<xml><Encrypt><![CDATA[${encrypted}]]></Encrypt><MsgSignature><![CDATA[${signature}]]></MsgSignature>` +
    `<TimeStamp>${timestamp}</TimeStamp><Nonce><![CDATA[${nonce}]]></Nonce></xml>`
  )
}

/** The XML of a passive text reply. Line ends stay; what XML cannot hold goes. */
export function textReply(to: string, from: string, text: string, now: Date): string {
  return (
    `<xml><ToUserName>${cdata(to)}</ToUserName><FromUserName>${cdata(from)}</FromUserName>` +
    `<CreateTime>${Math.floor(now.getTime() / 1000)}</CreateTime><MsgType><![CDATA[text]]></MsgType>` +
    `<Content>${cdata(text)}</Content></xml>`
  )
}

/** A CDATA end within the text is split in two; a single control character would make the whole reply unreadable. */
function cdata(text: string): string {
  const legal = text.replace(/(?![\t\n\r])[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '').toWellFormed()
  return `<![CDATA[${legal.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
}

export type XmlValue = string | XmlValue[] | { [name: string]: XmlValue }
export type XmlFields = { [name: string]: XmlValue }

/** Reads `<xml>…</xml>` into fields; all values stay text, so that 64-bit ids survive. @throws ChannelError `malformed` */
export function parseXml(text: string): XmlFields {
  if (outsideCdata(text).includes('<!'))
    throw new ChannelError('malformed', 'XML with a document type, an entity or a comment')
  let fields: unknown
  let failure: unknown
  try {
    parseString(
      text.replace(/^\uFEFF/, ''),
      { explicitArray: false, explicitRoot: false, trim: true },
      (error, result) => {
        failure = error
        fields = result
      },
    )
  } catch (error) {
    // a second mistake behind the first is thrown, not handed to the callback
    failure ??= error
  }
  if (failure || typeof fields !== 'object' || fields === null) throw new ChannelError('malformed', 'not XML')
  return fields as XmlFields
}

/** The markup alone: somebody may well write to the bot about a document type. */
function outsideCdata(text: string): string {
  const [head = '', ...rest] = text.split('<![CDATA[')
  const afterCdata = (part: string) => (part.includes(']]>') ? part.slice(part.indexOf(']]>')) : '')
  return head + rest.map(afterCdata).join('')
}

/** The text of a field; empty when it is absent or not text. */
export function field(fields: XmlFields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return typeof value === 'string' ? value : ''
}

/** A field that must be there. @throws ChannelError `malformed` */
export function requiredField(fields: XmlFields, name: string): string {
  const value = field(fields, name)
  if (value === '') throw new ChannelError('malformed', `${name} is missing`)
  return value
}

/** A query parameter that must be there. @throws ChannelError `malformed` */
export function requiredQuery(query: Record<string, string>, name: string): string {
  const value = query[name]
  if (!value) throw new ChannelError('malformed', `${name} is missing in the query`)
  return value
}

/** What tells two updates apart: the platform's message id, or a hash of the decrypted body for events. */
export function dedupeKeyOf(fields: XmlFields, body: string): string {
  const messageId = field(fields, 'MsgId')
  // anything but a 64-bit number could be too long or too odd for the database's index
  return /^\d{1,20}$/.test(messageId)
    ? `id:${messageId}`
    : `hash:${createHash('sha256').update(body).digest('base64url')}`
}

/** `CreateTime` is in seconds. @throws ChannelError `malformed` */
export function createdAt(fields: XmlFields): Date {
  const seconds = requiredField(fields, 'CreateTime')
  if (!/^\d{1,12}$/.test(seconds)) throw new ChannelError('malformed', 'CreateTime is not a number')
  return new Date(Number(seconds) * 1000)
}
