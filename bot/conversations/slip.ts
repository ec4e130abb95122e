import { saveConversation } from '../../db/queries/identities.ts'
import { placesOf } from '../../db/queries/slips.ts'
import { chineseMoment } from '../../server/clock.ts'
import { type ClaimPlace, StoppedText } from '../../server/domain/messages/false-alarms.ts'
import { type HeldPicture, hasRoomBeside } from '../../server/domain/slips/files.ts'
import { contactsFor, markOf, officesOf, readersOf } from '../../server/domain/slips/offices.ts'
import { parseSlipKind, slipKind, slipRules } from '../../server/domain/slips/rules.ts'
import { checkSlip, placeOfSlip, sendSlip } from '../../server/domain/slips/send-up.ts'
import { dueOf } from '../../server/domain/slips/timing.ts'
import { DomainError } from '../../server/errors.ts'
import type { Context, KnownContext } from '../context.ts'
import { type Answers, type Conversation, expiryOf, leave } from '../conversation.ts'
import { readNumber } from '../words.ts'

/** Asks what it is, shows who will read it, and sends it up after a second word. The text is kept sealed meanwhile. */
export const slipConversation: Conversation = {
  name: 'slip',
  title: '上报',
  version: 2,
  fields: [
    {
      name: 'kind',
      ask: () =>
        `要上报哪一类？${slipRules.kinds.map((kind, index) => `${index + 1} ${kind.name}`).join('、')}（回复数字）。有人有危险请先打 110、120。`,
      async read(ctx, text, answers) {
        const kind = parseSlipKind(text)
        return kind
          ? marked(ctx, answers, 'kind', kind.id)
          : { error: `请回复 1 到 ${slipRules.kinds.length}，或类别名称。` }
      },
    },
    {
      name: 'place',
      async ask(ctx) {
        const places = await placesOf(ctx.rt.db, ctx.actor.person?.id ?? 0)
        return `这是哪里的事？${places.map((place, index) => `${index + 1} ${place.name}`).join('、')}（回复数字）`
      },
      async read(ctx, text, answers) {
        const places = await placesOf(ctx.rt.db, ctx.actor.person?.id ?? 0)
        const place = places[(readNumber(text) ?? 0) - 1] ?? places.find(each => each.name === text)
        return place ? marked(ctx, answers, 'place', String(place.unitId)) : { error: '请回复前面的数字。' }
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
        if (number === 0 || /^(都不是|不是|没有|无)$/.test(text)) return marked(ctx, answers, 'about', '')
        const office = number === null ? offices.find(each => each.name === text) : offices[number - 1]
        return office
          ? marked(ctx, answers, 'about', String(office.id))
          : { error: '请回复单位前面的数字，都不是请回 0。' }
      },
    },
    {
      name: 'body',
      isText: true,
      ask: () => '请把事情写在一条消息里（什么事、在哪里、什么时候、希望怎样）。',
      async read(ctx, text, answers) {
        const read = await checked(ctx, text, answers)
        return 'error' in read ? read : marked(ctx, answers, 'body', read.value)
      },
    },
    {
      name: 'confirm',
      async ask(ctx, answers) {
        const place = placeFrom(answers)
        const office = await readersOf(ctx.rt, ctx.actor.person?.id ?? 0, place)
        const warning = await checkSlip(
          ctx.rt,
          ctx.rt.vault.open(answers.body as string),
          placeToJudge(answers),
        )
        const kind = slipKind(answers.kind as string)
        const until = chineseMoment(dueOf(ctx.rt, kind.id))
        return [
          ...(answers.isChanged ? ['刚才办理的单位或同志有变化，请再看一看：'] : []),
          `${kind.name}，由${office.name}办理，只有${office.readers.map(reader => reader.name).join('、')}能看到；${until}前没有答复会升到上一级，升到哪里会告诉您。`,
          ...(warning ? [warning] : []),
          answers.isAnonymous === 'yes'
            ? '已选匿名：名字只有答复您的那一级看得到。改回来请回：不匿名'
            : '不想让别处知道名字，请回：匿名',
          ...(await copyWords(ctx, answers)),
          ...(await groupWords(ctx, answers)),
          ...signWords(answers),
          ...(heldIn(answers).length > 0 ? [`附 ${heldIn(answers).length} 张图片。`] : []),
          '送出请回“确认”，不送请回“取消”。',
        ].join('\n')
      },
      async read(ctx, text, answers): Promise<{ value: string } | { error: string } | { instead: Answers }> {
        const mark = await markFor(ctx, answers)
        const chosen = await choiceIn(ctx, text, answers)
        if (chosen) return { instead: { ...chosen, shown: mark, isChanged: '' } }
        const isYes = /^(确认|送出|发送|发出|是|好的?)$/.test(text)
        if (isYes && mark !== answers.shown) return { instead: { shown: mark, isChanged: 'yes' } }
        return isYes ? { value: 'yes' } : { error: '送出请回“确认”；要匿名请回“匿名”。' }
      },
    },
  ],
  async finish(ctx, answers) {
    const { id, officeName } = await sendSlip(ctx.rt, (ctx as KnownContext).actor, {
      kind: answers.kind as string,
      ...placeFrom(answers),
      body: ctx.rt.vault.open(answers.body as string),
      isAnonymous: answers.isAnonymous === 'yes',
      copyToId: answers.copyTo ? Number(answers.copyTo) : null,
      groupMayKnow: answers.group === 'yes',
      isSigned: answers.isSigned === 'yes',
      pictures: heldIn(answers),
      shown: answers.shown as string,
    })
    return `已送到${officeName}，编号 ${id}。有答复会发给您；要补充请回：补 ${id} 内容；看办到哪里了：我的上报`
  },
}

