import { dayOf } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { type ComingStep, comingTo } from '../../server/domain/work-schedule/coming.ts'
import { daysWords, shortDay } from '../../server/domain/work-schedule/days.ts'
import type { Command } from '../command.ts'

const SHOWN = 5

export const scheduleCommand: Command = {
  name: '日程',
  aliases: ['工作日程'],
  usage: '日程：接下来的五步工作',
  example: '日程',
  audience: 'known',
  async run(ctx) {
    const isManager = managingRoles(ctx.templates, ctx.actor).length > 0
    const page = isManager ? `\n全年：${ctx.rt.publicUrl}/console/schedule` : ''
    const coming = await comingTo(ctx.rt, ctx.actor, SHOWN)
    if (coming.length === 0)
      return `您的单位和上级还没有采用工作日程，或今年的都办完了。${isManager ? `可以在这里采用：${ctx.rt.publicUrl}/console/schedule` : ''}`
    return [`接下来的工作：`, ...coming.map(line)].join('\n') + page
  },
}

/** 6月10日前　集中招募宣传（6月2日发通知） */
function line(step: ComingStep): string {
  const { year } = step.schedule
  return `${daysWords(step, year)}　${step.title}（${stateOf(step, year)}）`
}

function stateOf({ noticeId, answer, sendAt }: ComingStep, year: number): string {
  if (noticeId === null) return sendAt ? `${shortDay(dayOf(sendAt), year)}发通知` : '等审核'
  if (answer === 'open') return `通知 ${noticeId}，还没有答复，请回复：答 ${noticeId} 内容`
  return answer === 'done' ? `通知 ${noticeId}，已答复` : `通知 ${noticeId} 已发`
}
