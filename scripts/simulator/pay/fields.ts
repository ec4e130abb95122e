import { constants, privateDecrypt } from 'node:crypto'
import { isRecord } from '../api/fields.ts'
import { refuseParameter } from './error.ts'
import type { Merchant } from './merchant.ts'

export type Fields = Record<string, unknown>

/** From this amount (fen) on the receiver's name must be given. */
const NAME_NEEDED = 200_000
/** Below this amount (fen) it must not. */
const NAME_ALLOWED = 30
const NOTIFY_URL_LENGTH = 256

/** @throws PayError when it is not a JSON object. */
export function parseBody(body: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    refuseParameter('请求体不是合法的JSON')
  }
  if (!isRecord(value)) refuseParameter('请求体不是JSON对象')
  return value
}

/** A text of 1 to `max` characters. */
export function payText(fields: Fields, name: string, max: number, pattern?: RegExp): string {
  const value = fields[name]
  if (typeof value !== 'string' || value === '') refuseParameter(`${name}必填，且为字符串`)
  if ([...value].length > max) refuseParameter(`${name}长度超过${max}个字符`)
  if (pattern && !pattern.test(value)) refuseParameter(`${name}格式不符`)
  return value
}

export function payInteger(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) refuseParameter(`${name}必填，且为整数`)
  return value
}

/** The merchant's own numbers. */
export const NUMBER = /^[0-9A-Za-z]+$/

/** @throws PayError unless it is https, without a query, of at most 256 characters. */
export function readNotifyUrl(fields: Fields): string | undefined {
  if (fields.notify_url === undefined) return undefined
  const url = payText(fields, 'notify_url', NOTIFY_URL_LENGTH)
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:' || /[?#]/.test(url))
    refuseParameter('notify_url须为HTTPS地址，且不能携带参数')
  return url
}

/**
 * The receiver's name, decrypted.
 * @param serial the request's Wechatpay-Serial: which of the platform's keys the name was encrypted with.
 */
export function readUserName(
  merchant: Merchant,
  fields: Fields,
  amount: number,
  serial: string | undefined,
): string | undefined {
  const { user_name: sealed } = fields
  if (sealed === undefined || sealed === '') {
    if (amount >= NAME_NEEDED) refuseParameter('转账金额大于等于2000元时，收款用户姓名必填')
    return undefined
  }
  if (typeof sealed !== 'string') refuseParameter('user_name须为字符串')
  if (amount < NAME_ALLOWED) refuseParameter('转账金额小于0.3元时，不支持填写收款用户姓名')
  const key = merchant.platform()
  if (serial !== key.serial) refuseParameter('Wechatpay-Serial与加密敏感信息所用的公钥不一致')
  try {
    const name = privateDecrypt(
      { key: key.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      Buffer.from(sealed, 'base64'),
    ).toString('utf8')
    if (name === '') throw new Error('empty')
    return name
  } catch {
    refuseParameter('敏感信息解密失败')
  }
}
