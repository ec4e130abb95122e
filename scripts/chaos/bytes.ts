import type { Chance } from '../demo/chance.ts'

/** Bytes that mean something to somebody on the way: NUL, line ends, quotes, brackets, escapes, broken UTF-8. */
const odd = [0x00, 0x0a, 0x0d, 0x1b, 0x22, 0x25, 0x26, 0x27, 0x2b, 0x3b, 0x3c, 0x3e, 0x5b, 0x5c, 0x5d, 0x7b]
const broken = ['c080', 'eda080', 'edbfbf', 'f4908080', 'fffe', 'efbfbe', 'e4b8', 'efbbbf'].map(hex =>
  Buffer.from(hex, 'hex'),
)

/** One to three small injuries to bytes. Never returns the same bytes. */
export function injured(bytes: Buffer, luck: Chance): Buffer {
  let result = bytes
  for (let count = luck.between(1, 3); count > 0 || result.equals(bytes); count--)
    result = luck.pick(injuries)(result, luck)
  return result
}

const injuries: readonly ((bytes: Buffer, luck: Chance) => Buffer)[] = [
  function flip(bytes, luck) {
    if (bytes.length === 0) return Buffer.from([luck.between(0, 255)])
    const copy = Buffer.from(bytes)
    const at = luck.between(0, bytes.length - 1)
    copy[at] = (copy[at] as number) ^ (1 << luck.between(0, 7))
    return copy
  },
  function replace(bytes, luck) {
    if (bytes.length === 0) return Buffer.from([luck.pick(odd)])
    const copy = Buffer.from(bytes)
    copy[luck.between(0, bytes.length - 1)] = luck.pick(odd)
    return copy
  },
  function insert(bytes, luck) {
    const what = luck.next() < 0.5 ? Buffer.from([luck.pick(odd)]) : luck.pick(broken)
    const at = luck.between(0, bytes.length)
    return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)])
  },
  function remove(bytes, luck) {
    const [from, to] = span(bytes, luck)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  function duplicate(bytes, luck) {
    const [from, to] = span(bytes, luck)
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
  },
  function swap(bytes, luck) {
    const [from, to] = span(bytes, luck)
    const middle = Math.floor((from + to) / 2)
    return Buffer.concat([
      bytes.subarray(0, from),
      bytes.subarray(middle, to),
      bytes.subarray(from, middle),
      bytes.subarray(to),
    ])
  },
  function cutOff(bytes, luck) {
    return bytes.subarray(0, luck.between(0, bytes.length))
  },
]

/** A stretch of at most 40 bytes. */
function span(bytes: Buffer, luck: Chance): [from: number, to: number] {
  const from = luck.between(0, Math.max(0, bytes.length - 1))
  return [from, Math.min(bytes.length, from + luck.between(1, 40))]
}

export function randomBytesOf(luck: Chance, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => luck.between(0, 255)))
}

/** Text with one character changed into another of `alphabet`. */
export function misspelt(text: string, luck: Chance, alphabet: string): string {
  const at = luck.between(0, text.length - 1)
  const others = [...alphabet].filter(character => character !== text[at])
  return text.slice(0, at) + luck.pick(others) + text.slice(at + 1)
}
