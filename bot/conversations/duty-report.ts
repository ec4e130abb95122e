import { unitById } from '../../db/queries/units.ts'
import { offerFor, reportDuty } from '../../server/domain/duty-reports/report.ts'
import { periodAt, periodWords } from '../../server/domain/duty-reports/rules.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'

/** Offers the roster's figures and last time's answer; one word takes them, four numbers replace them. */
export const dutyReportConversation: Conversation = {
  name: 'duty-report',
  title: '双月报告',
  version: 1,
  fields: [
    {
      name: 'figures',
      async ask(ctx, answers) {
        const { unit, offer } = await offered(ctx, answers)
        const { said, roster, last } = offer
        const lines = [
          `${unit.name}${periodWords(periodAt(ctx.rt.clock.now()).period)}双月报告`,
          ...(said
            ? [
                `已报：在岗 ${said.onDuty}、离岗 ${said.leftCount}、请假 ${said.onLeave}、重大安全事故 ${said.incidents} 起。再报即更改。`,
              ]
            : []),
          `名册：在岗 ${roster.onDuty} 人，这两个月离岗 ${roster.left} 人。`,
          last
            ? `上期：在岗 ${last.onDuty}、离岗 ${last.leftCount}、请假 ${last.onLeave}、事故 ${last.incidents} 起。`
            : '上期没有报过。',
          `按名册报、没有请假和事故，请回“确认”；不一样请依次写四个数：在岗 离岗 请假 事故，如：${roster.onDuty} ${roster.left} 1 0`,
        ]
        return lines.join('\n')
      },
      async read(ctx, text, answers) {
        if (/^(确认|是|对|好的?|没有变化)$/.test(text)) {
          const { roster } = (await offered(ctx, answers)).offer
          return { value: [roster.onDuty, roster.left, 0, 0].join(' ') }
        }
        const numbers = (text.match(/\d+/g) ?? []).map(Number)
        return numbers.length === 4 && numbers.every(each => each <= 100_000)
          ? { value: numbers.join(' ') }
          : { error: '请回“确认”，或依次写四个数：在岗 离岗 请假 事故。' }
      },
    },
    {
      name: 'note',
      isText: true,
      isNeeded: answers => answers.figures !== undefined && !answers.figures.endsWith(' 0'),
      ask: () =>
        '有重大安全事故：请写明时间、地点、经过、伤亡和处置（一条消息）。有人还在危险中，请先打 110、120。',
      async read(ctx, text) {
        return text.trim().length < 4 ? { error: '请写明经过。' } : { value: ctx.rt.vault.seal(text) }
      },
    },
  ],
  async finish(ctx, answers) {
    const [onDuty = 0, left = 0, onLeave = 0, incidents = 0] = (answers.figures ?? '').split(' ').map(Number)
    const { unit } = await offered(ctx, answers)
    const note = answers.note ? ctx.rt.vault.open(answers.note) : ''
    const { isChange, period } = await reportDuty(ctx.rt, (ctx as KnownContext).actor, {
      unitId: unit.id,
      onDuty,
      left,
      onLeave,
      incidents,
      note,
    })
    return `${isChange ? '已更改' : '已报送'}${unit.name}${periodWords(period)}双月报告：在岗 ${onDuty}、离岗 ${left}、请假 ${onLeave}、重大安全事故 ${incidents} 起。${incidents > 0 ? '重大安全事故请同时电话报告上级。' : ''}`
  },
}

async function offered(ctx: Context, answers: Answers) {
  const unit = await unitById(ctx.rt.db, Number(answers.unit))
  if (!unit) throw new Error('a report of a unit that is gone')
  return { unit, offer: await offerFor(ctx.rt, unit) }
}
