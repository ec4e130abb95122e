import { describe, expect, test } from 'vitest'
import { callbackKey, decryptMessage, signatureOf } from '../../../scripts/simulator/crypto.ts'
import { parseXml, textOf, toXml } from '../../../scripts/simulator/xml.ts'
import type { CallbackRequest } from '../../../server/channels/channel.ts'
import vectors from '../../fixtures/crypto-vectors.json' with { type: 'json' }
import { accountDoor, received } from './doors.ts'
import { accountSeal, encryptFor, envelope, NOW, SECONDS, verdict } from './envelopes.ts'

const nonce = '486452656'
const signed = (timestamp = SECONDS) => ({
  signature: signatureOf(accountSeal.token, timestamp, nonce),
  timestamp,
  nonce,
})
const fields = {
  ToUserName: 'gh_1',
  FromUserName: 'o-1',
  CreateTime: Number(SECONDS),
  MsgType: 'text',
  Content: '你好',
  MsgId: '23456789012345678',
}
const xml = toXml(fields)
const json = JSON.stringify(fields)

const plainly = (body: string, query: Record<string, string> = signed()): CallbackRequest => ({ query, body })

/** Encrypted, with other fields beside the ciphertext; what they say must never count. */
function sealed(body: string, beside: Record<string, string> = {}, ciphertext?: string): CallbackRequest {
  const Encrypt = ciphertext ?? encryptFor(accountSeal, body)
  const { query } = envelope(accountSeal, Encrypt, { nonce })
  const outer = { ...beside, Encrypt }
  return {
    query: { ...signed(), openid: 'o-1', encrypt_type: 'aes', ...query },
    body: body.startsWith('{') ? JSON.stringify(outer) : toXml(outer),
  }
}
const untrue = { ToUserName: 'gh_1', FromUserName: 'o-2', MsgType: 'text', Content: '假的' }

const plain = accountDoor('plain')
const compatible = accountDoor('compatible')
const secure = accountDoor('secure')
const doors = [
  ['plain', plain, plainly],
  ['compatible', compatible, (body: string) => sealed(body, untrue)],
  ['secure', secure, (body: string) => sealed(body, { ToUserName: 'gh_1' })],
] as const

describe.each(doors)('in %s mode', (_mode, door, wrap) => {
  const receive = (request: CallbackRequest) => door.receive(request, NOW)

  test.each([
    ['XML', xml],
    ['JSON', json],
    ['JSON behind a byte order mark', `\uFEFF\n${json}`],
  ])('%s is taken', (_format, body) => {
    expect(received(door, wrap(body))).toMatchObject({
      kind: 'text',
      text: '你好',
      address: 'o-1',
      dedupeKey: 'id:23456789012345678',
    })
  })

  test('the address is verified with the echo as it is', () => {
    const request = { query: { ...signed(), echostr: '3786112984234879 ' }, body: '' }
    expect(receive(request)).toEqual({ kind: 'verification', answer: '3786112984234879 ' })
  })

  const good = wrap(xml)
  const changed = (query: Record<string, string>) => ({ ...good, query: { ...good.query, ...query } })
  test.each<[string, CallbackRequest, string]>([
    ['without a timestamp', changed({ timestamp: '' }), 'malformed'],
    ['without a nonce', changed({ nonce: '' }), 'malformed'],
    ['without any query', { ...good, query: {} }, 'malformed'],
    ['with another nonce', changed({ nonce: '1' }), 'signature'],
    ['with another timestamp', changed({ timestamp: String(Number(SECONDS) + 1) }), 'signature'],
    ['that is stale', changed({ timestamp: String(Number(SECONDS) - 601) }), 'signature'],
    ['without a body', { ...good, body: '' }, 'malformed'],
    ['with text for a body', { ...good, body: 'hello' }, 'malformed'],
    ['with half of a body', { ...good, body: good.body.slice(0, -10) }, 'malformed'],
    ['with half of JSON', { ...good, body: '{"Encrypt":' }, 'malformed'],
    ['with a document type', { ...good, body: `<!DOCTYPE xml>${good.body}` }, 'malformed'],
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
  ])('a callback is refused %s', (_name, request, expected) => {
    expect(verdict(() => receive(request))).toBe(expected)
  })
})

test('the published signature of the plain mode verifies', () => {
  const vector = vectors.find(({ kind }) => kind === 'sig3')
  const { token = '', timestamp = '', nonce = '', signature = '' } = vector ?? {}
  expect(
    accountDoor('plain', { ...accountSeal, token }).receive(
      { query: { signature, timestamp, nonce, echostr: '1' }, body: '' },
      new Date(Number(timestamp) * 1000),
    ),
  ).toEqual({ kind: 'verification', answer: '1' })
})

test('plain mode refuses a body whose query is not signed', () => {
  const request = plainly(xml, { ...signed(), signature: '0'.repeat(40) })
  expect(verdict(() => plain.receive(request, NOW))).toBe('signature')
})

