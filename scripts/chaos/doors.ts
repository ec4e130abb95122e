import { createCipheriv } from 'node:crypto'
import { type CallbackKey, callbackKey, encryptMessage, signatureOf } from '../simulator/crypto.ts'

/** The addresses that callbacks come in by. */
export type DoorName = 'wecom' | 'official-account' | 'aibot'
export type AccountMode = 'secure' | 'compatible' | 'plain'

const aesKeys = {
  wecom: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  'official-account': 'GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba',
  aibot: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq',
}

/** What each door is configured with, on both sides. */
export const keys: Record<DoorName, CallbackKey> = {
  wecom: callbackKey('chaosToken', aesKeys.wecom, 'wwchaos0qunzhen'),
  'official-account': callbackKey('chaosAccountToken', aesKeys['official-account'], 'wxchaos0qunzhen'),
  // an internal chat robot has no receive id
  aibot: callbackKey('chaosRobotToken', aesKeys.aibot, ''),
}

/** Whom callbacks are addressed to. */
export const recipients: Record<DoorName, string> = {
  wecom: keys.wecom.receiveId,
  'official-account': 'gh_chaos0qunzhen',
  aibot: 'chaos-robot',
}

export function pathOf(door: DoorName): string {
  return `/webhooks/${door}`
}

/** The environment of a server with all doors, whose platforms are unreachable: the chaos is about what comes in. */
export function serverEnvironment(options: {
  databaseUrl: string
  dataKey: string
  mode: AccountMode
  logLevel: string
}): Record<string, string> {
  const nobody = 'http://127.0.0.1:9'
  return {
    NODE_ENV: 'production',
    DATABASE_URL: options.databaseUrl,
    DATA_KEY: options.dataKey,
    LOG_LEVEL: options.logLevel,
    WECOM_BASE_URL: nobody,
    WECOM_CORP_ID: keys.wecom.receiveId,
    WECOM_AGENT_ID: '1',
    WECOM_SECRET: 'chaos',
    WECOM_TOKEN: keys.wecom.token,
    WECOM_AES_KEY: aesKeys.wecom,
    WECOM_BOT_TOKEN: keys.aibot.token,
    WECOM_BOT_AES_KEY: aesKeys.aibot,
    OFFICIAL_ACCOUNT_BASE_URL: nobody,
    OFFICIAL_ACCOUNT_APP_ID: keys['official-account'].receiveId,
    OFFICIAL_ACCOUNT_SECRET: 'chaos',
    OFFICIAL_ACCOUNT_TOKEN: keys['official-account'].token,
    OFFICIAL_ACCOUNT_AES_KEY: aesKeys['official-account'],
    OFFICIAL_ACCOUNT_MODE: options.mode,
  }
}

/** A request before it becomes bytes, so that each part of it can be bent. Strings of the head are bytes (latin1). */
export interface Parcel {
  method: string
  path: string
  /** In order; names may come twice. Encoded when the parcel is packed. */
  query: [name: string, value: string][]
  /** Put behind the query as it is. */
  rawQuery?: string
  /** Besides Host and Content-Length, which packing adds unless `bareHead` is set. */
  headers: [name: string, value: string][]
  body: Buffer
  bareHead?: boolean
}

export function packParcel(parcel: Parcel): Buffer {
  const query = parcel.query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
  const target = `${parcel.path}?${query}${parcel.rawQuery ?? ''}`
  const own: [string, string][] = parcel.bareHead
    ? []
    : [
        ['Host', '127.0.0.1'],
        ['Content-Length', String(parcel.body.length)],
      ]
  const lines = [...own, ...parcel.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([
    Buffer.from(`${parcel.method} ${target} HTTP/1.1\r\n${lines}\r\n`, 'latin1'),
    parcel.body,
  ])
}

/** What a sealed callback carries in its query and its body. */
export interface Seal {
  door: DoorName
  /** Seconds, as text. */
  timestamp: string
  nonce: string
  /** What the body carries as its ciphertext, and what the signature is made of. */
  encrypted: string
  /** The parcel's body is JSON. */
  isJson: boolean
  /** Compatible mode: the fields in the clear, beside the ciphertext. Nobody signs them. */
  plainCopy: string
}

/** The parcel of a sealed callback, signed with the door's token or with another. */
export function sealedParcel(seal: Seal, token = keys[seal.door].token): Parcel {
  const { door, timestamp, nonce, encrypted } = seal
  const query: [string, string][] = [
    ['msg_signature', signatureOf(token, timestamp, nonce, encrypted)],
    ['timestamp', timestamp],
    ['nonce', nonce],
  ]
  if (door === 'official-account')
    query.unshift(['signature', signatureOf(token, timestamp, nonce)], ['encrypt_type', 'aes'])
  return {
    method: 'POST',
    path: pathOf(door),
    query,
    headers: [['Content-Type', seal.isJson ? 'application/json' : 'text/xml']],
    body: Buffer.from(envelope(seal)),
  }
}

/** What goes over the wire around a ciphertext. */
export function envelope({ door, encrypted, isJson, plainCopy }: Seal): string {
  if (door === 'aibot') return JSON.stringify({ encrypt: encrypted })
  const to = recipients[door]
  if (isJson) return `{"ToUserName":"${to}",${plainCopy}"Encrypt":"${encrypted}"}`
  return `<xml><ToUserName><![CDATA[${to}]]></ToUserName>${plainCopy}<Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`
}

/** The parcel of the Official Account's plain mode: only the query is signed. */
export function plainParcel(
  body: Buffer,
  { timestamp, nonce, isJson }: Pick<Seal, 'timestamp' | 'nonce' | 'isJson'>,
  token = keys['official-account'].token,
): Parcel {
  return {
    method: 'POST',
    path: pathOf('official-account'),
    query: [
      ['signature', signatureOf(token, timestamp, nonce)],
      ['timestamp', timestamp],
      ['nonce', nonce],
      ['openid', 'o-chaos'],
    ],
    headers: [['Content-Type', isJson ? 'application/json' : 'text/xml']],
    body,
  }
}

/** Encrypts bytes that need not be text as a platform would. */
export function encryptBody(door: DoorName, body: Buffer, random: Buffer): string {
  const text = body.toString('utf8')
  return Buffer.from(text).equals(body)
    ? encryptMessage(keys[door], text, random)
    : encryptRaw(keys[door], framed(body, keys[door].receiveId, random))
}

/** `random ‖ length ‖ message ‖ receive id`, with the padding of the platforms. */
export function framed(
  message: Buffer,
  receiveId: string,
  random: Buffer,
  wrong: { length?: number; padding?: (right: number) => Buffer } = {},
): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE((wrong.length ?? message.length) >>> 0)
  const content = Buffer.concat([random, length, message, Buffer.from(receiveId)])
  const right = 32 - (content.length % 32)
  return Buffer.concat([content, wrong.padding?.(right) ?? Buffer.alloc(right, right)])
}

/** Encrypts whole blocks, whatever they hold. @param blocks a multiple of 16 bytes */
export function encryptRaw(key: CallbackKey, blocks: Buffer): string {
  const cipher = createCipheriv('aes-256-cbc', key.aesKey, key.aesKey.subarray(0, 16)).setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()]).toString('base64')
}
