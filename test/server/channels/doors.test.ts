import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signatureOf } from '../../../scripts/simulator/crypto.ts'
import { toXml } from '../../../scripts/simulator/xml.ts'
import type { CallbackRequest } from '../../../server/channels/channel.ts'
import { accountDoor, received, robotDoor, robotSeal, wecomDoor } from './doors.ts'
import {
  accountSeal,
  encryptFor,
  envelope,
  NOW,
  SECONDS,
  type Seal,
  verdict,
  wecomSeal,
} from './envelopes.ts'

const nonce = '486452656'

/** A callback with the ciphertext as each platform wraps it, signed. */
const inXml = (seal: Seal) => (ciphertext: string) => envelope(seal, ciphertext, { nonce })
const ofAccount = (ciphertext: string): CallbackRequest => {
  const { query, body } = envelope(accountSeal, ciphertext, { nonce })
  const signature = signatureOf(accountSeal.token, SECONDS, nonce)
  return { query: { ...query, signature, encrypt_type: 'aes' }, body }
}
const ofRobot = (ciphertext: string): CallbackRequest => ({
  query: envelope(robotSeal, ciphertext, { nonce }).query,
  body: JSON.stringify({ encrypt: ciphertext }),
})

const doors = [
  ['WeCom', wecomDoor(), wecomSeal, inXml(wecomSeal)],
  ['the Official Account in secure mode', accountDoor('secure'), accountSeal, ofAccount],
  ['the Official Account in compatible mode', accountDoor('compatible'), accountSeal, ofAccount],
  ['the chat robot', robotDoor(), robotSeal, ofRobot],
] as const
const all = [
  ...doors.map(([name, door]) => [name, door] as const),
  ['the Official Account in plain mode', accountDoor('plain')] as const,
]

const anyBytes = fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.from(bytes).toString('utf8'))
const anyText = fc.oneof(anyBytes, fc.string({ unit: 'binary' }), fc.string())

/** Pieces of what the platforms send, in any order: nearer to the truth than noise is. */
const anyDocument = fc.oneof(
  anyText,
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ...['<xml>', '</xml>', '<MsgType>', '</MsgType>', '<Event>', '</Event>', '<![CDATA[', ']]>'],
          ...['text', 'event', 'click', 'LOCATION', '<MsgId>1</MsgId>', '<!DOCTYPE a>', '&lt;', '&', '\0'],
          ...['<MsgType>event</MsgType>', '<Event>change_external_chat</Event>', '<ChatId>wr1</ChatId>'],
          ...[
            '<Event>change_contact</Event>',
            '<UserID>a</UserID>',
            '<MemChangeList><Item/></MemChangeList>',
          ],
        ),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 12 },
    )
    .map(pieces => pieces.join('')),
  fc.json(),
  fc
    .record(
      {
        MsgType: fc.constantFrom<unknown>('text', 'event', 'image', 1, null, {}),
        msgtype: fc.constantFrom<unknown>('text', 'event', 'mixed', 'stream', 1, null, []),
        Event: fc.anything(),
        event: fc.anything(),
        from: fc.anything(),
        text: fc.anything(),
        mixed: fc.anything(),
        stream: fc.anything(),
        List: fc.anything(),
        FromUserName: fc.anything(),
        CreateTime: fc.anything(),
      },
      { requiredKeys: [] },
    )
    .map(fields =>
      JSON.stringify(fields, (_key, value) => (typeof value === 'bigint' ? String(value) : value)),
    ),
)

describe.each(all)('%s', (_name, door) => {
  test('refuses whatever comes in no other way than by saying why', () => {
    const names = ['msg_signature', 'signature', 'timestamp', 'nonce', 'echostr', 'encrypt_type', 'a']
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(...names),
          fc.oneof(anyText, fc.constant(SECONDS), fc.constant('0'.repeat(40))),
        ),
        anyDocument,
        (query, body) => {
          expect(['malformed', 'signature']).toContain(verdict(() => door.receive({ query, body }, NOW)))
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe.each(doors)('%s', (name, door, seal, wrap) => {
  test('takes whatever is signed and decrypts, and keeps what it does not understand', () => {
    fc.assert(
      fc.property(anyDocument, text => {
        const body = text.toWellFormed()
        const reception = door.receive(wrap(encryptFor(seal, body)), NOW)
        if (reception.kind === 'poll') expect(reception.about.dedupeKey).not.toBe('')
        else {
          expect(reception).toMatchObject({ kind: 'update', update: { channel: door.name } })
          if (reception.kind === 'update' && reception.update.kind === 'unknown') {
            expect(reception.update.body).toBe(body)
            expect(reception.update.name).toMatch(/^[\w:/.-]{1,100}$/)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('refuses a signed echo and ciphertext of any bytes', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.base64String()), ciphertext => {
        const { query, body } = wrap(ciphertext)
        expect(['malformed', 'signature']).toContain(verdict(() => door.receive({ query, body }, NOW)))
        const { signature: _gone, ...echoQuery } = query
        expect(['malformed', 'signature']).toContain(
          verdict(() => door.receive({ query: { ...echoQuery, echostr: ciphertext }, body: '' }, NOW)),
        )
      }),
    )
  })

  const body = name === 'the chat robot' ? '{"msgtype":"text"}' : '<xml><MsgType>text</MsgType></xml>'
  test('refuses a ciphertext of which anything has changed', () => {
    const ciphertext = encryptFor(seal, body)
    const good = wrap(ciphertext)
    fc.assert(
      fc.property(fc.nat({ max: ciphertext.length - 1 }), fc.base64String({ minLength: 4 }), (at, other) => {
        const changed = ciphertext.slice(0, at) + other[0] + ciphertext.slice(at + 1)
        const got = verdict(() =>
          door.receive({ ...good, body: good.body.replace(ciphertext, changed) }, NOW),
        )
        expect(got).toBe(changed === ciphertext ? 'taken' : 'signature')
      }),
    )
  })
})

describe('what a person writes comes through to the letter', () => {
  const anyWords = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.constantFrom(
          ']]>',
          '<![CDATA[',
          '&amp;',
          '&',
          '<b>',
          '\r\n',
          '👍🏽',
          '𠮷',
          '\ud83d',
          '\u2028',
          '</Content>',
        ),
      ),
      { maxLength: 8 },
    )
    .map(parts => parts.join('').toWellFormed())
  /** White space around a text is the document's, and no database holds a NUL. */
  const kept = (words: string) => words.replaceAll('\0', '').trim()
  const head = { ToUserName: 'a', FromUserName: 'b', CreateTime: 1, MsgType: 'text' }

  test.each(doors.filter(([name]) => name !== 'the chat robot'))(
    'in XML, to %s',
    (_name, door, seal, wrap) => {
      fc.assert(
        fc.property(anyWords, words => {
          const request = wrap(encryptFor(seal, toXml({ ...head, Content: words })))
          expect(received(door, request)).toMatchObject({ kind: 'text', text: kept(words) })
        }),
        { numRuns: 300 },
      )
    },
  )

  test('in JSON, to the chat robot', () => {
    fc.assert(
      fc.property(anyWords, words => {
        const request = ofRobot(
          encryptFor(robotSeal, JSON.stringify({ msgtype: 'text', text: { content: words } })),
        )
        expect(received(robotDoor(), request)).toMatchObject({
          kind: 'text',
          text: kept(words),
        })
      }),
      { numRuns: 300 },
    )
  })
})
