import { judgeAlarm } from '../../server/domain/messages/claim-false-alarm.ts'
import type { Command } from '../command.ts'
import { readNumbers } from '../words.ts'

const startsWithNumber = (input: string) => /^#?\d{1,9}号?$/.test(input)

/** An officer's verdict on what somebody was stopped with. */
function judging(name: string, isFalse: boolean, words: string): Command {
  return {
    name,
    aliases: [],
    usage: `${name} 编号：${words}`,
    example: `${name} 12`,
    audience: 'manager',
    accepts: startsWithNumber,
    async run(ctx, input) {
      const [id] = readNumbers(input)
      if (id === undefined) return `请写上编号，如：${name} 12`
      await judgeAlarm(ctx.rt, ctx.actor, { claimId: id, isFalse })
      return isFalse
        ? `${id} 号记为误报，一样的话不再拦，已告诉本人。`
        : `${id} 号记为不是误报，已请本人改一改。原话不再保存。`
    },
  }
}

export const falseAlarmCommands: readonly Command[] = [
  judging('是误报', true, '看过被拦下的话，不该拦，以后一样的话不再拦'),
  judging('不是误报', false, '看过被拦下的话，拦得对'),
]
