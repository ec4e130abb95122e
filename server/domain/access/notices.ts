import { noticeFor, type OwnNotice } from '../../../db/queries/notice-readings.ts'
import { noticeById } from '../../../db/queries/notices.ts'
import { type Policy, viewPathOf } from './policy.ts'

export type NoticeInView = NonNullable<Awaited<ReturnType<typeof noticeById>>> & {
  /** The part of its progress that this viewer sees: the whole, or their own subtree. */
  viewPath: string
}

/** A notice sent by a unit that one runs, by one above it, or by one below it. */
export const noticePolicy: Policy<NoticeInView> = {
  name: 'notice',
  param: 'noticeId',
  async find(rt, viewer, id) {
    const notice = await noticeById(rt.db, id)
    if (!notice) return null
    const viewPath = viewPathOf(rt.templates, viewer.actor, notice.unitPath)
    return viewPath === null ? null : { ...notice, viewPath }
  },
}

/** A notice that is in a group that one is in, or meant for one that one owns. */
export const ownNoticePolicy: Policy<OwnNotice> = {
  name: 'own notice',
  param: 'noticeId',
  find: (rt, viewer, id) => noticeFor(rt.db, viewer.actor.person.id, id),
}
