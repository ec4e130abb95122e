import { Converter } from 'opencc-js/t2cn'
import { nameTables } from './name-tables.ts'

const toSimplified = Converter({ from: 't', to: 'cn' })
/** Digits of Arabic (Uyghur, Kazakh), Tibetan and Mongolian script; in each block the last four bits are the value. */
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\u0f20-\u0f29\u1810-\u1819]/g

const simplifiedOf = new Map<string, string>()

/** One character in its simplified form; opencc works on phrases and is slow, so each character is asked for once. */
function simplify(character: string): string {
  const known = simplifiedOf.get(character)
  if (known !== undefined) return known
  const simplified: string = toSimplified(character)
  simplifiedOf.set(character, simplified)
  return simplified
}

const INVISIBLE =
  /\p{Cf}|\u034f|[\u115f\u1160\u17b4\u17b5\u3164\uffa0]|[\ufe00-\ufe0f]|\u20e3|[\u{e0100}-\u{e01ef}]/gu
const BLOCK_TAG = /<\/?(?:br|p|div|li|ul|ol|tr|td|th|table|h[1-6])\b[^<>]*>|<\|[^<>]{0,40}\|>/gi
const INLINE_TAG = /<\/?[a-z][^<>]{0,80}>/gi
const STICKER = /\[(\p{Script=Han}{1,4})\]/gu
const spellings = new Set([...nameTables.rareSpellings.values()].flat())
const EMOJI = /\p{Extended_Pictographic}|[\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}]/gu
const BOLD = /\*\*([^*\n]{1,40})\*\*/g
/** One circled or bracketed number by itself counts a list (①张伟②…); several in a row are a number. */
const ENUMERATOR =
  /(?<![\u2460-\u249b\u24ea\u2776-\u2793])[\u2460-\u249b\u24ea\u2776-\u2793](?![\u2460-\u249b\u24ea\u2776-\u2793])/gu
const ENTITIES: Record<string, string> = {
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  middot: '·',
}

function decodeEntity(whole: string, body: string): string {
  if (!body.startsWith('#')) return ENTITIES[body.toLowerCase()] ?? whole
  const code = /^#x/i.test(body) ? Number.parseInt(body.slice(2), 16) : Number.parseInt(body.slice(1), 10)
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ' '
}

/**
 * Brings a typed text to one form: half width, simplified characters, one kind of middle dot, no HTML, stickers, emoji,
 * keycaps or invisible characters. Words and their order stay; nothing is judged here.
 */
export function cleanText(text: string): string {
  return Array.from(ONLY_HAN.test(text) ? text : plainText(text), simplify).join('')
}

/** Most names: nothing in them but the form of a character could be another. */
const ONLY_HAN = /^[\u4e00-\u9fff]*$/

function plainText(text: string): string {
  return (
    text
      .replace(/&(#x?[0-9a-f]{1,6}|[a-z]{2,6});/gi, decodeEntity)
      .replace(BLOCK_TAG, '\n')
      .replace(INLINE_TAG, '')
      .replace(INVISIBLE, '')
      .replace(ENUMERATOR, '\n')
      .replace(BOLD, '$1')
      // before NFKC, which would turn an ellipsis into three full stops and those into middle dots
      .replace(/[…⋯]+/g, ',')
      .normalize('NFKC')
      .replace(OTHER_DIGITS, digit => String(digit.charCodeAt(0) & 0xf))
      // [抱拳] is a sticker, 钱[氵恬] a character typed in parts
      .replace(STICKER, (_whole, inner: string) => (spellings.has(inner) ? `(${inner})` : ' '))
      .replace(EMOJI, ' ')
      .replace(/\r\n?/g, '\n')
      .replace(/[、]/g, ',')
      .replace(/[。｡]/g, '。')
      .replace(/[×✕✖Ⅹ]/g, 'X')
  )
}
