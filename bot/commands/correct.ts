import { managingRoles } from '../../server/domain/actor.ts'
import { newestOf, requireChanging } from '../../server/domain/notices/changing.ts'
import type { Command } from '../command.ts'
import { advance, leave } from '../conversation.ts'
import { correctNoticeConversation, withdrawNoticeConversation } from '../conversations/correct.ts'
import { correctCommand, isRecordCorrection } from './record.ts'

/** 12 新正文, 通知12：新正文 */
const NUMBER_AND_TEXT = /^(?:通知\s*)?[#＃]?(\d{1,9})号?(?:[\s:：,，、]+([\s\S]+))?$/

export const correctNoticeCommand: Command = {
  name: '更正',
  aliases: ['更正通知'],
  usage: '更正 通知编号 新正文：收到过的群都会收到更正',
  example: '更正 12 各乡镇团委：请于下周一前报送名单。',
  audience: 'owner',
  takesWords: true,
  takesText: true,
  // an owner corrects what they have recorded with the same word: 更正 便民
  accepts: (input, isGlued) => !isGlued || isRecordCorrection(input),
  async run(ctx, input) {
    const isManager = managingRoles(ctx.templates, ctx.actor).length > 0
    if ('run' in correctCommand && (isRecordCorrection(input) || !isManager))
      return correctCommand.run(ctx, input)
    const [, number, body] = NUMBER_AND_TEXT.exec(input) ?? []
    if (number === undefined)
      return '请写上通知的编号和改好的全文，如：更正 12 各乡镇团委：请于下周一前报送名单。'
    const changing = await requireChanging(ctx.rt, ctx.actor, Number(number), '更正')
    await leave(ctx)
    return advance(ctx, correctNoticeConversation, {
      noticeId: String(changing.original.id),
      against: String(newestOf(changing).id),
      ...(body === undefined ? {} : { body }),
    })
  },
}

export const withdrawNoticeCommand: Command = {
  name: '撤回',
  aliases: ['撤回通知'],
  usage: '撤回 通知编号 原因：没发的不再发，收到的人会知道',
  example: '撤回 12 时间有变，另行通知',
  audience: 'manager',
  takesText: true,
  async run(ctx, input) {
    const [, number, reason] = NUMBER_AND_TEXT.exec(input) ?? []
    if (number === undefined) return '请写上通知的编号和原因，如：撤回 12 时间有变，另行通知'
    const { original } = await requireChanging(ctx.rt, ctx.actor, Number(number), '撤回')
    await leave(ctx)
    return advance(ctx, withdrawNoticeConversation, {
      noticeId: String(original.id),
      ...(reason === undefined ? {} : { reason }),
    })
  },
}
