/**
 * Characters that people cannot see: zero-width ones, byte order marks, the direction marks of copied phone numbers; and
 * those that the database cannot keep (NUL, halves of a character).
 */
const INVISIBLE = /[\p{Cf}\p{Cs}\0]/gu

/** Most cells: nothing in them that could be cleaned away. */
const PLAIN = /^[\u4e00-\u9fff0-9A-Za-z·.,/-]*$/

/**
 * A cell as it was meant: no invisible characters, no wrapping that keeps a spreadsheet from reading a number
 * (`="138…"`, a leading apostrophe), runs of white space made one space, none at the ends.
 */
export function cleanCell(text: string): string {
  if (PLAIN.test(text)) return text
  const visible = text.replace(INVISIBLE, '').replace(/\s+/g, ' ').trim()
  return visible
    .replace(/^="(.*)"$/, '$1')
    .replace(/^['’]/, '')
    .trim()
}

/** For comparing words: full width made half width, no white space, lower case. */
export function foldWord(text: string): string {
  return cleanCell(text.normalize('NFKC')).replace(/\s+/g, '').toLowerCase()
}

/** Keeps the head and the tail of a value; the length stays as it is. */
export function maskMiddle(text: string, head: number, tail: number): string {
  const letters = [...text]
  const hidden = letters.length - head - tail
  if (hidden <= 0) return '*'.repeat(letters.length)
  return letters.map((letter, index) => (index < head || index >= head + hidden ? letter : '*')).join('')
}

/** 张志愿 as 张**. */
export function maskName(name: string): string {
  return maskMiddle(name, 1, 0)
}

/** Hides what may be a phone or an ID number (nine digits and more) in a text that should be something else. */
export function maskNumbers(text: string): string {
  return text.normalize('NFKC').replace(/(?:\d[ -]?){8,}[\dXx]/g, digits => maskMiddle(digits, 3, 2))
}
