import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { unitById } from '../../db/queries/units.ts'
import { dayOf } from '../../server/clock.ts'
import { isOpenDay } from '../../server/domain/activities/open-month.ts'
import { recordActivity } from '../../server/domain/activities/record.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readDay, readNumber } from '../words.ts'

/** The five activity columns of the tracking sheet (榆林团市委 2014 附件3). */
function kinds(ctx: Context): { name: string; figure: string }[] {
  return ctx.rt.templates.programmes.flatMap(programme => programme.activityCategories ?? [])
}

function readKind(ctx: Context, text: string): string | null {
  const all = kinds(ctx)
  const number = readNumber(text)
  const found =
    number === null
      ? all.find(kind => kind.name === text || (text.length >= 2 && kind.name.includes(text)))
      : all[number - 1]
  return found?.figure ?? null
}

/** Asks kind, heads, place and day of an offline activity. */
export const activityConversation: Conversation = {
  name: 'activity',
  title: '登记活动',
  version: 1,
  fields: [
    {
      name: 'kind',
      ask: ctx =>
        `是哪类活动？${kinds(ctx)
          .map((kind, index) => `${index + 1} ${kind.name}`)
          .join('、')}`,
      async read(ctx, text) {
        const kind = readKind(ctx, text)
        return kind === null ? { error: '请回复活动类型或它前面的数字。' } : { value: kind }
      },
    },
    {
      name: 'heads',
      ask: () => '多少人参加？请回复数字。',
      async read(_ctx, text) {
        const heads = readNumber(text)
        return heads === null || heads < 1 ? { error: '请回复人数，如：35' } : { value: String(heads) }
      },
    },
    {
      name: 'place',
      ask: () => '在哪里办的？（不填请回：无）',
      read: async (_ctx, text) => ({
        value: /^(无|没有|不填)$/.test(text) ? '' : [...text].slice(0, 50).join(''),
      }),
    },
    {
      name: 'day',
      ask: () => '哪天办的？如：今天、昨天、9月12日',
      async read(ctx, text) {
        const day = readDay(text, dayOf(ctx.rt.clock.now()))
        if (day === null) return { error: '请回复日期，如：9月12日' }
        return isOpenDay(day, ctx.rt.clock.now())
          ? { value: day }
          : { error: '只能登记本月和上月办过的活动，请回复日期，如：9月12日' }
      },
    },
  ],
  async finish(ctx, answers) {
    const { actor } = ctx as KnownContext
    const [group] = await groupsOwnedBy(ctx.rt.db, actor.person.id)
    const unitId = group?.unitId ?? actor.roles[0]?.unitId
    if (unitId === undefined) return '您名下没有单位，无法登记活动。请先由上级更新名册。'
    await recordActivity(ctx.rt, actor, {
      unitId,
      groupId: group?.id ?? null,
      kind: answers.kind as string,
      heldOn: answers.day as string,
      heads: Number(answers.heads),
      place: answers.place || null,
      updateId: ctx.updateId,
    })
    const unit = await unitById(ctx.rt.db, unitId)
    const kind = kinds(ctx).find(each => each.figure === answers.kind)?.name
    return `已登记：${unit?.name} ${kind} 1 次，${answers.heads} 人，${answers.day}${answers.place ? `，${answers.place}` : ''}。`
  },
}

/** What one line says: `技能培训 35人 村委会 9月12日`. */
export function readActivityLine(ctx: Context, line: string): Answers {
  const answers: Answers = {}
  const today = dayOf(ctx.rt.clock.now())
  for (const word of wordsOf(ctx, line)) {
    const kind = /^\d/.test(word) ? null : readKind(ctx, word)
    const day = readDay(word, today)
    const heads = readNumber(word)
    if (kind !== null && answers.kind === undefined) answers.kind = kind
    else if (day !== null) {
      if (answers.day === undefined && isOpenDay(day, ctx.rt.clock.now())) answers.day = day
    } else if (heads !== null && answers.heads === undefined) answers.heads = String(heads)
    else if (answers.place === undefined) answers.place = word.slice(0, 50)
  }
  return answers
}

/** The words of a line; a kind and the number of heads may be written on to each other (技能培训35人). */
function wordsOf(ctx: Context, line: string): string[] {
  const kind = kinds(ctx).find(each => line.startsWith(each.name))?.name ?? ''
  return `${kind} ${line.slice(kind.length)}`
    .replace(/(?<![\d月年.\-/])(\d+人)/g, ' $1 ')
    .split(/[\s,，、;；。]+/)
    .filter(each => each !== '')
}
