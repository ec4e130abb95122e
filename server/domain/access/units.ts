import { type UnitRow, unitById } from '../../../db/queries/units.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A unit that one runs, or below one that one runs. */
export const unitPolicy: Policy<UnitRow> = {
  name: 'unit',
  param: 'unitId',
  async find(rt, viewer, id) {
    const unit = await unitById(rt.db, id)
    return unit && managesUnit(rt.templates, viewer.actor, unit.path) ? unit : null
  },
}
