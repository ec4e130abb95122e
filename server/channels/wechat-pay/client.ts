import { X509Certificate } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import type Pay from 'wechatpay-node-v3'
import { z } from 'zod'
import type { WechatPayConfig } from '../../config.ts'
import { ChannelError } from '../errors.ts'
import { type PayCallTrace, requestPay } from './http.ts'
import { authorize, checkSigned, type Method, openResource, type PlatformKeys } from './mend.ts'
import { PayRefusal } from './port.ts'

/** Signed calls to WeChat Pay for one merchant. */
export interface PayClient {
  config: WechatPayConfig
  /** @param body sent as JSON @param sealedBy the serial of the key that something in it is sealed with @throws PayRefusal, ChannelError `unreachable` (in doubt), `signature` */
  call(method: Method, path: string, body?: object, sealedBy?: string): Promise<Record<string, unknown>>
  /** A file of the platform's, whose answers are not signed. @param path with its query @throws as `call` */
  download(path: string): Promise<Buffer>
  /** A name as only the platform can read it, and the serial of the key that it is sealed with. */
  sealName(name: string): Promise<{ text: string; serial: string }>
  /** Checks a notification and opens it. @throws ChannelError `signature`, `malformed` */
  openNotice(headers: IncomingHttpHeaders, body: string): Promise<{ event: string; plain: unknown }>
}

const noticeForm = z.object({
  event_type: z.string(),
  resource: z.object({
    algorithm: z.string(),
    ciphertext: z.string(),
    associated_data: z.string().optional(),
    nonce: z.string(),
  }),
})
const certificatesForm = z.object({
  data: z.array(
    z.object({
      serial_no: z.string(),
      encrypt_certificate: z.object({
        algorithm: z.string(),
        ciphertext: z.string(),
        associated_data: z.string().optional(),
        nonce: z.string(),
      }),
    }),
  ),
})

/** Certificates change once in years; after a failed look the next is not made at once. */
const LOOK_AGAIN_MS = 60_000

export function createPayClient(
  config: WechatPayConfig,
  now: () => Date,
  trace: (entry: PayCallTrace) => void,
): PayClient {
  // only where there is something to pay: it brings an HTTP client of its own
  const Library: typeof Pay = createRequire(import.meta.url)('wechatpay-node-v3')
  const pay = new Library({
    appid: config.appId,
    mchid: config.mchId,
    publicKey: Buffer.from(config.certificate),
    privateKey: Buffer.from(config.privateKey),
    // the library would write it in small letters, WeChat Pay writes it in capitals
    serial_no: new X509Certificate(config.certificate).serialNumber,
    key: config.apiV3Key,
    userAgent: 'qunzhen',
  })
  /** The key that is known from the start; those of certificates are fetched. */
  const keys = new Map<string, string>(
    config.platformKey === null ? [] : [[config.platformKey.id, config.platformKey.pem]],
  )
  let lookedAt = 0

  async function exchange(method: Method, path: string, body: string, serial: string | null) {
    return requestPay(
      config.baseUrl,
      {
        method,
        path,
        body,
        headers: {
          accept: 'application/json',
          'user-agent': 'qunzhen',
          authorization: authorize(pay, method, path, body, now()),
          ...(body === '' ? {} : { 'content-type': 'application/json' }),
          ...(serial === null ? {} : { 'wechatpay-serial': serial }),
        },
      },
      trace,
    )
  }

  /** The keys to check with, fetched anew when an unknown one is named: it may have changed. */
  async function keysFor(serial: unknown): Promise<PlatformKeys> {
    if (typeof serial !== 'string' || keys.has(serial) || config.platformKey !== null) return keys
    const moment = now().getTime()
    if (moment - lookedAt < LOOK_AGAIN_MS) return keys
    lookedAt = moment
    const { status, body, headers } = await exchange('GET', '/v3/certificates', '', null)
    if (status !== 200) throw new PayRefusal('config', String(status))
    const answer = certificatesForm.safeParse(parsed(body))
    if (!answer.success) throw new ChannelError('unreachable', '微信支付的平台证书看不懂')
    const certificates = answer.data.data
      .map(({ serial_no, encrypt_certificate }) => ({
        serial: serial_no,
        certificate: new X509Certificate(openResource(encrypt_certificate, config.apiV3Key)),
      }))
      // while one takes over from another both are there, in no order: sealed is with the newest
      .sort((one, other) => Date.parse(one.certificate.validFrom) - Date.parse(other.certificate.validFrom))
    const fetched = new Map<string, string>()
    for (const { serial, certificate } of certificates)
      fetched.set(serial, certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString())
    // they come sealed with our own key, and the answer must be signed by one of them
    checkSigned(headers, body, fetched, now())
    for (const [name, key] of fetched) keys.set(name, key)
    return keys
  }

  async function sealingKey(): Promise<{ serial: string; key: string }> {
    if (keys.size === 0) await keysFor('')
    const [serial, key] = [...keys].at(-1) ?? []
    if (serial === undefined || key === undefined)
      throw new ChannelError('config', '没有微信支付公钥，也取不到平台证书')
    return { serial, key }
  }

  return {
    config,
    async sealName(name) {
      const { serial, key } = await sealingKey()
      return { text: pay.publicEncrypt(name, Buffer.from(key)), serial }
    },
    async call(method, path, body, sealedBy) {
      const text = body === undefined ? '' : JSON.stringify(body)
      const answer = await exchange(method, path, text, sealedBy ?? null)
      return readAnswer(answer, async () =>
        checkSigned(answer.headers, answer.body, await keysFor(answer.headers['wechatpay-serial']), now()),
      )
    },
    async download(path) {
      const { status, body, bytes } = await exchange('GET', path, '', null)
      if (status === 200) return bytes
      await readAnswer({ status, body }, async () => {})
      throw new ChannelError('unreachable', '微信支付没有给出文件', { isUncertain: false })
    },
    async openNotice(headers, body) {
      checkSigned(headers, body, await keysFor(headers['wechatpay-serial']), now())
      const notice = noticeForm.safeParse(parsed(body))
      if (!notice.success) throw new ChannelError('malformed', 'not a notification')
      const { event_type, resource } = notice.data
      return { event: event_type, plain: parsed(openResource(resource, config.apiV3Key)) }
    },
  }
}

/**
 * What an answer means. Whoever got no answer, a broken one, or one that is not signed as it should be does not know what
 * has become of the request. A refusal is taken at its word: it moves no money, and the bill is asked for by its number
 * before anything else is done with it.
 */
async function readAnswer(
  { status, body }: { status: number; body: string },
  check: () => Promise<void>,
): Promise<Record<string, unknown>> {
  if (status >= 500)
    throw new ChannelError('unreachable', `微信支付暂时出错（HTTP ${status}）`, { isUncertain: true })
  if (status === 200 || status === 202 || status === 204) {
    try {
      await check()
      const answer = body === '' ? {} : parsed(body)
      if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>
    } catch (error) {
      throw new ChannelError('unreachable', '微信支付的应答没有通过验签', { isUncertain: true, cause: error })
    }
    throw new ChannelError('unreachable', '微信支付的应答看不懂', { isUncertain: true })
  }
  const refusal = parsed(body) as { code?: unknown } | null
  const code = typeof refusal?.code === 'string' ? refusal.code : `HTTP ${status}`
  if (status === 429) throw new PayRefusal('throttled', code)
  if (status === 401 || status === 403) throw new PayRefusal('config', code)
  if (status === 404) throw new PayRefusal('recipient', code)
  throw new PayRefusal('rejected', code)
}

/** @returns null when it is not JSON */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
