import { hash, timingSafeEqual } from 'node:crypto'
import { ChannelError } from '../errors.ts'

/** A query parameter that must be there. @throws ChannelError `malformed` */
export function requiredQuery(query: Record<string, string>, name: string): string {
  const value = query[name]
  if (!value) throw new ChannelError('malformed', `${name} is missing in the query`)
  return value
}

/** @throws ChannelError `malformed` for no number, `signature` when `timestamp` (seconds) is too far from `now`. */
export function checkFreshness(timestamp: string, now: Date, toleranceSeconds: number): void {
  if (!/^\d{1,12}$/.test(timestamp)) throw new ChannelError('malformed', 'timestamp is not a number')
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > toleranceSeconds)
    throw new ChannelError('signature', 'the timestamp is too far from now')
}

/**
 * Lowercase hex of the SHA-1 over the sorted parts: token, timestamp, nonce and, where there is one, the ciphertext.
 * @see https://developer.work.weixin.qq.com/document/path/90968
 */
export function signatureOf(parts: readonly string[]): string {
  return hash('sha1', sortedText(parts), 'hex')
}

/** Checks `signature` against its parts (token included) in constant time. @throws ChannelError `signature` */
export function checkSignature(signature: string, parts: readonly string[]): void {
  // tested before, because only equal lengths can be compared
  const isHex = /^[0-9a-f]{40}$/.test(signature)
  if (!isHex || !timingSafeEqual(Buffer.from(signature, 'latin1'), Buffer.from(signatureOf(parts), 'latin1')))
    throw new ChannelError('signature', 'the signature does not match')
}

/** Insertion sort: for four strings it is several times faster than a copy and `sort()`. */
function sortedText(parts: readonly string[]): string {
  const sorted: string[] = []
  for (const part of parts) {
    let at = sorted.length
    for (; at > 0 && part < (sorted[at - 1] as string); at--) sorted[at] = sorted[at - 1] as string
    sorted[at] = part
  }
  let text = ''
  for (const part of sorted) text += part
  return text
}
