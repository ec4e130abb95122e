import type { GroupWithUnit } from '../../../db/queries/groups.ts'
import {
  type CandidateRow,
  candidatesFor,
  candidatesOf,
  type FoundRows,
} from '../../../db/queries/join-requests.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Actor } from '../actor.ts'
import { lookupKeys } from './roster-index.ts'
import { type MemberScope, scopeOf, scopeRules } from './scope.ts'
import type { Candidate, Claims } from './types.ts'

/** A roster row that a request may mean, with the role by which its person would be in the group. */
export type FoundCandidate = Candidate & {
  role: string
  /** In scope only by the rules of a kind that may be merged into this one. */
  isByMerger: boolean
}

/**
 * The roster rows that a request may mean, in one statement whose cost does not grow with the roster: by name among those
 * whom the group is for, by the keyed indexes of phones and ID numbers among all. Only what came back is decrypted.
 */
export async function findCandidates(
  rt: DomainRuntime,
  actor: Pick<Actor, 'address' | 'person'>,
  group: GroupWithUnit,
  claims: Claims,
): Promise<FoundCandidate[]> {
  const { indexes } = rt.vault
  const keys = lookupKeys(claims)
  const rules = scopeRules(rt.templates, group.programme, group.kind)
  const found = await candidatesFor(rt.db, group, rules, {
    nameKeys: keys.nameKeys,
    soundKeys: keys.soundKeys,
    phoneIndexes: keys.phones.flatMap(phone => indexes('phone', phone)),
    idNumberIndexes: keys.idNumbers.flatMap(number => indexes('id-number', number)),
    idTailIndexes: keys.idTails.flatMap(tail => indexes('id-tail', tail)),
  })
  return found.rows.map(row => candidateFrom(rt, row, actor, { group, rules, found }))
}

/** The rows of persons who are known, as `findCandidates` gives them. */
export async function candidatesAmong(
  rt: DomainRuntime,
  group: GroupWithUnit,
  personIds: number[],
): Promise<(FoundCandidate & { unitName: string; isMember: boolean })[]> {
  const rules = scopeRules(rt.templates, group.programme, group.kind)
  const found = await candidatesOf(rt.db, group, rules, personIds)
  return found.rows.map(row => ({
    ...candidateFrom(rt, row, { address: '', person: null }, { group, rules, found }),
    unitName: row.unitName,
    isMember: row.isMember,
  }))
}

function candidateFrom(
  rt: DomainRuntime,
  row: CandidateRow,
  actor: Pick<Actor, 'address' | 'person'>,
  { group, rules, found }: { group: GroupWithUnit; rules: MemberScope[]; found: FoundRows },
): FoundCandidate {
  const rule = scopeOf(row, group, rules, found.universities)
  const open = (sealed: string | null) => (sealed === null ? null : rt.vault.open(sealed))
  return {
    id: row.entryId,
    personKey: String(row.personId),
    name: row.name,
    phone: open(row.phoneSealed),
    idNumber: open(row.idNumberSealed),
    wechat: open(row.wechatSealed),
    category: row.category ?? '',
    status: row.status,
    startsOn: row.startsOn,
    endsOn: row.endsOn,
    role: row.role,
    inScope: rule !== null || row.personId === group.ownerId,
    isByMerger: rule?.isMerged ?? false,
    membership: membershipOf(row, actor),
  }
}

/** The group knows a member's WeCom account; the request may come from the same person's Official Account. */
function membershipOf(row: CandidateRow, actor: Pick<Actor, 'address' | 'person'>): Candidate['membership'] {
  if (!row.isMember) return 'none'
  const { memberAddress } = row
  const isTheirs =
    memberAddress === null || memberAddress === actor.address || actor.person?.id === row.personId
  return isTheirs ? 'this_account' : 'other_account'
}
