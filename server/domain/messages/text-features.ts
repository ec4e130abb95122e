/**
 * What the linear models see of a message: its character n-grams and a few marks of its form.
 * Training and use share this file, so a change here asks for `node scripts/train-classifier.ts`.
 */

/** A message prepared for n-grams. */
export interface PreparedText {
  original: string
  /** The prepared signs, between a sign for the start and one for the end. */
  codes: Uint16Array
  /** Marks of its form, such as `¤链接`. */
  marks: readonly string[]
}

export type FeatureVisitor = (feature: string, from: number, to: number) => void

/** Marks start with a sign that prepared text never holds, so they cannot collide with an n-gram. */
export const MARK = '¤'

const MAX_PREPARED = 600
const START = 0x5e
const END = 0x24
const SPACE = 0x20
const ZERO = 0x30
/** ☺ stands for every emoji and every character outside the basic plane. */
const SYMBOL = 0x263a

/** How many places there are in a table of characters that may share them. */
export const PLACES = 4096

/** The place of a character in such a table. */
export const placeOf = (code: number) => code & (PLACES - 1)

const FIRST_WIDE = 0xff01
/** The half-width twins of the full-width signs. */
const NARROW = Array.from({ length: 0x5e }, (_, place) => String.fromCharCode(0x21 + place))

/** Full-width letters, digits and signs as half-width ones; every place in the text stays the same. */
export function foldWidth(text: string): string {
  let folded = ''
  let kept = 0
  for (let at = 0; at < text.length; at++) {
    const place = text.charCodeAt(at) - FIRST_WIDE
    if (place < 0 || place >= NARROW.length) continue
    folded += text.slice(kept, at) + NARROW[place]
    kept = at + 1
  }
  return kept === 0 ? text : folded + text.slice(kept)
}

let last: PreparedText | undefined

/**
 * Folds what makes no difference: full width to half width, case, runs of spaces, emoji (one sign), and digits
 * (a run becomes one to three zeros, so that prices look alike and long numbers differ from short ones). What
 * follows the first 600 signs is left out. Both models ask for the same message in turn, so the last one is kept.
 */
export function prepareText(original: string): PreparedText {
  if (last?.original === original) return last
  last = { original, codes: foldSigns(original, null), marks: formMarks(original) }
  return last
}

const room = new Uint16Array(MAX_PREPARED + 2)

/** @param starts gets where each of the signs begins in the original */
function foldSigns(original: string, starts: number[] | null): Uint16Array {
  room[0] = START
  let length = 1
  let index = 0
  while (index < original.length && length < MAX_PREPARED) {
    const begin = index
    const folded = FOLDED[original.charCodeAt(index)] as number
    index += 1
    let repeats = 1
    let sign = folded
    if (isDigit(folded)) {
      while (index < original.length && isDigit(FOLDED[original.charCodeAt(index)] as number)) index += 1
      sign = ZERO
      repeats = index - begin > 4 ? 3 : index - begin > 2 ? 2 : 1
    } else if (folded >= 0xd800 && folded <= 0xdfff) {
      if (folded < 0xdc00) index += 1
      sign = SYMBOL
      if (room[length - 1] === SYMBOL) continue
    } else if (folded === 0x200d || folded === 0xfe0f || (folded === SPACE && room[length - 1] === SPACE)) {
      continue
    }
    for (let copy = 0; copy < repeats && length < MAX_PREPARED; copy++) {
      if (starts) starts[length] = begin
      room[length++] = sign
    }
  }
  if (starts) starts[length] = index
  room[length++] = END
  return room.slice(0, length)
}

/** What every character is folded to. */
const FOLDED = Uint16Array.from({ length: 65536 }, (_, code) => foldCode(code))

