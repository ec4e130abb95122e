import { answerById } from '../../../db/queries/notice-answers.ts'
import { noticeAsOwn, noticeFor, type OwnNotice } from '../../../db/queries/notice-readings.ts'
import { noticeById } from '../../../db/queries/notices.ts'
import { managesUnit } from '../actor.ts'
import { mayAnswerFor } from '../notices/answers.ts'
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

/** A notice that one may correct and withdraw: who may send in the name of its unit. */
export const sentNoticePolicy: Policy<NoticeInView> = {
  name: 'sent notice',
  param: 'noticeId',
  async find(rt, viewer, id) {
    const notice = await noticePolicy.find(rt, viewer, id)
    return notice && managesUnit(rt.templates, viewer.actor, notice.unitPath) ? notice : null
  },
}

/**
 * A notice that is in a group that one is in, or meant for one that one owns; one that asks something, for whoever may
 * answer it, too.
 */
export const ownNoticePolicy: Policy<OwnNotice> = {
  name: 'own notice',
  param: 'noticeId',
  async find(rt, viewer, id) {
    const { actor } = viewer
    const own = await noticeFor(rt.db, actor.person.id, id)
    if (own) return own
    const notice = await noticeById(rt.db, id)
    if (!notice?.ask || (await mayAnswerFor(rt, actor, id)).length === 0) return null
    return noticeAsOwn(rt.db, actor.person.id, id)
  },
}

/** An answer to a notice, for those in the line of offices above the unit that gave it, up to the one that asked. */
export const noticeAnswerPolicy: Policy<NonNullable<Awaited<ReturnType<typeof answerById>>>> = {
  name: 'notice answer',
  param: 'answerId',
  async find(rt, viewer, id) {
    const answer = await answerById(rt.db, id)
    if (!answer) return null
    const notice = await noticePolicy.find(rt, viewer, answer.noticeId)
    return notice && answer.unitPath.startsWith(notice.viewPath) ? answer : null
  },
}
