import type { Chance } from '../demo/chance.ts'
import { callbackKey, encryptMessage, signatureOf } from '../simulator/crypto.ts'
import { injured, misspelt, randomBytesOf } from './bytes.ts'
import {
  type DoorName,
  encryptRaw,
  framed,
  keys,
  type Parcel,
  pathOf,
  plainParcel,
  type Seal,
  sealedParcel,
} from './doors.ts'

/** A sealed callback and what is in it. */
export interface Sealed {
  seal: Seal
  body: Buffer
}

/** A callback that looks right and is not: each must be refused. */
export function forgedParcel(sealed: Sealed, luck: Chance): { what: string; parcel: Parcel } {
  if (luck.next() < 0.5) {
    const forge = luck.pick(forgedBodies)
    return { what: forge.name, parcel: forge(sealed, luck) }
  }
  const forge = luck.pick(forgedQueries)
  return { what: forge.name, parcel: forge(sealed.seal, sealedSigner, luck) }
}

/** The same for plain mode, where the query is all that is signed. */
export function forgedPlainParcel({ seal, body }: Sealed, luck: Chance): { what: string; parcel: Parcel } {
  const forge = luck.pick(forgedQueries)
  const signer: Signer = { parameter: 'signature', sign: (each, token) => plainParcel(body, each, token) }
  return { what: `plain, ${forge.name}`, parcel: forge(seal, signer, luck) }
}

/** How a door's callbacks are signed, and the parameter that says so. */
interface Signer {
  parameter: 'msg_signature' | 'signature'
  sign(seal: Seal, token?: string): Parcel
}

const sealedSigner: Signer = { parameter: 'msg_signature', sign: sealedParcel }

type ForgeQuery = (seal: Seal, signer: Signer, luck: Chance) => Parcel
type ForgeBody = (sealed: Sealed, luck: Chance) => Parcel

/** Changes one parameter of the query. `change` returns the values that it is to have, none or many. */
function withQuery(parcel: Parcel, name: string, change: (value: string) => string[]): Parcel {
  const query = parcel.query.flatMap(([each, value]): [string, string][] =>
    each === name ? change(value).map(changed => [each, changed]) : [[each, value]],
  )
  return { ...parcel, query }
}

const hex = '0123456789abcdef'
const digits = '0123456789'

