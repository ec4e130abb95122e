import { type PersonRow, personById, placesOf } from '../../../db/queries/persons.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/**
 * Somebody who has a role or a roster entry in a unit that one runs. Of somebody who stands nowhere any more, the unit
 * that they left last has them: who else would answer a question about them.
 */
export const personPolicy: Policy<PersonRow> = {
  name: 'person',
  param: 'personId',
  async find(rt, viewer, id) {
    const places = await placesOf(rt.db, id)
    const current = places.filter(place => place.isCurrent)
    const [last] = places
    const counted =
      current.length > 0 ? current : places.filter(place => +(place.endedAt ?? 0) === +(last?.endedAt ?? 0))
    return counted.some(place => managesUnit(rt.templates, viewer.actor, place.unitPath))
      ? personById(rt.db, id)
      : null
  },
}
