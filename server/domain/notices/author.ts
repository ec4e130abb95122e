import { personById, rolesOf } from '../../../db/queries/persons.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'

/**
 * Somebody for whom the server acts when they are not there: with the roles of this moment, and no account. null: there
 * is no such person.
 */
export async function absentActor(rt: DomainRuntime, personId: number): Promise<KnownActor | null> {
  const [person, roles] = await Promise.all([personById(rt.db, personId), rolesOf(rt.db, personId)])
  if (!person) return null
  return {
    identityId: 0,
    channel: 'schedule',
    address: '',
    person: { id: person.id, name: person.name },
    roles: roles.map(({ unitId, unitName, unitPath, programme, level, role }) => ({
      unitId,
      unitName,
      unitPath,
      programme,
      level,
      role,
    })),
    ownsGroups: false,
    boundBy: 'code',
  }
}
