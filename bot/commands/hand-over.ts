import {
  handOverById,
  itemsOfHandOver,
  openHandOversTo,
  personsEverNamed,
  proposalsUnder,
} from '../../db/queries/hand-overs.ts'
import { personsNamed } from '../../db/queries/persons.ts'
import { type UnitRow, unitById } from '../../db/queries/units.ts'
import { topUnits } from '../../server/domain/access/policy.ts'
import { isInLine, managesUnit } from '../../server/domain/actor.ts'
import { itemWords } from '../../server/domain/hand-over/policy.ts'
import { startHandOver } from '../../server/domain/hand-over/start.ts'
import { mayTick, tick } from '../../server/domain/hand-over/tick.ts'
import { nameKey } from '../../server/domain/names/name-key.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { readNumber } from '../words.ts'

/** Proposals that are listed at most. */
const LISTED = 50

export const handOverCommand: Command = {
  name: '交接',
  aliases: ['工作交接'],
  usage: '交接 [谁 给谁]：把群和待办交给接手的同志',
  example: '交接 周支书 张思雨',
  audience: 'known',
  async run(ctx, input) {
    const text = input.trim()
    if (text === '') return overview(ctx)
    const match = /^#?(\S+?)[\s,，、]*(?:交?给|[\s,，、])\s*(\S+)(?:[\s,，、]+(\S+))?$/.exec(text)
    const number = readNumber(match ? (match[1] as string) : text)
    if (!match) return number === null ? howTo : oneHandOver(ctx, number)
    const [, giver = '', taker = '', unitName] = match
    return number === null ? byNames(ctx, giver, taker, unitName) : proposed(ctx, number, taker, unitName)
  },
}

const howTo =
  '请写明谁交给谁，如：交接 周支书 张思雨。已经提出的交接可写编号，如：交接 3 张思雨。发送“交接”看清单。'

/** The item of a checklist that is done, by its number. */
export const handedOverCommand: Command = {
  name: '交好',
  aliases: ['交好了', '已移交'],
  usage: '交好 编号：交接的一项办好了',
  example: '交好 12',
  audience: 'known',
  async run(ctx, input) {
    const id = readNumber(input)
    if (id === null) return '请写上清单里的编号，如：交好 12。发送“交接”可以看到编号。'
    const { handOver, left, isNew } = await tick(ctx.rt, ctx.actor, id)
    if (left === 0) return `${handOver.unitName}${handOver.fromName}的交接办完了，谢谢！`
    return `${isNew ? '已记下' : '这一项记过了'}，${handOver.fromName}的交接还有 ${left} 项。发送“交接”看清单。`
  },
}

/** What one takes over, and what waits in the units one runs. */
async function overview(ctx: KnownContext): Promise<string> {
  const own = await openHandOversTo(ctx.rt.db, ctx.actor.person.id)
  const waiting = await proposalsUnder(
    ctx.rt.db,
    topUnits(ctx.templates, ctx.actor).map(top => top.path),
    LISTED,
  )
  const lines = [
    ...(await Promise.all(own.map(each => checklist(ctx, each)))).flat(),
    ...waiting.map(
      each =>
        `${each.id}　${each.fromName}（${each.unitName}）：还没有定接手的同志，请回复：交接 ${each.id} 姓名`,
    ),
  ]
  if (lines.length === 0)
    return topUnits(ctx.templates, ctx.actor).length > 0 ? `没有要办的交接。${howTo}` : '没有要您办的交接。'
  return listReply(ctx, '交接：', lines, own.length > 0 ? '办好一项请回复：交好 编号' : '')
}

async function checklist(
  ctx: KnownContext,
  handOver: { id: number; fromName: string; unitName: string; dueOn: string },
): Promise<string[]> {
  const items = (await itemsOfHandOver(ctx.rt.db, handOver.id)).filter(
    item => item.isByHand && item.doneAt === null,
  )
  const due = `${Number(handOver.dueOn.slice(5, 7))}月${Number(handOver.dueOn.slice(8))}日前`
  return [
    `您接手${handOver.unitName}${handOver.fromName}的工作（${due}）：`,
    ...items.map(
      item => `${item.id}　${item.groupName === null ? '' : `${item.groupName}：`}${itemWords(item.kind)}`,
    ),
  ]
}

