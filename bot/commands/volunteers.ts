import type { TouchableFile } from '../../db/queries/volunteers.ts'
import { dayOf } from '../../server/clock.ts'
import { soundsLikeSlip } from '../../server/domain/slips/rules.ts'
import { volunteersOfMentor } from '../../server/domain/volunteers/list.ts'
import { volunteerRules } from '../../server/domain/volunteers/rules.ts'
import { filesMeant, type Meant, noteTouch } from '../../server/domain/volunteers/touch.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { readDay } from '../words.ts'
import { offerSlip } from './slips.ts'

const DAY_MS = 86_400_000
/** The day that a note begins with: 昨天电话, 9月12日 微信. */
const dayBegins =
  /^(今天|昨天|前天|(?:\d{4}[年./-])?\d{1,2}[月./-]\d{1,2}(?![\d小个分公万元天米])[日号]?|\d{1,2}[日号])/
const ownMentor = /^(导师|我的导师)$/

export const touchCommand: Command = {
  name: '联系',
  aliases: ['跟踪'],
  usage: '联系 姓名 情况：记下和志愿者联系过（志愿者写：联系 导师 情况）',
  example: '联系 张三 昨天电话，一切都好',
  audience: 'known',
  takesText: true,
  async run(ctx, input) {
    const [, who = '', rest = ''] = /^([^\s,，:：、]+)[\s,，:：、]*(.*)$/s.exec(input.trim()) ?? []
    if (who === '') return howTo()
    const found = await filesMeant(ctx.rt, ctx.actor, meantBy(who))
    const [file] = found
    if (!file) return ownMentor.test(who) ? notAVolunteer : unknown(who)
    if (found.length > 1) return whichOf(found, who, rest)
    return note(ctx, file, rest)
  },
}

export const myVolunteersCommand: Command = {
  name: '我的志愿者',
  aliases: ['我带的志愿者'],
  usage: '我的志愿者：您做导师带的志愿者，多久没联系了',
  example: '我的志愿者',
  audience: 'known',
  async run(ctx) {
    const today = dayOf(ctx.rt.clock.now())
    const own = await volunteersOfMentor(ctx.rt, ctx.actor.person.id)
    if (own.length === 0) return '您名下没有志愿者。导师由学校的校项目办在网页“志愿者”里请。'
    const lines = own.map(each => {
      const since =
        each.lastTouch === null
          ? '还没有联系的记录'
          : each.lastTouch === today
            ? '今天联系过'
            : `${daysBetween(each.lastTouch, today)} 天前联系过`
      return `· ${each.name}（${each.way.isServing ? (each.way.last?.branch ?? '在岗') : '现在不在岗'}）：${since}`
    })
    const [first] = own
    return listReply(
      ctx,
      `您带 ${own.length} 位志愿者：`,
      lines,
      `联系过了请回复，如：联系 ${first?.name ?? ''} 今天电话，一切都好`,
    )
  },
}

const notAVolunteer = '学校的志愿者数据库里没有您，没有记下。如果您是志愿者，请联系学校的校项目办。'

function howTo(): string {
  return '请写和谁联系、情况怎样，如：联系 张三 昨天电话，一切都好。志愿者请写：联系 导师 今天通了电话'
}

function unknown(who: string): string {
  return `您带的志愿者里没有“${who}”，没有记下。看您带的志愿者：我的志愿者；您是志愿者请写：联系 导师 情况`
}

function meantBy(who: string): Meant {
  if (ownMentor.test(who)) return { isOwn: true }
  const number = /^#?(\d{1,9})$/.exec(who)?.[1]
  return number === undefined ? { name: who } : { fileId: Number(number) }
}

/** Twins: the number of the file says who is meant. */
function whichOf(found: readonly TouchableFile[], who: string, rest: string): string {
  const about = ({ branch, college, year }: TouchableFile) =>
    [branch, college, year === null ? null : `${year} 年`].filter(Boolean).join('，') || '没有别的信息'
  const [first] = found
  return [
    `有 ${found.length} 位叫“${who}”，还没有记下。是哪一位？`,
    ...found.map(each => `· ${each.fileId}：${each.name}（${about(each)}）`),
    `请把姓名换成前面的号码再发，如：联系 ${first?.fileId ?? ''} ${rest || '今天电话，一切都好'}`,
  ].join('\n')
}

async function note(ctx: KnownContext, file: TouchableFile, rest: string): Promise<string> {
  const today = dayOf(ctx.rt.clock.now())
  const written = dayBegins.exec(rest)?.[1]
  const day = written === undefined ? null : readDay(written, today)
  // 2月30日: noted for today it would be wrong without anybody seeing it
  if (written !== undefined && day === null)
    return `“${written}”不是哪一天，没有记下。请把日期写对再发，如：联系 ${file.name} 昨天电话，一切都好`
  const on = day ?? today
  const text = rest.slice((written ?? '').length).replace(/^[\s,，:：、;；]+/, '')
  const { isNew } = await noteTouch(ctx.rt, ctx.actor, { file, on, text, updateId: ctx.updateId })
  const said = `${isNew ? '记下了' : '已经记过了'}：${on === today ? '今天' : on} 和${file.name}联系。`
  if (!soundsLikeSlip(text) && !tellsOfHardship(text)) return said
  // a wish or a hardship: offered, and sent by nobody but themself
  const inner: KnownContext = { ...ctx, text }
  const offer = await offerSlip(inner)
  ctx.dialogue = inner.dialogue
  return `${said}\n${offer}`
}

function tellsOfHardship(text: string): boolean {
  return volunteerRules.touch.offerWords.words.some(word => text.includes(word))
}

function daysBetween(day: string, today: string): number {
  return Math.round((Date.parse(today) - Date.parse(day)) / DAY_MS)
}
