import { type RosterImportRow, rosterImportById } from '../../../db/queries/roster.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** An import that a unit has made which one runs, or one below it. One of the command line is the operator's. */
export const rosterImportPolicy: Policy<RosterImportRow> = {
  name: 'roster import',
  param: 'importId',
  async find(rt, viewer, id) {
    const row = await rosterImportById(rt.db, id)
    return row?.unitPath && managesUnit(rt.templates, viewer.actor, row.unitPath) ? row : null
  },
}
