import { hasMark } from './policy.ts'
import type { Claims, ShortTail } from './types.ts'

export type NumberClaims = Pick<
  Claims,
  'phones' | 'unclearPhones' | 'otherPhones' | 'idNumbers' | 'unclearIdNumbers' | 'idTails' | 'shortTails'
>

const DIGIT_OF: Record<string, string> = {
  幺: '1',
  零: '0',
  〇: '0',
  一: '1',
  二: '2',
  两: '2',
  三: '3',
  四: '4',
  五: '5',
  六: '6',
  七: '7',
  八: '8',
  九: '9',
  壹: '1',
  贰: '2',
  叁: '3',
  肆: '4',
  伍: '5',
  陆: '6',
  柒: '7',
  捌: '8',
  玖: '9',
  洞: '0',
  拐: '7',
  勾: '9',
  O: '0',
  o: '0',
  Q: '0',
  I: '1',
  l: '1',
  X: 'X',
  x: 'X',
  叉: 'X',
}
/** The characters with which digits are spoken or written out. */
export const SPOKEN = '幺零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖洞拐勾'
const GROUP = `(?:[0-9${SPOKEN}]|(?<![a-z_])[OoIlQ](?=[0-9OoIlQ${SPOKEN}])|(?<=[0-9OoIl])[OoIlQ])+[Xx叉]?`
/** What may stand between the digits of one number, as the inside of a character class. */
export const SEPARATORS = ' \\-_./·~=()\\u2010-\\u2015'
/**
 * Groups of digits with single separators between: 138-1234-5678, 138 1234 5678, (+86)138…, 6108 2619 9001 0100 1X.
 * A comma stands inside a number only between spoken digits (幺三八，一二三四，五六七八).
 */
const SEQUENCE = new RegExp(
  `(?<![a-zA-Z0-9_]|[0-9]\\*|\\*\\*)${GROUP}(?:(?:[${SEPARATORS}]{1,2}|(?<=[${SPOKEN}]),(?=[${SPOKEN}]{3}))${GROUP})*(?![0-9@]|\\*[0-9*])`,
  'gu',
)

interface Group {
  digits: string
  raw: string
  start: number
  end: number
}

interface Found {
  /** `short`: five to eight digits, part of something only its label can tell. */
  kind: 'phone' | 'unclearPhone' | 'id' | 'unclearId' | 'short'
  value: string
  start: number
  end: number
}

/** Groups of one digit each: the longest number typed so has 18. */
const LONGEST_NUMBER = 18

/** Latin labels that people write right in front of a number: tel138…, sfz6108… */
const LATIN_LABEL = new RegExp(
  `(?<![a-z_])(tel|phone|mobile|mob|cell|sfz|id|no|sj|dh|vx|wx|v)[.:]?(?=[0-9${SPOKEN}])`,
  'giu',
)

/** Six characters after the words for the end of an ID number, with gaps between: 后六位 21 13 08. */
const SPLIT_TAIL =
  /((?:后|末|尾|最后)[^0-9,。;\n]{0,3}(?:[六6][位个]?)?[^0-9,。;\n]{0,8}?)((?:[0-9][ -]{0,2}){5}[0-9Xx叉])(?!-?[0-9])(?! [0-9]+(?![0-9年]))/gu

/** A phone broken at the end of a line. */
const BROKEN_PHONE = /(?<![0-9])(1[3-9][0-9])\n(?=[0-9]{8}(?![0-9])|[0-9]{4}[ -][0-9]{4}(?![0-9]))/g

/** 身份证后六130298: the count runs into the number. */
const SHORT_LABEL = /(后|末|尾|最后)面?[六6陆](?=[0-9](?:[ -]?[0-9]){4}[ -]?[0-9Xx](?![0-9]))/g

/** The end of a number, too short to be a factor: 身份证后四位3771, 手机尾号5678, 138****5678. */
const SHORT_TAIL =
  /(?:(?:后|末|尾|最后)面?的?(?:[1-8一二三四五六七八两]{1,2}[位个]数?|号|数))[^0-9,。;\n]{0,5}?(?<![0-9])([0-9]{3,8}[Xx]?)(?![0-9*位个年月日号])|(?<=[0-9][*xX]{3,14})(?<masked>[0-9]{3,6}[Xx]?)(?![0-9*])/gu

