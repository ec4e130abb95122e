import { isRealDay } from './day.ts'
import { cleanCell, maskMiddle } from './text.ts'

const FORM = /^[1-9]\d{16}[\dX]$/
/** GB 11643-1999, 4.2: the weight of each of the first 17 digits, and the check character for each remainder. */
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const CHECK_CHARACTERS = '10X98765432'

/** Half width, no spaces or dashes, capital X. The result may still be no ID number. */
export function normaliseIdNumber(text: string): string {
  return cleanCell(text.normalize('NFKC'))
    .replace(/[\s\-‐-―]/g, '')
    .toUpperCase()
}

/**
 * True when an 18-digit number (already normalised) has a real birth date and the right check character.
 *
 * @source GB 11643-1999. Numbers of 15 digits have not been valid since 2013-01-01.
 */
export function isValidIdNumber(idNumber: string): boolean {
  if (birthDateOf(idNumber) === null) return false
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(idNumber[index]), 0)
  return CHECK_CHARACTERS[sum % 11] === idNumber[17]
}

/** The birth date inside as `YYYY-MM-DD`; null when the form is wrong or there is no such day. */
export function birthDateOf(idNumber: string): string | null {
  if (!FORM.test(idNumber)) return null
  const day = `${idNumber.slice(6, 10)}-${idNumber.slice(10, 12)}-${idNumber.slice(12, 14)}`
  const isReal = isRealDay(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8, 10)))
  return isReal && day >= '1900' ? day : null
}

/** Odd for men, even for women in the 17th place; null when the form is wrong. */
export function genderOf(idNumber: string): '男' | '女' | null {
  if (!FORM.test(idNumber)) return null
  return Number(idNumber[16]) % 2 === 1 ? '男' : '女'
}

/** `610802********1234`-like texts still say where and who; here only three digits and two stay. */
export function maskIdNumber(idNumber: string): string {
  return maskMiddle(idNumber, 3, 2)
}
