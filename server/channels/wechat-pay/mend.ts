import { createDecipheriv, randomBytes, verify } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type Pay from 'wechatpay-node-v3'
import { ChannelError } from '../errors.ts'

/*
 * What wechatpay-node-v3 2.2.1 does wrongly or not at all, and we therefore do ourselves. It is used for the rest: keys and
 * certificates, the request's signature, encrypting names.
 *
 *  - `decipher_gcm` never asks for the end of the decryption: a forged tag is accepted (`openResource`).
 *  - `verifySign` knows platform certificates only, keeps them for all merchants in one place, and takes a body of any age
 *    (`checkSigned`).
 *  - its nonce comes from Math.random, and a POST without a body is signed without its last empty line, so that no bill can
 *    be cancelled (`authorize`).
 *  - it has no public-key mode and no `transfer-bills` (`client.ts`).
 */

const SCHEME = 'WECHATPAY2-SHA256-RSA2048'
/** A body whose time is further away is a replay. */
const FRESH_SECONDS = 300
const TAG_BYTES = 16
const RESOURCE_KEY_BYTES = 32

export type Method = 'GET' | 'POST'

/** The `Authorization` of a request. @param path with its query, as it goes out @param body as it goes out; '' for none */
export function authorize(pay: Pay, method: Method, path: string, body: string, now: Date): string {
  const nonce = randomBytes(16).toString('hex')
  const timestamp = String(Math.floor(now.getTime() / 1000))
  // the library leaves the last line out where there is no body: a space-less empty line must be signed
  const signature =
    body === ''
      ? pay.sha256WithRsa(`${method}\n${path}\n${timestamp}\n${nonce}\n\n`)
      : pay.getSignature(method, nonce, timestamp, path, body)
  return pay.getAuthorization(nonce, timestamp, signature)
}

/** Keys by which the platform signs, by their serial: `PUB_KEY_ID_…` or a certificate's. */
export type PlatformKeys = ReadonlyMap<string, string | Buffer>

/**
 * Checks that a body is WeChat Pay's own and fresh. Probes (`WECHATPAY/SIGNTEST/…`) fail as they must: theirs is no
 * signature.
 * @param body the raw bytes as they came
 * @throws ChannelError `signature`
 */
export function checkSigned(headers: IncomingHttpHeaders, body: string, keys: PlatformKeys, now: Date): void {
  const of = (name: string) => {
    const value = headers[`wechatpay-${name}`]
    if (typeof value !== 'string' || value === '')
      throw new ChannelError('signature', `the header wechatpay-${name} is missing`)
    return value
  }
  const timestamp = of('timestamp')
  if (headers['wechatpay-signature-type'] !== undefined && of('signature-type') !== SCHEME)
    throw new ChannelError('signature', 'signed in a way we do not know')
  if (!/^\d{1,12}$/.test(timestamp)) throw new ChannelError('signature', 'the timestamp is not a number')
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > FRESH_SECONDS)
    throw new ChannelError('signature', 'the timestamp is not fresh')
  const key = keys.get(of('serial'))
  if (key === undefined) throw new ChannelError('signature', 'signed by a key we do not know')
  const signature = of('signature')
  const signed = Buffer.from(`${timestamp}\n${of('nonce')}\n${body}\n`)
  const isClean = /^[A-Za-z0-9+/]+={0,2}$/.test(signature)
  if (!isClean || !verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64')))
    throw new ChannelError('signature', 'the signature is wrong')
}

export interface SealedResource {
  algorithm: string
  ciphertext: string
  associated_data?: string | undefined
  nonce: string
}

/** Opens what is sealed with the APIv3 key. @throws ChannelError `signature` for a forged tag, `malformed` */
export function openResource(sealed: SealedResource, apiV3Key: string): string {
  const bytes = Buffer.from(sealed.ciphertext, 'base64')
  const key = Buffer.from(apiV3Key)
  if (
    sealed.algorithm !== 'AEAD_AES_256_GCM' ||
    bytes.length <= TAG_BYTES ||
    key.length !== RESOURCE_KEY_BYTES
  )
    throw new ChannelError('malformed', 'sealed in a way we do not know')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.nonce), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(sealed.associated_data ?? ''))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch (error) {
    throw new ChannelError('signature', 'the sealed part is forged', { cause: error })
  }
}