const PHONE = /^(?:00?86|86)?(1[3-9]\d{9})$/
const ID_NUMBER = /^\d{17}[\dX]$/

function toDigits(raw: string): string {
  return Array.from(raw, character => DIGIT_OF[character] ?? character).join('')
}

function exact(digits: string, start: number, end: number): Found | null {
  const phone = PHONE.exec(digits)?.[1]
  if (phone) return { kind: 'phone', value: phone, start, end }
  if (ID_NUMBER.test(digits) && /^[1-9]/.test(digits)) return { kind: 'id', value: digits, start, end }
  return null
}

/** A spoken digit next to a number may belong to a name (刘一 138…) or a word (138…一起): then the plain digits are the number. */
function plainCore(group: Group): Found | null {
  for (const core of group.raw.matchAll(/[0-9]+[Xx]?/g)) {
    const start = group.start + core.index
    const found = exact(toDigits(core[0]), start, start + core[0].length)
    if (found) return found
  }
  return null
}

const ONE_WORD_AT_AN_EDGE = new RegExp(`^(?:[${SPOKEN}]([0-9]+)|([0-9]+)[${SPOKEN}])$`, 'u')

/** 1381234567一起: whether the character at the edge is a digit of the number nobody can tell, so the number is unclear. */
function unsureEdge(group: Group): Found | null {
  const edge = ONE_WORD_AT_AN_EDGE.exec(group.raw)
  const digits = edge?.[1] ?? edge?.[2] ?? ''
  return digits.length >= 8 ? unclear(digits, group.start, group.end, true) : null
}

const WORD_BEFORE_PHONE = new RegExp(`^[${SPOKEN}](?=1[3-9][0-9]{1,10}$)`, 'u')

/** A lone spoken digit next to Arabic ones is a word: 1381234567 一起. */
function breaksOff(group: Group, before: Group): boolean {
  return Array.from(group.raw).length === 1 && /[^0-9]/.test(group.raw) && /[0-9]/.test(before.raw)
}

/** A number with a digit missing or too many. Dates and years are shorter; landlines begin with 0. */
function unclear(digits: string, start: number, end: number, isOneGroup: boolean): Found | null {
  const bare = digits.replace(/^(?:00)?86(?=1)/, '')
  if (bare.length >= 9 && bare.length <= 13 && !bare.startsWith('0') && !bare.includes('X')) {
    return { kind: 'unclearPhone', value: bare, start, end }
  }
  if (bare.length >= 15 && bare.length <= 20 && isOneGroup)
    return { kind: 'unclearId', value: bare, start, end }
  return null
}

function shortNumber({ digits, start, end }: Group): Found | null {
  return digits.length >= 5 && digits.length <= 8 ? { kind: 'short', value: digits, start, end } : null
}

function readSequence(groups: Group[]): Found[] {
  const found: Found[] = []
  const join = (from: number, to: number) =>
    groups
      .slice(from, to + 1)
      .map(g => g.digits)
      .join('')
  let i = 0
  while (i < groups.length) {
    const first = groups[i] as Group
    let hit: Found | null = null
    let last = i
    const unsure = plainCore(first) ?? unsureEdge(first)
    for (let j = i; j < groups.length && j < i + LONGEST_NUMBER && !hit && !unsure; j++) {
      const group = groups[j] as Group
      // two numbers are never one: 3456789 13812345678
      if (j > i && (exact(group.digits, 0, 0) || breaksOff(group, groups[j - 1] as Group))) break
      hit = exact(join(i, j), first.start, group.end)
      last = j
    }
    if (!hit) {
      last = i
      hit = unsure ?? unclear(first.digits, first.start, first.end, true)
    }
    if (!hit && /^1[3-9]\d/.test(first.digits) && first.digits.length <= 8) {
      // 187 8551 77662: groups of a phone with a digit too many or missing
      last = i
      while (last + 1 < groups.length && join(i, last + 1).length <= 13) last++
      hit = unclear(join(i, last), first.start, (groups[last] as Group).end, false)
    }
    if (!hit) last = i
    hit ??= shortNumber(first)
    if (hit) found.push(hit)
    i = last + 1
  }
  return found
}

