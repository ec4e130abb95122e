import policy from '../../../templates/policies/volunteers.json' with { type: 'json' }
import type { Templates } from '../../templates.ts'
import { rolesMeant } from '../groups/entitlement.ts'
import { universityKey } from '../groups/facts.ts'
import type { RosterTerm, WayRule } from './way.ts'

export type KeptThing = 'household' | 'place' | 'records'

export interface KeepRule {
  id: string
  name: string
  /** null: the university keeps it without an end. */
  years: number | null
  note: string
  source: string
}

/** `templates/policies/volunteers.json`. */
export const volunteerRules = policy

/** The rule by which something is kept; undefined for what no rule knows. */
export function keepRule(what: string): KeepRule | undefined {
  return policy.keeps.find(each => each.id === what)
}

/** The roles that the roster writes volunteers under: who leads their branch is one of them. */
export function volunteerRoles(templates: Templates): string[] {
  return [...rolesMeant(templates.programme(policy.programme), policy.role)]
}

/** Of somebody's rows those that this university has sent: under any of its names, or where no university is written. */
export function ownRows(rows: readonly RosterTerm[], unitName: string): RosterTerm[] {
  const own = universityKey(unitName)
  return rows.filter(row => row.university === null || universityKey(row.university) === own)
}

/** Of the ways in which rows write universities those that mean this one. */
export function ownWritings(written: readonly string[], unitName: string): string[] {
  const own = universityKey(unitName)
  return written.filter(each => universityKey(each) === own)
}

/** What a way is told by on a day. @param today `YYYY-MM-DD` */
export function wayRule(today: string): WayRule {
  const { followsWithinDays, earlyByDays } = policy.terms
  return {
    today,
    extendedCategory: policy.extendedCategory,
    followsWithinDays: followsWithinDays.value,
    earlyByDays: earlyByDays.value,
  }
}

/** The last day on which something is kept that is kept from a day on; null: no end. @param since `YYYY-MM-DD` */
export function keptUntil({ years }: KeepRule, since: string): string | null {
  if (years === null) return null
  const until = new Date(`${since}T00:00:00Z`)
  until.setUTCFullYear(until.getUTCFullYear() + years)
  until.setUTCDate(until.getUTCDate() - 1)
  return until.toISOString().slice(0, 10)
}
