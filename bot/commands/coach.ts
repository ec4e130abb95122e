import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { handOutPost, noteForwarded } from '../../server/domain/coach/hand-out.ts'
import { recommendFor, setCoach } from '../../server/domain/coach/recommend.ts'
import { lackingWords, postLines } from '../../server/domain/coach/words.ts'
import { parseCategory } from '../../server/domain/messages/categories.ts'
import type { Command } from '../command.ts'
import { advance, leave } from '../conversation.ts'
import { handedOutConversation } from '../conversations/handed-out.ts'
import { readNumbers } from '../words.ts'

const ON = /^(?:开|打开|开启)$/
const OFF = /^(?:关|关闭|关掉|不要|停)$/
/** No name of a category is longer. */
const MOST_BEHIND = 8

export const recommendCommand: Command = {
  name: '推荐',
  aliases: ['备选'],
  usage: '推荐 [类别]：本月您的群还缺哪类消息，上级备好了哪些可转（推荐 关：不再提醒）',
  example: '推荐 政策',
  audience: 'owner',
  takesWords: true,
  // 推荐 一部好电影，今晚八点…… is a text that was sent somewhere
  accepts: (input, isGlued) =>
    (!isGlued && [...input].length <= MOST_BEHIND) ||
    parseCategory(input) !== null ||
    ON.test(input) ||
    OFF.test(input),
  async run(ctx, input) {
    if (ON.test(input) || OFF.test(input)) {
      await setCoach(ctx.rt, ctx.actor, ON.test(input))
      return ON.test(input)
        ? '已打开：本月有缺的类别、上级又备好了消息时，一周至多告诉您一次。'
        : '已关掉，不再主动提醒。想看时随时发送：推荐'
    }
    const category = input === '' ? null : parseCategory(input)
    if (input !== '' && category === null)
      return '请写类别：政策法规、致富信息、新闻娱乐、便民服务、其他。如：推荐 政策'
    const { lacking, posts, category: found } = await recommendFor(ctx.rt, ctx.actor, category)
    const owned = (await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)).length
    if (owned === 0) return '您还没有自己的群，登记了群再来看推荐。'
    const wanting = category === null ? lackingWords(lacking) : []
    const head =
      wanting.length > 0
        ? ['本月您的群里还没有的类别：', ...wanting]
        : category === null
          ? ['本月您的群五类消息都有了。']
          : []
    if (posts.length === 0)
      return [...head, `上级还没有备好${found ?? category ?? '这些类别'}的消息。`].join('\n')
    return [
      ...head,
      `上级备好的${found}：`,
      ...postLines(posts),
      `要哪条请回复：发 ${posts[0]?.id}（整段文字发给您转；有机器人的群直接发进去）`,
    ].join('\n')
  },
}

export const handOutCommand: Command = {
  name: '发',
  aliases: ['发备选'],
  usage: '发 备选号：把上级备好的消息给我转（有机器人的群直接发）',
  example: '发 12',
  audience: 'owner',
  // 发3条 tells of what was sent already
  accepts: input => /^\d{1,9}(?:\s*号)?$/.test(input),
  async run(ctx, input) {
    const [postId] = readNumbers(input)
    if (postId === undefined) return '请写备选号，如：发 12。发送“推荐”可以看到。'
    const { posted, toForward, category } = await handOutPost(ctx.rt, ctx.actor, postId, {
      at: ctx.update.at,
      updateId: ctx.updateId,
    })
    const direct =
      posted.length > 0
        ? [`正在发进${posted.join('、')}，记为${category} 1 条；发不进去会告诉您，不计数。`]
        : []
    if (toForward.length === 0) return direct.join('')
    await leave(ctx)
    await advance(ctx, handedOutConversation, { postId: String(postId) })
    return [...direct, `整段文字马上发给您，转到群里后回复：转（或：转备选 ${postId}）`].join('\n')
  },
}

export const forwardedCommand: Command = {
  name: '转备选',
  aliases: ['已转备选', '备选已转'],
  usage: '转备选 备选号 [群号]：备选消息已转发到您的群',
  example: '转备选 12',
  audience: 'owner',
  accepts: input => /^[\d\s,，、和群号]*$/.test(input),
  async run(ctx, input) {
    const [postId, ...groupIds] = readNumbers(input)
    if (postId === undefined) return '请写备选号，如：转备选 12'
    const { category, groups } = await noteForwarded(ctx.rt, ctx.actor, {
      postId,
      groupIds,
      at: ctx.update.at,
      updateId: ctx.updateId,
    })
    return forwardedWords(category, groups)
  },
}

export function forwardedWords(category: string, groups: number): string {
  return `已登记：${category}，${groups} 个群各 1 条。谢谢！`
}
