import { peopleWhoRun } from '../../../db/queries/subsidies.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managingRoles } from '../actor.ts'
import { managingPairs } from '../groups/managers.ts'
import { subsidyRules } from './rules.ts'

/** Everybody who runs this very office: those above it are told nothing of its money. */
export function officersOf(rt: DomainRuntime, unitId: number): Promise<number[]> {
  return peopleWhoRun(rt.db, unitId, managingPairs(rt.templates))
}

/** The 校项目办 that somebody runs, each once. */
export function universitiesOf(
  rt: Pick<DomainRuntime, 'templates'>,
  actor: Pick<KnownActor, 'roles'>,
): { id: number; name: string }[] {
  const { unitKinds } = rt.templates.programme(subsidyRules.programme)
  const level = unitKinds.find(kind => kind.id === subsidyRules.unitKind)?.level
  const found = managingRoles(rt.templates, actor)
    .filter(role => role.programme === subsidyRules.programme && role.level === level)
    .map(role => [role.unitId, { id: role.unitId, name: role.unitName }] as const)
  return [...new Map(found).values()]
}
