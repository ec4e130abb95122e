import type { SenderRole } from '../../db/queries/senders.ts'
import { notAllowed } from '../errors.ts'
import type { Templates } from '../templates.ts'

/** Who acts: an account on a platform, and the person and roles behind it where the account is bound. */
export interface Actor {
  identityId: number
  channel: string
  address: string
  person: { id: number; name: string } | null
  roles: SenderRole[]
  ownsGroups: boolean
  /** How we know that the account is the person's: `code`, `join_request`, `registration`; null while it is not bound. */
  boundBy: string | null
}

/** An actor whose account is bound to a person. */
export type KnownActor = Actor & { person: { id: number; name: string } }

/** @throws DomainError `rights.missing` when the account is not bound. */
export function requireKnown(actor: Actor): asserts actor is KnownActor {
  if (!actor.person) throw notAllowed('办理这件事（您的账号还没有绑定，请先发送“绑定 绑定码”）')
}

/** The roles by which somebody runs a unit's groups and those of the units below (`manages` in the templates). */
export function managingRoles(templates: Templates, actor: Pick<Actor, 'roles'>): SenderRole[] {
  return actor.roles.filter(role => templates.role(role.programme, role.role).manages)
}

/** Whether the actor runs the unit or one above it. @param path the unit's path */
export function managesUnit(templates: Templates, actor: Actor, path: string): boolean {
  return managingRoles(templates, actor).some(role => path.startsWith(role.unitPath))
}

/** Whether the actor runs this very unit; an office above it does not count. */
export function runsVeryUnit(templates: Templates, actor: Pick<Actor, 'roles'>, unitId: number): boolean {
  return managingRoles(templates, actor).some(role => role.unitId === unitId)
}

/** Whether the actor runs a unit truly above this one. */
export function managesFromAbove(templates: Templates, actor: Actor, path: string): boolean {
  return managingRoles(templates, actor).some(
    role => path !== role.unitPath && path.startsWith(role.unitPath),
  )
}

/** Whether a unit is the group's own, above it or below it: whoever has a role there can be its owner. */
export function isInLine(role: { unitPath: string }, group: { unitPath: string }): boolean {
  return group.unitPath.startsWith(role.unitPath) || role.unitPath.startsWith(group.unitPath)
}

/**
 * Whether the actor may look after a group: its owner, or somebody who runs its unit or one above. An owner who has gone
 * from the roster has no say any more.
 */
export function managesGroup(
  templates: Templates,
  actor: Actor,
  group: { ownerId: number | null; unitPath: string },
): boolean {
  return (
    (actor.person !== null &&
      group.ownerId === actor.person.id &&
      actor.roles.some(role => isInLine(role, group))) ||
    managesUnit(templates, actor, group.unitPath)
  )
}
