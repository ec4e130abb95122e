import { editDistance } from '../names/compare-names.ts'
import { nameKey } from '../names/name-key.ts'
import { findName, type NameFinding } from './find-name.ts'
import type { Candidate, Claims } from './types.ts'

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
  /** The last six characters of the ID number. */
  idTail: FactorMatch
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
    return {
      personKey,
      nameKey: nameKey(first.name),
      rows,
      isInScope: rows.some(row => row.inScope),
      name: findName(first.name, claims),
      phone: compareFactor([...claims.phones, ...claims.unclearPhones], phones),
      idNumber: compareFactor([...claims.idNumbers, ...claims.unclearIdNumbers], ids),
      idTail: compareFactor(
        claims.idTails,
        ids.map(id => id.slice(-6)),
      ),
    }
  })
}

export function factorsOf(person: ComparedPerson): FactorMatch[] {
  return [person.phone, person.idNumber, person.idTail].filter(match => match !== 'absent')
}

/** Every factor supplied agrees, and there is one. Of two phones of one's own, one being the registered one is enough. */
export function hasAllFactorsRight(person: ComparedPerson): boolean {
  const factors = factorsOf(person)
  return factors.length > 0 && factors.every(match => match === 'right')
}

/**
 * Whether a factor leads to this person. Six digits alone are shared by several people of a large roster, so an ID tail
 * counts for people of this group only, or together with the name.
 */
export function ownsFactor(person: ComparedPerson): boolean {
  if (person.phone === 'right' || person.idNumber === 'right') return true
  return person.idTail === 'right' && (person.isInScope || person.name.match === 'exact')
}
