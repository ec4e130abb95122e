import { isInScope, type Person, type Roster, type SetGroup, type SheetRow } from './roster.ts'

/** What the policy says about one request, derived from what was planted and never from the matcher. */
export interface Label {
  decision: 'approve' | 'reject' | 'review'
  reason: string
  row: number | null
  /** Other decisions that an officer would accept. */
  also: string[]
  alsoReasons: string[]
  /** Rows of whom the request may mean, whoever should be shown first in front. */
  candidates: number[]
}

/** A request as it was planned, before it is put into words. */
export interface Asking {
  group: SetGroup
  at: Date
  sender: string | null
}

const REASONS_OF_DOUBT = ['identity_mismatch', 'insufficient', 'ambiguous', 'not_on_roster']

export const rowIds = (...people: Person[]): number[] =>
  people.flatMap(person => person.rows.map(row => row.id))

export function review(
  reason: string,
  people: Person[],
  also: string[] = [],
  alsoReasons = REASONS_OF_DOUBT,
): Label {
  return { decision: 'review', reason, row: null, also, alsoReasons, candidates: rowIds(...people) }
}

export function reject(reason: string, also: string[] = [], people: Person[] = []): Label {
  return {
    decision: 'reject',
    reason,
    row: null,
    also,
    alsoReasons: REASONS_OF_DOUBT,
    candidates: rowIds(...people),
  }
}

/** Beijing has had no summer time since 1991: its day is UTC's eight hours on. */
export function beijingDay(at: Date): string {
  return new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 10)
}

export const key = (name: string) => name.replace(/[^\p{Script=Han}]/gu, '').replace('吉吉', '喆')

/** People of one name with a row in the group's scope. */
export function namedInScope(roster: Roster, group: SetGroup, name: string): Person[] {
  return roster.people.filter(
    person => key(person.name.full) === key(name) && person.rows.some(row => isInScope(row, group)),
  )
}

type State = 'active' | 'not_started' | 'expired' | 'left'

function stateOf(row: SheetRow, today: string): State {
  if (row.status === '待派遣') return 'not_started'
  if (row.status === '离岗') return 'left'
  if (row.startsOn > today) return 'not_started'
  return row.endsOn < today ? 'expired' : 'active'
}

/** Rules 5 to 8: what becomes of somebody whose identity is proven. */
export function labelProven(
  roster: Roster,
  asking: Asking,
  person: Person,
  says: { transfer?: boolean; isArguable?: boolean } = {},
): Label {
  const { group, at, sender } = asking
  const today = beijingDay(at)
  const base = { alsoReasons: [] as string[], candidates: rowIds(person) }
  const inScope = person.rows.filter(row => isInScope(row, group))
  const find = (state: State, rows = inScope) => rows.find(row => stateOf(row, today) === state)
  const any = person.rows[0] as SheetRow
  const owner = sender === null ? undefined : roster.people.find(other => other.wechat === sender)
  if (owner && owner !== person)
    return {
      ...base,
      decision: 'review',
      reason: 'identity_mismatch',
      row: (find('active') ?? any).id,
      also: ['reject'],
      alsoReasons: ['ambiguous'],
    }
  const doubt = says.isArguable ? { also: ['review'], alsoReasons: REASONS_OF_DOUBT } : { also: [] }
  const active = find('active')
  if (active) {
    const members = roster.members.get(group.id) ?? new Set()
    if (person.wechat !== null && members.has(person.wechat)) {
      const isSame = sender === null || sender === person.wechat
      return isSame
        ? {
            ...base,
            decision: 'reject',
            reason: 'already_member',
            row: active.id,
            ...doubt,
            also: sender === null || says.isArguable ? ['review'] : [],
          }
        : { ...base, decision: 'review', reason: 'already_member', row: active.id, also: ['reject'] }
    }
    return { ...base, decision: 'approve', reason: 'matched', row: active.id, ...doubt }
  }
  const waiting = find('not_started')
  if (waiting)
    return { ...base, decision: 'review', reason: 'not_started', row: waiting.id, also: ['reject'] }
  const expired = find('expired')
  if (expired)
    return { ...base, decision: 'review', reason: 'service_ended', row: expired.id, also: ['reject'] }
  const elsewhere = person.rows.find(row => !isInScope(row, group) && stateOf(row, today) === 'active')
  const left = find('left')
  if (left && !elsewhere)
    return { ...base, decision: 'reject', reason: 'service_ended', row: left.id, ...doubt }
  if (says.transfer)
    return {
      ...base,
      decision: 'review',
      reason: 'wrong_group',
      row: (elsewhere ?? any).id,
      also: ['reject'],
    }
  return {
    ...base,
    decision: 'reject',
    reason: 'wrong_group',
    row: (elsewhere ?? any).id,
    also: left || says.isArguable ? ['review'] : [],
    alsoReasons: left ? ['service_ended', ...REASONS_OF_DOUBT] : says.isArguable ? REASONS_OF_DOUBT : [],
  }
}
