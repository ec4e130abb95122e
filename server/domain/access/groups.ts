import { type GroupWithUnit, groupById, type Reach } from '../../../db/queries/groups.ts'
import type { Templates } from '../../templates.ts'
import { managesGroup } from '../actor.ts'
import { type Policy, topUnits, type Viewer } from './policy.ts'

/** A group that one owns, or of a unit that one runs. Dissolved ones too: their months still count. */
export const groupPolicy: Policy<GroupWithUnit> = {
  name: 'group',
  param: 'groupId',
  async find(rt, viewer, id) {
    const group = await groupById(rt.db, id)
    return group && managesGroup(rt.templates, viewer.actor, group) ? group : null
  },
}

/** The groups that `groupPolicy` allows, for queries over many. */
export function reachOf(templates: Templates, { actor }: Viewer): Reach {
  return {
    personId: actor.person.id,
    topPaths: topUnits(templates, actor).map(unit => unit.path),
    rolePaths: [...new Set(actor.roles.map(role => role.unitPath))],
  }
}
