import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { messageFigures, messageFiguresOfGroups } from '../../db/queries/records.ts'
import { type UnitRow, unitById, unitsUnder } from '../../db/queries/units.ts'
import { monthOf } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { CATEGORIES } from '../../server/domain/messages/categories.ts'
import { makeFile } from '../../server/domain/pages/make-page.ts'
import { fetchTrackingSheet } from '../../server/domain/reports/export.ts'
import { reportFacts } from '../../server/domain/reports/unit-facts.ts'
import type { Templates } from '../../server/templates.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { readMonth } from '../words.ts'

export const statisticsCommand: Command = {
  name: '统计',
  aliases: [],
  usage: '统计 [月份]：各类消息发了多少',
  example: '统计 9月',
  audience: 'owner',
  takesWords: true,
  accepts: isMonthNear,
  async run(ctx, input) {
    const month = readMonth(input, monthOf(ctx.rt.clock.now()))
    if (!month) return '请写月份，如：统计 9月'
    const [top] = managingRoles(ctx.rt.templates, ctx.actor)
    const unit = top ? await unitById(ctx.rt.db, top.unitId) : null
    const ofUnit = unit ? await messageFigures(ctx.rt.db, unit.path, month) : []
    const sums = new Map<string, number>()
    for (const row of ofUnit) sums.set(row.category, (sums.get(row.category) ?? 0) + row.count)
    const words = (counts: Map<string, number>) =>
      CATEGORIES.map(name => `${name} ${counts.get(name) ?? 0}`).join('、')
    const groups = await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)
    const own = await messageFiguresOfGroups(
      ctx.rt.db,
      groups.map(group => group.id),
      month,
    )
    const lines = groups.map(group => {
      const counts = new Map(
        own.filter(row => row.groupId === group.id).map(row => [row.category, row.count]),
      )
      return `${group.id}　${group.name}：${words(counts)}`
    })
    const head = unit
      ? `${month} ${unit.name}及下级发送微信（条）：${words(sums)}`
      : `${month} 您的群发送微信（条）：`
    return listReply(ctx, head, lines)
  },
}

export const monthlyReportCommand: Command = {
  name: '月报',
  aliases: ['跟踪表', '摸底表'],
  usage: '月报 [月份]：跟踪摸底表（XLSX）',
  example: '月报 9月',
  audience: 'manager',
  takesWords: true,
  accepts: isMonthNear,
  async run(ctx, input) {
    const words = input.split(/[\s,，的]+/).filter(word => word !== '')
    const thisMonth = monthOf(ctx.rt.clock.now())
    const month = words.length === 0 ? thisMonth : firstOf(words, word => readMonth(word, thisMonth))
    const name = words.find(word => readMonth(word, thisMonth) === null)
    if (!month && name === undefined) return '请写月份，如：月报 9月'
    const counties = await countiesOf(ctx, name ?? '')
    const [county] = counties
    if (!county)
      return name === undefined
        ? '跟踪摸底表由县区团委填报，您名下没有县区单位。'
        : `您名下没有叫“${name}”的县区单位。请这样写：月报 9月`
    if (counties.length > 1)
      return `请写明县区，如：月报 ${county.name} 9月。可选：${counties
        .slice(0, 20)
        .map(each => each.name)
        .join('、')}`
    const { file, fileName, sheet } = await fetchTrackingSheet(ctx.rt, ctx.actor, {
      county,
      month: month ?? thisMonth,
    })
    const link = await makeFile(ctx.rt, { personId: ctx.actor.person.id }, fileName, file)
    const messages = sheet.messagesSorted
    return [
      `${county.name} ${month ?? thisMonth} 跟踪摸底表：${sheet.rows.length} 个乡镇，消息 ${messages ? messages.byHand + messages.byMachine : 0} 条（机器分类 ${messages?.byMachine ?? 0} 条）。`,
      `下载：${link}`,
    ].join('\n')
  },
}

