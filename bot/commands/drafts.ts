import {
  draftsToApprove,
  type NoticeDraft,
  noticeDraftById,
  openDraftsOf,
  plannedDrafts,
} from '../../db/queries/notice-drafts.ts'
import { filesOfDraft } from '../../db/queries/notice-files.ts'
import { type UnitRow, unitById } from '../../db/queries/units.ts'
import { chineseMoment } from '../../server/clock.ts'
import { topUnits } from '../../server/domain/access/policy.ts'
import {
  draftUrl,
  isRevision,
  mayApprove,
  revisionOf,
  toApproveWords,
} from '../../server/domain/notices/approval.ts'
import {
  approveDraft,
  dropDraft,
  mayChange,
  maySeeDraft,
  returnDraft,
  submitDraft,
} from '../../server/domain/notices/drafts.ts'
import { noteTap } from '../../server/domain/outgoing/card.ts'
import { DomainError } from '../../server/errors.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { outcomeWords } from '../conversations/notice.ts'

/** Drafts of one kind in the list. */
const SHOWN = 30
/** Characters of a text in a line of the list. */
const LINE = 18
/** Characters of a text that is shown by itself; the whole is on its page. */
const WHOLE = 400

export const draftsCommand: Command = {
  name: '草稿',
  aliases: ['通知草稿', '我的草稿'],
  usage: '草稿 [编号]：还没发出的通知、等您审核的、定好时间的（草稿 编号 发出，草稿 编号 作废）',
  example: '草稿 12 发出',
  audience: 'manager',
  accepts: input => input === '' || /^(?:[\s#]*\d{1,9}号?)[\s,，]*(?:发出?|提交|作废|不发了?)?$/.test(input),
  async run(ctx, input) {
    const [, number = '', deed = ''] = /^[\s#]*(\d{1,9})?号?[\s,，]*(.*)$/.exec(input) ?? []
    if (number === '') return listDrafts(ctx)
    const id = Number(number)
    if (/^(发出?|提交)$/.test(deed)) {
      const outcome = await submitDraft(ctx.rt, ctx.actor, id)
      const { draft, unit } = await draftWithUnit(ctx, id)
      return outcomeWords(ctx, outcome, { draftId: id, unit, content: draft.content })
    }
    if (deed !== '') {
      await dropDraft(ctx.rt, ctx.actor, id)
      return `草稿 ${id} 已作废，不会发出。`
    }
    return showDraft(ctx, id)
  },
}

export const passDraftCommand: Command = {
  name: '批',
  aliases: ['批准'],
  usage: '批 编号：看别人写的通知全文，再按给出的命令同意发出（第二人审核）',
  example: '批 12',
  audience: 'manager',
  accepts: input => /^(?:通知|草稿)?[\s#]*(?:\d{1,9}号?)?(?:[\s,，]*[a-z][a-z\d]{0,7})?$/i.test(input),
  async run(ctx, input) {
    const [, number, , code = ''] = /^\D*?(\d{1,9})?(号)?[\s,，]*([a-z][a-z\d]*)?$/i.exec(input) ?? []
    const id = number === undefined ? await soleWaiting(ctx) : Number(number)
    if (typeof id === 'string') return id
    await tapped(ctx)
    const unread = await unreadWords(ctx, id, code)
    if (unread !== null) return unread
    const outcome = await approveDraft(ctx.rt, ctx.actor, id, code)
    return outcome.outcome === 'sent'
      ? `已同意，通知 ${outcome.noticeId} 发出了，也告诉了作者。看进度：回执 ${outcome.noticeId}`
      : `已同意，${chineseMoment(outcome.sendAt)}发出。不让它发了请回复：退 ${id} 理由`
  },
}

export const returnDraftCommand: Command = {
  name: '退',
  aliases: ['退回'],
  usage: '退 编号 理由：把别人写的通知退回去改',
  example: '退 12 时间写错了',
  audience: 'manager',
  takesText: true,
  accepts: input => /^(?:通知|草稿)?[\s#]*\d{1,9}/.test(input),
  async run(ctx, input) {
    const [, number = '', reason = ''] =
      /^(?:通知|草稿)?[\s#]*(\d{1,9})号?[\s,，、:：]*(.*)$/s.exec(input) ?? []
    await tapped(ctx)
    await returnDraft(ctx.rt, ctx.actor, Number(number), reason)
    return `草稿 ${number} 已退回，理由已经告诉作者。`
  },
}

async function listDrafts(ctx: KnownContext): Promise<string> {
  const { rt, actor } = ctx
  const paths = topUnits(rt.templates, actor).map(top => top.path)
  const [toApprove, own, planned] = [
    await draftsToApprove(rt.db, paths, actor.person.id, SHOWN),
    await openDraftsOf(rt.db, actor.person.id, paths, { limit: SHOWN, offset: 0 }),
    await plannedDrafts(rt.db, paths, SHOWN),
  ]
  const others = planned.filter(draft => draft.authorId !== actor.person.id)
  const lines = [
    ...toApprove.map(
      draft => `${draft.id}　等您审核：${draft.unitName}${draft.authorName}，${beginning(draft)}`,
    ),
    ...own.map(draft => `${draft.id}　${standing(draft)}：${beginning(draft)}`),
    ...others.map(draft => `${draft.id}　${standing(draft)}（${draft.authorName}）：${beginning(draft)}`),
  ]
  if (lines.length === 0) return '没有还没发出的通知。写通知请发送：通知 正文'
  const foot =
    toApprove.length > 0 ? '审核请回复：批 编号，或 退 编号 理由；看一份：草稿 编号' : '看一份：草稿 编号'
  return listReply(ctx, `还没有发出的通知 ${lines.length} 份：`, lines, foot)
}

async function showDraft(ctx: KnownContext, id: number): Promise<string> {
  const { draft } = await draftWithUnit(ctx, id)
  const { rt, actor } = ctx
  if (draft.status === 'dropped') return `草稿 ${id} 已经作废。`
  if (draft.status === 'sent') return `草稿 ${id} 已经发出。看进度：回执 ${draft.noticeId}`
  if (draft.status === 'waiting' && mayApprove(rt, actor, draft))
    return `草稿 ${id}（${draft.unitName}，${draft.authorName}写的，${standing(draft)}）\n${await toApproveWords(rt, draft)}`
  const characters = [...draft.content.body]
  const shown = characters.length > WHOLE ? `${characters.slice(0, WHOLE).join('')}……` : draft.content.body
  const isToSubmit = draft.status === 'draft' || draft.status === 'failed'
  const deeds = [
    ...(mayChange(rt, actor, draft)
      ? [`${isToSubmit ? `发出：草稿 ${id} 发出　` : ''}不发了：草稿 ${id} 作废`]
      : []),
  ]
  return [
    `草稿 ${id}（${draft.unitName}，${draft.authorName}写的，${standing(draft)}）`,
    shown === '' ? '（还没有正文）' : shown,
    '——',
    ...deeds,
    `修改、附件和发到哪里：${draftUrl(rt, id)}`,
  ].join('\n')
}

/** A draft that this person may see. What they may not is not there. */
async function draftWithUnit(
  { rt, actor }: KnownContext,
  id: number,
): Promise<{ draft: NoticeDraft; unit: UnitRow }> {
  const draft = await noticeDraftById(rt.db, id)
  const unit = draft && maySeeDraft(rt, actor, draft) ? await unitById(rt.db, draft.unitId) : null
  if (!draft || !unit) throw new DomainError('draft.gone', `没有编号是 ${id} 的通知草稿。`)
  return { draft, unit }
}

function standing({ status, sendAt, reason, deciderName, calls }: NoticeDraft): string {
  switch (status) {
    case 'waiting':
      return calls.length === 0 ? '等第二人审核' : `等第二人审核，请了${calls.at(-1)?.unitName}的同志`
    case 'ready':
      return sendAt ? `定在${chineseMoment(sendAt)}发` : '等时间到'
    case 'failed':
      return `没有发成（${reason}）`
    default:
      return reason ? `${deciderName ?? ''}退回（${reason}）` : '没写完或没发'
  }
}

function beginning({ content }: NoticeDraft): string {
  const line = [...content.body.replace(/\s+/g, ' ').trim()]
  return line.length > LINE ? `${line.slice(0, LINE).join('')}…` : line.join('')
}

/** The one draft that waits for this person, or what to say where there is none or several. */
async function soleWaiting({ rt, actor }: KnownContext): Promise<number | string> {
  const paths = topUnits(rt.templates, actor).map(top => top.path)
  const [only, ...more] = await draftsToApprove(rt.db, paths, actor.person.id, SHOWN)
  if (!only) return '没有等您审核的通知。'
  if (more.length > 0)
    return `有 ${more.length + 1} 个通知等您审核（${[only, ...more].map(each => each.id).join('、')}），请写上编号，如：批 ${only.id}`
  return only.id
}

/** The whole of a draft that waits for this person, while what they have typed does not name what it is now; else null. */
async function unreadWords({ rt, actor }: KnownContext, id: number, code: string): Promise<string | null> {
  const draft = await noticeDraftById(rt.db, id)
  // what does not wait for them is refused in words
  if (draft?.status !== 'waiting' || !mayApprove(rt, actor, draft)) return null
  if (draft.sendAt !== null && draft.sendAt <= rt.clock.now()) return null
  if (isRevision(revisionOf(draft, await filesOfDraft(rt.db, id)), code)) return null
  const why =
    code === ''
      ? '还没有同意，请先看过全文'
      : '还没有同意：命令里的校对码不对，或内容又改过了，请看现在的全文'
  return `${why}。草稿 ${id}（${draft.unitName}，${draft.authorName}写的）：\n${await toApproveWords(rt, draft)}`
}

/** A tap brings a fresh way to change the card that was tapped. */
async function tapped({ rt, update }: KnownContext): Promise<void> {
  if (update.kind === 'tapped') await noteTap(rt, update)
}