function foldCode(code: number): number {
  let folded = code
  if (folded >= 0xff01 && folded <= 0xff5e) folded -= 0xfee0
  if (folded >= 65 && folded <= 90) return folded + 32
  if (folded === 0x3000 || folded === 9 || folded === 10 || folded === 13 || folded === 0xa0) return 32
  return folded
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Calls `visit` for every n-gram of 1 to `longest` characters; repeats are visited again. */
export function visitNgrams(prepared: PreparedText, longest: number, visit: FeatureVisitor): void {
  const text = String.fromCharCode(...prepared.codes)
  for (let from = 0; from < text.length; from++) {
    const limit = Math.min(text.length, from + longest)
    for (let to = from + 1; to <= limit; to++) visit(text.slice(from, to), from, to)
  }
}

/** Name, pattern, and the signs of which the pattern needs one: a message without them is not searched. */
const FORM_MARKS: readonly (readonly [string, RegExp, string])[] = [
  ['链接', /^\s*\[链接\]|https?:\/\//u, '[:'],
  ['文件', /^\s*\[文件\]|\.(?:docx?|xlsx?|pdf|pptx?|zip|rar|wps|et|csv)\s*$/iu, '[.'],
  ['小程序', /^\s*\[小程序\]/u, '['],
  ['标题', /^\s*【[^】]{2,20}】/u, '【'],
  ['书名', /《[^》]{2,40}》/u, '《'],
  ['文号', /〔\d{4}〕\s*\d+\s*号|\[\d{4}\]\s*\d+\s*号/u, '号'],
  ['第几条', /第[一二三四五六七八九十百零\d]+条/u, '第'],
  ['问句', /[吗呢嘛不][。!\s]*$|\?/u, '吗呢嘛不?'],
  ['感叹', /!/u, '!'],
  ['话题', /#[^#\s]{2,}|接龙/u, '#龙'],
  ['点名', /@/u, '@'],
  ['换行', /\n.*\n/u, '\n'],
  [
    '单价',
    /\d\s*(?:元|块|毛)?\s*(?:[/一每]\s*)(?:斤|公斤|吨|亩|头|只|棒|株|个月|月|天|小时|盒|箱)/u,
    '/一每',
  ],
  ['时刻', /\d{1,2}:\d{2}|[上下]午|\d点/u, ':午点'],
  ['日期', /\d{1,2}月\d{1,2}日/u, '月'],
  ['手机号', /(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)/u, '1'],
  ['座机', /(?<!\d)0[\d×xX]{2,3}[-—]\d{6,8}(?!\d)/u, '-—'],
  ['热线', /(?<!\d)(?:12345|12355|12333|12348|12315|12328|12123|12306|95598|96110|12393|12366)(?!\d)/u, '19'],
  ['急救电话', /(?<!\d)(?:110|119|120)(?!\d)/u, '1'],
]
const PUNCTUATION = ',。!?、;:.'
const PUNCTUATED = /[,。!?、;:.，！？；：．]/u
const PUNCTUATION_BIT = 1 << FORM_MARKS.length

/**
 * For every half-width character the patterns it makes worth a search, one bit each. Characters share a place: one search
 * too many costs less than a table that does not stay in the cache.
 */
const GATES = new Uint32Array(PLACES)
for (const [place, [, , signs]] of FORM_MARKS.entries()) openGates(signs, 1 << place)
openGates(PUNCTUATION, PUNCTUATION_BIT)

function openGates(signs: string, bit: number): void {
  for (const sign of signs) {
    const code = sign.charCodeAt(0)
    openGate(code, bit)
    // The full-width twin is folded before the search.
    if (code > 32 && code < 127) openGate(code + 0xfee0, bit)
  }
}

function openGate(code: number, bit: number): void {
  GATES[placeOf(code)] = (GATES[placeOf(code)] as number) | bit
}

/** Marks of the form of a message, such as `¤链接` or `¤长60`. */
function formMarks(original: string): string[] {
  let open = 0
  for (let at = 0; at < original.length; at++) open |= GATES[placeOf(original.charCodeAt(at))] as number
  const marks: string[] = []
  if ((open & ~PUNCTUATION_BIT) !== 0) {
    const folded = foldWidth(original)
    for (let place = 0; place < FORM_MARKS.length; place++) {
      const [name, pattern] = FORM_MARKS[place] as (typeof FORM_MARKS)[number]
      if ((open & (1 << place)) !== 0 && pattern.test(folded)) marks.push(MARK + name)
    }
  }
  const size = original.length
  marks.push(
    `${MARK}长${size <= 8 ? 8 : size <= 16 ? 16 : size <= 30 ? 30 : size <= 60 ? 60 : size <= 120 ? 120 : 999}`,
  )
  const isPunctuated = (open & PUNCTUATION_BIT) !== 0 && PUNCTUATED.test(original)
  if (size > 14 && !isPunctuated) marks.push(`${MARK}无标点`)
  return marks
}

/** The stretch of the original message that prepared characters `from` to `to` came from. */
export function originalSpan(
  { original, codes }: PreparedText,
  from: number,
  to: number,
): { index: number; length: number } {
  // asked for a few alerts only, so that every other message need not note it
  const starts: number[] = []
  foldSigns(original, starts)
  const first = Math.max(from, 1)
  const last = Math.min(to, codes.length - 1)
  const index = starts[first] ?? 0
  let end = starts[last] ?? original.length
  // A run of digits is one stretch: it ends where the next other character begins.
  for (let next = last; end <= index && next < codes.length; next++) end = starts[next] ?? original.length
  return { index, length: Math.max(0, end - index) }
}
