import { type ListedRehearsal, rehearsalById } from '../../../db/queries/rehearsals.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A rehearsal of a unit that one runs, or of one below it. */
export const rehearsalPolicy: Policy<ListedRehearsal> = {
  name: 'rehearsal',
  param: 'rehearsalId',
  async find(rt, viewer, id) {
    const rehearsal = await rehearsalById(rt.db, id)
    return rehearsal && managesUnit(rt.templates, viewer.actor, rehearsal.unitPath) ? rehearsal : null
  },
}