/** Pictures that were sent while it is written; they go up with it. */
function heldIn(answers: Answers): HeldPicture[] {
  return answers.pictures ? (JSON.parse(answers.pictures) as HeldPicture[]) : []
}

/** Holds a picture that was sent in the middle of writing a slip. @returns what to answer; null: it cannot be fetched */
export async function holdPicture(
  ctx: Context,
  conversation: Conversation,
  stored: { name: string; version: number; step: string; answers: Answers },
): Promise<string | null> {
  const picture = heldFrom(ctx)
  const field = conversation.fields.find(each => each.name === stored.step)
  if (!picture || !field) return null
  const held = heldIn(stored.answers)
  if (!hasRoomBeside(held.length)) return '图片够多了，这张没有收。请接着回复上面的问题。'
  const answers = { ...stored.answers, pictures: JSON.stringify([...held, picture]) }
  const { name, version, step } = stored
  await saveConversation(ctx.rt.db, ctx.actor.identityId, { name, version, step, answers }, expiryOf(ctx))
  if (step === 'offered') return '图片我先拿着：要上报请回“要”，和它一起送；是登记的证明，请先回“不用”再发。'
  return `图片收下了（第 ${held.length + 1} 张），和上报一起送。\n${await field.ask(ctx, answers)}`
}

/** A picture as it is held until it is fetched; null: it is none, or there is nothing to fetch it by. */
export function heldFrom({ rt, update, updateId }: Context): HeldPicture | null {
  if (update.kind !== 'media' || update.mediaType !== 'image') return null
  const place = update.mediaId ?? update.url
  return place === null ? null : { channel: update.channel, placeSealed: rt.vault.seal(place), updateId }
}

const takesUp = /^(要|上报|反映)[了的吧。！!]*$/

/** The same, begun by the bot: somebody said something that sounded like it. */
export const offeredSlipConversation: Conversation = {
  ...slipConversation,
  name: 'slip-offer',
  isOffer: true,
  fields: [
    {
      name: 'offered',
      isAnswer: text => takesUp.test(text),
      ask: () =>
        '您是想把这件事反映给团组织吗？要的话请回“要”，送之前会告诉您谁能看到；不用就不必回，过半小时我就不记得了。',
      async read(ctx, text) {
        if (takesUp.test(text)) return { value: 'yes' }
        // what was said is forgotten, and the next thing is heard as usual
        await leave(ctx)
        return { error: '好的，不反映。要办别的，请再说一遍。' }
      },
    },
    ...slipConversation.fields,
  ],
}

function placeFrom(answers: Answers): { unitId: number; aboutId: number | null } {
  return { unitId: Number(answers.place), aboutId: answers.about ? Number(answers.about) : null }
}

