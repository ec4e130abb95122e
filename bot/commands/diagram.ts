import { type UnitRow, unitById, unitsNamed } from '../../db/queries/units.ts'
import { monthOf } from '../../server/clock.ts'
import { topUnits } from '../../server/domain/access/policy.ts'
import { matrixDiagramForms, pictureOf } from '../../server/domain/forms/matrix-diagram.ts'
import { attachFile } from '../../server/domain/outgoing/attach-file.ts'
import { sendWithFiles } from '../../server/domain/outgoing/enqueue.ts'
import { drawPng } from '../../server/domain/pictures/draw-png.ts'
import type { Command } from '../command.ts'
import type { KnownContext } from '../context.ts'

export const diagramCommand: Command = {
  name: '框架图',
  aliases: ['矩阵图'],
  usage: '框架图 [单位]：微信群矩阵的框架图，图上看得到哪里还没有建群',
  example: '框架图',
  audience: 'manager',
  async run(ctx, input) {
    const unit = await unitAsked(ctx, input)
    if (typeof unit === 'string') return unit
    const { svg, missing } = await pictureOf(ctx.rt, unit, monthOf(ctx.rt.clock.now()), 'phone')
    const personId = ctx.actor.person.id
    const file = await attachFile(ctx.rt, personId, `框架图-${unit.name}.png`, await drawPng(svg))
    const found = missing === 0 ? '该建的群都建了。' : `还有 ${missing} 个该建的群没有建，图上是红字。`
    await sendWithFiles(ctx.rt, { identityId: ctx.actor.identityId }, 'report', {
      texts: [`${unit.name}的微信群矩阵框架图：`],
      files: [file],
    })
    return `${unit.name}的框架图随后发给您。${found}`
  },
}

/** The unit of that name below what the actor runs, or the highest that they run; words that ask again otherwise. */
async function unitAsked(ctx: KnownContext, name: string): Promise<UnitRow | string> {
  const tops = topUnits(ctx.templates, ctx.actor)
  if (name === '') {
    const [top] = tops
    const unit = top ? await unitById(ctx.rt.db, top.id) : null
    return unit && hasDiagram(unit) ? unit : '您管理的单位没有框架图。'
  }
  const found = new Map<number, UnitRow>()
  for (const top of tops)
    for (const unit of await unitsNamed(ctx.rt.db, top.path, name))
      if (hasDiagram(unit)) found.set(unit.id, unit)
  const exact = [...found.values()].filter(unit => unit.name === name)
  const units = exact.length > 0 ? exact : [...found.values()]
  const [unit] = units
  if (!unit) return `您管理的单位里没有“${name}”。要看自己单位的，只发：框架图`
  return units.length === 1
    ? unit
    : `有 ${units.length} 个单位叫这个名字：${units.map(each => each.name).join('、')}。请写单位全名，如：框架图 ${unit.name}`
}

function hasDiagram({ programme, level }: UnitRow): boolean {
  return matrixDiagramForms.some(form => form.programme === programme && form.levels.includes(level))
}
