import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomFillSync } from 'node:crypto'

/**
 * Encrypts personal data and secrets before they reach the database, and makes keyed indexes of them, so that an
 * exact value can be searched for without being stored in the clear.
 */
export interface Vault {
  /** `k1.<base64>`: key number, nonce, AES-256-GCM ciphertext and tag. The same text gives another result each time. */
  seal(text: string): string
  /** @throws Error when the value was altered or sealed with another key. */
  open(sealed: string): string
  /** A keyed index (HMAC-SHA-256, 128 bits in base64url) of `value` within `field`: equal values give equal indexes. */
  index(field: IndexField, value: string): string
}

export type IndexField =
  | 'phone'
  | 'id-number'
  | 'id-tail'
  | 'wechat'
  | 'binding-code'
  | 'page-token'
  | 'session'
  | 'sign-in-link'
  | 'form'
  | 'api-token'

const NONCE_BYTES = 12
/** Always the full tag: the cipher would take a cut one, which is easier to forge. */
const TAG_BYTES = 16
/** Names the key in what is sealed, so that keys can be rotated later. */
const KEY_NUMBER = 'k1'

/** @param dataKey 32 bytes in base64 (the setting `DATA_KEY`); separate keys are derived for sealing and indexing. */
export function createVault(dataKey: string): Vault {
  const root = Buffer.from(dataKey, 'base64')
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', root, 'qunzhen', purpose, 32))
  const sealingKey = derive('seal')
  const indexKey = derive('index')
  const nextNonce = noncesFrom(Buffer.alloc(NONCE_BYTES * 512))
  return {
    seal(text) {
      const nonce = nextNonce()
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce)
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${KEY_NUMBER}.${body.toString('base64')}`
    },
    open(sealed) {
      const [keyNumber, encoded] = sealed.split('.', 2)
      if (keyNumber !== KEY_NUMBER || !encoded) throw new Error('vault: sealed with an unknown key')
      const body = Buffer.from(encoded, 'base64')
      if (body.length < NONCE_BYTES + TAG_BYTES) throw new Error('vault: too short')
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, body.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAuthTag(body.subarray(-TAG_BYTES))
      return Buffer.concat([
        decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)),
        decipher.final(),
      ]).toString('utf8')
    },
    index(field, value) {
      return createHmac('sha256', indexKey)
        .update(`${field}\0${value}`)
        .digest()
        .subarray(0, 16)
        .toString('base64url')
    },
  }
}

/** Random nonces, drawn many at a time: a call for each costs more than sealing a short text. */
function noncesFrom(pool: Buffer): () => Buffer {
  let used = pool.length
  return () => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    used += NONCE_BYTES
    return pool.subarray(used - NONCE_BYTES, used)
  }
}