/** Whom the reporter is about to be shown; empty while not all of it is known. */
async function markFor(ctx: Context, answers: Answers): Promise<string> {
  const isKnown = answers.kind && answers.place && answers.body
  if (!isKnown || (answers.kind === 'complaint' && answers.about === undefined)) return ''
  return markOf(await readersOf(ctx.rt, ctx.actor.person?.id ?? 0, placeFrom(answers)))
}

/** An answer, with whom the preview that follows it will show. */
async function marked(ctx: Context, answers: Answers, field: string, value: string) {
  return { value, also: { shown: await markFor(ctx, { ...answers, [field]: value }) } }
}

/** The same for a dialogue that begins with some answers. */
export async function withMark(ctx: Context, answers: Answers): Promise<Answers> {
  return { ...answers, shown: await markFor(ctx, answers) }
}

/** What the reporter chooses at the preview, or takes back. */
async function choiceIn(ctx: Context, text: string, answers: Answers): Promise<Answers | null> {
  if (/^不?匿名/.test(text)) return { isAnonymous: text.startsWith('不') ? '' : 'yes' }
  if (/^不抄送/.test(text)) return { copyTo: '' }
  if (/^抄送/.test(text)) {
    const [contact] = await contactsFor(ctx.rt, placeFrom(answers))
    return contact ? { copyTo: String(contact.personId) } : null
  }
  if (/^不?告知群/.test(text)) return { group: text.startsWith('不') ? '' : 'yes' }
  if (/^不?署名/.test(text)) return { isSigned: text.startsWith('不') ? '' : 'yes' }
  return null
}

/** The group is told the answer only where the reporter says so, and never about a complaint. */
async function groupWords(ctx: Context, answers: Answers): Promise<string[]> {
  if (answers.kind === 'complaint') return []
  const places = await placesOf(ctx.rt.db, ctx.actor.person?.id ?? 0)
  if (!places.some(place => String(place.unitId) === answers.place && place.groupId !== null)) return []
  return answers.group
    ? ['答复时可以转告群里，不说是谁反映的。改回来请回：不告知群']
    : ['答复只发给您；愿意让群里也知道答复（不说是谁反映的），请回：告知群']
}

function signWords(answers: Answers): string[] {
  if (answers.kind !== 'practice' || answers.isAnonymous) return []
  return answers.isSigned
    ? ['推广时会写上您的名字。改回来请回：不署名']
    : ['推广时不写您的名字；愿意写上请回：署名']
}

/** 1+100: who keeps contact with the branch can be addressed as well. */
async function copyWords(ctx: Context, answers: Answers): Promise<string[]> {
  const [contact] = await contactsFor(ctx.rt, placeFrom(answers))
  if (!contact || contact.personId === ctx.actor.person?.id) return []
  return answers.copyTo
    ? [`联系您支部的${contact.personName}也会看到。改回来请回：不抄送`]
    : [`要让联系您支部的${contact.personName}也看到，请回：抄送`]
}

async function offersOf(ctx: Context, answers: Answers) {
  return officesOf(ctx.rt, {
    unitId: Number(answers.place),
    reporterId: ctx.actor.person?.id ?? 0,
    aboutId: null,
  })
}

/** A text that may be sent, sealed: what people complain about does not lie in the open while they think it over. */
async function checked(
  ctx: Context,
  text: string,
  answers: Answers,
): Promise<{ value: string } | { error: string }> {
  try {
    await checkSlip(ctx.rt, text, placeToJudge(answers))
    return { value: ctx.rt.vault.seal(text) }
  } catch (error) {
    if (error instanceof DomainError && !(error instanceof StoppedText)) return { error: error.message }
    throw error
  }
}

/** Who would read it, as far as the answers say; null: not yet. Nobody else is to see it for whatever reason. */
function placeToJudge(answers: Answers): ClaimPlace | null {
  const { kind, place, about } = answers
  if (!kind || !place || (kind === 'complaint' && about === undefined)) return null
  return placeOfSlip({ kind, ...placeFrom(answers) })
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
  const known: Answers = {
    ...(places.length === 1 ? { place: String(places[0]?.unitId) } : {}),
    ...(kind ? { kind: kind.id } : {}),
  }
  const read = body === '' ? null : await checked(ctx, body, known)
  if (read && 'error' in read) return read
  return {
    ...known,
    ...(read ? { body: read.value } : {}),
  }
}
