import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callbackKey, decryptMessage, signatureOf } from '../../../scripts/simulator/crypto.ts'
import { parseXml as simulatorXml, textOf } from '../../../scripts/simulator/xml.ts'
import {
  checkFreshness,
  checkSignature,
  createdAt,
  decryptCallback,
  dedupeKeyOf,
  encryptReply,
  field,
  parseXml,
  requiredField,
  textReply,
} from '../../../server/channels/callback.ts'
import vectors from '../../fixtures/crypto-vectors.json' with { type: 'json' }
import { encryptBytes, encryptFor, NOW, plainBytes, SECONDS, verdict, wecomSeal } from './envelopes.ts'

/** The vectors with a ciphertext, that is, all but the plain signature and those of WeChat Pay. */
const encrypted = vectors.flatMap(vector =>
  vector.encrypt && vector.message && vector.receiveid ? [vector as typeof vector & { encrypt: string }] : [],
)
const signed = vectors.flatMap(({ id, token = '', timestamp = '', nonce = '', encrypt, signature }) =>
  signature ? [{ id, parts: [token, timestamp, nonce, ...(encrypt ? [encrypt] : [])], signature }] : [],
)
const secretsOf = (vector: { token?: string; key?: string; receiveid?: string }) => ({
  token: vector.token ?? '',
  aesKey: vector.key ?? '',
  receiveId: vector.receiveid ?? '',
})

