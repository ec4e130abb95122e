import { editDistance } from '../names/compare-names.ts'
import { nameKey } from '../names/name-key.ts'
import { findName, type NameFinding } from './find-name.ts'
import type { Candidate, Claims, ShortTail } from './types.ts'

/** `near`: one digit changed, swapped, missing or too many. `absent`: the request names no such factor. */
export type FactorMatch = 'right' | 'near' | 'wrong' | 'absent'

/** One human being among the candidates, compared with what the request claims. */
export interface ComparedPerson {
  personKey: string
  nameKey: string
  rows: Candidate[]
  isInScope: boolean
  name: NameFinding
  phone: FactorMatch
  idNumber: FactorMatch
  /** The last six characters of the ID number, or more of them. */
  idTail: FactorMatch
  /** An end of a number is given, too short to be a factor, that is not the roster's. */
  isContradicted: boolean
}

export function digitsOf(phone: string | null): string {
  return (phone ?? '')
    .normalize('NFKC')
    .replace(/\D/g, '')
    .replace(/^(?:00)?86(?=1\d{10}$)/, '')
}

export function idNumberOf(idNumber: string | null): string {
  return (idNumber ?? '')
    .normalize('NFKC')
    .replace(/[^0-9Xx]/g, '')
    .toUpperCase()
}

function compareFactor(claimed: string[], real: string[]): FactorMatch {
  if (claimed.length === 0) return 'absent'
  if (claimed.some(value => real.includes(value))) return 'right'
  return claimed.some(value => real.some(other => editDistance(value, other, 1) <= 1)) ? 'near' : 'wrong'
}

/** Nobody has two ID numbers: one that is wrong is not made good by another that is right. */
function compareIdNumbers(claimed: string[], real: string[]): FactorMatch {
  const wrong = claimed.filter(value => !real.includes(value))
  return wrong.length === 0 ? compareFactor(claimed, real) : compareFactor(wrong, real)
}

/** Ends of an ID number: every one that is given must be right. */
function compareTails(claimed: string[], ids: string[]): FactorMatch {
  const [first] = claimed
  if (first === undefined) return 'absent'
  if (allFit(claimed, ids)) return ids.length > 0 ? 'right' : 'wrong'
  return ids.some(id => editDistance(first, id.slice(-first.length), 1) <= 1) ? 'near' : 'wrong'
}

/** Whether each of the ends is that of one of the numbers; nothing speaks against a number nobody knows. */
function allFit(ends: string[], numbers: string[]): boolean {
  return numbers.length === 0 || ends.every(end => numbers.some(number => number.endsWith(end)))
}

function fits({ of, end }: ShortTail, phones: string[], ids: string[]): boolean {
  if (of === 'phone') return allFit([end], phones)
  if (of === 'idNumber') return allFit([end], ids)
  return allFit([end], [...phones, ...ids])
}

function unique(values: string[]): string[] {
  return [...new Set(values.filter(value => value !== ''))]
}

/** Groups candidate rows by person and compares each person with the claims. */
export function comparePeople(candidates: Candidate[], claims: Claims): ComparedPerson[] {
  const rowsOf = new Map<string, Candidate[]>()
  for (const row of candidates) {
    const rows = rowsOf.get(row.personKey)
    if (rows) rows.push(row)
    else rowsOf.set(row.personKey, [row])
  }
  return [...rowsOf].map(([personKey, rows]) => {
    const phones = unique(rows.map(row => digitsOf(row.phone)))
    const ids = unique(rows.map(row => idNumberOf(row.idNumber)))
    const [first] = rows as [Candidate]
    const phone = compareFactor([...claims.phones, ...claims.unclearPhones], phones)
    const idNumber = compareIdNumbers([...claims.idNumbers, ...claims.unclearIdNumbers], ids)
    const idTail = compareTails(claims.idTails, ids)
    const isInScope = rows.some(row => row.inScope)
    const ownsFactor = phone === 'right' || idNumber === 'right' || (idTail === 'right' && isInScope)
    return {
      personKey,
      nameKey: nameKey(first.name),
      rows,
      isInScope,
      name: findName(first.name, claims, ownsFactor),
      phone,
      idNumber,
      idTail,
      isContradicted: claims.shortTails.some(tail => !fits(tail, phones, ids)),
    }
  })
}

export function factorsOf(person: ComparedPerson): FactorMatch[] {
  return [person.phone, person.idNumber, person.idTail].filter(match => match !== 'absent')
}

/** Every factor supplied agrees, and there is one. Of two phones of one's own, one being the registered one is enough. */
export function hasAllFactorsRight(person: ComparedPerson): boolean {
  const factors = factorsOf(person)
  return factors.length > 0 && factors.every(match => match === 'right') && !person.isContradicted
}

/**
 * Whether a factor leads to this person. Six digits alone are shared by several people of a large roster, so an ID tail
 * counts for people of this group only, or together with the name.
 */
export function ownsFactor(person: ComparedPerson): boolean {
  if (person.phone === 'right' || person.idNumber === 'right') return true
  return person.idTail === 'right' && (person.isInScope || person.name.match === 'exact')
}
