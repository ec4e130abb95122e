import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { CATEGORIES, type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { recordMessages } from '../../server/domain/messages/record.ts'
import { isSureEnough } from '../../server/domain/messages/record-rules.ts'
import { noteTap, settleCards } from '../../server/domain/outgoing/card.ts'
import { sendCard } from '../../server/domain/outgoing/enqueue.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readNumbers } from '../words.ts'

const NO = /^(否|不|不是|不用|没有)/
const ALL = /^(全部|都|所有)/
const OWN = /自发|原创|自己写|我写的/
const NUMBERED = CATEGORIES.map((name, index) => `${index + 1} ${name}`).join('、')

/**
 * A message was shown to the bot: which category is it, and in which of the owner's groups was it sent? Where the machine
 * is sure enough one word does; where it is not, the owner is asked with the five categories.
 */
export const recordConversation: Conversation = {
  name: 'record',
  title: '登记消息',
  isOffer: true,
  version: 2,
  fields: [
    {
      name: 'category',
      isNeeded: answers => !isSureEnough(Number(answers.confidence)),
      isAnswer: text => /^(?:改|更正)/.test(text),
      async ask(ctx, answers) {
        await offerButtons(ctx, answers)
        const where = answers.only ? '' : '，并写上发到了哪些群（群号，或“全部”），如：全部 便民'
        return `要登记这条消息吗？类别拿不准，请点一类，或回复数字：${NUMBERED}${where}。是您自己写的请加“自发”。不登记请回：否`
      },
      async read(ctx, text, answers) {
        if (NO.test(text)) return { value: 'no', also: { where: 'no' } }
        const words = wordsOf(text)
        const named = words.find(each => !/^\d+$/.test(each) && parseCategory(each) !== null)
        // a number alone is one of the five; beside a word it is a group's
        const category = parseCategory(named ?? (words.length === 1 ? (words[0] as string) : ''))
        if (category === null) return { error: `请写上类别：${NUMBERED}。不登记请回：否` }
        const also: Answers = OWN.test(text) ? { own: 'yes' } : {}
        const where = await readWhere(ctx, named === undefined ? '' : text, answers)
        if ('error' in where) return where
        if (where.value !== null) also.where = where.value
        return { value: category, also }
      },
    },
    {
      name: 'where',
      isAnswer: text => /^(?:改|更正)/.test(text),
      ask(_ctx, answers) {
        if (!isSureEnough(Number(answers.confidence)))
          return '发到了您的哪些群？请回复群号（几个群用空格分开，都发了回“全部”）。'
        const because = answers.because ? `（“${answers.because}”）` : ''
        const where = answers.only ? '在您的群里发了吗？' : '发到了您的哪些群？'
        const how = answers.only ? '是' : '群号（几个群用空格分开，都发了回“全部”）'
        return `要登记这条消息吗？看起来是“${answers.guess}”${because}。${where}请回复：${how}。类别不对请在后面写上，是您自己写的加“自发”，如：${answers.only ? '是 便民' : '全部 便民 自发'}。不登记请回：否`
      },
      async read(ctx, text, answers) {
        if (NO.test(text)) return { value: 'no' }
        const word = wordsOf(text).find(each => !/^\d+$/.test(each) && parseCategory(each) !== null)
        const where = await readWhere(ctx, text, answers)
        if ('error' in where) return where
        const said = word !== undefined || OWN.test(text) || /^(是|对|嗯|好)/.test(text)
        const value = where.value ?? (said && answers.only ? JSON.stringify([Number(answers.only)]) : null)
        if (value === null) return { error: answers.only ? '请回复“是”或“否”。' : '请回复群号，或“全部”。' }
        const also: Answers = OWN.test(text) ? { own: 'yes' } : {}
        if (word !== undefined) also.category = parseCategory(word) as Category
        return { value, also }
      },
    },
  ],
  async finish(ctx, answers) {
    const isNo = answers.where === 'no'
    const category = (answers.category ?? answers.guess) as Category
    if (ctx.update.kind === 'tapped') await noteTap(ctx.rt, ctx.update)
    const settle = (words: string) =>
      settleCards(ctx.rt, { kind: 'record', id: Number(answers.card ?? 0) }, words)
    if (isNo) {
      await settle('没有登记')
      return '好的，没有登记。'
    }
    const wanted = JSON.parse(answers.where as string) as number[]
    const groupIds = await recordMessages(ctx.rt, (ctx as KnownContext).actor, {
      groupIds: wanted,
      category,
      count: 1,
      day: null,
      at: ctx.update.at,
      updateId: ctx.updateId,
      shown: {
        text: answers.excerpt as string,
        decidedBy: answers.category === undefined ? 'machine' : 'person',
        confidence: Number(answers.confidence),
        isOwn: answers.own === 'yes',
      },
    })
    await settle(groupIds.length === 0 ? '今天登记过了' : `已登记：${category}`)
    if (groupIds.length === 0)
      return `这条今天已经登记过，没有再记一次。确实又发了一次的，请回复：登记 ${wanted.join(' ')} ${category} 1条`
    const own = answers.own === 'yes' ? '（自发）' : ''
    return `已登记：${category}${own} 1 条，${groupIds.length} 个群（${groupIds.join('、')}）。不对请回复：改 类别`
  },
}

/** The five categories as buttons, for a member of the corp; everybody else has the numbers. */
async function offerButtons(ctx: Context, answers: Answers): Promise<void> {
  if (ctx.update.channel !== 'wecom' || ctx.actor.person === null) return
  await sendCard(
    ctx.rt,
    ctx.actor.person.id,
    'reply',
    {
      about: { kind: 'record', id: Number(answers.card ?? 0) },
      title: '这条消息是哪一类？',
      description: [...(answers.excerpt ?? '')].slice(0, 40).join(''),
      rows: [{ name: '为什么问', value: '机器拿不准，您点一下就登记了' }],
      buttons: [
        ...CATEGORIES.map(name => ({ text: name, command: name })),
        { text: '不登记', command: '不登记' },
      ],
    },
    `这条消息是哪一类？${NUMBERED}`,
  )
}

/** The words of an answer, without what people put before a category: 改 便民, 是便民, 全部便民. */
function wordsOf(text: string): string[] {
  return text
    .replace(/^(?:改[成为]?|更正|类别是?)\s*/, '')
    .split(/[\s,，、]+/)
    .map(each => each.replace(/^(?:是的?|对|全部|都)(?=\p{Script=Han})/u, ''))
    .filter(each => each !== '')
}

/** Which groups an answer names, as JSON; null: it names none and there are several. */
async function readWhere(
  ctx: Context,
  text: string,
  answers: Answers,
): Promise<{ value: string | null } | { error: string }> {
  const owned = (await groupsOwnedBy(ctx.rt.db, (ctx as KnownContext).actor.person.id)).map(group => group.id)
  const numbers = readNumbers(text)
  const foreign = numbers.filter(id => !owned.includes(id))
  if (foreign.length > 0)
    return { error: `群 ${foreign.join('、')} 不是您的群，您的群号：${owned.slice(0, 20).join('、')}。` }
  if (numbers.length > 0) return { value: JSON.stringify(numbers) }
  if (ALL.test(text)) return { value: JSON.stringify(owned) }
  const isAsked = 'category' in answers || isSureEnough(Number(answers.confidence))
  return { value: !isAsked && answers.only ? JSON.stringify([Number(answers.only)]) : null }
}
