import { type NameShape, nameShape } from '../names/full-name.ts'
import { isHan } from '../names/name-key.ts'
import { nameTables } from '../names/name-tables.ts'
import { WordSet } from '../names/word-set.ts'
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
  // 敖 文 静 at the very beginning; 亲 王芳 is no name of three
  if (index === 1) return gaps[index + 1] !== '' && nameTables.surnames.has(characters[0] as string)
  // 2026年7月 童俊杰: what counts a number is no part of a name
  if (/[0-9]$/.test(gaps[index - 1] ?? '')) return false
  return gaps[index - 1] !== '' || nameTables.beforeStrong.endsAt(characters, index - 1)
}

function isLoneCharacterAfter({ gaps, characters }: Reading, end: number): boolean {
  return end < characters.length && SPACE_GAP.test(gaps[end] ?? '') && gaps[end + 1] !== ''
}

const knownEdges = new WeakMap<Reading, LeftEdge[]>()

/** Whether a name can begin at `start`: after a gap, a word that introduces it, or the name of a place or an office. */
export function leftEdge(reading: Reading, start: number): LeftEdge {
  let edges = knownEdges.get(reading)
  if (!edges) {
    edges = []
    knownEdges.set(reading, edges)
  }
  // asked again for every person a request may mean
  const known = edges[start]
  if (known !== undefined) return known
  const edge = findLeftEdge(reading, start)
  edges[start] = edge
  return edge
}

