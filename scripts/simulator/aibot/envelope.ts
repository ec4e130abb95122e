import { type CallbackKey, decryptMessage, encryptMessage, signatureOf } from '../crypto.ts'

export interface JsonEnvelope {
  query: URLSearchParams
  body: string
}

/**
 * Wraps a message of the chat robot: JSON around the ciphertext, the signature in the query.
 * @see developer.work.weixin.qq.com/document/path/101033
 */
export function sealJson(key: CallbackKey, message: object, timestamp: string, nonce: string): JsonEnvelope {
  const encrypt = encryptMessage(key, JSON.stringify(message))
  const signature = signatureOf(key.token, timestamp, nonce, encrypt)
  return {
    query: new URLSearchParams({ msg_signature: signature, timestamp, nonce }),
    body: JSON.stringify({ encrypt }),
  }
}

/** The query of the GET that checks the callback address. */
export function sealJsonEcho(
  key: CallbackKey,
  echo: string,
  timestamp: string,
  nonce: string,
): URLSearchParams {
  const echostr = encryptMessage(key, echo)
  return new URLSearchParams({
    msg_signature: signatureOf(key.token, timestamp, nonce, echostr),
    timestamp,
    nonce,
    echostr,
  })
}

function parseObject(source: string, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    throw new Error(`${what} is not JSON`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is not a JSON object`)
  return value as Record<string, unknown>
}

/**
 * Opens the answer to a callback of the chat robot.
 *
 * @param nonce the one of the callback's address, which the answer must repeat.
 * @returns undefined for an empty answer.
 * @throws Error saying what the platform would refuse: form, nonce, timestamp, signature, receive id.
 */
export function openJson(key: CallbackKey, nonce: string, body: string): Record<string, unknown> | undefined {
  if (body === '') return undefined
  const outer = parseObject(body, 'the answer')
  const { encrypt, msgsignature, timestamp } = outer
  if (typeof encrypt !== 'string' || encrypt === '') throw new Error('encrypt is missing')
  if (typeof msgsignature !== 'string') throw new Error('msgsignature is missing')
  if (typeof timestamp !== 'number' || !Number.isInteger(timestamp))
    throw new Error('timestamp is not an integer')
  if (outer.nonce !== nonce) throw new Error("nonce is not the callback's")
  if (msgsignature !== signatureOf(key.token, String(timestamp), nonce, encrypt))
    throw new Error('wrong signature')
  return parseObject(decryptMessage(key, encrypt), 'the encrypted answer')
}