const FACTS_EXAMPLE = '填报 团支部 12 团干部 36 团员青年 480'

export const factsCommand: Command = {
  name: '填报',
  aliases: ['基数'],
  usage: '填报 团支部数 团干部数 团员青年数：本单位的基本数据',
  example: FACTS_EXAMPLE,
  audience: 'manager',
  takesWords: true,
  accepts: (input, isGlued) => !isGlued || /\d/.test(input),
  async run(ctx, input) {
    const thisMonth = monthOf(ctx.rt.clock.now())
    const words = input.split(/[\s,，、]+/).filter(word => word !== '')
    const month = words[0] !== undefined && /月/.test(words[0]) ? readMonth(words[0], thisMonth) : null
    const said = month === null ? input : words.slice(1).join(' ')
    const facts = readFacts(ctx.rt.templates, said)
    if (!facts)
      return `请这样写：${FACTS_EXAMPLE}\n没有登记进来的群和成员，可以接着写：其他群 3 在乡务农 120 外出务工 60`
    const [top] = managingRoles(ctx.rt.templates, ctx.actor)
    const unit = top ? await unitById(ctx.rt.db, top.unitId) : null
    if (!unit) return '您名下没有单位。'
    const of = await reportFacts(ctx.rt, ctx.actor, unit, facts, month === null ? {} : { month })
    const members = Object.values(facts.members ?? {}).reduce((sum, count) => sum + count, 0)
    const more = [
      ...(facts.otherGroups === null ? [] : [`，其他群 ${facts.otherGroups} 个`]),
      ...(facts.members === null ? [] : [`，群内成员 ${members} 人`]),
    ].join('')
    return `已填报 ${unit.name}：团支部 ${facts.branches} 个，团干部 ${facts.cadres} 人，团员青年 ${facts.youth} 人${more}（从 ${Number(of.slice(5))}月算起）。下次填报前一直有效。`
  },
}

/** The numbers as people write them, with or without their names; null where one of the three is missing. */
function readFacts(templates: Templates, said: string) {
  const after = (word: string) => {
    const found = new RegExp(`${word}[数量]?[:：\\s有]*(\\d+)`).exec(said)?.[1]
    return found === undefined ? null : Number(found)
  }
  const plain = /^(\d+)[\s,，、]+(\d+)[\s,，、]+(\d+)/.exec(said)
  const [branches, cadres, youth] = plain
    ? plain.slice(1, 4).map(Number)
    : [after('团支部'), after('团干部'), after('青年')]
  if (branches == null || cadres == null || youth == null) return null
  const members: Record<string, number> = {}
  for (const { residences = [] } of templates.programmes)
    for (const residence of residences)
      for (const occupation of residence.occupations) {
        const count = after(`${residence.name}${occupation.name}`)
        if (count !== null) members[occupation.figure] = count
      }
  return {
    branches,
    cadres,
    youth,
    otherGroups: after('其他群'),
    members: Object.keys(members).length > 0 ? members : null,
  }
}

/** The counties below what the actor runs, in programmes that have the tracking sheet; those of a name when it is given. */
async function countiesOf(ctx: KnownContext, name: string): Promise<UnitRow[]> {
  const found = new Map<number, UnitRow>()
  for (const role of managingRoles(ctx.rt.templates, ctx.actor))
    if (ctx.rt.templates.programme(role.programme).messageCategories)
      for (const unit of await unitsUnder(ctx.rt.db, role.unitPath))
        if (unit.level === 'county' && unit.name.includes(name)) found.set(unit.id, unit)
  return [...found.values()]
}

function firstOf<T>(words: string[], read: (word: string) => T | null): T | null {
  for (const word of words) {
    const found = read(word)
    if (found !== null) return found
  }
  return null
}

/** 统计上月 is the command, 统计局招聘…… is a text. */
function isMonthNear(input: string, isGlued: boolean): boolean {
  return [...input].length <= 20 && (!isGlued || /^[上本这]个?月/.test(input))
}
