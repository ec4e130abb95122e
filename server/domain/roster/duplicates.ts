import { nameKey } from '../names/name-key.ts'
import type { RosterRow } from './roster-row.ts'

export interface Duplicate {
  kind: 'same-person' | 'other-name' | 'shared-phone'
  /** The earlier row. */
  line: number
}

export interface Duplicates {
  /** Compares a row with all rows given before; the gravest finding, or null. */
  check(row: RosterRow): Duplicate | null
}

/** What is kept of a row, so that a long file can be read row by row. */
interface Seen {
  line: number
  /** As names are compared: without dots and spaces, 吉吉 as 喆. */
  name: string
  idNumber: string
  unit: string
  startsOn: string
  endsOn: string
}

/**
 * Finds people who stand in a file twice: the same ID number, or the same name and phone, in the same unit with
 * overlapping dates. Rows that one person may rightly have (a term and its extension, an old county and a new
 * one) pass; a missing date counts as open on that side.
 */
export function duplicateFinder(): Duplicates {
  const byIdNumber = new Map<string, Seen[]>()
  const byPhone = new Map<string, Seen[]>()
  return {
    check(row) {
      const seen: Seen = {
        line: row.line,
        name: nameKey(row.name),
        idNumber: row.idNumber,
        unit: unitOf(row),
        startsOn: row.startsOn ?? '',
        endsOn: row.endsOn ?? '9999',
      }
      const sameId = earlier(byIdNumber, row.idNumber, seen)
      const samePhone = earlier(byPhone, row.phone, seen)
      const isSamePerson = (other: Seen) => other.name === seen.name && !differ(other.idNumber, seen.idNumber)
      const people = [...sameId, ...samePhone].filter(isSamePerson)
      const twice = people.find(other => other.unit === seen.unit && overlap(other, seen))
      if (twice) return { kind: 'same-person', line: twice.line }
      const renamed = sameId.find(other => other.name !== seen.name)
      if (renamed) return { kind: 'other-name', line: renamed.line }
      const shared = samePhone.find(other => !isSamePerson(other))
      return shared ? { kind: 'shared-phone', line: shared.line } : null
    },
  }
}

/** A number that stands in more rows is no longer compared with all of them: the file is wrong anyway. */
const MOST_COMPARED = 50

/** The rows with this key so far, the first ones of very many; the row is added to them. */
function earlier(index: Map<string, Seen[]>, key: string, seen: Seen): Seen[] {
  if (!key) return []
  const list = index.get(key)
  if (!list) {
    index.set(key, [seen])
    return []
  }
  const before = list.slice()
  if (list.length < MOST_COMPARED) list.push(seen)
  return before
}

function differ(one: string, other: string): boolean {
  return one !== '' && other !== '' && one !== other
}

function overlap(one: Seen, other: Seen): boolean {
  return one.startsOn <= other.endsOn && other.startsOn <= one.endsOn
}

function unitOf(row: RosterRow): string {
  if (row.unitCode) return row.unitCode
  return [row.province, row.city, row.county, row.township, row.branch, row.unit].join('|')
}
