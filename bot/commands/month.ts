import {
  closingsOf,
  linesOfUnits,
  unitMonthsOf,
  unitsCalled,
  unsignedOf,
  unsignedUnits,
} from '../../db/queries/months.ts'
import { unitsNamed } from '../../db/queries/units.ts'
import { addMonths, monthOf } from '../../server/clock.ts'
import { type KnownActor, managingRoles } from '../../server/domain/actor.ts'
import { answerersFor } from '../../server/domain/groups/managers.ts'
import { confirmMonth } from '../../server/domain/months/confirm.ts'
import { monthSpan, signingLevels } from '../../server/domain/months/rules.ts'
import { type Signed, signMonth } from '../../server/domain/months/sign.ts'
import { reportingProgrammes } from '../../server/domain/months/state.ts'
import { countsWords, figuresWords, monthName } from '../../server/domain/months/words.ts'
import { DomainError } from '../../server/errors.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { readMonth } from '../words.ts'

/** Units that one word signs; more than an office has directly below it. */
const MOST_AT_ONCE = 200
const MAX_NAMED = 60
/** A month, and a unit with the names of all above it. */
const MOST_BEHIND = 100
/** Between the names of units, as people write it. */
const BETWEEN_NAMES = /[/／›>]/g

export const confirmMonthCommand: Command = {
  name: '确认',
  aliases: ['确认无误', '核对无误'],
  usage: '确认 [月份]：您的群上个月的数都对',
  example: '确认',
  audience: 'known',
  takesWords: true,
  accepts: isMonth,
  async run(ctx, input) {
    const month = monthAsked(ctx, input)
    if (month === null) return '请写月份，如：确认 10月'
    const said = await confirmMonth(ctx.rt, ctx.actor, month)
    const name = monthName(said.month)
    const total: Record<string, number> = {}
    for (const { figures } of said.groups)
      for (const [category, count] of Object.entries(figures))
        total[category] = (total[category] ?? 0) + count
    const head = said.isAgain ? `您已经确认过${name}的数` : `已确认${name}的数，谢谢`
    const changed = said.corrected > 0 ? `，其中 ${said.corrected} 个群按您的更正算` : ''
    return `${head}：${said.groups.length} 个群，${countsWords(total)}${changed}。关账前还可以登记、更正。`
  },
}

export const signMonthCommand: Command = {
  name: '签报',
  aliases: ['签月报', '签数'],
  usage: '签报 [月份] [单位]：本单位上个月的数报给上级',
  example: '签报 10月',
  audience: 'manager',
  takesWords: true,
  accepts: input => [...input].length <= MOST_BEHIND,
  async run(ctx, input) {
    const { month, name } = readMonthAndName(ctx, input)
    const units = await unitsToSign(ctx, month, name)
    const [unit, ...others] = units
    if (!unit) return nothingToSign(ctx, month, name)
    if (others.length > 0 && name !== '全部') return whichUnit(ctx, month, name, units)
    if (others.length === 0)
      return signedWords(await signMonth(ctx.rt, ctx.actor, { unitId: unit.id, month }), month)
    const signed: Signed[] = []
    const silent: string[] = []
    for (const each of units)
      try {
        signed.push(await signMonth(ctx.rt, ctx.actor, { unitId: each.id, month }))
      } catch (error) {
        // one that has not said what it must is no reason to leave the others
        if (!(error instanceof DomainError && error.code === 'month.facts')) throw error
        silent.push(each.name)
      }
    return listReply(ctx, `已签报 ${signed.length} 个单位${monthName(month)}的数：`, [
      ...(silent.length === 0
        ? []
        : [
            `没有签的 ${silent.length} 个，还没有报过团支部、团干部、团员青年数，请先在网页上填报：${silent.join('、')}`,
          ]),
      ...signed.map(each => `${each.unit.name}：${figuresWords(each.figures)}`),
    ])
  },
}

