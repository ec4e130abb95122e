import { createCipheriv, createDecipheriv, hash, hkdfSync, randomFillSync } from 'node:crypto'

/**
 * Encrypts personal data and secrets before they reach the database, and makes keyed indexes of them, so that an
 * exact value can be searched for without being stored in the clear.
 *
 * There is one current key, and others while keys are being changed (docs/operations.md): everything is written with the
 * current one and read with any of them.
 */
export interface Vault {
  /**
   * `k1a2b3c4d.<base64>`: the key's name, then nonce, AES-256-GCM ciphertext and tag. The same text gives another result
   * each time.
   */
  seal(text: string): string
  /** @throws Error when the value was altered or sealed with a key that is not among these. */
  open(sealed: string): string
  /**
   * A keyed index (HMAC-SHA-256, 128 bits in base64url) of `value` within `field`: equal values give equal indexes. It is
   * what is stored; what is stored already is looked up by all of `indexes`.
   */
  index(field: IndexField, value: string): string
  /** The index under every key, the current one first: while keys are changed a row may hold either. */
  indexes(field: IndexField, value: string): string[]
  /** What stands in front of everything that the current key has sealed, with its dot: tells in SQL what is of another. */
  readonly currentPrefix: string
  /** The name of the current key, and of the others. A name is made from its key, so that no order can be mistaken. */
  readonly keyNames: readonly string[]
  /** What `createVault` was given, for a thread that seals on its own. Not to be seen where a vault is printed. */
  readonly madeFrom: readonly [dataKey: string, others: readonly string[]]
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
/** What was sealed before keys had names: any key may have done it, and the tag says which. */
const NAMELESS = 'k1'
const INDEX_BYTES = 16
/** HMAC (RFC 2104) over the blocks of SHA-256. */
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

interface Key {
  name: string
  sealing: Buffer
  index(field: IndexField, value: string): string
}

/**
 * @param dataKey 32 bytes in base64 (the setting `DATA_KEY`); separate keys are derived for sealing and indexing
 * @param others keys that still open what they have sealed (`DATA_KEYS_OTHER`)
 */
export function createVault(dataKey: string, others: readonly string[] = []): Vault {
  const keys = [...new Set([dataKey, ...others].map(canonical))].map(makeKey)
  const [current] = keys as [Key, ...Key[]]
  const byName = new Map(keys.map(key => [key.name, key]))
  const currentPrefix = `${current.name}.`
  const nextNonce = noncesFrom(Buffer.alloc(NONCE_BYTES * 512))
  const vault: Omit<Vault, 'madeFrom'> = {
    currentPrefix,
    keyNames: keys.map(key => key.name),
    seal(text) {
      const nonce = nextNonce()
      const cipher = createCipheriv('aes-256-gcm', current.sealing, nonce)
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return currentPrefix + body.toString('base64')
    },
    open(sealed) {
      const dot = sealed.indexOf('.')
      const name = sealed.slice(0, Math.max(dot, 0))
      const meant = name === NAMELESS ? keys : [byName.get(name)].filter(key => key !== undefined)
      if (meant.length === 0 || dot === sealed.length - 1)
        throw new Error('vault: sealed with an unknown key')
      const body = Buffer.from(sealed.slice(dot + 1), 'base64')
      if (body.length < NONCE_BYTES + TAG_BYTES) throw new Error('vault: too short')
      for (const key of meant.slice(0, -1)) {
        try {
          return opened(key, body)
        } catch {
          // another key has sealed it, or it was altered: the last one says so
        }
      }
      return opened(meant.at(-1) as Key, body)
    },
    index: current.index,
    indexes: (field, value) => keys.map(key => key.index(field, value)),
  }
  return Object.defineProperty(vault as Vault, 'madeFrom', { value: [dataKey, others], enumerable: false })
}

/** The name under which a key's values are known, such as `k1a2b3c4d`. Gives nothing of the key away. */
export function keyNameOf(dataKey: string): string {
  return `k${derived(Buffer.from(dataKey, 'base64'), 'name').toString('hex', 0, 4)}`
}

/** One key may be written in two ways: with `-_` or `+/`, with `=` or without. */
function canonical(dataKey: string): string {
  return Buffer.from(dataKey, 'base64').toString('base64')
}

function derived(root: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', root, 'qunzhen', purpose, 32))
}

function makeKey(dataKey: string): Key {
  const root = Buffer.from(dataKey, 'base64')
  const mac = macWith(derived(root, 'index'))
  return {
    name: keyNameOf(dataKey),
    sealing: derived(root, 'seal'),
    index: (field, value) => mac(`${field}\0${value}`),
  }
}

function opened(key: Key, body: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key.sealing, body.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(body.subarray(-TAG_BYTES))
  const text = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES))
  // throws when the tag does not fit; a stream cipher holds nothing back
  decipher.final()
  return text.toString('utf8')
}

/**
 * HMAC-SHA-256, cut to 128 bits: the same as `createHmac` (a test compares), whose object costs three times as much as
 * the two one-shot hashes that HMAC is. The blocks of the key are laid out once; calls do not overlap.
 */
function macWith(key: Buffer): (text: string) => string {
  let inner = Buffer.alloc(BLOCK_BYTES + 256, 0x36)
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c)
  for (const [at, byte] of key.entries()) {
    inner[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  return text => {
    // a character of UTF-16 is three bytes of UTF-8 at most
    const most = BLOCK_BYTES + text.length * 3
    if (most > inner.length) inner = Buffer.concat([inner.subarray(0, BLOCK_BYTES)], most)
    const end = BLOCK_BYTES + inner.write(text, BLOCK_BYTES, 'utf8')
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'binary')
    const digest = hash('sha256', outer, 'binary')
    return Buffer.from(digest.slice(0, INDEX_BYTES), 'binary').toString('base64url')
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