const forgedQueries: readonly ForgeQuery[] = [
  function anotherToken(seal, { sign }, luck) {
    return sign(seal, luck.pick(['forgedToken', '', 'chaosToke', 'chaosToken ', 'undefined']))
  },
  function aDigitOfTheSignature(seal, { parameter, sign }, luck) {
    return withQuery(sign(seal), parameter, value => [misspelt(value, luck, hex)])
  },
  function anotherFormOfTheSignature(seal, { parameter, sign }, luck) {
    return withQuery(sign(seal), parameter, value =>
      luck.pick([
        [''],
        [value.toUpperCase()].filter(upper => upper !== value),
        [value.slice(0, -1)],
        [`${value}0`],
        [` ${value}`],
        [`${value}\n`],
        ['0'.repeat(40)],
        ['null'],
        [Buffer.from(value, 'hex').toString('base64')],
        ['f'.repeat(9000)],
      ]),
    )
  },
  function theSignatureTwice(seal, { parameter, sign }, luck) {
    return withQuery(sign(seal), parameter, value =>
      luck.pick([
        [value, value],
        ['', value],
        [value, ''],
        [value, misspelt(value, luck, hex)],
      ]),
    )
  },
  function anotherTimestamp(seal, { sign }, luck) {
    return withQuery(sign(seal), 'timestamp', value => [misspelt(value, luck, digits)])
  },
  function aTimestampThatIsNone(seal, { sign }, luck) {
    const { timestamp } = seal
    // rightly signed, so that only the freshness check can refuse it
    return sign({
      ...seal,
      timestamp: luck.pick([
        'now',
        '-1',
        `${timestamp}.0`,
        `${timestamp}e0`,
        ` ${timestamp}`,
        `${timestamp}\n`,
        `0x${Number(timestamp).toString(16)}`,
        [...timestamp].map(digit => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join(''),
        '9'.repeat(400),
        'Infinity',
      ]),
    })
  },
  function aStaleTimestamp(seal, { sign }, luck) {
    const away = luck.pick([-86_400 * 365, -7200, -900, 900, 7200, 86_400 * 365])
    return sign({ ...seal, timestamp: String(Number(seal.timestamp) + away) })
  },
  function theTimestampTwice(seal, { sign }) {
    return withQuery(sign(seal), 'timestamp', value => [value, value])
  },
  function anotherNonce(seal, { sign }, luck) {
    return withQuery(sign(seal), 'nonce', value => [misspelt(value, luck, digits)])
  },
  function theNonceTwice(seal, { sign }) {
    return withQuery(sign(seal), 'nonce', value => [value, value])
  },
  function aParameterMissing(seal, { parameter, sign }, luck) {
    const name = luck.pick([parameter, 'timestamp', 'nonce'])
    return withQuery(sign(seal), name, () => luck.pick([[], ['']]))
  },
  function noQuery(seal, { sign }) {
    return { ...sign(seal), query: [] }
  },
  function namesLikePrototypes(seal, { sign }) {
    const parcel = sign(seal, 'forgedToken')
    return { ...parcel, rawQuery: '&__proto__=1&__proto__[a]=1&constructor[prototype][a]=1&toString=1' }
  },
]

const forgedBodies: readonly ForgeBody[] = [
  function aCharacterOfTheCiphertext(sealed, luck) {
    return withCiphertext(sealed, encrypted =>
      misspelt(encrypted, luck, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'),
    )
  },
  function bytesOfTheCiphertext(sealed, luck) {
    return withCiphertext(sealed, encrypted =>
      injured(Buffer.from(encrypted, 'base64'), luck).toString('base64'),
    )
  },
  function aBlockLess(sealed, luck) {
    return withCiphertext(sealed, encrypted => {
      const bytes = Buffer.from(encrypted, 'base64')
      return bytes.subarray(luck.pick([0, 32]), bytes.length - luck.pick([32, 64])).toString('base64')
    })
  },
  function noCiphertext(sealed, luck) {
    return withCiphertext(sealed, () => luck.pick(['', ' ', '=', '====', '中文', '<a>1</a>', ']]>']))
  },
  function anotherReceiver({ seal, body }, luck) {
    const { receiveId } = keys[seal.door]
    const other = luck.pick([`${receiveId}x`, `x${receiveId}`, `${receiveId}\u0000`, 'wwsomebodyelse'])
    return resealed(seal, framed(body, other, randomBytesOf(luck, 16)))
  },
  function badPadding({ seal, body }, luck) {
    const padding = luck.pick<(right: number) => Buffer>([
      right => Buffer.concat([Buffer.alloc(right - 1, right), Buffer.from([0])]),
      right => Buffer.concat([Buffer.alloc(right - 1, right), Buffer.from([33])]),
      right => Buffer.concat([Buffer.alloc(right - 1, right), Buffer.from([255])]),
      // nobody's padding: whatever is left is filled with random bytes that end in a number too high
      right => Buffer.concat([randomBytesOf(luck, right - 1), Buffer.from([200])]),
      right => Buffer.alloc(right + 32, right + 32),
    ])
    return resealed(seal, framed(body, keys[seal.door].receiveId, randomBytesOf(luck, 16), { padding }))
  },
  function badLength({ seal, body }, luck) {
    const length = luck.pick([body.length + 1, body.length + 64, body.length - 1, 0, 2 ** 31, 2 ** 32 - 1])
    return resealed(seal, framed(body, keys[seal.door].receiveId, randomBytesOf(luck, 16), { length }))
  },
  function tooShort({ seal }, luck) {
    return resealed(seal, Buffer.alloc(luck.pick([32, 64]), luck.pick([32, 31, 16])))
  },
  function anotherKey({ seal, body }, luck) {
    const key = callbackKey('x', 'forgedforgedforgedforgedforgedforgedforgedf', keys[seal.door].receiveId)
    return sealedParcel({
      ...seal,
      encrypted: encryptMessage(key, body.toString('utf8'), randomBytesOf(luck, 16)),
    })
  },
  function oddLength({ seal }, luck) {
    const bytes = Buffer.from(seal.encrypted, 'base64')
    const cut = bytes.subarray(0, bytes.length - luck.pick([1, 8, 16, 31]))
    return sealedParcel({ ...seal, encrypted: cut.toString('base64') })
  },
  function notEncrypted({ seal, body }) {
    return { ...sealedParcel(seal), body }
  },
  function notEncryptedButSigned({ seal, body }) {
    return sealedParcel({ ...seal, encrypted: body.toString('base64') })
  },
  function anotherDoor({ seal, body }, luck) {
    const doors = (Object.keys(keys) as DoorName[]).filter(door => door !== seal.door)
    const other = luck.pick(doors)
    const encrypted = encryptMessage(keys[other], body.toString('utf8'), randomBytesOf(luck, 16))
    return { ...sealedParcel({ ...seal, door: other, encrypted }), path: pathOf(seal.door) }
  },
  function emptyBody({ seal }, luck) {
    const empty = luck.pick(['', ' ', '{}', '[]', 'null', '<xml/>', '<xml></xml>', '<Encrypt/>'])
    return { ...sealedParcel(seal), body: Buffer.from(empty) }
  },
  function damagedAllOver({ seal }, luck) {
    const parcel = sealedParcel(seal, 'forgedToken')
    return { ...parcel, body: injured(parcel.body, luck) }
  },
  function signedForTheQueryOnly({ seal }) {
    return { ...sealedParcel(seal), query: queryOfPlainMode(seal) }
  },
  function inTheClearAndSignedForTheQueryOnly({ seal, body }) {
    return { ...sealedParcel(seal), query: queryOfPlainMode(seal), body }
  },
]

/** What somebody can send who has seen one address of the Official Account. */
function queryOfPlainMode({ door, timestamp, nonce }: Seal): [string, string][] {
  return [
    ['signature', signatureOf(keys[door].token, timestamp, nonce)],
    ['timestamp', timestamp],
    ['nonce', nonce],
  ]
}

/** The signature stays as it was: for the ciphertext of before. */
function withCiphertext({ seal }: Sealed, change: (encrypted: string) => string): Parcel {
  const parcel = sealedParcel(seal)
  const changed = sealedParcel({ ...seal, encrypted: change(seal.encrypted) })
  return { ...parcel, body: changed.body }
}

/** Rightly signed, so that only what is within can be refused. @param blocks what is encrypted, padding and all */
function resealed(seal: Seal, blocks: Buffer): Parcel {
  return sealedParcel({ ...seal, encrypted: encryptRaw(keys[seal.door], blocks) })
}
