import { rolesOf } from '../../../db/queries/persons.ts'
import { roleHolders, unitById } from '../../../db/queries/units.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { isInLine } from '../actor.ts'

/**
 * Who answers for a unit's groups: its named manager (专人, 全国项目办发〔2018〕1号 三.3), else those who run it, else the same
 * of the unit above.
 */
export async function managersFor(
  rt: DomainRuntime,
  { unitId, programme }: { unitId: number; programme: string },
): Promise<number[]> {
  const managing = rt.templates
    .programme(programme)
    .roles.filter(role => role.manages)
    .map(role => role.id)
  for (let id: number | null = unitId; id !== null; ) {
    const unit = await unitById(rt.db, id)
    if (!unit) return []
    if (unit.managerId !== null) return [unit.managerId]
    const holders = await roleHolders(rt.db, [unit.id], managing)
    if (holders.length > 0) return [...new Set(holders.map(holder => holder.personId))]
    id = unit.parentId
  }
  return []
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
