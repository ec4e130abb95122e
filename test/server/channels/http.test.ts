import { EventEmitter } from 'node:events'
import nodeHttp, { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ChannelError } from '../../../server/channels/errors.ts'
import {
  type CallTrace,
  callPlatform,
  fetchPlatformFile,
  type PlatformCall,
} from '../../../server/channels/http.ts'

/** A platform that answers as it is told, and what was traced of the call. */
async function platform(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const traced: CallTrace[] = []
  const http = {
    channel: 'wecom' as const,
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trace: (entry: CallTrace) => void traced.push(entry),
    codes: new Map([
      [40014, 'token' as const],
      [45009, 'throttled' as const],
    ]),
  }
  const call = (request: Partial<PlatformCall> = {}) =>
    callPlatform(http, {
      path: '/cgi-bin/message/send',
      query: { access_token: 'geheim' },
      body: { touser: 'zhangsan' },
      ...request,
    })
  return { call, traced, http, server }
}

const answering = (body: string, status = 200, headers = {}) =>
  platform((_request, response) => void response.writeHead(status, headers).end(body))

async function failure(work: Promise<unknown>): Promise<ChannelError> {
  const error = await work.then(
    () => null,
    reason => reason,
  )
  if (!(error instanceof ChannelError)) throw new Error(`no ChannelError: ${error}`)
  return error
}

describe('an answer', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['success', '{"errcode":0,"errmsg":"ok","msgid":"m1"}', { msgid: 'm1' }],
    ['success without a code', '{"access_token":"t"}', { access_token: 't' }],
    ['success with the code as text', '{"errcode":"0","msgid":"m1"}', { msgid: 'm1' }],
    [
      '64-bit ids',
      '{"errcode":0,"msgid":1700827132819554305,"list":[18446744073709551615]}',
      { msgid: '1700827132819554305', list: ['18446744073709551615'] },
    ],
    ['a negative 64-bit id', '{"errcode":0,"msgid":-1700827132819554305}', { msgid: '-1700827132819554305' }],
    ['the largest safe number', '{"errcode":0,"id":9007199254740991}', { id: 9007199254740991 }],
    [
      'a long number within a name',
      '{"errcode":0,"name":"电话: 1234567890123456789, 微信:1234567890123456"}',
      { name: '电话: 1234567890123456789, 微信:1234567890123456' },
    ],
    [
      'a quote and a long number within a name',
      '{"errcode":0,"name":"\\":1234567890123456789,"}',
      { name: '":1234567890123456789,' },
    ],
    ['a fraction', '{"errcode":0,"share":0.1234567890123456}', { share: 0.1234567890123456 }],
  ])('with %s', async (_name, body, expected) => {
    const { call } = await answering(body)
    expect(await call()).toMatchObject(expected)
  })

  test.each<[string, string, number, string, Partial<ChannelError>]>([
    [
      '40014 in a 200',
      '{"errcode":40014,"errmsg":"invalid access_token"}',
      200,
      'token',
      { platformCode: 40014, retryable: true, isUncertain: false },
    ],
    ['the code as text', '{"errcode":"40014"}', 200, 'token', { platformCode: 40014 }],
    ['a limit', '{"errcode":45009}', 200, 'throttled', { retryable: true }],
    [
      'a code without a meaning for us',
      '{"errcode":99999}',
      200,
      'rejected',
      { platformCode: 99999, retryable: false },
    ],
    ['a code in a 400', '{"errcode":40014}', 400, 'token', { platformCode: 40014 }],
    ['500', 'oops', 500, 'unreachable', { retryable: true, isUncertain: true }],
    ['502 with JSON', '{"errcode":0}', 502, 'unreachable', { isUncertain: true }],
    ['a page of HTML', '<html></html>', 200, 'unreachable', { isUncertain: true }],
    ['half of an answer', '{"errcode":0,', 200, 'unreachable', { isUncertain: true }],
    ['nothing', '', 200, 'unreachable', { isUncertain: true }],
    ['null', 'null', 200, 'unreachable', { isUncertain: true }],
    ['a list', '[]', 200, 'unreachable', { isUncertain: true }],
    ['a code that is no number', '{"errcode":"no"}', 200, 'unreachable', { isUncertain: true }],
    [
      '404 of a proxy, in JSON',
      '{"message":"not found"}',
      404,
      'unreachable',
      { retryable: true, isUncertain: false },
    ],
    ['403 of a proxy, in HTML', '<html></html>', 403, 'unreachable', { isUncertain: false }],
    ['429', '{}', 429, 'unreachable', { retryable: true, isUncertain: false }],
  ])('with %s is a failure', async (_name, body, status, reason, expected) => {
    const { call } = await answering(body, status)
    expect(await failure(call())).toMatchObject({ reason, ...expected })
  })

  test('that never comes is uncertain, unless the call may be repeated', async () => {
    const timeout = vi
      .spyOn(AbortSignal, 'timeout')
      .mockImplementation(() => AbortSignal.abort(new DOMException('', 'TimeoutError')))
    onTestFinished(() => timeout.mockRestore())
    const { call } = await answering('{}')
    expect(await failure(call())).toMatchObject({ reason: 'unreachable', isUncertain: true })
    expect(await failure(call({ isSafe: true }))).toMatchObject({ reason: 'unreachable', isUncertain: false })
    expect(timeout).toHaveBeenCalledWith(10_000)
  })

  test('that is endless is not read to its end', async () => {
    const { call, traced } = await platform((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        response.once('drain', more)
      }
      more()
    })
    expect(await failure(call())).toMatchObject({ reason: 'unreachable', isUncertain: true })
    expect(traced).toMatchObject([{ errcode: null, message: 'answer too large' }])
  })

  test.each([
    ['CERT_HAS_EXPIRED', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', false],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', false],
    ['ECONNRESET', true],
    ['EPIPE', true],
  ])('of a connection that ends with %s: may it have been carried out? %s', async (code, isUncertain) => {
    const broken = vi.spyOn(nodeHttp, 'request').mockImplementation(() => {
      const request = new EventEmitter() as ReturnType<typeof nodeHttp.request>
      request.end = () => {
        setImmediate(() => request.emit('error', Object.assign(new Error('no'), { code })))
        return request
      }
      return request
    })
    onTestFinished(() => broken.mockRestore())
    const { call } = await answering('{}')
    expect(await failure(call())).toMatchObject({ reason: 'unreachable', isUncertain })
  })

  test('that breaks off within is uncertain', async () => {
    const { call } = await platform((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"errcode":0')
      response.destroy()
    })
    expect(await failure(call())).toMatchObject({ reason: 'unreachable', isUncertain: true })
  })

  test('of nobody is certain: the message did not go out', async () => {
    const { call, server, traced } = await answering('{}')
    await new Promise(done => server.close(done))
    expect(await failure(call())).toMatchObject({
      reason: 'unreachable',
      isUncertain: false,
      retryable: true,
    })
    expect(traced).toMatchObject([{ errcode: null, message: 'no connection' }])
  })

  test('with a redirect is not followed: the token stays here', async () => {
    const asked: string[] = []
    const { call } = await platform((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await failure(call())).toMatchObject({ reason: 'unreachable' })
    expect(asked).toHaveLength(1)
  })
})

