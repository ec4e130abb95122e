import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { classifyMessage } from '../../server/domain/messages/classify.ts'
import { correctLastReport, recordMessages } from '../../server/domain/messages/record.ts'
import { shippedClassifier } from '../../server/domain/messages/shipped.ts'
import type { Command } from '../command.ts'
import type { Context, KnownContext } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import { recordConversation } from '../conversations/record.ts'
import { readNumber } from '../words.ts'

export const recordCommand: Command = {
  name: '登记',
  aliases: [],
  usage: '登记 [群号] 类别 条数：在群里发了哪类消息几条（也可把消息直接转给我）',
  example: '登记 12 致富 3条',
  audience: 'owner',
  takesWords: true,
  async run(ctx, input) {
    const words = input
      .replace(/(\d+)\s*条/g, ' $1条 ')
      .replace(/([\p{Script=Han}])(\d)/gu, '$1 $2')
      .split(/[\s,，、]+/)
      .filter(word => word !== '')
    let category: Category | null = null
    const before: number[] = []
    const after: number[] = []
    for (const word of words) {
      const found = /^\d/.test(word) ? null : parseCategory(word)
      const number = readNumber(word)
      if (found && category === null) category = found
      else if (number !== null) (category === null ? before : after).push(number)
      else return `没有看懂“${word}”。请这样写：登记 12 致富 3条（群号、类别、条数）`
    }
    if (category === null)
      return '请写上类别：政策法规、致富信息、新闻娱乐、便民服务、其他。如：登记 12 致富 3条'
    const count = after[0] ?? 1
    const groupIds = before
    if (groupIds.length === 0) {
      const owned = await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)
      if (owned.length !== 1)
        return `您有 ${owned.length} 个群，请写上群号：登记 群号 ${category} ${count}条。发送“我的群”可以看到群号。`
      groupIds.push(...owned.map(group => group.id))
    }
    await recordMessages(ctx.rt, ctx.actor, { groupIds, category, count, updateId: ctx.updateId })
    return `已登记：群 ${groupIds.join('、')} 发送${category} ${count} 条。写错了请回复：改 类别`
  },
}

export const correctCommand: Command = {
  name: '改',
  aliases: ['更正'],
  usage: '改 类别：更正刚才登记的类别',
  example: '改 便民',
  audience: 'owner',
  takesWords: true,
  async run(ctx, input) {
    const category = parseCategory(input)
    if (!category) return '请写上正确的类别，如：改 便民'
    const { from } = await correctLastReport(ctx.rt, ctx.actor, category)
    return `已把刚才登记的“${from}”改为“${category}”。`
  },
}

/** Shorter texts are chat or a mistyped command rather than a message that was shown to us. */
const MIN_CHARACTERS = 15

/**
 * An owner who shows the bot a message they posted is offered to have it recorded; nothing is recorded before they say
 * where. null when this is no such message.
 */
export async function offerToRecord(ctx: Context): Promise<string | null> {
  if (!ctx.actor.person || !ctx.actor.ownsGroups || [...ctx.text].length < MIN_CHARACTERS) return null
  const known = ctx as KnownContext
  const owned = await groupsOwnedBy(ctx.rt.db, known.actor.person.id)
  const { category, confidence, because } = classifyMessage(shippedClassifier(), ctx.text)
  await leave(ctx)
  return advance(ctx, recordConversation, {
    category,
    confidence: String(confidence),
    because: because.slice(0, 3).join('、'),
    excerpt: [...ctx.text].slice(0, 40).join(''),
    only: owned.length === 1 ? String(owned[0]?.id) : '',
  })
}
