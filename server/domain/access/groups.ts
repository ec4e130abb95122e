import { type GroupWithUnit, groupById } from '../../../db/queries/groups.ts'
import { managesGroup } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A group that one owns, or of a unit that one runs. Dissolved ones too: their months still count. */
export const groupPolicy: Policy<GroupWithUnit> = {
  name: 'group',
  param: 'groupId',
  async find(rt, viewer, id) {
    const group = await groupById(rt.db, id)
    return group && managesGroup(rt.templates, viewer.actor, group) ? group : null
  },
}
