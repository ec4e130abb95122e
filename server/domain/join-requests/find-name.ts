import { compareNames } from '../names/compare-names.ts'
import { nameKey, soundOfKey, spellingsOf } from '../names/name-key.ts'
import { isAnotherPersons, isDotGap, isInnerGap, isSpokenFor, leftEdge, rightEdge } from './read-names.ts'
import type { Claims, NameStrength, Reading } from './types.ts'

/**
 * How a roster name stands in a text.
 *
 * `exact`: as the applicant's own name. `mentioned`: the characters are there, as somebody else's name or inside a longer
 * string. `sound`, `near`: something else stands there that sounds the same or is one slip away. `absent`: none of these.
 */
export interface NameFinding {
  match: 'exact' | 'sound' | 'near' | 'mentioned' | 'absent'
  strength: NameStrength | null
  /** Where it begins in the first reading; -1 when it was found in another reading only. */
  start: number
  /** The words around it are those of somebody who asks for its bearer. */
  isSpokenFor: boolean
}

const notFound = (match: NameFinding['match']): NameFinding => ({
  match,
  strength: null,
  start: -1,
  isSpokenFor: false,
})

const STRENGTH_ORDER: Record<NameStrength, number> = { stated: 2, placed: 1 }

/** Gaps where the roster writes a middle dot may be anything short that people type there, also one comma or full stop. */
const LOOSE_DOT_GAP = /^(?:[^\p{L}\p{N}\n,。;:()|]{0,3}|[,。;:])$/u

/** @param dots indexes (from 1) in the name before which the roster has a middle dot. */
function matchesAt({ characters, gaps }: Reading, start: number, name: string[], dots: Set<number>): boolean {
  for (let k = 0; k < name.length; k++) {
    if (characters[start + k] !== name[k]) return false
    if (k === 0) continue
    const gap = gaps[start + k] ?? ''
    if (!isInnerGap(gap) && !(dots.has(k) && LOOSE_DOT_GAP.test(gap))) return false
  }
  return true
}

function dotPositions(name: string): Set<number> {
  const positions = new Set<number>()
  let index = 0
  for (const part of name.split(/[^\p{Script=Han}]+/u)) {
    if (index > 0) positions.add(index)
    index += Array.from(part).length
  }
  return positions
}

/**
 * Looks for a roster name in what was claimed.
 *
 * @param name as the roster writes it.
 * @param ownsFactor a number in the text is this person's, so that a slip in the name is looked for everywhere.
 */
export function findName(name: string, claims: Claims, ownsFactor = false): NameFinding {
  const key = nameKey(name)
  const dots = dotPositions(name)
  let own: NameFinding | null = null
  let isMentioned = false
  for (const spelling of spellingsOf(key)) {
    const characters = Array.from(spelling)
    for (const reading of claims.readings) {
      for (
        let at = reading.characters.indexOf(characters[0] as string);
        at >= 0;
        at = reading.characters.indexOf(characters[0] as string, at + 1)
      ) {
        if (!matchesAt(reading, at, characters, dots)) continue
        isMentioned = true
        const end = at + characters.length
        const strength = leftEdge(reading, at)
        if (!strength || !rightEdge(reading, end) || isAnotherPersons(reading, at, end)) continue
        if (own && STRENGTH_ORDER[own.strength as NameStrength] >= STRENGTH_ORDER[strength]) continue
        own = {
          match: 'exact',
          strength,
          start: reading === claims.readings[0] ? at : -1,
          isSpokenFor: isSpokenFor(reading, at),
        }
      }
    }
  }
  if (own) return own
  return notFound(likenessOf(key, dots, claims, isMentioned, ownsFactor))
}

function likenessOf(
  key: string,
  dots: Set<number>,
  claims: Claims,
  isMentioned: boolean,
  ownsFactor: boolean,
): NameFinding['match'] {
  const sound = soundOfKey(key)
  if (claims.latinNames.includes(sound)) return 'sound'
  const reading = claims.readings[0] as Reading
  const claimed = claims.claimedNames.map(c => c.key)
  const likeness = claimed.map(other => compareNames(other, key))
  if (likeness.includes('sound') || soundsInText(key, sound, reading)) return 'sound'
  if (likeness.includes('near') || isTurnedRound(key, dots, claims)) return 'near'
  if (dots.size > 0 && !isMentioned && hasPart(key, dots, claims)) return 'near'
  if (ownsFactor && (slipsInText(key, reading) || isSpelledOut(key, claims))) return 'near'
  return isMentioned ? 'mentioned' : 'absent'
}

