import { judgeJoinRequest } from '../../../../server/domain/join-requests/judge.ts'
import { readClaims } from '../../../../server/domain/join-requests/read-claims.ts'
import type { RosterIndex } from '../../../../server/domain/join-requests/roster-index.ts'
import type {
  JoinRequestText,
  Judgement,
  RosterPerson,
} from '../../../../server/domain/join-requests/types.ts'
import { nameKey } from '../../../../server/domain/names/name-key.ts'

export interface InventedPerson extends RosterPerson {
  county: string
}

/** The day of all requests in these tests, Beijing time. */
export const AT = new Date('2026-03-01T10:00:00+08:00')

export function aPerson(
  id: number,
  name: string,
  county: string,
  changes: Partial<InventedPerson> = {},
): InventedPerson {
  const idNumber = `6108${String(260000 + id * 37).slice(0, 2)}1999${String(1 + (id % 12)).padStart(2, '0')}${String(1 + (id % 28)).padStart(2, '0')}${String(1000 + id)}`
  return {
    id,
    personKey: `${nameKey(name)}/${changes.idNumber ?? idNumber}`,
    name,
    phone: `13${String(800000000 + id * 7654321).slice(0, 9)}`,
    idNumber,
    wechat: `wxid_person${id}`,
    category: '全国项目',
    status: '在岗',
    startsOn: '2025-08-01',
    endsOn: '2026-07-31',
    county,
    ...changes,
  }
}

export interface Asking {
  county?: string
  sender?: string | null
  members?: string[]
  at?: Date
}

/** Judges a text for the group of one county over an invented roster. */
export function judgeWith(index: RosterIndex<InventedPerson>, text: string, asking: Asking = {}): Judgement {
  const { county = '定边县', sender = null, members = [], at = AT } = asking
  const request: JoinRequestText = { text, at, senderAccount: sender }
  const claims = readClaims(text)
  const candidates = index.lookup(claims, {
    isInScope: row => row.county === county,
    memberAccounts: new Set(members),
    senderAccount: sender,
  })
  return judgeJoinRequest({ request, claims, candidates, senderIs: index.ownerOfAccount(sender) })
}
