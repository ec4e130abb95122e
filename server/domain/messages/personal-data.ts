/** Personal data that can be told by its structure: numbers with checksums, phones, passwords given literally. */

import { foldWidth, PLACES, placeOf } from './text-features.ts'

export type PersonalDataKind = 'id-number' | 'bank-card' | 'passport' | 'mobile' | 'password' | 'code'

export interface PersonalDatum {
  kind: PersonalDataKind
  index: number
  length: number
  /** The value itself, without spaces, digits in Western form. */
  value: string
}

const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const ID_CHECKS = '10X98765432'

/** Whether an 18-character number has the date and the checksum of a resident identity number (GB 11643). */
export function isIdNumber(value: string): boolean {
  if (!/^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]$/i.test(value))
    return false
  const sum = ID_WEIGHTS.reduce((total, weight, place) => total + weight * Number(value[place]), 0)
  return ID_CHECKS[sum % 11] === value[17]?.toUpperCase()
}

/** The checksum of bank cards. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let fromRight = 0; fromRight < digits.length; fromRight++) {
    let digit = digits.charCodeAt(digits.length - 1 - fromRight) - 48
    if (fromRight % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2
    sum += digit
  }
  return sum % 10 === 0
}

const SPOKEN: Record<string, string> = {
  零: '0',
  〇: '0',
  洞: '0',
  幺: '1',
  一: '1',
  二: '2',
  两: '2',
  三: '3',
  四: '4',
  五: '5',
  六: '6',
  七: '7',
  拐: '7',
  八: '8',
  九: '9',
}
const SPOKEN_RUN = /[零〇洞幺一二两三四五六七拐八九](?:[\s,、-]?[零〇洞幺一二两三四五六七拐八九]){10,17}/gu
const DIGIT_RUN = /(?<![\d*A-Za-z×])\d(?:[ \u3000-]?\d){9,20}[Xx]?(?![\d*A-Za-z×])/gu
const NOT_PERSONAL =
  /(?:订单|单号|运单|快递|工单|流水号|税号|信用代码|编号|学号|条码|序列号|会议号?|房间号|发票|车次|文号|案号)[^,。;\n]{0,6}$/u
const CARD_WORDS = /卡|行|账户|账号|户名|转账|打款|工资|补贴|发放/u
const PASSWORD =
  /(密码|口令|暗码|passw(?:or)?d|pwd)(?:是|为|改成|改为|设成|设为|就是|还是)?[\s:=,]{0,3}(?:是|为)?\s*((?=[^\s]*[0-9])[A-Za-z0-9@#!$%^&*_.~+-]{4,30})/giu
const CODE = /(验证码|动态码|校验码|门禁码|短信码)[^\d\n]{0,10}?(\d{4,8})(?!\d)/gu
const PASSPORT = /护照[^\n]{0,8}?([A-Z]{1,2}\d{7,8})(?!\d)/giu
const SHARED_PASSWORD = /(?:会议|wi-?fi|无线网|无线|提取|压缩包?|解压|网盘|直播间|问卷|群)[^。\n]{0,14}$/iu

/** What a character may be part of, in bits; characters share a place, so that too much is searched for, never too little. */
const DIGIT = 1
const SPOKEN_DIGIT = 2
const SECRET_WORD = 4
const PARTS = new Uint8Array(PLACES)
for (const [characters, part] of [
  ['0123456789０１２３４５６７８９', DIGIT],
  [Object.keys(SPOKEN).join(''), SPOKEN_DIGIT],
  // 密码, 口令, 暗码, password, every 码, 护照
  ['码口pPｐＰ护', SECRET_WORD],
] as const)
  for (const character of characters) {
    const place = placeOf(character.charCodeAt(0))
    PARTS[place] = (PARTS[place] as number) | part
  }
/** As many digits as `DIGIT_RUN` and `SPOKEN_RUN` ask for. */
const LEAST_RUN = 10
const LEAST_SPOKEN = 11

/**
 * Everything personal that structure alone gives away, in the order of the text. Masked values are not found. Most
 * messages hold too few digits for any of it: they are counted first, and then nothing is searched for.
 */
export function findPersonalData(original: string): PersonalDatum[] {
  let digits = 0
  let spoken = 0
  let words = 0
  for (let at = 0; at < original.length; at++) {
    const part = PARTS[placeOf(original.charCodeAt(at))] as number
    if (part === 0) continue
    if ((part & DIGIT) !== 0) digits++
    if ((part & SPOKEN_DIGIT) !== 0) spoken++
    if ((part & SECRET_WORD) !== 0) words++
  }
  const found: PersonalDatum[] = []
  const mayHoldSecret = digits > 0 && words > 0
  if (digits < LEAST_RUN && spoken < LEAST_SPOKEN && !mayHoldSecret) return found
  const text = foldWidth(original)
  if (digits >= LEAST_RUN)
    for (const match of text.matchAll(DIGIT_RUN)) addNumber(text, match[0], match.index, found)
  if (mayHoldSecret) addSecrets(text, found)
  if (spoken >= LEAST_SPOKEN)
    for (const match of text.matchAll(SPOKEN_RUN)) {
      const value = [...match[0]].map(character => SPOKEN[character] ?? '').join('')
      if (/^1[3-9]\d{9}$/.test(value)) found.push(datum('mobile', match[0], match.index, value))
      else if (isIdNumber(value)) found.push(datum('id-number', match[0], match.index, value))
    }
  return found.sort((a, b) => a.index - b.index)
}

function datum(kind: PersonalDataKind, shown: string, index: number, value: string): PersonalDatum {
  return { kind, index, length: shown.length, value }
}

function addNumber(text: string, shown: string, index: number, found: PersonalDatum[]): void {
  const value = shown.replace(/[^\dXx]/gu, '').toUpperCase()
  if (isIdNumber(value)) {
    found.push(datum('id-number', shown, index, value))
    return
  }
  const before = text.slice(Math.max(0, index - 16), index)
  const mobile = /^(?:86)?(1[3-9]\d{9})$/.exec(value)
  if (mobile?.[1]) {
    if (!NOT_PERSONAL.test(before)) found.push(datum('mobile', shown, index, mobile[1]))
    return
  }
  if (!/^(?:62|4|5|35)\d{13,18}$/.test(value) || value.length < 15 || NOT_PERSONAL.test(before)) {
    addPhonesInRun(shown, index, found)
    return
  }
  if (value.length >= 16 && (passesLuhn(value) || CARD_WORDS.test(text))) {
    found.push(datum('bank-card', shown, index, value))
  }
}

/** Two phones parted by a space look like one run of digits. */
function addPhonesInRun(shown: string, index: number, found: PersonalDatum[]): void {
  if (!/\d[ \u3000-]/u.test(shown)) return
  for (const match of shown.matchAll(/(?<!\d)1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)/gu)) {
    found.push(datum('mobile', match[0], index + match.index, match[0].replace(/\D/gu, '')))
  }
}

function addSecrets(text: string, found: PersonalDatum[]): void {
  for (const match of text.matchAll(PASSWORD)) {
    const value = match[2] ?? ''
    if (SHARED_PASSWORD.test(text.slice(0, match.index)) || /^\d{1,3}$/.test(value)) continue
    found.push(datum('password', value, match.index + match[0].length - value.length, value))
  }
  for (const match of text.matchAll(CODE)) {
    const value = match[2] ?? ''
    found.push(datum('code', value, match.index + match[0].length - value.length, value))
  }
  for (const match of text.matchAll(PASSPORT)) {
    const value = match[1] ?? ''
    found.push(datum('passport', value, match.index + match[0].length - value.length, value.toUpperCase()))
  }
}