/** 阿依恒·叶尔克江 for 叶尔克江·阿依恒, 曲珍旦增 for 旦增曲珍: the halves in the other order. */
function isTurnedRound(key: string, dots: Set<number>, { nameKeys }: Claims): boolean {
  const characters = Array.from(key)
  const cut = dots.size > 0 ? Math.min(...dots) : characters.length === 4 ? 2 : 0
  if (cut === 0) return false
  const turned = [...characters.slice(cut), ...characters.slice(0, cut)].join('')
  return turned !== key && nameKeys.includes(turned)
}

/** 华(江鸟) or 华江鸟 for 华鸿: a character is described or typed in two parts, in a way that no table knows. */
function isSpelledOut(key: string, { text, claimedNames }: Claims): boolean {
  const characters = Array.from(key)
  return characters.some((_, k) => {
    if (k === 0) return false
    const before = characters.slice(0, k).join('')
    const after = characters.slice(k + 1).join('')
    const inParts = new RegExp(`^${before}..${after}$`, 'u')
    if (claimedNames.some(name => inParts.test(name.key))) return true
    return new RegExp(`${before}[?□*_]?[([{【<][^)\\]}】>\n0-9]{1,10}[)\\]}】>]${after}`, 'u').test(text)
  })
}

/** Characters that belong to the words around a name. */
const FUNCTION_CHARACTER = /[的是我在了吗呢请您你她他们这叫啊呀吧哦和跟与]/u

/** A string with one slip, or with a character more, where a name can begin; not where the name stands as somebody else's. */
function slipsInText(key: string, reading: Reading): boolean {
  const { characters, gaps } = reading
  const length = Array.from(key).length
  if (length < 3) return false
  for (let at = 0; at < characters.length; at++) {
    // where the name itself stands, as somebody else's, its first characters are no slip
    if (!leftEdge(reading, at) || characters.slice(at, at + length).join('') === key) continue
    for (let end = at + length - 1; end <= at + length + 1 && end <= characters.length; end++) {
      if (end - at < 2 || !gaps.slice(at + 1, end).every(isInnerGap)) continue
      const typed = characters.slice(at, end).join('')
      if (FUNCTION_CHARACTER.test(typed)) continue
      // 文学 for 胡文学 is a short form and no slip
      if (end - at < length && !typed.startsWith(key[0] as string)) continue
      if (typed !== key && compareNames(typed, key) === 'near' && !isAnotherPersons(reading, at, end))
        return true
    }
  }
  return false
}

/** A name that sounds the same, at any edge that a name can have. */
function soundsInText(key: string, sound: string, reading: Reading): boolean {
  const length = Array.from(key).length
  for (let at = 0; at + length <= reading.characters.length; at++) {
    if (soundOfKey(reading.characters[at] as string)[0] !== sound[0]) continue
    if (soundOfKey(reading.characters.slice(at, at + length).join('')) !== sound) continue
    if (!reading.gaps.slice(at + 1, at + length).every(isInnerGap)) continue
    if (
      leftEdge(reading, at) &&
      rightEdge(reading, at + length) &&
      !isAnotherPersons(reading, at, at + length)
    )
      return true
  }
  return false
}

/** One half of a name with a dot, alone or in the other order: what friends call its bearer. */
function hasPart(key: string, dots: Set<number>, claims: Claims): boolean {
  const characters = Array.from(key)
  const cut = Math.min(...dots)
  const halves = [characters.slice(0, cut), characters.slice(cut)]
  const reading = claims.readings[0] as Reading
  return halves.some(half => {
    for (let at = 0; at + half.length <= reading.characters.length; at++) {
      if (!matchesAt(reading, at, half, new Set())) continue
      const end = at + half.length
      const left = leftEdge(reading, at) ?? (isDotGap(reading.gaps[at] ?? '') ? 'placed' : null)
      if (
        left &&
        (rightEdge(reading, end) || isDotGap(reading.gaps[end] ?? '')) &&
        !isAnotherPersons(reading, at, end)
      )
        return true
    }
    return false
  })
}

/** Whether the text gives a short form of this name: 小菲 or 菲老师 for 方菲, 思雨 for 张思雨, 孙某. */
export function isShortFormOf(short: string, key: string): boolean {
  const name = Array.from(key)
  return Array.from(short).some(character => name.includes(character))
}
