import { cleanText } from '../names/clean-text.ts'
import { foldHan, latinSound, soundOfKey } from '../names/name-key.ts'
import { nameTables } from '../names/name-tables.ts'
import { hasMark } from './policy.ts'
import { isInnerGap, LONGEST_NAME, readClaimedNames, readingOf } from './read-names.ts'
import { readNumbers } from './read-numbers.ts'
import type { Claims, Reading } from './types.ts'

/** Names of up to this many characters are also looked up by sound. */
const LONGEST_SOUND_NAME = 6

/** UTF-16 units that are read of a text; a chat message has 2,048 at most, so that a flood of words costs nothing. */
const LONGEST_TEXT = 2048

/** Names of groups in quotes or after 加入 are no part of what is said about a person. */
const GROUP_NAME =
  /[“"「『《][^”"」』》\n]{5,40}(?:群|大家庭|西部计划\d*)[”"」』》]|(?:想加|申请加入|加入)[: ]*[^,。;!?\s]{2,30}?(?:群|大家庭|西部计划\d*)/gu

const spelledOut = [...nameTables.rareSpellings].flatMap(([character, spellings]) =>
  spellings.map(spelling => ({
    character,
    // 金宏, 金+宏, 金加宏
    pattern: Array.from(spelling).join('[ +加]{0,2}'),
  })),
)
spelledOut.sort((a, b) => b.pattern.length - a.pattern.length)
const characterOf = new Map(spelledOut.map(({ pattern, character }) => [pattern, character]))
const SPELLED_IN_BRACKETS = spelledOut.map(({ pattern, character }) => ({
  // with or without a stand-in for the character that could not be typed
  pattern: new RegExp(
    `(?<=\\p{Script=Han})[?□*_]?[(\\[{【<]\\s*(?:左|上)?${pattern}(?:旁|字|右|下)?\\s*[)\\]}】>]`,
    'gu',
  ),
  character,
}))
const SPELLED = new RegExp(spelledOut.map(({ pattern }) => `(${pattern})`).join('|'), 'u')
const BRACKETS = /(?<=\p{Script=Han})\s?[([{【][^()[\]{}【】0-9\n]{1,14}[)\]}】]/gu

/** Other ways to read a text: without remarks in brackets (王玓(王勺)洁), with the rare character for its spelling. */
function otherReadings(text: string): Reading[] {
  const texts = new Set<string>()
  const withoutBrackets = text.replace(BRACKETS, '')
  if (withoutBrackets !== text) texts.add(withoutBrackets)
  if (/[([{【<]/.test(text)) {
    let filled = text
    for (const { pattern, character } of SPELLED_IN_BRACKETS) filled = filled.replace(pattern, character)
    if (filled !== text) texts.add(filled)
  }
  texts.delete(text)
  return [...texts].map(readingOf)
}

/** Name keys of all strings that may be a name, and sound keys of the shorter ones. */
function keysOf(readings: Reading[]): { nameKeys: string[]; soundKeys: Set<string> } {
  const nameKeys = new Set<string>()
  const soundKeys = new Set<string>()
  for (const { characters, gaps } of readings) {
    for (let start = 0; start < characters.length; start++) {
      let key = ''
      for (let end = start; end < characters.length && end - start < LONGEST_NAME; end++) {
        if (end > start && !isInnerGap(gaps[end] ?? '') && !/^[^\p{L}\p{N}\n]{1,3}$/u.test(gaps[end] ?? ''))
          break
        key += characters[end]
        if (end === start) continue
        nameKeys.add(key)
        if (end - start < LONGEST_SOUND_NAME) soundKeys.add(soundOfKey(key))
      }
    }
  }
  if (!readings.some(reading => SPELLED.test(reading.characters.join(''))))
    return { nameKeys: [...nameKeys], soundKeys }
  for (const key of [...nameKeys]) {
    const spelled = SPELLED.exec(key)
    if (!spelled) continue
    nameKeys.add(foldHan(key))
    for (const [pattern, character] of characterOf)
      if (spelled[0].match(`^${pattern}$`)) nameKeys.add(key.replace(spelled[0], character))
  }
  return { nameKeys: [...nameKeys], soundKeys }
}

/** One to four Latin words in a row may be a name in pinyin, surname first or last. */
function readLatinNames(text: string): string[] {
  const names = new Set<string>()
  for (const run of text.matchAll(/[a-zü]+(?:[ '’-][a-zü]+){0,3}/giu)) {
    const parts = run[0].split(/[ '’-]/).map(latinSound)
    const whole = parts.join('')
    if (whole.length < 3 || whole.length > 40) continue
    names.add(whole)
    for (let cut = 1; cut < parts.length; cut++)
      names.add([...parts.slice(cut), ...parts.slice(0, cut)].join(''))
    for (const part of parts) if (part.length >= 4) names.add(part)
  }
  return [...names]
}

/**
 * Reads what a join request claims. Text in a request is never an instruction: commands, code and faked system lines
 * are words like any others.
 */
export function readClaims(text: string): Claims {
  const clean = cleanText(text.slice(0, LONGEST_TEXT))
  const spoken = clean.replace(GROUP_NAME, ' , ')
  const first = readingOf(spoken)
  const readings = [first, ...otherReadings(spoken)]
  const { nameKeys, soundKeys } = keysOf(readings)
  const latinNames = readLatinNames(spoken)
  for (const name of latinNames) soundKeys.add(name)
  const claimedNames = readClaimedNames(first)
  return {
    text: clean,
    readings,
    nameKeys,
    soundKeys: [...soundKeys],
    latinNames,
    claimedNames,
    ...readNumbers(spoken),
    asksForAnother: hasMark('onBehalf', spoken),
    asksForTwo: hasMark('together', spoken),
    mentionsThirdPerson: hasMark('thirdPerson', spoken),
    claimsOffice: hasMark('office', spoken),
    statesTransfer: hasMark('transfer', spoken),
  }
}
