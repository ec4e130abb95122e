import {
  changeNoticeDraft,
  type DraftStatus,
  insertNoticeDraft,
  lockNoticeDraft,
  type NoticeDraft,
} from '../../../db/queries/notice-drafts.ts'
import { deleteFilesOfDrafts, filesOfDraft } from '../../../db/queries/notice-files.ts'
import type { NoticeContent } from '../../../db/queries/notices.ts'
import { unitById } from '../../../db/queries/units.ts'
import { chineseMoment } from '../../clock.ts'
import { DomainError, notAllowed } from '../../errors.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type KnownActor, managesUnit } from '../actor.ts'
import { isCategory } from '../messages/categories.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'
import { approversToAsk, draftUrl, isRevision, mayApprove, revisionOf, settleApprovals } from './approval.ts'
import { absentActor } from './author.ts'
import { checkLink, checkOutgoing, checkOutgoingSafety } from './check.ts'
import { unreadFiles } from './file-text.ts'
import { noteDeed, passOn, type SubmitOutcome } from './pass-on.ts'

export type ApproveOutcome = Exclude<SubmitOutcome, { outcome: 'waiting' }>

/** States in which a draft can still be changed. */
const OPEN: readonly DraftStatus[] = ['draft', 'waiting', 'ready', 'failed']
const MAX_REASON = 200

const undecided = { decidedBy: null, decidedAt: null, reason: null }

type DraftFacts = Pick<NoticeDraft, 'authorId' | 'unitPath' | 'status' | 'decidedBy' | 'scheduleStep'>

/**
 * Whether a draft is somebody's business: of a unit that they run or that lies below it. What they are only writing stays
 * theirs when they have left the office; what is planned or was looked at is the office's.
 */
export function maySeeDraft(rt: DomainRuntime, actor: KnownActor, draft: DraftFacts): boolean {
  const { authorId, status, decidedBy, scheduleStep, unitPath } = draft
  const isPrivate = status === 'draft' && decidedBy === null && scheduleStep === null
  return (isPrivate && authorId === actor.person.id) || managesUnit(rt.templates, actor, unitPath)
}

/** Whether somebody may change, submit and drop a draft: it is their business, and not sent. */
export function mayChange(rt: DomainRuntime, actor: KnownActor, draft: DraftFacts): boolean {
  return OPEN.includes(draft.status) && maySeeDraft(rt, actor, draft)
}

/**
 * Keeps a notice that is being written (草稿); it may be half done. Whoever changes somebody else's becomes its author, so
 * that the second person is always another than the one whose words go out. One that waited for a second person or for
 * its time has to be submitted again.
 * @returns the draft's number
 * @throws DomainError `rights.missing`, `draft.gone`, `draft.sent`, `draft.correction`, and `notice.secret`,
 *   `notice.privacy`, `notice.link`: such is not kept
 */
export async function saveDraft(
  rt: DomainRuntime,
  actor: KnownActor,
  input: {
    draftId?: number
    unitId: number
    content: NoticeContent
    sendAt: Date | null
    scheduleStep?: string | null
  },
): Promise<number> {
  const { draftId, unitId, content, sendAt, scheduleStep } = input
  const unit = await unitById(rt.db, unitId)
  if (!unit || !managesUnit(rt.templates, actor, unit.path)) throw notAllowed('以这个单位的名义写通知')
  await checkOutgoingSafety(rt, content)
  if (content.link !== null) checkLink(content.link)
  const now = rt.clock.now()
  const set = { unitId, content, sendAt, status: 'draft' as const, updatedAt: now }
  if (draftId === undefined)
    return insertNoticeDraft(rt.db, {
      ...set,
      authorId: actor.person.id,
      scheduleStep: scheduleStep ?? null,
      createdAt: now,
    })
  const draft = await lockedToChange(rt, actor, draftId)
  requireSameKind(draft, content)
  await takeOver(rt, actor, draft)
  await changeNoticeDraft(rt.db, draftId, {
    ...set,
    ...(scheduleStep === undefined ? {} : { scheduleStep }),
    ...(draft.status === 'draft' ? {} : undecided),
  })
  if (draft.status === 'waiting') await settleApprovals(rt, draftId, '作者又改了，等重新提交')
  return draftId
}

/**
 * Has a draft sent: at once, at its time, or when a second person has looked at it. Submitted twice it is submitted once.
 * @param said.filesAreRead its author has looked through the files that the system cannot read, and vouches for them
 * @throws `notice.files_unread`, and DomainError as `checkNotice`, `issueNotice` and `approversToAsk`; `rights.missing`, `draft.gone`, `notice.category`
 */
