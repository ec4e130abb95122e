import { slipsOfReporter } from '../../db/queries/slips.ts'
import { chineseMoment } from '../../server/clock.ts'
import { reportDanger, reportWords } from '../../server/domain/danger/report.ts'
import { speaksOfDanger } from '../../server/domain/danger/rules.ts'
import { addToSlip, answerSlip, closeSlip, mergeSlips, raiseSlip } from '../../server/domain/slips/deal.ts'
import { awaitPictureAfterSlip } from '../../server/domain/slips/files.ts'
import { slipKind, soundsLikeSlip } from '../../server/domain/slips/rules.ts'
import { DomainError } from '../../server/errors.ts'
import { inTransaction } from '../../server/runtime.ts'
import type { Command } from '../command.ts'
import { type Context, type Heard, type KnownContext, listReply } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import {
  heldFrom,
  offeredSlipConversation,
  readSlipLine,
  slipConversation,
  withMark,
} from '../conversations/slip.ts'
import { readNumbers } from '../words.ts'

export const slipCommand: Command = {
  name: '上报',
  aliases: ['反映', '投诉', '求助'],
  usage: '上报：把情况、诉求、困难、意见送给团组织，有编号、有答复',
  example: '上报 困难 宿舍已经三天没有水',
  audience: 'known',
  takesText: true,
  accepts: (_input, isGlued) => !isGlued,
  async run(ctx, input) {
    return dangerFirst(ctx, input, async inner => {
      await leave(inner)
      const answers = await readSlipLine(inner, input)
      if ('error' in answers) return answers.error as string
      return advance(inner, slipConversation, await withMark(inner, answers))
    })
  },
}

/**
 * A slip is read within hours: where somebody is in danger help is called at once, and the slip goes on behind it. What
 * the slip is refused for stands behind the numbers, and undoes no call.
 */
async function dangerFirst(
  ctx: KnownContext,
  text: string,
  work: (ctx: KnownContext) => Promise<string>,
): Promise<string> {
  if (!speaksOfDanger(text)) return work(ctx)
  // the slip asks for numbers itself
  const first = `${reportWords(await reportDanger(ctx.rt, ctx.actor, text), 'word')}\n——\n`
  try {
    return await inTransaction(ctx.rt, async tx => {
      const inner = { ...ctx, rt: tx }
      const reply = first + (await work(inner))
      ctx.dialogue = inner.dialogue
      return reply
    })
  } catch (error) {
    if (error instanceof DomainError) return first + error.message
    throw error
  }
}

export const mySlipsCommand: Command = {
  name: '我的上报',
  aliases: ['上报进度'],
  usage: '我的上报：办到哪里了',
  example: '我的上报',
  audience: 'known',
  async run(ctx) {
    const own = await slipsOfReporter(ctx.rt.db, ctx.actor.person.id, { limit: 50, offset: 0 })
    if (own.length === 0) return '您还没有上报过。要反映情况请发送：上报'
    return listReply(
      ctx,
      '您的上报：',
      own.map(
        slip =>
          `${slip.id}　${slipKind(slip.kind).name}，${chineseMoment(slip.createdAt)}，${slipStates[slip.status]}（${slip.officeName}）`,
      ),
      '要补充：补 编号 内容；要上一级看：升 编号；解决了：结 编号',
    )
  },
}

export const slipStates: Record<string, string> = {
  open: '待答复',
  answered: '已答复',
  closed: '已办结',
  merged: '已合并办理',
}

/** `12 内容` behind a command. */
function numberAndText(input: string): { id: number; text: string } | null {
  const found = /^#?(\d{1,9})号?[\s:：,，]*([\s\S]*)$/.exec(input)
  return found ? { id: Number(found[1]), text: (found[2] ?? '').trim() } : null
}

const startsWithNumber = (input: string) => /^#?\d/.test(input)

