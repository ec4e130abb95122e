import { createHash } from 'node:crypto'
import { type Chance, chance } from '../demo/chance.ts'
import { encryptMessage, signatureOf } from '../simulator/crypto.ts'
import { randomBytesOf } from './bytes.ts'
import {
  type AccountMode,
  type DoorName,
  encryptBody,
  keys,
  type Parcel,
  packParcel,
  pathOf,
  plainParcel,
  recipients,
  type Seal,
  sealedParcel,
} from './doors.ts'
import { forgedParcel, forgedPlainParcel } from './forgeries.ts'
import { type Manner, oddRequest } from './http-oddities.ts'
import { sampleOf } from './samples.ts'
import { strangeBody } from './strange-bodies.ts'
import { strangeJson } from './strange-json.ts'
import { strangeXml } from './strange-xml.ts'

/** Found in everything that is forged, and in nothing that may be stored. */
export const FORGED_MARK = 'forged'

/** One request, and what must become of it. */
export interface Case {
  index: number
  /** What was done to it, for whoever reads a failure. */
  what: string
  door: DoorName
  bytes: Buffer
  manner: Manner
  isHead: boolean
  /**
   * `refused`: no 200, nothing stored. `stored`: 200 and stored once. `either`: refused, or taken and then stored once.
   * `answered`: 200, nothing stored.
   */
  expected: 'refused' | 'stored' | 'either' | 'answered'
  /** What it may be stored under; empty when nothing of it may be stored. */
  keys: string[]
  /** Sent a second time at once: still stored once. */
  isRepeated: boolean
}

export interface CaseOptions {
  seed: number
  mode: AccountMode
  doors: readonly DoorName[]
}

/** Case number `index` of a seed: the same each time but for the timestamps, which must be fresh. */
export function caseOf({ seed, mode, doors }: CaseOptions, index: number, now: Date): Case {
  const luck = chance(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b))
  const isForged = index % 2 === 0
  const seconds = Math.floor(now.getTime() / 1000)
  const door = luck.pick(doors)
  const draft: Draft = {
    index,
    door,
    luck,
    isForged,
    isPlain: door === 'official-account' && mode === 'plain',
    isCompatible: door === 'official-account' && mode === 'compatible',
    isJson: door === 'aibot' || (door === 'official-account' && luck.next() < 0.25),
    mark: `${isForged ? FORGED_MARK : 'signed'}-${index}-${luck.between(1, 1e9)}`,
    // beyond 2^53, and nowhere near each other
    id: `${isForged ? 7 : luck.between(1, 6)}${digitsOf(luck, 18)}`,
    sender: isForged ? `${FORGED_MARK}-sender` : `member${luck.between(1, 300)}`,
    seconds,
    timestamp: String(seconds),
    nonce: digitsOf(luck, luck.between(6, 12)),
  }
  if (luck.next() < 0.02 && door !== 'aibot') return verification(draft)
  if (luck.next() < 0.05 && door === 'aibot' && !isForged) return poll(draft)
  return isForged ? forged(draft) : signed(draft)
}

interface Draft {
  index: number
  door: DoorName
  luck: Chance
  isForged: boolean
  isPlain: boolean
  isCompatible: boolean
  isJson: boolean
  mark: string
  id: string
  sender: string
  seconds: number
  timestamp: string
  nonce: string
}

function digitsOf(luck: Chance, count: number): string {
  return Array.from({ length: count }, () => luck.between(0, 9)).join('')
}

function sealOf(draft: Draft, encrypted: string): Seal {
  const { door, isJson, timestamp, nonce } = draft
  return { door, isJson, timestamp, nonce, encrypted, plainCopy: draft.isCompatible ? plainCopy(isJson) : '' }
}

/** Compatible mode sends the fields in the clear, too: whoever is on the way may write there what they like. */
function plainCopy(isJson: boolean): string {
  const fields = {
    FromUserName: `${FORGED_MARK}-sender`,
    CreateTime: '1348831860',
    MsgType: 'text',
    Content: FORGED_MARK,
    MsgId: '7234567890123456',
  }
  return Object.entries(fields)
    .map(([name, value]) => (isJson ? `"${name}":"${value}",` : `<${name}>${value}</${name}>`))
    .join('')
}

function signed(draft: Draft): Case {
  const { luck, door, mark } = draft
  const sample = sampleOf(door, luck, draft)
  const { what, body } = strangeBody(sample, draft.isJson, mark, luck)
  const found = { ...start(draft, what), keys: keysOf(draft.id, body), isRepeated: luck.next() < 0.05 }
  if (draft.isPlain) {
    // nobody signs such a body: how it is taken is all there is to see
    return sent({ ...found, expected: 'either' }, plainParcel(body, draft), luck)
  }
  const seal = sealOf(draft, encryptBody(door, body, randomBytesOf(luck, 16)))
  const parcel = sealedParcel(seal)
  if (luck.next() > 0.04) return sent({ ...found, expected: 'stored' }, parcel, luck)
  // an envelope that may or may not be readable, around something that is signed
  const outer = (draft.isJson ? strangeJson : strangeXml)(parcel.body.toString(), luck)
  return sent(
    { ...found, what: `envelope, ${outer.what}`, expected: 'either' },
    { ...parcel, body: Buffer.from(outer.text) },
    luck,
  )
}

function forged(draft: Draft): Case {
  const { luck, door } = draft
  const sample = sampleOf(door, luck, draft)
  const body =
    luck.next() < 0.7
      ? Buffer.from(sampleBody(draft))
      : strangeBody(sample, draft.isJson, draft.mark, luck).body
  const seal = sealOf(draft, encryptBody(door, body, randomBytesOf(luck, 16)))
  const { what, parcel } = (draft.isPlain ? forgedPlainParcel : forgedParcel)({ seal, body }, luck)
  return sent({ ...start(draft, what), expected: 'refused' }, parcel, luck)
}

