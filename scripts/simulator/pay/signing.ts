import { sign, verify } from 'node:crypto'
import type { Core } from '../core.ts'
import { unixSeconds } from '../core.ts'
import { refuseParameter, refusePay } from './error.ts'
import type { Merchant } from './merchant.ts'

const SCHEME = 'WECHATPAY2-SHA256-RSA2048'
/** A request older or newer than this is refused. */
const SKEW_SECONDS = 300
/** What a probe's signature begins with; whoever takes it for good does not verify. */
const PROBE = 'WECHATPAY/SIGNTEST/'

export interface PayRequest {
  method: string
  /** As it came, with the simulator's host prefix and the query. */
  url: string
  /** The same after the host. */
  path: string
  headers: Record<string, string | string[] | undefined>
  body: string
}

function readAuthorization(header: string): Record<string, string> {
  if (!header.startsWith(`${SCHEME} `)) refusePay(401, 'SIGN_ERROR', 'Http头Authorization认证类型不正确')
  const fields: Record<string, string> = {}
  for (const part of header.slice(SCHEME.length + 1).split(',')) {
    const match = /^\s*(\w+)="([^"]*)"\s*$/.exec(part)
    if (!match?.[1] || fields[match[1]] !== undefined)
      refusePay(401, 'SIGN_ERROR', 'Http头Authorization值格式错误')
    fields[match[1]] = match[2] ?? ''
  }
  return fields
}

/**
 * Finds the merchant and checks the request's signature, age and heads.
 * @throws PayError 401 SIGN_ERROR, 400 PARAM_ERROR
 */
export function authenticate(core: Core, merchants: Map<string, Merchant>, request: PayRequest): Merchant {
  const one = (name: string) => {
    const value = request.headers[name]
    return typeof value === 'string' ? value : ''
  }
  if (one('user-agent') === '' || !/(application\/json|\*\/\*)/.test(one('accept')))
    refuseParameter('Http头缺少Accept或User-Agent')
  if (request.body !== '' && !one('content-type').startsWith('application/json'))
    refuseParameter('Http头Content-Type应为application/json')
  const {
    mchid = '',
    nonce_str = '',
    timestamp = '',
    serial_no = '',
    signature = '',
  } = readAuthorization(one('authorization'))
  const merchant = merchants.get(mchid)
  if (!merchant) refusePay(401, 'SIGN_ERROR', '商户号不存在')
  if (serial_no !== merchant.settings.serial) refusePay(401, 'SIGN_ERROR', '商户证书序列号有误')
  if (nonce_str === '' || nonce_str.length > 32) refusePay(401, 'SIGN_ERROR', '请求随机串nonce_str有误')
  const age = Math.abs(unixSeconds(core.clock.now()) - Number(timestamp))
  if (!/^\d{1,12}$/.test(timestamp) || age > SKEW_SECONDS)
    refusePay(401, 'SIGN_ERROR', 'Http头Authorization中的timestamp与发起请求的时间不得超过5分钟')
  const isSigned = (url: string) =>
    verify(
      'RSA-SHA256',
      Buffer.from(`${request.method}\n${url}\n${timestamp}\n${nonce_str}\n${request.body}\n`),
      merchant.publicKey,
      Buffer.from(signature, 'base64'),
    )
  // the prefix stands for the host, which is not signed; a client that signs its address's whole path is right as well
  if (!isSigned(request.path) && !isSigned(request.url))
    refusePay(401, 'SIGN_ERROR', '签名错误，请检查后再试')
  return merchant
}

/** The heads by which a receiver checks that a body is the platform's. */
export function signedHeads(
  core: Core,
  merchant: Merchant,
  body: string,
  isProbe = false,
): Record<string, string> {
  const key = merchant.platform()
  const timestamp = String(unixSeconds(core.clock.now()))
  const nonce = core.ids.letters(32)
  const signature = sign('RSA-SHA256', Buffer.from(`${timestamp}\n${nonce}\n${body}\n`), key.privateKey)
  return {
    'wechatpay-serial': key.serial,
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': nonce,
    'wechatpay-signature': `${isProbe ? PROBE : ''}${signature.toString('base64')}`,
    'wechatpay-signature-type': SCHEME,
  }
}
