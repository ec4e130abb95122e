import type { Command } from '../command.ts'
import { advance, leave } from '../conversation.ts'
import { activityConversation, readActivityLine } from '../conversations/activity.ts'

export const activityCommand: Command = {
  name: '活动',
  aliases: ['线下活动'],
  usage: '活动 类型 人数 地点 日期：登记一次线下活动',
  example: '活动 技能培训 35人 村委会 9月12日',
  audience: 'owner',
  takesWords: true,
  // 活动预告：本周六…… is a text to be recorded
  accepts: (input, isGlued) =>
    [...input].length <= 40 && !/[：。！？!?]/.test(input) && (!isGlued || /\d/.test(input)),
  async run(ctx, input) {
    await leave(ctx)
    return advance(ctx, activityConversation, readActivityLine(ctx, input))
  },
}
