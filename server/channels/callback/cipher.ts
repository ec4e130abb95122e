import { createCipheriv, createDecipheriv, randomFillSync, timingSafeEqual } from 'node:crypto'
import { ChannelError } from '../errors.ts'

/** Encrypts and decrypts with one EncodingAESKey for one receiver. */
export interface CallbackCipher {
  /**
   * Decrypts and takes apart `random ‖ length ‖ message ‖ receive id`.
   * @throws ChannelError `signature` for bad padding, a wrong length or another receiver; `malformed` for bad base64.
   */
  decrypt(encrypted: string): string
  /** @returns base64 */
  encrypt(message: string): string
}

const KEY_BYTES = 32
/** PKCS#7 blocks of 32 bytes, unlike AES's own 16. */
const BLOCK_BYTES = 32
const RANDOM_BYTES = 16
const HEAD_BYTES = RANDOM_BYTES + 4

/**
 * By hand rather than with @wecom/crypto, with which the tests compare it: that one decodes the key for every message,
 * looks at the last byte of the padding only, checks no length and leaves the receive id to its caller.
 * @param receiveId corpid or appid; empty for a chat robot
 * @see https://developer.work.weixin.qq.com/document/path/90968
 */
export function createCallbackCipher(encodingAesKey: string, receiveId: string): CallbackCipher {
  const key = Buffer.from(`${encodingAesKey}=`, 'base64').subarray(0, KEY_BYTES)
  const iv = key.subarray(0, 16)
  const receiver = Buffer.from(receiveId)
  // One of each serves every message, because making them costs more than all the rest. In CBC the block before a message
  // changes its first block only, and the first block is the random one, which nobody reads. No block is ever held back:
  // there is no padding of their own, and only whole blocks go in.
  const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false)

  return {
    decrypt(encrypted) {
      const ciphertext = Buffer.from(encrypted, 'base64')
      // decoding skips whatever is not base64: only what encodes to the same again was clean
      if (ciphertext.length === 0 || ciphertext.toString('base64') !== encrypted)
        throw new ChannelError('malformed', 'not base64')
      if (ciphertext.length % BLOCK_BYTES !== 0)
        throw new ChannelError('signature', 'the ciphertext is not a whole number of blocks')
      const plain = decipher.update(ciphertext)

      const contentEnd = plain.length - paddingOf(plain)
      if (contentEnd < HEAD_BYTES) throw new ChannelError('signature', 'the plaintext is too short')
      const end = HEAD_BYTES + plain.readUInt32BE(RANDOM_BYTES)
      if (end > contentEnd) throw new ChannelError('signature', 'the length is wrong')
      if (contentEnd - end !== receiver.length || !timingSafeEqual(plain.subarray(end, contentEnd), receiver))
        throw new ChannelError('signature', 'meant for another receiver')
      return plain.toString('utf8', HEAD_BYTES, end)
    },

    encrypt(message) {
      const messageBytes = Buffer.byteLength(message)
      const end = HEAD_BYTES + messageBytes
      const contentBytes = end + receiver.length
      const padding = BLOCK_BYTES - (contentBytes % BLOCK_BYTES)
      const plain = Buffer.allocUnsafe(contentBytes + padding)
      fillRandom(plain)
      plain.writeUInt32BE(messageBytes, RANDOM_BYTES)
      plain.write(message, HEAD_BYTES)
      receiver.copy(plain, end)
      plain.fill(padding, contentBytes)
      return cipher.update(plain).toString('base64')
    },
  }
}

/** How many bytes of padding a plaintext ends in; all of them are checked. @throws ChannelError `signature` */
function paddingOf(plain: Buffer): number {
  const padding = plain[plain.length - 1] as number
  let isSound = padding >= 1 && padding <= BLOCK_BYTES
  for (let at = plain.length - padding; isSound && at < plain.length; at++) isSound = plain[at] === padding
  if (!isSound) throw new ChannelError('signature', 'bad padding')
  return padding
}

/** Drawn by the page: a call for sixteen bytes costs as much as encrypting them. */
const randomPool = Buffer.alloc(4096)
let randomUsed = randomPool.length

/** Fills the first 16 bytes with random ones that are never used again. */
function fillRandom(plain: Buffer): void {
  if (randomUsed === randomPool.length) {
    randomFillSync(randomPool)
    randomUsed = 0
  }
  randomPool.copy(plain, 0, randomUsed, randomUsed + RANDOM_BYTES)
  randomUsed += RANDOM_BYTES
}
