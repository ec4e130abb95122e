import { createDecipheriv } from 'node:crypto'
import { ChannelError } from '../errors.ts'
import { type CallTrace, fetchPlatformFile } from '../http.ts'
import type { ChannelServices } from '../services.ts'

const BLOCK_BYTES = 32
/** What the trace calls it: the path of an address names the file. */
const TRACED_AS = '/aibot-media'
/** Where the platform keeps what is sent to robots. */
const platformHost = /(?:^|\.)(?:qq\.com|myqcloud\.com)$/

/**
 * Fetches and decrypts what somebody has sent to the robot.
 * @param aesKey the callback's EncodingAESKey
 * @param baseUrl as configured for WeCom: beside the platform's own hosts the only one that is asked
 * @throws ChannelError
 * @see https://developer.work.weixin.qq.com/document/path/100719
 */
export async function fetchRobotMedia(
  { trace, baseUrl, aesKey }: Pick<ChannelServices, 'trace'> & { baseUrl: string; aesKey: string },
  address: string,
  maxBytes: number,
): Promise<Buffer> {
  if (!isMediaAddress(address, baseUrl))
    throw new ChannelError('rejected', 'the address of the file is not of the platform')
  const url = new URL(address)
  const http = {
    channel: 'aibot' as const,
    baseUrl: url.origin,
    trace: (entry: CallTrace) => trace({ ...entry, call: TRACED_AS }),
    codes: new Map(),
  }
  const { bytes } = await fetchPlatformFile(
    http,
    { path: url.pathname, query: Object.fromEntries(url.searchParams) },
    maxBytes + BLOCK_BYTES,
  )
  return decrypt(aesKey, Buffer.from(bytes))
}

function isMediaAddress(address: string, baseUrl: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  if (url.username !== '' || url.password !== '') return false
  if (url.origin === new URL(baseUrl).origin) return true
  return url.protocol === 'https:' && url.port === '' && platformHost.test(url.hostname)
}

/** AES-256-CBC with the callback's key, padded to 32 bytes; unlike a message it has no head and no receive id. */
function decrypt(aesKey: string, bytes: Buffer): Buffer {
  const key = Buffer.from(`${aesKey}=`, 'base64').subarray(0, 32)
  if (bytes.length === 0 || bytes.length % 16 !== 0) throw unreadable()
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const plain = Buffer.concat([decipher.update(bytes), decipher.final()])
  const padding = plain.at(-1) ?? 0
  const isSound = padding >= 1 && padding <= BLOCK_BYTES && padding <= plain.length
  if (!isSound || plain.subarray(plain.length - padding).some(byte => byte !== padding)) throw unreadable()
  return plain.subarray(0, plain.length - padding)
}

function unreadable(): ChannelError {
  return new ChannelError('rejected', 'the file cannot be decrypted')
}
