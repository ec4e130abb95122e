import { type Copy, copiesNumbered, groupsOfCopies } from '../../../db/queries/relay-requests.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit, managingRoles } from '../actor.ts'
import { type Mark, provinceOf, withoutMark } from './mark.ts'

/** Copies that are named when a mark alone may be of several notices. */
const MAX_FOUND = 3

/** Characters around a mark that stands alone, such as 请查一下: more is a text, which must be the notice's. */
const MAX_BARE = 6

/** Where a copy that is passed around came from. */
export interface Origin extends Omit<Copy, 'ownerName'> {
  groups: { name: string; unitName: string }[]
  /** Who was asked to relay it; null where the asker does not run their unit or one above. */
  ownerName: string | null
}

/**
 * Finds the copies that a mark may stand on, among the notices that concern the asker: of others nothing is told, not even
 * that they exist. The text, where somebody has passed it on whole, tells which of several it is.
 * @returns the newest first; empty when there is none
 */
export async function originOf(
  rt: DomainRuntime,
  actor: KnownActor,
  mark: Mark,
  text: string,
): Promise<Origin[]> {
  const copies = await copiesNumbered(rt.db, mark.number, {
    personId: actor.person.id,
    unitIds: actor.roles.map(role => role.unitId),
    managingPaths: managingRoles(rt.templates, actor).map(role => role.unitPath),
  })
  const passedOn = squeezed(text)
  const meant =
    [...squeezed(withoutMark(text))].length > MAX_BARE
      ? copies.filter(copy => copy.bodies.some(body => passedOn.includes(squeezed(body))))
      : copies
  const groups = Map.groupBy(
    await groupsOfCopies(
      rt.db,
      meant.map(copy => copy.outgoingId),
    ),
    group => group.outgoingId,
  )
  return meant
    .map(copy => ({ copy, own: groups.get(copy.outgoingId) ?? [] }))
    .filter(({ own }) => own[0] !== undefined && provinceOf(own[0].line) === mark.province)
    .slice(0, MAX_FOUND)
    .map(({ copy, own }) => ({
      ...copy,
      groups: own.map(({ name, unitName }) => ({ name, unitName })),
      ownerName: own.every(group => managesUnit(rt.templates, actor, group.unitPath)) ? copy.ownerName : null,
    }))
}

/** Spaces, line ends and full-width forms get lost on the way. */
function squeezed(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, '')
}
