import { groupsOwnedBy } from '../../db/queries/groups.ts'
import { unitById } from '../../db/queries/units.ts'
import { dayOf } from '../../server/clock.ts'
import { announceActivity } from '../../server/domain/activities/announce.ts'
import { isOpenDay } from '../../server/domain/activities/open-month.ts'
import { recordActivity } from '../../server/domain/activities/record.ts'
import { activityKindName, activityLine } from '../../server/domain/activities/words.ts'
import { recordRules } from '../../server/domain/messages/record-rules.ts'
import type { Context, Heard, KnownContext } from '../context.ts'
import type { Answers, Conversation, Field } from '../conversation.ts'
import { readMoment } from '../moments.ts'
import { readDay, readNumber } from '../words.ts'

/** The five activity columns of the tracking sheet (榆林团市委 2014 附件3). */
function kinds(ctx: Heard): { name: string; figure: string }[] {
  return ctx.templates.programmes.flatMap(programme => programme.activityCategories ?? [])
}

function readKind(ctx: Heard, text: string): string | null {
  const all = kinds(ctx)
  const number = readNumber(text)
  const found =
    number === null
      ? all.find(kind => kind.name === text || (text.length >= 2 && kind.name.includes(text)))
      : all[number - 1]
  return found?.figure ?? null
}

const kindField: Field = {
  name: 'kind',
  ask: ctx =>
    `是哪类活动？${kinds(ctx)
      .map((kind, index) => `${index + 1} ${kind.name}`)
      .join('、')}`,
  async read(ctx, text) {
    const kind = readKind(ctx, text)
    return kind === null ? { error: '请回复活动类型或它前面的数字。' } : { value: kind }
  },
}

/** Asks kind, heads, place and day of an offline activity. */
export const activityConversation: Conversation = {
  name: 'activity',
  title: '登记活动',
  version: 1,
  fields: [
    kindField,
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
    const place = await placeOf(ctx as KnownContext)
    if (place === null) return NO_UNIT
    await recordActivity(ctx.rt, actor, {
      ...place,
      kind: answers.kind as string,
      heldOn: answers.day as string,
      heads: Number(answers.heads),
      place: answers.place || null,
      updateId: ctx.updateId,
    })
    const unit = await unitById(ctx.rt.db, place.unitId)
    const kind = activityKindName(ctx.templates, answers.kind as string)
    return `已登记：${unit?.name} ${kind} 1 次，${answers.heads} 人，${answers.day}${answers.place ? `，${answers.place}` : ''}。${recordRules.pictures.minutes.value} 分钟内发来的图片存为活动照片。`
  },
}

const NO_UNIT = '您名下没有单位，无法登记活动。请先由上级更新名册。'

/** Whose activity it is: of the owner's group, or of the unit that they have a role in. */
async function placeOf({
  rt,
  actor,
}: KnownContext): Promise<{ unitId: number; groupId: number | null } | null> {
  const [group] = await groupsOwnedBy(rt.db, actor.person.id)
  const unitId = group?.unitId ?? actor.roles[0]?.unitId
  return unitId === undefined ? null : { unitId, groupId: group?.id ?? null }
}

