import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { accessTokens } from '../../../db/schema/index.ts'
import { callbackKey, encryptMessage, signatureOf } from '../../../scripts/simulator/crypto.ts'
import { cloneDatabase } from '../../support/database.ts'
import { bindFirst, bindThrough, fillMatrix } from '../../support/matrix.ts'
import { accountSettings, openStage, wecomSettings } from '../../support/stage.ts'
import { type Door, gate, openDoor, openDoorForTest, type Sent, saidIn } from './door.ts'

const echo: Parameters<typeof openDoor>[0]['handle'] = async (_rt, update) =>
  update.kind === 'text' ? `您说：${update.text}` : null

/** Until so many more callbacks have been stored or found to be stored. */
async function haveArrived(door: Door, count: number): Promise<void> {
  // the payload is sealed just before the statement that stores it
  const sealed = vi.spyOn(door.rt.vault, 'seal')
  await vi.waitFor(() => expect(sealed).toHaveBeenCalledTimes(count))
  sealed.mockRestore()
  await door.rows()
}

/** One server for all that is refused: nothing of it may be stored. */
describe.each(['secure', 'plain'] as const)(
  'the door, with the Official Account in %s mode, refuses',
  mode => {
    let door: Door
    beforeAll(async () => {
      door = await openDoor({ handle: echo, mode })
    })
    afterEach(async () => expect(await door.rows()).toEqual([]))
    afterAll(() => door.stop())

    const wecom = () => door.wecomText('你好')
    const account = () => door.accountText('你好')
    const query = (sent: Sent) => sent.query as Record<string, string>
    const changed = (sent: Sent, name: string, value: string): Sent => ({
      ...sent,
      query: { ...query(sent), [name]: value },
    })
    const without = (sent: Sent, name: string): Sent => {
      const { [name]: _gone, ...rest } = query(sent)
      return { ...sent, query: rest }
    }
    const repeated = (sent: Sent, name: string): Sent => ({
      ...sent,
      query: `${new URLSearchParams(query(sent))}&${name}=${query(sent)[name]}`,
    })
    const signature = mode === 'plain' ? 'signature' : 'msg_signature'
    const forOther = (sent: Sent, receiveId: string): Sent => {
      const key = callbackKey(wecomSettings.token, wecomSettings.aesKey, receiveId)
      const { timestamp = '', nonce = '' } = query(sent)
      const encrypted = encryptMessage(key, '<xml/>')
      return {
        ...changed(sent, 'msg_signature', signatureOf(wecomSettings.token, timestamp, nonce, encrypted)),
        body: `<xml><Encrypt>${encrypted}</Encrypt></xml>`,
      }
    }

    test.each<[string, number, () => Sent]>([
      ['a wrong signature of WeCom', 401, () => changed(wecom(), 'msg_signature', '0'.repeat(40))],
      ['a wrong signature of the account', 401, () => changed(account(), signature, '0'.repeat(40))],
      [
        'a signature in upper case',
        401,
        () => changed(wecom(), 'msg_signature', query(wecom()).msg_signature?.toUpperCase() ?? ''),
      ],
      ['a signature that is no signature', 401, () => changed(wecom(), 'msg_signature', 'x')],
      ['another nonce', 401, () => changed(wecom(), 'nonce', '1')],
      [
        'a nonce with broken escapes',
        401,
        () => ({
          ...wecom(),
          query: `${new URLSearchParams(without(wecom(), 'nonce').query)}&nonce=%E0%A4%A`,
        }),
      ],
      ['another receiver', 401, () => forOther(wecom(), 'ww0000000000000000')],
      ['a stale timestamp', 401, () => changed(wecom(), 'timestamp', '1409659813')],
      ['a timestamp to come', 401, () => changed(account(), 'timestamp', '4102444800')],
      ['no query', 400, () => ({ ...wecom(), query: {} })],
      ['no query, in the account', 400, () => ({ ...account(), query: {} })],
      ['no signature', 400, () => without(wecom(), 'msg_signature')],
      ['no signature in the account', 400, () => without(account(), signature)],
      ['an empty signature', 400, () => changed(wecom(), 'msg_signature', '')],
      ['no nonce', 400, () => without(wecom(), 'nonce')],
      ['a timestamp in words', 400, () => changed(account(), 'timestamp', 'now')],
      ['a repeated signature', 400, () => repeated(wecom(), 'msg_signature')],
      ['a repeated nonce', 400, () => repeated(account(), 'nonce')],
      [
        'a repeated parameter that nobody asked for',
        400,
        () => ({ ...wecom(), query: `${new URLSearchParams(query(wecom()))}&a=1&a=2` }),
      ],
      [
        'a repeated nonce behind a thousand other parameters',
        400,
        () => {
          const more = Array.from({ length: 1100 }, (_, place) => `a${place}=`).join('&')
          return { ...wecom(), query: `${new URLSearchParams(query(wecom()))}&${more}&nonce=1` }
        },
      ],
      ['no body', 400, () => ({ ...wecom(), body: '' })],
      ['no body in the account', 400, () => ({ ...account(), body: '' })],
      [
        'JSON',
        400,
        () => ({ ...wecom(), body: '{"encrypt":"x"}', headers: { 'content-type': 'application/json' } }),
      ],
      [
        'half of JSON in the account',
        400,
        () => ({ ...account(), body: '{"MsgType":', headers: { 'content-type': 'application/json' } }),
      ],
      ['half of a document', 400, () => ({ ...wecom(), body: '<xml><Encrypt>' })],
      ['an end tag too many', 400, () => ({ ...wecom(), body: '<xml><A></xml></xml>' })],
      ['an end tag too many in the account', 400, () => ({ ...account(), body: '<xml><A></xml></xml>' })],
      ['binary', 400, () => ({ ...wecom(), body: randomBytes(512) })],
      [
        'a packed body',
        400,
        () => ({ ...wecom(), body: gzipSync(String(wecom().body)), headers: { 'content-encoding': 'gzip' } }),
      ],
      ['a document type', 400, () => ({ ...wecom(), body: `<!DOCTYPE a [<!ENTITY b "c">]>${wecom().body}` })],
      [
        'elements nested 20 000 deep',
        400,
        () => ({ ...wecom(), body: `<xml>${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}</xml>` }),
      ],
      ['a quarter of a megabyte and a byte', 413, () => ({ ...wecom(), body: 'x'.repeat(256 * 1024 + 1) })],
      ['a megabyte', 413, () => ({ ...account(), body: 'x'.repeat(1024 * 1024) })],
      ['a verification by POST', 400, () => changed(account(), 'echostr', '1')],
      ['a message by GET', 400, () => ({ ...wecom(), method: 'GET' })],
      ['a GET without anything', 400, () => ({ path: '/webhooks/official-account', method: 'GET' })],
      ['PUT', 404, () => ({ ...wecom(), method: 'PUT' })],
      ['DELETE', 404, () => ({ ...wecom(), method: 'DELETE' })],
      ['OPTIONS', 404, () => ({ ...wecom(), method: 'OPTIONS' })],
      ['another path', 404, () => ({ ...wecom(), path: '/webhooks/dingtalk' })],
      ['a path below', 404, () => ({ ...wecom(), path: '/webhooks/wecom/x' })],
      ['a path that leads up', 404, () => ({ ...wecom(), path: '/webhooks/../../etc/passwd' })],
      ['a path with broken escapes', 400, () => ({ ...wecom(), path: '/webhooks/%E0%A4%A' })],
    ])('%s with %d', async (_name, status, make) => {
      const got = await door.send(make())
      expect(got.status).toBe(status)
      // what exactly was wrong stays with us
      expect(got.body).not.toMatch(/padding|receiver|length|block|timestamp|echostr|nonce is/i)
    })

    test('a body that is longer than it says, or shorter, and garbage instead of HTTP', async () => {
      const raw = (text: string) =>
        new Promise<string>(done => {
          let got = ''
          const socket = connect(Number(new URL(door.url).port), '127.0.0.1', () => socket.end(text))
          socket.on('data', chunk => {
            got += chunk
          })
          socket.on('close', () => done(got.split('\r\n')[0] ?? ''))
          socket.on('error', () => done(got))
        })
      const head = 'POST /webhooks/wecom HTTP/1.1\r\nhost: a\r\nconnection: close\r\n'
      expect(await raw('\u0000\u0001garbage\r\n\r\n')).toContain(' 400 ')
      expect(await raw(`${head}content-length: 3\r\n\r\nabcdef`)).toContain(' 400 ')
      expect(await raw(`${head}content-length: -1\r\n\r\n`)).toContain(' 400 ')
      expect(await raw(`${head}content-length: 100\r\n\r\nabc`)).not.toMatch(/ 5\d\d /)
      expect(await raw(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`)).toContain(' 400 ')
    })
  },
)

describe('the door takes', () => {
  test.each<[string, Sent['headers']]>([
    ['XML', { 'content-type': 'text/xml' }],
    ['XML of another name', { 'content-type': 'application/xml; charset=utf-8' }],
    ['what calls itself JSON', { 'content-type': 'application/json' }],
    ['what calls itself a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['what does not say what it is', { 'content-type': undefined }],
  ])('%s: the body counts', async (_name, headers) => {
    const door = await openDoorForTest({ handle: echo })
    const got = await door.send({ ...door.wecomText('你好'), headers })
    expect([got.status, saidIn(got)]).toEqual([200, '您说：你好'])
  })

  test('a message in both channels, in both modes', async () => {
    for (const mode of ['plain', 'secure'] as const) {
      const door = await openDoorForTest({ handle: echo, mode })
      const answers = [await door.send(door.wecomText('你好')), await door.send(door.accountText('你好'))]
      expect(answers.map(({ status, type }) => [status, type.split(';')[0]])).toEqual([
        [200, 'application/xml'],
        [200, 'application/xml'],
      ])
      expect(answers[1]?.body.includes('您说')).toBe(mode === 'plain')
      expect(await door.rows()).toMatchObject([
        { channel: 'wecom', kind: 'text', status: 'handled', attempts: 0 },
        { channel: 'official-account', kind: 'text', status: 'handled', attempts: 0 },
      ])
    }
  })

  test('a message about a document type', async () => {
    const door = await openDoorForTest({ handle: echo, mode: 'plain' })
    expect(saidIn(await door.send(door.accountText('<!DOCTYPE html>')))).toBe('您说：<!DOCTYPE html>')
    expect(saidIn(await door.send(door.wecomText('<!ENTITY a "b">')))).toBe('您说：<!ENTITY a "b">')
  })

  test('the verification of an address, and answers with the bare echo', async () => {
    const door = await openDoorForTest({ handle: echo })
    const timestamp = String(door.clock.now().getTime() / 1000)
    const { token, aesKey, corpId } = wecomSettings
    const echostr = encryptMessage(callbackKey(token, aesKey, corpId), '1616140317555161061')
    expect(
      await door.send({
        method: 'GET',
        path: '/webhooks/wecom',
        query: { msg_signature: signatureOf(token, timestamp, '7', echostr), timestamp, nonce: '7', echostr },
      }),
    ).toMatchObject({ status: 200, body: '1616140317555161061' })
    expect(
      await door.send({
        method: 'GET',
        path: '/webhooks/official-account',
        query: {
          signature: signatureOf(accountSettings.token, timestamp, '7'),
          timestamp,
          nonce: '7',
          echostr: '42',
        },
      }),
    ).toMatchObject({ status: 200, body: '42' })
    expect(await door.rows()).toEqual([])
  })

  test('ids of 64 bits that differ in the last digit as two messages', async () => {
    const door = await openDoorForTest({ handle: echo })
    for (const messageId of ['4561255354251345929', '4561255354251345930', '4561255354251345929'])
      await door.send(door.wecomText('你好', { messageId }))
    expect((await door.rows()).map(row => row.dedupeKey)).toEqual([
      'id:4561255354251345929',
      'id:4561255354251345930',
    ])
  })

  test('an id that no index could hold, without harm to those beside it', async () => {
    const door = await openDoorForTest({ handle: echo, mode: 'plain' })
    const odd = ['9'.repeat(9000), 'a\u0000b'].map(messageId => door.accountText('你好', { messageId }))
    const answers = await Promise.all([...odd, door.accountText('再见')].map(door.send))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await door.rows()).toHaveLength(3)
  })
})

describe('a repeated callback', () => {
  test('is stored once, handled once, and answered the same', async () => {
    const handle = vi.fn(echo)
    const door = await openDoorForTest({ handle })
    const sent = door.wecomText('你好')
    const answers = [await door.send(sent), await door.send(sent), await door.send(sent)]
    expect(answers.map(saidIn)).toEqual(Array(3).fill('您说：你好'))
    expect(handle).toHaveBeenCalledTimes(1)
    expect(await door.rows()).toHaveLength(1)
  })

  test('twenty times at once, too, while the first is still being handled', async () => {
    const { opened, open } = gate()
    const handle = vi.fn(async (...[rt, update, id]: Parameters<typeof echo>) => {
      await opened
      return echo(rt, update, id)
    })
    const door = await openDoorForTest({ handle })
    const sent = door.wecomText('你好')
    const answers = Array.from({ length: 20 }, () => door.send(sent))
    await haveArrived(door, 20)
    open()
    expect((await Promise.all(answers)).map(saidIn)).toEqual(Array(20).fill('您说：你好'))
    expect(handle).toHaveBeenCalledTimes(1)
    expect(await door.rows()).toHaveLength(1)
    expect(await door.messages()).toEqual([])
  })

  test('to another process waits for the answer of the first', async () => {
    const { opened, open } = gate()
    const handle = vi.fn(async (...[rt, update, id]: Parameters<typeof echo>) => {
      await opened
      return echo(rt, update, id)
    })
    const house = { databaseUrl: await cloneDatabase(), dataKey: randomBytes(32).toString('base64') }
    const here = await openDoorForTest({ handle, ...house })
    const there = await openDoorForTest({ handle, ...house })
    const sent = here.wecomText('你好')
    const first = here.send(sent)
    await vi.waitFor(() => expect(handle).toHaveBeenCalled())
    const second = there.send(sent)
    await haveArrived(there, 1)
    open()
    expect([saidIn(await first), saidIn(await second)]).toEqual(['您说：你好', '您说：你好'])
    expect(handle).toHaveBeenCalledTimes(1)
  })

  test('with another nonce and another ciphertext is the same message', async () => {
    const handle = vi.fn(echo)
    const door = await openDoorForTest({ handle })
    const xml = `<xml><ToUserName>${wecomSettings.corpId}</ToUserName><FromUserName>sys</FromUserName><CreateTime>1772676000</CreateTime><MsgType>event</MsgType><Event>change_external_chat</Event><ChatId>wr1</ChatId></xml>`
    await door.send(door.wecomText('', { xml }))
    await door.send(door.wecomText('', { xml }))
    await door.send(door.wecomText('', { xml: xml.replace('wr1', 'wr2') }))
    expect(handle).toHaveBeenCalledTimes(2)
    expect(await door.rows()).toHaveLength(2)
  })
})

describe('a slow handler', () => {
  test('is answered at the deadline with nothing, and later by a message, once', async () => {
    const { opened, open } = gate()
    const door = await openDoorForTest({
      deadlineMs: 100,
      async handle(rt, update, id) {
        await opened
        return echo(rt, update, id)
      },
    })
    const sent = door.wecomText('你好')
    expect(await door.send(sent)).toMatchObject({ status: 200, body: '' })
    expect(await door.rows()).toMatchObject([{ status: 'received' }])
    open()
    await vi.waitFor(async () => expect(await door.rows()).toMatchObject([{ status: 'handled' }]))
    expect(await door.messages()).toEqual(['您说：你好'])
    // the platform never saw our acknowledgement and asks again: what has been said is not said twice
    expect(saidIn(await door.send(sent))).toBe('')
    expect(await door.messages()).toEqual(['您说：你好'])
  })

  test('does not keep anybody else waiting', async () => {
    const { opened, open } = gate()
    const door = await openDoorForTest({
      // time enough for the quick one, however busy the machine is
      deadlineMs: 1500,
      async handle(rt, update, id) {
        if (update.kind === 'text' && update.text === '慢') await opened
        return echo(rt, update, id)
      },
    })
    const slow = door.send(door.wecomText('慢'))
    const xml = `<xml><ToUserName>${wecomSettings.corpId}</ToUserName><FromUserName>lisi</FromUserName>
<CreateTime>1</CreateTime><MsgType>text</MsgType><Content>快</Content><MsgId>2</MsgId></xml>`
    expect(saidIn(await door.send(door.wecomText('', { xml })))).toBe('您说：快')
    expect(saidIn(await slow)).toBe('')
    open()
    await vi.waitFor(async () =>
      expect((await door.rows()).map(row => row.status)).toEqual(['handled', 'handled']),
    )
    expect(await door.messages()).toEqual(['您说：慢'])
  })
})

test('nothing of a mutated callback gets in, and nothing of it breaks us', async () => {
  const door = await openDoorForTest({ handle: echo })
  const cut = (text: string, at: number, length: number, put: string) => {
    const start = at % (text.length + 1)
    return text.slice(0, start) + put + text.slice(start + length)
  }
  const mutation = fc.record({
    which: fc.constantFrom('wecom', 'account'),
    where: fc.constantFrom('body', 'query', 'both'),
    at: fc.nat(),
    length: fc.integer({ min: 0, max: 40 }),
    put: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '<',
        '>',
        ']]>',
        '<![CDATA[',
        '&',
        '=',
        '%',
        '&nonce=1',
        '<xml>',
        '</xml>',
        '<!DOCTYPE a>',
        '<Encrypt>',
        '</Encrypt>',
        '\u0000',
      ),
    ),
  })
  const inner = /<Encrypt>\s*<!\[CDATA\[\s*([^\]]*?)\s*\]\]>\s*<\/Encrypt>/
  let tries = 0
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(mutation, async ({ which, where, at, length, put }) => {
      const id = { messageId: `${++tries}` }
      const sent = which === 'wecom' ? door.wecomText('你好', id) : door.accountText('你好', id)
      const query = String(new URLSearchParams(sent.query as Record<string, string>))
      const tried = {
        ...sent,
        body: where === 'query' ? sent.body : cut(String(sent.body), at, length, put),
        query:
          where === 'body'
            ? query
            : cut(query, at, length, encodeURI(put.toWellFormed()).replaceAll('%00', '')),
      }
      const { status } = await door.send(tried)
      expect([200, 400, 401]).toContain(status)
      // what is let in is signed: the ciphertext, the time and the nonce are those of the platform
      if (status === 200) {
        accepted++
        const kept = new URLSearchParams(tried.query)
        const encrypted = inner.exec(String(tried.body))?.[1] ?? ''
        const { token } = which === 'wecom' ? wecomSettings : accountSettings
        expect(kept.get('msg_signature')).toBe(
          signatureOf(token, kept.get('timestamp') ?? '', kept.get('nonce') ?? '', encrypted),
        )
      }
    }),
    { numRuns: 600 },
  )
  expect(door.logLines.filter(line => line.includes('"level":50'))).toEqual([])
  expect((await door.rows()).map(row => row.status)).toEqual(Array(accepted).fill('handled'))
})

describe('the log', () => {
  test('says what happened and nothing of whom', async () => {
    const door = await openDoorForTest({ handle: echo, mode: 'plain' })
    const good = door.wecomText('我叫张思雨，手机 13800000006')
    await door.send(good)
    await door.send({ ...good, body: 'x' })
    await door.send({
      ...good,
      query: `${new URLSearchParams(good.query as never)}&13800000006=1&13800000006=2`,
    })
    await door.send({ path: '/pages/13800000006-geheim', method: 'GET' })
    await door.send({ path: '/13800000006', query: { name: '张思雨' }, method: 'GET' })
    await door.send(door.accountText('我叫张思雨，手机 13800000006'))
    await door.send({ ...door.accountText('张思雨'), body: '<xml><张思雨></xml>' })
    const { msg_signature = '', nonce = '' } = good.query as Record<string, string>
    const log = door.logLines.join('')
    expect(log).toContain('"route":"/webhooks/wecom"')
    expect(log).toContain('"status":400')
    for (const secret of [
      '张思雨',
      '13800000006',
      'zhangsan',
      'geheim',
      msg_signature,
      `nonce=${nonce}`,
      '?',
      wecomSettings.token,
      wecomSettings.aesKey,
      wecomSettings.secret,
      accountSettings.token,
      accountSettings.secret,
      door.rt.config.dataKey,
    ])
      expect(log).not.toContain(secret)
  })
})

test('the log of a whole morning with the real bot names nobody', async () => {
  const stage = await openStage()
  onTestFinished(() => stage.close())
  await fillMatrix(stage)
  const { sim, say } = stage
  const county = sim.addPerson({ name: '林县书', wecomUserId: 'lin-wecom' })
  const wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
  const stranger = sim.addPerson({ name: '张思雨', openId: 'o-zhang' })
  await bindFirst(stage, county, 'qingnong', '610802')
  await bindThrough(stage, county, wang)
  const group = sim.createGroup({ kind: 'internal', name: '青农榆阳', ownerId: county.id })
  const webhook = sim.addRobot(group.id)
  await say(county.id, '建群 县级青农群 机器人群 38人 青农榆阳')
  await say(county.id, webhook)
  await sim.follow(stranger.id)
  await say(stranger.id, '绑定 00000000')
  await say(stranger.id, '我叫张思雨，手机 13800000006，身份证 61080220010307312X')
  await sim.unfollow(stranger.id)
  await stage.settle()
  const log = stage.logLines.join('')
  expect(log.length).toBeGreaterThan(1000)
  const tokens = await stage.rt.db.select().from(accessTokens)
  for (const secret of [
    ...['林县书', '王镇川', '张思雨', '13800000006', '61080220010307312X', '00000000', '青农榆阳'],
    ...['lin-wecom', 'o-wang', 'o-zhang', webhook, new URL(webhook).searchParams.get('key') ?? webhook, '?'],
    ...Object.values(wecomSettings).map(String),
    ...Object.values(accountSettings),
    ...tokens.map(({ tokenSealed }) => stage.rt.vault.open(tokenSealed)),
  ])
    expect(log).not.toContain(secret)
})

describe('whatever happens to the connection', () => {
  test('a callback whose sender has hung up is answered when it comes again', async () => {
    const { opened, open } = gate()
    const handle = vi.fn(async (...[rt, update, id]: Parameters<typeof echo>) => {
      await opened
      return echo(rt, update, id)
    })
    const door = await openDoorForTest({ handle })
    const sent = door.wecomText('你好')
    const { port } = new URL(door.url)
    const socket = connect(Number(port), '127.0.0.1')
    const body = String(sent.body)
    socket.write(
      `POST ${sent.path}?${new URLSearchParams(sent.query as never)} HTTP/1.1\r\nhost: a\r\ncontent-type: text/xml\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await vi.waitFor(() => expect(handle).toHaveBeenCalled())
    socket.destroy()
    const again = door.send(sent)
    await haveArrived(door, 1)
    open()
    expect(saidIn(await again)).toBe('您说：你好')
    expect(handle).toHaveBeenCalledTimes(1)
  })

  test('a stop lets the answer under way go out', async () => {
    const { opened, open } = gate()
    const handle = vi.fn(async (...[rt, update, id]: Parameters<typeof echo>) => {
      await opened
      return echo(rt, update, id)
    })
    const door = await openDoor({ handle })
    const answer = door.send(door.wecomText('你好'))
    await vi.waitFor(() => expect(handle).toHaveBeenCalled())
    const stopped = door.stop()
    open()
    expect(saidIn(await answer)).toBe('您说：你好')
    await stopped
  })

  test('what cannot be stored is not acknowledged, and taken when it comes again', async () => {
    const door = await openDoorForTest({ handle: echo })
    const sent = door.wecomText('张思雨 13800000006')
    await door.rt.db.execute('alter table updates rename to updates_away')
    expect(await door.send(sent)).toMatchObject({
      status: 500,
      body: '{"code":"server.error","message":"服务器出错，请稍后再试"}',
    })
    await door.rt.db.execute('alter table updates_away rename to updates')
    expect(saidIn(await door.send(sent))).toBe('您说：张思雨 13800000006')
    expect(door.logLines.join('')).toContain('42P01')
    expect(door.logLines.join('')).not.toMatch(/13800000006|张思雨|zhangsan/)
  })
})

describe('/healthz', () => {
  test('says that the database answers', async () => {
    const door = await openDoorForTest({ handle: echo })
    expect(await door.send({ method: 'GET', path: '/healthz' })).toMatchObject({
      status: 200,
      body: '{"status":"ok","database":true}',
    })
  })
})
