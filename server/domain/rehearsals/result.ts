/** What makes a group hard to reach, the gravest first. */
export const weaknessIds = [
  'no-owner',
  'owner-gone',
  'owner-no-account',
  'no-second-contact',
  'owner-called-only',
] as const
export type WeaknessId = (typeof weaknessIds)[number]

/** A weakness of the matrix itself, whatever people did this time: what to mend. */
export interface Weakness {
  id: WeaknessId
  groups: number
  /** Of these, not reached this time. */
  dry: number
  /** Some of them, those not reached first. */
  groupIds: number[]
}

/** Why a group was not reached: a weakness, or that those who were asked did not act, or that nobody can tell whether it was. */
export type UnreachedWhy = WeaknessId | 'nobody-acted' | 'unknown'

/** Minutes since the notice was sent, and the groups that had it, had it by hand, and were with somebody or had it. */
export type CurvePoint = [minute: number, reached: number, relayed: number, handed: number]

/** What a rehearsal has shown (演练结果). Units and groups are those of the real matrix, persons are only counted. */
export interface RehearsalResult {
  issuedAt: string
  deadlineAt: string
  groups: number
  /** Groups of the unit and below, of which `groups` are a part when there are too many. */
  groupsInAll: number
  persons: number
  /** Groups that had it by the deadline. */
  reached: number
  curve: CurvePoint[]
  /** Minutes until half, 90 % and 99 % had it; null: not by the deadline. */
  minutesTo: { half: number | null; ninety: number | null; ninetyNine: number | null }
  levels: { level: string; groups: number; reached: number }[]
  /** Units with groups that were not reached, the most first. */
  dryUnits: { unitId: number; groups: number; dry: number }[]
  /** Persons by the number of messages that they were sent about it. */
  messages: { count: number; persons: number }[]
  /** That one person was sent; a request to relay is one, though its text and what is asked stand apart. */
  mostMessages: number
  /** The same, each part by itself. */
  mostParts: number
  /** Some of the groups that were not reached. */
  unreached: { groupId: number; why: UnreachedWhy }[]
  mend: Weakness[]
  /** Words of people that the service did not take. */
  refused: number
  seconds: number
}

/** What is asked of notices: 99 % of the groups within the day, and nobody gets more than four messages. */
export function holds(result: Pick<RehearsalResult, 'groups' | 'reached' | 'mostMessages'>): boolean {
  return result.reached >= 0.99 * result.groups && result.mostMessages <= 4
}