/** The plainest of callbacks: a forgery of it would do something if it were believed. */
function sampleBody({ door, id, mark, sender, seconds, isJson }: Draft): string {
  const to = recipients[door]
  if (door === 'aibot')
    return JSON.stringify({
      msgid: id,
      aibotid: to,
      chattype: 'single',
      from: { userid: sender },
      msgtype: 'text',
      text: { content: mark },
    })
  if (isJson)
    return `{"ToUserName":"${to}","FromUserName":"${sender}","CreateTime":${seconds},"MsgType":"text","Content":"${mark}","MsgId":${id}}`
  return (
    `<xml><ToUserName><![CDATA[${to}]]></ToUserName><FromUserName><![CDATA[${sender}]]></FromUserName>` +
    `<CreateTime>${seconds}</CreateTime><MsgType><![CDATA[text]]></MsgType>` +
    `<Content><![CDATA[${mark}]]></Content><MsgId>${id}</MsgId></xml>`
  )
}

/** The platform asks whether we are who we say: a GET that is answered and leaves nothing behind. */
function verification(draft: Draft): Case {
  const { door, luck, isForged, timestamp, nonce, mark } = draft
  const { token } = keys[door]
  const isSealed = door === 'wecom'
  // a message that somebody overheard, given as an echo, would come back decrypted
  const isMessage = isSealed && isForged && luck.next() < 0.5
  const plain = isMessage ? sampleBody({ ...draft, isJson: false }) : mark
  const echo = isSealed ? encryptMessage(keys[door], plain, randomBytesOf(luck, 16)) : mark
  const parts = isSealed ? [timestamp, nonce, echo] : [timestamp, nonce]
  const signature = signatureOf(isForged && !isMessage ? 'forgedToken' : token, ...parts)
  const parcel: Parcel = {
    method: 'GET',
    path: pathOf(door),
    query: [
      [isSealed ? 'msg_signature' : 'signature', signature],
      ['timestamp', timestamp],
      ['nonce', nonce],
      ['echostr', echo],
    ],
    headers: [],
    body: Buffer.alloc(0),
  }
  return {
    ...start(draft, isMessage ? 'a message as an echo' : 'verification'),
    expected: isForged ? 'refused' : 'answered',
    bytes: packParcel(parcel),
  }
}

/** The platform asks for the rest of an answer, here of one that was never begun. */
function poll(draft: Draft): Case {
  const body = Buffer.from(
    JSON.stringify({
      msgid: draft.id,
      aibotid: recipients.aibot,
      chattype: 'single',
      from: { userid: draft.sender },
      msgtype: 'stream',
      stream: { id: draft.mark },
    }),
  )
  const seal = sealOf(draft, encryptBody('aibot', body, randomBytesOf(draft.luck, 16)))
  return { ...start(draft, 'poll'), expected: 'answered', bytes: packParcel(sealedParcel(seal)) }
}

function start({ index, door, isForged }: Draft, what: string): Case {
  return {
    index,
    what: `${door}, ${isForged ? 'forged' : 'signed'}: ${what}`,
    door,
    bytes: Buffer.alloc(0),
    manner: { kind: 'kept' },
    isHead: false,
    expected: 'refused',
    keys: [],
    isRepeated: false,
  }
}

/** Puts a parcel on its way, now and then oddly. */
function sent(found: Case, parcel: Parcel, luck: Chance): Case {
  // 9 kB of signature do not fit beside the rest into what Node takes as a head
  const isLong = parcel.query.some(([, value]) => value.length > 300)
  if (luck.next() > 0.12)
    return { ...found, bytes: packParcel(parcel), manner: { kind: isLong ? 'alone' : 'kept' } }
  const odd = oddRequest(parcel, luck)
  const expected =
    found.expected === 'refused' || odd.effect === 'refused'
      ? 'refused'
      : odd.effect === 'perhaps'
        ? 'either'
        : found.expected
  return {
    ...found,
    what: `${found.what}; ${odd.what}`,
    bytes: odd.bytes,
    manner: isLong && odd.manner.kind === 'kept' ? { kind: 'alone' } : odd.manner,
    isHead: odd.isHead,
    expected,
    keys: expected === 'refused' ? [] : found.keys,
    isRepeated: found.isRepeated && odd.manner.kind === 'kept',
  }
}

/** What a body may be stored under: its message id, what an injury has made of that, or its hash. */
export function keysOf(id: string, body: Buffer): string[] {
  const text = body.toString('utf8')
  const hash = `hash:${createHash('sha256').update(text).digest('base64url')}`
  // a NUL and half a surrogate pair are left out by whoever wants to keep the text in a database
  const texts = text.length > 4000 ? [] : [text, text.replaceAll('\0', '')]
  const numbers = texts.flatMap(each => each.match(/\d+/g) ?? []).filter(number => number.length <= 20)
  const ids = new Set([id, ...numbers, ...texts.flatMap(robotIds)])
  return [hash, ...[...ids].map(each => `id:${each}`)]
}

/** A robot's message ids are texts. */
function robotIds(text: string): string[] {
  const values = text.matchAll(/"msgid"\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}]+)/g)
  return [...values].flatMap(([, value = '']) => {
    try {
      return [value, String(JSON.parse(value)).replaceAll('\0', '').toWellFormed()]
    } catch {
      return [value]
    }
  })
}
