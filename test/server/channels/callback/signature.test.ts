import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signatureOf as signatureOfPlatform } from '../../../../scripts/simulator/crypto.ts'
import {
  checkFreshness,
  checkSignature,
  signatureOf,
} from '../../../../server/channels/callback/signature.ts'
import vectors from '../../../fixtures/crypto-vectors.json' with { type: 'json' }
import { NOW, verdict } from '../envelopes.ts'

const signed = vectors.flatMap(({ id, token = '', timestamp = '', nonce = '', encrypt, signature }) =>
  signature ? [{ id, parts: [token, timestamp, nonce, ...(encrypt ? [encrypt] : [])], signature }] : [],
)

describe('the published signatures', () => {
  test('are ten', () => expect(signed).toHaveLength(10))

  test.each(signed)('$id verifies, in whatever order the parts come', ({ parts, signature }) => {
    expect(verdict(() => checkSignature(signature, parts))).toBe('taken')
    expect(verdict(() => checkSignature(signature, [...parts].reverse()))).toBe('taken')
  })

  test.each(signed)(
    '$id does not verify once a character of any part has changed',
    ({ parts, signature }) => {
      for (const [index, part] of parts.entries()) {
        const changed = `${part.slice(0, -1)}${part.endsWith('x') ? 'y' : 'x'}`
        expect(verdict(() => checkSignature(signature, parts.with(index, changed)))).toBe('signature')
      }
    },
  )
})

test('a signature is the one that the platform makes, whatever the parts', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 3, maxLength: 4 }), parts => {
      expect(signatureOf(parts)).toBe(signatureOfPlatform(...parts))
    }),
  )
})

describe('a signature', () => {
  const [{ parts, signature } = { parts: [], signature: '' }] = signed
  test.each([
    ['nothing', ''],
    ['one character short', signature.slice(1)],
    ['one byte short', signature.slice(2)],
    ['one byte long', `${signature}00`],
    ['text behind', `${signature}zz`],
    ['a space before', ` ${signature}`],
    ['a line end behind', `${signature}\n`],
    ['upper case', signature.toUpperCase()],
    ['the signature of something else', signatureOf(['something', 'else'])],
    ['base64', Buffer.from(signature, 'hex').toString('base64')],
    ['not hexadecimal', 'z'.repeat(40)],
    ['full-width digits', '１'.repeat(40)],
  ])('is refused as %s', (_name, given) => {
    expect(verdict(() => checkSignature(given, parts))).toBe('signature')
  })
})

describe('freshness', () => {
  const now = NOW.getTime() / 1000
  test.each([
    ['now', String(now), 'taken'],
    ['ten minutes ago', String(now - 600), 'taken'],
    ['a second more', String(now - 601), 'signature'],
    ['ten minutes ahead', String(now + 600), 'taken'],
    ['a second more ahead', String(now + 601), 'signature'],
    ['1970', '0', 'signature'],
    ['milliseconds', String(now * 1000), 'malformed'],
    ['negative', '-1', 'malformed'],
    ['a fraction', `${now}.5`, 'malformed'],
    ['an exponent', '1e9', 'malformed'],
    ['hexadecimal', '0x5', 'malformed'],
    ['a line end', `${now}\n`, 'malformed'],
    ['nothing', '', 'malformed'],
    ['infinite', 'Infinity', 'malformed'],
  ])('of %s', (_name, timestamp, expected) => {
    expect(verdict(() => checkFreshness(timestamp, NOW, 600))).toBe(expected)
  })
})
