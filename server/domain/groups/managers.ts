import { answerersOf } from '../../../db/queries/answerers.ts'
import { rolesOf } from '../../../db/queries/persons.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Templates } from '../../templates.ts'
import { isInLine } from '../actor.ts'

/** The roles by which somebody runs a unit, of all programmes. */
export function managingPairs(templates: Templates): { programme: string; role: string }[] {
  return templates.programmes.flatMap(programme =>
    programme.roles.filter(role => role.manages).map(role => ({ programme: programme.id, role: role.id })),
  )
}

/**
 * Who answers for each of many units: its named manager (专人, 全国项目办发〔2018〕1号 三.3) while they stand there, else those
 * who run it, else the same of the unit above.
 */
export function answerersFor(rt: DomainRuntime, unitIds: number[]): Promise<Map<number, number[]>> {
  return answerersOf(rt.db, [...new Set(unitIds)], managingPairs(rt.templates))
}

/** Who answers for a unit's groups (`answerersFor`). */
export async function managersFor(
  rt: DomainRuntime,
  { unitId }: { unitId: number; programme: string },
): Promise<number[]> {
  return (await answerersFor(rt, [unitId])).get(unitId) ?? []
}

/** A group's owner while they stand on the roster. */
export async function standingOwner(
  rt: DomainRuntime,
  group: { ownerId: number | null; unitPath: string },
): Promise<number | null> {
  if (group.ownerId === null) return null
  const roles = await rolesOf(rt.db, group.ownerId)
  return roles.some(role => isInLine(role, group)) ? group.ownerId : null
}