function findLeftEdge(reading: Reading, start: number): LeftEdge {
  const { characters, gaps } = reading
  const gap = gaps[start] ?? ''
  const isJoined = gap === '' || isDotGap(gap) || isLoneCharacterBefore(reading, start)
  const reachesBack = /^[\s:|.,'"“”「」《》*-]*$/u.test(gap) && !gap.includes('\n\n')
  if (reachesBack && !isDotGap(gap)) {
    if (nameTables.nicknameBefore.endsAt(characters, start)) return 'placed'
    if (nameTables.beforeStrong.endsAt(characters, start)) return 'stated'
  }
  if (start === 0 || !isJoined) return 'placed'
  if (isDotGap(gap)) return null
  const introduced =
    nameTables.before.endsAt(characters, start) ||
    // 会 is no 协会 in 会宁
    (nameTables.beforeEndings.endsAt(characters, start) &&
      !isPlaceWord(characters.slice(start - 1, start + 1).join(''))) ||
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

/** Glued to a name these tell what its bearer does or lacks: 王丽拉我, 王丽还没进群. */
const TOLD_OF = /^(?:拉我|同意|批准|答应|发我|发给|邀我|(?:需要|需|还没|还未|未|没|没有)(?:进|入|加))/u
/** 您是王丽吗, 我不叫王丽. */
const DENIED = /(?:不|没|没有|谁|对方|您|你|是不)(?:是|叫)$/u
const ROLE =
  /(?:上级|领导|负责人|班长|队长|组长|对接人|联系人|书记|主任|校长|导师|辅导员|同伴|同行|家属|配偶|父亲|母亲)$/u
const GREETED = /^(?:老师|书记|主任|部长|局长|领导|校长|同志|姐|哥)(?:好|您|你|辛)/u

/** Whether the name stands as somebody else's: 和张丽一个单位, 阿茹娜推荐我来, 张鑫的同学, 王文涛的电话. */
export function isAnotherPersons(reading: Reading, start: number, end: number): boolean {
  const { characters, gaps } = reading
  if (/^ ?$/.test(gaps[end] ?? '') && nameTables.otherAfter.startsAt(characters, end)) return true
  const [before, after] = [gaps[start] ?? '', gaps[end] ?? '']
  if (after.startsWith('?') || (after === '' && TOLD_OF.test(characters.slice(end, end + 6).join(''))))
    return true
  const words = characters.slice(Math.max(0, start - 5), start).join('')
  if (before === '' ? DENIED.test(words) : before.includes(':') && ROLE.test(words)) return true
  // 王丽老师好: nobody greets himself
  if (
    GREETED.test(characters.slice(end, end + 4).join('')) &&
    !nameTables.beforeStrong.endsAt(characters, start)
  )
    return true
  if (!/^[ :]{0,2}$/.test(gaps[start] ?? '')) return false
  if (SOMEBODYS_FRIEND.test(characters.slice(Math.max(0, start - 4), start).join(''))) return false
  // 共和 and 大同 are counties, 申请 王丽 is no 请王丽
  if (placesEndingAt(characters, start).length > 0) return false
  if (characters[start - 1] === '请' && '申恳敬烦特提'.includes(characters[start - 2] ?? ' ')) return false
  return nameTables.otherBefore.endsAt(characters, start)
}

/** What is done to somebody else: 帮王丽, 把王丽拉进来, 给我们单位的王丽. The words stand in one run with the name. */
const DONE_FOR =
  /(?:(?<![发分派交送还])给(?!通过|个|拉|加|过|审|我通|我拉|我过)|帮(?!忙|助|扶|我|您|你|通过|拉一|加一)|替|(?<![时年朝当古世])代(?!表|理|码|课|办处)|把(?!我|本人)|(?<!即)将(?!要|于|来))[^我俺]*$/u
const DONE_TO =
  /(?:拉|加|邀请|添加|通过|放)(?:一下|下|一把|个|一个|一位|进|上)?(?:我们|咱们|我|咱)?(?:单位|县|局|镇|乡|校|这边|这|班)?的?(?:志愿者|同事|同学|朋友|室友|新人|小伙伴)?$/u
const OUR_OWN =
  /(?:我们|咱们|俺们|我|咱)(?:的|们的)?(?:单位|这边|这里|这儿|这|那|县里|县|区|市|旗|局里|局|办|镇|乡|村|学校|校|队|班|家|支部|科室|部门|站|院|中心|所)里?的?(?:一个|一名|一位|两个|新来的|另一个)?(?:西部计划)?(?:志愿者|同志|同事|老师|新人|小伙伴|队员)?$/u
const CALLED =
  /(?:孩子|儿子|女儿|朋友|男友|女友|老公|老婆|爱人|对象|丈夫|妻子|弟弟|妹妹|哥哥|姐姐|同事|同学|室友|舍友|学生|徒弟|家人|亲戚|老乡|他|她)(?:的)?(?:名字|姓名|全名)?(?:就)?(?:是|叫|为|名叫)$/u
const FIRST_PERSON = /(?:我|俺|咱)(?:就)?(?:是|叫)|本人/u

/**
 * Whether somebody else speaks about the bearer of the name: 帮忙拉下王丽, 给我们单位的王丽申请, 我们这的志愿者王丽.
 */
export function isSpokenFor({ characters, gaps }: Reading, start: number): boolean {
  let opening = start
  while (opening > 0 && gaps[opening] === '' && start - opening < 30) opening--
  const before = characters.slice(opening, start).join('')
  if (before === '') return false
  const own = before.split(FIRST_PERSON).at(-1) as string
  if (own.length < before.length) return OUR_OWN.test(own)
  return [DONE_FOR, DONE_TO, OUR_OWN, CALLED].some(words => words.test(before))
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
  return strength !== 'stated' || !/^\s|[,。;!\n]/.test(gapAfter)
}

/** 宁陕人, 安县人: somebody from there. */
function isOfPlace(key: string): boolean {
  return key.endsWith('人') && (/[县市区州旗省镇乡村]人$/.test(key) || isPlaceWord(key.slice(0, -1)))
}

const ENOUGH = new WordSet(['就行', '就好', '就可以', '即可'])

interface FoundName {
  claim: ClaimedName
  length: number
  isDotted: boolean
}

/** After 我是 or 姓名 and before a comma two or three characters with a surname are a name, whatever they mean: 罗省. */
function shapeHere(key: string, isDotted: boolean, strength: NameStrength, isClosed: boolean): NameShape {
  const shape = nameShape(key, isDotted)
  const isShort = key.length === 2 || key.length === 3
  if (shape !== 'none' || strength !== 'stated' || !isClosed || !isShort) return shape
  const isWord = nameTables.noise.has(key) || nameTables.noise.has(key.slice(0, 2))
  return nameTables.surnames.has(key[0] as string) && !isWord && !/[的了吗呢啊]/.test(key) ? 'full' : 'none'
}

/** The name that begins at `start`: the longest full one; with a dot inside, up to the first edge after the dot. */
function nameFrom(reading: Reading, start: number): FoundName | null {
  const { characters, gaps } = reading
  const strength = leftEdge(reading, start)
  if (!strength) return null
  const isCalled = isNickname(reading, start)
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
    const shape = shapeHere(key, isDotted, strength, (gaps[end + 1] ?? '') !== '')
    const isPlace = isPlaceWord(key) && isPlaceHere(strength, gaps[end + 1] ?? '')
    const isName = shape !== 'none' && !isPlace && !isOfPlace(key)
    if (isName && isOver && isAnotherPersons(reading, start, end + 1)) break
    if (!isName || isAnotherPersons(reading, start, end + 1)) continue
    if (best?.claim.shape === 'full' && shape !== 'full') continue
    // 叫我王丽就行
    const nickname = isCalled && !ENOUGH.startsAt(characters, end + 1)
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
