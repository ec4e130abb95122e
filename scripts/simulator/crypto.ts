import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

// Written by hand from the platforms' description and shared by both platforms; the server under test has its own.
const BLOCK = 32

export interface CallbackKey {
  token: string
  aesKey: Buffer
  /** corpid for WeCom, appid for an Official Account. */
  receiveId: string
}

/** @throws RangeError when the EncodingAESKey is not 43 letters and digits. */
export function callbackKey(token: string, encodingAesKey: string, receiveId: string): CallbackKey {
  if (!/^[A-Za-z0-9]{43}$/.test(encodingAesKey))
    throw new RangeError('EncodingAESKey must be 43 letters or digits')
  return { token, aesKey: Buffer.from(`${encodingAesKey}=`, 'base64'), receiveId }
}

/** Lowercase hex of sha1 over the byte-wise sorted parts: four with a ciphertext, three for the Official Account's plain form. */
export function signatureOf(...parts: string[]): string {
  const sorted = parts.map(part => Buffer.from(part, 'utf8')).sort(Buffer.compare)
  return createHash('sha1').update(Buffer.concat(sorted)).digest('hex')
}

/**
 * Encrypts as the platforms do: 16 random bytes, length (4 bytes, big endian), message, receive id, then PKCS#7 to 32 bytes.
 * @see developer.work.weixin.qq.com/document/path/90968
 */
export function encryptMessage(key: CallbackKey, message: string, random: Buffer = randomBytes(16)): string {
  const text = Buffer.from(message, 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const plain = Buffer.concat([random, length, text, Buffer.from(key.receiveId, 'utf8')])
  const pad = BLOCK - (plain.length % BLOCK)
  const cipher = createCipheriv('aes-256-cbc', key.aesKey, key.aesKey.subarray(0, 16)).setAutoPadding(false)
  return Buffer.concat([
    cipher.update(plain),
    cipher.update(Buffer.alloc(pad, pad)),
    cipher.final(),
  ]).toString('base64')
}

/** @throws Error saying what is wrong: base64, block length, padding, length or receive id. */
export function decryptMessage(key: CallbackKey, encrypted: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encrypted)) throw new Error('ciphertext is not base64')
  const bytes = Buffer.from(encrypted, 'base64')
  if (bytes.length === 0 || bytes.length % BLOCK !== 0)
    throw new Error('ciphertext is not a multiple of 32 bytes')
  const decipher = createDecipheriv('aes-256-cbc', key.aesKey, key.aesKey.subarray(0, 16)).setAutoPadding(
    false,
  )
  const padded = Buffer.concat([decipher.update(bytes), decipher.final()])
  const pad = padded[padded.length - 1] ?? 0
  if (pad < 1 || pad > BLOCK) throw new Error('padding is out of 1..32')
  if (!padded.subarray(padded.length - pad).every(byte => byte === pad)) throw new Error('padding is uneven')
  const plain = padded.subarray(0, padded.length - pad)
  if (plain.length < 20) throw new Error('plaintext is shorter than its head')
  const length = plain.readUInt32BE(16)
  if (20 + length > plain.length) throw new Error('message length goes beyond the plaintext')
  const receiveId = plain.subarray(20 + length).toString('utf8')
  if (receiveId !== key.receiveId)
    throw new Error(`receive id is "${receiveId}", expected "${key.receiveId}"`)
  return plain.subarray(20, 20 + length).toString('utf8')
}
