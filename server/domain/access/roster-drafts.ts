import { draftById, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A roster file that one has uploaded oneself, for a unit that one still runs. Nobody else sees into it. */
export const rosterDraftPolicy: Policy<RosterDraft> = {
  name: 'roster draft',
  param: 'draftId',
  async find(rt, viewer, id) {
    const draft = await draftById(rt.db, id)
    const isOwn = draft?.personId === viewer.actor.person.id
    return draft && isOwn && managesUnit(rt.templates, viewer.actor, draft.unitPath) ? draft : null
  },
}