/** Asks which unit is meant: those of one name by the names of all above them. */
async function whichUnit(
  ctx: KnownContext,
  month: string,
  name: string,
  units: readonly { id: number; name: string }[],
): Promise<string> {
  const shown = units.slice(0, MAX_NAMED)
  const lines = await linesOfUnits(
    ctx.rt.db,
    shown.map(unit => unit.id),
  )
  const isAlone = (unit: { name: string }) => units.filter(each => each.name === unit.name).length === 1
  const names = shown.map(unit => (isAlone(unit) ? unit.name : (lines.get(unit.id) ?? []).join('/')))
  const sign = `签报 ${monthName(month)}`
  if (new Set(names).size < names.length)
    return `这几个单位连上级都同名，请在网页上签报：${shown.map(unit => `${ctx.rt.publicUrl}/console/months/${unit.id}/${month}`).join('、')}`
  if (name !== '') return `“${name}”可能是：${names.join('、')}。\n请写全，如：${sign} ${names[0]}`
  return `您有 ${units.length} 个单位还没有签报${monthName(month)}的数：${names.join('、')}。\n请写明单位，如：${sign} ${names[0]}；都签请回复：${sign} 全部`
}

function signedWords({ unit, figures, isAnew, isOnTime, factsOf, missing }: Signed, month: string): string {
  return [
    `已${isAnew ? '重新' : ''}签报${unit.name}${monthName(month)}的数${isOnTime ? '' : '（过了期限）'}：${figuresWords(figures)}。`,
    ...(factsOf === null
      ? []
      : [`团支部、团干部、团员青年数照${monthName(factsOf)}报的；有变化请发“填报”，再签一次。`]),
    ...(missing.length === 0 ? [] : [`下面还没有签报的：${missing.join('、')}。`]),
    '关账前有变动，可以再签一次。',
  ].join('\n')
}

export const monthProgressCommand: Command = {
  name: '月度',
  aliases: ['月度进度', '谁没签'],
  usage: '月度 [月份]：下级谁还没有签报',
  example: '月度',
  audience: 'manager',
  takesWords: true,
  accepts: isMonth,
  async run(ctx, input) {
    const month = monthAsked(ctx, input)
    if (month === null) return '请写月份，如：月度 10月'
    const tops = ownTops(ctx)
    if (tops.length === 0) return '您负责的单位不按月签报。'
    const lines: string[] = []
    for (const top of tops) {
      const missing = await unsignedUnits(ctx.rt.db, top.unitPath, month, {
        levels: signingLevels,
        end: monthSpan(month).end,
        limit: MAX_NAMED + 1,
        offset: 0,
      })
      const own = (await unitMonthsOf(ctx.rt.db, [top.unitId], month)).get(top.unitId)
      const closed = (await closingsOf(ctx.rt.db, top.programme, [month])).has(month)
      const state = closed ? '已关账' : own?.signedAt ? '本级已签报' : '本级还没有签报'
      const below = missing.filter(each => each.id !== top.unitId)
      lines.push(
        `${top.unitName}${monthName(month)}：${state}；下级${below.length === 0 ? '都签了' : `还有 ${below.length > MAX_NAMED ? `${MAX_NAMED} 个以上` : `${below.length} 个`}没有签`}`,
        ...below
          .slice(0, MAX_NAMED)
          .map(
            each =>
              `· ${each.name}${each.parentName && each.parentName !== top.unitName ? `（${each.parentName}）` : ''}`,
          ),
      )
    }
    return listReply(ctx, `${monthName(month)}签报情况`, [
      ...lines,
      `网页：${ctx.rt.publicUrl}/console/months?month=${month}`,
    ])
  },
}

function lastMonth(ctx: KnownContext): string {
  return addMonths(monthOf(ctx.rt.clock.now()), -1)
}

/** The month that is meant; without one the month that is being reported. */
function monthAsked(ctx: KnownContext, input: string): string | null {
  return input.trim() === '' ? lastMonth(ctx) : readMonth(input, monthOf(ctx.rt.clock.now()))
}

/** 10月, 上月, 2026-10 and nothing else: 确认一下时间 is no command. */
function isMonth(input: string): boolean {
  return readMonth(input, '2026-01') !== null
}

