import { changeOutlook } from '../../db/queries/notice-changes.ts'
import { textBytes } from '../../server/channels/text.ts'
import { chineseMoment } from '../../server/clock.ts'
import { falseAlarmsFor } from '../../server/domain/messages/false-alarms.ts'
import { correctedText, correctionText, withdrawalText } from '../../server/domain/notices/change-words.ts'
import { type Changing, newestOf, requireChanging } from '../../server/domain/notices/changing.ts'
import { checkLink, checkSafety } from '../../server/domain/notices/check.ts'
import { checkCorrection } from '../../server/domain/notices/correct.ts'
import { planTiming } from '../../server/domain/notices/issue.ts'
import {
  type Importance,
  type ImportanceRule,
  importanceRule,
  noticeRules,
  parseImportance,
} from '../../server/domain/notices/rules.ts'
import { submitCorrection } from '../../server/domain/notices/submit-correction.ts'
import { checkReason, importancesToWithdraw, withdrawNotice } from '../../server/domain/notices/withdraw.ts'
import { DomainError } from '../../server/errors.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'

/** UTF-8 bytes of a text that fit a preview with what stands around them. */
const PREVIEW_BYTES = 1300

/** Asks for the corrected text, shows whom it reaches, and sends after a second word. */
export const correctNoticeConversation: Conversation = {
  name: 'correct-notice',
  title: '更正通知',
  version: 1,
  fields: [
    {
      name: 'body',
      isText: true,
      ask: (_ctx, answers) => `请发来通知 ${answers.noticeId} 改好的全文（一条消息，不是只发改动的地方）。`,
      async read(ctx, text, answers) {
        return checked(text, async () => {
          const changing = await changingFor(ctx, answers, '更正')
          // with the same text the address may still change
          if (!isAsItStands(changing, text))
            checkCorrection(
              changing,
              { body: text, link: linkOf(changing, answers) },
              await falseAlarmsFor(ctx.rt, [text]),
            )
        })
      },
    },
    {
      name: 'confirm',
      // 确认 is a command as well
      isAnswer: text => /^确认/.test(text),
      async ask(ctx, answers) {
        const changing = await changingFor(ctx, answers, '更正')
        const body = answers.body as string
        const link = linkOf(changing, answers)
        const isUnchanged = isAsItStands(changing, body) && link === newestOf(changing).link
        if (!isUnchanged) checkCorrection(changing, { body, link }, await falseAlarmsFor(ctx.rt, [body]))
        const { original } = changing
        const outlook = await changeOutlook(ctx.rt.db, original.id, ctx.rt.clock.now())
        const told = outlook.posted + outlook.asked + outlook.unconfirmed
        return [
          '请确认：',
          shortened(correctionText(original, body)),
          ...(link === null ? [] : [`链接：${link}`]),
          '——',
          ...(isUnchanged ? ['正文和现在的一样：要改链接请先回复“链接 新网址”，不改就不用发更正。'] : []),
          `${told} 个群收到过通知 ${original.id}，会收到这条更正${outlook.unsent > 0 ? `；${outlook.unsent} 个群还没发出，直接发更正后的内容` : ''}。更正单独收回执，原通知不再催。`,
          timingWords(ctx, importanceOf(changing, answers)),
          '回复“确认”发出，“紧急”马上发，“链接 网址”改链接（“链接 无”去掉），“取消”作废。',
        ].join('\n')
      },
      read: async (_ctx, text) => linkSaid(text) ?? confirmation(text, noticeRules.importances),
    },
  ],
  async finish(ctx, answers) {
    const changing = await changingFor(ctx, answers, '更正')
    const { outcome } = await submitCorrection(ctx.rt, (ctx as KnownContext).actor, {
      noticeId: changing.original.id,
      body: answers.body as string,
      link: linkOf(changing, answers),
      importance: importanceOf(changing, answers),
      ...(answers.against === undefined ? {} : { against: Number(answers.against) }),
    })
    if (outcome.outcome !== 'sent') return '更正还没有发出：要有第二人审核，已请有关同志看，结果会告诉您。'
    return `通知 ${changing.original.id} 的更正已发出，编号 ${outcome.noticeId}。随时发送“回执 ${outcome.noticeId}”看谁收到了。`
  },
}

