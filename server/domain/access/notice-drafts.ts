import { type NoticeDraft, noticeDraftById } from '../../../db/queries/notice-drafts.ts'
import { managesUnit } from '../actor.ts'
import type { Policy } from './policy.ts'

/** A notice before it is sent: of one's own writing, or of a unit that one runs or that lies below it. */
export const noticeDraftPolicy: Policy<NoticeDraft> = {
  name: 'notice draft',
  param: 'noticeDraftId',
  async find(rt, viewer, id) {
    const draft = await noticeDraftById(rt.db, id)
    if (!draft || draft.status === 'dropped') return null
    const isTheirs =
      draft.authorId === viewer.actor.person.id || managesUnit(rt.templates, viewer.actor, draft.unitPath)
    return isTheirs ? draft : null
  },
}
