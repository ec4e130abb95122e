import { JoinSet, personKeyOf } from '../support/join-set.ts'
import type { RequestSet } from './make-set.ts'
import type { Outcome } from './score.ts'

/** Judges every request of a set in this process. `perSecond` counts the decisions alone. */
export function judgeSet({ roster, requests }: RequestSet): { outcomes: Outcome[]; perSecond: number } {
  const rows = roster.rows.map(row => ({
    ...row,
    name: row.name.trim(),
    wechat: row.wechat || null,
    personKey: personKeyOf(row),
  }))
  const set = new JoinSet(rows, roster.groups, roster.members)
  const start = performance.now()
  const outcomes = requests.map(each => ({ ...each, judgement: set.judge(each.request) }))
  return { outcomes, perSecond: (1000 * requests.length) / (performance.now() - start) }
}
