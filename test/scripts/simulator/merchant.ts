import {
  constants,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { createServer } from 'node:http'
import type { MerchantSettings } from '../../../scripts/simulator/pay/pay.ts'
import { officialSettings, simulate, stopLater } from './setup.ts'

// A merchant's own signing, verifying and decrypting, from the official description; nothing of the simulator's.
export const merchantKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const mchId = '1900000001'
export const serial = '1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C'
const apiV3Key = '0123456789abcdef0123456789abcdef'
export const appid = officialSettings.receiveId
export const BILLS = '/v3/fund-app/mch-transfer/transfer-bills'

// biome-ignore lint/suspicious/noExplicitAny: answers are read as a script would read them
export type Json = any

export interface Spoil {
  mchid?: string
  serial?: string
  timestamp?: number
  signedBody?: string
  headers?: Record<string, string>
}

export async function withMerchant(settings: Partial<MerchantSettings> = {}, options = {}) {
  const all = await simulate(options)
  const { sim, clock } = all
  const { pay } = sim
  pay.addMerchant({
    mchId,
    appIds: [appid],
    apiV3Key,
    serial,
    publicKey: merchantKey.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ...settings,
  })
  const wang = sim.addPerson({ name: '王芳', openId: 'oWangFang' })

  async function call(method: 'GET' | 'POST', path: string, body?: object, spoil: Spoil = {}) {
    const text = body === undefined ? '' : JSON.stringify(body)
    const timestamp = spoil.timestamp ?? Math.floor(clock.now().getTime() / 1000)
    const nonce = randomBytes(16).toString('hex')
    const message = `${method}\n${path}\n${timestamp}\n${nonce}\n${spoil.signedBody ?? text}\n`
    const signature = sign('RSA-SHA256', Buffer.from(message), merchantKey.privateKey).toString('base64')
    const authorization = `WECHATPAY2-SHA256-RSA2048 mchid="${spoil.mchid ?? mchId}",nonce_str="${nonce}",timestamp="${timestamp}",serial_no="${spoil.serial ?? serial}",signature="${signature}"`
    const answer = await fetch(`${sim.baseUrls.pay}${path}`, {
      method,
      headers: {
        authorization,
        accept: 'application/json',
        ...(text === '' ? {} : { 'content-type': 'application/json' }),
        ...spoil.headers,
      },
      ...(text === '' ? {} : { body: text }),
    })
    const raw = await answer.text()
    return { status: answer.status, headers: answer.headers, raw, body: JSON.parse(raw) as Json }
  }
  const request = (outBillNo: string, change: object = {}) => ({
    appid,
    out_bill_no: outBillNo,
    transfer_scene_id: '1002',
    openid: 'oWangFang',
    transfer_amount: 5000,
    transfer_remark: '志愿者交通补贴',
    transfer_scene_report_infos: [{ info_type: '补贴类型', info_content: '交通补贴' }],
    ...change,
  })
  return {
    ...all,
    pay,
    wang,
    call,
    request,
    create: (outBillNo: string, change: object = {}, spoil: Spoil = {}) =>
      call('POST', BILLS, request(outBillNo, change), spoil),
    query: (outBillNo: string) => call('GET', `${BILLS}/out-bill-no/${outBillNo}`),
    cancel: (outBillNo: string) => call('POST', `${BILLS}/out-bill-no/${outBillNo}/cancel`),
    sealName: (name: string) =>
      publicEncrypt(
        { key: pay.platform().publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
        Buffer.from(name),
      ).toString('base64'),
    serialHead: () => ({ headers: { 'wechatpay-serial': pay.platform().serial } }),
  }
}

/** As a receiver does it: key by serial, signature over time, nonce and raw body. */
export function isGenuine(
  heads: (name: string) => string,
  raw: string,
  platform: { serial: string; publicKey: string },
) {
  return (
    heads('wechatpay-serial') === platform.serial &&
    verify(
      'RSA-SHA256',
      Buffer.from(`${heads('wechatpay-timestamp')}\n${heads('wechatpay-nonce')}\n${raw}\n`),
      createPublicKey(platform.publicKey),
      Buffer.from(heads('wechatpay-signature'), 'base64'),
    )
  )
}

export function openResource(resource: {
  ciphertext: string
  associated_data: string
  nonce: string
}): string {
  const bytes = Buffer.from(resource.ciphertext, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(resource.nonce))
  decipher.setAAD(Buffer.from(resource.associated_data))
  decipher.setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
}

/** A merchant's server that takes notifications; it answers `state.status` to what is genuine and 401 to the rest. */
export async function withReceiver(settings: Partial<MerchantSettings> = {}) {
  const received: { isGenuine: boolean; outer: Json; plain: Json }[] = []
  const state = { status: 204, verifies: true }
  const server = createServer(async (request, response) => {
    let raw = ''
    for await (const chunk of request) raw += chunk
    const genuine = isGenuine(name => String(request.headers[name]), raw, all.pay.platform())
    const outer = JSON.parse(raw)
    received.push({ isGenuine: genuine, outer, plain: JSON.parse(openResource(outer.resource)) })
    response.writeHead(genuine || !state.verifies ? state.status : 401).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  stopLater({
    stop: async () => {
      server.closeAllConnections()
      server.close()
    },
  })
  const all = await withMerchant({ reach: { 'https://pay.example.cn': origin }, ...settings })
  return { ...all, received, state, notify_url: 'https://pay.example.cn/notify' }
}

/** Status and error code of an answer. */
export const codeOf = ({ status, body }: { status: number; body: Json }) => [status, body.code]