/** Asks what an activity to come is about, when and where, and gives its number and the text for the groups. */
export const announceConversation: Conversation = {
  name: 'announce',
  title: '活动预告',
  version: 1,
  fields: [
    kindField,
    {
      name: 'when',
      ask: () => '哪天几点开始？如：9月20日 14:00、周六下午3点',
      async read(ctx, text) {
        const at = readMoment(text, ctx.rt.clock.now())
        if (at === null || !/[点时:：]/.test(text)) return { error: '请写明日期和时间，如：9月20日 14:00' }
        return at > ctx.rt.clock.now()
          ? { value: at.toISOString() }
          : { error: '这个时间已经过了，请写以后的时间。办过的活动请用“活动”登记。' }
      },
    },
    {
      name: 'place',
      ask: () => '在哪里办？',
      read: async (_ctx, text) => ({ value: [...text].slice(0, 50).join('') }),
    },
    {
      name: 'title',
      ask: () => '讲什么、办什么？一句话，如：大棚管理',
      read: async (_ctx, text) => ({ value: [...text].slice(0, 50).join('') }),
    },
  ],
  async finish(ctx, answers) {
    const place = await placeOf(ctx as KnownContext)
    if (place === null) return NO_UNIT
    const activity = await announceActivity(ctx.rt, (ctx as KnownContext).actor, {
      ...place,
      kind: answers.kind as string,
      startsAt: new Date(answers.when as string),
      place: answers.place as string,
      title: answers.title as string,
      updateId: ctx.updateId,
    })
    return [
      `已预告，活动编号 ${activity.id}。请把下面这段发到群里：`,
      `【活动预告】${activityLine(ctx.templates, activity)}，${activity.unitName}主办。参加的请点开报名：${ctx.rt.publicUrl}/a/${activity.id} ，或对群阵说：报名 ${activity.id}`,
      `——
现场签到码（到了现场再公布）：${activity.checkInCode}，到场的对群阵说：签到 ${activity.checkInCode}`,
      `谁报了名请发：名单 ${activity.id}。不办了请发：没办 ${activity.id}。办完第二天我来问您，您说办完了才计入报表。`,
    ].join('\n')
  },
}

/** A day without its time: both are asked for. */
const DAY_ALONE =
  /^(?:(?:\d{4}年)?(?:\d{1,2}月)?\d{1,2}[日号]|今天|明天|后天|下?(?:周|星期)[一二三四五六日天])$/

/** What one line says: `技能培训 9月20日 14:00 村委会 大棚管理`. */
export function readAnnouncedLine(ctx: Context, line: string): Answers {
  const answers: Answers = {}
  const now = ctx.rt.clock.now()
  const words = wordsOf(ctx, line)
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    const next = words[at + 1]
    const both = next === undefined ? null : `${word} ${next}`
    const kind = /^\d/.test(word) ? null : readKind(ctx, word)
    if (answers.kind === undefined && kind !== null) answers.kind = kind
    else if (answers.when === undefined && both !== null && momentIn(both, now)) {
      answers.when = momentIn(both, now) as string
      at++
    } else if (answers.when === undefined && momentIn(word, now)) answers.when = momentIn(word, now) as string
    else if (DAY_ALONE.test(word)) continue
    else if (answers.place === undefined) answers.place = [...word].slice(0, 50).join('')
    else answers.title = [...`${answers.title ?? ''}${word}`].slice(0, 50).join('')
  }
  return answers
}

/** A moment to come, with its time of day, as it is kept; null when the text is none. */
function momentIn(text: string, now: Date): string | null {
  const at = /[点时:：]/.test(text) ? readMoment(text, now) : null
  return at !== null && at > now ? at.toISOString() : null
}

/** Whether a line that begins with 活动预告 is meant for the command, and no text that was posted somewhere. */
export function isAnnouncement(line: string): boolean {
  if ([...line].length > 60 || /[。！？!?：]/.test(line.replace(/\d[:：]\d/g, ''))) return false
  return /\s/.test(line) || [...line].length <= 6
}

/** Whether a line says which kind of activity it was. */
export function namesKind(heard: Heard, line: string): boolean {
  return wordsOf(heard, line).some(word => !/^\d/.test(word) && readKind(heard, word) !== null)
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
function wordsOf(ctx: Heard, line: string): string[] {
  const kind = kinds(ctx).find(each => line.startsWith(each.name))?.name ?? ''
  return `${kind} ${line.slice(kind.length)}`
    .replace(/(?<![\d月年.\-/])(\d+人)/g, ' $1 ')
    .split(/[\s,，、;；。]+/)
    .filter(each => each !== '')
}
