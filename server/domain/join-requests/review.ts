import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import { type JoinRequestRow, unitNames } from '../../../db/queries/join-requests.ts'
import { entriesOfPersons, membershipsOf } from '../../../db/queries/roster.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { type ComparedPerson, comparePeople } from './identity.ts'
import { readClaims } from './read-claims.ts'
import { shownRequest } from './submit.ts'
import type { Candidate } from './types.ts'

/** Whom a request may mean, as a reviewer sees them. */
export interface ReviewedCandidate {
  personId: number
  name: string
  /** 138****0006; null when the roster has none. */
  maskedPhone: string | null
  /** The person's rows of the roster: an ended term and its extension are two. */
  terms: {
    unitName: string
    status: string
    category: string
    startsOn: string | null
    endsOn: string | null
    /** Whether the row belongs to the group's unit or below. */
    isInScope: boolean
  }[]
  isMember: boolean
  match: Pick<ComparedPerson, 'name' | 'phone' | 'idNumber' | 'idTail'>
}

/** More than this a request never means; the first are the likeliest. */
const MAX_CANDIDATES = 20

/**
 * What a reviewer needs to decide a request: what was written, with numbers masked, and how it agrees with each
 * candidate. The comparison is made anew with the roster of today, which may know more than when the request came.
 */
export async function reviewRequest(
  rt: DomainRuntime,
  request: JoinRequestRow,
  group: GroupWithUnit,
): Promise<{ text: string; candidates: ReviewedCandidate[] }> {
  const text = rt.vault.open(request.textSealed)
  const personIds = request.candidateIds.slice(0, MAX_CANDIDATES)
  const rows = await entriesOfPersons(rt.db, group.programme, personIds)
  const names = await unitNames(
    rt.db,
    rows.map(({ entry }) => entry.unitId),
  )
  const members = new Set((await membershipsOf(rt.db, group.id, personIds)).map(row => row.personId))
  const open = (sealed: string | null) => (sealed === null ? null : rt.vault.open(sealed))
  const candidates = rows.map(
    ({ entry, person, unitPath }): Candidate => ({
      id: entry.id,
      personKey: String(person.id),
      name: person.name,
      phone: open(person.phoneSealed),
      idNumber: open(person.idNumberSealed),
      wechat: null,
      category: entry.category ?? '',
      status: entry.status,
      startsOn: entry.startsOn,
      endsOn: entry.endsOn,
      inScope: unitPath.startsWith(group.unitPath),
      membership: 'none',
    }),
  )
  const unitOf = new Map(rows.map(({ entry }) => [entry.id, entry.unitId]))
  const compared = new Map(
    comparePeople(candidates, readClaims(text)).map(each => [Number(each.personKey), each]),
  )
  return {
    text: shownRequest(text),
    candidates: personIds.flatMap(personId => {
      const person = compared.get(personId)
      const [first] = person?.rows ?? []
      if (!person || !first) return []
      return {
        personId,
        name: first.name,
        maskedPhone: first.phone === null ? null : maskPersonalData(first.phone),
        terms: person.rows.map(row => ({
          unitName: names.get(unitOf.get(row.id) ?? 0) ?? '',
          status: row.status,
          category: row.category,
          startsOn: row.startsOn,
          endsOn: row.endsOn,
          isInScope: row.inScope,
        })),
        isMember: members.has(personId),
        match: person,
      }
    }),
  }
}
