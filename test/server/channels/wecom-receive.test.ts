import { describe, expect, test } from 'vitest'
import { callbackKey, decryptMessage, signatureOf } from '../../../scripts/simulator/crypto.ts'
import { parseXml, textOf } from '../../../scripts/simulator/xml.ts'
import type { CallbackRequest } from '../../../server/channels/channel.ts'
import vectors from '../../fixtures/crypto-vectors.json' with { type: 'json' }
import { received, wecomDoor } from './doors.ts'
import { encryptFor, envelope, NOW, SECONDS, textXml, verdict, wecomSeal } from './envelopes.ts'

const door = wecomDoor()
const receive = (request: CallbackRequest) => door.receive(request, NOW)

describe('the published callbacks go all the way', () => {
  test.each(vectors.filter(({ id }) => ['wecom-post-official', 'wecom-post-goworkwx'].includes(id)))(
    '$id',
    vector => {
      const {
        token = '',
        key = '',
        receiveid = '',
        timestamp = '',
        nonce = '',
        signature = '',
        body = '',
      } = vector
      const reception = wecomDoor({ token, aesKey: key, receiveId: receiveid }).receive(
        { query: { msg_signature: signature, timestamp, nonce }, body },
        new Date(Number(timestamp) * 1000),
      )
      expect(reception).toMatchObject({ kind: 'update', update: { kind: 'text', recipient: receiveid } })
    },
  )

  test('the official hello, to the last digit of its id', () => {
    const vector = vectors.find(({ id }) => id === 'wecom-post-official')
    const {
      token = '',
      key = '',
      receiveid = '',
      timestamp = '',
      nonce = '',
      signature = '',
      body = '',
    } = vector ?? {}
    expect(
      wecomDoor({ token, aesKey: key, receiveId: receiveid }).receive(
        { query: { msg_signature: signature, timestamp, nonce }, body },
        new Date('2014-09-02T12:10:13Z'),
      ),
    ).toMatchObject({
      update: {
        channel: 'wecom',
        kind: 'text',
        text: 'hello',
        address: 'mycreate',
        dedupeKey: 'id:4561255354251345929',
        at: new Date('2014-09-02T12:10:13Z'),
      },
    })
  })

  test.each(vectors.filter(({ id, kind }) => kind === 'get' && id.startsWith('wecom')))('$id', vector => {
    const {
      token = '',
      key = '',
      receiveid = '',
      timestamp = '',
      nonce = '',
      signature = '',
      encrypt = '',
    } = vector
    expect(
      wecomDoor({ token, aesKey: key, receiveId: receiveid }).receive(
        { query: { msg_signature: signature, timestamp, nonce, echostr: encrypt }, body: '' },
        new Date(Number(timestamp) * 1000),
      ),
    ).toEqual({ kind: 'verification', answer: vector.message })
  })
})

describe('a callback is refused', () => {
  const xml = textXml(wecomSeal, '你好')
  const encrypted = encryptFor(wecomSeal, xml)
  const good = envelope(wecomSeal, encrypted)
  const without = (name: string): CallbackRequest => {
    const { [name]: _gone, ...query } = good.query
    return { ...good, query }
  }
  const at = (offset: number) =>
    envelope(wecomSeal, encrypted, { timestamp: String(Number(SECONDS) + offset) })
  const echo = (plain: string, extra: Record<string, string> = {}) => {
    const ciphertext = encryptFor(wecomSeal, plain)
    return { query: { ...envelope(wecomSeal, ciphertext).query, echostr: ciphertext, ...extra }, body: '' }
  }

  test('never when it is right', () => {
    expect(verdict(() => receive(good))).toBe('taken')
    expect(verdict(() => receive(echo('1616140317555161061')))).toBe('taken')
    expect(verdict(() => receive(echo('-42')))).toBe('taken')
  })

  test.each<[string, CallbackRequest, string]>([
    ['without a signature', without('msg_signature'), 'malformed'],
    ['without a timestamp', without('timestamp'), 'malformed'],
    ['without a nonce', without('nonce'), 'malformed'],
    ['without any query', { ...good, query: {} }, 'malformed'],
    [
      'with the signature of the query only',
      {
        ...good,
        query: { ...good.query, signature: good.query.msg_signature ?? '', msg_signature: '0'.repeat(40) },
      },
      'signature',
    ],
    ['with another nonce', { ...good, query: { ...good.query, nonce: '1' } }, 'signature'],
    [
      'with another timestamp',
      { ...good, query: { ...good.query, timestamp: String(Number(SECONDS) + 1) } },
      'signature',
    ],
    ['ten minutes and a second late', at(-601), 'signature'],
    ['ten minutes and a second early', at(601), 'signature'],
    [
      'with the body of another callback',
      { ...good, body: envelope(wecomSeal, encryptFor(wecomSeal, xml)).body },
      'signature',
    ],
    ['signed with another token', envelope({ ...wecomSeal, token: 'other' }, encrypted), 'signature'],
    [
      'encrypted for another company',
      envelope(wecomSeal, encryptFor({ ...wecomSeal, receiveId: 'ww0' }, xml)),
      'signature',
    ],
    ['with a ciphertext that is not base64', envelope(wecomSeal, '###'), 'malformed'],
    ['with a short ciphertext', envelope(wecomSeal, 'AAAA'), 'signature'],
    ['with an empty ciphertext', envelope(wecomSeal, ''), 'malformed'],
    ['without a body', { ...good, body: '' }, 'malformed'],
    ['with JSON', { ...good, body: JSON.stringify({ encrypt: encrypted }) }, 'malformed'],
    ['with a plain message', { ...good, body: xml }, 'malformed'],
    [
      'with two ciphertexts',
      { ...good, body: good.body.replace('</xml>', `<Encrypt>${encrypted}</Encrypt></xml>`) },
      'malformed',
    ],
    [
      'with a NUL in the ciphertext',
      { ...good, body: good.body.replace(encrypted, `\0${encrypted}`) },
      'signature',
    ],
    ['with a document type', { ...good, body: `<!DOCTYPE xml>${good.body}` }, 'malformed'],
    ['as an echo that is signed wrongly', echo('1', { msg_signature: '0'.repeat(40) }), 'signature'],
    ['as an empty echo', echo('1', { echostr: '' }), 'signature'],
    [
      "as an echo that is somebody's message",
      { query: { ...good.query, echostr: encrypted }, body: '' },
      'malformed',
    ],
    ['as an echo that is JSON of a robot with the same key', echo('{"msgtype":"text"}'), 'malformed'],
  ])('%s', (_name, request, expected) => {
    expect(verdict(() => receive(request))).toBe(expected)
  })

  test('once any byte of its ciphertext has changed', () => {
    const bytes = Buffer.from(encrypted, 'base64')
    for (const index of bytes.keys()) {
      const flipped = Buffer.from(bytes)
      flipped[index] = (flipped[index] as number) ^ 1
      const body = good.body.replace(encrypted, flipped.toString('base64'))
      expect(verdict(() => receive({ ...good, body }))).toBe('signature')
    }
  })
})

