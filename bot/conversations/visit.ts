import { contactsOf } from '../../db/queries/contacts.ts'
import { dayOf } from '../../server/clock.ts'
import { isVisitDay, recordVisit } from '../../server/domain/contacts/visit.ts'
import type { KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readDay, readNumber } from '../words.ts'

/** Asks which branch, the day and the place of a visit (走访调研, 全国项目办发〔2018〕1号 三.4). */
export const visitConversation: Conversation = {
  name: 'visit',
  title: '登记走访',
  version: 1,
  fields: [
    {
      name: 'contact',
      async ask(ctx) {
        const own = await contactsOf(ctx.rt.db, ctx.actor.person?.id ?? 0)
        return `走访的是哪个团支部？${own.map((each, index) => `${index + 1} ${each.unitName}`).join('、')}`
      },
      async read(ctx, text) {
        const own = await contactsOf(ctx.rt.db, ctx.actor.person?.id ?? 0)
        const number = readNumber(text)
        const named = own.filter(each => each.unitName.includes(text))
        const found = number === null ? (named.length === 1 ? named[0] : undefined) : own[number - 1]
        return found ? { value: String(found.id) } : { error: '请回复团支部的名称或它前面的数字。' }
      },
    },
    {
      name: 'day',
      ask: () => '哪天去的？如：今天、昨天、9月12日',
      async read(ctx, text) {
        const today = dayOf(ctx.rt.clock.now())
        const day = readDay(text, today)
        return day !== null && isVisitDay(day, today)
          ? { value: day }
          : { error: '请回复走访的日期（今天或以前），如：9月12日' }
      },
    },
    {
      name: 'place',
      ask: () => '到了哪里？（不填请回：无）',
      read: async (_ctx, text) => ({
        value: /^(无|没有|不填)$/.test(text) ? '' : [...text].slice(0, 50).join(''),
      }),
    },
  ],
  async finish(ctx, answers) {
    if (answers.contact === '') return '您还没有联系的团支部，没有登记。请先选一个：发送“联系点”看推荐。'
    const { contact, isNew } = await recordVisit(ctx.rt, (ctx as KnownContext).actor, {
      contactId: Number(answers.contact),
      visitedOn: answers.day as string,
      place: answers.place || null,
      note: null,
    })
    return isNew
      ? `已登记：${answers.day} 走访${contact.unitName}${answers.place ? `，${answers.place}` : ''}。情况和困难可在网页“我的 → 联系的团支部”里补写。`
      : `${answers.day} 走访${contact.unitName}已经登记过了。`
  },
}

/** What one line says: `榆阳区第一团支部 9月12日 镇川镇`. Somebody with one branch need not name it. */
export async function readVisitLine(ctx: KnownContext, line: string): Promise<Answers> {
  const own = await contactsOf(ctx.rt.db, ctx.actor.person.id)
  // nothing to ask: the end says what is missing
  if (own.length === 0) return { contact: '', day: '', place: '' }
  const answers: Answers = {}
  const today = dayOf(ctx.rt.clock.now())
  const places: string[] = []
  for (const word of line.split(/[\s,，、;；。]+/).filter(each => each !== '')) {
    const day = readDay(word, today)
    const named = own.filter(each => each.unitName.includes(word) && word.length >= 2)
    if (day !== null) {
      if (isVisitDay(day, today)) answers.day ??= day
    } else if (named.length === 1 && answers.contact === undefined) answers.contact = String(named[0]?.id)
    else places.push(word)
  }
  if (own.length === 1) answers.contact = String(own[0]?.id)
  // a place may be several words; a bare day means that none is given
  if (places.length > 0) answers.place = [...places.join(' ')].slice(0, 50).join('')
  return answers
}
