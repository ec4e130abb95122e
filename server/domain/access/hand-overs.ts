import { type HandOverRow, handOverById } from '../../../db/queries/hand-overs.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A hand-over in a unit that one runs, or below one. */
export const handOverPolicy: Policy<HandOverRow> = {
  name: 'hand-over',
  param: 'handOverId',
  async find(rt, viewer, id) {
    const handOver = await handOverById(rt.db, id)
    return handOver && managesUnit(rt.templates, viewer.actor, handOver.unitPath) ? handOver : null
  },
}

/** A hand-over by which one takes over. */
export const ownHandOverPolicy: Policy<HandOverRow> = {
  name: 'own hand-over',
  param: 'handOverId',
  async find(rt, viewer, id) {
    const handOver = await handOverById(rt.db, id)
    return handOver && handOver.toId === viewer.actor.person.id ? handOver : null
  },
}
