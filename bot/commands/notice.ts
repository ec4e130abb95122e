import { hasCome, noticeById, wasAskedToRelay } from '../../db/queries/notices.ts'
import { textBytes } from '../../server/channels/text.ts'
import { chineseMoment } from '../../server/clock.ts'
import { managesUnit, managingRoles } from '../../server/domain/actor.ts'
import { parseCategory } from '../../server/domain/messages/categories.ts'
import { changingOf, isWithdrawn } from '../../server/domain/notices/changing.ts'
import { parseImportance } from '../../server/domain/notices/rules.ts'
import type { Command } from '../command.ts'
import type { KnownContext } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import { noticeConversation, soleUnit } from '../conversations/notice.ts'
import { isToRecord, offerToRecord } from './record.ts'

export const noticeCommand: Command = {
  name: '通知',
  aliases: ['发通知'],
  usage: '通知：发到本级和下级所有的群（通知 编号：再看一次原文）',
  example: '通知 政策 当天 各县请于今晚前报送……',
  audience: 'known',
  takesText: true,
  async run(ctx, input) {
    if (/^#?\d{1,9}号?$/.test(input)) return showNotice(ctx, Number(input.replace(/\D/g, '')))
    if (managingRoles(ctx.templates, ctx.actor).length === 0)
      // 通知：明天停电…… as an owner forwards it is a message to be recorded
      return isToRecord(ctx)
        ? offerToRecord(ctx)
        : '发通知由负责组织工作的同志办理。要再看一次通知原文，请发送：通知 编号'
    await leave(ctx)
    const [word = ''] = input.split(/[\s:：]+/)
    const category = /^\d/.test(word) ? null : parseCategory(word)
    const rest = category === null ? input : input.slice(word.length).replace(/^[\s:：]+/, '')
    const [next = ''] = rest.split(/[\s:：]+/)
    const importance = parseImportance(next)
    const body = importance === null ? rest : rest.slice(next.length).replace(/^[\s:：]+/, '')
    return advance(ctx, noticeConversation, {
      ...soleUnit(ctx),
      ...(category === null ? {} : { category }),
      ...(importance === null ? {} : { importance }),
      ...(body === '' ? {} : { body }),
    })
  },
}

/** The text once more, for an owner to forward and for whoever has it in their groups. */
async function showNotice(ctx: KnownContext, id: number): Promise<string> {
  const notice = await noticeById(ctx.rt.db, id)
  const isConcerned =
    notice &&
    (managesUnit(ctx.rt.templates, ctx.actor, notice.unitPath) ||
      (await wasAskedToRelay(ctx.rt.db, id, ctx.actor.person.id)) ||
      (await hasCome(ctx.rt.db, id, {
        managingPaths: managingRoles(ctx.templates, ctx.actor)
          .map(role => role.unitPath)
          .filter(path => path.startsWith(notice.unitPath)),
        own: { personId: ctx.actor.person.id, unitIds: ctx.actor.roles.map(role => role.unitId) },
      })))
  if (!notice || !isConcerned) return `没有编号是 ${id}、发给您单位的通知。`
  const changing = notice.kind === 'withdrawal' ? null : await changingOf(ctx.rt, id)
  if (notice.withdrawnAt !== null || changing?.withdrawal)
    return changing?.withdrawal?.body ?? isWithdrawn(id, notice.withdrawnAt ?? notice.issuedAt).message
  // what corrects it stands in its place: nobody is to forward the old text
  const correction = changing?.correction
  if (correction && correction.id !== id)
    return `${correction.body}\n——\n${notice.unitName} ${chineseMoment(correction.issuedAt)}（通知 ${id} 已更正，这是通知 ${correction.id}）`
  const shown = `${notice.body}\n——\n${notice.unitName} ${chineseMoment(notice.issuedAt)}（通知 ${id}）`
  // a text to be forwarded is of no use behind a link
  return textBytes(shown) <= ctx.maxReplyBytes ? shown : notice.body
}
