import { relayDone } from '../../server/domain/notices/settle.ts'
import type { Command } from '../command.ts'
import { readNumbers } from '../words.ts'
import { answerSettled } from './answer-settled.ts'

export const relayedCommand: Command = {
  name: '转',
  aliases: [
    '已转',
    '已转发',
    '转发',
    '转了',
    '转发了',
    '转好了',
    '转完了',
    '都转了',
    '已经转了',
    '已经转发',
    '转发好了',
    '已转达',
  ],
  usage: '转 [通知编号]：通知已转发到您的群',
  example: '转 12',
  audience: 'known',
  isPublic: true,
  // 转：各位青年…… is a text to be recorded, and no receipt
  accepts: input => /^(?:第?通知|群|全部|都|了|[\s\d#号,，、和])*$/.test(input),
  async run(ctx, input) {
    const [noticeId = null, ...groupIds] = readNumbers(input)
    return answerSettled(ctx, relayDone(ctx.rt, ctx.actor, { noticeId, groupIds }), settled => {
      const names = settled.groupNames.slice(0, 5).join('、')
      const more = settled.groupNames.length > 5 ? `等 ${settled.groupNames.length} 个群` : ''
      const left = settled.left > 0 ? `您还有 ${settled.left} 个群的通知待转。` : '都办好了，谢谢！'
      return `已登记：通知 ${settled.noticeId} 转发到${names}${more}。${left}`
    })
  },
}
