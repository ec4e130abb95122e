import { reportDanger } from '../../server/domain/danger/report.ts'
import { speaksOfDanger } from '../../server/domain/danger/rules.ts'
import { type DangerWord, settleDanger } from '../../server/domain/danger/settle.ts'
import type { Command } from '../command.ts'
import type { Context, Heard } from '../context.ts'
import { readNumbers } from '../words.ts'

/** A word about a call for help, by its number. */
function settling(
  command: Pick<Command, 'name' | 'aliases' | 'usage' | 'example'>,
  word: DangerWord,
  words: (id: number) => string,
): Command {
  return {
    ...command,
    audience: 'known',
    accepts: input => /^#?\d/.test(input),
    async run(ctx, input) {
      const [id] = readNumbers(input)
      if (id === undefined) return `请写上编号，如：${command.example}`
      await settleDanger(ctx.rt, ctx.actor, { callId: id, word })
      return words(id)
    },
  }
}

export const dangerCommands: readonly Command[] = [
  settling(
    { name: '到', aliases: ['我来处理'], usage: '到 编号：有人有危险，我来处理', example: '到 5' },
    'answered',
    id => `好的，${id} 号记在您名下，已告诉本人有人在处理。属实请回：属实 ${id}；平安了请回：平安 ${id}`,
  ),
  settling(
    { name: '属实', aliases: [], usage: '属实 编号：核实了，报告上面各级', example: '属实 5' },
    'confirmed',
    id => `已报告上面各级。处理完请回：平安 ${id}`,
  ),
  settling(
    { name: '误报', aliases: [], usage: '误报 编号：没有危险', example: '误报 5' },
    'false_alarm',
    id => `${id} 号已登记为误报，本人若再求助会重新通知。`,
  ),
  settling(
    { name: '平安', aliases: [], usage: '平安 编号：已经没有危险', example: '平安 5' },
    'closed',
    id => `${id} 号已登记为平安。`,
  ),
]

/** Somebody writes to the bot, by themself, of a person in danger. */
export function callsForHelp(heard: Heard): boolean {
  return (
    heard.update.kind === 'text' &&
    !('isPublic' in heard.update && heard.update.isPublic) &&
    speaksOfDanger(heard.text)
  )
}

export function help(ctx: Context): Promise<string> {
  return reportDanger(ctx.rt, ctx.actor, ctx.text)
}
