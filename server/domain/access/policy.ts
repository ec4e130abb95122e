import type { DomainRuntime } from '../../runtime.ts'
import type { Templates } from '../../templates.ts'
import { isInLine, type KnownActor, managingRoles } from '../actor.ts'

/** Who looks at a page: a person who is signed in, with what they are today. */
export interface Viewer {
  actor: KnownActor
  /** Looks after the server itself. Gives no right to anybody's personal data. */
  isAdministrator: boolean
  sessionId: number
}

/**
 * Who may see and do what on the pages and through the interface, one policy for each kind of thing.
 *
 * The rules themselves are those of the bot (`actor.ts`): an owner has their groups, whoever runs a unit has its subtree,
 * an office its programme. A policy that says no answers as if the thing were not there, so that nobody learns by guessing
 * numbers what exists.
 */
export interface Policy<Thing> {
  /** Stands in the table of routes and in the authorisation test. */
  readonly name: string
  /** The parameter of the path that names the thing. */
  readonly param: string
  /** The thing, when this viewer may have it; null otherwise. */
  find(rt: DomainRuntime, viewer: Viewer, id: number): Promise<Thing | null>
}

/** What of something a unit has sent the actor sees: their highest office decides. null: nothing. */
export function viewPathOf(
  templates: Templates,
  actor: Pick<KnownActor, 'roles'>,
  unitPath: string,
): string | null {
  const [role] = managingRoles(templates, actor)
    .filter(each => isInLine(each, { unitPath }))
    .sort((a, b) => a.unitPath.length - b.unitPath.length)
  if (!role) return null
  return role.unitPath.length > unitPath.length ? role.unitPath : unitPath
}

/** The tops of what somebody runs: no unit of the list lies below another of it. */
export function topUnits(
  templates: Templates,
  actor: Pick<KnownActor, 'roles'>,
): { id: number; name: string; path: string; programme: string; level: string }[] {
  const tops: { id: number; name: string; path: string; programme: string; level: string }[] = []
  for (const role of managingRoles(templates, actor).sort((a, b) => a.unitPath.length - b.unitPath.length))
    if (!tops.some(top => role.unitPath.startsWith(top.path)))
      tops.push({
        id: role.unitId,
        name: role.unitName,
        path: role.unitPath,
        programme: role.programme,
        level: role.level,
      })
  return tops
}
