import { placesOf } from '../../db/queries/slips.ts'
import { chineseMoment } from '../../server/clock.ts'
import { parseSlipKind, slipKind, slipRules } from '../../server/domain/slips/rules.ts'
import {
  checkSlip,
  contactsFor,
  HOUR_MS,
  officesOf,
  readersOf,
  sendSlip,
} from '../../server/domain/slips/send-up.ts'
import { DomainError } from '../../server/errors.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readNumber } from '../words.ts'

/** Asks what it is, shows who will read it, and sends it up after a second word. The text is kept sealed meanwhile. */
export const slipConversation: Conversation = {
  name: 'slip',
  title: '上报',
  version: 1,
  fields: [
    {
      name: 'kind',
      ask: () =>
        `要上报哪一类？${slipRules.kinds.map((kind, index) => `${index + 1} ${kind.name}`).join('、')}（回复数字）。有人有危险请先打 110、120。`,
      async read(_ctx, text) {
        const kind = parseSlipKind(text)
        return kind ? { value: kind.id } : { error: `请回复 1 到 ${slipRules.kinds.length}，或类别名称。` }
      },
    },
    {
      name: 'place',
      async ask(ctx) {
        const places = await placesOf(ctx.rt.db, ctx.actor.person?.id ?? 0)
        return `这是哪里的事？${places.map((place, index) => `${index + 1} ${place.name}`).join('、')}（回复数字）`
      },
      async read(ctx, text) {
        const places = await placesOf(ctx.rt.db, ctx.actor.person?.id ?? 0)
        const place = places[(readNumber(text) ?? 0) - 1] ?? places.find(each => each.name === text)
        return place ? { value: String(place.unitId) } : { error: '请回复前面的数字。' }
      },
    },
    {
      name: 'about',
      isNeeded: answers => answers.kind === 'complaint',
      async ask(ctx, answers) {
        const offices = await offersOf(ctx, answers)
        return `是对哪个单位的意见？${offices.map((office, index) => `${index + 1} ${office.name}`).join('、')}，0 都不是（回复数字）。选了的单位看不到，由它的上一级办。`
      },
      async read(ctx, text, answers) {
        const number = readNumber(text)
        const offices = await offersOf(ctx, answers)
        if (number === 0 || /^(都不是|不是|没有|无)$/.test(text)) return { value: '' }
        const office = number === null ? offices.find(each => each.name === text) : offices[number - 1]
        return office ? { value: String(office.id) } : { error: '请回复单位前面的数字，都不是请回 0。' }
      },
    },
    {
      name: 'body',
      isText: true,
      ask: () => '请把事情写在一条消息里（什么事、在哪里、什么时候、希望怎样）。',
      async read(ctx, text) {
        return checked(ctx, text)
      },
    },
    {
      name: 'confirm',
      async ask(ctx, answers) {
        const place = placeFrom(answers)
        const office = await readersOf(ctx.rt, ctx.actor.person?.id ?? 0, place)
        const warning = checkSlip(ctx.rt.vault.open(answers.body as string))
        const kind = slipKind(answers.kind as string)
        const until = chineseMoment(new Date(ctx.rt.clock.now().getTime() + kind.answerHours * HOUR_MS))
        return [
          `${kind.name}，由${office.name}办理，只有${office.readers.map(reader => reader.name).join('、')}能看到；${until}前没有答复会升到上一级，升到哪里会告诉您。`,
          ...(warning ? [warning] : []),
          answers.isAnonymous === 'yes'
            ? '已选匿名：名字只有答复您的那一级看得到。'
            : '不想让别处知道名字，请回：匿名',
          ...(await copyWords(ctx, answers)),
          '送出请回“确认”，不送请回“取消”。',
        ].join('\n')
      },
      async read(ctx, text, answers): Promise<{ value: string } | { error: string } | { instead: Answers }> {
        if (/^匿名/.test(text)) return { instead: { isAnonymous: 'yes' } }
        if (/^抄送/.test(text)) {
          const [contact] = await contactsFor(ctx.rt, Number(answers.place))
          if (contact) return { instead: { copyTo: String(contact.personId) } }
        }
        return /^(确认|送出|发送|发出|是|好的?)$/.test(text)
          ? { value: 'yes' }
          : { error: '送出请回“确认”；要匿名请回“匿名”。' }
      },
    },
  ],
  async finish(ctx, answers) {
    const { id, office } = await sendSlip(ctx.rt, (ctx as KnownContext).actor, {
      kind: answers.kind as string,
      ...placeFrom(answers),
      body: ctx.rt.vault.open(answers.body as string),
      isAnonymous: answers.isAnonymous === 'yes',
      copyToId: answers.copyTo ? Number(answers.copyTo) : null,
    })
    return `已送到${office.name}，编号 ${id}。有答复会发给您；要补充请回：补 ${id} 内容；看办到哪里了：我的上报`
  },
}

