import { countyReports, dutySums } from '../../db/queries/duty-reports.ts'
import { unitById } from '../../db/queries/units.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { dutyReportRules, periodAt, periodWords } from '../../server/domain/duty-reports/rules.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import { dutyReportConversation } from '../conversations/duty-report.ts'

/** Counties report by it, the levels above see what has come and who is late. */
export const dutyReportCommand: Command = {
  name: '双月报告',
  aliases: ['双月报'],
  usage: '双月报告：报送在岗情况和安全事故（县区），或看汇总和谁没报（上级）',
  example: '双月报告',
  audience: 'manager',
  async run(ctx) {
    const { programme, unitLevel } = dutyReportRules
    const roles = managingRoles(ctx.templates, ctx.actor).filter(role => role.programme === programme)
    const county = roles.find(role => role.level === unitLevel)
    if (county) {
      await leave(ctx)
      return advance(ctx, dutyReportConversation, { unit: String(county.unitId) })
    }
    const [top] = roles
      .filter(role => role.level !== 'branch')
      .sort((a, b) => a.unitPath.length - b.unitPath.length)
    return top ? summary(ctx, top.unitId) : '双月报告由西部计划县区项目办报送。'
  },
}

async function summary(ctx: KnownContext, unitId: number): Promise<string> {
  const unit = await unitById(ctx.rt.db, unitId)
  if (!unit) return '没有这个单位。'
  const { period } = periodAt(ctx.rt.clock.now())
  const { unitLevel, programme } = dutyReportRules
  const sums = await dutySums(ctx.rt.db, unit, period, unitLevel)
  const total = (of: (sum: (typeof sums)[number]) => number) => sums.reduce((all, sum) => all + of(sum), 0)
  const late = await countyReports(ctx.rt.db, unit.path, period, unitLevel, programme, {
    limit: 200,
    offset: 0,
    isLateOnly: true,
  })
  const head = [
    `${unit.name}${periodWords(period)}双月报告`,
    `已报 ${total(sum => sum.reported)}/${total(sum => sum.counties)} 个县区：在岗 ${total(sum => sum.onDuty)}、离岗 ${total(sum => sum.left)}、请假 ${total(sum => sum.onLeave)}、重大安全事故 ${total(sum => sum.incidents)} 起。`,
  ].join('\n')
  if (late.length === 0) return `${head}\n都报齐了。`
  return listReply(
    ctx,
    `${head}\n还没有报：`,
    late.map(county => `${county.parentName ?? ''}　${county.unitName}`),
  )
}