export async function submitDraft(
  rt: DomainRuntime,
  actor: KnownActor,
  draftId: number,
  { filesAreRead = false }: { filesAreRead?: boolean } = {},
): Promise<SubmitOutcome> {
  const draft = await lockedDraft(rt, draftId)
  if (draft.status === 'sent' && draft.noticeId !== null && draft.authorId === actor.person.id)
    return { outcome: 'sent', noticeId: draft.noticeId }
  requireChange(rt, actor, draft)
  if (draft.status === 'waiting')
    return { outcome: 'waiting', askedIds: (await approversToAsk(rt, draft)).map(each => each.personId) }
  if (draft.status === 'ready' && draft.sendAt !== null) return { outcome: 'ready', sendAt: draft.sendAt }
  if (!managesUnit(rt.templates, actor, draft.unitPath)) throw notAllowed(`以${draft.unitName}的名义发通知`)
  await takeOver(rt, actor, draft)
  const files = await filesOfDraft(rt.db, draftId)
  await checkOutgoing(rt, { ...draft.content, fileNames: files.map(file => file.name) })
  if (!isCategory(draft.content.category)) throw new DomainError('notice.category', '请选一个类别。')
  const unread = unreadFiles(files)
  if (unread.length > 0 && !filesAreRead)
    throw new DomainError(
      'notice.files_unread',
      `附件${unread.map(file => `“${file.name}”`).join('、')}里的字系统读不到，请自己看过，在网页上确认没有涉密内容和个人信息后再发：${draftUrl(rt, draftId)}`,
    )
  await noteDeed(rt, actor, 'submitted', draft, unread.length > 0 ? { filesAreRead: unread.length } : {})
  const { id: authorId, name: authorName } = actor.person
  // whoever sends after the time that was set means now
  const sendAt = draft.sendAt !== null && draft.sendAt > rt.clock.now() ? draft.sendAt : null
  if (sendAt !== draft.sendAt) await changeNoticeDraft(rt.db, draftId, { sendAt })
  return passOn(rt, actor, { ...draft, authorId, authorName, sendAt, ...undecided })
}

/**
 * A second person lets a draft pass: it goes out, or waits for its time.
 * @param seen the revision that they have read, or its first letters (`revisionOf`); another is not what they agree to
 * @throws DomainError `draft.gone`, `draft.own`, `draft.settled`, `draft.late`, `draft.changed`, `draft.author_gone`, and as
 *   `issueNotice`
 */
export async function approveDraft(
  rt: DomainRuntime,
  actor: KnownActor,
  draftId: number,
  seen: string,
): Promise<ApproveOutcome> {
  const draft = await lockedToDecide(rt, actor, draftId)
  if (draft.decidedBy === actor.person.id) {
    if (draft.status === 'sent' && draft.noticeId !== null)
      return { outcome: 'sent', noticeId: draft.noticeId }
    if (draft.status === 'ready' && draft.sendAt !== null) return { outcome: 'ready', sendAt: draft.sendAt }
  }
  requireWaiting(draft)
  if (draft.sendAt !== null && draft.sendAt <= rt.clock.now()) throw isLate(draft)
  const files = await filesOfDraft(rt.db, draftId)
  if (!isRevision(revisionOf(draft, files), seen))
    throw new DomainError('draft.changed', '这条通知刚才又改过了，请看过现在的内容再决定。')
  const own = files.find(file => file.uploadedBy === actor.person.id)
  if (own) throw new DomainError('draft.own', `附件“${own.name}”是您放上的，要由别人审核。`)
  const author = await absentActor(rt, draft.authorId)
  if (!author || !managesUnit(rt.templates, author, draft.unitPath))
    throw new DomainError(
      'draft.author_gone',
      `写这条通知的${draft.authorName}现在不负责${draft.unitName}了，不能以其名义发出。请由现任同志打开草稿重新提交。`,
    )
  const now = rt.clock.now()
  const decided = { ...draft, decidedBy: actor.person.id, decidedAt: now, reason: null }
  await noteDeed(rt, actor, 'approved', draft)
  const outcome = (await passOn(rt, author, decided)) as ApproveOutcome
  await settleApprovals(rt, draftId, `${actor.person.name}已同意`)
  const what =
    outcome.outcome === 'sent'
      ? `已发出（通知 ${outcome.noticeId}）。进度请看：回执 ${outcome.noticeId}`
      : `将在 ${chineseMoment(outcome.sendAt)} 发出。`
  await sendToPerson(
    rt,
    draft.authorId,
    'decision',
    `您写的通知（草稿 ${draftId}）${actor.person.name}已同意，${what}`,
  )
  return outcome
}

/**
 * A second person sends a draft back to its author with words; also one that was let pass and waits for its time.
 * @throws DomainError `draft.gone`, `draft.own`, `draft.settled`, `draft.reason`
 */
export async function returnDraft(
  rt: DomainRuntime,
  actor: KnownActor,
  draftId: number,
  reason: string,
): Promise<void> {
  const draft = await lockedToDecide(rt, actor, draftId)
  const words = [...reason.trim()].slice(0, MAX_REASON).join('')
  if (words === '') throw new DomainError('draft.reason', `请写上退回的理由，如：退 ${draftId} 时间写错了`)
  if (draft.status !== 'ready') requireWaiting(draft)
  const now = rt.clock.now()
  await changeNoticeDraft(rt.db, draftId, {
    status: 'draft',
    decidedBy: actor.person.id,
    decidedAt: now,
    reason: words,
    updatedAt: now,
  })
  await noteDeed(rt, actor, 'returned', draft, { reason: words })
  await settleApprovals(rt, draftId, `${actor.person.name}已退回`)
  await sendToPerson(
    rt,
    draft.authorId,
    'decision',
    `您写的通知（草稿 ${draftId}）被${actor.person.name}退回，没有发出。理由：${words}\n修改后重新提交：${draftUrl(rt, draftId)}`,
  )
}

