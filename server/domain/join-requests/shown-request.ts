import { personsByIds, rolesOf } from '../../../db/queries/persons.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { cleanText } from '../names/clean-text.ts'
import { SEPARATORS, SPOKEN } from './read-numbers.ts'

/** What a digit may be written as in a cleaned text; the letters only next to others. */
const DIGIT = `[0-9${SPOKEN}OoIlQ]`
/** Numbers as the reader of requests puts them together: at least seven digits, whatever it lets stand between. */
const SPLIT_NUMBER = new RegExp(`${DIGIT}(?:[${SEPARATORS}]{0,3}${DIGIT}){6,}[Xx]?`, 'gu')
/** The end of an ID number, and anything else of five digits or more. */
const SHORT_NUMBER = /\d(?:[ -]{0,2}\d){4,}[Xx]?/g
/** With fewer real digits it is a word in letters that look like digits. */
const LEAST_DIGITS = 5
const DIGITS = new RegExp(`[0-9${SPOKEN}]`, 'gu')

/** What was written, for those who decide: every longer number is masked, also one that has a digit too few. */
export function shownRequest(text: string): string {
  const masked = maskNumbers(maskPersonalData(text))
  const read = cleanText(masked)
  const readMasked = maskNumbers(read)
  // a number in other digits, or with marks in it that the reader drops, is shown as it was read
  const shown = readMasked === read ? masked : readMasked
  return [...shown.replace(/\s*\n\s*/g, '；')].slice(0, 150).join('')
}

function maskNumbers(text: string): string {
  return text
    .replace(SPLIT_NUMBER, number =>
      (number.match(DIGITS)?.length ?? 0) < LEAST_DIGITS ? number : maskNumber(number),
    )
    .replace(SHORT_NUMBER, maskNumber)
}

function maskNumber(number: string): string {
  const kept = number.length > 8 ? number.slice(-4) : number.slice(-2)
  return `${'*'.repeat(number.length - kept.length)}${kept}`
}

/** Somebody whom a request may mean, with what tells people of one name apart. */
export interface ShownCandidate {
  personId: number
  name: string
  /** Such as 榆阳区第一团支部团支部书记. */
  where: string
  /** Such as 手机尾号 0006; empty when the roster has no phone. */
  tail: string
}

/** The first five of whom a request may mean, in order. */
export async function shownCandidates(rt: DomainRuntime, personIds: number[]): Promise<ShownCandidate[]> {
  const ids = personIds.slice(0, 5)
  const persons = new Map((await personsByIds(rt.db, ids)).map(each => [each.id, each]))
  const shown: ShownCandidate[] = []
  for (const personId of ids) {
    const person = persons.get(personId)
    const [role] = await rolesOf(rt.db, personId)
    shown.push({
      personId,
      name: person?.name ?? '',
      where: role
        ? `${role.unitName}${role.title ?? rt.templates.role(role.programme, role.role).name}`
        : '不在岗',
      tail: person?.phoneSealed ? `手机尾号 ${rt.vault.open(person.phoneSealed).slice(-4)}` : '',
    })
  }
  return shown
}

/** The same as lines of a text, numbered when there are several. */
export function candidateLines(shown: ShownCandidate[]): string[] {
  return shown.map(
    ({ name, where, tail }, index) =>
      `名册${shown.length > 1 ? ` ${index + 1}` : ''}：${name}（${[where, tail].filter(Boolean).join('，')}）`,
  )
}
