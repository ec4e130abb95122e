import { latestNotices } from '../../db/queries/notices.ts'
import { chineseMoment } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { noticeProgress } from '../../server/domain/notices/progress.ts'
import type { Command } from '../command.ts'
import { listReply } from '../context.ts'
import { readNumber } from '../words.ts'

export const progressCommand: Command = {
  name: '回执',
  aliases: ['进度'],
  usage: '回执 [通知编号]：通知传达到哪里了，谁还没有',
  example: '回执 12',
  audience: 'manager',
  async run(ctx, input) {
    let id = readNumber(input)
    if (id === null) {
      const [top] = managingRoles(ctx.rt.templates, ctx.actor)
      const [latest] = top ? await latestNotices(ctx.rt.db, top.unitPath, 1) : []
      if (!latest) return '还没有通知。'
      id = latest.id
    }
    const progress = await noticeProgress(ctx.rt, ctx.actor, id)
    const levels = progress.levels.map(level => {
      const open = level.groups - level.posted
      const parts = [
        level.received > 0 ? `${level.received} 个群主已收到` : '',
        level.failed > 0 ? `${level.failed} 个无法送达` : '',
      ].filter(part => part !== '')
      return `${level.level}：${level.posted}/${level.groups}${open > 0 && parts.length > 0 ? `（${parts.join('，')}）` : ''}`
    })
    const head = [
      `通知 ${id}（${progress.unitName}，${chineseMoment(progress.issuedAt)}发，${chineseMoment(progress.deadlineAt)}截止）`,
      `已到 ${progress.posted}/${progress.groups} 个群`,
      ...levels,
    ].join('\n')
    if (progress.missing.length === 0) return `${head}\n全部传达到位。`
    return listReply(
      ctx,
      `${head}\n还没有到的群：`,
      progress.missing.map(each => `${each.unitName}　${each.groupName}（群主 ${each.ownerName ?? '无'}）`),
    )
  },
}
