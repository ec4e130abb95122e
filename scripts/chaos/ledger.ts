import { type Case, FORGED_MARK } from './cases.ts'
import type { StoredUpdate } from './stored-updates.ts'

/** What must be in the database, by what was sent and how it was answered. */
export class Ledger {
  /** Which requests may be stored under a key. */
  private readonly mayBe = new Map<string, Set<number>>()
  /** Requests that were answered with 200 and must be stored, with the keys they may be stored under. */
  private readonly mustBe = new Map<number, { what: string; keys: string[] }>()

  /** @param isTaken answered with 200 */
  enter(each: Case, isTaken: boolean): void {
    for (const key of each.keys.map(key => `${each.door} ${key}`)) {
      const before = this.mayBe.get(key)
      if (before === undefined) this.mayBe.set(key, new Set([each.index]))
      else before.add(each.index)
    }
    if (isTaken && ['stored', 'either'].includes(each.expected))
      this.mustBe.set(each.index, { what: each.what, keys: each.keys.map(key => `${each.door} ${key}`) })
  }

  get acknowledged(): number {
    return this.mustBe.size
  }

  /** Holds the rows against the book. `open` gives the text of a sealed payload. */
  async compare(rows: AsyncIterable<StoredUpdate>, open: (sealed: string) => string): Promise<LedgerResult> {
    const result: LedgerResult = { rows: 0, kinds: {}, states: {}, faults: [] }
    const stored = new Set<string>()
    for await (const row of rows) {
      result.rows++
      result.kinds[row.kind] = (result.kinds[row.kind] ?? 0) + 1
      result.states[row.status] = (result.states[row.status] ?? 0) + 1
      const key = `${row.channel} ${row.dedupe_key}`
      stored.add(key)
      if (!this.mayBe.has(key)) result.faults.push(`stored and never signed: ${key} (${row.kind})`)
      // the key and the kind too: nothing of a forgery may come through anywhere
      if (`${row.dedupe_key} ${row.kind} ${open(row.payload_sealed)}`.includes(FORGED_MARK))
        result.faults.push(`something forged is in ${key} (${row.kind})`)
    }
    for (const [index, { what, keys }] of this.mustBe) {
      // a short number in a body may be another's key: what stands for this request alone counts
      const found = keys.filter(key => stored.has(key) && this.mayBe.get(key)?.size === 1)
      if (found.length > 1) result.faults.push(`case ${index} is stored ${found.length} times: ${what}`)
      else if (!keys.some(key => stored.has(key)))
        result.faults.push(`case ${index} was acknowledged and is not stored: ${what}`)
    }
    return result
  }
}

export interface LedgerResult {
  rows: number
  kinds: Record<string, number>
  states: Record<string, number>
  faults: string[]
}
