import type { UnitRow } from '../../../db/queries/units.ts'
import type { Templates } from '../../templates.ts'

/**
 * What a roster file of an office may touch. The rules are those of the binding codes (`identities/issue-code.ts`): what
 * somebody may do is given to them from above.
 *
 * 1. Only units of the office's own subtree; a row of any other unit is an error.
 * 2. Not who runs the office itself. The managing entries of the top unit are neither brought, changed nor closed by its
 *    own file: a row there is taken when it says what stands, and is an error otherwise; leaving it out closes nothing.
 *    So no office makes somebody its officer, nor puts one out, through a file.
 * 3. Not what is known of a person (name, phone, ID number, WeChat id) who stands in a unit outside as well, or who runs
 *    the office: others rely on it. Such a row is taken when it says what is known.
 *
 * The command line has no scope: it is the operator's.
 * source: project assumption
 */
export interface RosterScope {
  /** The top of what may be touched. */
  unit: UnitRow
  holds(unit: { path: string }): boolean
  /** The roles that run the top unit. */
  officeRoles: string[]
}

export function scopeOf(templates: Templates, programme: string, unit: UnitRow): RosterScope {
  const officeRoles = templates
    .programme(programme)
    .roles.filter(role => role.manages)
    .map(role => role.id)
  return { unit, officeRoles, holds: each => each.path.startsWith(unit.path) }
}
