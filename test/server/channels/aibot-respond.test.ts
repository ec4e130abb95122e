import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isResponseUrl, respondOnce } from '../../../server/channels/aibot/respond.ts'
import { ChannelError } from '../../../server/channels/errors.ts'
import type { CallTrace } from '../../../server/channels/http.ts'

const seen: { url: string; body: unknown }[] = []
const traced: CallTrace[] = []
let answer = { errcode: 0, errmsg: 'ok' }
const platform = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  seen.push({ url: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) })
  response.end(JSON.stringify(answer))
})
let baseUrl = ''

beforeAll(async () => {
  await once(platform.listen(0, '127.0.0.1'), 'listening')
  baseUrl = `http://127.0.0.1:${(platform.address() as AddressInfo).port}`
})
afterAll(() => platform.close())
beforeEach(() => {
  seen.length = 0
  traced.length = 0
  answer = { errcode: 0, errmsg: 'ok' }
})

const respond = (url: string) =>
  respondOnce({ baseUrl, trace: entry => void traced.push(entry) }, url, '**好**').then(
    () => 'sent',
    (error: unknown) => (error instanceof ChannelError ? error.reason : String(error)),
  )

test('an answer goes to the address of the message, and its code to no log', async () => {
  expect(await respond(`${baseUrl}/cgi-bin/aibot/response?response_code=a%2Bb`)).toBe('sent')
  expect(seen).toEqual([
    {
      url: '/cgi-bin/aibot/response?response_code=a%2Bb',
      body: { msgtype: 'markdown', markdown: { content: '**好**' } },
    },
  ])
  expect(traced).toMatchObject([{ channel: 'aibot', call: '/cgi-bin/aibot/response', errcode: 0 }])
})

test('an address that has been used is closed', async () => {
  answer = { errcode: 60140, errmsg: 'invalid response_code' }
  expect(await respond(`${baseUrl}/cgi-bin/aibot/response?response_code=a`)).toBe('window_closed')
})

test.each([
  'https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=a',
  'https://open.work.weixin.qq.com/cgi-bin/aibot/response?response_code=a',
  'https://a.b.work.weixin.qq.com/cgi-bin/aibot/response?response_code=a',
  'https://proxy.example.cn/cgi-bin/aibot/response?response_code=a',
])('%s may be answered to', url => {
  expect(isResponseUrl(url, 'https://proxy.example.cn/wecom')).toBe(true)
})

describe('nothing is ever sent', () => {
  const path = '/cgi-bin/aibot/response?response_code=a'
  test.each([
    ['to no address', () => ''],
    ['to a path', () => path],
    ['to another host', () => `https://example.cn${path}`],
    ['to a host that ends alike', () => `https://evilwork.weixin.qq.com${path}`],
    ['to a host that begins alike', () => `https://qyapi.weixin.qq.com.example.cn${path}`],
    ['to the platform without TLS', () => `http://qyapi.weixin.qq.com${path}`],
    ['to another port of the platform', () => `https://qyapi.weixin.qq.com:8443${path}`],
    ['with a name and a password', () => `https://a:b@qyapi.weixin.qq.com${path}`],
    ['to a host behind an at sign', () => `https://qyapi.weixin.qq.com@example.cn${path}`],
    ['to another path', () => `${baseUrl}/cgi-bin/gettoken?response_code=a`],
    ['to a file', () => 'file:///cgi-bin/aibot/response'],
    ['to another port of the configured host', () => `http://127.0.0.1:1${path}`],
    ['to the configured host by another name', () => `${baseUrl.replace('127.0.0.1', 'localhost')}${path}`],
  ])('%s', async (_name, url) => {
    expect(await respond(url())).toBe('malformed')
    expect([seen, traced]).toEqual([[], []])
  })
})
