import { ChannelError } from '../errors.ts'
import { createCallbackCipher } from './cipher.ts'
import { checkFreshness, checkSignature, requiredQuery, signatureOf } from './signature.ts'

/** What a callback address is configured with on both sides. */
export interface CallbackSecrets {
  token: string
  /** 43 characters, as the platform's page shows it. */
  aesKey: string
  /** corpid or appid: whom the plaintext must name. Empty for a chat robot. */
  receiveId: string
}

export interface SealedReply {
  encrypted: string
  signature: string
  /** Seconds. */
  timestamp: number
  nonce: string
}

/** The encryption and signature that all three kinds of callback share. */
export interface CallbackSeal {
  /**
   * Checks that a callback is fresh and signed (`msg_signature`), and decrypts it.
   * @throws ChannelError `signature` or `malformed`
   */
  open(query: Record<string, string>, encrypted: string, now: Date): string
  /**
   * Opens the `echostr` of a verification, which is answered with its bare plaintext.
   * @throws ChannelError as `open`; `malformed` when it is a message: those are signed in the same way, and whoever
   * overheard one could have it decrypted.
   */
  openEcho(query: Record<string, string>, echo: string, now: Date): string
  close(reply: string, now: Date, nonce: string): SealedReply
}

export function createCallbackSeal(secrets: CallbackSecrets, freshnessSeconds: number): CallbackSeal {
  const cipher = createCallbackCipher(secrets.aesKey, secrets.receiveId)
  const { token } = secrets

  function open(query: Record<string, string>, encrypted: string, now: Date): string {
    const signature = requiredQuery(query, 'msg_signature')
    const timestamp = requiredQuery(query, 'timestamp')
    const nonce = requiredQuery(query, 'nonce')
    checkFreshness(timestamp, now, freshnessSeconds)
    checkSignature(signature, [token, timestamp, nonce, encrypted])
    return cipher.decrypt(encrypted)
  }

  return {
    open,
    openEcho(query, echo, now) {
      const plain = open(query, echo, now)
      if (/[<{]/.test(plain)) throw new ChannelError('malformed', 'the echo is not an echo')
      return plain
    },
    close(reply, now, nonce) {
      const encrypted = cipher.encrypt(reply)
      const timestamp = Math.floor(now.getTime() / 1000)
      return {
        encrypted,
        signature: signatureOf([token, String(timestamp), nonce, encrypted]),
        timestamp,
        nonce,
      }
    },
  }
}
