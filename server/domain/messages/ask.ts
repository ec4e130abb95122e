import { appendAudit } from '../../../db/queries/platform.ts'
import { setPostQuestion, takeAnswer, takeOwnersToAsk } from '../../../db/queries/post-asks.ts'
import { addDays, dayOf, shanghaiMoment, timeOf } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { type ActionCard, settleCards } from '../outgoing/card.ts'
import { sendCards } from '../outgoing/enqueue.ts'
import { CATEGORIES, type Category } from './categories.ts'
import { recordMessages } from './record.ts'
import { type AskingWay, recordRules } from './record-rules.ts'

/** The dialogue in which a bare number answers the question (`bot/conversations/posted.ts`). */
export const postedDialogue = { name: 'posted', version: 1, step: 'offered' } as const

/** Owners looked at in one transaction. */
const PORTION = 1000

/** Whether, and how often, the actor wants to be asked. */
export async function setAsking(rt: DomainRuntime, actor: KnownActor, how: AskingWay): Promise<void> {
  await inTransaction(rt, async tx => {
    const now = tx.clock.now()
    await setPostQuestion(tx.db, actor.person.id, how, now)
    await appendAudit(tx.db, {
      at: now,
      actorId: actor.person.id,
      action: 'record.question_set',
      subjectKind: 'person',
      subjectId: actor.person.id,
      details: { how },
    })
  })
}

/**
 * Asks the owners whose day it is what was posted in their groups: from the hour of the rules to the quiet hours, each
 * once a day. A day that was missed is not made up for.
 * @returns how many were asked
 */
export async function askForPosts(rt: DomainRuntime, signal?: AbortSignal): Promise<number> {
  const now = rt.clock.now()
  const { from } = recordRules.question
  if (timeOf(now) < from.value || afterQuiet(noticeRules.quiet, now) > now) return 0
  const round = roundOf(now)
  const expiresAt = shanghaiMoment(round.day, noticeRules.quiet.from)
  let count = 0
  for (let after: number | null = 0; after !== null && !signal?.aborted; ) {
    const from: number = after
    after = await inTransaction(rt, async tx => {
      const { asked, last } = await takeOwnersToAsk(
        tx.db,
        { ...round, now },
        { ...postedDialogue, expiresAt },
        from,
        PORTION,
      )
      await sendCards(
        tx,
        asked.map(each => ({ personId: each.personId, ...question(each, round.day) })),
        'reminder',
        expiresAt,
      )
      count += asked.length
      return last
    })
  }
  return count
}

/** Who is asked on a day: the daily ones, and on the weekday of the rules the weekly ones, too. */
export function roundOf(now: Date): {
  day: string
  hows: ('daily' | 'weekly')[]
  standard: 'daily' | 'weekly' | null
  weekFrom: string
} {
  const day = dayOf(now)
  const { standard, weekday } = recordRules.question
  // Monday is 1
  const isWeekly = (new Date(Date.parse(`${day}T00:00:00Z`)).getUTCDay() || 7) === weekday.value
  return {
    day,
    hows: isWeekly ? ['daily', 'weekly'] : ['daily'],
    standard: standard.value === 'never' ? null : standard.value,
    weekFrom: addDays(day, -6),
  }
}

function question(
  asked: { askId: number; how: 'daily' | 'weekly'; groups: number; groupName: string },
  day: string,
): { card: ActionCard; text: string } {
  const time = asked.how === 'daily' ? '今天' : '这一周'
  const where = asked.groups === 1 ? `“${asked.groupName}”里` : `您的 ${asked.groups} 个群里`
  const why = '每月要报各群发了多少条，点一下就记 1 条，月底不用再数。'
  const choices = CATEGORIES.map((name, index) => `${index + 1} ${name}`).join('、')
  return {
    card: {
      about: { kind: 'post_ask', id: asked.askId },
      title: `${time}群里发了什么？`,
      description: `${time}${where}发了什么？${why}`,
      rows: [
        { name: '发了几条', value: '请回复：登记 类别 条数' },
        { name: '不想被问', value: '请回复：不再提问' },
      ],
      buttons: [
        ...CATEGORIES.map(name => ({ text: name, command: `今天发了 ${day} ${name}` })),
        { text: '没有', command: `今天发了 ${day} 没有` },
      ],
    },
    text: `【${time}群里发了什么？】${where}，请回复数字：${choices}、6 没有。${why}发了几条的请回复：登记 类别 条数。不想被问请回复：不再提问`,
  }
}

/**
 * Takes the answer to the question of a day: one message of a category in groups, or nothing. The first answer of a day
 * counts, whatever comes after it.
 * @param answered.category null: nothing was posted
 * @returns what was answered before; null: this was the first
 * @throws DomainError as `recordMessages`
 */
export async function answerQuestion(
  rt: DomainRuntime,
  actor: KnownActor,
  answered: { day: string; category: Category | null; groupIds: number[]; at: Date; updateId: number },
): Promise<string | null> {
  return inTransaction(rt, async tx => {
    const { day, category } = answered
    const { askId, before } = await takeAnswer(
      tx.db,
      actor.person.id,
      day,
      category ?? 'none',
      tx.clock.now(),
    )
    if (before !== null) return before
    if (category !== null) await recordMessages(tx, actor, { ...answered, category, count: 1 })
    await settleCards(
      tx,
      { kind: 'post_ask', id: askId },
      category === null ? '没有发' : `已登记：${category}`,
    )
    return null
  })
}
