import { unitById } from '../../db/queries/units.ts'
import { offerFor, reportDuty } from '../../server/domain/duty-reports/report.ts'
import { dateWords, periodAt, periodWords } from '../../server/domain/duty-reports/rules.ts'
import type { Context, KnownContext } from '../context.ts'
import { type Answers, advance, type Conversation } from '../conversation.ts'

/**
 * Offers the roster's figures and last time's answer; one word takes them, four numbers replace them. What was shown is
 * kept with the dialogue: the word takes that and nothing else, and when another period has begun, it is shown anew.
 */
export const dutyReportConversation: Conversation = {
  name: 'duty-report',
  title: '双月报告',
  version: 2,
  fields: [
    {
      name: 'figures',
      async ask(ctx, answers) {
        const { unit, offer } = await offered(ctx, answers)
        const { period, lastDay, said, roster, last } = offer
        const lines = [
          ...(answers.isNewPeriod ? ['这期间到了新的一期，刚才的还没有报上。现在报的是：'] : []),
          `${unit.name}${periodWords(period)}双月报告`,
          ...(said
            ? [
                `已经报过：在岗 ${said.onDuty} 人、离岗 ${said.leftCount} 人、请假 ${said.onLeave} 人、重大安全事故 ${said.incidents} 起。再报就换成新的，不改就不用回。`,
              ]
            : []),
          roster
            ? `按名册算：${dateWords(lastDay)}在岗 ${roster.onDuty} 人，这两个月离岗 ${roster.left} 人。`
            : '名册里还没有这个县的团支部，算不出人数，请您照实写。',
          last
            ? `上一期报的：在岗 ${last.onDuty} 人、离岗 ${last.leftCount} 人、请假 ${last.onLeave} 人、事故 ${last.incidents} 起。`
            : '上一期没有报过。',
          roster
            ? `人数对，没有人请假、没有重大安全事故，请回“确认”。不一样请写四个数：在岗 离岗 请假 事故起数，如：${roster.onDuty} ${roster.left} 1 0`
            : '请写四个数：在岗 离岗 请假 事故起数，如：12 1 0 0',
        ]
        return lines.join('\n')
      },
      async read(ctx, text, answers) {
        if (answers.period !== periodAt(ctx.rt.clock.now()).period)
          return { instead: { ...(await shownFor(ctx, Number(answers.unit))), isNewPeriod: '1' } }
        if (/^(确认|是|对|好的?|没有变化)$/.test(text)) {
          const { said } = (await offered(ctx, answers)).offer
          if (said && said.incidents > 0)
            return {
              error: `已经报过 ${said.incidents} 起重大安全事故，一个“确认”改不了。确实要改，请写四个数：在岗 离岗 请假 事故起数。`,
            }
          return answers.roster
            ? { value: `${answers.roster} 0 0` }
            : { error: '名册算不出人数，请写四个数：在岗 离岗 请假 事故起数，如：12 1 0 0' }
        }
        const numbers = (text.match(/\d+/g) ?? []).map(Number)
        return numbers.length === 4 && numbers.every(each => each <= 100_000)
          ? { value: numbers.join(' ') }
          : { error: '请回“确认”，或写四个数：在岗 离岗 请假 事故起数。' }
      },
    },
    {
      name: 'note',
      isText: true,
      isNeeded: answers => answers.figures !== undefined && !answers.figures.endsWith(' 0'),
      ask: () =>
        '有重大安全事故：请写明时间、地点、经过、伤亡和处置（写在一条消息里），会马上告诉各级上级。有人还在危险中，请先打 110、120。',
      async read(ctx, text) {
        return text.trim().length < 4 ? { error: '请写明经过。' } : { value: ctx.rt.vault.seal(text) }
      },
    },
  ],
  async finish(ctx, answers) {
    const [onDuty = 0, left = 0, onLeave = 0, incidents = 0] = (answers.figures ?? '').split(' ').map(Number)
    const { unit, offer } = await offered(ctx, answers)
    if (answers.period !== offer.period) {
      // the story stays, so that nobody writes it twice
      const { figures: _, ...others } = answers
      const shown = await shownFor(ctx, unit.id)
      return advance(ctx, dutyReportConversation, { ...others, ...shown, isNewPeriod: '1' })
    }
    const note = incidents > 0 && answers.note ? ctx.rt.vault.open(answers.note) : ''
    const { isChange, period, told } = await reportDuty(ctx.rt, (ctx as KnownContext).actor, {
      unitId: unit.id,
      period: offer.period,
      onDuty,
      left,
      onLeave,
      incidents,
      note,
    })
    const toldWords = told > 0 ? `已经发给各级上级 ${told} 位同志，请` : '请马上'
    return `${isChange ? '已更改' : '已报送'}${unit.name}${periodWords(period)}双月报告：在岗 ${onDuty} 人、离岗 ${left} 人、请假 ${onLeave} 人、重大安全事故 ${incidents} 起。${incidents > 0 ? `${toldWords}同时打电话报告上级。` : ''}`
  },
}

/** Begins the report of a county. */
export async function beginDutyReport(ctx: Context, unitId: number): Promise<string> {
  return advance(ctx, dutyReportConversation, { unit: String(unitId), ...(await shownFor(ctx, unitId)) })
}

/** What is kept of what is shown: the period, and the roster's figures (empty: it has none). */
async function shownFor(ctx: Context, unitId: number): Promise<{ period: string; roster: string }> {
  const { period, roster } = (await offered(ctx, { unit: String(unitId) })).offer
  return { period, roster: roster ? `${roster.onDuty} ${roster.left}` : '' }
}

async function offered(ctx: Context, answers: Answers) {
  const unit = await unitById(ctx.rt.db, Number(answers.unit))
  if (!unit) throw new Error('a report of a unit that is gone')
  return { unit, offer: await offerFor(ctx.rt, unit) }
}
