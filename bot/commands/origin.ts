import { chineseMoment } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { isMarkedCopy, type Mark, markIn, markWords, parseMark } from '../../server/domain/notices/mark.ts'
import { type Origin, originOf } from '../../server/domain/notices/origin.ts'
import type { Command, MatchedCommand } from '../command.ts'
import type { Context, Heard, KnownContext } from '../context.ts'

const EXAMPLE = '出处 〔川-0731〕'
const MAX_NAMED = 3

export const originCommand: Command = {
  name: '出处',
  aliases: ['查出处'],
  usage: '出处 记号：一份转发的通知从哪里来（也可把带记号的原文直接转给我）',
  example: EXAMPLE,
  audience: 'known',
  takesText: true,
  async run(ctx, input) {
    const mark = parseMark(input)
    if (mark === null) return `请发来转发的原文，或它末尾的记号，如：${EXAMPLE}`
    return (await answerFor(ctx, mark, input)) ?? unknown(mark)
  },
}

/** Whether a text is a copy of a notice that somebody passes on to be told about, whatever word it begins with. */
export function isCopyToTrace(heard: Heard, matched: MatchedCommand | null): boolean {
  return heard.actor.person !== null && isMarkedCopy(heard.text) && matched?.command !== originCommand
}

/** Says where a copy comes from. @returns null when it is none that this person may know of */
export async function traceCopy(ctx: Context, matched: MatchedCommand | null): Promise<string | null> {
  const mark = markIn(ctx.text)
  const answer = mark === null ? null : await answerFor(ctx as KnownContext, mark, ctx.text)
  const mayBeNotice = matched?.command.takesText && managingRoles(ctx.templates, ctx.actor).length > 0
  return answer === null || !mayBeNotice ? answer : `${answer}\n要另发一个通知，请去掉末尾的记号再发来。`
}

async function answerFor(ctx: KnownContext, mark: Mark, text: string): Promise<string | null> {
  const found = await originOf(ctx.rt, ctx.actor, mark, text)
  if (found.length === 0) return null
  const several =
    found.length > 1 ? [`带${markWords(mark)}的有 ${found.length} 份，把原文整段发来可以分清：`] : []
  return [...several, ...found.map(origin => words(mark, origin))].join('\n')
}

function words(mark: Mark, origin: Origin): string {
  const { noticeId, unitName, issuedAt, isWithdrawn, correctionId, groups, ownerName, sentAt } = origin
  const named = groups.slice(0, MAX_NAMED).map(group => `${group.unitName}“${group.name}”`)
  const more = groups.length > MAX_NAMED ? `等 ${groups.length} 个群` : ''
  const owner = ownerName === null ? '的群主' : `的群主${ownerName}`
  return [
    `${markWords(mark)}是通知 ${noticeId} 的一份：${unitName}，${chineseMoment(issuedAt)}发${isWithdrawn ? '，已撤回，请不要再转' : ''}${correctionId === null ? '' : `，后来有更正（通知 ${correctionId}）`}。`,
    `这一份${sentAt === null ? '还没有发出，是' : `${chineseMoment(sentAt)}`}请${named.join('、')}${more}${owner}转发的。看原文请发：通知 ${noticeId}`,
  ].join('\n')
}

/** Of what is not theirs to know they are told no more than of what is not there. */
function unknown(mark: Mark): string {
  return `没有查到带${markWords(mark)}、发给您这条线上的通知。可能记号抄错了，请把带记号的原文整段发来；仍查不到的，请向发给您的人核实后再转。`
}
