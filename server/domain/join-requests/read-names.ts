import { nameShape } from '../names/full-name.ts'
import { isHan } from '../names/name-key.ts'
import { nameTables } from '../names/name-tables.ts'
import { isPlaceWord, placesEndingAt } from './place-words.ts'
import type { ClaimedName, NameStrength, Reading } from './types.ts'

/** How a name's left or right edge is marked; null: it may be a part of a longer name. */
export type LeftEdge = NameStrength | null

const DOT_GAP = new RegExp(`^ *[${[...nameTables.dots].join('').replace('.', '\\.')}] *$`, 'u')
const SPACE_GAP = /^ +$/

/** Longest name looked for, in characters without dots. */
export const LONGEST_NAME = 16

/** Splits a cleaned text into its Han characters and the gaps between them. */
export function readingOf(text: string): Reading {
  const characters: string[] = []
  const gaps: string[] = ['']
  for (const character of text) {
    if (isHan(character)) {
      characters.push(character)
      gaps.push('')
    } else gaps[characters.length] += character
  }
  return { characters, gaps }
}

export function isDotGap(gap: string): boolean {
  return DOT_GAP.test(gap)
}

/** Whether a gap may stand inside a name: nothing, spaces, a middle dot of any kind. */
export function isInnerGap(gap: string): boolean {
  return gap === '' || SPACE_GAP.test(gap) || DOT_GAP.test(gap)
}

/** A single character between spaces before `index` goes with what follows: a name typed with gaps. */
function isLoneCharacterBefore({ characters, gaps }: Reading, index: number): boolean {
  if (index === 0 || !SPACE_GAP.test(gaps[index] ?? '')) return false
  return gaps[index - 1] !== '' || nameTables.beforeStrong.endsAt(characters, index - 1)
}

function isLoneCharacterAfter({ gaps, characters }: Reading, end: number): boolean {
  return end < characters.length && SPACE_GAP.test(gaps[end] ?? '') && gaps[end + 1] !== ''
}

