import { acknowledge } from '../../server/domain/notices/settle.ts'
import type { Command } from '../command.ts'
import { readNumbers } from '../words.ts'
import { answerSettled } from './answer-settled.ts'

export const acknowledgeCommand: Command = {
  name: '收',
  aliases: ['收到', '已收到', '收到了', '知道了'],
  usage: '收 [通知编号]：通知收到了，稍后转发',
  example: '收',
  audience: 'known',
  isPublic: true,
  accepts: input => /^(?:第?通知|群|[\s\d#号,，、和])*$/.test(input),
  async run(ctx, input) {
    const [noticeId = null, ...groupIds] = readNumbers(input)
    return answerSettled(
      ctx,
      acknowledge(ctx.rt, ctx.actor, { noticeId, groupIds }),
      settled =>
        `好的，已记下您收到通知 ${settled.noticeId}。转发到群后请回复：转${settled.left > settled.groupNames.length ? ` ${settled.noticeId}` : ''}`,
    )
  },
}
