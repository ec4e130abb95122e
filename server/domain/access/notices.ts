import { answerById } from '../../../db/queries/notice-answers.ts'
import { noticeAsOwn, noticeFor, type OwnNotice } from '../../../db/queries/notice-readings.ts'
import { hasCome, noticeById } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit, managingRoles } from '../actor.ts'
import { mayAnswerFor } from '../notices/answers.ts'
import type { Policy } from './policy.ts'

export type NoticeInView = NonNullable<Awaited<ReturnType<typeof noticeById>>> & {
  /** The part of its progress that this viewer sees: the whole, or their own subtree. */
  viewPath: string
}

/**
 * What of a notice an actor sees: the whole if they run its unit or one above; below it the highest of their subtrees to
 * one of whose groups it went. null: nothing.
 */
export async function noticeViewPath(
  rt: DomainRuntime,
  actor: KnownActor,
  notice: { id: number; unitPath: string },
): Promise<string | null> {
  if (managesUnit(rt.templates, actor, notice.unitPath)) return notice.unitPath
  const below = managingRoles(rt.templates, actor)
    .map(role => role.unitPath)
    .filter(path => path.startsWith(notice.unitPath))
    .sort((a, b) => a.length - b.length)
  for (const path of below) if (await hasCome(rt.db, notice.id, { managingPaths: [path] })) return path
  return null
}

/** A notice sent by a unit that one runs or one below it, or that came to one's groups from above. */
export const noticePolicy: Policy<NoticeInView> = {
  name: 'notice',
  param: 'noticeId',
  async find(rt, viewer, id) {
    const notice = await noticeById(rt.db, id)
    if (!notice) return null
    const viewPath = await noticeViewPath(rt, viewer.actor, notice)
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
