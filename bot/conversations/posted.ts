import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { answerQuestion, postedDialogue } from '../../server/domain/messages/ask.ts'
import { CATEGORIES, type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { noteTap } from '../../server/domain/outgoing/card.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Conversation } from '../conversation.ts'
import { readNumbers } from '../words.ts'

const NOTHING = /^(?:没有?发?|无|没|都没有?|6)$/

/** What somebody posted, by a category, its number, or 没有; null when it is none of these. */
export function readPosted(text: string): Category | 'none' | null {
  return NOTHING.test(text) ? 'none' : parseCategory(text)
}

/**
 * The question that the server asks by itself (`server/domain/messages/ask.ts`): what was posted, and in which of several
 * groups. Whatever is no answer to it is taken as if it had not been asked; the question stands until the evening is over.
 */
export const postedConversation: Conversation = {
  name: postedDialogue.name,
  title: '今天发了什么',
  isOffer: true,
  staysOpen: true,
  version: postedDialogue.version,
  fields: [
    {
      name: postedDialogue.step,
      ask: () =>
        `今天群里发了什么？请回复数字：${CATEGORIES.map((name, index) => `${index + 1} ${name}`).join('、')}、6 没有`,
      async read(_ctx, text) {
        const posted = readPosted(text)
        return posted === null ? { error: '请回复数字 1–6。' } : { value: posted }
      },
    },
    {
      name: 'where',
      isNeeded: answers => answers.offered !== 'none' && answers.only === '',
      async ask(ctx) {
        const owned = await ownGroups(ctx)
        const shown = owned.slice(0, 10).map(group => `${group.id} ${group.name}`)
        return `发到了哪个群？请回复群号（几个群用空格分开，都发了回“全部”）：${shown.join('、')}${owned.length > 10 ? '……' : ''}`
      },
      async read(ctx, text) {
        const owned = (await ownGroups(ctx)).map(group => group.id)
        if (/^(全部|都|所有)/.test(text)) return { value: JSON.stringify(owned) }
        const numbers = readNumbers(text)
        const foreign = numbers.filter(id => !owned.includes(id))
        if (foreign.length > 0)
          return {
            error: `群 ${foreign.join('、')} 不是您的群，您的群号：${owned.slice(0, 20).join('、')}。`,
          }
        return numbers.length > 0 ? { value: JSON.stringify(numbers) } : { error: '请回复群号，或“全部”。' }
      },
    },
  ],
  async finish(ctx, answers) {
    const { actor } = ctx as KnownContext
    const day = answers.day as string
    const category = answers.offered === 'none' ? null : (answers.offered as Category)
    const groupIds = answers.where ? (JSON.parse(answers.where) as number[]) : [Number(answers.only)]
    if (ctx.update.kind === 'tapped') await noteTap(ctx.rt, ctx.update)
    const before = await answerQuestion(ctx.rt, actor, {
      day,
      category,
      groupIds,
      at: ctx.update.at,
      updateId: ctx.updateId,
    })
    const when = `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日`
    if (before !== null)
      return `${when}的您已经答过了（${before === 'none' ? '没有发' : `${before} 1 条`}），没有再记一次。还发了别的，请回复：登记 类别 条数`
    return category === null
      ? `好的，${when}没有发。谢谢！`
      : `已登记：${category} 1 条，群 ${groupIds.join('、')}。不止一条请回复：改 3条；不是这一类请回复：改 类别`
  },
}

function ownGroups(ctx: Context) {
  return groupsOwnedBy(ctx.rt.db, (ctx as KnownContext).actor.person.id)
}
