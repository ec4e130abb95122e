import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { CATEGORIES, type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { recordMessages } from '../../server/domain/messages/record.ts'
import type { KnownContext } from '../context.ts'
import type { Conversation } from '../conversation.ts'
import { readNumbers } from '../words.ts'

/** Below this the machine asks for the category instead of proposing one. Source: project assumption. */
const SURE_ENOUGH = 0.5

/** A message was shown to the bot: which category is it, and in which of the owner's groups was it sent? */
export const recordConversation: Conversation = {
  name: 'record',
  title: '登记消息',
  isOffer: true,
  version: 1,
  fields: [
    {
      name: 'where',
      isAnswer: text => /^(?:改|更正)/.test(text),
      async ask(_ctx, answers) {
        const isSure = Number(answers.confidence) >= SURE_ENOUGH
        const because = answers.because ? `（“${answers.because}”）` : ''
        const what = isSure
          ? `看起来是“${answers.category}”${because}。`
          : `类别拿不准：${CATEGORIES.map((name, index) => `${index + 1} ${name}`).join('、')}。`
        const where = answers.only ? '在您的群里发了吗？' : '发到了您的哪些群？'
        const how = answers.only ? '是' : '群号（几个群用空格分开，都发了回“全部”）'
        const fix = isSure ? '类别不对请在后面写上，如：' : '请写上类别，如：'
        return `要登记这条消息吗？${what}${where}请回复：${how}。${fix}${answers.only ? '是 便民' : '全部 便民'}。不登记请回：否`
      },
      async read(ctx, text, answers) {
        if (/^(否|不|不是|不用|没有)/.test(text)) return { value: 'no' }
        const word = text
          .replace(/^(?:改[成为]?|更正|类别是?)\s*/, '')
          .split(/[\s,，、]+/)
          .map(each => each.replace(/^(?:是的?|对|全部|都)(?=\p{Script=Han})/u, ''))
          .find(each => !/^\d+$/.test(each) && parseCategory(each) !== null)
        const isSure = Number(answers.confidence) >= SURE_ENOUGH
        if (!word && !isSure) return { error: `请写上类别，如：${answers.only ? '是' : '全部'} 便民` }
        const owned = (await groupsOwnedBy(ctx.rt.db, (ctx as KnownContext).actor.person.id)).map(
          group => group.id,
        )
        const numbers = readNumbers(text)
        const foreign = numbers.filter(id => !owned.includes(id))
        if (foreign.length > 0)
          return {
            error: `群 ${foreign.join('、')} 不是您的群，您的群号：${owned.slice(0, 20).join('、')}。`,
          }
        const named = numbers
        const groupIds =
          named.length > 0
            ? named
            : /^(全部|都|所有)/.test(text)
              ? owned
              : (word !== undefined || /^(是|对|嗯|好)/.test(text)) && answers.only
                ? [Number(answers.only)]
                : []
        if (groupIds.length === 0)
          return { error: answers.only ? '请回复“是”或“否”。' : '请回复群号，或“全部”。' }
        return { value: JSON.stringify({ groupIds, category: word ? parseCategory(word) : null }) }
      },
    },
  ],
  async finish(ctx, answers) {
    if (answers.where === 'no') return '好的，没有登记。'
    const chosen = JSON.parse(answers.where as string) as { groupIds: number[]; category: Category | null }
    const category = chosen.category ?? (answers.category as Category)
    await recordMessages(ctx.rt, (ctx as KnownContext).actor, {
      groupIds: chosen.groupIds,
      category,
      count: 1,
      day: null,
      at: ctx.update.at,
      updateId: ctx.updateId,
      shown: {
        text: answers.excerpt as string,
        decidedBy: chosen.category === null ? 'machine' : 'person',
        confidence: Number(answers.confidence),
      },
    })
    return `已登记：${category} 1 条，${chosen.groupIds.length} 个群（${chosen.groupIds.join('、')}）。不对请回复：改 类别`
  },
}
