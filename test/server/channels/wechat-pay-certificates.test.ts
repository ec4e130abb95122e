import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCertificate } from '../../../scripts/simulator/pay/certificate.ts'
import { sealResource } from '../../../scripts/simulator/pay/keys.ts'
import { playedMerchant } from '../../../scripts/support/merchant.ts'
import { createPayClient } from '../../../server/channels/wechat-pay/client.ts'
import { readConfig } from '../../../server/config.ts'

const merchant = playedMerchant('wx1')
const NOW = new Date('2026-09-07T09:00:00+08:00')

interface Platform {
  serial: string
  pem: string
  privateKey: KeyObject
}

function platform(serial: string, from: string): Platform {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const until = new Date('2031-01-01T00:00:00Z')
  const pem = makeCertificate({ serial, commonName: 'T', from: new Date(from), until, publicKey, privateKey })
  return { serial, pem, privateKey }
}

/** They overlap for a while, and come in any order. */
const old = platform('11'.repeat(20), '2021-09-10T00:00:00Z')
const fresh = platform('22'.repeat(20), '2026-09-01T00:00:00Z')
let listed: unknown
let heads: IncomingHttpHeaders = {}
let server: Server

const sealed = ({ serial, pem }: Platform) => ({
  serial_no: serial.toUpperCase(),
  encrypt_certificate: sealResource(merchant.settings.apiV3Key, pem, 'certificate'),
})

beforeAll(async () => {
  server = createServer((request, response) => {
    const isList = request.url === '/v3/certificates'
    if (!isList) heads = request.headers
    const body = JSON.stringify(isList ? listed : {})
    const timestamp = String(NOW.getTime() / 1000)
    const signed = Buffer.from(`${timestamp}\nabc\n${body}\n`)
    response.writeHead(200, {
      'wechatpay-serial': old.serial,
      'wechatpay-timestamp': timestamp,
      'wechatpay-nonce': 'abc',
      'wechatpay-signature': sign('RSA-SHA256', signed, old.privateKey).toString('base64'),
    })
    response.end(body)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
})
afterAll(() => server.close())

function client() {
  const { port } = server.address() as AddressInfo
  const environment = {
    ...merchant.environment(`http://127.0.0.1:${port}`, null),
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: 'postgres://localhost/none',
    DATA_KEY: Buffer.alloc(32, 1).toString('base64'),
    PUBLIC_URL: 'https://qunzhen.example.cn',
    OFFICIAL_ACCOUNT_BASE_URL: 'http://127.0.0.1:9',
    OFFICIAL_ACCOUNT_APP_ID: 'wx1',
    OFFICIAL_ACCOUNT_SECRET: 'secret',
    OFFICIAL_ACCOUNT_TOKEN: 'someToken',
    OFFICIAL_ACCOUNT_AES_KEY: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  }
  const config = readConfig(environment).wechatPay
  if (!config) throw new Error('there is no merchant')
  return createPayClient(
    config,
    () => NOW,
    () => {},
  )
}

test.each([
  ['the new one first', [fresh, old]],
  ['the new one last', [old, fresh]],
])('a name is sealed with the newest certificate, and says so: %s', async (_order, certificates) => {
  listed = { data: certificates.map(sealed) }
  const pay = client()
  const name = await pay.sealName('张远')
  expect(name.serial).toBe(fresh.serial.toUpperCase())
  await pay.call('POST', '/v3/anything', { user_name: name.text }, name.serial)
  expect(heads['wechatpay-serial']).toBe(fresh.serial.toUpperCase())
})

test('a list of certificates that makes no sense is the platform’s trouble, not ours', async () => {
  listed = { data: 'none' }
  await expect(client().sealName('张远')).rejects.toMatchObject({ reason: 'unreachable' })
})
