import { cleanText } from '../names/clean-text.ts'
import { foldHan, latinSound, syllable } from '../names/name-key.ts'
import { nameTables } from '../names/name-tables.ts'
import { hasMark } from './policy.ts'
import { isInnerGap, LONGEST_NAME, readClaimedNames, readingOf } from './read-names.ts'
import { readNumbers } from './read-numbers.ts'
import type { ClaimedName, Claims, Reading } from './types.ts'

/** Names of up to this many characters are also looked up by sound. */
const LONGEST_SOUND_NAME = 6

/** Characters of running text that no transliterated name has; only such names are longer than six characters. */
const NEVER_IN_LONG_NAMES = new Set(
  Array.from('我您你请她们这个吗呢啊呀吧哦电话手机号码身份证群进入县区州省市校院局学服务愿者审核申'),
)

/** UTF-16 units that are read of a text; a chat message has 2,048 at most, so that a flood of words costs nothing. */
const LONGEST_TEXT = 2048

/** Names of groups in quotes or after 加入 are no part of what is said about a person. */
const GROUP_NAME =
  /[“"「『《][^”"」』》\n]{5,40}(?:群|大家庭|西部计划\d*)[”"」』》]|(?:想加|申请加入|加入)[: ]*[^,。;!?\s]{2,30}?(?:群|大家庭|西部计划\d*)/gu

const characterOf = new Map(
  [...nameTables.rareSpellings].flatMap(([character, spellings]) =>
    spellings.map(spelling => [spelling, character] as const),
  ),
)
const SPELLINGS = [...characterOf.keys()]
  .sort((a, b) => b.length - a.length)
  // 金宏, 金+宏, 金加宏
  .map(spelling => Array.from(spelling).join('[ +加]{0,2}'))
  .join('|')
const SPELLED = new RegExp(SPELLINGS, 'u')
const SPELLED_IN_BRACKETS = new RegExp(
  // with or without a stand-in for the character that could not be typed
  `(?<=\\p{Script=Han})[?□*_]?[(\\[{【<]\\s*(?:左|上)?(${SPELLINGS})(?:旁|字|右|下)?\\s*[)\\]}】>]`,
  'gu',
)

/** The rare character that was spelled out, however its parts were joined. */
function spelledCharacter(typed: string): string {
  return characterOf.get(typed) ?? characterOf.get(typed.replace(/[ +加]/gu, '')) ?? typed
}

const BRACKETS = /(?<=\p{Script=Han})\s?[([{【][^()[\]{}【】0-9\n]{1,14}[)\]}】]/gu

/** Other ways to read a text: without remarks in brackets (王玓(王勺)洁), with the rare character for its spelling. */
function otherReadings(text: string): Reading[] {
  const texts = new Set<string>()
  const withoutBrackets = text.replace(BRACKETS, '')
  if (withoutBrackets !== text) texts.add(withoutBrackets)
  texts.add(text.replace(SPELLED_IN_BRACKETS, (_whole, typed: string) => spelledCharacter(typed)))
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
      let sound = ''
      for (let end = start; end < characters.length && end - start < LONGEST_NAME; end++) {
        const character = characters[end] as string
        if (end > start && !isInnerGap(gaps[end] ?? '') && !/^[^\p{L}\p{N}\n]{1,3}$/u.test(gaps[end] ?? ''))
          break
        if (end - start >= LONGEST_SOUND_NAME && NEVER_IN_LONG_NAMES.has(character)) break
        key += character
        if (end - start < LONGEST_SOUND_NAME) sound += syllable(character)
        if (end === start) continue
        nameKeys.add(key)
        if (end - start < LONGEST_SOUND_NAME) soundKeys.add(sound)
      }
    }
  }
  if (!readings.some(reading => SPELLED.test(reading.characters.join(''))))
    return { nameKeys: [...nameKeys], soundKeys }
  for (const key of [...nameKeys]) {
    const spelled = SPELLED.exec(key)
    if (!spelled) continue
    nameKeys.add(foldHan(key))
    nameKeys.add(key.replace(spelled[0], spelledCharacter(spelled[0])))
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

/** 吴珺(王君), 钱𫘝(马光): how the character before is written. */
function isSpellingInBrackets({ key, start }: ClaimedName, { gaps }: Reading): boolean {
  return characterOf.has(key) && /[([{【<]/.test(gaps[start] ?? '')
}

/** Names claimed in the plain reading; where it has no full one, those of the other readings, which stand nowhere in it. */
function claimedIn(readings: Reading[]): ClaimedName[] {
  const [first, ...others] = readings as [Reading, ...Reading[]]
  const claimed = readClaimedNames(first).filter(name => !isSpellingInBrackets(name, first))
  if (claimed.some(name => name.shape === 'full')) return claimed
  const filled = others.flatMap(readClaimedNames).filter(name => name.shape === 'full')
  return [...claimed, ...filled.map(name => ({ ...name, start: -1 }))]
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
  const claimedNames = claimedIn(readings)
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