export const answerSlipCommand: Command = {
  name: '复',
  aliases: ['答复'],
  usage: '复 编号 内容：答复一个上报（内容前写“告知群”，群里也转告）',
  example: '复 12 已联系水务站，今晚恢复供水',
  audience: 'manager',
  takesText: true,
  accepts: startsWithNumber,
  async run(ctx, input) {
    const read = numberAndText(input)
    if (!read || read.text === '') return '请写上编号和答复，如：复 12 已联系水务站，今晚恢复供水'
    const tellGroup = /^告知群[\s:：,，]*/.test(read.text)
    const words = tellGroup ? read.text.replace(/^告知群[\s:：,，]*/, '') : read.text
    const isSure = /^仍然发送[\s:：,，]*/.test(words)
    const text = isSure ? words.replace(/^仍然发送[\s:：,，]*/, '') : words
    const slip = await answerSlip(ctx.rt, ctx.actor, { slipId: read.id, text, tellGroup, isSure })
    return `已答复上报 ${slip.id}，已发给本人${tellGroup ? '，并请人转告群里' : ''}。办结请回：结 ${slip.id}`
  },
}

export const addToSlipCommand: Command = {
  name: '补',
  aliases: ['补充'],
  usage: '补 编号 内容：给自己的上报补充',
  example: '补 12 今天还是没有水',
  audience: 'known',
  takesText: true,
  accepts: startsWithNumber,
  async run(ctx, input) {
    const read = numberAndText(input)
    if (!read || read.text === '') return '请写上编号和内容，如：补 12 今天还是没有水'
    return dangerFirst(ctx, read.text, async inner => {
      const { slip, officeName } = await addToSlip(inner.rt, inner.actor, {
        slipId: read.id,
        text: read.text,
      })
      return `已补充到上报 ${slip.id}，${officeName}会看到。`
    })
  },
}

export const raiseSlipCommand: Command = {
  name: '升',
  aliases: ['上交'],
  usage: '升 编号：把上报送到上一级',
  example: '升 12',
  audience: 'known',
  accepts: startsWithNumber,
  async run(ctx, input) {
    const [id] = readNumbers(input)
    if (id === undefined) return '请写上编号，如：升 12'
    const { office, isAnew } = await raiseSlip(ctx.rt, ctx.actor, id)
    const names = office.readers.map(reader => reader.name).join('、')
    return isAnew
      ? `${office.name}已是能送到的最高一级，已请他们（${names}）重新办理上报 ${id}。`
      : `上报 ${id} 已送到上一级，现在由${office.name}（${names}）办理。`
  },
}

export const closeSlipCommand: Command = {
  name: '结',
  aliases: ['办结'],
  usage: '结 编号：上报已解决',
  example: '结 12',
  audience: 'known',
  accepts: startsWithNumber,
  async run(ctx, input) {
    const [id] = readNumbers(input)
    if (id === undefined) return '请写上编号，如：结 12'
    await closeSlip(ctx.rt, ctx.actor, id)
    return `上报 ${id} 已办结，谢谢。`
  },
}

export const mergeSlipsCommand: Command = {
  name: '并',
  aliases: ['合并'],
  usage: '并 编号 编号：同一件事的上报合并办理',
  example: '并 12 15',
  audience: 'manager',
  accepts: startsWithNumber,
  async run(ctx, input) {
    const [into, ...from] = readNumbers(input)
    if (into === undefined || from.length === 0) return '请写上编号，如：并 12 15（15 并入 12）'
    const count = await mergeSlips(ctx.rt, ctx.actor, { into, from })
    return `已合并：上报 ${into} 现在有 ${count} 人反映，答复时一并告知。`
  },
}

/** Keeps a picture with the slip that was sent up within the last minutes; null: there is none. */
export async function takeSlipPicture(ctx: Context): Promise<string | null> {
  const picture = heldFrom(ctx)
  if (picture === null || ctx.actor.person === null) return null
  const { actor } = ctx as KnownContext
  const slipId = await awaitPictureAfterSlip(ctx.rt, actor, { ...picture, at: ctx.update.at })
  return slipId === null ? null : `收到，这张图片放进上报 ${slipId}，只有办理的同志看得到。`
}

/** Somebody wants to be heard and has named no command. An owner's text without an I is mostly one to be recorded. */
export function wantsToBeHeard(heard: Heard): boolean {
  return (
    heard.update.kind === 'text' &&
    heard.actor.person !== null &&
    soundsLikeSlip(heard.text) &&
    (!heard.actor.ownsGroups || /[我咱]/.test(heard.text))
  )
}

/** Offers a slip and leaves the choice to them: what they wrote is forgotten unless they take it up. */
export async function offerSlip(ctx: Context): Promise<string> {
  const answers = await readSlipLine(ctx as KnownContext, ctx.text)
  if ('error' in answers) return answers.error as string
  return advance(ctx, offeredSlipConversation, await withMark(ctx, answers))
}
