import { countyReports, dutySums, incidentsOf, reportedUnits } from '../../db/queries/duty-reports.ts'
import { unitById } from '../../db/queries/units.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { dutyReportRules, periodAt, periodWords } from '../../server/domain/duty-reports/rules.ts'
import { reportingUnits, reportingUnitsCalled } from '../../server/domain/duty-reports/units.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { leave } from '../conversation.ts'
import { beginDutyReport } from '../conversations/duty-report.ts'

const MAX_INCIDENTS = 20

/** Counties report by it, the levels above see what has come and who is late, and report for a county below. */
export const dutyReportCommand: Command = {
  name: '双月报告',
  aliases: ['双月报'],
  usage: '双月报告：报送在岗情况和安全事故（县区），或看汇总和谁没报（上级）；双月报告 县名：替这个县报',
  example: '双月报告',
  audience: 'manager',
  async run(ctx, input) {
    const tops = reportingUnits(ctx.templates, ctx.actor)
    if (tops.length === 0) return '双月报告由西部计划县区项目办报送，您名下没有这样的单位。'
    if (input !== '') return about(ctx, input)
    const { programme, unitLevel } = dutyReportRules
    const own = managingRoles(ctx.templates, ctx.actor).filter(
      role => role.programme === programme && role.level === unitLevel,
    )
    const counties = [...new Map(own.map(role => [role.unitId, role.unitName]))]
    const [county] = counties
    if (county && counties.length === 1) return begin(ctx, county[0])
    if (county) return choose(ctx, counties)
    const [top] = tops
    return top && tops.length === 1
      ? summary(ctx, top.id)
      : choose(
          ctx,
          tops.map(unit => [unit.id, unit.name]),
        )
  },
}

async function begin(ctx: KnownContext, unitId: number): Promise<string> {
  await leave(ctx)
  return beginDutyReport(ctx, unitId)
}

async function about(ctx: KnownContext, input: string): Promise<string> {
  const found = await reportingUnitsCalled(ctx.rt, ctx.actor, input)
  const [unit] = found
  if (!unit)
    return `您管的县区里没有“${input}”。请发：双月报告 县名，如：双月报告 榆阳区；只发“双月报告”看汇总。`
  if (found.length > 1)
    return listReply(
      ctx,
      `“${input}”有几个，请写明是哪一个，如：双月报告 ${unit.code}`,
      found.map(each => `${each.parentName ?? ''}　${each.name}　${each.code}`),
    )
  return unit.level === dutyReportRules.unitLevel ? begin(ctx, unit.id) : summary(ctx, unit.id)
}

/** Somebody who has several units says which. */
async function choose(ctx: KnownContext, units: [id: number, name: string][]): Promise<string> {
  const { period } = periodAt(ctx.rt.clock.now())
  const reported = await reportedUnits(
    ctx.rt.db,
    units.map(([id]) => id),
    period,
  )
  const [first] = units
  return listReply(
    ctx,
    `${periodWords(period)}双月报告：您管 ${units.length} 个单位，请说报哪一个，如：双月报告 ${first?.[1]}`,
    units.map(([id, name]) => `${name}${reported.has(id) ? '　已报' : ''}`),
  )
}

async function summary(ctx: KnownContext, unitId: number): Promise<string> {
  const { db, vault, clock } = ctx.rt
  const unit = await unitById(db, unitId)
  if (!unit) return '没有这个单位。'
  const { period } = periodAt(clock.now())
  const { unitLevel, programme } = dutyReportRules
  const sums = await dutySums(db, unit, period, unitLevel)
  const total = (of: (sum: (typeof sums)[number]) => number) => sums.reduce((all, sum) => all + of(sum), 0)
  const late = await countyReports(db, unit.path, period, unitLevel, programme, {
    limit: 200,
    offset: 0,
    isLateOnly: true,
  })
  const incidents = await incidentsOf(db, unit.path, period, MAX_INCIDENTS)
  const head = [
    `${unit.name}${periodWords(period)}双月报告`,
    `已报 ${total(sum => sum.reported)}/${total(sum => sum.counties)} 个县区：在岗 ${total(sum => sum.onDuty)} 人、离岗 ${total(sum => sum.left)} 人、请假 ${total(sum => sum.onLeave)} 人、重大安全事故 ${total(sum => sum.incidents)} 起。`,
    ...incidents.map(
      each =>
        `事故：${each.unitName} ${each.incidents} 起：${each.noteSealed === null ? '' : vault.open(each.noteSealed)}`,
    ),
  ].join('\n')
  const [first] = late
  if (!first) return `${head}\n都报齐了。`
  return listReply(
    ctx,
    `${head}\n还没有报：`,
    late.map(county => `${county.parentName ?? ''}　${county.unitName}`),
    `要替他们报，请回复：双月报告 ${first.unitName}`,
  )
}
