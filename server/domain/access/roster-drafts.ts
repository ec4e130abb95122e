import { draftById, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { managesUnit } from '../actor.ts'
import { isOver } from '../roster/drafts.ts'
import type { Policy } from './policy.ts'

/** A roster file that one has uploaded oneself, for a unit that one still runs, within its time. Nobody else sees into it. */
export const rosterDraftPolicy: Policy<RosterDraft> = {
  name: 'roster draft',
  param: 'draftId',
  async find(rt, viewer, id) {
    const draft = await draftById(rt.db, id)
    const isOwn = draft?.personId === viewer.actor.person.id
    if (!draft || isOver(draft, rt.clock.now())) return null
    return isOwn && managesUnit(rt.templates, viewer.actor, draft.unitPath) ? draft : null
  },
}
