import { requireGroup } from '../../server/domain/groups/register.ts'
import type { Command } from '../command.ts'
import { advance, leave } from '../conversation.ts'
import { joinAnswers, joinConversation, joinWithText } from '../conversations/join.ts'

export const joinCommand = {
  name: '入群',
  aliases: ['申请入群', '加群', '报到'],
  usage: '入群 群号：申请加入一个群',
  example: '入群 12 张小明 13800000000',
  audience: 'anyone',
  takesText: true,
  async run(ctx, input) {
    const match = /^(?:群号?)?[\s:：#]*(\d{1,9})(?!\d)[\s,，、:：]*(.*)$/s.exec(input)
    if (!match) return '请写上群号，如：入群 12。群号请问群主或本单位团干部。'
    const group = await requireGroup(ctx.rt, Number(match[1]))
    const text = (match[2] as string).trim()
    await leave(ctx)
    if (text !== '') {
      const answered = await joinWithText(ctx, group, text)
      if (answered !== null) return answered
    }
    return advance(ctx, joinConversation, joinAnswers(ctx, group))
  },
} satisfies Command

/** The group number in a QR code's scene (`g12`); null for another scene. */
export function joinScene(scene: string): number | null {
  const match = /^g(\d{1,9})$/.exec(scene)
  return match ? Number(match[1]) : null
}