describe('a request', () => {
  test('is JSON as UTF-8, without escapes that WeCom refuses', async () => {
    let seen = ''
    const { call } = await platform(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      seen = `${request.method} ${request.headers['content-type']} ${Buffer.concat(chunks)}`
      response.end('{}')
    })
    await call({ body: { text: '你好👍' } })
    expect(seen).toBe('POST application/json; charset=utf-8 {"text":"你好👍"}')
  })

  test('without a body is a GET', async () => {
    let seen = ''
    const { call } = await platform((request, response) => {
      seen = `${request.method} ${request.url}`
      response.end('{}')
    })
    await call({ body: undefined, query: { corpid: 'a b&c' } })
    expect(seen).toBe('GET /cgi-bin/message/send?corpid=a+b%26c')
  })
})

describe('a file', () => {
  test('goes out as a form, with its name and length', async () => {
    let seen = ''
    const { call } = await platform(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      seen = `${request.headers['content-length']} ${Buffer.concat(chunks)}`
      response.end('{"media_id":"m"}')
    })
    const file = { field: 'media', fileName: '名单"\r\n.csv', bytes: Buffer.from('张三') }
    expect(await call({ body: undefined, file })).toMatchObject({ media_id: 'm' })
    const [, length = '', boundary = '', form = ''] = /^(\d+) --(\S+)\r\n([\s\S]*)$/.exec(seen) ?? []
    expect(form).toBe(
      'Content-Disposition: form-data; name="media"; filename="名单___.csv"; filelength=6\r\n' +
        `Content-Type: application/octet-stream\r\n\r\n张三\r\n--${boundary}--\r\n`,
    )
    expect(Number(length)).toBe(Buffer.byteLength(seen.slice(length.length + 1)))
  })

  test.each<[string, Record<string, string>, string, string]>([
    ['with a name', { 'content-disposition': 'attachment; filename="a.txt"' }, '{"a":1}', 'a.txt'],
    ['with an encoded name', { 'content-disposition': "attachment; filename*=utf-8''%E5%90%8D" }, 'x', '名'],
    ['without a name', { 'content-type': 'image/png' }, 'bytes', ''],
  ])('comes in %s', async (_name, headers, body, fileName) => {
    const { http, traced } = await answering(body, 200, { 'content-type': 'text/plain', ...headers })
    const file = await fetchPlatformFile(http, { path: '/cgi-bin/media/get' }, 100)
    expect([file.bytes.toString(), file.fileName]).toEqual([body, fileName])
    expect(traced).toMatchObject([{ errcode: 0 }])
  })

  test.each<[string, string, number, Record<string, string>, Partial<ChannelError>]>([
    ['refused', '{"errcode":40014}', 200, { 'content-type': 'application/json' }, { reason: 'token' }],
    [
      'empty of bytes',
      '{"errcode":0}',
      200,
      { 'content-type': 'application/json' },
      { reason: 'unreachable' },
    ],
    ['not there for a proxy', 'no', 404, {}, { reason: 'unreachable', isUncertain: false }],
    ['behind a failure', 'no', 500, {}, { reason: 'unreachable', isUncertain: false }],
    ['too large', 'x'.repeat(101), 200, { 'content-type': 'image/png' }, { reason: 'rejected' }],
  ])('that is %s is a failure', async (_name, body, status, headers, expected) => {
    const { http } = await answering(body, status, headers)
    expect(await failure(fetchPlatformFile(http, { path: '/cgi-bin/media/get' }, 100))).toMatchObject(
      expected,
    )
  })
})

