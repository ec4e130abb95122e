import { describe, expect, test } from 'vitest'
import { callbackKey, decryptMessage, signatureOf } from '../../../scripts/simulator/crypto.ts'
import { parseXml, textOf } from '../../../scripts/simulator/xml.ts'
import type { CallbackRequest } from '../../../server/channels/channel.ts'
import { createOfficialAccountChannel } from '../../../server/channels/official-account/index.ts'
import { readOfficialAccountUpdate } from '../../../server/channels/official-account/receive.ts'
import vectors from '../../fixtures/crypto-vectors.json' with { type: 'json' }
import { accountSeal, encryptFor, envelope, NOW, SECONDS, textXml, verdict } from './envelopes.ts'

function channelOf(mode: 'plain' | 'secure', token = accountSeal.token) {
  return createOfficialAccountChannel(
    {
      baseUrl: '',
      appId: accountSeal.receiveId,
      secret: 's',
      token,
      aesKey: mode === 'plain' ? null : accountSeal.aesKey,
      mode,
      kind: 'service',
      noticeTemplate: null,
    },
    {
      now: () => NOW,
      tokens: { tokenFor: () => Promise.reject(new Error('no calls here')) },
      trace: () => {},
      freshnessSeconds: 600,
    },
  )
}

const secure = channelOf('secure')
const plain = channelOf('plain')
const nonce = '486452656'
const signed = (timestamp = SECONDS) => ({
  signature: signatureOf(accountSeal.token, timestamp, nonce),
  timestamp,
  nonce,
})
const plainly = (body: string, query: Record<string, string> = signed()): CallbackRequest => ({ query, body })
const securely = (body: string): CallbackRequest => {
  const { query, body: outer } = envelope(accountSeal, encryptFor(accountSeal, body), { nonce })
  return { query: { ...signed(), openid: 'o-1', encrypt_type: 'aes', ...query }, body: outer }
}

function xmlOf(own: string): string {
  return (
    '<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o-1]]></FromUserName>' +
    `<CreateTime>${SECONDS}</CreateTime>${own}</xml>`
  )
}
const message = (type: string, own: string) =>
  xmlOf(`<MsgType><![CDATA[${type}]]></MsgType>${own}<MsgId>23456789012345678</MsgId>`)
const event = (name: string, own = '') =>
  xmlOf(`<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[${name}]]></Event>${own}`)

describe.each([
  ['plain', plain, plainly],
  ['secure', secure, securely],
] as const)('in %s mode', (_mode, channel, wrap) => {
  function received(xml: string) {
    const reception = channel.receive(wrap(xml), NOW)
    if (reception.kind !== 'update') throw new Error('no update')
    return reception.update
  }

  test.each([
    ['text', '<Content><![CDATA[你好]]></Content>', { kind: 'text', text: '你好' }],
    ['text', '<Content><![CDATA[<!DOCTYPE html>]]></Content>', { kind: 'text', text: '<!DOCTYPE html>' }],
    [
      'image',
      '<PicUrl>u</PicUrl><MediaId>m1</MediaId>',
      { kind: 'media', mediaType: 'image', mediaId: 'm1', text: '' },
    ],
    [
      'voice',
      '<MediaId>m2</MediaId><Format>amr</Format>',
      { kind: 'media', mediaType: 'voice', mediaId: 'm2', text: '' },
    ],
    [
      'voice',
      '<MediaId>m2</MediaId><Recognition><![CDATA[帮助]]></Recognition>',
      { kind: 'media', mediaType: 'voice', mediaId: 'm2', text: '帮助' },
    ],
    ['video', '<MediaId>m3</MediaId>', { kind: 'media', mediaType: 'video', mediaId: 'm3', text: '' }],
    [
      'shortvideo',
      '<MediaId>m4</MediaId>',
      { kind: 'media', mediaType: 'shortvideo', mediaId: 'm4', text: '' },
    ],
    [
      'location',
      '<Location_X>38.2</Location_X><Label>榆阳区</Label>',
      { kind: 'media', mediaType: 'location', mediaId: null, text: '榆阳区' },
    ],
    [
      'link',
      '<Title>标题</Title><Description>说明</Description>',
      { kind: 'media', mediaType: 'link', mediaId: null, text: '标题\n说明' },
    ],
    ['mpnews', '', { kind: 'unknown', name: 'mpnews' }],
  ])('a message of type %s', (type, own, expected) => {
    expect(received(message(type, own))).toEqual({
      channel: 'official-account',
      dedupeKey: 'id:23456789012345678',
      address: 'o-1',
      recipient: 'gh_1',
      at: NOW,
      ...expected,
    })
  })

  test.each([
    ['subscribe', '', { kind: 'followed', scene: null }],
    ['subscribe', '<EventKey></EventKey>', { kind: 'followed', scene: null }],
    ['subscribe', '<EventKey>qrscene_g12</EventKey><Ticket>t</Ticket>', { kind: 'followed', scene: 'g12' }],
    ['SCAN', '<EventKey>g12</EventKey><Ticket>t</Ticket>', { kind: 'followed', scene: 'g12' }],
    ['SCAN', '', { kind: 'followed', scene: null }],
    ['unsubscribe', '', { kind: 'unfollowed' }],
    ['CLICK', '<EventKey>帮助</EventKey>', { kind: 'tapped', key: '帮助', responseCode: null }],
    ['VIEW', '<EventKey>https://example.cn</EventKey>', { kind: 'unknown', name: 'event:VIEW' }],
    [
      'TEMPLATESENDJOBFINISH',
      '<MsgID>200163836</MsgID><Status>failed: system failed</Status>',
      { kind: 'unknown', name: 'event:TEMPLATESENDJOBFINISH' },
    ],
  ])('an event %s', (name, own, expected) => {
    expect(received(event(name, own))).toMatchObject({ address: 'o-1', at: NOW, ...expected })
    expect(received(event(name, own)).dedupeKey).toMatch(/^hash:/)
  })

  test('verifies the address with the echo as it is', () => {
    const request = { query: { ...signed(), echostr: '3786112984234879 ' }, body: '' }
    expect(channel.receive(request, NOW)).toEqual({ kind: 'verification', answer: '3786112984234879 ' })
  })

  const good = wrap(message('text', '<Content>a</Content>'))
  test.each<[string, CallbackRequest, string]>([
    ['without a timestamp', { ...good, query: { ...good.query, timestamp: '' } }, 'malformed'],
    ['without a nonce', { ...good, query: { ...good.query, nonce: '' } }, 'malformed'],
    ['without any query', { ...good, query: {} }, 'malformed'],
    ['with another nonce', { ...good, query: { ...good.query, nonce: '1' } }, 'signature'],
    [
      'with another timestamp',
      { ...good, query: { ...good.query, timestamp: String(Number(SECONDS) + 1) } },
      'signature',
    ],
    ['without a body', wrap(''), 'malformed'],
    ['with JSON', wrap(JSON.stringify({ MsgType: 'text', CreateTime: '1620973045' })), 'malformed'],
    ['with a document type', wrap(`<!DOCTYPE xml>${message('text', '')}`), 'malformed'],
    [
      'without a sender',
      wrap('<xml><ToUserName>gh_1</ToUserName><CreateTime>1</CreateTime><MsgType>text</MsgType></xml>'),
      'malformed',
    ],
    ['with a time in words', wrap(message('text', '').replace(SECONDS, 'yesterday')), 'malformed'],
    [
      'as an echo with a wrong signature',
      { query: { ...signed(), signature: '0'.repeat(40), echostr: '1' }, body: '' },
      'signature',
    ],
    [
      'as an echo without a signature',
      { query: { timestamp: SECONDS, nonce, echostr: '1' }, body: '' },
      'malformed',
    ],
    [
      'as a stale echo',
      { query: { ...signed(String(Number(SECONDS) - 601)), echostr: '1' }, body: '' },
      'signature',
    ],
  ])('is refused %s', (_name, request, expected) => {
    expect(verdict(() => channel.receive(request, NOW))).toBe(expected)
  })
})

