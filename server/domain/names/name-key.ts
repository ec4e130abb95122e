import { pinyin } from 'pinyin-pro'
import { cleanText } from './clean-text.ts'
import { nameTables } from './name-tables.ts'

const HAN = /\p{Script=Han}/u

export function isHan(character: string): boolean {
  return HAN.test(character)
}

/** Spellings that repeat one character (吉吉, 牛牛牛): old systems write the rare character so, and real rosters do too. */
const repeated: [spelling: string, character: string][] = [...nameTables.rareSpellings].flatMap(
  ([character, spellings]) =>
    spellings
      .filter(spelling => new Set(spelling).size === 1)
      .map(spelling => [spelling, character] as [string, string]),
)
// 火火火火 before 火火火
repeated.sort((a, b) => b[0].length - a[0].length)

/** Han characters only, with repeated spellings folded. `text` must be clean already. */
export function foldHan(text: string): string {
  let folded = Array.from(text).filter(isHan).join('')
  for (const [spelling, character] of repeated) {
    if (folded.length > spelling.length && folded.includes(spelling))
      folded = folded.replaceAll(spelling, character)
  }
  return folded
}

/**
 * The form in which two spellings of one name are equal: simplified, without spaces, dots, brackets and invisible
 * characters, `吉吉` as `喆`. A name without Han characters is kept as lower-case letters.
 *
 * Stored next to each roster row and looked up by equality; changing it means filling that column again.
 */
export function nameKey(name: string): string {
  const clean = cleanText(name).replace(/\([^()]*\)/g, '')
  const folded = foldHan(clean)
  return folded === '' ? clean.toLowerCase().replace(/[^a-z]/g, '') : folded
}

const syllableOf = new Map<string, string>()

/** Toneless pinyin of one Han character, ü as u; what else it may be is kept. */
export function syllable(character: string): string {
  let sound = syllableOf.get(character)
  if (sound === undefined) {
    // a name's first character may have a reading of its own as a surname (单, 曾, 解)
    sound = isHan(character)
      ? pinyin(character, { toneType: 'none', mode: 'surname' }).replaceAll('ü', 'u').toLowerCase()
      : character
    syllableOf.set(character, sound)
  }
  return sound
}

/** Toneless syllables of a name key, ü as u. */
export function syllables(key: string): string[] {
  return Array.from(key, syllable)
}

/** Toneless pinyin without gaps (`张鑫` → `zhangxin`): equal for names that sound alike. Takes a name or a name key. */
export function soundKey(name: string): string {
  return syllables(nameKey(name)).join('')
}

/** Sound key of something that is a name key already; the hot path of reading a request. */
export function soundOfKey(key: string): string {
  let sound = ''
  for (const character of key) sound += syllable(character)
  return sound
}

/** Latin letters as typed in place of a name (`Lǚ Na`, `lvna`) in the form of a sound key. */
export function latinSound(letters: string): string {
  return letters
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replaceAll('v', 'u')
}

/**
 * All ways to write a name key: itself, and with its rare characters spelled out (`何𬭎`, `何金宏`, `何钅宏`).
 *
 * @returns the key first.
 */
export function spellingsOf(key: string): string[] {
  let forms = ['']
  for (const character of key) {
    const spellings = nameTables.rareSpellings.get(character)
    const choices = spellings ? [character, ...spellings] : [character]
    forms = forms.flatMap(form => choices.map(choice => form + choice))
  }
  return forms
}