describe('the outer document is taken', () => {
  const encrypted = encryptFor(wecomSeal, textXml(wecomSeal, '你好'))
  const { query } = envelope(wecomSeal, encrypted)
  test.each([
    [
      'as it is documented',
      `<xml><ToUserName><![CDATA[a]]></ToUserName><AgentID>1</AgentID><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`,
    ],
    ['with nothing but the ciphertext', `<xml><Encrypt>${encrypted}</Encrypt></xml>`],
    ['with a byte order mark', `\uFEFF<xml><Encrypt>${encrypted}</Encrypt></xml>`],
    [
      'with Windows line ends and spaces',
      `\r\n<xml>\r\n <Encrypt>\r\n  <![CDATA[${encrypted}]]>\r\n </Encrypt>\r\n</xml>\r\n`,
    ],
    [
      'with a declaration and a comment',
      `<?xml version="1.0"?><!-- a --><xml><Encrypt>${encrypted}</Encrypt></xml>`,
    ],
    [
      'with escaped characters',
      `<xml><Encrypt>${encrypted.replaceAll('+', '&#43;').replaceAll('=', '&#x3D;')}</Encrypt></xml>`,
    ],
  ])('%s', (_name, body) => {
    expect(received(door, { query, body })).toMatchObject({ kind: 'text', text: '你好' })
  })
})

describe('the answer', () => {
  const request = envelope(wecomSeal, encryptFor(wecomSeal, textXml(wecomSeal, '你好')))
  const update = received(door, request)
  const key = callbackKey(wecomSeal.token, wecomSeal.aesKey, wecomSeal.receiveId)
  const opened = (body: string) => parseXml(decryptMessage(key, textOf(parseXml(body), 'Encrypt') ?? ''))

  test.each([false, true])('without a reply is empty, be it pending (%s) or not', isPending => {
    expect(door.acknowledge(request, update, { reply: null, isPending }, NOW)).toEqual({
      contentType: 'text/plain',
      body: '',
    })
  })

  test('with a reply is encrypted and signed, to the sender', () => {
    const { contentType, body } = door.acknowledge(request, update, { reply: '收到', isPending: false }, NOW)
    expect(contentType).toBe('application/xml')
    expect(opened(body)).toEqual({
      ToUserName: 'zhangsan',
      FromUserName: wecomSeal.receiveId,
      CreateTime: SECONDS,
      MsgType: 'text',
      Content: '收到',
    })
    const [signature, timestamp, nonce, encrypted] = ['MsgSignature', 'TimeStamp', 'Nonce', 'Encrypt'].map(
      name => textOf(parseXml(body), name) ?? '',
    )
    expect(nonce).toMatch(/^\d+$/)
    expect(signature).toBe(signatureOf(wecomSeal.token, timestamp ?? '', nonce ?? '', encrypted ?? ''))
    expect(body).not.toContain('收到')
  })

  test('to a message that did not say whom it was for comes from the company', () => {
    const { body } = door.acknowledge(
      request,
      { ...update, recipient: '' },
      { reply: '好', isPending: false },
      NOW,
    )
    expect(textOf(opened(body), 'FromUserName')).toBe(wecomSeal.receiveId)
  })
})