describe.each([
  ['compatible', compatible],
  ['secure', secure],
] as const)('%s mode refuses', (_mode, door) => {
  const encrypted = encryptFor(accountSeal, xml)
  const good = sealed(xml, untrue, encrypted)
  const withQuery = (query: Record<string, string>) => ({ ...good, query: { ...good.query, ...query } })
  const { msg_signature: _gone, ...withoutSignature } = good.query
  const flipped = Buffer.from(encrypted, 'base64')
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1

  test('nothing of a good one', () => {
    expect(received(door, good)).toMatchObject({ text: '你好', address: 'o-1' })
  })

  test.each<[string, CallbackRequest, string]>([
    [
      "the query's signature in place of the body's",
      withQuery({ msg_signature: signed().signature }),
      'signature',
    ],
    ["no signature of the body's", { ...good, query: withoutSignature }, 'malformed'],
    ['no ciphertext', { ...good, body: toXml(untrue) }, 'malformed'],
    ['two ciphertexts', { ...good, body: toXml({ Encrypt: [encrypted, encrypted] }) }, 'malformed'],
    [
      'what is meant for another account',
      sealed(xml, untrue, encryptFor({ ...accountSeal, receiveId: 'wx0' }, xml)),
      'signature',
    ],
    [
      'another ciphertext',
      { ...good, body: good.body.replace(encrypted, encryptFor(accountSeal, xml)) },
      'signature',
    ],
    [
      'a flipped last byte',
      { ...good, body: good.body.replace(encrypted, flipped.toString('base64')) },
      'signature',
    ],
    ['a flipped last byte that is signed', sealed(xml, untrue, flipped.toString('base64')), 'signature'],
  ])('%s', (_name, request, expected) => {
    expect(verdict(() => door.receive(request, NOW))).toBe(expected)
  })

  test.each([
    ['no XML', 'hello'],
    ['nothing', ''],
    ['half of JSON', '{"MsgType":'],
    ['a document type', `<!DOCTYPE xml>${xml}`],
  ])('not %s once it is signed and decrypts: that is kept', (_name, body) => {
    const request = sealed('<xml/>', untrue, encryptFor(accountSeal, body))
    expect(received(door, request)).toMatchObject({ kind: 'unknown', name: 'unreadable', body })
  })
})

test('compatible mode refuses an encrypted body whose query is not signed', () => {
  const good = sealed(xml, untrue)
  const request = { ...good, query: { ...good.query, signature: '0'.repeat(40) } }
  expect(verdict(() => compatible.receive(request, NOW))).toBe('signature')
})

describe.each([
  ['compatible', compatible],
  ['secure', secure],
] as const)('%s mode refuses a plain body, however its query is signed', (_mode, door) => {
  test.each([
    ['alone', plainly(xml)],
    ['in JSON', plainly(json)],
    ['that says it is encrypted', plainly(xml, { ...signed(), encrypt_type: 'aes' })],
    [
      'with a signature for it',
      plainly(xml, { ...signed(), msg_signature: signatureOf(accountSeal.token, SECONDS, nonce, xml) }),
    ],
    [
      'with an empty ciphertext',
      plainly(xml.replace('</xml>', '<Encrypt></Encrypt></xml>'), {
        ...signed(),
        msg_signature: signatureOf(accountSeal.token, SECONDS, nonce, ''),
      }),
    ],
  ])('%s', (_name, request) => {
    expect(verdict(() => door.receive(request, NOW))).toBe('malformed')
  })
})

describe('the answer', () => {
  const key = callbackKey(accountSeal.token, accountSeal.aesKey, accountSeal.receiveId)
  const update = received(plain, plainly(xml))
  const answer = { reply: '收到 ]]> "好"', isPending: false }
  const expected = {
    ToUserName: 'o-1',
    FromUserName: 'gh_1',
    CreateTime: SECONDS,
    MsgType: 'text',
    Content: '收到 ]]> "好"',
  }

  test.each(doors)('without a reply is “success” in %s mode', (_mode, door, wrap) => {
    expect(door.acknowledge(wrap(xml), update, { reply: null, isPending: true }, NOW)).toEqual({
      contentType: 'text/plain',
      body: 'success',
    })
  })

  test('is plain in plain mode, in the form of the callback', () => {
    const inXml = plain.acknowledge(plainly(xml), update, answer, NOW)
    expect([inXml.contentType, parseXml(inXml.body)]).toEqual(['application/xml', expected])
    const inJson = plain.acknowledge(plainly(json), update, answer, NOW)
    expect([inJson.contentType, JSON.parse(inJson.body)]).toEqual([
      'application/json',
      { ...expected, CreateTime: Number(SECONDS) },
    ])
  })

  test.each([
    ['compatible', compatible],
    ['secure', secure],
  ] as const)('to an encrypted callback is encrypted in %s mode, in its form', (_mode, door) => {
    const inXml = parseXml(door.acknowledge(sealed(xml), update, answer, NOW).body)
    const encrypted = textOf(inXml, 'Encrypt') ?? ''
    expect(parseXml(decryptMessage(key, encrypted))).toEqual(expected)
    expect(inXml.MsgSignature).toBe(
      signatureOf(accountSeal.token, SECONDS, textOf(inXml, 'Nonce') ?? '', encrypted),
    )

    const inJson = door.acknowledge(sealed(json), update, answer, NOW)
    const outer = JSON.parse(inJson.body)
    expect(inJson.contentType).toBe('application/json')
    expect(outer).toEqual({
      Encrypt: expect.any(String),
      MsgSignature: signatureOf(accountSeal.token, SECONDS, outer.Nonce, outer.Encrypt),
      TimeStamp: Number(SECONDS),
      Nonce: expect.stringMatching(/^\d+$/),
    })
    expect(JSON.parse(decryptMessage(key, outer.Encrypt))).toEqual({
      ...expected,
      CreateTime: Number(SECONDS),
    })
  })
})
