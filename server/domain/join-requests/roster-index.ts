import { nameKey, soundKey } from '../names/name-key.ts'
import { digitsOf, idNumberOf } from './identity.ts'
import type { Candidate, Claims, RosterPerson } from './types.ts'

/** How a roster row stands to the group asked for; only the caller knows the group. */
export interface GroupView<Row extends RosterPerson> {
  isInScope(row: Row): boolean
  /** Accounts in the group now. */
  memberAccounts: ReadonlySet<string>
  senderAccount: string | null
}

/**
 * The equality look-ups that find every row a request can be about. The database runs the same ones: by name and by
 * sound among the rows of the group's scope, by hashed phone and ID number among all rows, by the hashed last six of
 * the ID number among the rows of the scope and those whose name key is in the text.
 */
export interface LookupKeys {
  nameKeys: string[]
  soundKeys: string[]
  phones: string[]
  idNumbers: string[]
  idTails: string[]
}

export function lookupKeys(claims: Claims): LookupKeys {
  const { nameKeys, soundKeys, phones, idNumbers, idTails } = claims
  return {
    nameKeys,
    soundKeys,
    phones,
    idNumbers,
    idTails: [...new Set(idTails.map(tail => tail.slice(-6)))],
  }
}

/** `this_account` also when the platform does not tell the sender's account: the person is in the group already. */
export function membershipOf(
  row: RosterPerson,
  memberAccounts: ReadonlySet<string>,
  sender: string | null,
): Candidate['membership'] {
  if (row.wechat === null || !memberAccounts.has(row.wechat)) {
    return sender !== null && memberAccounts.has(sender) ? 'this_account' : 'none'
  }
  return sender === null || sender === row.wechat || memberAccounts.has(sender)
    ? 'this_account'
    : 'other_account'
}

type Buckets<Row> = Map<string, Row[]>

function add<Row>(buckets: Buckets<Row>, key: string, row: Row): void {
  if (key === '') return
  const bucket = buckets.get(key)
  if (bucket) bucket.push(row)
  else buckets.set(key, [row])
}

/** A whole roster in memory, for the command line and for tests. Rows are added once and never change. */
export class RosterIndex<Row extends RosterPerson> {
  readonly #byName: Buckets<Row> = new Map()
  readonly #bySound: Buckets<Row> = new Map()
  readonly #byPhone: Buckets<Row> = new Map()
  readonly #byIdNumber: Buckets<Row> = new Map()
  readonly #byIdTail: Buckets<Row> = new Map()
  readonly #byAccount: Buckets<Row> = new Map()

  constructor(rows: Iterable<Row>) {
    for (const row of rows) {
      const idNumber = idNumberOf(row.idNumber)
      add(this.#byName, nameKey(row.name), row)
      add(this.#bySound, soundKey(row.name), row)
      add(this.#byPhone, digitsOf(row.phone), row)
      add(this.#byIdNumber, idNumber, row)
      add(this.#byIdTail, idNumber.slice(-6), row)
      if (row.wechat) add(this.#byAccount, row.wechat, row)
    }
  }

  /** `personKey` of the person whose roster row names this account; null when nobody's or more than one person's. */
  ownerOfAccount(account: string | null): string | null {
    const owners = new Set(
      (account === null ? [] : (this.#byAccount.get(account) ?? [])).map(row => row.personKey),
    )
    return owners.size === 1 ? ([...owners][0] as string) : null
  }

  /** Rows that a request may be about, with all rows of the same people that share a name or a factor with it. */
  lookup(claims: Claims, view: GroupView<Row>): Candidate[] {
    const keys = lookupKeys(claims)
    const found = new Set<Row>()
    const take = (buckets: Buckets<Row>, values: string[], keep: (row: Row) => boolean) => {
      for (const value of values) for (const row of buckets.get(value) ?? []) if (keep(row)) found.add(row)
    }
    const always = () => true
    const inScope = (row: Row) => view.isInScope(row)
    take(this.#byName, keys.nameKeys, inScope)
    take(this.#bySound, keys.soundKeys, inScope)
    take(this.#byPhone, keys.phones, always)
    take(this.#byIdNumber, keys.idNumbers, always)
    const named = new Set(keys.nameKeys)
    take(this.#byIdTail, keys.idTails, row => inScope(row) || named.has(nameKey(row.name)))
    // a person's other rows: an ended term, an old county
    for (const row of [...found])
      for (const other of this.#byIdNumber.get(idNumberOf(row.idNumber)) ?? []) found.add(other)
    return [...found].map(row => ({
      ...row,
      inScope: view.isInScope(row),
      membership: membershipOf(row, view.memberAccounts, view.senderAccount),
    }))
  }
}
