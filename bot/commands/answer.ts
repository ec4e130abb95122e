import type { Question, UnitToAnswer } from '../../db/queries/notice-answers.ts'
import { chineseMoment } from '../../server/clock.ts'
import { answerNotice, mayAnswerFor, openQuestions } from '../../server/domain/notices/answers.ts'
import { answerHint } from '../../server/domain/notices/read-answer.ts'
import { DomainError } from '../../server/errors.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'

/** What may stand right behind a number that is an answer and no notice's: 答 3 个村. */
const COUNTED = /^(?:[个人名位户村次场条项篇份件元万千百亿家所支只%]|小时|人次)/

export const answerCommand: Command = {
  name: '答',
  aliases: ['回答'],
  usage: '答 通知编号 内容：答复通知里问的',
  example: '答 12 38',
  audience: 'known',
  takesText: true,
  async run(ctx, input) {
    const questions = await openQuestions(ctx.rt, ctx.actor)
    const said = readWords(input.trim(), questions)
    if ('error' in said) return said.error
    if (said.noticeId === null) return overview(ctx, questions)
    const units = await mayAnswerFor(ctx.rt, ctx.actor, said.noticeId)
    const { unitId, written } = unitIn(units, said.words)
    const question = questions.find(each => each.noticeId === said.noticeId)
    if (question && written === '') return askFor(ctx, question, units)
    try {
      const answered = await answerNotice(ctx.rt, ctx.actor, { noticeId: said.noticeId, unitId, written })
      const left = units.filter(unit => !unit.answer && unit.unitName !== answered.unitName)
      return [
        `${answered.isChange ? '已改为' : '已记下'}：${answered.unitName}对通知 ${said.noticeId} 的答复是“${answered.text}${answered.ask.measure ?? ''}”。`,
        left.length > 0
          ? `还要替${left.map(unit => unit.unitName).join('、')}答复，如：答 ${said.noticeId} ${left[0]?.unitName} 内容`
          : `要改请再发：答 ${said.noticeId} 新的内容`,
      ].join('\n')
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      return `${error.message}${whatElse(ctx, error, said.noticeId)}`
    }
  },
}

/** What to do after a refusal, where the refusal does not say it. */
function whatElse(ctx: KnownContext, { code }: DomainError, noticeId: number): string {
  if (code === 'answer.privacy')
    return `\n确实要报的，请打开网页答复，那里会再请您确认一次：${addressOf(ctx, noticeId)}`
  if (code === 'answer.file') return `\n${addressOf(ctx, noticeId)}`
  if (code === 'answer.unclear') return `\n请重发：答 ${noticeId} 内容`
  return ''
}

function addressOf(ctx: KnownContext, noticeId: number): string {
  return `${ctx.rt.publicUrl}/n/${noticeId}`
}

/**
 * The notice that an answer is for, and its words. With one open question the number may be left out; a number alone that
 * is the question's own shows it, for nobody can tell whether it was meant as the answer.
 * @returns `noticeId` null: nothing was said, so the questions are shown
 */
export function readWords(
  input: string,
  questions: readonly (Pick<Question, 'noticeId' | 'open'> & Partial<Pick<Question, 'correctionIds'>>)[],
): { noticeId: number | null; words: string } | { error: string } {
  if (input === '') return { noticeId: null, words: '' }
  const open = questions.filter(question => question.open > 0)
  const [only] = open
  const match = /^#?(\d{1,9})号?(?:[\s:：,，、]+|$)([\s\S]*)$/.exec(input)
  const said = match ? Number(match[1]) : null
  // whoever has the correction before them names that: what is asked is asked by the original
  const corrected = questions.find(question => said !== null && question.correctionIds?.includes(said))
  const id = corrected?.noticeId ?? said
  const rest = match?.[2]?.trim() ?? ''
  const isTheirs = questions.some(question => question.noticeId === id)
  const isOpen = open.some(question => question.noticeId === id)
  if (id !== null && isTheirs && (isOpen || !COUNTED.test(rest))) return { noticeId: id, words: rest }
  if (open.length > 1)
    return {
      error: `有 ${open.length} 个通知要您答复（${open.map(question => question.noticeId).join('、')}），请写上编号，如：答 ${only?.noticeId} 内容`,
    }
  if (id !== null && rest !== '' && !COUNTED.test(rest))
    return {
      error: `没有编号是 ${id}、要您答复的通知。${only ? `要您答复的是通知 ${only.noticeId}，请回复：答 ${only.noticeId} 内容` : '发送“答”看要您答复的通知。'}`,
    }
  if (only) return { noticeId: only.noticeId, words: input }
  const [last] = questions.toReversed()
  return {
    error: last
      ? `没有等着您答复的通知。要改以前的答复，请写上编号，如：答 ${last.noticeId} 新的内容`
      : '没有要您答复的通知。',
  }
}

/** A unit's name in front of the answer, for whoever answers for several: 镇川镇 38. */
function unitIn(units: UnitToAnswer[], words: string): { unitId: number | null; written: string } {
  if (units.length < 2) return { unitId: null, written: words }
  const named = units
    .filter(unit => words.startsWith(unit.unitName))
    .sort((a, b) => b.unitName.length - a.unitName.length)[0]
  if (!named) return { unitId: null, written: words }
  const written = words.slice(named.unitName.length).replace(/^[\s:：,，、]+/, '')
  return { unitId: named.unitId, written }
}

async function overview(ctx: KnownContext, questions: Question[]): Promise<string> {
  const open = questions.filter(question => question.open > 0)
  if (open.length === 0) return '没有等着您答复的通知。'
  return listReply(
    ctx,
    '要您答复的通知：',
    open.map(
      ({ noticeId, unitName, ask, deadlineAt }) =>
        `${noticeId}　${unitName}问：${ask.question}（${answerHint(ask)}），${chineseMoment(deadlineAt)}前`,
    ),
    `请回复：答 ${open[0]?.noticeId} 内容`,
  )
}

function askFor(ctx: KnownContext, { noticeId, unitName, ask }: Question, units: UnitToAnswer[]): string {
  const how =
    ask.kind === 'file'
      ? `请打开网页上传：${addressOf(ctx, noticeId)}`
      : `请回复：答 ${noticeId} ${units.length > 1 ? `${units[0]?.unitName} ` : ''}内容`
  const given = units.filter(unit => unit.answer)
  return [
    `通知 ${noticeId}，${unitName}问：${ask.question}`,
    `${answerHint(ask)}。${how}`,
    given.length > 0 ? `已答：${given.map(unit => unit.unitName).join('、')}；再答以最后一次为准。` : '',
  ]
    .filter(line => line !== '')
    .join('\n')
}