/** The same, begun by the bot: somebody said something that sounded like it. */
export const offeredSlipConversation: Conversation = {
  ...slipConversation,
  name: 'slip-offer',
  isOffer: true,
  fields: [
    {
      name: 'offered',
      isAnswer: text => /^(要|是|上报|反映)/.test(text),
      ask: () =>
        '您是想把这件事反映给团组织吗？要的话请回“要”，送之前会告诉您谁能看到；不用就不必回，过半小时我就不记得了。',
      async read(_ctx, text) {
        return /^(要|是|好|对|嗯|上报|反映)/.test(text)
          ? { value: 'yes' }
          : { error: '要反映请回“要”，我来帮您送；不用请回“取消”。' }
      },
    },
    ...slipConversation.fields,
  ],
}

function placeFrom(answers: Answers): { unitId: number; aboutId: number | null } {
  return { unitId: Number(answers.place), aboutId: answers.about ? Number(answers.about) : null }
}

/** 1+100: who keeps contact with the branch can be addressed as well. */
async function copyWords(ctx: Context, answers: Answers): Promise<string[]> {
  const [contact] = await contactsFor(ctx.rt, Number(answers.place))
  if (!contact || contact.personId === ctx.actor.person?.id) return []
  return answers.copyTo
    ? [`联系您支部的${contact.personName}也会看到。`]
    : [`要让联系您支部的${contact.personName}也看到，请回：抄送`]
}

async function offersOf(ctx: Context, answers: Answers) {
  return officesOf(ctx.rt, Number(answers.place), ctx.actor.person?.id ?? 0)
}

/** A text that may be sent, sealed: what people complain about does not lie in the open while they think it over. */
function checked(ctx: Context, text: string): { value: string } | { error: string } {
  try {
    checkSlip(text)
    return { value: ctx.rt.vault.seal(text) }
  } catch (error) {
    if (error instanceof DomainError) return { error: error.message }
    throw error
  }
}

/** What is known before anything was asked: the only place, and the kind and text of one line (上报 困难 ……). */
export async function readSlipLine(ctx: KnownContext, line: string): Promise<Answers | { error: string }> {
  const places = await placesOf(ctx.rt.db, ctx.actor.person.id)
  if (places.length === 0)
    return {
      error: '您还不在任何单位或群里，不知道该送到哪里。请先入群（入群 群号），或直接向当地团组织反映。',
    }
  const [word = ''] = line.split(/[\s:：]+/)
  const kind = parseSlipKind(word)
  const body = kind ? line.slice(word.length).replace(/^[\s:：]+/, '') : line
  const read = body === '' ? null : checked(ctx, body)
  if (read && 'error' in read) return read
  return {
    ...(places.length === 1 ? { place: String(places[0]?.unitId) } : {}),
    ...(kind ? { kind: kind.id } : {}),
    ...(read ? { body: read.value } : {}),
  }
}