describe('the published vectors', () => {
  test('are all there: ten ciphertexts, ten signatures, two of WeChat Pay', () => {
    expect([encrypted.length, signed.length, vectors.filter(({ kind }) => kind === 'gcm').length]).toEqual([
      10, 10, 2,
    ])
  })

  test.each(encrypted)('$id decrypts', vector => {
    expect(decryptCallback(secretsOf(vector), vector.encrypt)).toBe(vector.message)
  })

  test.each(encrypted)('$id is refused for any other receiver', vector => {
    for (const receiveId of [
      '',
      `${vector.receiveid}x`,
      vector.receiveid?.slice(1) ?? '',
      'wx0000000000000000',
    ])
      expect(verdict(() => decryptCallback({ ...secretsOf(vector), receiveId }, vector.encrypt))).toBe(
        'signature',
      )
  })

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
    ['the signature of something else', signatureOf('something', 'else')],
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

describe('decryption refuses', () => {
  const text = '<xml>你好</xml>'
  const seal = (wrong: Parameters<typeof plainBytes>[2]) =>
    encryptBytes(wecomSeal, plainBytes(wecomSeal, text, wrong))
  const whole = encryptFor(wecomSeal, text)

  test('nothing of a sound ciphertext', () => {
    expect(decryptCallback(wecomSeal, whole)).toBe(text)
    expect(decryptCallback(wecomSeal, seal({}))).toBe(text)
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
    expect(verdict(() => decryptCallback(wecomSeal, ciphertext))).toBe('signature')
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
    expect(verdict(() => decryptCallback(wecomSeal, ciphertext))).toBe('malformed')
  })

  test('a flipped bit in the last two blocks, wherever it is', () => {
    const bytes = Buffer.from(whole, 'base64')
    for (let index = bytes.length - 32; index < bytes.length; index++)
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes)
        flipped[index] = (flipped[index] as number) ^ (1 << bit)
        expect(verdict(() => decryptCallback(wecomSeal, flipped.toString('base64')))).toBe('signature')
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
          expect(['signature', 'malformed']).toContain(verdict(() => decryptCallback(wecomSeal, given)))
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a passive reply', () => {
  test('is what the platform can open, whatever is said', () => {
    const key = callbackKey(wecomSeal.token, wecomSeal.aesKey, wecomSeal.receiveId)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, nonce) => {
        const outer = simulatorXml(
          encryptReply(
            wecomSeal,
            textReply('zhangsan', wecomSeal.receiveId, `话：${text}`, NOW),
            NOW,
            String(nonce),
          ),
        )
        const ciphertext = textOf(outer, 'Encrypt') ?? ''
        expect(textOf(outer, 'TimeStamp')).toBe(SECONDS)
        expect(textOf(outer, 'MsgSignature')).toBe(
          signatureOf(wecomSeal.token, SECONDS, String(nonce), ciphertext),
        )
        const inner = simulatorXml(decryptMessage(key, ciphertext))
        expect(textOf(inner, 'ToUserName')).toBe('zhangsan')
        expect(textOf(inner, 'FromUserName')).toBe(wecomSeal.receiveId)
        expect(textOf(inner, 'Content')).toBe(
          `话：${text.replace(/(?![\t\n\r])[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '')}`,
        )
      }),
      { numRuns: 300 },
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
    expect(textOf(simulatorXml(textReply('to', 'from', text, NOW)), 'Content')).toBe(expected)
  })
})

describe('XML', () => {
  test.each([
    ['CDATA', '<xml><A><![CDATA[x]]></A></xml>', 'x'],
    ['plain text', '<xml><A>x</A></xml>', 'x'],
    ['spaces around CDATA', '<xml>\n  <A> \n <![CDATA[x]]> \t</A>\n</xml>', 'x'],
    ['Windows line ends', '<xml>\r\n<A><![CDATA[x]]></A>\r\n</xml>\r\n', 'x'],
    ['a byte order mark', '\uFEFF<xml><A>x</A></xml>', 'x'],
    ['an XML declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<xml><A>x</A></xml>', 'x'],
    ['the five entities', '<xml><A>&lt;&gt;&amp;&quot;&apos;</A></xml>', '<>&"\''],
    ['a character reference', '<xml><A>&#20320;&#x597d;</A></xml>', '你好'],
    ['a number, which stays text', '<xml><A>4561255354251345929</A></xml>', '4561255354251345929'],
    ['leading zeros', '<xml><A>007</A></xml>', '007'],
    ['two CDATA in a row', '<xml><A><![CDATA[a]]]]><![CDATA[>b]]></A></xml>', 'a]]>b'],
    [
      'a document type that somebody wrote about',
      '<xml><A><![CDATA[<!DOCTYPE html> <!ENTITY> <!-- -->]]></A></xml>',
      '<!DOCTYPE html> <!ENTITY> <!-- -->',
    ],
    ['a CDATA start within CDATA', '<xml><A><![CDATA[<![CDATA[<!x]]></A></xml>', '<![CDATA[<!x'],
    ['70 000 characters', `<xml><A><![CDATA[${'长'.repeat(70_000)}]]></A></xml>`, '长'.repeat(70_000)],
    ['nothing', '<xml><A></A><B>1</B></xml>', ''],
    ['an empty CDATA', '<xml><A><![CDATA[]]></A><B>1</B></xml>', ''],
    ['a field that comes twice, which is no text', '<xml><A>1</A><A>2</A></xml>', ''],
    ['elements, which are no text', '<xml><A><B>1</B></A></xml>', ''],
    ['an attribute, which makes it no text', '<xml><A b="c">1</A></xml>', ''],
  ])('with %s', (_name, source, expected) => {
    expect(field(parseXml(source), 'A')).toBe(expected)
  })

  const laughs = `<!DOCTYPE xml [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => `<!ENTITY a${i} "&a;&a;&a;">`).join('')}]>`
  test.each([
    ['nothing', ''],
    ['white space', ' \r\n\t '],
    ['text', 'hello'],
    ['JSON', '{"ToUserName":"x"}'],
    ['a form', 'a=1&b=2'],
    ['an element with text only', '<xml>hello</xml>'],
    ['an empty element', '<xml/>'],
    ['an element that does not end', '<xml><A>x</A>'],
    ['elements that cross', '<xml><A><B>x</A></B></xml>'],
    ['an end only', '</xml>'],
    ['CDATA that does not end', '<xml><A><![CDATA[x</A></xml>'],
    ['a document type', '<!DOCTYPE xml><xml><A>x</A></xml>'],
    ['a document type in small letters', '<!doctype xml><xml><A>x</A></xml>'],
    ['a document type behind CDATA', '<xml><A><![CDATA[x]]></A><!DOCTYPE xml></xml>'],
    ['an outside entity', '<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><A>&f;</A></xml>'],
    ['a billion laughs', `${laughs}<xml><A>&a19;</A></xml>`],
    ['an entity that nobody declared', '<xml><A>&laughs;</A></xml>'],
    ['an entity within', '<xml><!ENTITY a "b"><A>x</A></xml>'],
    ['a comment that hides the start of CDATA', '<!-- <![CDATA[ --><!DOCTYPE xml><xml><A>x</A></xml>'],
    ['a bare ampersand', '<xml><A>a & b</A></xml>'],
    ['binary', '\u0000\u0001\u0002'],
    ["the parser's own name for text", '<xml><_>x</_></xml>'],
  ])('is refused as %s', (_name, source) => {
    expect(verdict(() => parseXml(source))).toBe('malformed')
  })

  test.each([
    ['nested 30 000 deep', `<xml>${'<a>'.repeat(30_000)}${'</a>'.repeat(30_000)}</xml>`],
    ['with 20 000 fields of one name', `<xml>${'<a>1</a>'.repeat(20_000)}</xml>`],
    [
      "with fields named like an object's own",
      '<xml><__proto__><A>1</A></__proto__><constructor>1</constructor><toString>2</toString></xml>',
    ],
  ])('%s is read without harm', (_name, source) => {
    const fields = parseXml(source)
    expect(field(fields, 'A')).toBe('')
    expect(field(fields, 'toString')).toBe('')
    expect(({} as Record<string, unknown>).A).toBeUndefined()
  })

  test('never fails in another way, whatever comes', () => {
    const piece = fc.constantFrom(
      '<xml>',
      '</xml>',
      '<A>',
      '</A>',
      '<![CDATA[',
      ']]>',
      '<!',
      '<?',
      '?>',
      '&',
      ';',
      'x',
      '<_>',
      '</_>',
      '"',
      '=',
      '\uFEFF',
      '\u0000',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), pieces => {
        expect(['taken', 'malformed']).toContain(verdict(() => parseXml(`<xml>${pieces.join('')}</xml>`)))
        expect(['taken', 'malformed']).toContain(verdict(() => parseXml(pieces.join(''))))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('fields', () => {
  test('a 64-bit message id is kept to the last digit', () => {
    const fields = parseXml('<xml><MsgId>18446744073709551615</MsgId></xml>')
    expect(dedupeKeyOf(fields, '')).toBe('id:18446744073709551615')
  })

  test.each([
    ['missing', '<xml><A>1</A></xml>'],
    ['twice', '<xml><MsgId>1</MsgId><MsgId>1</MsgId></xml>'],
    ['not a number', '<xml><MsgId>abc</MsgId></xml>'],
    ['longer than an index of the database can hold', `<xml><MsgId>${'9'.repeat(9000)}</MsgId></xml>`],
  ])('a message id that is %s gives way to a hash of the body', (_name, source) => {
    expect(dedupeKeyOf(parseXml(source), source)).toMatch(/^hash:[\w-]{43}$/)
    expect(dedupeKeyOf(parseXml(source), source)).not.toBe(dedupeKeyOf(parseXml(source), `${source} `))
  })

  test.each([
    ['1772676000', '2026-03-05T02:00:00.000Z'],
    ['0', '1970-01-01T00:00:00.000Z'],
  ])('CreateTime %s is in seconds', (seconds, expected) => {
    expect(createdAt(parseXml(`<xml><CreateTime>${seconds}</CreateTime></xml>`)).toISOString()).toBe(expected)
  })

  test.each(['', '-1', '1e9', '2026-03-05', '9'.repeat(13)])('CreateTime “%s” is malformed', seconds => {
    expect(verdict(() => createdAt(parseXml(`<xml><CreateTime>${seconds}</CreateTime><A>1</A></xml>`)))).toBe(
      'malformed',
    )
  })

  test('a field that must be there is asked for', () => {
    expect(requiredField(parseXml('<xml><A>1</A></xml>'), 'A')).toBe('1')
    expect(verdict(() => requiredField(parseXml('<xml><A>1</A></xml>'), 'B'))).toBe('malformed')
    expect(verdict(() => requiredField(parseXml('<xml><A>1</A></xml>'), 'toString'))).toBe('malformed')
  })
})
