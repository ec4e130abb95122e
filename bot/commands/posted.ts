import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { dayOf } from '../../server/clock.ts'
import { setAsking } from '../../server/domain/messages/ask.ts'
import { type Command, plainWords } from '../command.ts'
import { advance, leave } from '../conversation.ts'
import { postedConversation, readPosted } from '../conversations/posted.ts'

/** The answer to 今天群里发了什么, as its buttons say it: `今天发了 2026-09-07 致富信息`. */
export const postedCommand: Command = {
  name: '今天发了',
  aliases: ['今日发了'],
  usage: '今天发了 类别：今天在群里发了一条（没发：今天发了 没有）',
  example: '今天发了 致富',
  audience: 'owner',
  takesWords: true,
  accepts: input => input === '' || 'posted' in readAnswer(input),
  async run(ctx, input) {
    await leave(ctx)
    const today = dayOf(ctx.rt.clock.now())
    const { day = today, posted } = readAnswer(plainWords(input)) as { day?: string; posted?: string }
    const owned = await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)
    const [only] = owned
    if (!only) return '您名下没有群，不用登记。'
    return advance(ctx, postedConversation, {
      day: day > today ? today : day,
      only: owned.length === 1 ? String(only.id) : '',
      ...(posted === undefined ? {} : { offered: posted }),
    })
  },
}

function readAnswer(input: string): { day?: string; posted: string } | { error: true } {
  const match = /^(?:(\d{4}-\d{2}-\d{2})\s+)?(\S+)$/.exec(input.trim())
  const posted = match ? readPosted(match[2] as string) : null
  if (!match || posted === null) return { error: true }
  return { ...(match[1] ? { day: match[1] } : {}), posted }
}

/** Which of the three words was typed decides. */
export const askingCommand: Command = {
  name: '每日提问',
  aliases: ['每天提问', '每周提问', '不再提问', '停止提问', '不要提问'],
  usage: '每日提问 / 每周提问 / 不再提问：要不要定时问您群里发了什么',
  example: '每周提问',
  audience: 'owner',
  async run(ctx) {
    const word = plainWords(ctx.text)
    if (/不再|停止|不要/.test(word)) {
      await setAsking(ctx.rt, ctx.actor, 'never')
      return '好的，不再问您群里发了什么。发了消息可以转给我，或回复：登记 类别 条数。想再被问请回复：每周提问'
    }
    const isDaily = /每[日天]/.test(word)
    await setAsking(ctx.rt, ctx.actor, isDaily ? 'daily' : 'weekly')
    return `好的，${isDaily ? '每天' : '每周'}傍晚问您一次群里发了什么，点一下就登记；已经登记过的不问，晚上十点以后不问。不想要了请回复：不再提问`
  },
}
