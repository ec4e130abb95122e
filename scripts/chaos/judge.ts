import { decryptMessage, signatureOf } from '../simulator/crypto.ts'
import { parseXml, textOf } from '../simulator/xml.ts'
import type { Case } from './cases.ts'
import { type DoorName, keys } from './doors.ts'
import type { WireResponse } from './http-response.ts'
import type { Outcome } from './wire.ts'

/** What is wrong with how a request was answered; null: nothing. */
export function faultOf(each: Case, outcome: Outcome): string | null {
  if (typeof outcome === 'string') {
    const mayGoWithout = each.manner.kind === 'alone' || each.manner.kind === 'cut'
    return mayGoWithout ? null : `no answer: ${outcome}`
  }
  const { status } = outcome
  if (status >= 500) return `status ${status}`
  const isTaken = status === 200
  // what has lost its path asks for the first page, which is for people
  const isSentAway = status === 303 && outcome.headers.get('location') === '/sign-in'
  if (!isTaken && !isSentAway && !(status >= 400 && status < 500)) return `status ${status}`
  if (isTaken && each.expected === 'refused') return 'taken, though it is not to be'
  if (!isTaken && ['stored', 'answered'].includes(each.expected)) return `refused with ${status}`
  return each.isHead || isSentAway ? null : (isTaken ? answerFault : refusalFault)(each.door, outcome)
}

/** An answer is a passive reply, the platform's empty word, or an echo. */
function answerFault(door: DoorName, { body }: WireResponse): string | null {
  const text = body.toString('utf8')
  if (text === '' || text === 'success') return null
  try {
    if (text.startsWith('<')) return xmlFault(door, text)
    if (text.startsWith('{')) return jsonFault(door, text)
  } catch (error) {
    return `an answer that cannot be read: ${(error as Error).message}`
  }
  return /^signed-[\w-]+$/.test(text) ? null : `an odd answer: ${text.slice(0, 80)}`
}

function xmlFault(door: DoorName, text: string): string | null {
  const outer = parseXml(text)
  const encrypted = textOf(outer, 'Encrypt')
  // plain mode answers in the clear
  if (encrypted === undefined)
    return textOf(outer, 'MsgType') === undefined ? 'an answer without a type' : null
  const signature = signatureOf(
    keys[door].token,
    textOf(outer, 'TimeStamp') ?? '',
    textOf(outer, 'Nonce') ?? '',
    encrypted,
  )
  if (signature !== textOf(outer, 'MsgSignature')) return 'an answer that is wrongly signed'
  const inner = decryptMessage(keys[door], encrypted)
  if (inner.startsWith('{'))
    return JSON.parse(inner).MsgType === undefined ? 'an answer without a type' : null
  return textOf(parseXml(inner), 'MsgType') === undefined ? 'an answer without a type' : null
}

function jsonFault(door: DoorName, text: string): string | null {
  const outer = JSON.parse(text) as Record<string, unknown>
  const encrypted = outer.encrypt ?? outer.Encrypt
  if (typeof encrypted !== 'string') return outer.MsgType === undefined ? 'an answer without a type' : null
  const signature = signatureOf(
    keys[door].token,
    String(outer.timestamp ?? outer.TimeStamp),
    String(outer.nonce ?? outer.Nonce),
    encrypted,
  )
  if (signature !== (outer.msgsignature ?? outer.MsgSignature)) return 'an answer that is wrongly signed'
  const inner = decryptMessage(keys[door], encrypted)
  if (inner.startsWith('<')) return textOf(parseXml(inner), 'MsgType') === undefined ? 'no type' : null
  const { msgtype, MsgType } = JSON.parse(inner) as { msgtype?: unknown; MsgType?: unknown }
  return (msgtype ?? MsgType) === undefined ? 'an answer without a type' : null
}

/** A refusal is short JSON that says nothing of what was wrong inside. */
function refusalFault(_door: DoorName, { body, headers }: WireResponse): string | null {
  if (body.length > 1000) return `a refusal of ${body.length} bytes`
  if (!headers.get('content-type')?.startsWith('application/json'))
    return body.length === 0 ? null : `a refusal that is no JSON: ${body.toString('latin1').slice(0, 80)}`
  try {
    const refusal = JSON.parse(body.toString('utf8')) as Record<string, unknown>
    return 'stack' in refusal ? 'a refusal with a stack' : null
  } catch {
    return `a refusal that is no JSON: ${body.toString('latin1').slice(0, 80)}`
  }
}