/** Asks why, shows what will be stopped and who will be told, and withdraws after a second word. */
export const withdrawNoticeConversation: Conversation = {
  name: 'withdraw-notice',
  title: '撤回通知',
  version: 1,
  fields: [
    {
      name: 'reason',
      isText: true,
      ask: (_ctx, answers) => `为什么撤回通知 ${answers.noticeId}？请发来原因，收到的人都会看到。`,
      read: (_ctx, text) => checked(text, async () => checkReason(text)),
    },
    {
      name: 'confirm',
      // 确认 is a command as well
      isAnswer: text => /^确认/.test(text),
      async ask(ctx, answers) {
        const changing = await changingFor(ctx, answers, '撤回')
        const reason = answers.reason as string
        checkReason(reason)
        const { original, correction } = changing
        const outlook = await changeOutlook(ctx.rt.db, original.id, ctx.rt.clock.now())
        const parts = [
          [outlook.posted, '个群收到了，会收到撤回通知'],
          [outlook.unsent, '个群还没发出，不再发'],
          [outlook.asked, '个群请群主转了、还没说转好'],
          [outlook.unconfirmed, '个群的群发还没确认，会取消'],
          [outlook.recallable, '条应用消息还能收回'],
        ] as const
        return [
          `请确认撤回通知 ${original.id}${correction ? `（连同更正 ${correction.id}）` : ''}，不能反悔。收到的人会看到：`,
          shortened(withdrawalText(original, reason)),
          '——',
          `${parts
            .filter(([count]) => count > 0)
            .map(([count, words]) => `${count} ${words}`)
            .join('；')}。`,
          timingWords(ctx, importanceOf(changing, answers)),
          original.importance === 'urgent'
            ? '回复“确认”撤回，“紧急”马上告知，“取消”作废。'
            : '回复“确认”撤回，“取消”作废。',
        ].join('\n')
      },
      async read(ctx, text, answers) {
        const { original } = await changingFor(ctx, answers, '撤回')
        return confirmation(text, importancesToWithdraw(original))
      },
    },
  ],
  async finish(ctx, answers) {
    const changing = await changingFor(ctx, answers, '撤回')
    const { originalId, withdrawalId, groups } = await withdrawNotice(ctx.rt, (ctx as KnownContext).actor, {
      noticeId: changing.original.id,
      reason: answers.reason as string,
      importance: importanceOf(changing, answers),
    })
    const told = groups > 0 ? `${groups} 个群会收到撤回通知` : '还没有群收到，不用告知'
    return `通知 ${originalId} 已撤回：没发出的不再发，能收回的正在收回，${told}（编号 ${withdrawalId}）。发送“回执 ${withdrawalId}”看谁知道了。`
  },
}

function changingFor(ctx: Context, answers: Answers, deed: '更正' | '撤回'): Promise<Changing> {
  return requireChanging(ctx.rt, (ctx as KnownContext).actor, Number(answers.noticeId), deed)
}

/** As the original's, unless another was chosen. */
function importanceOf({ original }: Changing, answers: Answers): Importance {
  return (answers.importance ?? original.importance) as Importance
}

async function checked(
  text: string,
  check: () => Promise<void>,
): Promise<{ value: string } | { error: string }> {
  try {
    await check()
    return { value: text }
  } catch (error) {
    if (error instanceof DomainError) return { error: error.message }
    throw error
  }
}

/** The address that the correction is to have: as it is, unless another was said. */
function linkOf(changing: Changing, answers: Answers): string | null {
  if (answers.link === undefined) return newestOf(changing).link
  return answers.link === NO_LINK ? null : answers.link
}

const NO_LINK = '无'

function isAsItStands({ original, correction }: Changing, body: string): boolean {
  return body.trim() === (correction ? correctedText(correction.body) : original.body)
}

/** 链接 https://…, 链接 无; null: something else was said. */
function linkSaid(text: string): { error: string } | { instead: Answers } | null {
  const said = /^链接[\s:：]*(\S*)$/.exec(text.trim())?.[1]
  if (said === undefined) return null
  if (/^(?:无|没有|去掉|不要)$/.test(said)) return { instead: { link: NO_LINK } }
  try {
    checkLink(said)
    checkSafety({ body: '', link: said })
    return { instead: { link: said } }
  } catch (error) {
    if (error instanceof DomainError) return { error: error.message }
    throw error
  }
}

function confirmation(
  text: string,
  rules: readonly ImportanceRule[],
): { value: string } | { error: string } | { instead: Answers } {
  const importance = parseImportance(text)
  if (importance)
    return rules.some(rule => rule.id === importance)
      ? { instead: { importance } }
      : { error: '原通知不是紧急的，撤回也不能按紧急发。请回复“确认”或“取消”。' }
  return /^(确认|确认(发出|更正|撤回)|发出|撤回|更正|是|好的?)$/.test(text)
    ? { value: 'yes' }
    : { error: '请回复“确认”。' }
}

/** The end, which says how to go on, must be in the chat: a long text is shown by its beginning. */
function shortened(text: string): string {
  return textBytes(text) <= PREVIEW_BYTES ? text : `${[...text].slice(0, 300).join('')}……（全文见上）`
}

/** When it goes out and is due. */
function timingWords(ctx: Context, importance: Importance): string {
  const { startsAt, deadlineAt } = planTiming(ctx.rt, importance)
  const quiet = startsAt > ctx.rt.clock.now() ? `现在是安静时间，${chineseMoment(startsAt)}发出；` : ''
  return `${importanceRule(importance).name}：${quiet}${chineseMoment(deadlineAt)}前告知到群。`
}
