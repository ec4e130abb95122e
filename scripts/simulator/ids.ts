const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Ids and chance from one seed, so that a run can be repeated. */
export interface Ids {
  /** 0 ≤ number < 1. */
  random(): number
  letters(length: number): string
  /** A 64-bit number as text, beyond 2^53 and never the same twice: what the platforms use for MsgId. */
  bigNumber(): string
  counter(): number
}

export function seededIds(seed: number): Ids {
  let state = seed >>> 0
  let count = 0
  let messages = 0n
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return {
    random,
    letters(length) {
      let text = ''
      for (let index = 0; index < length; index += 1) text += LETTERS[Math.floor(random() * LETTERS.length)]
      return text
    },
    bigNumber() {
      messages += 1n
      // the low bits differ only there: a client that reads it as a double sees the same number again and again
      return ((1n << 62n) + (BigInt(seed >>> 0) << 29n) + messages).toString()
    },
    counter() {
      count += 1
      return count
    },
  }
}