function findNumbers(text: string): Found[] {
  const found: Found[] = []
  for (const match of text.matchAll(SEQUENCE)) {
    // a few letters or spoken digits alone are words, not numbers
    if (match[0].length < 6) continue
    const groups: Group[] = []
    for (const group of match[0].matchAll(new RegExp(GROUP, 'gu'))) {
      // 潘三1885489 6653: the character belongs to the name, no phone begins with 31
      const raw = group[0].replace(WORD_BEFORE_PHONE, '')
      const end = match.index + group.index + group[0].length
      groups.push({ digits: toDigits(raw), raw, start: end - raw.length, end })
    }
    found.push(...readSequence(groups))
  }
  return found
}

/** What stands before a number on its own line, back to the number before it: its label. */
function labelOf(text: string, start: number, previousEnd: number): string {
  const line = text.lastIndexOf('\n', start - 1) + 1
  // a label may stand on the line above its number when nothing else does
  const from = start === line ? text.lastIndexOf('\n', line - 2) + 1 : line
  return text.slice(Math.max(previousEnd, from, start - 24), start)
}

/**
 * Reads the numbers of a cleaned text and sorts them into factors and what is no evidence (QQ, landline, post code,
 * other people's phones). The last four digits and masked numbers are dropped.
 */
export function readNumbers(cleaned: string): NumberClaims {
  const text = cleaned
    .replace(LATIN_LABEL, '$1 ')
    .replace(BROKEN_PHONE, '$1 ')
    .replace(SHORT_LABEL, '$1六位 ')
    .replace(SPLIT_TAIL, (_whole, label: string, tail: string) => label + tail.replace(/[ -]/g, ''))
  const claims: NumberClaims = {
    phones: [],
    unclearPhones: [],
    otherPhones: [],
    idNumbers: [],
    unclearIdNumbers: [],
    idTails: [],
    shortTails: readShortTails(text),
  }
  let previousEnd = 0
  for (const number of findNumbers(text)) {
    const label = labelOf(text, number.start, previousEnd)
    previousEnd = number.end
    if (hasMark('notPersonalNumber', label)) continue
    if (number.kind === 'short') {
      if (/^1[3-9]/.test(number.value) && hasMark('phoneLabel', label))
        claims.unclearPhones.push(number.value)
      else if (isIdTail(label)) {
        // five digits of an ID number are read with the short ends
        if (number.value.length >= 6) claims.idTails.push(number.value)
      }
    } else if (number.kind === 'id') claims.idNumbers.push(number.value)
    else if (number.kind === 'unclearId') claims.unclearIdNumbers.push(number.value)
    else if (hasMark('otherPersonsNumber', label)) claims.otherPhones.push(number.value)
    else if (number.kind === 'phone') claims.phones.push(number.value)
    else if (hasMark('tail', label) && hasMark('idWord', label)) claims.idTails.push(number.value)
    else claims.unclearPhones.push(number.value)
  }
  const { shortTails: _, ...lists } = claims
  for (const list of Object.values(lists)) list.splice(0, list.length, ...new Set(list))
  return claims
}

/** Ends that prove nothing; one that contradicts the roster must not be passed over. */
function readShortTails(text: string): ShortTail[] {
  return [...text.matchAll(SHORT_TAIL)].flatMap((match): ShortTail[] => {
    const { masked } = match.groups ?? {}
    const end = (match[1] ?? masked ?? '').toUpperCase()
    const before = text.slice(Math.max(0, match.index - 24), match.index + match[0].length - end.length)
    const label = before.split(/[,。;!\n]|[0-9]{3,}(?![0-9*xX])/).at(-1) as string
    if (/qq|扣扣|卡|学号|工号|编号/i.test(label)) return []
    if (hasMark('idWord', label)) return [{ of: 'idNumber', end }]
    const isOfPhone = masked ? /1[3-9]\d{0,5}[*xX]+$/.test(label) : hasMark('tailOfPhone', label)
    return [{ of: isOfPhone ? 'phone' : 'any', end }]
  })
}

function isIdTail(label: string): boolean {
  if (!hasMark('tail', label)) return false
  return hasMark('idWord', label) || !hasMark('tailOfPhone', label)
}
