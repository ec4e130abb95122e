import type { ContactScope } from '../../../db/queries/contacts.ts'
import policy from '../../../templates/policies/contacts.json' with { type: 'json' }
import type { Programme, Templates } from '../../templates.ts'

/** When people are asked for a branch and for a visit, as `templates/policies/contacts.json` says. */
export const contactPolicy = policy

export interface ContactRules {
  scope: ContactScope
  /** Branches that everybody keeps contact with at least. */
  branches: number
  /** Visits that each of them is paid a year (原则上). */
  visits: number
}

/** 1+100 in the programmes that have it (全国项目办发〔2018〕1号 三.4), read from the duties and the composition rules. */
export function contactRules(templates: Templates): ContactRules[] {
  return templates.programmes.flatMap(programme => rulesOf(programme) ?? [])
}

/** The rules of one programme; null where it has no such contacts. */
export function contactRulesOf(templates: Templates, programmeId: string): ContactRules | null {
  return contactRules(templates).find(each => each.scope.programme === programmeId) ?? null
}

function rulesOf(programme: Programme): ContactRules | null {
  const branches = programme.duties.find(duty => duty.id === 'contact-branches')
  const visits = programme.duties.find(duty => duty.id === 'contact-visits-a-year')
  const kinds = programme.groupKinds.filter(kind => kind.members.some(rule => rule.from === 'contacts'))
  if (!branches || kinds.length === 0) return null
  const named = new Set(
    kinds.flatMap(kind => kind.members.flatMap(rule => (rule.from === 'contacts' ? (rule.role ?? []) : []))),
  )
  return {
    scope: {
      programme: programme.id,
      officeKinds: branches.unitKinds ?? [],
      roles: programme.roles
        .filter(role => named.has(role.id) || role.countsAs.some(each => named.has(each)))
        .map(role => role.id),
      branchKinds: [...new Set(kinds.flatMap(kind => kind.unitKinds))],
      groupKinds: kinds.map(kind => kind.id),
    },
    branches: Number(branches.value),
    visits: Number(visits?.value ?? 1),
  }
}