async function oneHandOver(ctx: KnownContext, id: number): Promise<string> {
  const handOver = await handOverById(ctx.rt.db, id)
  if (!handOver || !mayTick(ctx.rt, ctx.actor, handOver))
    return '没有这个编号的交接。发送“交接”可以看到编号。'
  if (handOver.status === 'proposed')
    return `${handOver.fromName}（${handOver.unitName}）的工作还没有定接手的同志，请回复：交接 ${id} 姓名`
  if (handOver.status !== 'open') return `${handOver.fromName}（${handOver.unitName}）的交接已经办完了。`
  return listReply(
    ctx,
    `由${handOver.toName ?? ''}接手：`,
    await checklist(ctx, handOver),
    '办好一项请回复：交好 编号',
  )
}

/** 交接 3 张思雨: somebody is named for a proposal. */
async function proposed(ctx: KnownContext, id: number, taker: string, unitName?: string): Promise<string> {
  const handOver = await handOverById(ctx.rt.db, id)
  if (!handOver || !managesUnit(ctx.templates, ctx.actor, handOver.unitPath))
    return '没有这个编号的交接。发送“交接”可以看到编号。'
  if (handOver.status !== 'proposed') return oneHandOver(ctx, id)
  const unit = (await unitById(ctx.rt.db, handOver.unitId)) as UnitRow
  return begin(ctx, unit, { personId: handOver.fromId, name: handOver.fromName }, taker, unitName)
}

/** 交接 周支书 张思雨 */
async function byNames(ctx: KnownContext, giver: string, taker: string, unitName?: string): Promise<string> {
  const paths = topUnits(ctx.templates, ctx.actor).map(top => top.path)
  if (paths.length === 0)
    return '交接由负责组织工作的同志办理，您名下没有这样的职务。发送“交接”看要您办的清单。'
  const found = (await personsEverNamed(ctx.rt.db, paths, nameKey(giver))).filter(
    each => !unitName || each.unitName.includes(unitName),
  )
  const [first] = found
  if (!first) return `您负责的单位里没有“${giver}”，请核对姓名。`
  // somebody who stands somewhere hands over there; one who is gone, where they were
  const places = found.filter(each => each.isCurrent === first.isCurrent)
  if (places.length > 1)
    return `“${giver}”在几处：${places.map(each => each.unitName).join('、')}，请写明单位：交接 ${giver} ${taker} ${first.unitName}`
  const unit = (await unitById(ctx.rt.db, first.unitId)) as UnitRow
  return begin(ctx, unit, first, taker)
}

async function begin(
  ctx: KnownContext,
  unit: UnitRow,
  from: { personId: number; name: string },
  taker: string,
  unitName?: string,
): Promise<string> {
  const [root] = /^\/\d+\//.exec(unit.path) ?? [unit.path]
  const found = (await personsNamed(ctx.rt.db, root, nameKey(taker)))
    .filter(each => isInLine(each, { unitPath: unit.path }) && each.personId !== from.personId)
    .filter(each => !unitName || each.unitName.includes(unitName))
  const persons = [...new Map(found.map(each => [each.personId, each])).values()]
  const [to] = persons
  if (!to) return `${unit.name}和它的上级、下级单位的名册里没有“${taker}”。请核对姓名，或先更新名册。`
  if (persons.length > 1)
    return `有 ${persons.length} 位“${taker}”（${persons.map(each => `${each.unitName}${each.title ?? ''}`).join('、')}），请在网页上选：${ctx.rt.publicUrl}/console/units/${unit.id}/hand-over`
  const started = await startHandOver(ctx.rt, ctx.actor, { unit, fromId: from.personId, toId: to.personId })
  const items = await itemsOfHandOver(ctx.rt.db, started.id)
  const moved = items.filter(item => !item.isByHand).map(item => `${itemWords(item.kind)} ${item.count} 项`)
  const byHand = items.filter(item => item.isByHand).length
  return [
    `${unit.name}${from.name}的工作已交给${to.name}。`,
    moved.length > 0 ? `系统已移交：${moved.join('、')}。` : '',
    byHand > 0
      ? `还有 ${byHand} 件要手工办的（微信群主、公众号管理员等），清单已发给${to.name}。`
      : '没有要手工办的，交接办完了。',
  ]
    .filter(line => line !== '')
    .join('\n')
}