test('the published signature of the plain mode verifies', () => {
  const vector = vectors.find(({ kind }) => kind === 'sig3')
  const { token = '', timestamp = '', nonce = '', signature = '' } = vector ?? {}
  expect(
    channelOf('plain', token).receive(
      { query: { signature, timestamp, nonce, echostr: '1' }, body: '' },
      new Date(Number(timestamp) * 1000),
    ),
  ).toEqual({ kind: 'verification', answer: '1' })
})

test('plain mode refuses a body whose query is not signed', () => {
  expect(
    verdict(() =>
      plain.receive(plainly(message('text', ''), { ...signed(), signature: '0'.repeat(40) }), NOW),
    ),
  ).toBe('signature')
})

describe('secure mode refuses', () => {
  const xml = textXml(accountSeal, 'a')
  const encrypted = encryptFor(accountSeal, xml)
  const { query, body } = envelope(accountSeal, encrypted, { nonce })
  test.each<[string, CallbackRequest, string]>([
    ['a plain body, however its query is signed', plainly(xml), 'malformed'],
    ['a body signed by the query only', { query: signed(), body }, 'malformed'],
    [
      "the query's signature in place of the body's",
      { query: { ...query, msg_signature: signed().signature }, body },
      'signature',
    ],
    [
      'what is meant for another account',
      envelope(accountSeal, encryptFor({ ...accountSeal, receiveId: 'wx0' }, xml)),
      'signature',
    ],
    [
      'another ciphertext',
      { query, body: body.replace(encrypted, encryptFor(accountSeal, xml)) },
      'signature',
    ],
  ])('%s', (_name, request, expected) => {
    expect(verdict(() => secure.receive(request, NOW))).toBe(expected)
  })
})

describe('the answer', () => {
  const update = readOfficialAccountUpdate(
    { ToUserName: 'gh_1', FromUserName: 'o-1', CreateTime: SECONDS, MsgType: 'text', Content: 'a' },
    '',
  )
  test.each([
    ['plain', plain],
    ['secure', secure],
  ])('without a reply is “success” in %s mode', (_mode, channel) => {
    expect(channel.acknowledge(update, null, NOW)).toEqual({ contentType: 'text/plain', body: 'success' })
  })

  const expected = {
    ToUserName: 'o-1',
    FromUserName: 'gh_1',
    CreateTime: SECONDS,
    MsgType: 'text',
    Content: '收到',
  }
  test('with a reply is XML in plain mode', () => {
    const { contentType, body } = plain.acknowledge(update, '收到', NOW)
    expect([contentType, parseXml(body)]).toEqual(['application/xml', expected])
  })

  test('with a reply is encrypted in secure mode', () => {
    const key = callbackKey(accountSeal.token, accountSeal.aesKey, accountSeal.receiveId)
    const { body } = secure.acknowledge(update, '收到', NOW)
    expect(parseXml(decryptMessage(key, textOf(parseXml(body), 'Encrypt') ?? ''))).toEqual(expected)
  })
})
