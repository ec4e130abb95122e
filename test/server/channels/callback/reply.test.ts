import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callbackKey, decryptMessage, signatureOf } from '../../../../scripts/simulator/crypto.ts'
import { parseXml, textOf } from '../../../../scripts/simulator/xml.ts'
import {
  sealedJson,
  sealedXml,
  textReplyJson,
  textReplyXml,
} from '../../../../server/channels/callback/reply.ts'
import { createCallbackSeal } from '../../../../server/channels/callback/seal.ts'
import type { UpdateBase } from '../../../../server/channels/channel.ts'
import { NOW, SECONDS, wecomSeal } from '../envelopes.ts'

const about: UpdateBase = {
  channel: 'wecom',
  addressSpace: 'wecom',
  dedupeKey: 'id:1',
  address: 'zhangsan',
  recipient: wecomSeal.receiveId,
  at: NOW,
}
const seal = createCallbackSeal(wecomSeal, 600)
const key = callbackKey(wecomSeal.token, wecomSeal.aesKey, wecomSeal.receiveId)
const anyText = fc.string({ unit: 'binary' })
const legal = (text: string) => text.replace(/(?![\t\n\r])[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '')

describe('a passive reply', () => {
  test('in XML is what the platform can open, whatever is said', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), (text, number) => {
        const nonce = String(number)
        const outer = parseXml(sealedXml(seal.close(textReplyXml(about, `话：${text}`, NOW), NOW, nonce)))
        const ciphertext = textOf(outer, 'Encrypt') ?? ''
        expect(outer).toMatchObject({
          TimeStamp: SECONDS,
          Nonce: nonce,
          MsgSignature: signatureOf(wecomSeal.token, SECONDS, nonce, ciphertext),
        })
        expect(parseXml(decryptMessage(key, ciphertext))).toEqual({
          ToUserName: 'zhangsan',
          FromUserName: wecomSeal.receiveId,
          CreateTime: SECONDS,
          MsgType: 'text',
          Content: `话：${legal(text)}`,
        })
      }),
      { numRuns: 300 },
    )
  })

  test('in JSON is, too', () => {
    fc.assert(
      fc.property(anyText, text => {
        const outer = JSON.parse(sealedJson(seal.close(textReplyJson(about, text, NOW), NOW, '7')))
        expect(outer).toMatchObject({
          TimeStamp: Number(SECONDS),
          Nonce: '7',
          MsgSignature: signatureOf(wecomSeal.token, SECONDS, '7', outer.Encrypt),
        })
        expect(JSON.parse(decryptMessage(key, outer.Encrypt))).toEqual({
          ToUserName: 'zhangsan',
          FromUserName: wecomSeal.receiveId,
          CreateTime: Number(SECONDS),
          MsgType: 'text',
          Content: legal(text),
        })
      }),
    )
  })

  test.each([
    ['a CDATA end', 'a]]>b', 'a]]>b'],
    ['markup', '<a href="x">&amp;</a>', '<a href="x">&amp;</a>'],
    ['line ends and tabs', 'a\n\tb', 'a\n\tb'],
    ['control characters, which XML cannot hold', 'a\u0000\u0008\u001bb', 'ab'],
    ['half an emoji', 'a\ud83d', 'a\ufffd'],
    ['a whole emoji', '好👍🏽', '好👍🏽'],
  ])('carries %s', (_name, text, expected) => {
    expect(textOf(parseXml(textReplyXml(about, text, NOW)), 'Content')).toBe(expected)
  })
})
