import { type BelongingRule, type EffectRules, insertEffects } from '../../../db/queries/roster-effects.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Programme } from '../../templates.ts'
import { categoryNames, rolesMeant } from '../groups/entitlement.ts'

/** Owners with more open tasks than this are shown before a roster is applied. Source: project assumption. */
export const MOST_TASKS = 20

/** Where the roster says who belongs: the others are kept elsewhere or register themselves. */
const BY_PLACE: ReadonlySet<string> = new Set(['own-unit', 'parent-unit', 'child-units', 'descendant-units'])

/**
 * What a difference brings about beyond the roster: who joins and leaves which group by the composition rules (such as
 * 全国项目办发〔2018〕1号 二.4), branches that become larger than the rule allows (一: 30人), and owners with very many
 * tasks. Kept with the staging; call it in the transaction of the difference.
 */
export function workOutEffects(rt: DomainRuntime, staging: number, programmeId: string): Promise<void> {
  return insertEffects(rt.db, staging, rulesOf(rt.templates.programme(programmeId)))
}

function rulesOf(programme: Programme): EffectRules {
  const belonging = programme.groupKinds
    .filter(kind => kind.admission === 'audited')
    .flatMap(kind =>
      kind.members
        .filter(rule => rule.role !== undefined && BY_PLACE.has(rule.from))
        .map(
          (rule): BelongingRule => ({
            kind: kind.id,
            source: rule.from,
            unitKinds: rule.unitKinds ?? null,
            roles: [...rolesMeant(programme, rule.role ?? '')],
            categories: rule.categories === undefined ? null : [...categoryNames(programme, rule.categories)],
          }),
        ),
    )
  const most = programme.duties.find(duty => duty.id === 'branch-size')?.value
  const branch = programme.unitKinds.find(kind => kind.level === 'branch')
  return {
    programme: programme.id,
    belonging,
    size: typeof most === 'number' && branch ? { unitKind: branch.id, most } : null,
    mostTasks: MOST_TASKS,
  }
}