function readMonthAndName(ctx: KnownContext, input: string): { month: string; name: string } {
  const thisMonth = monthOf(ctx.rt.clock.now())
  const words = input.split(/[\s,，的]+/).filter(word => word !== '')
  const at = words.findIndex(word => readMonth(word, thisMonth) !== null)
  const month = at < 0 ? null : readMonth(words[at] as string, thisMonth)
  const name = words.filter((_, index) => index !== at).join('')
  return { month: month ?? lastMonth(ctx), name: name.replace(BETWEEN_NAMES, '') }
}

/** What they run, in programmes that are reported by the month. */
function ownTops(ctx: { rt: DomainRuntime; actor: KnownActor }) {
  const programmes = reportingProgrammes(ctx.rt)
  const roles = managingRoles(ctx.rt.templates, ctx.actor).filter(role => programmes.includes(role.programme))
  return roles.filter((role, at) => roles.findIndex(each => each.unitId === role.unitId) === at)
}

/** The unsigned units that the actor means: their own and those that they answer for, one by name, or all of them. */
async function unitsToSign(ctx: KnownContext, month: string, name: string) {
  const { end } = monthSpan(month)
  const tops = ownTops(ctx)
  const own = tops.map(top => top.unitId)
  if (name !== '' && name !== '全部') {
    const found = await Promise.all(tops.map(top => unitsCalled(ctx.rt.db, top.unitPath, name)))
    const called = onceEach(found.flat()).filter(unit => signingLevels.includes(unit.level))
    // with all above it, it is that one, though the names of another may end alike
    const whole = called.filter(unit => unit.names.join('') === name)
    if (called.length > 0) return whole.length > 0 ? whole : called
    const named = await Promise.all(tops.map(top => unitsNamed(ctx.rt.db, top.unitPath, name)))
    const like = onceEach(named.flat()).filter(unit => signingLevels.includes(unit.level))
    // one that is named is signed anew when it has signed before
    const ids = like.map(unit => unit.id)
    const unsigned = await unsignedOf(ctx.rt.db, ids, month, signingLevels, end)
    return unsigned.length > 0 ? unsigned : like
  }
  const unsigned = await unsignedOf(ctx.rt.db, own, month, signingLevels, end)
  if (name === '' && unsigned.length > 0) return unsigned
  if (name === '') {
    const signed = tops.filter(top => signingLevels.includes(top.level))
    return signed.length === 1 ? signed.map(top => ({ id: top.unitId, name: top.unitName })) : []
  }
  // those below for which nobody but the actor answers
  const found = new Map<number, { id: number; name: string }>()
  for (const top of tops) {
    const below = await unsignedUnits(ctx.rt.db, top.unitPath, month, {
      levels: signingLevels,
      end,
      limit: MOST_AT_ONCE,
      offset: 0,
    })
    const answerers = await answerersFor(
      ctx.rt,
      below.map(unit => unit.id),
    )
    for (const unit of below)
      if (answerers.get(unit.id)?.includes(ctx.actor.person.id))
        found.set(unit.id, { id: unit.id, name: unit.name })
  }
  // from below upwards, so that who signs last signs what those below have said
  for (const unit of unsigned.toReversed()) {
    found.delete(unit.id)
    found.set(unit.id, { id: unit.id, name: unit.name })
  }
  return [...found.values()].slice(0, MOST_AT_ONCE)
}

/** Somebody may run a unit and one above it. */
function onceEach<Unit extends { id: number }>(units: readonly Unit[]): Unit[] {
  return [...new Map(units.map(unit => [unit.id, unit])).values()]
}

function nothingToSign(ctx: KnownContext, month: string, name: string): string {
  if (ownTops(ctx).length === 0) return '您负责的单位不按月签报。'
  if (name === '' || name === '全部')
    return `您负责的单位${monthName(month)}没有要签报的了。看下级谁还没有签，请回复：月度 ${monthName(month)}`
  return `您名下没有叫“${name}”、要签报的单位。请这样写：签报 ${monthName(month)}`
}
