import { cleanCell, maskMiddle } from './text.ts'

const MOBILE = /^1[3-9]\d{9}$/

/**
 * A mobile number of mainland China as 11 digits; null when the text is none.
 *
 * Full width digits, spaces, dashes, dots, brackets and the country code are taken away, nothing else is repaired.
 */
export function normalisePhone(text: string): string | null {
  const digits = cleanCell(text.normalize('NFKC'))
    .replace(/\.0$/, '') // a number column of a spreadsheet read as a decimal
    .replace(/[\s\-‐-―.·()]/g, '')
    .replace(/^(\+|00)?86(?=1\d{10}$)/, '')
  return MOBILE.test(digits) ? digits : null
}

/** `138****5678`; of a text that is no phone number only the first three and the last two characters. */
export function maskPhone(text: string): string {
  return MOBILE.test(text) ? maskMiddle(text, 3, 4) : maskMiddle(text, 3, 2)
}
