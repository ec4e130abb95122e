import { type NoticeDraft, noticeDraftById } from '../../../db/queries/notice-drafts.ts'
import { maySeeDraft } from '../notices/drafts.ts'
import type { Policy } from './policy.ts'

/** A notice before it is sent: of a unit that one runs or that lies below it, or of one's own writing. */
export const noticeDraftPolicy: Policy<NoticeDraft> = {
  name: 'notice draft',
  param: 'noticeDraftId',
  async find(rt, viewer, id) {
    const draft = await noticeDraftById(rt.db, id)
    if (!draft || draft.status === 'dropped') return null
    return maySeeDraft(rt, viewer.actor, draft) ? draft : null
  },
}
