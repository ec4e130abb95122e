import { createCipheriv, randomBytes } from 'node:crypto'
import { callbackKey, encryptMessage, signatureOf } from '../../../scripts/simulator/crypto.ts'
import type { CallbackRequest } from '../../../server/channels/channel.ts'
import { ChannelError } from '../../../server/channels/errors.ts'

/** What a callback is sealed with; the receive id is whom it is meant for. */
export interface Seal {
  token: string
  aesKey: string
  receiveId: string
}

export const wecomSeal: Seal = {
  token: 'QDG6eK',
  aesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
  receiveId: 'ww5823bf96d3bd56c7',
}

export const accountSeal: Seal = {
  token: 'pamtest',
  aesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  receiveId: 'wxb11529c136998cb6',
}

export const NOW = new Date('2026-03-05T10:00:00+08:00')
export const SECONDS = String(NOW.getTime() / 1000)

export function encryptFor(seal: Seal, text: string): string {
  return encryptMessage(callbackKey(seal.token, seal.aesKey, seal.receiveId), text)
}

/** Encrypts exactly these bytes, padding and all: what only somebody with the key could forge. */
export function encryptBytes(seal: Seal, bytes: Buffer): string {
  const { aesKey } = callbackKey(seal.token, seal.aesKey, seal.receiveId)
  const cipher = createCipheriv('aes-256-cbc', aesKey, aesKey.subarray(0, 16)).setAutoPadding(false)
  return Buffer.concat([cipher.update(bytes), cipher.final()]).toString('base64')
}

/** The plaintext before encryption, with a length field and a padding that may be wrong. */
export function plainBytes(
  seal: Seal,
  text: string,
  wrong: { length?: (right: number) => number; padding?: (count: number) => Buffer } = {},
): Buffer {
  const message = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE((wrong.length?.(message.length) ?? message.length) >>> 0)
  const content = Buffer.concat([randomBytes(16), length, message, Buffer.from(seal.receiveId)])
  const count = 32 - (content.length % 32)
  return Buffer.concat([content, wrong.padding?.(count) ?? Buffer.alloc(count, count)])
}

/** A secure callback with a valid signature over whatever is given as ciphertext. */
export function envelope(
  seal: Seal,
  encrypted: string,
  { timestamp = SECONDS, nonce = '1372623149', name = 'msg_signature' } = {},
): CallbackRequest {
  return {
    query: { [name]: signatureOf(seal.token, timestamp, nonce, encrypted), timestamp, nonce },
    body: `<xml><ToUserName><![CDATA[${seal.receiveId}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`,
  }
}

/** The message XML of a text, as both platforms write it. */
export function textXml(seal: Seal, text: string, messageId = '4561255354251345929'): string {
  return (
    `<xml><ToUserName><![CDATA[${seal.receiveId}]]></ToUserName><FromUserName><![CDATA[zhangsan]]></FromUserName>` +
    `<CreateTime>${SECONDS}</CreateTime><MsgType><![CDATA[text]]></MsgType>` +
    `<Content><![CDATA[${text}]]></Content><MsgId>${messageId}</MsgId></xml>`
  )
}

/** Why something was refused; 'taken' when it was not. Any other error is a fault of ours and goes on. */
export function verdict(work: () => unknown): string {
  try {
    work()
    return 'taken'
  } catch (error) {
    if (error instanceof ChannelError) return error.reason
    throw error
  }
}
