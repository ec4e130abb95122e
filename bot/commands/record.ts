import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { dayOf } from '../../server/clock.ts'
import { type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { classifyMessage } from '../../server/domain/messages/classify.ts'
import { maskPersonalData } from '../../server/domain/messages/mask.ts'
import { correctLastReport, recordMessages } from '../../server/domain/messages/record.ts'
import { shippedClassifier } from '../../server/domain/messages/shipped.ts'
import { awaitPicture } from '../../server/domain/record-files/await.ts'
import { type Command, plainWords } from '../command.ts'
import type { Context, Heard, KnownContext } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import { recordConversation } from '../conversations/record.ts'
import { readDay, readNumber } from '../words.ts'

const EXAMPLE = '登记 12 致富 3条（群号、类别、条数）'
/** Words that people put between what counts. */
const FILLER = /^(?:群|群号|在|发|发了|发送|转发|消息|信息|条|共|了|第|和)$/

export const recordCommand: Command = {
  name: '登记',
  aliases: ['登记消息'],
  usage: '登记 [群号] 类别 条数：在群里发了几条消息（也可直接转给我）',
  example: '登记 12 致富 3条',
  audience: 'owner',
  takesWords: true,
  accepts: (input, isGlued) => !isGlued || namesCount(input),
  async run(ctx, input) {
    const line = readCountLine(input, dayOf(ctx.rt.clock.now()))
    if ('error' in line) return line.error
    const owned = await groupsOwnedBy(ctx.rt.db, ctx.actor.person.id)
    const groupIds = line.isAll ? owned.map(group => group.id) : line.groupIds
    const what = line.counts.map(({ category, count }) => `${category} ${count} 条`).join('、')
    if (groupIds.length === 0) {
      if (owned.length !== 1)
        return owned.length === 0
          ? `您还没有自己的群，请写上群号：登记 群号 ${what}。`
          : `您有 ${owned.length} 个群，请写上群号（都发了写“全部”）：登记 ${owned[0]?.id} ${what}。发送“我的群”可以看到群号。`
      groupIds.push(...owned.map(group => group.id))
    }
    for (const { category, count } of line.counts)
      await recordMessages(ctx.rt, ctx.actor, {
        groupIds,
        category,
        count,
        day: line.day,
        at: ctx.update.at,
        updateId: ctx.updateId,
      })
    const when =
      line.day === null ? '' : `（${Number(line.day.slice(5, 7))}月${Number(line.day.slice(8))}日）`
    return `已登记：群 ${groupIds.join('、')} 发送${what}${when}。写错了请回复：改 类别，或 改 条数（如：改 便民、改 2条）；有截图的接着发来，存为证明`
  },
}

/** Whether a line says what was sent, and is no talk that begins with 登记. */
export function namesCount(input: string): boolean {
  return 'counts' in readCountLine(input, '2000-01-01')
}

interface CountLine {
  groupIds: number[]
  isAll: boolean
  counts: { category: Category; count: number }[]
  /** null: today */
  day: string | null
}

/** Reads `12 致富 3条 便民2`, `致富三条`, `12群 3条 致富 昨天`. @param today `YYYY-MM-DD` */
export function readCountLine(input: string, today: string): CountLine | { error: string } {
  const words = input
    .replace(/(\d+|[一二两三四五六七八九十]+)\s*条/g, ' $1条 ')
    .replace(/(?<=\p{Script=Han})(?<![年月])(?=\d)/gu, ' ')
    .replace(/(?<=\d)(?=\p{Script=Han})(?![条群号年月日个])/gu, ' ')
    .replace(/(?<=\d群)/g, ' ')
    .split(/[\s,，、;；。:：]+/)
    .filter(word => word !== '' && !FILLER.test(word))
  const line: CountLine = { groupIds: [], isAll: false, counts: [], day: null }
  let early: number | null = null
  let hasCount = true
  for (const word of words) {
    const number = readNumber(word)
    const category = number === null ? parseCategory(word) : null
    const day = number === null || /^\d{1,2}[日号]$/.test(word) ? readDay(word, today) : null
    const last = line.counts.at(-1)
    if (/^(全部|所有|都|各群|所有群|全部群)$/.test(word)) line.isAll = true
    else if (category) {
      if (line.counts.some(each => each.category === category))
        return { error: `“${category}”写了两次，请分开写。如：${EXAMPLE}` }
      line.counts.push({ category, count: early ?? 1 })
      hasCount = early !== null
      early = null
    } else if (day !== null) line.day = day
    else if (number === null) return { error: `没有看懂“${word}”。请这样写：${EXAMPLE}` }
    else if (last && !hasCount) {
      last.count = number
      hasCount = true
    } else if (word.endsWith('条') && !last) early = number
    else if (!last && !line.groupIds.includes(number)) line.groupIds.push(number)
    else if (last) return { error: `不知道“${word}”是群号还是条数，群号请写在类别前面。如：${EXAMPLE}` }
  }
  if (line.counts.length === 0)
    return { error: `请写上类别：政策法规、致富信息、新闻娱乐、便民服务、其他。如：${EXAMPLE}` }
  return line
}

export const correctCommand: Command = {
  name: '改',
  aliases: ['改成', '改为'],
  usage: '改 类别或条数：更正刚才的登记（改 0条 即作废）',
  example: '改 便民',
  audience: 'owner',
  takesWords: true,
  accepts: (input, isGlued) => !isGlued || readCorrection(input) !== null,
  async run(ctx, input) {
    const correction = readCorrection(plainWords(input))
    if (!correction) return '请写上正确的类别或条数，如：改 便民，或：改 2条'
    const { from, to } = await correctLastReport(ctx.rt, ctx.actor, correction)
    return `已把刚才登记的“${from}”改为“${to}”。`
  },
}

/** Whether this corrects what was recorded, and not a notice (更正 12 新正文). */
export function isRecordCorrection(input: string): boolean {
  return readCorrection(plainWords(input)) !== null
}

function readCorrection(input: string): { category?: Category; count?: number } | null {
  const correction: { category?: Category; count?: number } = {}
  for (const word of input.replace(/(\d+|[一二两三四五六七八九十]+)\s*条/g, ' $1条 ').split(/[\s,，、]+/)) {
    const category = parseCategory(word)
    const count = /条$/.test(word) ? readNumber(word) : null
    if (count !== null) correction.count = count
    else if (category !== null) correction.category = category
    else if (word !== '') return null
  }
  return correction.category === undefined && correction.count === undefined ? null : correction
}

/** Whether this may be a proof of what was just registered, or a photo of an activity. */
export function isPicture({ actor, update, text }: Heard): boolean {
  return (
    update.kind === 'media' &&
    update.mediaType === 'image' &&
    text === '' &&
    !update.isPublic &&
    actor.person !== null
  )
}

/** Keeps a picture with what was registered within the last minutes; null: nothing was. */
export async function takePicture(ctx: Context): Promise<string | null> {
  const { update } = ctx
  if (update.kind !== 'media') return null
  const kept = await awaitPicture(ctx.rt, (ctx as KnownContext).actor, {
    channel: update.channel,
    mediaId: update.mediaId,
    url: update.url,
    at: update.at,
    updateId: ctx.updateId,
  })
  if (kept === null) return null
  return `收到，存为刚才${kept === 'proof' ? '登记的证明' : '活动的照片'}，负责的同志在网页上看得到。`
}

/** Shorter texts are chat or a mistyped command rather than a message that was shown to us. */
const MIN_CHARACTERS = 15

/** Whether this may be a message that an owner posted and now shows to the bot. */
export function isToRecord({ actor, text }: Heard): boolean {
  return actor.person !== null && actor.ownsGroups && [...text].length >= MIN_CHARACTERS
}

/** Offers to record a message that an owner shows; nothing is recorded before they say where. */
export async function offerToRecord(ctx: Context): Promise<string> {
  const known = ctx as KnownContext
  const owned = await groupsOwnedBy(ctx.rt.db, known.actor.person.id)
  const { category, confidence, because } = classifyMessage(shippedClassifier(), ctx.text)
  await leave(ctx)
  return advance(ctx, recordConversation, {
    guess: category,
    card: String(ctx.updateId),
    confidence: String(confidence),
    because: because.slice(0, 3).join('、'),
    excerpt: maskPersonalData([...ctx.text].slice(0, 200).join('')),
    only: owned.length === 1 ? String(owned[0]?.id) : '',
  })
}