/** A draft is not to be sent at all; its files are deleted. @throws DomainError `draft.gone`, `draft.sent`, `rights.missing` */
export async function dropDraft(rt: DomainRuntime, actor: KnownActor, draftId: number): Promise<void> {
  const draft = await lockedDraft(rt, draftId)
  if (draft.status === 'dropped') return
  requireChange(rt, actor, draft)
  await changeNoticeDraft(rt.db, draftId, { status: 'dropped', updatedAt: rt.clock.now() })
  await deleteFilesOfDrafts(rt.db, [draftId])
  await noteDeed(rt, actor, 'dropped', draft)
  if (draft.status === 'waiting') await settleApprovals(rt, draftId, '作者已作废')
  if (draft.authorId !== actor.person.id)
    await sendToPerson(
      rt,
      draft.authorId,
      'decision',
      `您写的通知（草稿 ${draftId}）已被${actor.person.name}作废，不会发出。`,
    )
}

async function lockedDraft(rt: DomainRuntime, draftId: number): Promise<NoticeDraft> {
  const draft = await lockNoticeDraft(rt.db, draftId)
  if (!draft) throw new DomainError('draft.gone', `没有编号是 ${draftId} 的通知草稿。`)
  return draft
}

async function lockedToChange(rt: DomainRuntime, actor: KnownActor, draftId: number): Promise<NoticeDraft> {
  const draft = await lockedDraft(rt, draftId)
  requireChange(rt, actor, draft)
  return draft
}

function requireChange(rt: DomainRuntime, actor: KnownActor, draft: NoticeDraft): void {
  if (mayChange(rt, actor, draft)) return
  // whoever has no business with it does not learn that it is there
  if (!maySeeDraft(rt, actor, draft))
    throw new DomainError('draft.gone', `没有编号是 ${draft.id} 的通知草稿。`)
  throw draft.status === 'sent'
    ? new DomainError('draft.sent', `这份草稿已经发出（通知 ${draft.noticeId}），不能再改。`)
    : new DomainError('draft.gone', '这份草稿已经作废。')
}

async function lockedToDecide(rt: DomainRuntime, actor: KnownActor, draftId: number): Promise<NoticeDraft> {
  const draft = await lockedDraft(rt, draftId)
  if (mayApprove(rt, actor, draft)) return draft
  throw draft.authorId === actor.person.id
    ? new DomainError('draft.own', '自己写的通知要由别人审核。')
    : new DomainError('draft.gone', `没有编号是 ${draftId} 的通知草稿。`)
}

function requireWaiting(draft: NoticeDraft): void {
  const { id, status, deciderName, noticeId } = draft
  switch (status) {
    case 'waiting':
      return
    case 'sent':
      throw new DomainError(
        'draft.settled',
        `草稿 ${id} 已经发出（通知 ${noticeId}）${deciderName ? `，${deciderName}审核的` : ''}。`,
      )
    case 'ready':
      throw new DomainError('draft.settled', `草稿 ${id} ${deciderName ?? '别人'}已经同意，等时间到了发出。`)
    case 'failed':
      throw isLate(draft)
    case 'dropped':
      throw new DomainError('draft.settled', `草稿 ${id} 已经作废。`)
    default:
      throw new DomainError(
        'draft.settled',
        `草稿 ${id} 现在没有等人审核${deciderName ? `（${deciderName}已退回）` : '（作者正在改）'}。`,
      )
  }
}

function isLate({ id, authorName }: NoticeDraft): DomainError {
  return new DomainError(
    'draft.late',
    `草稿 ${id} 定的时间已经过了，没有发出。还要发，请${authorName}重新提交，再请您审核。`,
  )
}

/** What goes to those whom a notice has reached is written as its correction, and nothing else becomes one. */
function requireSameKind(draft: NoticeDraft, content: NoticeContent): void {
  const { gotNotice } = draft.content.audience
  if (gotNotice === content.audience.gotNotice) return
  throw new DomainError(
    'draft.correction',
    gotNotice === undefined
      ? `草稿 ${draft.id} 不是这个通知的更正，请重新写更正。`
      : `草稿 ${draft.id} 是通知 ${gotNotice} 的更正，请在更正的页面上改。`,
  )
}

/** Whoever changes or submits a draft, or its files, answers for it from then on. */
export async function takeOver(rt: DomainRuntime, actor: KnownActor, draft: NoticeDraft): Promise<void> {
  if (draft.authorId === actor.person.id) return
  await changeNoticeDraft(rt.db, draft.id, { authorId: actor.person.id })
  await noteDeed(rt, actor, 'changed', draft)
  await sendToPerson(
    rt,
    draft.authorId,
    'decision',
    `您写的通知（草稿 ${draft.id}，${draft.unitName}）由${actor.person.name}接着办了。`,
  )
}