describe('a busy platform (-1)', () => {
  const busyUntil = async (calls: number) => {
    let count = 0
    const all = await platform((_request, response) => {
      count += 1
      response.end(count < calls ? '{"errcode":-1}' : '{"errcode":0}')
    })
    return { ...all, count: () => count }
  }

  test('is asked again where that does no harm', async () => {
    const { call, count } = await busyUntil(3)
    await call({ isSafe: true })
    expect(count()).toBe(3)
  })

  test('is not asked again for a message', async () => {
    const { call, count } = await busyUntil(2)
    expect(await failure(call())).toMatchObject({ platformCode: -1, isUncertain: false })
    expect(count()).toBe(1)
  })
})

test('what is traced and thrown holds neither token nor address, nor who was written to', async () => {
  const { call, traced, http, server } = await answering(
    '{"errcode":40014,"errmsg":"invalid user zhangsan, hint: [169], from ip: 1.2.3.4, more info at https://open.work.weixin.qq.com/devtool/query?e=40014"}',
  )
  const errors = [await failure(call())]
  await new Promise(done => server.close(done))
  // the connection that is kept hears of its end
  await sleep(20)
  errors.push(await failure(call()))
  expect(traced.map(({ call: path, errcode, message }) => [path, errcode, message])).toEqual([
    ['/cgi-bin/message/send', 40014, null],
    ['/cgi-bin/message/send', null, 'no connection'],
  ])
  for (const error of errors) {
    const told = `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`
    for (const secret of ['geheim', 'zhangsan', '1.2.3.4', http.baseUrl]) expect(told).not.toContain(secret)
  }
})

test.each<[string, number, string, string | null]>([
  [
    'WeCom',
    60020,
    'not allow to access from your ip, hint: [169], from ip: 203.0.113.7, more info',
    '203.0.113.7',
  ],
  [
    'an Official Account',
    40164,
    'invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist',
    '203.0.113.7',
  ],
  ['an IPv6 address', 40164, 'invalid ip 2001:db8::7, not in whitelist', '2001:db8::7'],
  ['what is no address', 60020, 'from ip: 999.1.1.1', null],
  ['another refusal', 48002, 'api forbidden, from ip: 203.0.113.7', null],
])('the address that is refused is told, of %s', async (_name, errcode, errmsg, address) => {
  const { call } = await answering(JSON.stringify({ errcode, errmsg }))
  expect((await failure(call())).seenAddress).toBe(address)
})
