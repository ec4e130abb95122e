import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import type { JoinRequestRow, SeenCandidate } from '../../../db/queries/join-requests.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { maskPersonalData } from '../messages/mask.ts'
import { candidatesAmong } from './find-candidates.ts'
import { type ComparedPerson, comparePeople } from './identity.ts'
import { readClaims } from './read-claims.ts'
import { shownRequest } from './shown-request.ts'

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
    /** Whether the row makes the person one of those whom the group is for. */
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
  const rows = await candidatesAmong(rt, group, personIds)
  const rowOf = new Map(rows.map(row => [row.id, row]))
  const compared = new Map(comparePeople(rows, readClaims(text)).map(each => [Number(each.personKey), each]))
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
          unitName: rowOf.get(row.id)?.unitName ?? '',
          status: row.status,
          category: row.category,
          startsOn: row.startsOn,
          endsOn: row.endsOn,
          isInScope: row.inScope,
        })),
        isMember: rowOf.get(first.id)?.isMember ?? false,
        match: person,
      }
    }),
  }
}

/** How the candidates agree with what was written as a reviewer sees it now, to be kept with the decision. */
export async function seenInReview(
  rt: DomainRuntime,
  request: JoinRequestRow,
  group: GroupWithUnit,
): Promise<SeenCandidate[]> {
  const { candidates } = await reviewRequest(rt, request, group)
  return candidates.map(({ personId, match: { name, phone, idNumber, idTail } }) => ({
    personId,
    name: name.match,
    phone,
    idNumber,
    idTail,
  }))
}
