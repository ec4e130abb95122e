import type { UpdateBase } from '../channel.ts'
import type { SealedReply } from './seal.ts'

/** The XML of a passive text reply, from whom the update was for to whom it came from. */
export function textReplyXml({ address, recipient }: UpdateBase, text: string, now: Date): string {
  return (
    `<xml><ToUserName>${cdata(address)}</ToUserName><FromUserName>${cdata(recipient)}</FromUserName>` +
    `<CreateTime>${seconds(now)}</CreateTime><MsgType><![CDATA[text]]></MsgType>` +
    `<Content>${cdata(text)}</Content></xml>`
  )
}

/** The same for an account that is pushed JSON. */
export function textReplyJson({ address, recipient }: UpdateBase, text: string, now: Date): string {
  return JSON.stringify({
    ToUserName: address,
    FromUserName: recipient,
    CreateTime: seconds(now),
    MsgType: 'text',
    Content: legal(text),
  })
}

/** The encrypted and signed body around a passive reply. */
export function sealedXml({ encrypted, signature, timestamp, nonce }: SealedReply): string {
  return (
    `<xml><Encrypt><![CDATA[${encrypted}]]></Encrypt><MsgSignature><![CDATA[${signature}]]></MsgSignature>` +
    `<TimeStamp>${timestamp}</TimeStamp><Nonce><![CDATA[${nonce}]]></Nonce></xml>`
  )
}

export function sealedJson({ encrypted, signature, timestamp, nonce }: SealedReply): string {
  return JSON.stringify({ Encrypt: encrypted, MsgSignature: signature, TimeStamp: timestamp, Nonce: nonce })
}

function seconds(now: Date): number {
  return Math.floor(now.getTime() / 1000)
}

/** A CDATA end within the text is split in two. */
function cdata(text: string): string {
  const held = legal(text)
  return `<![CDATA[${held.includes(']]>') ? held.replaceAll(']]>', ']]]]><![CDATA[>') : held}]]>`
}

/** Characters that XML holds, pairs of surrogates left aside. */
const ORDINARY = /^[\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd]*$/

/** Line ends and tabs stay; what XML cannot hold goes: one control character would make the whole reply unreadable. */
export function legal(text: string): string {
  // nearly every text: looking for what it must not hold takes twenty times as long
  if (ORDINARY.test(text)) return text
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '').toWellFormed()
}
