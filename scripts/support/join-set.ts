import { idNumberOf } from '../../server/domain/join-requests/identity.ts'
import { judgeJoinRequest } from '../../server/domain/join-requests/judge.ts'
import { readClaims } from '../../server/domain/join-requests/read-claims.ts'
import { RosterIndex } from '../../server/domain/join-requests/roster-index.ts'
import type { Decision, Judgement, RosterPerson } from '../../server/domain/join-requests/types.ts'
import { nameKey } from '../../server/domain/names/name-key.ts'

/** A line of a roster sheet, as the audit of a set needs it. */
export interface RosterRow extends RosterPerson {
  province: string
  city: string
  county: string
  branch: string
}

/** A group of a set; null stands for any. */
export interface Group {
  id: string
  province: string | null
  city: string | null
  county: string | null
  branch: string | null
  categories: string[] | null
}

export interface Request {
  id: string
  group: string
  at: string
  sender_wechat?: string | null | undefined
  text: string
}

/** What the command line prints for a decision. */
export const PRINTED: Record<Decision, 'approve' | 'reject' | 'review'> = {
  approved: 'approve',
  rejected: 'reject',
  referred: 'review',
}

/** Rows of one human being share a name and an ID number, or what else the sheet knows of them. */
export function personKeyOf(row: Pick<RosterRow, 'id' | 'name' | 'idNumber' | 'phone'>): string {
  const id = idNumberOf(row.idNumber)
  return `${nameKey(row.name)}/${id || (row.phone ?? '').replace(/\s/g, '') || `row ${row.id}`}`
}

function isInScope(row: RosterRow, group: Group): boolean {
  const places = ['province', 'city', 'county', 'branch'] as const
  if (places.some(place => group[place] !== null && group[place] !== row[place])) return false
  return group.categories === null || group.categories.includes(row.category)
}

const NO_ACCOUNTS: ReadonlySet<string> = new Set()

/** Judges requests against one snapshot of a roster and its groups, each by itself. */
export class JoinSet {
  readonly #index: RosterIndex<RosterRow>
  readonly #groups: Map<string, Group>
  readonly #members: Map<string, Set<string>>

  constructor(rows: RosterRow[], groups: Group[], members: Map<string, Set<string>>) {
    this.#index = new RosterIndex(rows)
    this.#groups = new Map(groups.map(group => [group.id, group]))
    this.#members = members
  }

  hasGroup(id: string): boolean {
    return this.#groups.has(id)
  }

  judge(request: Request): Judgement {
    const group = this.#groups.get(request.group)
    if (!group) throw new RangeError(`no group ${request.group}`)
    const senderAccount = request.sender_wechat || null
    const claims = readClaims(request.text)
    return judgeJoinRequest({
      // without an offset the time is Beijing time
      request: {
        text: request.text,
        at: new Date(/(?:Z|[+-]\d\d:?\d\d)$/.test(request.at) ? request.at : `${request.at}+08:00`),
        senderAccount,
      },
      claims,
      candidates: this.#index.lookup(claims, {
        isInScope: row => isInScope(row, group),
        memberAccounts: this.#members.get(group.id) ?? NO_ACCOUNTS,
        senderAccount,
      }),
      senderIs: this.#index.ownerOfAccount(senderAccount),
    })
  }
}
