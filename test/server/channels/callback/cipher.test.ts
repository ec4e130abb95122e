import { decrypt, encrypt } from '@wecom/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCallbackCipher } from '../../../../server/channels/callback/cipher.ts'
import vectors from '../../../fixtures/crypto-vectors.json' with { type: 'json' }
import { encryptBytes, encryptFor, plainBytes, verdict, wecomSeal } from '../envelopes.ts'

const cipher = createCallbackCipher(wecomSeal.aesKey, wecomSeal.receiveId)

describe('the published ciphertexts', () => {
  /** All but the plain signature and those of WeChat Pay. */
  const encrypted = vectors.flatMap(({ id, key = '', encrypt = '', message = '', receiveid = '' }) =>
    encrypt && message && receiveid ? [{ id, key, encrypt, message, receiveid }] : [],
  )
  test('are ten', () => expect(encrypted).toHaveLength(10))

  test.each(encrypted)('$id decrypts', ({ key, encrypt, message, receiveid }) => {
    expect(createCallbackCipher(key, receiveid).decrypt(encrypt)).toBe(message)
  })

  test.each(encrypted)('$id is refused for any other receiver', ({ key, encrypt, receiveid }) => {
    for (const other of ['', `${receiveid}x`, receiveid.slice(1), 'wx0000000000000000'])
      expect(verdict(() => createCallbackCipher(key, other).decrypt(encrypt))).toBe('signature')
  })
})

describe('against @wecom/crypto, message after message', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 200 }).map(text => text.toWellFormed())
  test.each(['ww5823bf96d3bd56c7', '', '企业'])('for the receiver “%s”', receiveId => {
    const ours = createCallbackCipher(wecomSeal.aesKey, receiveId)
    fc.assert(
      fc.property(anyText, text => {
        expect(decrypt(wecomSeal.aesKey, ours.encrypt(text))).toMatchObject({ message: text, id: receiveId })
        expect(ours.decrypt(encrypt(wecomSeal.aesKey, text, receiveId))).toBe(text)
      }),
      { numRuns: 300 },
    )
  })

  test('the same text never looks the same twice, not even in a part', () => {
    const blocks = Array.from({ length: 2000 }, () => Buffer.from(cipher.encrypt('好'), 'base64'))
    const seen = blocks.flatMap(bytes => [0, 16, 32].map(at => bytes.toString('hex', at, at + 16)))
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('what was refused does not disturb what comes after', () => {
    for (const forged of ['AA==', 'nonsense', encryptBytes(wecomSeal, Buffer.alloc(64, 7))]) {
      expect(verdict(() => cipher.decrypt(forged))).not.toBe('taken')
      expect(cipher.decrypt(encryptFor(wecomSeal, '好'))).toBe('好')
    }
  })
})

describe('decryption refuses', () => {
  const text = '<xml>你好</xml>'
  const seal = (wrong: Parameters<typeof plainBytes>[2]) =>
    encryptBytes(wecomSeal, plainBytes(wecomSeal, text, wrong))
  const whole = encryptFor(wecomSeal, text)

  test('nothing of a sound ciphertext', () => {
    expect(cipher.decrypt(whole)).toBe(text)
    expect(cipher.decrypt(seal({}))).toBe(text)
  })

  test.each([
    ['padding of zero', seal({ padding: count => Buffer.alloc(count, 0) })],
    ['padding above a block', seal({ padding: count => Buffer.alloc(count, 33) })],
    ['padding of 255', seal({ padding: count => Buffer.alloc(count, 255) })],
    [
      'padding that is uneven',
      seal({ padding: count => Buffer.concat([Buffer.alloc(count - 1, 1), Buffer.from([count])]) }),
    ],
    ['padding longer than was put there', seal({ padding: count => Buffer.alloc(count, count + 1) })],
    ['padding shorter than was put there', seal({ padding: count => Buffer.alloc(count, count - 1) })],
    ['a whole block of nothing but padding', encryptBytes(wecomSeal, Buffer.alloc(32, 32))],
    [
      'a plaintext shorter than its head',
      encryptBytes(wecomSeal, Buffer.concat([Buffer.alloc(19), Buffer.alloc(13, 13)])),
    ],
    ['a length one too long', seal({ length: right => right + 1 })],
    ['a length one too short', seal({ length: right => right - 1 })],
    ['a length that swallows the receive id', seal({ length: right => right + wecomSeal.receiveId.length })],
    ['a length of zero', seal({ length: () => 0 })],
    ['a length beyond the plaintext', seal({ length: () => 1000 })],
    ['a length of -1', seal({ length: () => -1 })],
    ['the least 32-bit length', seal({ length: () => -(2 ** 31) })],
    ['another receiver', encryptFor({ ...wecomSeal, receiveId: 'ww0000000000000000' }, text)],
    ['no receiver', encryptFor({ ...wecomSeal, receiveId: '' }, text)],
    ['another key', encryptFor({ ...wecomSeal, aesKey: 'a'.repeat(43) }, text)],
    ['a cut ciphertext', Buffer.from(whole, 'base64').subarray(0, -32).toString('base64')],
    ['half a block more', Buffer.concat([Buffer.from(whole, 'base64'), Buffer.alloc(16)]).toString('base64')],
    ['a single byte', 'AA=='],
  ])('%s as forged', (_name, ciphertext) => {
    expect(verdict(() => cipher.decrypt(ciphertext))).toBe('signature')
  })

  test.each([
    ['nothing', ''],
    ['only padding characters', '=='],
    ['a space within', `${whole.slice(0, 8)} ${whole.slice(8)}`],
    ['a line end behind', `${whole}\n`],
    ['the URL alphabet', whole.replaceAll(/[+/]/g, '-').replace(/^./, '_')],
    ['Chinese', '密文'],
    ['too many equal signs', `${whole}===`],
    ['an equal sign within', `A=${whole}`],
  ])('%s as malformed', (_name, ciphertext) => {
    expect(verdict(() => cipher.decrypt(ciphertext))).toBe('malformed')
  })

  test('a flipped bit in the last two blocks, wherever it is', () => {
    const bytes = Buffer.from(whole, 'base64')
    for (let index = bytes.length - 32; index < bytes.length; index++)
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes)
        flipped[index] = (flipped[index] as number) ^ (1 << bit)
        expect(verdict(() => cipher.decrypt(flipped.toString('base64')))).toBe('signature')
      }
  })

  test('anything else only ever as forged or malformed, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.uint8Array({ maxLength: 512 }).map(bytes => Buffer.from(bytes).toString('base64')),
        ),
        given => {
          expect(['signature', 'malformed']).toContain(verdict(() => cipher.decrypt(given)))
        },
      ),
      { numRuns: 500 },
    )
  })
})