/** Whether a name can begin at `start`: after a gap, a word that introduces it, or the name of a place or an office. */
export function leftEdge(reading: Reading, start: number): LeftEdge {
  const { characters, gaps } = reading
  const gap = gaps[start] ?? ''
  const isJoined = gap === '' || isDotGap(gap) || isLoneCharacterBefore(reading, start)
  const reachesBack = /^[\s:|.,'"“”「」《》*-]*$/u.test(gap) && !gap.includes('\n\n')
  if (reachesBack && !isDotGap(gap)) {
    if (nameTables.nicknameBefore.endsAt(characters, start)) return isJoined ? null : 'placed'
    if (nameTables.beforeStrong.endsAt(characters, start)) return 'stated'
  }
  if (start === 0 || !isJoined) return 'placed'
  if (isDotGap(gap)) return null
  const introduced =
    nameTables.before.endsAt(characters, start) ||
    nameTables.beforeEndings.endsAt(characters, start) ||
    endsInPlace(reading, start)
  if (!introduced) return null
  return isIntroducedClause(reading, start) ? 'stated' : 'placed'
}

/** Characters before the name of a place: 在兰州, 来兰州. */
const BEFORE_PLACE = new Set(Array.from('在是到来于自我往去原驻的'))

/** Whether the name of a place ends before `end` that has an edge of its own: not 通许 in 大通许琳. */
function endsInPlace(reading: Reading, end: number): boolean {
  const { characters, gaps } = reading
  return placesEndingAt(characters, end).some(from => {
    if (gaps.slice(from + 1, end).some(gap => gap !== '')) return false
    // 黔西 is a place, in 黔西南 it is not the one meant
    if (gaps[end] === '' && isPlaceWord(characters.slice(from, end + 1).join(''))) return false
    if (from === 0 || gaps[from] !== '' || BEFORE_PLACE.has(characters[from - 1] ?? '')) return true
    return nameTables.beforeEndings.endsAt(characters, from) || endsInPlace(reading, from)
  })
}

const INTRODUCTION = /^(?:我|俺|咱)(?:(?:就)?(?:是|叫)|$)|^(?:本人|这里是)/u

/** 我是在黔西南晴隆服务的蒋磊: the words that open the run of characters introduce the name at its end. */
function isIntroducedClause({ characters, gaps }: Reading, start: number): boolean {
  let opening = start
  while (opening > 0 && gaps[opening] === '') opening--
  return INTRODUCTION.test(characters.slice(opening, start).join(''))
}

/** Single characters that may end a run of characters after a name: 张伟男 138…, 我是于磊啊. */
const CLOSING_CHARACTERS = new Set(['男', '女', '啊', '呀', '呢', '吧', '哦', '噢', '我'])

/** Whether a word that follows a name begins at `end`; a lone last character (李有才 138…) belongs to the name itself. */
function goesOnAfter({ characters, gaps }: Reading, end: number): boolean {
  if (nameTables.longAfter.startsAt(characters, end)) return true
  if (!nameTables.after.startsAt(characters, end)) return false
  return (
    CLOSING_CHARACTERS.has(characters[end] ?? '') || (end + 1 < characters.length && gaps[end + 1] === '')
  )
}

/** Whether a name can end before `end`: at a gap or before a word that goes on with something else. */
export function rightEdge(reading: Reading, end: number): boolean {
  const { characters, gaps } = reading
  if (end >= characters.length) return true
  const gap = gaps[end] ?? ''
  const goesOn = goesOnAfter(reading, end)
  if (gap === '') return goesOn
  if (isDotGap(gap)) return goesOn
  return goesOn || !isLoneCharacterAfter(reading, end)
}

/** 张鑫的同学韩梦婷 is 韩梦婷 speaking; 我的同学张伟 is somebody else. */
const SOMEBODYS_FRIEND = /[^我俺咱]的(?:同学|朋友|同事|室友|舍友|闺蜜|家长)$/u

/** Whether the name stands as somebody else's: 和张丽一个单位, 阿茹娜推荐我来, 张鑫的同学, 王文涛的电话. */
export function isAnotherPersons(reading: Reading, start: number, end: number): boolean {
  const { characters, gaps } = reading
  if (/^ ?$/.test(gaps[end] ?? '') && nameTables.otherAfter.startsAt(characters, end)) return true
  if (!/^[ :]{0,2}$/.test(gaps[start] ?? '')) return false
  if (SOMEBODYS_FRIEND.test(characters.slice(Math.max(0, start - 4), start).join(''))) return false
  return nameTables.otherBefore.endsAt(characters, start)
}

/** Whether what stands before the name calls it a nickname: 大家都叫我卓玛. */
function isNickname({ characters, gaps }: Reading, start: number): boolean {
  return /^[ :"“]*$/.test(gaps[start] ?? '') && nameTables.nicknameBefore.endsAt(characters, start)
}

/**
 * Finds the strings that stand in a text as the applicant's own name, whether a roster knows them or not.
 *
 * Only full names and clear short forms (小马, 马老师) are returned; other people's names are left out.
 */
export function readClaimedNames(reading: Reading): ClaimedName[] {
  const found: ClaimedName[] = []
  for (let start = 0; start < reading.characters.length; start++) {
    let name = nameFrom(reading, start)
    if (!name) continue
    // 若尔盖格桑曲珍, 本人热依汗古丽·木塔力甫: a later start that is introduced as well is the name's own
    for (let later = start + 1; later < start + name.length - 2 && name.length > 3; later++) {
      const inner: FoundName | null = nameFrom(reading, later)
      if (
        inner?.claim.shape === 'full' &&
        inner.isDotted === name.isDotted &&
        later + inner.length >= start + name.length
      ) {
        name = inner
        start = later
      }
    }
    found.push(name.claim)
    start += name.length - 1
  }
  return found
}

/** 高阳 is a county and a name: after 我是 and before a comma it is the name. */
function isPlaceHere(strength: NameStrength, gapAfter: string): boolean {
  return strength !== 'stated' || gapAfter === ''
}

interface FoundName {
  claim: ClaimedName
  length: number
  isDotted: boolean
}

/** The name that begins at `start`: the longest full one; with a dot inside, up to the first edge after the dot. */
function nameFrom(reading: Reading, start: number): FoundName | null {
  const { characters, gaps } = reading
  const strength = leftEdge(reading, start)
  if (!strength) return null
  const nickname = isNickname(reading, start)
  let key = ''
  let dottedAt = -1
  let best: FoundName | null = null
  for (let end = start; end < characters.length && end - start < LONGEST_NAME; end++) {
    const gap = gaps[end] ?? ''
    if (end > start && !isInnerGap(gap)) break
    if (end > start && isDotGap(gap)) dottedAt = end
    key += characters[end]
    if (end === start || !rightEdge(reading, end + 1)) continue
    // 潘玲 然后…, 王强 让我加: what follows is a word, so the name is over
    const isOver = (gaps[end + 1] ?? '') === '' && nameTables.longAfter.startsAt(characters, end + 1)
    const isDotted = dottedAt > start
    // spaces inside are only taken for a name typed with gaps, never to glue two words together
    if (best && (best.isDotted || (gap !== '' && !isDotGap(gap)))) break
    if (isDotted && end === dottedAt) continue
    const shape = nameShape(key, isDotted)
    const isName = shape !== 'none' && !(isPlaceWord(key) && isPlaceHere(strength, gaps[end + 1] ?? ''))
    if (isName && isOver && isAnotherPersons(reading, start, end + 1)) break
    if (!isName || isAnotherPersons(reading, start, end + 1)) continue
    if (best?.claim.shape === 'full' && shape !== 'full') continue
    const claim: ClaimedName = {
      key,
      strength: nickname ? 'placed' : strength,
      shape: nickname ? 'partial' : shape,
      start,
      isClosed: end + 1 >= characters.length || (gaps[end + 1] ?? '') !== '',
    }
    best = { claim, length: end + 1 - start, isDotted }
    if (isOver) break
  }
  return best
}
